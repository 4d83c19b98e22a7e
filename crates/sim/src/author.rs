//! Stories by chance: a seed is a site and what happens there. Most of it makes sense, some of it is nonsense.

mod directory;

use cordboard_core::call::LegState;
use cordboard_core::datum::{Datum, Pairs};
use cordboard_core::event::{
    CallResult, Cause, ForwardMode, MonitorScope, RouteKind, SuperviseMode, TreatmentKind, WorkMode, WrapUpPlan,
};
use cordboard_core::request::{self, Joining, PredictiveTargets};
use cordboard_core::{CallId, ConnId};
use cordboard_server::scenario::{Ask, Player, Step, Story};
use cordboard_switches::boxed::{
    AcdQueue, AgentPlan, At, ConsultData, Happening, MergedData, Number, Options, Telephone,
};

use crate::chance::Chance;

/// The longest story, in steps.
const STEPS_MAX: usize = 60;
const EXTENSIONS: [&str; 5] = ["201", "202", "203", "204", "205"];
const OUTSIDE: [&str; 3] = ["+15550100123", "+15550100456", "+15550100789"];
const QUEUES: [&str; 2] = ["600", "610"];
const ROUTES: [&str; 2] = ["500", "550"];
/// Where calls can be made for.
const PREDICTIVE: [&str; 3] = ["600", "610", "550"];
const GROUP: &str = "700";
const NOBODY: &str = "299";
const AGENTS: [&str; 4] = ["anna", "ben", "carol", "dora"];

/// The story of a seed.
#[must_use]
pub fn write(seed: u64) -> Story {
    let mut author = Author { chance: Chance::new(seed), story: Story::default() };
    author.story.about.push(format!("A story by chance, from the seed {seed}"));
    author.site();
    let (mut player, _) = Player::open("t", &author.story, &[]);
    for _ in 0..(5 + author.chance.below(STEPS_MAX - 5)) {
        let step = author.step(&player);
        _ = player.step(&author.story, &step);
        author.story.steps.push(step);
    }
    author.story
}

struct Author {
    chance: Chance,
    story: Story,
}

/// A number's part in a named call.
struct Part {
    call: String,
    number: String,
    outside: bool,
    state: LegState,
}

impl Author {
    fn site(&mut self) {
        let site = &mut self.story.site;
        site.switch = "office".to_string();
        for dn in EXTENSIONS {
            let telephone = telephone(&mut self.chance, dn);
            site.numbers.push((dn.to_string(), Number::Extension(telephone)));
        }
        site.numbers.extend(OUTSIDE.map(|dn| (dn.to_string(), Number::Outside)));
        for dn in QUEUES {
            let queue = queue(&mut self.chance, dn);
            site.numbers.push((dn.to_string(), Number::AcdQueue(queue)));
        }
        let [point, queue] = ROUTES;
        site.numbers.push((point.to_string(), Number::RoutePoint));
        site.numbers.push((queue.to_string(), Number::RouteQueue));
        let members = EXTENSIONS.iter().take(3).map(|dn| (*dn).to_string()).collect();
        site.numbers.push((GROUP.to_string(), Number::RingGroup { members }));
        for (id, dn) in AGENTS.iter().zip(EXTENSIONS) {
            let agent = agent(&mut self.chance, id, dn);
            site.agents.push(agent);
        }
        site.options = options(&mut self.chance);
    }

    fn step(&mut self, player: &Player) -> Step {
        if self.chance.once_in(12) {
            return Step::Wait { ms: self.chance.pick(1_000, [5_000, 15_000, 30_000, 61_000]) };
        }
        if self.chance.once_in(25) {
            return self.nonsense();
        }
        let parts = parts(player);
        if parts.len() < 2 || self.chance.once_in(5) {
            return self.beginning();
        }
        if self.chance.once_in(8) {
            return self.besides(player);
        }
        if self.chance.once_in(8) {
            let change = directory::change(&mut self.chance, player);
            let device = self.one(&EXTENSIONS);
            return self.ask(&device, request::Ask::Change(Box::new(change)), None);
        }
        if let Some(step) = self.chance.once_in(3).then(|| self.routing(player)).flatten() {
            return step;
        }
        match parts.get(self.chance.below(parts.len())) {
            Some(part) if part.outside => self.outside(part),
            Some(part) => self.inside(part, &parts),
            None => self.beginning(),
        }
    }

    /// A call begins.
    fn beginning(&mut self) -> Step {
        let name = Some(self.new_name());
        let (from, outside) = (self.one(&EXTENSIONS), self.one(&OUTSIDE));
        let to = self.target();
        match self.chance.below(7) {
            0 | 1 => {
                let happening = Happening::Inbound { ani: outside.clone(), dnis: to.clone(), from: outside, to };
                Step::Now { happening, begins: name }
            }
            2 => Step::Now { happening: Happening::Dial { device: from, to }, begins: name },
            3 => {
                let queue = self.one(&PREDICTIVE);
                let machine = self.chance.once_in(2).then(|| from.clone());
                let targets = PredictiveTargets { person: None, machine, fax: None };
                let (ring_ms, user_data) = (20_000, self.data());
                self.ask(&queue, request::Ask::MakePredictiveCall { to: outside, ring_ms, user_data, targets }, name)
            }
            _ => {
                let user_data = self.data();
                self.ask(&from, request::Ask::MakeCall { to, user_data }, name)
            }
        }
    }

    /// Something about no call: agents, devices, supervisors.
    fn besides(&mut self, player: &Player) -> Step {
        let (device, other) = (self.one(&EXTENSIONS), self.one(&EXTENSIONS));
        let queue = self.chance.once_in(2).then(|| self.one(&QUEUES));
        let reasons = if self.chance.once_in(3) { self.data() } else { Pairs::new() };
        let mode = self.chance.pick(SuperviseMode::Listen, [SuperviseMode::Whisper, SuperviseMode::Barge]);
        let logged_in = player.rehearsal.world().agent_on(&device).is_some();
        let on = self.chance.once_in(2);
        let ask = match self.chance.below(15) {
            0 | 1 if logged_in => request::Ask::Logout { queue, reasons },
            0 | 1 => {
                let agent = self.one(&AGENTS);
                let mode = self.chance.pick(WorkMode::Unknown, [WorkMode::AutoIn, WorkMode::ManualIn]);
                request::Ask::Login { agent, queue, mode, reasons, wrapup_s: None }
            }
            2..=4 => {
                let mode = self.chance.pick(WorkMode::AutoIn, [WorkMode::ManualIn, WorkMode::ReturnBack]);
                request::Ask::Ready { queue, mode, reasons }
            }
            5 | 6 => {
                let mode = self.chance.pick(WorkMode::AuxWork, [WorkMode::AfterCallWork, WorkMode::WalkAway]);
                request::Ask::NotReady { queue, mode, reasons }
            }
            7 => request::Ask::Dnd { on },
            8 => {
                let others = [ForwardMode::OnBusy, ForwardMode::OnNoAnswer];
                let mode = self.chance.pick(ForwardMode::Unconditional, others);
                let to = if on { Some(self.target()) } else { None };
                request::Ask::Forward { mode, to }
            }
            9 => request::Ask::Messages { on },
            10 => {
                let scope = if on { MonitorScope::OneCall } else { MonitorScope::AllCalls };
                request::Ask::Monitor { target: other, scope, mode }
            }
            11 => request::Ask::MonitorEnd { target: other },
            12 => request::Ask::Supervise { target: other, mode },
            13 => request::Ask::Pickup { target: other },
            _ => {
                let out = player.rehearsal.world().devices.get(&device).is_some_and(|it| it.in_service == Some(false));
                let happening =
                    if out { Happening::BackInService { device } } else { Happening::OutOfService { device } };
                return Step::Now { happening, begins: None };
            }
        };
        self.ask(&device, ask, None)
    }

    /// Something about a call that waits for an instruction.
    fn routing(&mut self, player: &Player) -> Option<Step> {
        let waiting: Vec<(String, String, bool)> = player
            .under_way()
            .filter_map(|(name, id)| Some((name.to_string(), player.rehearsal.world().calls.get(&id)?)))
            .flat_map(|(name, call)| {
                let treated = |at: &String| call.routing.get(at).is_some_and(|routing| routing.treatment.is_some());
                call.routing.keys().map(move |at| (name.clone(), at.clone(), treated(at))).collect::<Vec<_>>()
            })
            .collect();
        let (name, at, treated) = waiting.get(self.chance.below(waiting.len()))?.clone();
        let call = self.story.call(&name);
        let to = self.target();
        Some(match self.chance.below(6) {
            0 if treated => {
                let at = At { number: at, call: name };
                Step::Now { happening: Happening::TreatmentEnd { at, digits: Some("12".to_string()) }, begins: None }
            }
            0 | 1 => {
                let others = [TreatmentKind::PlayAnnouncement, TreatmentKind::CollectDigits];
                let kind = self.chance.pick(TreatmentKind::Music, others);
                self.ask(&at, request::Ask::Treat { call, kind, parameters: Pairs::new() }, None)
            }
            2 => self.ask(&at, request::Ask::Route { call, to: None, kind: RouteKind::Reject }, None),
            _ => self.ask(&at, request::Ask::Route { call, to: Some(to), kind: RouteKind::Default }, None),
        })
    }

    /// What a party outside does.
    fn outside(&mut self, part: &Part) -> Step {
        let at = At { number: part.number.clone(), call: part.call.clone() };
        let happening = match (part.state, self.chance.below(8)) {
            (LegState::Ringing, 0 | 1) => Happening::Reach(at),
            (LegState::Ringing, 2) => {
                let others = [Cause::NoAnswer, Cause::Unallocated, Cause::Congestion];
                Happening::Fail { at, cause: self.chance.pick(Cause::Busy, others) }
            }
            (LegState::Ringing, _) => {
                let others = [CallResult::Person, CallResult::AnsweringMachine, CallResult::Fax];
                Happening::Answer { at, by: self.chance.pick(CallResult::Person, others) }
            }
            (
                LegState::New
                | LegState::Dialing
                | LegState::Connected
                | LegState::Held
                | LegState::Parked
                | LegState::Bridged
                | LegState::Ended,
                _,
            ) => Happening::HangUp(at),
        };
        Step::Now { happening, begins: None }
    }

    /// What somebody at a telephone of ours does or asks for.
    fn inside(&mut self, part: &Part, parts: &[Part]) -> Step {
        let (dn, call) = (part.number.as_str(), self.story.call(&part.call));
        let at = At { number: part.number.clone(), call: part.call.clone() };
        let to = self.target();
        let purpose = if self.chance.once_in(2) { Joining::Transfer } else { Joining::Conference };
        let on = self.chance.once_in(2);
        if part.state == LegState::Ringing || part.state == LegState::Bridged {
            return match self.chance.below(8) {
                0 => self.ask(dn, request::Ask::Redirect { call, to }, None),
                1 => self.ask(dn, request::Ask::Release { call }, None),
                2 | 3 => Step::Now { happening: Happening::Answer { at, by: CallResult::Person }, begins: None },
                _ => self.ask(dn, request::Ask::Answer { call }, None),
            };
        }
        let held = |other: &&Part| other.number == part.number && other.state == LegState::Held;
        if let Some(held) = parts.iter().find(held).filter(|held| held.call != part.call) {
            let held = self.story.call(&held.call);
            let ask = match self.chance.below(8) {
                0 => request::Ask::Alternate { call, held },
                1 => request::Ask::Reconnect { call, held },
                2 => request::Ask::Merge { call, held, purpose },
                _ => request::Ask::Complete { call, held, purpose },
            };
            return self.ask(dn, ask, None);
        }
        if part.state == LegState::Held && !self.chance.once_in(4) {
            return self.ask(dn, request::Ask::Retrieve { call }, None);
        }
        let who = parts.get(self.chance.below(parts.len())).map_or(NOBODY, |other| &other.number).to_string();
        match self.chance.below(18) {
            0..=4 => {
                let (name, user_data) = (Some(self.new_name()), self.data());
                self.ask(dn, request::Ask::Consult { call, to, purpose, user_data }, name)
            }
            5 => {
                let user_data = self.data();
                self.ask(dn, request::Ask::SingleStep { call, to, purpose, user_data }, None)
            }
            6 => {
                let (name, user_data) = (Some(self.new_name()), self.data());
                self.ask(dn, request::Ask::MuteTransfer { call, to, user_data }, name)
            }
            7 | 8 => self.ask(dn, request::Ask::Hold { call }, None),
            9 => self.ask(dn, request::Ask::Mute { call, on }, None),
            10 => self.ask(dn, request::Ask::Listen { call, who, on }, None),
            11 => self.ask(dn, request::Ask::DropParty { call, who }, None),
            12 => {
                let ask = request::Ask::ChangeData { call, set: self.data(), removed: Vec::new(), all: on };
                self.ask(dn, ask, None)
            }
            13 => self.ask(dn, request::Ask::Park { call, space: on.then(|| "801".to_string()) }, None),
            14 => self.ask(dn, request::Ask::Unpark { space: "801".to_string() }, None),
            15 => Step::Now { happening: Happening::HangUp(at), begins: None },
            16 => self.ask(dn, request::Ask::Clear { call }, None),
            _ => self.ask(dn, request::Ask::Release { call }, None),
        }
    }

    /// What nobody in his right mind would ask for.
    fn nonsense(&mut self) -> Step {
        let device = if self.chance.once_in(3) { NOBODY.to_string() } else { self.target() };
        let calls = self.story.calls.len();
        if calls == 0 {
            return self.ask(&device, request::Ask::Register, None);
        }
        let call = ConnId(1 + self.chance.below(calls) as u64);
        let held = ConnId(1 + self.chance.below(calls) as u64);
        let name = self.story.name(call).to_string();
        let ask = match self.chance.below(10) {
            0 => request::Ask::Answer { call },
            1 => request::Ask::Complete { call, held, purpose: Joining::Transfer },
            2 => request::Ask::Merge { call, held, purpose: Joining::Conference },
            3 => request::Ask::Alternate { call, held },
            4 => request::Ask::Route { call, to: Some(NOBODY.to_string()), kind: RouteKind::Target },
            5 => request::Ask::Redirect { call, to: device.clone() },
            6 => request::Ask::Unpark { space: "899".to_string() },
            7 => request::Ask::Tones { call, digits: "1#".to_string() },
            8 => {
                let at = At { number: device, call: name };
                return Step::Now { happening: Happening::Answer { at, by: CallResult::Fax }, begins: None };
            }
            _ => {
                let at = At { number: device, call: name };
                return Step::Now { happening: Happening::TreatmentEnd { at, digits: None }, begins: None };
            }
        };
        self.ask(&device, ask, None)
    }

    fn ask(&mut self, device: &str, ask: request::Ask, begins: Option<String>) -> Step {
        Step::Ask(Ask { client: None, reference: None, device: device.to_string(), ask, begins })
    }

    fn new_name(&mut self) -> String {
        let name = format!("c{}", self.story.calls.len() + 1);
        self.story.call(&name);
        name
    }

    fn target(&mut self) -> String {
        match self.chance.below(16) {
            0..=6 => self.one(&EXTENSIONS),
            7..=9 => self.one(&QUEUES),
            10 | 11 => self.one(&ROUTES),
            12 | 13 => self.one(&OUTSIDE),
            14 => GROUP.to_string(),
            _ => NOBODY.to_string(),
        }
    }

    fn one(&mut self, of: &[&str]) -> String {
        one(&mut self.chance, of)
    }

    fn data(&mut self) -> Pairs {
        match self.chance.below(4) {
            0 => Pairs::from([("Order".to_string(), Datum::from("4711"))]),
            1 => {
                Pairs::from([("Level".to_string(), Datum::Integer(2)), ("Note".to_string(), Datum::from("two words"))])
            }
            _ => Pairs::new(),
        }
    }
}

fn one(chance: &mut Chance, of: &[&str]) -> String {
    of.get(chance.below(of.len())).copied().unwrap_or_default().to_string()
}

/// Everybody's part in named calls.
fn parts(player: &Player) -> Vec<Part> {
    let of = |(name, id): (&str, CallId)| {
        let call = player.rehearsal.world().calls.get(&id);
        let part =
            |number: &str, outside, state| Part { call: name.to_string(), number: number.to_string(), outside, state };
        let legs = call.into_iter().flat_map(|call| call.living());
        legs.map(|(_, leg)| part(&leg.number, leg.outside, leg.state)).collect::<Vec<_>>()
    };
    player.under_way().flat_map(of).collect()
}

fn telephone(chance: &mut Chance, dn: &str) -> Telephone {
    let forward = if chance.once_in(6) {
        let others = [ForwardMode::OnNoAnswer, ForwardMode::OnBusyAndNoAnswer];
        let mode = chance.pick(ForwardMode::Unconditional, others);
        // Nobody forwards to the own number; a request to do so is refused, a configuration of it would be a mistake.
        Vec::from_iter(Some((mode, one(chance, &EXTENSIONS))).filter(|(_, to)| to != dn))
    } else {
        Vec::new()
    };
    let appearance_of = chance.once_in(12).then(|| one(chance, &EXTENSIONS)).filter(|other| other != dn);
    Telephone {
        busy: chance.once_in(20),
        dnd: chance.once_in(20),
        out_of_service: chance.once_in(20),
        single_call: chance.once_in(6),
        forward,
        no_answer_ms: chance.once_in(3).then_some(15_000),
        alert_delay_ms: if chance.once_in(8) { 3_000 } else { 0 },
        auto_answer: chance.once_in(8),
        appearance_of,
    }
}

fn queue(chance: &mut Chance, dn: &str) -> AcdQueue {
    let [first, second] = QUEUES;
    let other = if dn == first { second } else { first }.to_string();
    AcdQueue {
        overflow_to: if chance.once_in(4) { vec![other.clone()] } else { Vec::new() },
        overflow_after: chance.once_in(5).then_some((20_000, other)),
        leave_after: chance.once_in(5).then(|| (45_000, one(chance, &EXTENSIONS))),
        no_answer_ms: chance.once_in(2).then_some(12_000),
        no_answer_not_ready: chance.once_in(2),
        priority: if chance.once_in(3) { 3 } else { 0 },
        skills: if chance.once_in(5) { vec!["spanish".to_string()] } else { Vec::new() },
    }
}

fn agent(chance: &mut Chance, id: &str, dn: &str) -> AgentPlan {
    let skipped = chance.below(QUEUES.len() + 1);
    let queues =
        QUEUES.iter().enumerate().filter(|(place, _)| *place != skipped).map(|(_, queue)| (*queue).to_string());
    let logged_in = !chance.once_in(4);
    AgentPlan {
        id: id.to_string(),
        name: String::new(),
        device: logged_in.then(|| dn.to_string()),
        queues: queues.collect(),
        ready: logged_in && !chance.once_in(3),
        mode: chance.pick(WorkMode::AutoIn, [WorkMode::ManualIn]),
        wrapup: chance.pick(WrapUpPlan::None, [WrapUpPlan::Timed { ms: 20_000 }, WrapUpPlan::Untimed]),
        skills: if chance.once_in(2) { vec![("spanish".to_string(), 4)] } else { Vec::new() },
    }
}

fn options(chance: &mut Chance) -> Options {
    let default_target = chance.once_in(3).then(|| one(chance, &EXTENSIONS));
    Options {
        route_ms: default_target.as_ref().map(|_| 10_000),
        default_target,
        treatments: !chance.once_in(6),
        hook_events: chance.once_in(4),
        strict_agents: chance.once_in(4),
        consult_data: chance.pick(ConsultData::Separate, [ConsultData::Inherited, ConsultData::Joint]),
        merged_data: chance.pick(MergedData::MainOnly, [MergedData::ConsultOnly, MergedData::ConsultOverMain]),
        legal_guard_ms: if chance.once_in(5) { 5_000 } else { 0 },
        logout_when_out_of_service: chance.once_in(4),
        login_on_call: !chance.once_in(4),
        auto_logout_ms: if chance.once_in(6) { 40_000 } else { 0 },
        calls_max: if chance.once_in(8) { 3 } else { 10_000 },
        ..Options::default()
    }
}
