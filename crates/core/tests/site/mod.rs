//! A small site for tests: a switch, telephones, agents and queues.
#![allow(dead_code, clippy::unwrap_used, clippy::panic, reason = "shared by tests that fail by panicking")]

use cordboard_core::event::{Asked, Direction, Event, Fact, Origin, Party, RequestFact, Role};
use cordboard_core::observation::{AgentSeen, CallSeen, DeviceSeen, LegSeen, QueueSeen, Seen, SwitchSeen};
use cordboard_core::request::{Ask, Asker, AskerRole, Refusal, Request};
use cordboard_core::{ConnId, Input, Observation, RequestId, Time, World, decide, evolve};

/// A world, and a clock that ticks with each input.
pub(crate) struct Site {
    pub(crate) world: World,
    pub(crate) now: u64,
}

impl Site {
    /// Two telephones on a switch, one calls the other.
    pub(crate) fn new() -> Self {
        let mut site = Self { world: World::default(), now: 1_000_000_000 };
        site.take(&Input::Found { tenant: "acme".to_owned(), at: Time(site.now) });
        site.see(Seen::Switch(SwitchSeen::Connect { version: "1".to_owned() }));
        for device in ["1001", "1002", "1003"] {
            let exist = DeviceSeen::Exist(cordboard_core::event::DeviceKind::Extension);
            site.see(Seen::Device { device: device.to_owned(), seen: exist });
        }
        site
    }

    pub(crate) fn call(&mut self) -> ConnId {
        let (ani, dnis) = ("1001".to_owned(), "1002".to_owned());
        let begin =
            CallSeen::Begin { direction: Direction::Internal, ani, ani_name: String::new(), dnis, previous: None };
        self.see(Seen::Call { call: "c1".to_owned(), seen: begin });
        for (leg, device, role) in [("l1", "1001", Role::Originator), ("l2", "1002", Role::Destination)] {
            let (call, number) = ("c1".to_owned(), device.to_owned());
            let (key, device) = (leg.to_owned(), device.to_owned());
            let party = Party { key, device, number, outside: false, role, queue: None, by: None };
            let seen = match role {
                Role::Originator => LegSeen::Dial { call, party },
                Role::Destination => LegSeen::Ring { call, party },
            };
            self.see(Seen::Leg { leg: leg.to_owned(), seen });
        }
        self.world.calls.values().next().unwrap().conn
    }

    pub(crate) fn take(&mut self, input: &Input) -> Vec<Event> {
        let events = decide(&self.world, input);
        events.iter().for_each(|event| evolve(&mut self.world, event));
        events
    }

    pub(crate) fn see(&mut self, seen: Seen) -> Vec<Event> {
        self.see_for(seen, None)
    }

    pub(crate) fn see_for(&mut self, seen: Seen, request: Option<RequestId>) -> Vec<Event> {
        self.now += 1;
        let (at, switch) = (Time(self.now), "pbx".to_owned());
        self.take(&Input::Observed(Observation { at, since: None, origin: Origin::Live, switch, request, seen }))
    }

    pub(crate) fn ask(&mut self, device: &str, ask: Ask) -> Vec<Event> {
        self.ask_as(None, None, device, ask)
    }

    pub(crate) fn ask_as(
        &mut self,
        reference: Option<u64>,
        refused: Option<(Refusal, String)>,
        device: &str,
        ask: Ask,
    ) -> Vec<Event> {
        self.now += 1;
        let by = Asker { name: "desktop".to_owned(), role: AskerRole::Service };
        let (client, device) = ("t/1".to_owned(), device.to_owned());
        let request = Request { client, by, reference, device, ask, refused, deadline_ms: 5_000 };
        self.take(&Input::Requested { at: Time(self.now), request })
    }
}

pub(crate) fn asked(events: &[Event]) -> (RequestId, &Asked) {
    let Fact::Request { request, fact: RequestFact::Asked(asked) } = &events.first().unwrap().fact else {
        panic!("not asked: {events:?}");
    };
    (*request, asked)
}

pub(crate) fn refusal(events: &[Event]) -> Option<Refusal> {
    let Fact::Request { fact: RequestFact::Refused { refusal, why }, .. } = &events.last().unwrap().fact else {
        return None;
    };
    assert!(!why.is_empty());
    Some(*refusal)
}

pub(crate) fn is_done(events: &[Event]) -> bool {
    matches!(events.last().unwrap().fact, Fact::Request { fact: RequestFact::Done, .. })
}

impl Site {
    /// The same with two queues, and two agents logged in on 1001 and 1002 who serve the first one.
    pub(crate) fn with_agents() -> Self {
        let mut site = Self::new();
        for queue in ["sales", "service"] {
            site.see(Seen::Queue { queue: queue.to_owned(), seen: QueueSeen::Exist });
        }
        for device in ["1001", "1002", "1003"] {
            site.see(Seen::Device { device: device.to_owned(), seen: DeviceSeen::Service(true) });
        }
        for (agent, device) in [("anna", "1001"), ("ben", "1002")] {
            site.agent(
                agent,
                AgentSeen::Join {
                    queue: Some("sales".to_owned()),
                    device: device.to_owned(),
                    name: String::new(),
                    paused: None,
                },
            );
        }
        site
    }

    pub(crate) fn agent(&mut self, agent: &str, seen: AgentSeen) -> Vec<Event> {
        self.see(Seen::Agent { agent: agent.to_owned(), seen })
    }

    /// A call from outside comes into a queue.
    pub(crate) fn queued(&mut self, key: &str, queue: &str) {
        let (ani, dnis) = ("+15550100123".to_owned(), "600".to_owned());
        let begin =
            CallSeen::Begin { direction: Direction::Inbound, ani, ani_name: String::new(), dnis, previous: None };
        self.of_call(key, begin);
        let party = Party {
            key: format!("{key}.caller"),
            device: "trunk".to_owned(),
            number: "+15550100123".to_owned(),
            outside: true,
            role: Role::Originator,
            queue: None,
            by: None,
        };
        self.of_leg(&format!("{key}.caller"), LegSeen::Dial { call: key.to_owned(), party });
        self.of_call(key, CallSeen::Queue { queue: queue.to_owned(), position: 1 });
    }

    /// The queue offers it to a telephone.
    pub(crate) fn offered(&mut self, key: &str, queue: &str, device: &str) -> String {
        let leg = format!("{key}.{device}");
        let party = Party {
            key: leg.clone(),
            device: device.to_owned(),
            number: device.to_owned(),
            outside: false,
            role: Role::Destination,
            queue: Some(queue.to_owned()),
            by: None,
        };
        self.of_leg(&leg, LegSeen::Ring { call: key.to_owned(), party });
        leg
    }

    pub(crate) fn of_call(&mut self, key: &str, seen: CallSeen) -> Vec<Event> {
        self.see(Seen::Call { call: key.to_owned(), seen })
    }

    pub(crate) fn of_leg(&mut self, key: &str, seen: LegSeen) -> Vec<Event> {
        self.see(Seen::Leg { leg: key.to_owned(), seen })
    }

    /// Whoever has this leg hangs up.
    pub(crate) fn hangs_up(&mut self, leg: &str) -> Vec<Event> {
        let cause = cordboard_core::event::Cause::Normal;
        self.of_leg(leg, LegSeen::Hangup { cause, code: None, by_self: true, by: None })
    }

    /// Asks for a change of the directory.
    pub(crate) fn change(&mut self, change: cordboard_core::change::Change) -> Vec<Event> {
        self.ask("", Ask::Change(Box::new(change)))
    }

    /// Asks for one that is made.
    pub(crate) fn changed(&mut self, change: cordboard_core::change::Change) -> Vec<Fact> {
        let events = self.change(change);
        assert!(is_done(&events), "{events:?}");
        facts(&events)
    }

    /// Time passes, in milliseconds; what falls due is told at its time.
    pub(crate) fn pass(&mut self, ms: u64) -> Vec<Fact> {
        let until = Time(self.now).plus_ms(ms);
        let mut told = Vec::new();
        for _ in 0..1_000 {
            let Some(due) = self.world.next_timer().filter(|due| *due <= until) else {
                self.now = until.0;
                return told;
            };
            let events = self.take(&Input::Elapsed(due.max(Time(self.now))));
            assert!(!events.is_empty(), "what falls due is told: {due:?}");
            told.extend(facts(&events));
        }
        panic!("time does not pass: {told:?}");
    }
}

/// What was told, but for the request and its answer.
pub(crate) fn facts(events: &[Event]) -> Vec<Fact> {
    events.iter().map(|event| event.fact.clone()).filter(|fact| !matches!(fact, Fact::Request { .. })).collect()
}
