//! Groups by their requests: what is kept over crashes and restarts, who sees what, and every version's answers.

mod crash;
mod house;
mod owners;
mod versions;
mod waiting;
