//! A story: facts are told one after the other to a world, and what the dialect says of each is written down.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use cordboard_core::event::{
    AgentFact, CallBegan, CallFact, Cause, DeviceFact, DeviceKind, Direction, LegFact, Outcome, Party, QueueFact,
    RequestFact, Role, With,
};
use cordboard_core::request::{Ask, Asker, AskerRole};
use cordboard_core::{
    CallId, ConnId, Event, Fact, Input, LegId, Origin, Request, RequestId, ThreadId, Time, World, decide, evolve,
};
use cordboard_dialects::genesys::enums::EnumStyle;
use cordboard_dialects::genesys::rules::Rules;
use cordboard_dialects::genesys::{DIALECT, catalogue, caused_by};
use cordboard_dialects::{Message, Position, Settings};
use serde_json::Value;

pub(crate) const START: u64 = 1_700_000_000_000_000;

static VALIDATORS: LazyLock<BTreeMap<String, jsonschema::Validator>> = LazyLock::new(|| {
    let names = catalogue::catalogue().events.into_iter().map(|entry| entry.name.into_owned());
    names
        .map(|name| {
            let schema = catalogue::schema(&name, EnumStyle::Name).unwrap();
            (name, jsonschema::validator_for(&schema).unwrap())
        })
        .collect()
});

pub(crate) struct Story {
    pub(crate) world: World,
    pub(crate) settings: Settings,
    pub(crate) messages: Vec<Message>,
    rules: Rules<'static>,
    /// After each fact: how much was said so far, and what somebody who comes then is told.
    pictures: Vec<(usize, Vec<Message>)>,
    legs: u64,
    pub(crate) origin: Origin,
    /// The request that causes what is told.
    pub(crate) request: Option<RequestId>,
    /// Which facts caused which events.
    pub(crate) caused: BTreeSet<(String, String)>,
}

impl Story {
    /// A site with three telephones, a queue, and a line to the outside.
    pub(crate) fn new() -> Self {
        let mut story = Self {
            world: World::default(),
            settings: Settings::default(),
            messages: Vec::new(),
            rules: Rules::new(internal),
            pictures: Vec::new(),
            legs: 0,
            origin: Origin::Live,
            request: None,
            caused: BTreeSet::new(),
        };
        story.tell(Fact::Founded { tenant: "acme".to_owned() });
        for device in ["101", "102", "103", "104"] {
            story.device(device, DeviceFact::Found { kind: DeviceKind::Extension, switch: "pbx".to_owned() });
        }
        story.device("line-1", DeviceFact::Found { kind: DeviceKind::Trunk, switch: "pbx".to_owned() });
        for (number, kind) in
            [("600", DeviceKind::Queue), ("550", DeviceKind::RouteQueue), ("501", DeviceKind::RoutePoint)]
        {
            story.device(number, DeviceFact::Found { kind, switch: "pbx".to_owned() });
        }
        for queue in ["sales", "support"] {
            story.queue(queue, QueueFact::Found { switch: "pbx".to_owned() });
        }
        assert_eq!(story.messages, []);
        story
    }

    /// Tells a fact one millisecond after the last one and gives back what was said of it, in short.
    pub(crate) fn tell(&mut self, fact: Fact) -> Vec<String> {
        let at = Time(self.world.now.0.max(START) + 1_000);
        let event = Event { at, since: None, origin: self.origin, request: self.request, fact };
        evolve(&mut self.world, &event);
        let mut said = Vec::new();
        (DIALECT.project)(&self.settings, &self.world, Position { epoch: 1, sequence: 1 }, &event, &mut said);
        for message in &said {
            let value: Value = serde_json::from_str(&message.value).unwrap();
            let name = value["id"].as_str().unwrap();
            let cause = cause(&event.fact);
            assert!(caused_by(name).contains(&cause.as_str()), "{cause} causes {name}, the catalogue does not say so");
            self.caused.insert((name.to_owned(), cause));
            judge(&mut self.rules, message);
        }
        let short = said.iter().map(short).collect();
        self.messages.extend(said);
        let mut picture = Vec::new();
        (DIALECT.snapshot)(&self.settings, &self.world, Position { epoch: 1, sequence: 1 }, &mut picture);
        self.pictures.push((self.messages.len(), picture));
        short
    }

    pub(crate) fn device(&mut self, device: &str, fact: DeviceFact) -> Vec<String> {
        self.tell(Fact::Device { device: device.to_owned(), fact })
    }

    pub(crate) fn queue(&mut self, queue: &str, fact: QueueFact) -> Vec<String> {
        self.tell(Fact::Queue { queue: queue.to_owned(), fact })
    }

    pub(crate) fn agent(&mut self, agent: &str, fact: AgentFact) -> Vec<String> {
        self.tell(Fact::Agent { agent: agent.to_owned(), fact })
    }

    pub(crate) fn call(&mut self, call: u64, fact: CallFact) -> Vec<String> {
        self.tell(Fact::Call { call: CallId(call), fact })
    }

    pub(crate) fn leg(&mut self, call: u64, leg: LegId, fact: LegFact) -> Vec<String> {
        self.tell(Fact::Leg { call: CallId(call), leg, fact })
    }

    /// Begins a call; a consultation is given the call it is about.
    pub(crate) fn begin(&mut self, call: u64, direction: Direction, ani: &str, dnis: &str, previous: Option<u64>) {
        let conn = ConnId((START / 1_000_000) << 32 | call);
        let thread = previous.map_or(ThreadId(conn), |call| self.world.calls[&CallId(call)].thread);
        let began = CallBegan {
            conn,
            thread,
            switch: "pbx".to_owned(),
            key: format!("link-{call}"),
            direction,
            ani: ani.to_owned(),
            ani_name: String::new(),
            dnis: dnis.to_owned(),
            previous: previous.map(CallId),
        };
        assert_eq!(self.call(call, CallFact::Began(began)), [""; 0]);
    }

    pub(crate) fn dials(&mut self, call: u64, number: &str) -> (LegId, Vec<String>) {
        let (id, party) = self.party(number, Role::Originator, None);
        (id, self.leg(call, id, LegFact::Dialing(party)))
    }

    pub(crate) fn rings(&mut self, call: u64, number: &str, queue: Option<&str>) -> (LegId, Vec<String>) {
        let (id, party) = self.party(number, Role::Destination, queue);
        (id, self.leg(call, id, LegFact::Ringing(party)))
    }

    pub(crate) fn party(&mut self, number: &str, role: Role, queue: Option<&str>) -> (LegId, Party) {
        self.legs += 1;
        let outside = number.starts_with('+');
        let party = Party {
            key: format!("leg-{}", self.legs),
            device: if outside { "line-1".to_owned() } else { number.to_owned() },
            number: number.to_owned(),
            outside,
            role,
            queue: queue.map(str::to_owned),
            by: None,
        };
        (LegId(self.legs), party)
    }

    pub(crate) fn answers(&mut self, call: u64, leg: LegId) -> Vec<String> {
        self.leg(call, leg, LegFact::Answered { with: With::Person, party: None })
    }

    pub(crate) fn ends(&mut self, call: u64, leg: LegId, cause: Cause, by_self: bool) -> Vec<String> {
        self.leg(call, leg, LegFact::Ended { cause, code: None, by_self, by: None })
    }

    /// The call is over, with its last leg.
    pub(crate) fn end(&mut self, call: u64) -> Vec<String> {
        self.call(call, CallFact::Ended { outcome: Outcome::Cancelled, cause: Cause::Normal, by: None })
    }

    /// A client asks for something; gives what is said at once.
    pub(crate) fn ask(&mut self, client: &str, device: &str, ask: Ask) -> Vec<String> {
        let mut said = Vec::new();
        for fact in self.asked(client, device, ask) {
            said.extend(self.tell(fact));
        }
        self.request = None;
        said
    }

    /// The same where nothing is judged: the rules read enumerations by name. Gives the last thing said.
    pub(crate) fn unjudged(&mut self, client: &str, device: &str, ask: Ask) -> Value {
        let mut said = Vec::new();
        for fact in self.asked(client, device, ask) {
            let event = Event { at: self.world.now, since: None, origin: self.origin, request: self.request, fact };
            evolve(&mut self.world, &event);
            (DIALECT.project)(&self.settings, &self.world, Position { epoch: 1, sequence: 1 }, &event, &mut said);
        }
        serde_json::from_str(&said.last().unwrap().value).unwrap()
    }

    fn asked(&mut self, client: &str, device: &str, ask: Ask) -> Vec<Fact> {
        let request = Request {
            client: client.to_owned(),
            by: Asker { name: client.to_owned(), role: AskerRole::Service },
            reference: None,
            device: device.to_owned(),
            ask,
            refused: None,
            deadline_ms: 5_000,
        };
        let events = decide(&self.world, &Input::Requested { at: self.world.now, request });
        self.request = events.last().and_then(|event| event.request);
        events.into_iter().map(|event| event.fact).collect()
    }

    /// The switch answers the newest request.
    pub(crate) fn answer(&mut self, fact: RequestFact) -> Vec<String> {
        let (request, _) = self.world.requests.last_key_value().unwrap();
        let request = *request;
        self.tell(Fact::Request { request, fact })
    }

    /// An inbound call that 101 has answered; gives back the legs of the caller and of 101.
    pub(crate) fn inbound(&mut self, call: u64) -> (LegId, LegId) {
        self.begin(call, Direction::Inbound, "+3581", "+3589", None);
        let (caller, _) = self.dials(call, "+3581");
        let (called, _) = self.rings(call, "101", None);
        self.answers(call, called);
        self.answers(call, caller);
        (caller, called)
    }

    /// The calls are over; nothing may be left open in the stream, whenever somebody began to listen.
    pub(crate) fn close(&mut self) {
        let found = self.rules.finish();
        assert!(found.is_empty(), "{found:#?}");
        for (from, picture) in &self.pictures {
            let mut rules = Rules::new(internal);
            picture.iter().chain(&self.messages[*from..]).for_each(|message| judge(&mut rules, message));
            let found = rules.finish();
            assert!(found.is_empty(), "for a listener who came after message {from}: {found:#?}");
        }
    }

    /// The attributes of the newest message.
    pub(crate) fn last(&self) -> Value {
        self.nth_last(0)
    }

    pub(crate) fn nth_last(&self, back: usize) -> Value {
        serde_json::from_str(&self.messages[self.messages.len() - 1 - back].value).unwrap()
    }
}

fn internal(dn: &str) -> bool {
    matches!(dn, "101" | "102" | "103" | "104" | "sales" | "support" | "600" | "550" | "501")
}

/// By rules and schema.
pub(crate) fn judge(rules: &mut Rules<'_>, message: &Message) {
    let found = rules.check(message);
    assert!(found.is_empty(), "{found:#?}\n{}", message.value);
    let value: Value = serde_json::from_str(&message.value).unwrap();
    let validator = &VALIDATORS[value["id"].as_str().unwrap()];
    let errors: Vec<String> = validator.iter_errors(&value).map(|error| error.to_string()).collect();
    assert!(errors.is_empty(), "{errors:?}\n{}", message.value);
}

/// `EventRinging 101 < +3581, Ok`: what, on which number, the far end, the call state, and who did it.
pub(crate) fn short(message: &Message) -> String {
    let value: Value = serde_json::from_str(&message.value).unwrap();
    let text = |name: &str| value.get(name).and_then(Value::as_str);
    let mut short = text("id").unwrap()["Event".len()..].to_owned();
    if let Some(dn) = text("ThisDN") {
        short += &format!(" {dn}");
    }
    if let Some(other) = text("OtherDN") {
        let arrow = match text("OtherDNRole") {
            Some("Origination") => "<",
            Some("Destination") => ">",
            Some("NewParty") => "+",
            Some("DeletedParty") => "-",
            Some("Observer") => "~",
            _ => "=",
        };
        short += &format!(" {arrow} {other}");
    }
    if let Some(state) = text("CallState").or(text("AgentWorkMode")) {
        short += &format!(", {state}");
    }
    if let Some(by) = text("ThirdPartyDN") {
        short += &format!(", {} {by}", text("ThirdPartyDNRole").unwrap_or("of"));
    }
    short
}

/// `leg.ringing`: the names of the stored form.
pub(crate) fn cause(fact: &Fact) -> String {
    let value = serde_json::to_value(fact).unwrap();
    let (kind, inner) = value.as_object().unwrap().iter().next().unwrap();
    match inner.get("fact") {
        Some(Value::String(name)) => format!("{kind}.{name}"),
        Some(Value::Object(members)) => format!("{kind}.{}", members.keys().next().unwrap()),
        _ => kind.clone(),
    }
}
