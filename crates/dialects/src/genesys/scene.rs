//! What a projection looks at: the world, the moment, and where messages go.

use alloc::borrow::Cow;

use cordboard_core::event::{Asked, DeviceKind, Direction};
use cordboard_core::world::{Call, Client, Leg};
use cordboard_core::{Event, LegId, Origin, ThreadId, World};
use serde::Serialize;
use serde_json::Value;
use uuid::Uuid;

use super::Settings;
use super::attributes::{Datum, DeviceFrame, Pairs, Text, Time};
use super::client::ClientEvent;
use super::enums::{DNRole, ENUMERATIONS, EnumStyle, Enumeration};
use super::messages::{Topic, TopicEvent};
use crate::Message;

/// A world at one moment, and the messages said of it so far.
pub(super) struct Scene<'w, 'o> {
    pub(super) settings: &'w Settings,
    pub(super) world: &'w World,
    pub(super) time: Time,
    /// What the client calls the request that caused it all.
    pub(super) reference: Option<u64>,
    /// That request.
    pub(super) asked: Option<&'w Asked>,
    /// Set where nobody said it at the time.
    synthesised: Option<Synthesised>,
    out: &'o mut Vec<Message>,
}

#[derive(Clone, Copy)]
struct Synthesised {
    since: Option<cordboard_core::Time>,
}

impl<'w, 'o> Scene<'w, 'o> {
    /// The moment of an event.
    pub(super) fn of(settings: &'w Settings, world: &'w World, event: &'w Event, out: &'o mut Vec<Message>) -> Self {
        let synthesised = match event.origin {
            Origin::Live => None,
            Origin::Synthesised => Some(Synthesised { since: event.since }),
        };
        let asked = event.request.and_then(|request| world.requests.get(&request));
        let reference = asked.map(|asked| asked.reference);
        Self { settings, world, time: Time::from_micros(event.at.0), reference, asked, synthesised, out }
    }

    /// The present, told to whoever comes late.
    pub(super) fn now(settings: &'w Settings, world: &'w World, out: &'o mut Vec<Message>) -> Self {
        let synthesised = Some(Synthesised { since: None });
        let time = Time::from_micros(world.now.0);
        Self { settings, world, time, reference: None, asked: None, synthesised, out }
    }

    /// Whether events are told on a number: telephones of ours, queues and route points, never outside parties and trunks.
    pub(super) fn tells_device(&self, number: &str) -> bool {
        self.kind(number).is_some_and(|kind| kind != DeviceKind::Trunk)
    }

    /// What a number is.
    pub(super) fn kind(&self, number: &str) -> Option<DeviceKind> {
        self.world.devices.get(number).map(|device| device.kind)
    }

    /// Whether calls wait at a number, for agents or for a routing instruction.
    pub(super) fn is_queue(&self, number: &str) -> bool {
        self.kind(number).is_some_and(|kind| match kind {
            DeviceKind::Queue | DeviceKind::RouteQueue | DeviceKind::RoutePoint => true,
            DeviceKind::Extension | DeviceKind::Trunk => false,
        })
    }

    /// Whether a queue made the call, to give who answers outside to an agent.
    pub(super) fn is_predictive(&self, call: &Call) -> bool {
        call.direction == Direction::Outbound && self.is_queue(&call.ani)
    }

    /// A number, if it belongs to the site; what else hands calls on (an operator's program) is no third party.
    pub(super) fn known(&self, number: &'w str) -> Option<&'w str> {
        self.world.devices.contains_key(number).then_some(number)
    }

    /// Whether events are told on the number of a leg.
    pub(super) fn tells(&self, leg: &Leg) -> bool {
        !leg.outside && self.tells_device(&leg.device)
    }

    /// Legs that have not ended and whose numbers are told events, apart from one.
    pub(super) fn told_legs(
        &self,
        call: &'w Call,
        apart_from: Option<LegId>,
    ) -> impl Iterator<Item = (LegId, &'w Leg)> + use<'w, '_, 'o> {
        call.living().filter(move |(id, leg)| Some(*id) != apart_from && self.tells(leg))
    }

    pub(super) fn server(&self) -> Text<'w> {
        Cow::Borrowed(&self.settings.server)
    }

    /// What is known of a device: who works there.
    pub(super) fn device(&self, number: &'w str) -> DeviceFrame<'w> {
        let mut frame = DeviceFrame::new(self.server(), Cow::Borrowed(number), self.time);
        frame.AgentID = self.world.agent_on(number).map(Cow::Borrowed);
        frame.Extensions = self.extensions(Pairs::new());
        frame.ReferenceID = self.reference;
        frame
    }

    /// `pairs`, and whether the event was concluded instead of heard; `None` where there is nothing to say.
    pub(super) fn extensions(&self, mut pairs: Pairs<'w>) -> Option<Pairs<'w>> {
        if let Some(Synthesised { since }) = self.synthesised {
            pairs.insert(Cow::Borrowed("Origin"), Datum::from("synthesised"));
            if let Some(since) = since.and_then(|since| i64::try_from(since.0 / 1_000_000).ok()) {
                pairs.insert(Cow::Borrowed("HappenedAtSecs"), Datum::from(since));
            }
        }
        (!pairs.is_empty()).then_some(pairs)
    }

    /// The thread of a call: the same UUID on every machine and after every restart.
    pub(super) fn thread(&self, thread: ThreadId) -> String {
        let name = format!("cordboard:{}/thread/{}", self.world.tenant, thread.0);
        Uuid::new_v5(&Uuid::NAMESPACE_URL, name.as_bytes()).to_string()
    }

    /// Tells an event of a call; the thread is the second half of the key.
    pub(super) fn tell_call(&mut self, thread: &str, event: impl Into<TopicEvent<'w>>) {
        self.tell(thread, &event.into());
    }

    /// Tells an event of a device: keyed by its agent, or by its number where nobody is logged in.
    pub(super) fn tell_device(&mut self, number: &str, event: impl Into<TopicEvent<'w>>) {
        let key = self.world.agent_on(number).unwrap_or(number).to_owned();
        self.tell(&key, &event.into());
    }

    /// Tells an event of an agent.
    pub(super) fn tell_agent(&mut self, agent: &str, event: impl Into<TopicEvent<'w>>) {
        self.tell(agent, &event.into());
    }

    /// Tells an event to one client, unless it does not want to hear it. An error it always hears.
    pub(super) fn tell_client(&mut self, client: &str, event: impl Into<ClientEvent<'w>>) {
        let event = event.into();
        let masks = |known: &Client| !known.mask.is_empty() && !known.mask.contains(event.name());
        let masked = self.world.clients.get(client).is_some_and(masks);
        if masked && !matches!(event, ClientEvent::EventError(_)) {
            return;
        }
        if let Some(value) = text(self.settings.enum_style, &event) {
            let (channel, name) = (Topic::Client.name(), event.name());
            self.out.push(Message { channel, name, key: client.to_owned(), value });
        }
    }

    /// A word of an enumeration where the attribute can be of several: by name or number, as the site wants it.
    pub(super) fn word(&self, of: &Enumeration, word: &'w str) -> Datum<'w> {
        match (self.settings.enum_style, of.number(word)) {
            (EnumStyle::Number, Some(number)) => Datum::from(i64::from(number)),
            (EnumStyle::Number | EnumStyle::Name, _) => Datum::from(word),
        }
    }

    /// A role where it is no attribute of its own.
    pub(super) fn role(&self, role: DNRole) -> Datum<'w> {
        let word = match role {
            DNRole::Origination => "Origination",
            DNRole::Observer => "Observer",
            DNRole::Unknown
            | DNRole::Destination
            | DNRole::ConferenceMember
            | DNRole::NewParty
            | DNRole::AddedBy
            | DNRole::DeletedBy
            | DNRole::TransferredBy
            | DNRole::DeletedParty
            | DNRole::ConferencedBy => "Destination",
        };
        self.word(&DNRole::VALUES, word)
    }

    fn tell(&mut self, key: &str, event: &TopicEvent<'w>) {
        let topic: Topic = event.spec().topic;
        if let Some(value) = text(self.settings.enum_style, event) {
            let (channel, name) = (topic.name(), event.spec().name);
            self.out.push(Message { channel, name, key: format!("{}:{key}", self.world.tenant), value });
        }
    }
}

/// The JSON text of an event. Its members are texts, numbers and maps of texts, which always have one.
fn text(style: EnumStyle, event: &impl Serialize) -> Option<String> {
    match style {
        EnumStyle::Name => serde_json::to_string(event).ok(),
        EnumStyle::Number => {
            let mut value = serde_json::to_value(event).ok()?;
            number(&mut value);
            serde_json::to_string(&value).ok()
        }
    }
}

/// Writes enumerated attributes as their numbers.
fn number(event: &mut Value) {
    let Some(members) = event.as_object_mut() else { return };
    for (name, value) in members {
        let enumeration = super::catalogue::attribute(name).and_then(|attribute| attribute.enumeration);
        let enumeration = ENUMERATIONS.iter().find(|one| Some(one.name) == enumeration);
        if let (Some(enumeration), Some(text)) = (enumeration, value.as_str())
            && let Some(number) = enumeration.number(text)
        {
            *value = Value::from(number);
        }
    }
}
