//! The contract of the stream, executable: what must hold for every message, and for all of them together.
//!
//! [`Rules`] reads messages in the order they were produced. It knows nothing of how they are made: whoever consumes
//! the stream may rely on exactly this. Enumerations are expected by name.

use alloc::collections::{BTreeMap, BTreeSet};
use core::fmt;

use serde_json::{Map, Value};

use super::catalogue::attribute_in;
use super::client::CLIENT_EVENTS;
use super::enums::ENUMERATIONS;
use super::messages::{EVENTS, EventSpec, Topic};
use super::requests::REQUEST_ENUMERATIONS;
use crate::Message;

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Unusual, or against a rule of low certainty.
    Warn,
    /// Against the contract.
    Fail,
}

/// A rule that a message, or the whole stream, does not keep.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The rule.
    pub rule: Rule,
    /// How bad it is.
    pub level: Level,
    /// The message, and what is wrong with it.
    pub text: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {}", self.rule, self.text)
    }
}

/// The rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rule {
    /// The value is a JSON object whose first member `id` names one of the events.
    KnownEvent,
    /// Each event is told on its own topic.
    TopicOfEvent,
    /// Every mandatory attribute is there.
    MandatoryPresent,
    /// No attribute that the event does not have.
    AttributeAllowed,
    /// Every attribute has its JSON type.
    AttributeType,
    /// Enumerated attributes hold one of the names, spelled exactly so.
    EnumerationValue,
    /// `ThisDN` is a number of the site: outside parties are told nothing.
    InternalDevicesOnly,
    /// A role only beside its number.
    RoleNeedsDn,
    /// `OtherDN` in events of calls comes with `OtherDNRole`.
    DnNeedsRole,
    /// `OtherDN` is somebody else.
    OtherIsAnother,
    /// In events of a queue or a routing point `ThisQueue` is `ThisDN`.
    QueueIsDn,
    /// `ConnID` and its like are 16 hexadecimal digits, `@`, and a name.
    ConnIdForm,
    /// A call id is positive.
    CallIdPositive,
    /// `CallType` `Consult` brings `PreviousConnID` in every event that may carry it.
    ConsultHasPrevious,
    /// `PreviousConnID` is never the `ConnID` itself.
    PreviousDiffers,
    /// All events of one `ConnID` carry one `CallThreadID`.
    ThreadOfCall,
    /// A consultation carries the thread of the call it was made for.
    ThreadOfConsult,
    /// `EventDiverted` and `EventAbandoned` of a queue only for a call that is queued there, and each entry ends once.
    QueueBalance,
    /// `EventRouteUsed` and treatments only for a call that a routing instruction is asked for there, and each such wait
    /// ends once: by `EventRouteUsed`, or by `EventAbandoned`.
    RouteBalance,
    /// A plain `EventRetrieved` repeats the role and the queue from before the hold.
    RetrievedAsBefore,
    /// `EventRetrieved` only after `EventHeld`.
    RetrievedAfterHeld,
    /// Every party that dials or rings is released or abandoned exactly once, and then told nothing more.
    PartyEndsOnce,
    /// `EventTreatmentEnd` never for a treatment without an end.
    OpenEndedTreatment,
    /// `EventPartyChanged` has `CallState` `Transferred` or `Conferenced`.
    PartyChangedState,
    /// `AgentWorkMode` belongs to the state the event tells.
    WorkModeFits,
    /// Agents are told of between their login and their logout only.
    AgentLoggedIn,
    /// `EventDNBackInService` only after `EventDNOutOfService`, and neither twice in a row.
    BackAfterOut,
    /// `{tenant}:{CallThreadID}`; `{tenant}:{AgentID}`, or `{tenant}:{ThisDN}` where no agent is logged in; to a client its
    /// name.
    KeyShape,
    /// `time` does not go back within one topic and key.
    TimeOrder,
}

/// The rules, applied to a stream message by message.
pub struct Rules<'a> {
    is_internal: Box<dyn Fn(&str) -> bool + 'a>,
    tenant: Option<String>,
    /// Latest time by topic and key.
    clock: BTreeMap<(&'static str, String), (u64, u64)>,
    /// Thread by call.
    thread: BTreeMap<String, String>,
    /// Queue entries that are not yet over, by call and queue.
    queued: BTreeMap<(String, String), usize>,
    /// Waits for a routing instruction, by call and route point.
    routing: BTreeSet<(String, String)>,
    /// Parties that are not yet over, by call and number.
    parties: BTreeMap<(String, String), Party>,
    /// Agent by the number they are logged in on, with the groups.
    agents: BTreeMap<String, (String, BTreeSet<String>)>,
    out_of_service: BTreeSet<String>,
}

#[derive(Default)]
struct Party {
    legs: usize,
    held: bool,
    role: Option<String>,
    queue: Option<String>,
}

/// Reads the attributes of one message.
struct View<'m> {
    spec: &'static EventSpec,
    members: &'m Map<String, Value>,
}

impl<'m> View<'m> {
    fn text(&self, name: &str) -> Option<&'m str> {
        self.members.get(name).and_then(Value::as_str)
    }

    fn finding(&self, rule: Rule, level: Level, what: impl fmt::Display) -> Finding {
        let on = self.text("ThisDN").unwrap_or("no number");
        Finding { rule, level, text: format!("{} on {on}: {what}", self.spec.name) }
    }
}

impl<'a> Rules<'a> {
    /// For a stream from its beginning; `is_internal` tells whether a number belongs to the site.
    pub fn new(is_internal: impl Fn(&str) -> bool + 'a) -> Self {
        Self {
            is_internal: Box::new(is_internal),
            tenant: None,
            clock: BTreeMap::new(),
            thread: BTreeMap::new(),
            queued: BTreeMap::new(),
            routing: BTreeSet::new(),
            parties: BTreeMap::new(),
            agents: BTreeMap::new(),
            out_of_service: BTreeSet::new(),
        }
    }

    /// Judges the next message of the stream.
    pub fn check(&mut self, message: &Message) -> Vec<Finding> {
        let mut found = Vec::new();
        let unusable = |text: String| {
            vec![Finding { rule: Rule::KnownEvent, level: Level::Fail, text: format!("{text}: {}", message.value) }]
        };
        let Ok(Value::Object(members)) = serde_json::from_str(&message.value) else {
            return unusable("is no JSON object".to_owned());
        };
        let Some(("id", Value::String(id))) = members.iter().next().map(|(name, value)| (name.as_str(), value)) else {
            return unusable("the first member is not id".to_owned());
        };
        let Some(spec) = EVENTS.iter().chain(CLIENT_EVENTS).find(|spec| spec.name == id) else {
            return unusable(format!("there is no event {id}"));
        };
        let view = View { spec, members: &members };
        // To a client; one event of a topic is told to a client that comes late. It is no part of the stream's history.
        let late = message.channel == Topic::Client.name() && id == "EventDNOutOfService";
        if spec.topic == Topic::Client || late {
            return self.to_client(&view, message, late);
        }
        if message.channel != spec.topic.name() {
            found.push(view.finding(Rule::TopicOfEvent, Level::Fail, format_args!("is on {}", message.channel)));
        }
        attributes(&view, &mut found);
        numbers(&view, &mut found);
        calls(&view, &mut found);
        if let Some(dn) = view.text("ThisDN")
            && !(self.is_internal)(dn)
        {
            found.push(view.finding(Rule::InternalDevicesOnly, Level::Fail, "is no number of the site"));
        }
        self.threads(&view, &mut found);
        self.queues(&view, &mut found);
        self.routes(&view, &mut found);
        self.parties(&view, &mut found);
        self.agents(&view, message, &mut found);
        self.devices(&view, &mut found);
        self.record(&view, message, &mut found);
        found
    }

    fn to_client(&self, view: &View<'_>, message: &Message, late: bool) -> Vec<Finding> {
        let mut found = Vec::new();
        if !late && message.channel != Topic::Client.name() {
            let on = format_args!("is on {}", message.channel);
            found.push(view.finding(Rule::TopicOfEvent, Level::Fail, on));
        }
        if message.key.is_empty() {
            found.push(view.finding(Rule::KeyShape, Level::Fail, "the key is empty and should be a client"));
        }
        attributes(view, &mut found);
        // Who asks about a number that is none is told so.
        if let Some(dn) = view.text("ThisDN").filter(|dn| view.spec.name != "EventError" && !(self.is_internal)(dn)) {
            found.push(view.finding(
                Rule::InternalDevicesOnly,
                Level::Fail,
                format_args!("{dn} is no number of the site"),
            ));
        }
        found
    }

    /// Judges the end of a stream in which every call was played to its end.
    pub fn finish(&self) -> Vec<Finding> {
        let open = |rule, call: &str, dn: &str, text: &str| Finding {
            rule,
            level: Level::Fail,
            text: format!("call {call} {text} {dn}"),
        };
        let queues = self.queued.keys().map(|(call, dn)| open(Rule::QueueBalance, call, dn, "is still queued at"));
        let routes =
            self.routing.iter().map(|(call, dn)| open(Rule::RouteBalance, call, dn, "still waits for a route at"));
        let parties = self.parties.iter().filter(|(_, party)| party.legs > 0);
        let parties = parties.map(|((call, dn), _)| open(Rule::PartyEndsOnce, call, dn, "has not ended on"));
        queues.chain(routes).chain(parties).collect()
    }

    fn threads(&mut self, view: &View<'_>, found: &mut Vec<Finding>) {
        let (Some(conn), Some(thread)) = (view.text("ConnID"), view.text("CallThreadID")) else { return };
        let known = self.thread.entry(conn.to_owned()).or_insert_with(|| thread.to_owned());
        if known != thread {
            found.push(view.finding(Rule::ThreadOfCall, Level::Fail, format_args!("{conn} was in thread {known}")));
            return;
        }
        // There PreviousConnID is the call that the party came from.
        let is_moved = view.spec.name == "EventPartyChanged";
        if view.text("CallType") == Some("Consult")
            && !is_moved
            && let Some(other) = view.text("PreviousConnID").and_then(|previous| self.thread.get(previous))
            && other != thread
        {
            found.push(view.finding(
                Rule::ThreadOfConsult,
                Level::Fail,
                format_args!("it was made for thread {other}"),
            ));
        }
    }

    fn queues(&mut self, view: &View<'_>, found: &mut Vec<Finding>) {
        let (Some(conn), Some(dn)) = (view.text("ConnID"), view.text("ThisDN")) else { return };
        let key = (conn.to_owned(), dn.to_owned());
        match view.spec.name {
            "EventQueued" => *self.queued.entry(key).or_default() += 1,
            "EventPartyChanged" => {
                // A call that waits there already is changed in itself; what it was made for stands under the same name.
                if !self.queued.contains_key(&key)
                    && let Some(previous) = view.text("PreviousConnID")
                    && let Some(entries) = self.queued.remove(&(previous.to_owned(), dn.to_owned()))
                {
                    self.queued.insert(key, entries);
                }
            }
            "EventDiverted" if !self.queued.contains_key(&key) => {
                found.push(view.finding(Rule::QueueBalance, Level::Fail, "the call is not queued there"));
            }
            "EventDiverted" | "EventAbandoned" => {
                if let Some(entries) = self.queued.get_mut(&key) {
                    *entries -= 1;
                    if *entries == 0 {
                        self.queued.remove(&key);
                    }
                }
            }
            _ => {}
        }
    }

    fn routes(&mut self, view: &View<'_>, found: &mut Vec<Finding>) {
        let (Some(conn), Some(dn)) = (view.text("ConnID"), view.text("ThisDN")) else { return };
        let key = (conn.to_owned(), dn.to_owned());
        match view.spec.name {
            "EventRouteRequest" => _ = self.routing.insert(key),
            "EventAbandoned" => _ = self.routing.remove(&key),
            "EventPartyChanged" => {
                if !self.routing.contains(&key)
                    && let Some(previous) = view.text("PreviousConnID")
                    && self.routing.remove(&(previous.to_owned(), dn.to_owned()))
                {
                    self.routing.insert(key);
                }
            }
            "EventRouteUsed" if self.routing.remove(&key) => {}
            "EventTreatmentApplied" | "EventTreatmentEnd" | "EventTreatmentNotApplied"
                if self.routing.contains(&key) => {}
            "EventRouteUsed" | "EventTreatmentApplied" | "EventTreatmentEnd" | "EventTreatmentNotApplied" => {
                found.push(view.finding(Rule::RouteBalance, Level::Fail, "the call waits for no route there"));
            }
            _ => {}
        }
    }

    fn parties(&mut self, view: &View<'_>, found: &mut Vec<Finding>) {
        let (Some(conn), Some(dn)) = (view.text("ConnID"), view.text("ThisDN")) else { return };
        let waits = view.text("ThisQueue") == Some(dn) || view.spec.name.starts_with("EventTreatment");
        if view.spec.topic != Topic::CallThread || waits {
            return;
        }
        let key = (conn.to_owned(), dn.to_owned());
        let name = view.spec.name;
        // A party that is in the call already is changed in itself; what a consultation was made for stands there, too.
        if name == "EventPartyChanged"
            && self.parties.get(&key).is_none_or(|party| party.legs == 0)
            && let Some(previous) = view.text("PreviousConnID")
            && let Some(party) = self.parties.remove(&(previous.to_owned(), dn.to_owned()))
        {
            self.parties.insert(key.clone(), party);
        }
        let party = self.parties.entry(key).or_default();
        if matches!(name, "EventDialing" | "EventRinging") {
            party.legs += 1;
        } else if party.legs == 0 {
            found.push(view.finding(Rule::PartyEndsOnce, Level::Fail, "the number is not in the call"));
        }
        if matches!(name, "EventDialing" | "EventRinging" | "EventEstablished" | "EventPartyChanged") {
            party.role = view.text("ThisDNRole").map(str::to_owned);
            party.queue = view.text("ThisQueue").map(str::to_owned);
        }
        match name {
            "EventHeld" => party.held = true,
            "EventRetrieved" => {
                if !party.held {
                    found.push(view.finding(Rule::RetrievedAfterHeld, Level::Fail, "the call is not on hold"));
                }
                let plain = view.text("CallState") == Some("Ok");
                let same = party.role.as_deref() == view.text("ThisDNRole")
                    && party.queue.as_deref() == view.text("ThisQueue");
                if plain && !same {
                    found.push(view.finding(
                        Rule::RetrievedAsBefore,
                        Level::Fail,
                        "role or queue differ from before the hold",
                    ));
                }
                party.held = false;
            }
            "EventReleased" | "EventAbandoned" => {
                party.legs = party.legs.saturating_sub(1);
                party.held = false;
            }
            _ => {}
        }
    }

    fn agents(&mut self, view: &View<'_>, message: &Message, found: &mut Vec<Finding>) {
        let Some(dn) = view.text("ThisDN") else { return };
        if view.spec.topic != Topic::AgentState {
            return;
        }
        let of_agent = matches!(
            view.spec.name,
            "EventAgentLogin" | "EventAgentLogout" | "EventQueueLogout" | "EventAgentReady" | "EventAgentNotReady"
        );
        let queue = view.text("ThisQueue").unwrap_or_default();
        if view.spec.name == "EventAgentLogin"
            && let Some(agent) = view.text("AgentID")
        {
            let entry = self.agents.entry(dn.to_owned()).or_insert_with(|| (agent.to_owned(), BTreeSet::new()));
            entry.0 = agent.to_owned();
            entry.1.insert(queue.to_owned());
        } else if of_agent && !self.agents.contains_key(dn) {
            found.push(view.finding(Rule::AgentLoggedIn, Level::Fail, "no agent is logged in on the number"));
        }
        let agent = self.agents.get(dn).map(|(agent, _)| agent.as_str());
        let wanted = view.text("AgentID").or(agent).unwrap_or(dn);
        if message.key.split_once(':').map(|(_, rest)| rest) != Some(wanted) {
            found.push(view.finding(
                Rule::KeyShape,
                Level::Fail,
                format_args!("key is {}, not of {wanted}", message.key),
            ));
        }
        match view.spec.name {
            "EventAgentLogout" => {
                self.agents.remove(dn);
            }
            "EventQueueLogout" => {
                if let Some((_, groups)) = self.agents.get_mut(dn) {
                    groups.remove(queue);
                    if groups.is_empty() {
                        found.push(view.finding(
                            Rule::AgentLoggedIn,
                            Level::Fail,
                            "the last group is left by EventAgentLogout",
                        ));
                    }
                }
            }
            _ => {}
        }
    }

    fn devices(&mut self, view: &View<'_>, found: &mut Vec<Finding>) {
        let Some(dn) = view.text("ThisDN") else { return };
        let fits = match view.spec.name {
            "EventDNOutOfService" => self.out_of_service.insert(dn.to_owned()),
            "EventDNBackInService" => self.out_of_service.remove(dn),
            _ => true,
        };
        if !fits {
            found.push(view.finding(Rule::BackAfterOut, Level::Fail, "the number was already in that state"));
        }
    }

    fn record(&mut self, view: &View<'_>, message: &Message, found: &mut Vec<Finding>) {
        let Some((tenant, rest)) = message.key.split_once(':') else {
            found.push(view.finding(
                Rule::KeyShape,
                Level::Fail,
                format_args!("key is {}, has no tenant", message.key),
            ));
            return;
        };
        if tenant.is_empty() || self.tenant.get_or_insert_with(|| tenant.to_owned()) != tenant {
            found.push(view.finding(
                Rule::KeyShape,
                Level::Fail,
                format_args!("key is {}, of another tenant", message.key),
            ));
        }
        if view.spec.topic == Topic::CallThread && view.text("CallThreadID") != Some(rest) {
            found.push(view.finding(
                Rule::KeyShape,
                Level::Fail,
                format_args!("key is {}, not its thread", message.key),
            ));
        }
        let Some(time) = view.members.get("time") else { return };
        let part = |name| time.get(name).and_then(Value::as_u64);
        match (part("TimeinSecs"), part("TimeinuSecs")) {
            (Some(seconds), Some(micros)) if micros <= 999_999 => {
                let clock = self.clock.entry((message.channel, message.key.clone())).or_default();
                if (seconds, micros) < *clock {
                    found.push(view.finding(Rule::TimeOrder, Level::Fail, "earlier than the record before it"));
                }
                *clock = (seconds, micros);
            }
            _ => found.push(view.finding(Rule::AttributeType, Level::Fail, format_args!("time is {time}"))),
        }
    }
}

/// Presence, type and values of the attributes.
fn attributes(view: &View<'_>, found: &mut Vec<Finding>) {
    for name in view.spec.mandatory {
        if !view.members.contains_key(*name) {
            found.push(view.finding(Rule::MandatoryPresent, Level::Fail, format_args!("{name} is missing")));
        }
    }
    for (name, value) in view.members {
        let Some(attribute) = attribute_in(view.spec, name).filter(|_| view.spec.has(name)) else {
            found.push(view.finding(Rule::AttributeAllowed, Level::Fail, format_args!("has no attribute {name}")));
            continue;
        };
        let right = match attribute.json_type {
            "integer" => value.is_i64() || value.is_u64(),
            "object" => value.is_object(),
            "string|integer" => value.is_string() || value.is_i64() || value.is_u64(),
            _ => value.is_string(),
        };
        if !right {
            let wanted = attribute.json_type;
            found.push(view.finding(Rule::AttributeType, Level::Fail, format_args!("{name} is {value}, no {wanted}")));
        }
        if let (Some(enumeration), Some(text)) = (attribute.enumeration, value.as_str())
            && ENUMERATIONS
                .iter()
                .chain(REQUEST_ENUMERATIONS.iter().copied())
                .all(|one| one.name != enumeration || one.number(text).is_none())
        {
            found.push(view.finding(
                Rule::EnumerationValue,
                Level::Fail,
                format_args!("{name} {text} is no {enumeration}"),
            ));
        }
    }
}

/// Numbers, roles and queues of one message.
fn numbers(view: &View<'_>, found: &mut Vec<Finding>) {
    for (role, dn) in [("OtherDNRole", "OtherDN"), ("ThirdPartyDNRole", "ThirdPartyDN")] {
        if view.members.contains_key(role) && !view.members.contains_key(dn) {
            found.push(view.finding(Rule::RoleNeedsDn, Level::Fail, format_args!("{role} without {dn}")));
        }
    }
    if view.text("OtherDN").is_some_and(|other| Some(other) == view.text("ThisDN")) {
        found.push(view.finding(Rule::OtherIsAnother, Level::Fail, "OtherDN is ThisDN"));
    }
    let has_role = view.spec.topic == Topic::CallThread && view.spec.has("OtherDNRole");
    if has_role && view.members.contains_key("OtherDN") && !view.members.contains_key("OtherDNRole") {
        found.push(view.finding(Rule::DnNeedsRole, Level::Fail, "OtherDN without OtherDNRole"));
    }
    let of_queue = matches!(view.spec.name, "EventQueued" | "EventDiverted" | "EventRouteRequest" | "EventRouteUsed");
    if of_queue && view.text("ThisQueue") != view.text("ThisDN") {
        found.push(view.finding(Rule::QueueIsDn, Level::Fail, "ThisQueue is not ThisDN"));
    }
    let modes: &[&str] = match view.spec.name {
        "EventAgentReady" => &["Unknown", "ManualIn", "AutoIn", "ReturnBack"],
        "EventAgentNotReady" => &["Unknown", "LegalGuard", "AfterCallWork", "AuxWork", "NoCallDisconnect", "WalkAway"],
        _ => return,
    };
    if let Some(mode) = view.text("AgentWorkMode").filter(|mode| !modes.contains(mode)) {
        found.push(view.finding(Rule::WorkModeFits, Level::Fail, format_args!("AgentWorkMode {mode}")));
    }
}

/// Identifiers and states of the call in one message.
fn calls(view: &View<'_>, found: &mut Vec<Finding>) {
    for name in ["ConnID", "PreviousConnID", "TransferConnID"] {
        let Some(id) = view.text(name) else { continue };
        let right = id.split_once('@').is_some_and(|(digits, switch)| {
            digits.len() == 16 && digits.bytes().all(|digit| digit.is_ascii_hexdigit()) && !switch.is_empty()
        });
        if !right {
            found.push(view.finding(Rule::ConnIdForm, Level::Fail, format_args!("{name} is {id}")));
        }
    }
    if view.members.get("CallID").is_some_and(|id| id.as_u64() == Some(0)) {
        found.push(view.finding(Rule::CallIdPositive, Level::Fail, "CallID is 0"));
    }
    let previous = view.text("PreviousConnID");
    if view.text("CallType") == Some("Consult") && previous.is_none() && view.spec.has("PreviousConnID") {
        found.push(view.finding(Rule::ConsultHasPrevious, Level::Fail, "Consult without PreviousConnID"));
    }
    if previous.is_some() && previous == view.text("ConnID") {
        found.push(view.finding(Rule::PreviousDiffers, Level::Fail, "PreviousConnID is the ConnID"));
    }
    let state = view.text("CallState");
    if view.spec.name == "EventPartyChanged" && !matches!(state, Some("Transferred" | "Conferenced")) {
        found.push(view.finding(Rule::PartyChangedState, Level::Fail, format_args!("CallState is {state:?}")));
    }
    if view.spec.name == "EventTreatmentEnd" {
        let level = match view.text("TreatmentType") {
            Some("Silence" | "RingBack") => Level::Fail,
            Some("Music" | "Busy" | "FastBusy") => Level::Warn,
            _ => return,
        };
        found.push(view.finding(Rule::OpenEndedTreatment, level, "the treatment has no end"));
    }
}
