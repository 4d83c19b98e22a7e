//! Asterisk, over its manager interface (AMI).
//!
//! [`session`] keeps the connection (login, snapshot, heartbeat, reconnect), [`ami`] cuts bytes into messages,
//! [`picture`] makes observations of what they mean.

pub mod actions;
pub mod ami;
pub mod backoff;
mod bridges;
mod causes;
mod channels;
mod connector;
mod effects;
mod live;
mod names;
pub mod order_settings;
mod ordered;
mod orders;
pub mod picture;
mod queues;
pub mod recorded;
mod requests;
mod resync;
pub mod session;
pub mod session_config;
pub mod settings;
pub mod snapshot;

pub use connector::Asterisk;
pub use order_settings::OrderSettings;
pub use orders::ACTIONS;
pub use picture::Picture;
pub use settings::PictureSettings;
