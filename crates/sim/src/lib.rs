//! Development only: recorded lives, what can be done to them, and what must hold all the same; and stories by chance.

pub mod author;
pub mod chance;
pub mod chaos;
pub mod faults;
pub mod invariants;
pub mod life;
pub mod stories;
