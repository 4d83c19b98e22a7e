//! Where a dialled number leads: telephones, forwarding, groups, queues and the outside.

use std::collections::BTreeSet;

use cordboard_core::call::LegState;
use cordboard_core::event::{Cause, ForwardMode, Role};
use cordboard_core::request::Refusal;

use super::calls::{CallNo, LegNo};
use super::timers::Timer;
use super::{AcdQueue, Boxed, Number, Refused, Telephone, refuse};

/// Forwardings that one call follows at most.
const FORWARDINGS_MAX: usize = 10;

/// A telephone.
#[derive(Debug, Default)]
pub(super) struct Phone {
    pub(super) settings: Telephone,
    /// Telephones that are appearances of this number.
    pub(super) appearances: Vec<String>,
    pub(super) legs: BTreeSet<LegNo>,
    /// The agent who works here.
    pub(super) agent: Option<String>,
    pub(super) off_hook: bool,
    pub(super) messages: bool,
}

/// How a call comes to a target.
#[derive(Debug, Clone, Default)]
pub(super) struct Via {
    /// A call that this one is joined with at once: its parties are not called either.
    pub(super) besides: Option<CallNo>,
    /// The device that brings the target in.
    pub(super) by: Option<String>,
    /// The queue or route point that sends it.
    pub(super) queue: Option<String>,
    /// Alerted together with others.
    pub(super) set: Option<u64>,
    /// The others are appearances of the same number.
    pub(super) shared: bool,
    /// The place in its queue that the call had when it was offered.
    pub(super) offered: Option<u64>,
}

impl Via {
    /// The calls whose parties are not called.
    fn calls(&self, call: CallNo) -> Vec<CallNo> {
        std::iter::once(call).chain(self.besides).collect()
    }
}

/// A telephone that is called but not alerted yet.
#[derive(Debug)]
pub(super) struct Alert {
    pub(super) call: CallNo,
    pub(super) device: String,
    pub(super) via: Via,
}

/// What a number leads to.
enum Aim {
    Phone(String),
    Group(Vec<String>),
    Outside(String),
    Queue(String),
    RouteQueue(String),
    RoutePoint(String),
}

impl Boxed {
    /// Whether a number can be dialled at all.
    pub(super) fn exists(&self, number: &str) -> bool {
        self.phones.contains_key(number) || self.numbers.contains_key(number) || self.is_outside(number)
    }

    /// Whether a number is one in the public network.
    pub(super) fn is_outside(&self, number: &str) -> bool {
        match self.numbers.get(number) {
            Some(Number::Outside) => true,
            Some(_) => false,
            None if number.is_empty() || self.phones.contains_key(number) => false,
            None => self
                .options
                .outside_prefix
                .as_ref()
                .is_some_and(|prefix| number.starts_with(prefix) || number.chars().count() > self.longest),
        }
    }

    /// Whether calls wait at this number, for agents or for a routing instruction.
    pub(super) fn is_queue(&self, number: &str) -> bool {
        match self.numbers.get(number) {
            Some(Number::AcdQueue(_) | Number::RouteQueue | Number::RoutePoint) => true,
            Some(Number::Extension(_) | Number::Outside | Number::RingGroup { .. }) | None => false,
        }
    }

    pub(super) fn acd_queue(&self, number: &str) -> Option<&AcdQueue> {
        match self.numbers.get(number)? {
            Number::AcdQueue(queue) => Some(queue),
            Number::Extension(_)
            | Number::Outside
            | Number::RouteQueue
            | Number::RoutePoint
            | Number::RingGroup { .. } => None,
        }
    }

    /// Sends a call to a number, or says that it cannot be called.
    pub(super) fn send(&mut self, call: CallNo, to: &str, mut via: Via) {
        let (aim, forwarder) = match self.aim(to, &via.calls(call)) {
            Ok(found) => found,
            Err(cause) => return self.refused(call, to, cause),
        };
        via.by = forwarder.or(via.by);
        match aim {
            Aim::Phone(device) => self.alert_all(call, vec![device], via),
            Aim::Group(members) => self.alert_group(call, members, via),
            Aim::Outside(number) => {
                self.add_leg(call, &number, Role::Destination, LegState::Ringing, via);
            }
            Aim::Queue(queue) => self.enter_queue(call, &queue, None),
            Aim::RouteQueue(queue) => self.ask_for_route(call, &queue, true),
            Aim::RoutePoint(point) => self.ask_for_route(call, &point, false),
        }
    }

    /// Whether a call can be sent to a number now; for requests that leave everything as it is where it cannot.
    pub(super) fn can_reach(&self, call: CallNo, to: &str) -> Result<(), Refused> {
        self.can_dial(to)?;
        match self.aim(to, &[call]) {
            Ok(_) => Ok(()),
            Err(cause) => {
                refuse(Refusal::InvalidNumber, format!("{to} cannot be called now ({cause:?}); choose another number"))
            }
        }
    }

    /// Where a number leads, and the last telephone that forwards there. Nobody is called who takes part in these calls.
    fn aim(&self, to: &str, calls: &[CallNo]) -> Result<(Aim, Option<String>), Cause> {
        let mut number = to.to_string();
        let mut forwarder = None;
        for _ in 0..=FORWARDINGS_MAX {
            let Some(phone) = self.phones.get(&number) else {
                return self.aim_elsewhere(number, calls).map(|aim| (aim, forwarder));
            };
            let busy = self.can_ring_for(calls, &number) == Err(Cause::Busy);
            let target = forward(&phone.settings, ForwardMode::Unconditional)
                .or_else(|| forward(&phone.settings, ForwardMode::OnBusy).filter(|_| busy))
                .or_else(|| forward(&phone.settings, ForwardMode::OnBusyAndNoAnswer).filter(|_| busy));
            match target {
                Some(target) => forwarder = Some(std::mem::replace(&mut number, target)),
                None if busy => return Err(Cause::Busy),
                None => {
                    self.can_ring(&number)?;
                    return Ok((Aim::Phone(number), forwarder));
                }
            }
        }
        Err(Cause::Congestion) // forwarded in a circle
    }

    fn aim_elsewhere(&self, number: String, calls: &[CallNo]) -> Result<Aim, Cause> {
        match self.numbers.get(&number) {
            Some(Number::Outside) => Ok(Aim::Outside(number)),
            Some(Number::AcdQueue(_)) => Ok(Aim::Queue(number)),
            Some(Number::RouteQueue) => Ok(Aim::RouteQueue(number)),
            Some(Number::RoutePoint) => Ok(Aim::RoutePoint(number)),
            Some(Number::RingGroup { members }) => {
                let free: Vec<String> =
                    members.iter().filter(|member| self.can_ring_for(calls, member).is_ok()).cloned().collect();
                if free.is_empty() { Err(Cause::Busy) } else { Ok(Aim::Group(free)) }
            }
            Some(Number::Extension(_)) | None if self.is_outside(&number) => Ok(Aim::Outside(number)),
            Some(Number::Extension(_)) | None => Err(Cause::Unallocated),
        }
    }

    /// Whether a telephone takes a call now.
    pub(super) fn can_ring(&self, device: &str) -> Result<(), Cause> {
        let Some(phone) = self.phones.get(device) else { return Err(Cause::Unallocated) };
        let settings = &phone.settings;
        if settings.out_of_service {
            return Err(Cause::Unreachable);
        }
        let taken = settings.single_call && !phone.legs.is_empty();
        if settings.busy || settings.dnd || taken { Err(Cause::Busy) } else { Ok(()) }
    }

    /// Whether it does where it takes part in none of these calls yet.
    fn can_ring_for(&self, calls: &[CallNo], device: &str) -> Result<(), Cause> {
        self.can_ring(device)?;
        if calls.iter().any(|call| self.leg_at(*call, device).is_some()) { Err(Cause::Busy) } else { Ok(()) }
    }

    /// Where an unanswered call goes from a telephone, when it can.
    pub(super) fn forwards_unanswered(&self, call: CallNo, device: &str) -> Option<String> {
        let settings = &self.phones.get(device)?.settings;
        let target =
            forward(settings, ForwardMode::OnNoAnswer).or_else(|| forward(settings, ForwardMode::OnBusyAndNoAnswer))?;
        self.aim(&target, &[call]).is_ok().then_some(target)
    }

    fn alert_group(&mut self, call: CallNo, members: Vec<String>, mut via: Via) {
        via.set = Some(self.next());
        self.alert_all(call, members, via);
    }

    /// Alerts telephones, each with its appearances. All of them ring before the first answers by itself.
    fn alert_all(&mut self, call: CallNo, devices: Vec<String>, via: Via) {
        let mut answering = Vec::new();
        for device in devices {
            let Some(phone) = self.phones.get(&device) else { continue };
            let (delay_ms, appearances) = (phone.settings.alert_delay_ms, phone.appearances.clone());
            let free: Vec<String> = appearances
                .into_iter()
                .filter(|other| via.set.is_none() && self.can_ring_for(&via.calls(call), other).is_ok())
                .collect();
            let mut via = via.clone();
            if !free.is_empty() {
                via.set = Some(self.next());
                via.shared = true;
            }
            for device in std::iter::once(device).chain(free) {
                answering.extend(self.alert_later(call, device, via.clone(), delay_ms));
            }
        }
        for leg in answering {
            if self.legs.get(&leg).is_some_and(|leg| leg.state == LegState::Ringing) {
                self.answer(leg);
            }
        }
    }

    /// Gives the leg where the telephone rings at once and answers by itself.
    fn alert_later(&mut self, call: CallNo, device: String, via: Via, delay_ms: u64) -> Option<LegNo> {
        if delay_ms == 0 {
            return self.ring_only(call, &device, via);
        }
        let number = self.next();
        self.alerts.insert(number, Alert { call, device, via });
        self.set_timer(delay_ms, Timer::Alert(number));
        None
    }

    /// The time between dialling and the first alert is over.
    pub(super) fn alert(&mut self, number: u64) {
        let Some(Alert { call, device, via }) = self.alerts.remove(&number) else { return };
        match self.can_ring_for(&via.calls(call), &device) {
            Ok(()) => self.ring(call, &device, via),
            Err(cause) => self.refused(call, &device, cause),
        }
    }
}

fn forward(settings: &Telephone, mode: ForwardMode) -> Option<String> {
    settings.forward.iter().find(|(set, _)| *set == mode).map(|(_, target)| target.clone())
}
