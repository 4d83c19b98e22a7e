//! The hub, asked through its own methods.
