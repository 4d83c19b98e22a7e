//! Development only: recorded lives, what can be done to them, and what must hold all the same.

pub mod chance;
pub mod chaos;
pub mod faults;
pub mod invariants;
pub mod life;
