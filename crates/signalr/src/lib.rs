//! ASP.NET Core SignalR as a server speaks it, without sockets and clocks.
//!
//! A transport hands what it reads to a [`Session`] and writes what the session gives back; time comes in with every
//! call as [`Millis`]. What an application says to many is encoded once with [`encode_invocation`] and shared.
//!
//! ```
//! use std::sync::Arc;
//! use cordboard_signalr::{Answer, Event, Limits, Session, Settings, Transport};
//!
//! let settings = Settings { transport: Transport::WebSockets, stateful_reconnect: false };
//! let mut session = Session::new(settings, Arc::new(Limits::default()), 0);
//! session.handle_bytes(1, b"{\"protocol\":\"json\",\"version\":1}\x1e");
//! assert_eq!(&session.poll_transmit().unwrap().bytes[..], b"{}\x1e");
//! assert!(matches!(session.poll_event(), Some(Event::Connected { .. })));
//!
//! session.handle_bytes(2, b"{\"arguments\":[20,22],\"target\":\"Add\",\"invocationId\":\"0\",\"type\":1}\x1e");
//! let Some(Event::Invoke(invocation)) = session.poll_event() else { panic!("no invocation") };
//! assert_eq!(invocation.target, "Add");
//! session.answer(3, Answer::Result(42.into()));
//! let answer = session.poll_transmit().unwrap().bytes;
//! assert_eq!(&answer[..], b"{\"type\":3,\"invocationId\":\"0\",\"result\":42}\x1e");
//! ```

pub mod codec;
mod error;
pub mod handshake;
mod json;
mod limits;
mod message;
mod messagepack;
pub mod negotiate;
mod protocol;
mod session;
pub mod texts;
mod transcode;

pub use codec::encode_invocation;
pub use error::ProtocolError;
pub use limits::Limits;
pub use message::{Call, Ended, Message};
pub use protocol::{FrameKind, Protocol, Transport};
pub use session::{Answer, Ending, Event, Invocation, Session, Settings, Transmit};

/// Milliseconds since any moment the caller has chosen; they never run backwards.
pub type Millis = u64;
