//! What people do, one scene at a time.

use cordboard_core::event::{
    CallResult, Cause, MonitorScope, Pairs, RouteKind, SuperviseMode, TreatmentKind, WorkMode,
};
use cordboard_core::request::{Ask, Joining, Order, OrderCall, PredictiveTargets};
use cordboard_core::{ConnId, Time};

use super::agenda::{Act, Agenda, Then};
use super::cast::{Cast, Leg};
use super::{BY_HAND, day, site};
use crate::Switch;
use crate::boxed::{At, Boxed, Happening};

/// Why people take a break, and for how long at least and at most, in milliseconds.
const BREAKS: &[(&str, u64, u64)] = &[
    ("Coffee", 180_000, 480_000),
    ("Lunch", 900_000, 1_800_000),
    ("Meeting", 600_000, 1_500_000),
    ("Training", 600_000, 1_200_000),
];
/// What the menu says first.
const GREETING: &str = "Sales 1, service 2, billing 3, technical help 4, orders 5";

/// Whom a conversation is between, and when it began to be planned.
struct Talk<'a> {
    now: Time,
    call: &'a str,
    device: &'a str,
}

impl Cast {
    /// Somebody does what was planned, if it can still be done.
    pub(super) fn play(&mut self, now: Time, act: Act, switch: &mut Boxed, agenda: &mut Agenda) {
        match act {
            Act::Call => self.arrive(now, switch, agenda),
            Act::Arrive => {
                self.arrive(now, switch, agenda);
                let mean_ms = day::between_calls_ms(day::minute(self.begun, now));
                agenda.plan(now.plus_ms(self.chance.wait_ms(mean_ms)), Act::Arrive);
            }
            Act::Key { call } => self.key(now, call, switch, agenda),
            Act::Route { call, digit } => {
                let to = site::DESKS.iter().find(|desk| desk.digit == digit).map(|desk| desk.number.to_owned());
                let ask = Ask::Route { call: ANY, to, kind: RouteKind::Default };
                self.does(now, site::MENU, ask, [Some(&call), None], switch);
            }
            Act::GiveUp { call } => self.give_up(now, &call, switch, agenda),
            Act::Answer { call, device } => {
                happens(now, switch, Happening::Answer { at: at(device, call), by: CallResult::Person })
            }
            Act::Reach { call, number } => happens(now, switch, Happening::Reach(at(number, call))),
            Act::AnswerOutside { call, number } => {
                let by = if self.chance.permille(60) { CallResult::AnsweringMachine } else { CallResult::Person };
                happens(now, switch, Happening::Answer { at: at(number, call), by });
            }
            Act::FailOutside { call, number } => {
                let cause = if self.chance.once_in(3) { Cause::Unallocated } else { Cause::Busy };
                happens(now, switch, Happening::Fail { at: at(number, call), cause });
            }
            Act::StopDialling { call, device } => {
                if self.leg_at(&call, &device).is_some_and(|leg| !leg.talks) && !self.is_served(&call) {
                    happens(now, switch, Happening::HangUp(at(device, call)));
                }
            }
            Act::End { call, device, by_caller } => self.end(now, call, device, by_caller, switch),
            Act::Hold { call, device } => self.does(now, &device, Ask::Hold { call: ANY }, [Some(&call), None], switch),
            Act::Retrieve { call, device } => {
                self.does(now, &device, Ask::Retrieve { call: ANY }, [Some(&call), None], switch);
            }
            Act::Consult { call, device, then } => self.consult(now, &call, &device, then, switch, agenda),
            Act::Then { call, device, then } => self.then(now, &call, &device, then, switch, agenda),
            Act::SendOn { call, device } => {
                let to = self.desk();
                let ask = Ask::SingleStep { call: ANY, to, purpose: Joining::Transfer, user_data: Pairs::new() };
                self.does(now, &device, ask, [Some(&call), None], switch);
            }
            Act::Mute { call, device, on } => {
                self.does(now, &device, Ask::Mute { call: ANY, on }, [Some(&call), None], switch);
            }
            Act::Park { call, device } => {
                self.does(now, &device, Ask::Park { call: ANY, space: None }, [Some(&call), None], switch);
            }
            Act::Wander { agent } => self.wander(now, agent, switch, agenda),
            Act::Return { agent } => {
                self.breaks.remove(&agent);
                self.ready(now, agent, switch);
            }
            Act::Clock => self.clock(now, switch, agenda),
            Act::Watch { supervisor } => self.watch(now, supervisor, switch, agenda),
            Act::Break => self.fail(now, switch, agenda),
            Act::Mend { device } => happens(now, switch, Happening::BackInService { device }),
            Act::CallBack { number, queue } => {
                let targets = PredictiveTargets::default();
                let ask = Ask::MakePredictiveCall { to: number, ring_ms: 25_000, user_data: Pairs::new(), targets };
                self.does(now, &queue, ask, [None, None], switch);
            }
        }
    }

    /// Somebody calls: mostly the menu, some a queue, few a person.
    fn arrive(&mut self, now: Time, switch: &mut Boxed, agenda: &mut Agenda) {
        let from = self.outside_number();
        let to = match self.chance.below(20) {
            0 => {
                site::EXPERTS.get(self.chance.below(site::EXPERTS.len())).map_or(site::MENU, |number| number).to_owned()
            }
            1..=4 => self.desk(),
            _ => site::MENU.to_owned(),
        };
        let dnis = format!("{}35893158{to}", site::OUTSIDE_PREFIX);
        let (is_menu, ani) = (to == site::MENU, from.clone());
        if let Ok(Some(call)) = switch.happen(now, &Happening::Inbound { from, to, ani, dnis }) {
            if is_menu {
                let parameters = Pairs::from([("TEXT".to_owned(), GREETING.into())]);
                let ask = Ask::Treat { call: ANY, kind: TreatmentKind::PlayAnnouncementAndDigits, parameters };
                switch.handle_order(now, &order(site::MENU, ask, [Some((call.clone(), None)), None], None));
            } else {
                agenda.plan(now.plus_ms(30_000 + self.chance.wait_ms(30_000)), Act::GiveUp { call });
            }
        }
    }

    /// A caller chooses, or hangs up on the menu.
    fn key(&mut self, now: Time, call: String, switch: &mut Boxed, agenda: &mut Agenda) {
        if self.chance.permille(40) {
            return self.give_up(now, &call, switch, agenda);
        }
        let desk = site::DESKS.get(self.chance.below(site::DESKS.len()));
        let Some(digit) = desk.map(|desk| desk.digit) else { return };
        let digits = Some(digit.to_owned());
        happens(now, switch, Happening::TreatmentEnd { at: at(site::MENU.to_owned(), call.clone()), digits });
        agenda.plan(now.plus_ms(150), Act::Route { call, digit });
    }

    /// Some of those who give up in a queue are called back.
    fn give_up(&mut self, now: Time, call: &str, switch: &mut Boxed, agenda: &mut Agenda) {
        let Some(note) = self.calls.get(call).filter(|note| !note.served) else { return };
        let Some(number) = note.outside().map(|leg| leg.number.clone()) else { return };
        let queue = note.queue.clone();
        happens(now, switch, Happening::HangUp(at(number.clone(), call.to_owned())));
        if let Some(queue) = queue.filter(|_| self.chance.once_in(4)) {
            agenda.plan(now.plus_ms(self.chance.ms(60_000, 240_000)), Act::CallBack { number, queue });
        }
    }

    /// A telephone was answered: what will the talk be like?
    pub(super) fn answered(&mut self, now: Time, call: &str, leg: &Leg, agenda: &mut Agenda) {
        let Some(note) = self.calls.get_mut(call) else { return };
        let first = !std::mem::replace(&mut note.served, true);
        let about = note.about.clone();
        let caller = note.legs.values().find(|other| other.caller && !other.outside).map(|leg| leg.number.clone());
        if let Some((main, then)) = about {
            // The consulted side has answered: who asked does what it was about.
            let device = caller.unwrap_or_default();
            let after_ms = self.chance.ms(4_000, 15_000);
            return agenda.plan(now.plus_ms(after_ms), Act::Then { call: main, device, then });
        }
        if leg.outside || !first {
            let device = caller.unwrap_or_default();
            let talk_ms = 10_000 + self.chance.wait_ms(50_000);
            let by_caller = self.chance.once_in(2);
            return agenda.plan(now.plus_ms(talk_ms), Act::End { call: call.to_owned(), device, by_caller });
        }
        self.converse(&Talk { now, call, device: &leg.number }, agenda);
    }

    /// Most calls are talk and nothing else.
    fn converse(&mut self, talk: &Talk<'_>, agenda: &mut Agenda) {
        let Talk { now, call, device } = *talk;
        let (call, device) = (call.to_owned(), device.to_owned());
        let first_ms = 8_000 + self.chance.wait_ms(35_000);
        let then_ms = first_ms + 15_000 + self.chance.wait_ms(45_000);
        let soon = now.plus_ms(first_ms);
        let end = |by_caller| Act::End { call: call.clone(), device: device.clone(), by_caller };
        let consult = |then| Act::Consult { call: call.clone(), device: device.clone(), then };
        match self.chance.below(100) {
            0..62 => {}
            62..74 => {
                agenda.plan(soon, Act::Hold { call: call.clone(), device: device.clone() });
                let back = now.plus_ms(first_ms + self.chance.ms(6_000, 14_000));
                agenda.plan(back, Act::Retrieve { call: call.clone(), device: device.clone() });
            }
            74..78 => return agenda.plan(soon, Act::SendOn { call: call.clone(), device: device.clone() }),
            78..83 => agenda.plan(soon, consult(Then::Transfer)),
            83..86 => agenda.plan(soon, consult(Then::TransferAtOnce)),
            86..90 => agenda.plan(soon, consult(Then::Conference)),
            90..93 => agenda.plan(soon, consult(Then::Return)),
            93..95 => agenda.plan(soon, consult(Then::Alternate)),
            95..97 => {
                agenda.plan(soon, Act::Mute { call: call.clone(), device: device.clone(), on: true });
                let back = now.plus_ms(first_ms + self.chance.ms(3_000, 8_000));
                agenda.plan(back, Act::Mute { call: call.clone(), device: device.clone(), on: false });
            }
            97 => return agenda.plan(soon, Act::Park { call: call.clone(), device: device.clone() }),
            _ => {
                // Loses patience on hold.
                agenda.plan(soon, Act::Hold { call: call.clone(), device: device.clone() });
                return agenda.plan(now.plus_ms(first_ms + self.chance.ms(15_000, 40_000)), end(true));
            }
        }
        let by_caller = self.chance.permille(600);
        agenda.plan(now.plus_ms(then_ms), end(by_caller));
    }

    /// Whoever is still there hangs up; a call in the middle of something goes on a while.
    fn end(&mut self, now: Time, call: String, device: String, by_caller: bool, switch: &mut Boxed) {
        let Some(note) = self.calls.get(&call) else { return };
        let outside = note.outside().map(|leg| leg.number.clone());
        let number = match outside {
            Some(outside) if by_caller || note.leg_of(&device).is_none() => outside,
            Some(_) => device,
            None if note.leg_of(&device).is_some() => device,
            None => match note.legs.values().next() {
                Some(leg) => leg.number.clone(),
                None => return,
            },
        };
        happens(now, switch, Happening::HangUp(at(number, call)));
    }

    fn consult(&mut self, now: Time, call: &str, device: &str, then: Then, switch: &mut Boxed, agenda: &mut Agenda) {
        let to = if then == Then::TransferAtOnce || self.chance.once_in(3) { self.desk() } else { self.expert() };
        let purpose = if then == Then::Conference { Joining::Conference } else { Joining::Transfer };
        let ask = Ask::Consult { call: ANY, to, purpose, user_data: Pairs::new() };
        self.wanted = Some(then);
        self.does(now, device, ask, [Some(call), None], switch);
        let (main, device) = (call.to_owned(), device.to_owned());
        if then == Then::TransferAtOnce {
            let after_ms = self.chance.ms(1_500, 4_000);
            return agenda.plan(now.plus_ms(after_ms), Act::Then { call: main, device, then: Then::Transfer });
        }
        // Nobody there: back to the caller.
        agenda.plan(now.plus_ms(25_000), Act::Then { call: main, device, then: Then::Return });
    }

    fn then(&mut self, now: Time, main: &str, device: &str, then: Then, switch: &mut Boxed, agenda: &mut Agenda) {
        let about = |(_, note): &(&String, &super::cast::Call)| {
            note.about.as_ref().is_some_and(|(call, _)| call == main) && note.leg_of(device).is_some()
        };
        let Some(consult) = self.calls.iter().find(about).map(|(key, _)| key.clone()) else { return };
        let both = [Some(consult.as_str()), Some(main)];
        let complete = |purpose| Ask::Complete { call: ANY, held: ANY, purpose };
        match then {
            Then::Transfer | Then::TransferAtOnce => self.does(now, device, complete(Joining::Transfer), both, switch),
            Then::Conference => {
                self.does(now, device, complete(Joining::Conference), both, switch);
                let (call, device) = (main.to_owned(), device.to_owned());
                let by_caller = self.chance.once_in(2);
                agenda.plan(now.plus_ms(self.chance.ms(15_000, 60_000)), Act::End { call, device, by_caller });
            }
            Then::Return => self.does(now, device, Ask::Reconnect { call: ANY, held: ANY }, both, switch),
            Then::Alternate => {
                self.does(now, device, Ask::Alternate { call: ANY, held: ANY }, both, switch);
                let call = main.to_owned();
                // Now the consultation waits: the caller's call is the current one.
                agenda.plan(
                    now.plus_ms(self.chance.ms(4_000, 9_000)),
                    Act::End { call: consult, device: device.to_owned(), by_caller: false },
                );
                let device = device.to_owned();
                agenda.plan(now.plus_ms(self.chance.ms(20_000, 60_000)), Act::End { call, device, by_caller: true });
            }
        }
    }

    /// Takes a break, calls somebody outside, asks a colleague, or does nothing.
    fn wander(&mut self, now: Time, agent: usize, switch: &mut Boxed, agenda: &mut Agenda) {
        agenda.plan(now.plus_ms(120_000 + self.chance.wait_ms(240_000)), Act::Wander { agent });
        let Some(device) = self.free(agent, now) else { return };
        match self.chance.below(10) {
            0 | 1 => {
                let Some((why, from, to)) = self.chance.one_of(BREAKS).copied() else { return };
                self.breaks.insert(agent);
                let reasons = Pairs::from([("Break".to_owned(), why.into())]);
                self.does(
                    now,
                    &device,
                    Ask::NotReady { queue: None, mode: WorkMode::AuxWork, reasons },
                    [None, None],
                    switch,
                );
                agenda.plan(now.plus_ms(self.chance.ms(from, to)), Act::Return { agent });
            }
            2 | 3 => self.dial(now, device, true, switch, agenda),
            4 => self.dial(now, device, false, switch, agenda),
            _ => {}
        }
    }

    fn dial(&mut self, now: Time, device: String, outside: bool, switch: &mut Boxed, agenda: &mut Agenda) {
        let to = if outside { self.outside_number() } else { self.expert() };
        if let Ok(Some(call)) = switch.happen(now, &Happening::Dial { device: device.clone(), to }) {
            agenda.plan(now.plus_ms(self.chance.ms(12_000, 35_000)), Act::StopDialling { call, device });
        }
    }

    fn ready(&mut self, now: Time, agent: usize, switch: &mut Boxed) {
        let Some(agent) = self.agents.get(agent) else { return };
        let ask = Ask::Ready { queue: None, mode: WorkMode::AutoIn, reasons: Pairs::new() };
        switch.handle_order(now, &order(&agent.device, ask, [None, None], Some(agent.id.clone())));
    }

    /// Who should work now logs in, and who should not logs out as soon as there is no call at the telephone.
    fn clock(&mut self, now: Time, switch: &mut Boxed, agenda: &mut Agenda) {
        agenda.plan(now.plus_ms(60_000), Act::Clock);
        let minute = day::minute(self.begun, now);
        let before = day::minute(self.begun, Time(now.0.saturating_sub(60_000_000)));
        for (at, agent) in self.agents.iter().enumerate() {
            let (works, worked) = (day::works(at, minute), day::works(at, before));
            let ask = match (worked, works) {
                (false, true) => Ask::Login {
                    agent: agent.id.clone(),
                    queue: None,
                    mode: WorkMode::AutoIn,
                    reasons: Pairs::new(),
                    wrapup_s: None,
                },
                (_, false) if !self.busy(&agent.device) => Ask::Logout { queue: None, reasons: Pairs::new() },
                (_, _) => continue,
            };
            switch.handle_order(now, &order(&agent.device, ask, [None, None], Some(agent.id.clone())));
        }
    }

    fn watch(&mut self, now: Time, supervisor: usize, switch: &mut Boxed, agenda: &mut Agenda) {
        agenda.plan(now.plus_ms(60_000 + self.chance.wait_ms(120_000)), Act::Watch { supervisor });
        let Some(device) = site::SUPERVISORS.get(supervisor).copied() else { return };
        let Some(target) = self.chance.one_of(&self.agents).map(|agent| agent.device.clone()) else { return };
        let mode = self.chance.pick(SuperviseMode::Listen, [SuperviseMode::Whisper, SuperviseMode::Barge]);
        let ask = if self.busy(&target) {
            Ask::Supervise { target, mode }
        } else {
            Ask::Monitor { target, scope: MonitorScope::OneCall, mode: SuperviseMode::Listen }
        };
        self.does(now, device, ask, [None, None], switch);
    }

    /// Now and then a telephone fails for a moment.
    fn fail(&mut self, now: Time, switch: &mut Boxed, agenda: &mut Agenda) {
        agenda.plan(now.plus_ms(self.chance.ms(600_000, 1_800_000)), Act::Break);
        let Some(device) = self.chance.one_of(&self.agents).map(|agent| agent.device.clone()) else { return };
        happens(now, switch, Happening::OutOfService { device: device.clone() });
        agenda.plan(now.plus_ms(self.chance.ms(10_000, 60_000)), Act::Mend { device });
    }

    /// Presses keys on a telephone.
    fn does(&mut self, now: Time, device: &str, ask: Ask, calls: [Option<&str>; 2], switch: &mut Boxed) {
        let named = calls.map(|call| {
            let call = call?;
            let leg = self.calls.get(call)?.leg_of(device).map(|(key, _)| key.clone());
            Some((call.to_owned(), leg))
        });
        let agent = self.agents.iter().find(|agent| agent.device == device).map(|agent| agent.id.clone());
        switch.handle_order(now, &order(device, ask, named, agent));
    }

    /// The device of an agent who works now and has no call.
    fn free(&self, agent: usize, now: Time) -> Option<String> {
        let device = &self.agents.get(agent)?.device;
        (day::works(agent, day::minute(self.begun, now)) && !self.busy(device)).then(|| device.clone())
    }

    fn busy(&self, device: &str) -> bool {
        self.calls.values().any(|call| call.leg_of(device).is_some())
    }

    fn leg_at(&self, call: &str, device: &str) -> Option<&Leg> {
        self.calls.get(call)?.leg_of(device).map(|(_, leg)| leg)
    }

    fn is_served(&self, call: &str) -> bool {
        self.calls.get(call).is_some_and(|call| call.served)
    }

    fn desk(&mut self) -> String {
        self.chance.one_of(site::DESKS).map_or(site::MENU, |desk| desk.number).to_owned()
    }

    fn expert(&mut self) -> String {
        self.chance.one_of(site::EXPERTS).copied().unwrap_or(site::MENU).to_owned()
    }

    fn outside_number(&mut self) -> String {
        format!("{}35840{:07}", site::OUTSIDE_PREFIX, self.chance.below(10_000_000))
    }
}

/// Calls are named in the switch's own words here; what applications call them does not matter.
const ANY: ConnId = ConnId(0);

fn order(device: &str, ask: Ask, calls: [Option<(String, Option<String>)>; 2], agent: Option<String>) -> Order {
    let [call, held] = calls.map(|named| named.map(|(call, leg)| OrderCall { call, leg }));
    Order { request: BY_HAND, device: device.to_owned(), ask, call, held, agent }
}

fn at(number: String, call: String) -> At {
    At { number, call }
}

/// What people try and cannot do changes nothing: the call may be over by now.
fn happens(now: Time, switch: &mut Boxed, happening: Happening) {
    _ = switch.happen(now, &happening);
}
