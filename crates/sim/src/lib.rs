//! Development only: recorded lives, what can be done to them, and what must hold all the same; and stories by chance.

pub mod author;
pub mod chaos;
pub mod faults;
pub mod invariants;
pub mod life;
pub mod stories;

// Everything by chance draws from the same generator, so that a seed means the same everywhere.
pub use cordboard_switches::centre::chance;
