//! A model of Microsoft's JavaScript client as far as it counts messages, written after what it was seen to do.

use std::collections::VecDeque;

use cordboard_signalr::codec::{self, Cut};
use cordboard_signalr::{Call, Message, Protocol};
use serde_json::json;

const ACK_DELAY_MS: u64 = 1_000;

/// A client with stateful reconnect. It begins to count once it has taken in the frame with the reply to its handshake.
pub(crate) struct JsClient {
    protocol: Protocol,
    began: bool,
    /// Numbers of the messages the server said, in the order they were handed to the application.
    pub(crate) heard: Vec<u64>,
    /// Numbers of the calls that were answered, in that order.
    pub(crate) answered: Vec<u64>,
    /// How many calls were made.
    pub(crate) calls: u64,
    calls_before_start: u64,
    sent: u64,
    kept: VecDeque<(u64, Vec<u8>)>,
    next_received: u64,
    latest_received: u64,
    awaits_sequence: bool,
    ack_at: Option<u64>,
    outgoing: Vec<u8>,
}

impl JsClient {
    pub(crate) fn new(protocol: Protocol) -> JsClient {
        JsClient {
            protocol,
            began: false,
            heard: Vec::new(),
            answered: Vec::new(),
            calls: 0,
            calls_before_start: 0,
            sent: 0,
            kept: VecDeque::new(),
            next_received: 1,
            latest_received: 0,
            awaits_sequence: false,
            ack_at: None,
            outgoing: Vec::new(),
        }
    }

    pub(crate) fn is_connected(&self) -> bool {
        self.began
    }

    pub(crate) fn unacknowledged(&self) -> usize {
        self.kept.len()
    }

    /// The application calls a method with the number of the call. It cannot before start() is done.
    pub(crate) fn call(&mut self) {
        if !self.began {
            self.calls_before_start += 1;
            return;
        }
        self.calls += 1;
        let arguments = codec::encode_value(self.protocol, &json!([self.calls])).into();
        let id = Some(self.calls.to_string().into());
        let message = Message::Invocation(Call { id, target: "Count".into(), arguments });
        let bytes = codec::write(self.protocol, &message);
        self.sent += 1;
        self.outgoing.extend_from_slice(&bytes);
        self.kept.push_back((self.sent, bytes));
    }

    /// What the client wrote since the last time.
    pub(crate) fn take_sent(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.outgoing)
    }

    /// A frame arrived: always whole messages.
    pub(crate) fn handle_frame(&mut self, now: u64, frame: &[u8]) {
        let mut rest = frame;
        let starts = !self.began && !frame.is_empty();
        if starts {
            rest = rest.strip_prefix(b"{}\x1e").expect("the reply comes first");
        }
        while !rest.is_empty() {
            let Ok(Cut::Whole { body, used }) = codec::cut(self.protocol, rest, usize::MAX) else {
                panic!("Message is incomplete.")
            };
            if let Some(message) = codec::read(self.protocol, body, 64).expect("well-formed") {
                self.handle_message(now, message);
            }
            rest = &rest[used..];
        }
        if starts {
            self.began = true;
            self.outgoing.extend(codec::write(self.protocol, &Message::Ping));
            for _ in 0..std::mem::take(&mut self.calls_before_start) {
                self.call();
            }
        }
    }

    pub(crate) fn handle_timeout(&mut self, now: u64) {
        if self.ack_at.take_if(|at| *at <= now).is_some() {
            let sequence = self.latest_received;
            self.outgoing.extend(codec::write(self.protocol, &Message::Ack { sequence }));
        }
    }

    /// The socket broke and a new one is there: the number first, then all that was not acknowledged.
    pub(crate) fn reconnect(&mut self) {
        self.outgoing.clear();
        self.awaits_sequence = true;
        let sequence = self.kept.front().map_or(self.sent + 1, |(number, _)| *number);
        self.outgoing.extend(codec::write(self.protocol, &Message::Sequence { sequence }));
        for (_, bytes) in &self.kept {
            self.outgoing.extend_from_slice(bytes);
        }
    }

    fn handle_message(&mut self, now: u64, message: Message<'_>) {
        if self.began && !self.should_process(now, &message) {
            return;
        }
        match message {
            Message::Invocation(call) => {
                let arguments = codec::read_arguments(self.protocol, &call.arguments).expect("readable");
                self.heard.push(arguments[0].as_u64().expect("a number"));
            }
            Message::Completion { id, ended: _ } => self.answered.push(id.parse().expect("a number")),
            Message::Ack { sequence } => self.kept.retain(|(number, _)| *number > sequence),
            Message::Sequence { sequence } => {
                assert!(sequence <= self.next_received, "Sequence ID greater than amount of messages we've received.");
                self.next_received = sequence;
            }
            Message::Ping => {}
            Message::StreamItem { .. }
            | Message::StreamInvocation(_)
            | Message::CancelInvocation { .. }
            | Message::Close { .. } => panic!("unexpected: {message:?}"),
        }
    }

    fn should_process(&mut self, now: u64, message: &Message<'_>) -> bool {
        if self.awaits_sequence {
            self.awaits_sequence = !matches!(message, Message::Sequence { .. });
            return !self.awaits_sequence;
        }
        if !matches!(message, Message::Invocation(_) | Message::Completion { .. }) {
            return true;
        }
        let number = self.next_received;
        self.next_received += 1;
        if number <= self.latest_received {
            if number == self.latest_received {
                self.ack_at.get_or_insert(now + ACK_DELAY_MS);
            }
            return false;
        }
        self.latest_received = number;
        self.ack_at.get_or_insert(now + ACK_DELAY_MS);
        true
    }
}
