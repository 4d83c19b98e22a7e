//! Whatever is asked and happens, in whatever order: nothing panics, every order is answered once, time never runs
//! backwards, and everything comes to an end.

use std::collections::BTreeMap;

use cordboard_core::event::{
    CallResult, Cause, ForwardMode, MonitorScope, Pairs, RouteKind, SuperviseMode, TreatmentKind, WorkMode, WrapUpPlan,
};
use cordboard_core::observation::{CallSeen, LegSeen, RequestSeen};
use cordboard_core::request::{Ask, Joining, OrderCall, PredictiveTargets};
use cordboard_core::{ConnId, Input, Order, RequestId, Seen, Time, World, decide, evolve};
use cordboard_switches::boxed::{AcdQueue, AgentPlan, At, Boxed, Happening, Number, Options, Site, Telephone};
use cordboard_switches::{Output, Switch};
use proptest::prelude::*;

const NUMBERS: [&str; 14] =
    ["1001", "1002", "1003", "1004", "1005", "6001", "6002", "5001", "5501", "7001", "0501", "0502", "1999", ""];

/// What is done next: kind, what is asked, numbers, and how much time passes.
type Step = (u8, usize, usize, usize, usize, u16);

/// A switch, what follows from its own words alone, and what the core makes of them.
struct Life {
    boxed: Boxed,
    world: World,
    now: Time,
    said: Time,
    requests: u64,
    answers: BTreeMap<u64, u64>,
    /// Keys of calls that began, in order.
    calls: Vec<String>,
    /// Living legs: call and number.
    legs: BTreeMap<String, (String, String)>,
}

fn site() -> Site {
    let phone = |telephone| Number::Extension(telephone);
    let plain = || phone(Telephone { no_answer_ms: Some(20_000), ..Telephone::default() });
    let forward = vec![(ForwardMode::OnBusyAndNoAnswer, "1001".to_owned())];
    let acd = AcdQueue {
        overflow_to: vec!["6002".to_owned()],
        overflow_after: Some((3_000, "6002".to_owned())),
        leave_after: Some((40_000, "5501".to_owned())),
        no_answer_ms: Some(10_000),
        ..AcdQueue::default()
    };
    let numbers = vec![
        ("1001", plain()),
        ("1002", phone(Telephone { auto_answer: true, ..Telephone::default() })),
        ("1003", phone(Telephone { single_call: true, forward, ..Telephone::default() })),
        ("1004", phone(Telephone { alert_delay_ms: 1_000, ..Telephone::default() })),
        ("1005", phone(Telephone { appearance_of: Some("1001".to_owned()), ..Telephone::default() })),
        ("6001", Number::AcdQueue(acd)),
        ("6002", Number::AcdQueue(AcdQueue { no_answer_not_ready: true, ..AcdQueue::default() })),
        ("5001", Number::RoutePoint),
        ("5501", Number::RouteQueue),
        ("7001", Number::RingGroup { members: vec!["1001".to_owned(), "1004".to_owned(), "1999".to_owned()] }),
    ];
    let agent = |id: &str, device: &str, wrapup| AgentPlan {
        id: id.to_owned(),
        name: String::new(),
        device: Some(device.to_owned()),
        queues: vec!["6001".to_owned(), "6002".to_owned()],
        ready: true,
        mode: WorkMode::AutoIn,
        wrapup,
        skills: Vec::new(),
    };
    Site {
        switch: "house".to_owned(),
        numbers: numbers.into_iter().map(|(name, number)| (name.to_owned(), number)).collect(),
        agents: vec![
            agent("8001", "1002", WrapUpPlan::Timed { ms: 5_000 }),
            agent("8002", "1004", WrapUpPlan::Untimed),
            agent("8003", "1001", WrapUpPlan::None),
        ],
        options: Options {
            route_ms: Some(15_000),
            default_target: Some("6001".to_owned()),
            outside_prefix: Some("0".to_owned()),
            legal_guard_ms: 2_000,
            park_ms: 8_000,
            hook_events: true,
            auto_logout_ms: 120_000,
            calls_max: 20,
            ..Options::default()
        },
    }
}

impl Life {
    fn new() -> Self {
        let boxed = Boxed::new(site(), 5);
        let (now, said) = (Time(1_000_000), Time(0));
        let (answers, calls, legs) = (BTreeMap::new(), Vec::new(), BTreeMap::new());
        let mut life = Self { boxed, world: World::default(), now, said, requests: 0, answers, calls, legs };
        life.take(&Input::Found { tenant: "acme".to_owned(), at: life.now });
        life.timeout();
        life
    }

    fn step(&mut self, (kind, asked, one, two, three, ms): Step) {
        let number = |at: usize| NUMBERS[at % NUMBERS.len()].to_owned();
        match kind % 12 {
            0..=7 => {
                // Somebody in a call asks for something about it; where it is ringing, or about a held one, if there is one.
                let own = self.legs.iter().nth(one % self.legs.len().max(1));
                let named = |(leg, (call, _)): (&String, &(String, String))| OrderCall {
                    call: call.clone(),
                    leg: Some(leg.clone()),
                };
                let device = own.map_or_else(|| number(one), |(_, (_, device))| device.clone());
                let other = |(leg, (_, at)): &(&String, &(String, String))| {
                    *at == device && own.is_none_or(|(own, _)| own != *leg)
                };
                let (call, held) = (own.map(named), self.legs.iter().find(other).map(named));
                let (call, held) = if three.is_multiple_of(3) { (held, call) } else { (call, held) };
                self.order(&device, ask(asked, two, three, &number), call, held);
            }
            8 => self.pass(u64::from(ms)),
            9 => {
                // At a route point, by somebody who is no party, or about a call that is over.
                let call = self.calls.len().checked_sub(1 + two % 4).and_then(|at| self.calls.get(at)).cloned();
                let call = call.map(|call| OrderCall { call, leg: None });
                self.order(&number(one), ask(asked, two, three, &number), call, None);
            }
            _ => {
                let leg = self.legs.values().nth(one % self.legs.len().max(1)).cloned();
                let (call, number) = leg.unwrap_or((self.calls.last().cloned().unwrap_or_default(), number(one)));
                self.happen(&happening(two, three, At { number, call }));
            }
        }
    }

    fn order(&mut self, device: &str, ask: Ask, call: Option<OrderCall>, held: Option<OrderCall>) {
        self.requests += 1;
        let request = RequestId(self.requests);
        let order = Order { request, device: device.to_owned(), ask, call, held, agent: None };
        self.boxed.handle_order(self.now, &order);
        self.drain(Some(request));
        assert_eq!(self.answers.get(&request.0), Some(&1), "{order:?}");
    }

    fn happen(&mut self, happening: &Happening) {
        _ = self.boxed.happen(self.now, happening);
        self.drain(None);
    }

    fn pass(&mut self, ms: u64) {
        self.now = self.now.plus_ms(ms);
        self.timeout();
    }

    fn timeout(&mut self) {
        self.boxed.handle_timeout(self.now);
        self.drain(None);
        assert!(self.boxed.poll_timeout().is_none_or(|due| due > self.now));
    }

    fn drain(&mut self, request: Option<RequestId>) {
        while let Some(output) = self.boxed.poll_output() {
            let Output::Observed(observation) = output else { panic!("{output:?}") };
            assert!(observation.at >= self.said && observation.at <= self.now, "{observation:?}");
            self.said = observation.at;
            assert_eq!(observation.request, request, "{observation:?}");
            self.take(&Input::Observed(observation.clone()));
            self.heed(observation.seen);
        }
    }

    fn take(&mut self, input: &Input) {
        for event in decide(&self.world, input) {
            evolve(&mut self.world, &event);
        }
    }

    /// The core knows the same calls with the same legs, and what is over for it is over.
    fn agrees(&self) {
        let living = self.world.calls.values().filter(|call| !call.ended);
        let mut known: Vec<(&String, &String)> = living
            .flat_map(|call| call.living().map(|(_, leg)| (call.keys.last().unwrap(), &leg.key)).collect::<Vec<_>>())
            .collect();
        known.sort();
        let mut said: Vec<(&String, &String)> = self.legs.iter().map(|(leg, (call, _))| (call, leg)).collect();
        said.sort();
        assert_eq!(known, said);
    }

    fn heed(&mut self, seen: Seen) {
        match seen {
            Seen::Call { call, seen: CallSeen::Begin { .. } } => self.calls.push(call),
            Seen::Call { call, seen: CallSeen::Transfer { by, consult, .. } } => {
                let device = self.legs[&by].1.clone();
                assert_eq!(self.legs.remove(&by).map(|(of, _)| of), Some(call.clone()));
                self.joined(&device, &call, consult);
            }
            Seen::Call { call, seen: CallSeen::Join { by, consult } } => {
                let device = self.legs[&by].1.clone();
                self.joined(&device, &call, Some(consult));
            }
            Seen::Leg { leg, seen: LegSeen::Dial { call, party } | LegSeen::Ring { call, party } } => {
                assert!(self.calls.contains(&call), "a leg of a call that began");
                assert!(self.legs.insert(leg, (call, party.number)).is_none(), "a new leg");
            }
            Seen::Leg { leg, seen } => {
                assert!(self.legs.contains_key(&leg), "a leg that lives: {seen:?}");
                if matches!(seen, LegSeen::Hangup { .. }) {
                    self.legs.remove(&leg);
                }
            }
            Seen::Request { request, seen } => {
                assert!(matches!(seen, RequestSeen::Done | RequestSeen::Refuse { .. }));
                *self.answers.entry(request.0).or_default() += 1;
            }
            Seen::Call { .. } | Seen::Switch(_) | Seen::Device { .. } | Seen::Agent { .. } | Seen::Queue { .. } => {}
        }
    }

    /// The legs of a consultation belong to the call, but for those of who joined them.
    fn joined(&mut self, device: &str, call: &str, consult: Option<String>) {
        let Some(consult) = consult else { return };
        self.legs.retain(|_, (of, number)| *of != consult || number != device);
        self.legs.values_mut().filter(|(of, _)| *of == consult).for_each(|(of, _)| *of = call.to_owned());
    }

    /// Everybody hangs up; nothing is left.
    fn end(&mut self) {
        for _ in 0..200 {
            let Some((call, number)) = self.legs.values().next().cloned() else { break };
            self.happen(&Happening::HangUp(At { number, call }));
        }
        assert!(self.legs.is_empty(), "{:?}", self.legs);
        self.pass(600_000);
        assert!(self.legs.is_empty(), "nothing comes back by itself: {:?}", self.legs);
        assert!(self.world.calls.values().all(|call| call.ended), "{:#?}", self.world.calls);
        assert!(self.world.queues.values().all(|queue| queue.waiting.is_empty()), "{:#?}", self.world.queues);
        assert!(self.world.devices.values().all(|device| device.legs.is_empty() && device.supervising.is_none()));
    }
}

fn ask(kind: usize, two: usize, three: usize, number: &impl Fn(usize) -> String) -> Ask {
    let (call, held) = (ConnId(0), ConnId(0));
    let (to, user_data) = (number(three), Pairs::from([("a".to_owned(), "1".into())]));
    let purpose = if three.is_multiple_of(2) { Joining::Transfer } else { Joining::Conference };
    let on = two.is_multiple_of(2);
    let mode = [WorkMode::AutoIn, WorkMode::ManualIn, WorkMode::AfterCallWork, WorkMode::AuxWork][three % 4];
    let (reasons, queue) = (Pairs::new(), None);
    let supervise = [SuperviseMode::Listen, SuperviseMode::Barge, SuperviseMode::Whisper][two % 3];
    match kind % 37 {
        0..=3 => Ask::MakeCall { to, user_data },
        4..=7 => Ask::Answer { call },
        8 => Ask::Release { call },
        9 => Ask::Clear { call },
        10 => Ask::Hold { call },
        11 => Ask::Retrieve { call },
        12 => Ask::Alternate { call, held },
        13 => Ask::Reconnect { call, held },
        14 => Ask::Redirect { call, to },
        15 | 16 => Ask::Consult { call, to, purpose, user_data },
        17 | 18 => Ask::Complete { call, held, purpose },
        19 => Ask::Merge { call, held, purpose },
        20 => Ask::MuteTransfer { call, to, user_data },
        21 => Ask::SingleStep { call, to, purpose, user_data },
        22 => Ask::DropParty { call, who: to },
        23 => Ask::Listen { call, who: to, on },
        24 => Ask::Mute { call, on },
        25 => {
            let kind = if on { RouteKind::Default } else { RouteKind::Reject };
            Ask::Route { call, to: Some(to).filter(|_| three > 2), kind }
        }
        26 => Ask::Treat { call, kind: TreatmentKind::CollectDigits, parameters: Pairs::new() },
        27 => {
            let scope = if on { MonitorScope::OneCall } else { MonitorScope::AllCalls };
            Ask::Monitor { target: to, scope, mode: supervise }
        }
        28 => Ask::Supervise { target: to, mode: supervise },
        29 => Ask::Pickup { target: to },
        30 => Ask::Park { call, space: Some("1".to_owned()).filter(|_| on) },
        31 => Ask::Unpark { space: "1".to_owned() },
        32 => Ask::MakePredictiveCall { to, ring_ms: 5_000, user_data, targets: PredictiveTargets::default() },
        33 => Ask::Ready { queue, mode, reasons },
        34 => Ask::NotReady { queue, mode, reasons },
        35 if on => Ask::Login { agent: format!("800{}", three % 4), queue, mode, reasons, wrapup_s: Some(3) },
        35 => Ask::Logout { queue, reasons },
        _ => Ask::Forward { mode: ForwardMode::OnBusy, to: Some(to).filter(|_| on) },
    }
}

fn happening(two: usize, three: usize, at: At) -> Happening {
    let device = NUMBERS[two % NUMBERS.len()].to_owned();
    let to = NUMBERS[three % NUMBERS.len()].to_owned();
    let by = [CallResult::Person, CallResult::Person, CallResult::AnsweringMachine, CallResult::Fax][two % 4];
    match (two + three * 3) % 12 {
        0 | 1 => Happening::Inbound { from: "0777".to_owned(), ani: "0777".to_owned(), dnis: to.clone(), to },
        2 => Happening::Dial { device, to },
        3 => Happening::Reach(at),
        4..=6 => Happening::Answer { at, by },
        7 => Happening::HangUp(at),
        8 => Happening::Fail { at, cause: Cause::Busy },
        9 => Happening::TreatmentEnd { at, digits: None },
        10 => Happening::OutOfService { device },
        _ => Happening::BackInService { device },
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn everything_comes_to_an_end(
        steps in proptest::collection::vec((any::<u8>(), any::<usize>(), 0usize..64, 0usize..64, 0usize..64, 0u16..9_000), 1..300),
    ) {
        let mut life = Life::new();
        for step in steps {
            life.step(step);
            life.agrees();
        }
        life.end();
    }
}
