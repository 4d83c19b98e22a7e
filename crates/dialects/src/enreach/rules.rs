//! The contract of the stream, executable: what must hold of all events together.
//!
//! [`Rules`] reads messages in the order they were said. It knows nothing of how they are made: whoever consumes the
//! stream may rely on exactly this.

use alloc::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::names::EventName;
use super::scene::ttl;
use crate::Message;

/// What an offer or a call of one's own is told by: a call, and the leg of one person in it. The person's id may become
/// another one meanwhile, when the directory gives one.
type Way = (String, String);

/// How far along a call is for somebody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Allocated,
    Connected,
    Held,
    Going,
    GoingConnected,
    GoingHeld,
}

/// The rules, applied to a stream message by message.
#[derive(Default)]
pub struct Rules {
    seen: BTreeSet<String>,
    ways: BTreeMap<Way, Stage>,
    wrapups: BTreeSet<String>,
    states: BTreeMap<String, String>,
    incoming: Option<Way>,
    /// The stream follows a picture, whose states were told without regard to what was told before.
    late: bool,
}

impl Rules {
    /// For a stream from its beginning.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// For a picture and the stream after it.
    #[must_use]
    pub fn late() -> Self {
        Self { late: true, ..Self::default() }
    }

    /// Judges the next message of the stream; says what is wrong with it.
    ///
    /// # Errors
    /// The first rule that it does not keep, in words.
    pub fn check(&mut self, message: &Message) -> Result<(), String> {
        let wrong = |why: &str| Err(format!("{why}: {}", message.value));
        let Ok(Value::Object(members)) = serde_json::from_str(&message.value) else { return wrong("is no object") };
        let Some(event) = text(&members, "eventType").and_then(EventName::parse) else { return wrong("is no event") };
        let (Some(entity), Some(id)) = (text(&members, "entityId"), text(&members, "id")) else {
            return wrong("lacks an id");
        };
        if message.key != format!("{entity}:{}", event.wire()) {
            return wrong("has another key than its entity and event");
        }
        if members.get("messageTTLSeconds") != Some(&Value::from(ttl(event))) {
            return wrong("is worth delivering for another time than all of its kind");
        }
        if !self.seen.insert(id.to_owned()) {
            return wrong("has the id of another event");
        }
        if event.is_state() {
            return self.state(message, id);
        }
        self.order(event, &members).or_else(|why| wrong(&why))
    }

    /// What is left open at the end of the stream, where everybody has hung up, and after-call work of these ids goes on.
    #[must_use]
    pub fn finish(&self, goes_on: &BTreeSet<String>) -> Vec<String> {
        let ways = self.ways.iter().map(|(way, stage)| format!("{way:?} is left {stage:?}"));
        let wrapups = self.wrapups.difference(goes_on).map(|id| format!("the after-call work {id} is not over"));
        ways.chain(wrapups).collect()
    }

    /// A state is told only when it has become another one.
    fn state(&mut self, message: &Message, id: &str) -> Result<(), String> {
        let mark = format!(",\"id\":\"{id}\"");
        let content = message.value.split(&mark).next().unwrap_or_default().to_owned();
        match self.states.insert(message.key.clone(), content.clone()) {
            Some(last) if last == content && !self.late => {
                Err(format!("says again what was said before: {}", message.value))
            }
            Some(_) | None => Ok(()),
        }
    }

    fn order(&mut self, event: EventName, members: &Map<String, Value>) -> Result<(), String> {
        let member = |name| text(members, name).unwrap_or_default().to_owned();
        let way: Way = (member("callId"), member("legId"));
        if let Some(incoming) = self.incoming.take()
            && (event != EventName::UserCallInArrived || way != incoming)
        {
            return Err(format!("{incoming:?} came in and did not arrive"));
        }
        let (from, to): (&[Stage], Option<Stage>) = match event {
            EventName::UserCallInComing => {
                self.incoming = Some(way);
                return Ok(());
            }
            EventName::UserCallInUserAllocated => {
                return self.begin(way, Stage::Allocated);
            }
            EventName::UserCallOutGoing => {
                return self.begin(way, Stage::Going);
            }
            EventName::UserCallInUserConnected => (&[Stage::Allocated], Some(Stage::Connected)),
            EventName::UserCallInUserCancelled => (&[Stage::Allocated], None),
            EventName::UserCallInHoldStart => (&[Stage::Connected], Some(Stage::Held)),
            EventName::UserCallInHoldEnd => (&[Stage::Held], Some(Stage::Connected)),
            EventName::UserCallInDisconnected => (&[Stage::Connected, Stage::Held], None),
            EventName::UserCallOutConnected => (&[Stage::Going], Some(Stage::GoingConnected)),
            EventName::UserCallOutHoldStart => (&[Stage::GoingConnected], Some(Stage::GoingHeld)),
            EventName::UserCallOutHoldEnd => (&[Stage::GoingHeld], Some(Stage::GoingConnected)),
            EventName::UserCallOutDisconnected => (&[Stage::Going, Stage::GoingConnected, Stage::GoingHeld], None),
            EventName::UserWrapUpStarted => {
                let begins = self.wrapups.insert(member("wrapUpId"));
                return if begins { Ok(()) } else { Err("begins after-call work that is under way".to_owned()) };
            }
            EventName::UserWrapUpTerminated => {
                let begun = self.wrapups.remove(&member("wrapUpId"));
                return if begun { Ok(()) } else { Err("ends after-call work that did not begin".to_owned()) };
            }
            EventName::UserAlert
            | EventName::UserAvailability
            | EventName::UserCallAvailableForMonitoring
            | EventName::UserCallInArrived
            | EventName::UserCallInCallbackCreated
            | EventName::UserCallInOverflow
            | EventName::UserCallInRecordingConverted
            | EventName::UserCallInTransferCancelled
            | EventName::UserCallInTransferConnected
            | EventName::UserCallInTransferStarted
            | EventName::UserCallInUserOverflow
            | EventName::UserCallOutRecordingConverted
            | EventName::UserRealTimeTranscriptPhrase
            | EventName::UserSetting
            | EventName::UserStatus
            | EventName::UserSupervisionStatus
            | EventName::UserTerminalStatus
            | EventName::UserWrapUpEnabled
            | EventName::UserWrapUpRequestInitiate
            | EventName::UserWrapUpRequestTerminate
            | EventName::QueueStatus
            | EventName::CallbackChanged => return Ok(()),
        };
        let stage = self.ways.get(&way).copied();
        if !stage.is_some_and(|stage| from.contains(&stage)) {
            return Err(format!("comes after {stage:?}; right would be after one of {from:?}"));
        }
        match to {
            Some(to) => self.ways.insert(way, to),
            None => self.ways.remove(&way),
        };
        Ok(())
    }

    fn begin(&mut self, way: Way, stage: Stage) -> Result<(), String> {
        match self.ways.insert(way, stage) {
            Some(under_way) => Err(format!("begins what is under way already, {under_way:?}")),
            None => Ok(()),
        }
    }
}

fn text<'m>(members: &'m Map<String, Value>, name: &str) -> Option<&'m str> {
    members.get(name).and_then(Value::as_str)
}
