//! A coordinator in virtual time, and clients that call it.

use std::collections::BTreeMap;

use bytes::Bytes;
use kafka_protocol::ResponseError;

use crate::groups::{Answer, Coordinator, GroupLimits, Join, Leaver, Sync, Ticket, Who};

pub(super) const OWNER: &str = "acme";
pub(super) const GROUP: &str = "g";

/// A coordinator and its clock.
pub(super) struct House {
    pub(super) coordinator: Coordinator,
    pub(super) now_ms: u64,
    pub(super) tickets: u64,
    pub(super) ids: u64,
    pub(super) answers: BTreeMap<Ticket, Answer>,
}

/// What a client has been told.
#[derive(Clone, Debug)]
pub(super) struct Client {
    pub(super) name: String,
    pub(super) who: Who,
    pub(super) version: i16,
    pub(super) session_ms: i32,
    pub(super) rebalance_ms: i32,
    pub(super) protocols: Vec<String>,
    pub(super) topic: String,
}

impl Client {
    pub(super) fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            who: Who { generation: -1, ..Who::default() },
            version: 9,
            session_ms: 10_000,
            rebalance_ms: 30_000,
            protocols: vec!["range".to_owned()],
            topic: "t".to_owned(),
        }
    }

    /// What a consumer of one topic says of itself.
    fn metadata(&self) -> Bytes {
        let mut bytes = vec![0, 1, 0, 0, 0, 1, 0, u8::try_from(self.topic.len()).unwrap()];
        bytes.extend_from_slice(self.topic.as_bytes());
        bytes.into()
    }
}

impl House {
    pub(super) fn new(limits: GroupLimits) -> Self {
        let coordinator = Coordinator::new(limits, 0);
        Self { coordinator, now_ms: 0, tickets: 0, ids: 0, answers: BTreeMap::new() }
    }

    pub(super) fn join(&mut self, client: &Client) -> Ticket {
        self.ids += 1;
        let join = Join {
            who: client.who.clone(),
            new_member: format!("{}-{}", client.name, self.ids),
            member_id_required: client.version >= 4,
            may_skip_assignment: client.version >= 9,
            client_id: client.name.clone(),
            client_host: "127.0.0.1".to_owned(),
            session_ms: client.session_ms,
            rebalance_ms: client.rebalance_ms,
            protocol_type: "consumer".to_owned(),
            protocols: client.protocols.iter().map(|name| (name.clone(), client.metadata())).collect(),
        };
        let ticket = self.ticket();
        self.coordinator.handle_join(self.now_ms, OWNER, GROUP, ticket, &join);
        self.take();
        ticket
    }

    pub(super) fn sync(&mut self, client: &Client, parts: &[(String, String)]) -> Ticket {
        let assignments = parts.iter().map(|(id, part)| (id.clone(), Bytes::from(part.clone()))).collect();
        let sync = Sync { who: client.who.clone(), assignments, ..Sync::default() };
        let ticket = self.ticket();
        self.coordinator.handle_sync(self.now_ms, OWNER, GROUP, ticket, &sync);
        self.take();
        ticket
    }

    pub(super) fn beat(&mut self, client: &Client) -> Result<(), ResponseError> {
        let result = self.coordinator.handle_heartbeat(self.now_ms, OWNER, GROUP, &client.who);
        self.take();
        result
    }

    pub(super) fn leave(&mut self, client: &Client) -> Result<(), ResponseError> {
        let leaver = Leaver { member: client.who.member.clone(), instance: client.who.instance.clone() };
        let result = self.coordinator.handle_leave(self.now_ms, OWNER, GROUP, &[leaver]).unwrap().remove(0);
        self.take();
        result
    }

    pub(super) fn commit(&mut self, client: &Client) -> Option<Result<(), ResponseError>> {
        self.coordinator.handle_commit(self.now_ms, OWNER, GROUP, &client.who)
    }

    /// Lets time pass, with everything that is due on the way.
    pub(super) fn pass(&mut self, ms: u64) {
        let until = self.now_ms + ms;
        while let Some(due) = self.coordinator.next_due().filter(|due| *due <= until) {
            assert!(due >= self.now_ms, "something was overdue");
            self.now_ms = due.max(self.now_ms);
            self.coordinator.handle_time(self.now_ms);
            assert!(self.coordinator.next_due().is_none_or(|next| next > self.now_ms), "something is due for ever");
            self.take();
        }
        self.now_ms = until;
    }

    fn ticket(&mut self) -> Ticket {
        self.tickets += 1;
        Ticket(self.tickets)
    }

    fn take(&mut self) {
        while let Some((ticket, answer)) = self.coordinator.poll_answer() {
            assert!(self.answers.insert(ticket, answer).is_none(), "{ticket:?} is answered twice");
        }
    }
}
