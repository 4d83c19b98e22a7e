//! A story: facts are told one after the other to a world, and what the dialect says of each is written down. Every message
//! is judged by the rules of the stream and by its schema, and its cause must be one that the catalogue names.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use cordboard_core::event::{
    AgentFact, CallBegan, CallFact, Cause, DeviceFact, DeviceKind, Direction, LegFact, Outcome, Party, Profile,
    QueueFact, Role, UserFact, With,
};
use cordboard_core::{CallId, ConnId, Event, Fact, LegId, Origin, ThreadId, Time, World, evolve};
use cordboard_dialects::catalogue::Catalogue;
use cordboard_dialects::enreach::rules::Rules;
use cordboard_dialects::enreach::{DIALECT, EventName, ids};
use cordboard_dialects::{Message, Position, Settings, Teller};
use serde_json::Value;

pub(crate) const START: u64 = 1_700_000_000_000_000;

static VALIDATORS: LazyLock<BTreeMap<String, jsonschema::Validator>> = LazyLock::new(|| {
    let names = (DIALECT.catalogue)().events.into_iter().map(|entry| entry.name.into_owned());
    let validator =
        |name: &str| jsonschema::validator_for(&(DIALECT.schema)(&Settings::default(), name).unwrap()).unwrap();
    names.map(|name| (name.clone(), validator(&name))).collect()
});

static CATALOGUE: LazyLock<Catalogue> = LazyLock::new(DIALECT.catalogue);

pub(crate) struct Story {
    pub(crate) world: World,
    pub(crate) settings: Settings,
    pub(crate) messages: Vec<Message>,
    pub(crate) sequence: u64,
    teller: Teller,
    rules: Rules,
    legs: u64,
    /// Which facts caused which events.
    pub(crate) caused: BTreeSet<(String, String)>,
}

impl Story {
    /// A site with telephones, a line to the outside and a queue with ten seconds of after-call work. Telephone 101 is
    /// Anna's, who serves the queue there.
    pub(crate) fn new() -> Self {
        let mut story = Self {
            world: World::default(),
            settings: Settings::default(),
            messages: Vec::new(),
            sequence: 0,
            teller: Teller::new(&DIALECT),
            rules: Rules::new(),
            legs: 0,
            caused: BTreeSet::new(),
        };
        story.tell(Fact::Founded { tenant: "acme".to_owned() });
        for device in ["101", "102", "103", "104"] {
            story.device(device, DeviceFact::Found { kind: DeviceKind::Extension, switch: "pbx".to_owned() });
        }
        story.device("line-1", DeviceFact::Found { kind: DeviceKind::Trunk, switch: "pbx".to_owned() });
        story.queue("sales", QueueFact::Found { switch: "pbx".to_owned() });
        story.queue("sales", QueueFact::WrapUpSet { wrapup_ms: 10_000 });
        let profile = Profile {
            name: "Anna Apple".to_owned(),
            login: "anna@example.org".to_owned(),
            guid: None,
            devices: vec!["101".to_owned()],
        };
        story.user("anna", UserFact::Described(profile));
        story.agent("anna", AgentFact::Found { name: "Anna".to_owned() });
        story.agent("anna", AgentFact::LoggedIn { device: "101".to_owned(), queue: Some("sales".to_owned()) });
        story.agent("anna", AgentFact::Ready);
        story
    }

    /// Tells a fact one millisecond after the last one and gives back what was said of it, in short; statuses apart.
    pub(crate) fn tell(&mut self, fact: Fact) -> Vec<String> {
        self.later(1, fact)
    }

    /// Tells a fact so many milliseconds after the last one.
    pub(crate) fn later(&mut self, ms: u64, fact: Fact) -> Vec<String> {
        let at = Time(self.world.now.0.max(START)).plus_ms(ms);
        let event = Event { at, since: None, origin: Origin::Live, request: None, fact };
        evolve(&mut self.world, &event);
        self.sequence += 1;
        let (place, mut said) = (Position { epoch: 1, sequence: self.sequence }, Vec::new());
        self.teller.say(&self.settings, &self.world, place, &event, &mut said);
        let mut short = Vec::new();
        for message in &said {
            self.rules.check(message).unwrap();
            let value: Value = serde_json::from_str(&message.value).unwrap();
            let name = value["eventType"].as_str().unwrap();
            let found: Vec<String> = VALIDATORS[name].iter_errors(&value).map(|it| it.to_string()).collect();
            assert!(found.is_empty(), "{name}: {found:?} in {value}");
            self.cause(name, &event.fact);
            if !EventName::parse(name).unwrap().is_state() {
                short.push(self.short(name, &value));
            }
        }
        self.messages.extend(said);
        short
    }

    /// The newest message of this name.
    pub(crate) fn last(&self, name: &str) -> Value {
        let ends = format!(":{name}");
        let found = self.messages.iter().rev().find(|message| message.key.ends_with(&ends));
        serde_json::from_str(&found.unwrap().value).unwrap()
    }

    /// The newest status of a person or a queue.
    pub(crate) fn status(&self, name: &str) -> Value {
        let (event, id) = if self.world.queues.contains_key(name) {
            ("QueueStatus", ids::queue(&self.world, name))
        } else {
            ("UserStatus", ids::user(&self.world, name))
        };
        let key = format!("{id}:{event}");
        let found = self.messages.iter().rev().find(|message| message.key == key).unwrap();
        serde_json::from_str(&found.value).unwrap()
    }

    /// What is left open.
    pub(crate) fn left(&self) -> Vec<String> {
        self.rules.finish(&BTreeSet::new())
    }

    fn cause(&mut self, name: &str, fact: &Fact) {
        let cause = cause(fact);
        let entry = CATALOGUE.entry(name).unwrap().caused_by;
        let of_all = format!("{}.*", cause.split('.').next().unwrap());
        let known = entry.contains(&&*cause) || entry.contains(&&*of_all);
        assert!(known, "{cause} causes {name}, the catalogue does not say so");
        self.caused.insert((name.to_owned(), cause));
    }

    /// Whom it is about, and which event.
    fn short(&self, name: &str, value: &Value) -> String {
        let id = value["entityId"].as_str().unwrap().parse().unwrap();
        let who = ids::find(&self.world, id).map(|entity| match entity {
            ids::Entity::User(name) | ids::Entity::Queue(name) | ids::Entity::List(name) => name,
        });
        format!("{} {name}", who.unwrap_or_default())
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

    pub(crate) fn user(&mut self, user: &str, fact: UserFact) -> Vec<String> {
        self.tell(Fact::User { user: user.to_owned(), fact })
    }

    pub(crate) fn call(&mut self, call: u64, fact: CallFact) -> Vec<String> {
        self.tell(Fact::Call { call: CallId(call), fact })
    }

    pub(crate) fn leg(&mut self, call: u64, leg: u64, fact: LegFact) -> Vec<String> {
        self.tell(Fact::Leg { call: CallId(call), leg: LegId(leg), fact })
    }

    /// A call begins; `about` is the call it asks about.
    pub(crate) fn begin(
        &mut self,
        call: u64,
        direction: Direction,
        ani: &str,
        dnis: &str,
        about: Option<u64>,
    ) -> Vec<String> {
        let conn = self.world.conn_of(CallId(call));
        let began = CallBegan {
            conn,
            thread: ThreadId(about.map_or(conn, ConnId)),
            switch: "pbx".to_owned(),
            key: format!("call-{call}"),
            direction,
            ani: ani.to_owned(),
            ani_name: String::new(),
            dnis: dnis.to_owned(),
            previous: about.map(CallId),
        };
        self.call(call, CallFact::Began(began))
    }

    /// A party: a telephone of ours, or somebody outside on the line.
    pub(crate) fn party(&mut self, number: &str, role: Role) -> Party {
        self.legs += 1;
        let outside = number.starts_with('+');
        Party {
            key: format!("leg-{}", self.legs),
            device: if outside { "line-1".to_owned() } else { number.to_owned() },
            number: number.to_owned(),
            outside,
            role,
            queue: None,
            by: None,
        }
    }

    /// A party begins to call; gives its leg.
    pub(crate) fn dials(&mut self, call: u64, number: &str) -> (u64, Vec<String>) {
        let party = self.party(number, Role::Originator);
        (self.legs, self.leg(call, self.legs, LegFact::Dialing(party)))
    }

    /// A telephone rings; gives its leg.
    pub(crate) fn rings(&mut self, call: u64, number: &str, queue: Option<&str>) -> (u64, Vec<String>) {
        let party = Party { queue: queue.map(str::to_owned), ..self.party(number, Role::Destination) };
        (self.legs, self.leg(call, self.legs, LegFact::Ringing(party)))
    }

    pub(crate) fn answers(&mut self, call: u64, leg: u64) -> Vec<String> {
        self.leg(call, leg, LegFact::Answered { with: With::Person, party: None })
    }

    pub(crate) fn ends(&mut self, call: u64, leg: u64, cause: Cause, by_self: bool) -> Vec<String> {
        self.leg(call, leg, LegFact::Ended { cause, code: None, by_self, by: None })
    }

    pub(crate) fn over(&mut self, call: u64, cause: Cause) -> Vec<String> {
        self.call(call, CallFact::Ended { outcome: Outcome::Answered, cause, by: None })
    }
}

/// The name of a fact, as the catalogue names causes.
fn cause(fact: &Fact) -> String {
    let Value::Object(outer) = serde_json::to_value(fact).unwrap() else { return String::new() };
    let (kind, inner) = outer.iter().next().unwrap();
    let name = match &inner["fact"] {
        Value::String(name) => name.clone(),
        Value::Object(fact) => fact.keys().next().unwrap().clone(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) => String::new(),
    };
    format!("{kind}.{name}")
}
