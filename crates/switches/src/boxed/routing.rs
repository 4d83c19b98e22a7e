//! Route points and routing queues: calls that wait for an instruction, and what they hear meanwhile.

use cordboard_core::Order;
use cordboard_core::event::{Cause, DequeueReason, Pairs, RouteKind, TreatmentKind};
use cordboard_core::observation::CallSeen;
use cordboard_core::request::Refusal;

use super::calls::CallNo;
use super::reach::Via;
use super::timers::Timer;
use super::{At, Boxed, Refused, refuse};

/// A call that waits for a routing instruction.
#[derive(Debug)]
pub(super) struct Route {
    pub(super) call: CallNo,
    at: String,
    /// What it hears or is asked, as far as that comes to an end.
    treatment: Option<TreatmentKind>,
}

impl Boxed {
    /// A call comes to where somebody must say where it goes.
    pub(super) fn ask_for_route(&mut self, no: CallNo, at: &str, queued: bool) {
        let Some(call) = self.calls.get_mut(&no).filter(|call| !call.routes.contains_key(at)) else { return };
        let number = self.last.saturating_add(1);
        self.last = number;
        call.routes.insert(at.to_string(), number);
        self.routes.insert(number, Route { call: no, at: at.to_string(), treatment: None });
        if queued {
            self.wait(no, at, None);
        }
        self.say_call(no, CallSeen::RouteRequest { at: at.to_string() });
        if let Some(ms) = self.options.route_ms.filter(|_| self.options.default_target.is_some()) {
            self.set_timer(ms, Timer::Route(number));
        }
    }

    /// A routing instruction.
    pub(super) fn route(&mut self, order: &Order, to: Option<&str>, kind: RouteKind) -> Result<(), Refused> {
        let (call, number) = self.routed_at(order)?;
        let default = self.options.default_target.clone();
        let target = match kind {
            RouteKind::Reject => {
                self.reject(call, number);
                return Ok(());
            }
            RouteKind::Default | RouteKind::Target | RouteKind::TimedOut => to.map(str::to_string).or(default),
        };
        let Some(target) = target else {
            return refuse(
                Refusal::InvalidNumber,
                "no target is named and the switch has no default one; name a target",
            );
        };
        self.can_dial(&target)?;
        self.route_to(call, number, &target, kind);
        Ok(())
    }

    /// No instruction came in time.
    pub(super) fn route_timeout(&mut self, number: u64) {
        let Some(call) = self.routes.get(&number).map(|route| route.call) else { return };
        let Some(target) = self.options.default_target.clone() else { return };
        self.route_to(call, number, &target, RouteKind::TimedOut);
    }

    fn route_to(&mut self, no: CallNo, number: u64, target: &str, kind: RouteKind) {
        let Some(at) = self.end_route(no, number) else { return };
        self.say_call(no, CallSeen::Route { at: at.clone(), to: Some(target.to_string()), kind });
        self.routes_used(no, Some(target));
        self.leave_queues(no, &at, DequeueReason::Routed, Some(target));
        if let Some(call) = self.calls.get_mut(&no) {
            call.business = Some(at.clone());
        }
        self.send(no, target, Via { queue: Some(at), ..Via::default() });
    }

    /// A call that waits for an instruction elsewhere as well goes where it was sent, or is turned away: it needs none there.
    pub(super) fn routes_used(&mut self, no: CallNo, to: Option<&str>) {
        let kind = if to.is_some() { RouteKind::Default } else { RouteKind::Reject };
        let waits = self.calls.get(&no).map(|call| call.routes.values().copied().collect::<Vec<_>>());
        for number in waits.unwrap_or_default() {
            if let Some(at) = self.end_route(no, number) {
                self.say_call(no, CallSeen::Route { at, to: to.map(str::to_string), kind });
            }
        }
    }

    fn reject(&mut self, no: CallNo, number: u64) {
        let Some(at) = self.end_route(no, number) else { return };
        self.say_call(no, CallSeen::Route { at: at.clone(), to: None, kind: RouteKind::Reject });
        self.routes_used(no, None);
        self.leave_queues(no, &at, DequeueReason::Withdrawn, None);
        self.turn_away(no, Cause::Rejected);
    }

    fn end_route(&mut self, no: CallNo, number: u64) -> Option<String> {
        let at = self.routes.remove(&number)?.at;
        self.calls.get_mut(&no)?.routes.remove(&at);
        Some(at)
    }

    /// The call that an order names, and its wait for an instruction at the ordering number.
    fn routed_at(&self, order: &Order) -> Result<(CallNo, u64), Refused> {
        let no = self.ordered_call(order)?;
        match self.calls.get(&no).and_then(|call| call.routes.get(&order.device)) {
            Some(number) => Ok((no, *number)),
            None => refuse(
                Refusal::WrongState,
                format!("the call waits for no instruction at {}; it may have gone on", order.device),
            ),
        }
    }

    pub(super) fn treat(&mut self, order: &Order, kind: TreatmentKind, parameters: &Pairs) -> Result<(), Refused> {
        let (call, number) = self.routed_at(order)?;
        let (at, parameters) = (order.device.clone(), parameters.clone());
        if !self.options.treatments {
            self.say_call(call, CallSeen::TreatRefuse { at, kind, parameters });
            return Ok(());
        }
        if let Some(route) = self.routes.get_mut(&number) {
            route.treatment = Some(kind).filter(|kind| ends(*kind));
        }
        self.say_call(call, CallSeen::Treat { at, kind, parameters });
        Ok(())
    }

    pub(super) fn treatment_ended(&mut self, at: &At, digits: Option<String>) -> Result<(), String> {
        let Some(no) = self.call_by_key(&at.call) else {
            return Err(format!("there is no call {}; it may have ended", at.call));
        };
        let number = self.calls.get(&no).and_then(|call| call.routes.get(&at.number)).copied();
        let treatment = number.and_then(|number| self.routes.get_mut(&number)?.treatment.take());
        if treatment.is_none() {
            return Err(format!("the call hears nothing at {} that comes to an end", at.number));
        }
        self.say_call(no, CallSeen::TreatEnd { at: at.number.clone(), digits, interrupted: false });
        Ok(())
    }
}

/// Whether a treatment comes to an end by itself.
fn ends(kind: TreatmentKind) -> bool {
    match kind {
        TreatmentKind::Music
        | TreatmentKind::RingBack
        | TreatmentKind::Silence
        | TreatmentKind::Busy
        | TreatmentKind::FastBusy => false,
        TreatmentKind::Unknown
        | TreatmentKind::Ivr
        | TreatmentKind::CollectDigits
        | TreatmentKind::PlayAnnouncement
        | TreatmentKind::PlayAnnouncementAndDigits
        | TreatmentKind::VerifyDigits
        | TreatmentKind::RecordAnnouncement
        | TreatmentKind::DeleteAnnouncement
        | TreatmentKind::CancelCall
        | TreatmentKind::PlayApplication
        | TreatmentKind::SetDefaultRoute
        | TreatmentKind::TextToSpeech
        | TreatmentKind::TextToSpeechAndDigits
        | TreatmentKind::RecordedAnnouncement => true,
    }
}
