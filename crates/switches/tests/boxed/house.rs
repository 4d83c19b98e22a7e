//! A house with a built-in switch and a core, and what is told there in short lines.
#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "lines for people: what has no words of its own is printed as it is"
)]

use cordboard_core::event::{
    AgentFact, CallFact, CallResult, Cause, DeviceFact, Event, Fact, ForwardMode, LegFact, Pairs, RequestFact,
    RouteKind, With, WorkMode, WrapUpPlan,
};
use cordboard_core::request::{Ask, Asker, AskerRole, Joining};
use cordboard_core::{CallId, ConnId, Input, LegId, Request, Time, World, decide, evolve, order};
use cordboard_switches::boxed::{AcdQueue, AgentPlan, At, Boxed, Happening, Number, Options, Site, Telephone};
use cordboard_switches::{Output, Switch};

/// Where time begins.
const BEGIN: Time = Time(1_800_000_000_000_000);

pub(crate) struct House {
    pub(crate) boxed: Boxed,
    pub(crate) world: World,
    pub(crate) now: Time,
    told: Vec<String>,
    asked: u64,
}

/// What is told when everything is quiet.
pub(crate) const NOTHING: &str = "";

impl House {
    /// Telephones 1001 to 1006, numbers outside beginning with 0, and what else is given.
    pub(crate) fn new(numbers: &[(&str, Number)], agents: &[AgentPlan], options: Options) -> Self {
        let telephone = |number: u32| (number.to_string(), Number::Extension(Telephone::default()));
        let mut all: Vec<(String, Number)> = (1001..=1006).map(telephone).collect();
        for (name, number) in numbers {
            all.retain(|(known, _)| known != name);
            all.push(((*name).to_owned(), number.clone()));
        }
        let options = Options { outside_prefix: Some("0".to_owned()), ..options };
        let site = Site { switch: "house".to_owned(), numbers: all, agents: agents.to_vec(), options };
        let boxed = Boxed::new(site, 7);
        let mut house = Self { boxed, world: World::default(), now: BEGIN, told: Vec::new(), asked: 0 };
        house.take(&Input::Found { tenant: "acme".to_owned(), at: BEGIN });
        assert_eq!(house.boxed.poll_timeout(), Some(Time(0)));
        house.boxed.handle_timeout(BEGIN);
        house.drain();
        house.told.clear();
        house
    }

    pub(crate) fn plain() -> Self {
        Self::new(&[], &[], Options::default())
    }

    /// A client asks; gives what is told.
    pub(crate) fn ask(&mut self, device: &str, ask: Ask) -> String {
        self.asked += 1;
        let request = Request {
            client: "desk".to_owned(),
            by: Asker { name: "Ann".to_owned(), role: AskerRole::Service },
            reference: Some(self.asked),
            device: device.to_owned(),
            ask,
            refused: None,
            deadline_ms: 5_000,
        };
        let events = self.take(&Input::Requested { at: self.now, request });
        let id = events.iter().find_map(|event| event.request).unwrap();
        if let Some((switch, order)) = order(&self.world, id) {
            assert_eq!(switch, "house");
            self.boxed.handle_order(self.now, &order);
            self.drain();
            assert!(order_is_closed(&self.world, id), "the order is answered");
        }
        self.told()
    }

    /// Something happens; gives what is told.
    pub(crate) fn happen(&mut self, happening: &Happening) -> String {
        self.boxed.happen(self.now, happening).unwrap();
        self.drain();
        self.told()
    }

    /// Time passes, and the switch does each thing when it is due; gives what is told.
    pub(crate) fn pass(&mut self, seconds: u64) -> String {
        let end = self.now.plus_ms(seconds * 1_000);
        while let Some(due) = self.boxed.poll_timeout().filter(|due| *due <= end) {
            self.now = self.now.max(due);
            self.boxed.handle_timeout(self.now);
            self.drain();
            assert!(self.boxed.poll_timeout().is_none_or(|next| next > due), "what is due is done");
        }
        self.now = end;
        self.told()
    }

    /// What applications call the call with this number.
    pub(crate) fn conn(&self, call: u64) -> ConnId {
        self.world.calls[&CallId(call)].conn
    }

    pub(crate) fn at(&self, number: &str, call: u64) -> At {
        At { number: number.to_owned(), call: self.world.calls[&CallId(call)].keys[0].clone() }
    }

    pub(crate) fn call(&mut self, device: &str, to: &str) -> String {
        self.ask(device, Ask::MakeCall { to: to.to_owned(), user_data: Pairs::new() })
    }

    pub(crate) fn answer(&mut self, device: &str, call: u64) -> String {
        self.ask(device, Ask::Answer { call: self.conn(call) })
    }

    pub(crate) fn release(&mut self, device: &str, call: u64) -> String {
        self.ask(device, Ask::Release { call: self.conn(call) })
    }

    pub(crate) fn hold(&mut self, device: &str, call: u64) -> String {
        self.ask(device, Ask::Hold { call: self.conn(call) })
    }

    pub(crate) fn consult(&mut self, device: &str, call: u64, to: &str, purpose: Joining) -> String {
        let call = self.conn(call);
        self.ask(device, Ask::Consult { call, to: to.to_owned(), purpose, user_data: Pairs::new() })
    }

    pub(crate) fn complete(&mut self, device: &str, (call, held): (u64, u64), purpose: Joining) -> String {
        let (call, held) = (self.conn(call), self.conn(held));
        self.ask(device, Ask::Complete { call, held, purpose })
    }

    pub(crate) fn route(&mut self, at: &str, call: u64, to: &str) -> String {
        let call = self.conn(call);
        self.ask(at, Ask::Route { call, to: Some(to.to_owned()), kind: RouteKind::Default })
    }

    pub(crate) fn ready(&mut self, device: &str, mode: WorkMode) -> String {
        self.ask(device, Ask::Ready { queue: None, mode, reasons: Pairs::new() })
    }

    pub(crate) fn not_ready(&mut self, device: &str, mode: WorkMode) -> String {
        self.ask(device, Ask::NotReady { queue: None, mode, reasons: Pairs::new() })
    }

    pub(crate) fn inbound(&mut self, from: &str, to: &str) -> String {
        let (from, to) = (from.to_owned(), to.to_owned());
        let (ani, dnis) = (from.clone(), to.clone());
        self.happen(&Happening::Inbound { from, to, ani, dnis })
    }

    pub(crate) fn hang_up(&mut self, number: &str, call: u64) -> String {
        let at = self.at(number, call);
        self.happen(&Happening::HangUp(at))
    }

    pub(crate) fn picks_up(&mut self, number: &str, call: u64, by: CallResult) -> String {
        let at = self.at(number, call);
        self.happen(&Happening::Answer { at, by })
    }

    pub(crate) fn fails(&mut self, number: &str, call: u64, cause: Cause) -> String {
        let at = self.at(number, call);
        self.happen(&Happening::Fail { at, cause })
    }

    /// Two telephones of the house talk: the first called the second.
    pub(crate) fn talk(&mut self, caller: &str, called: &str) {
        self.call(caller, called);
        let call = *self.world.calls.keys().last().unwrap();
        self.answer(called, call.0);
    }

    pub(crate) fn drain(&mut self) {
        while let Some(output) = self.boxed.poll_output() {
            match output {
                Output::Observed(observation) => _ = self.take(&Input::Observed(observation)),
                other => panic!("no bytes and no connection: {other:?}"),
            }
        }
    }

    fn take(&mut self, input: &Input) -> Vec<Event> {
        let events = decide(&self.world, input);
        for event in &events {
            if let Some(line) = line(&self.world, event) {
                self.told.push(line);
            }
            evolve(&mut self.world, event);
        }
        events
    }

    fn told(&mut self) -> String {
        std::mem::take(&mut self.told).join("\n")
    }
}

pub(crate) fn order_is_closed(world: &World, request: cordboard_core::RequestId) -> bool {
    order(world, request).is_none()
}

pub(crate) fn queue() -> AcdQueue {
    AcdQueue::default()
}

/// An agent who serves the queues, ready where `ready`.
pub(crate) fn agent(id: &str, device: &str, queues: &[&str], ready: bool) -> AgentPlan {
    AgentPlan {
        id: id.to_owned(),
        name: String::new(),
        device: Some(device.to_owned()),
        queues: queues.iter().map(|queue| (*queue).to_owned()).collect(),
        ready,
        mode: if ready { WorkMode::AutoIn } else { WorkMode::Unknown },
        wrapup: WrapUpPlan::None,
        skills: Vec::new(),
    }
}

pub(crate) fn forwards(mode: ForwardMode, to: &str) -> Telephone {
    Telephone { forward: vec![(mode, to.to_owned())], no_answer_ms: Some(15_000), ..Telephone::default() }
}

/// Compares what was told with lines that may be indented.
#[track_caller]
pub(crate) fn tells(told: impl AsRef<str>, wanted: &str) {
    let wanted: Vec<&str> = wanted.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    assert_eq!(told.as_ref().lines().collect::<Vec<_>>(), wanted, "told:\n{}", told.as_ref());
}

/// An event in a few words; none for what no test looks at.
fn line(world: &World, event: &Event) -> Option<String> {
    Some(match &event.fact {
        Fact::Call { call, fact } => format!("c{} {}", call.0, of_call(fact)?),
        Fact::Leg { call, leg, fact } => format!("c{} {}", call.0, of_leg(world, *call, *leg, fact)),
        Fact::Agent { agent, fact } => format!("{agent} {}", of_agent(fact)?),
        Fact::Device { device, fact } => format!("{device} {}", of_device(fact)),
        Fact::Request { fact: RequestFact::Refused { refusal, .. }, .. } => format!("refused {refusal:?}"),
        Fact::Request { .. }
        | Fact::Founded { .. }
        | Fact::Switch { .. }
        | Fact::Queue { .. }
        | Fact::Client { .. }
        | Fact::User { .. }
        | Fact::List { .. }
        | Fact::Callback { .. }
        | Fact::Alert { .. } => {
            return None;
        }
    })
}

fn of_call(fact: &CallFact) -> Option<String> {
    let to = |to: &Option<String>| to.as_ref().map_or(String::new(), |to| format!(">{to}"));
    Some(match fact {
        CallFact::Began(began) => {
            let about = began.previous.map_or(String::new(), |call| format!(" about c{}", call.0));
            format!("{:?} {}>{}{about}", began.direction, began.ani, began.dnis)
        }
        CallFact::Queued { queue, position } => format!("waits {queue} {position}"),
        CallFact::Dequeued { queue, reason, to: target } => format!("leaves {queue} {reason:?}{}", to(target)),
        CallFact::QueueTaken { queue, from } => format!("takes c{} in {queue}", from.0),
        CallFact::RouteRequested { at } => format!("asks {at}"),
        CallFact::Routed { at, to: target, kind } => format!("routed {at}{} {kind:?}", to(target)),
        CallFact::TreatmentApplied { at, kind, .. } => format!("hears {at} {kind:?}"),
        CallFact::TreatmentEnded { at, digits, .. } => format!("heard {at} {digits:?}"),
        CallFact::TreatmentRefused { at, kind, .. } => format!("cannot hear {at} {kind:?}"),
        CallFact::TargetRefused { to, cause } => format!("refused {to} {cause:?}"),
        CallFact::Detected { result } => format!("met {result:?}"),
        CallFact::Transferred(transfer) => format!("{:?} {}>{}", transfer.kind, transfer.by, transfer.to),
        CallFact::Conferenced { by, .. } => format!("conference by {}", by.clone().unwrap_or_default()),
        CallFact::SupervisionBegan { by, mode } => format!("{by} supervises {mode:?}"),
        CallFact::SupervisionChanged { by, mode } => format!("{by} changes {mode:?}"),
        CallFact::SupervisionEnded { by } => format!("{by} supervises no more"),
        CallFact::Ended { outcome, .. } => format!("over {outcome:?}"),
        CallFact::UserDataSet { key, value } => format!("data {key}={value}"),
        CallFact::UserDataChanged { set, removed, .. } => format!("data {set:?} {removed:?}"),
        CallFact::RecordingStarted { .. } => "records".to_owned(),
        CallFact::RecordingStopped => "records no more".to_owned(),
        CallFact::TransferCompleted { .. } => return None,
        other => format!("{other:?}"),
    })
}

fn of_leg(world: &World, call: CallId, leg: LegId, fact: &LegFact) -> String {
    let number = world.calls.get(&call).and_then(|call| call.legs.get(&leg)).map_or("?", |leg| leg.number.as_str());
    match fact {
        LegFact::Dialing(party) => format!("{} dials", party.number),
        LegFact::Ringing(party) => {
            let queue = party.queue.as_ref().map_or(String::new(), |queue| format!(" of {queue}"));
            let by = party.by.as_ref().map_or(String::new(), |by| format!(" by {by}"));
            format!("{} rings{queue}{by}", party.number)
        }
        LegFact::NetworkReached => format!("{number} reached"),
        LegFact::Answered { with: With::Person, .. } => format!("{number} talks"),
        LegFact::Answered { with, .. } => format!("{number} with {with:?}"),
        LegFact::Held => format!("{number} holds"),
        LegFact::Retrieved => format!("{number} retrieves"),
        LegFact::Parked { space, by } => format!("{number} parked {space} by {by}"),
        LegFact::Unparked { by } => {
            format!("{number} unparked {}", by.clone().unwrap_or_default()).trim_end().to_owned()
        }
        LegFact::Muted => format!("{number} muted"),
        LegFact::Unmuted => format!("{number} unmuted"),
        LegFact::Deafened { by } => format!("{number} deaf by {by}"),
        LegFact::Undeafened { by } => format!("{number} hears by {by}"),
        LegFact::Bridged => format!("{number} bridged"),
        LegFact::Moved { to } => format!("{number} moves>c{}", to.0),
        LegFact::Ended { cause, by_self, by, .. } => {
            let by = by.as_ref().map_or(String::new(), |by| format!(" by {by}"));
            format!("{number} ends {cause:?}{}{by}", if *by_self { " self" } else { "" })
        }
    }
}

fn of_agent(fact: &AgentFact) -> Option<String> {
    Some(match fact {
        AgentFact::LoggedIn { device, queue } => {
            format!("logs in {device} {}", queue.clone().unwrap_or_default()).trim_end().to_owned()
        }
        AgentFact::LoggedOut { .. } => "logs out".to_owned(),
        AgentFact::QueueLoggedOut { queue } => format!("logs out of {queue}"),
        AgentFact::ModeChosen { mode, .. } => format!("mode {mode:?}"),
        AgentFact::Ready => "ready".to_owned(),
        AgentFact::NotReady { reason } => format!("not ready {reason}").trim_end().to_owned(),
        AgentFact::WrapUpBegan { .. } => "wrap-up".to_owned(),
        AgentFact::WrapUpEnded { reason } => format!("wrap-up over {reason:?}"),
        AgentFact::Found { .. }
        | AgentFact::QueuePaused { .. }
        | AgentFact::QueueResumed { .. }
        | AgentFact::WrapUpPlanned(_)
        | AgentFact::Reserved { .. }
        | AgentFact::ReservationEnded => return None,
    })
}

fn of_device(fact: &DeviceFact) -> String {
    match fact {
        DeviceFact::OffHook { call } => format!("off hook c{}", call.map_or(0, |call| call.0)),
        DeviceFact::OnHook { .. } => "on hook".to_owned(),
        DeviceFact::MonitoringSet(monitor) => {
            format!("monitors {} {:?} {:?}", monitor.target, monitor.scope, monitor.mode)
        }
        DeviceFact::MonitoringCancelled(monitor) => format!("monitors {} no more", monitor.target),
        other => format!("{other:?}"),
    }
}
