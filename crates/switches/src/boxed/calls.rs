//! Calls and their legs: how they begin, ring and are answered.

use std::collections::BTreeMap;

use cordboard_core::Order;
use cordboard_core::call::LegState;
use cordboard_core::event::{Direction, Pairs, Party, Role, With};
use cordboard_core::observation::{CallSeen, LegSeen};
use cordboard_core::request::{AskKind, OrderCall, PredictiveTargets, Refusal, refuse_leg};

use super::reach::Via;
use super::timers::Timer;
use super::{Boxed, Refused, refuse};

/// The device that stands for the public network.
pub(super) const TRUNK: &str = "trunk";

/// Number of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct CallNo(pub(super) u64);

/// Number of a leg. It keeps it when it moves to another call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct LegNo(pub(super) u64);

/// A call.
#[derive(Debug)]
pub(super) struct Call {
    /// Its legs, in the order in which they came.
    pub(super) legs: Vec<LegNo>,
    /// Where it waits for an agent, or in a routing queue.
    pub(super) waits: BTreeMap<String, u64>,
    /// Where it waits for a routing instruction.
    pub(super) routes: BTreeMap<String, u64>,
    /// The queue or route point that distributed it last; none: it is no business call.
    pub(super) business: Option<String>,
    /// A predictive call that no agent has answered yet.
    pub(super) predictive: Option<PredictiveTargets>,
    /// The recording that runs.
    pub(super) recording: Option<String>,
}

/// A leg.
#[derive(Debug)]
pub(super) struct Leg {
    pub(super) call: CallNo,
    pub(super) device: String,
    pub(super) number: String,
    pub(super) outside: bool,
    pub(super) role: Role,
    pub(super) queue: Option<String>,
    pub(super) state: LegState,
    pub(super) muted: bool,
    pub(super) deaf: bool,
    /// Alerted together with others: one answer ends the alert of all with the same number.
    pub(super) set: Option<u64>,
    /// The others are appearances of the same number, so that they may still come to the call.
    pub(super) shared: bool,
    /// The place in its queue that the call had when it was offered.
    pub(super) offered: Option<u64>,
}

/// How a call begins.
pub(super) struct Beginning<'b> {
    pub(super) direction: Direction,
    pub(super) ani: &'b str,
    pub(super) dnis: &'b str,
    pub(super) previous: Option<CallNo>,
}

impl Leg {
    /// Whether its party takes part, or waits to.
    pub(super) fn is_party(&self) -> bool {
        matches!(self.state, LegState::Dialing | LegState::Connected | LegState::Held | LegState::Parked)
    }

    /// Whether it was connected with somebody.
    pub(super) fn is_established(&self) -> bool {
        matches!(self.state, LegState::Connected | LegState::Held | LegState::Parked)
    }

    pub(super) fn is_at(&self, number: &str) -> bool {
        self.number == number || (!self.outside && self.device == number)
    }
}

impl Boxed {
    pub(super) fn begin(&mut self, beginning: &Beginning<'_>) -> CallNo {
        let no = CallNo(self.next());
        let call = Call {
            legs: Vec::new(),
            waits: BTreeMap::new(),
            routes: BTreeMap::new(),
            business: None,
            predictive: None,
            recording: None,
        };
        self.calls.insert(no, call);
        let previous = beginning.previous.map(|previous| self.call_key(previous));
        self.say_call(
            no,
            CallSeen::Begin {
                direction: beginning.direction,
                ani: beginning.ani.to_string(),
                ani_name: String::new(),
                dnis: beginning.dnis.to_string(),
                previous,
            },
        );
        no
    }

    /// A telephone of ours calls a number that can be dialled.
    pub(super) fn call_out(
        &mut self,
        device: &str,
        to: &str,
        previous: Option<CallNo>,
        data: &Pairs,
        via: Via,
    ) -> CallNo {
        let direction = if self.is_outside(to) { Direction::Outbound } else { Direction::Internal };
        let call = self.begin(&Beginning { direction, ani: device, dnis: to, previous });
        if let Some(previous) = previous {
            self.consult_data(call, previous);
        }
        self.say_data(call, data, device);
        self.lift(device, call);
        self.add_leg(call, device, Role::Originator, LegState::Dialing, Via::default());
        self.works_on(device);
        self.send(call, to, via);
        call
    }

    pub(super) fn make_call(&mut self, device: &str, to: &str, data: &Pairs) -> Result<(), Refused> {
        self.can_call(device)?;
        self.can_dial(to)?;
        self.call_out(device, to, None, data, Via::default());
        Ok(())
    }

    /// A telephone that can begin a call.
    pub(super) fn can_call(&self, device: &str) -> Result<(), Refused> {
        let Some(phone) = self.phones.get(device) else {
            return refuse(Refusal::NoSuchDevice, format!("{device} is no telephone; only telephones make calls"));
        };
        if phone.settings.out_of_service {
            return refuse(Refusal::OutOfService, format!("the telephone {device} is out of service"));
        }
        self.has_room()
    }

    pub(super) fn has_room(&self) -> Result<(), Refused> {
        if self.calls.len() < self.options.calls_max {
            return Ok(());
        }
        let most = self.options.calls_max;
        refuse(Refusal::Busy, format!("there are {most} calls already, which is the most (calls_max); try again later"))
    }

    pub(super) fn can_dial(&self, to: &str) -> Result<(), Refused> {
        if self.exists(to) {
            return Ok(());
        }
        refuse(
            Refusal::InvalidNumber,
            format!("the number {to:?} does not exist; dial one of the site, or one outside"),
        )
    }

    /// A new leg of a call, at a telephone or queue of ours or, where there is no such device, outside.
    pub(super) fn add_leg(&mut self, call: CallNo, number: &str, role: Role, state: LegState, via: Via) -> LegNo {
        self.comes_as_party(number, call);
        let no = LegNo(self.next());
        let outside = !self.phones.contains_key(number) && !self.is_queue(number);
        let device = if outside { TRUNK } else { number };
        let party = Party {
            key: self.leg_key(no),
            device: device.to_string(),
            number: number.to_string(),
            outside,
            role,
            queue: via.queue.clone(),
            by: via.by,
        };
        let leg = Leg {
            call,
            device: party.device.clone(),
            number: party.number.clone(),
            outside,
            role,
            queue: via.queue,
            state,
            muted: false,
            deaf: false,
            set: via.set,
            shared: via.shared,
            offered: via.offered,
        };
        self.legs.insert(no, leg);
        if let Some(call) = self.calls.get_mut(&call) {
            call.legs.push(no);
        }
        if let Some(phone) = self.phones.get_mut(number) {
            phone.legs.insert(no);
        }
        let call = self.call_key(call);
        let seen =
            if state == LegState::Ringing { LegSeen::Ring { call, party } } else { LegSeen::Dial { call, party } };
        self.say_leg(no, seen);
        no
    }

    /// A telephone of ours is alerted.
    pub(super) fn ring(&mut self, call: CallNo, device: &str, via: Via) {
        if let Some(leg) = self.ring_only(call, device, via) {
            self.answer(leg);
        }
    }

    /// The same, without answering. Gives the leg where the telephone answers by itself.
    pub(super) fn ring_only(&mut self, call: CallNo, device: &str, via: Via) -> Option<LegNo> {
        let predicted = self.calls.get(&call).is_some_and(|call| call.predictive.is_some()) && via.queue.is_some();
        let role = if predicted { Role::Originator } else { Role::Destination };
        let of_queue = via.offered.and(via.queue.as_deref()).and_then(|queue| self.acd_queue(queue)?.no_answer_ms);
        let leg = self.add_leg(call, device, role, LegState::Ringing, via);
        let phone = self.phones.get(device)?;
        let (no_answer_ms, auto_answer) = (of_queue.or(phone.settings.no_answer_ms), phone.settings.auto_answer);
        if let Some(ms) = no_answer_ms {
            self.set_timer(ms, Timer::NoAnswer(leg));
        }
        auto_answer.then_some(leg)
    }

    /// A ringing (or bridged) leg is answered by a person.
    pub(super) fn answer(&mut self, no: LegNo) {
        let Some(leg) = self.legs.get_mut(&no) else { return };
        if refuse_leg(leg.state, AskKind::Answer).is_some() {
            return;
        }
        leg.state = LegState::Connected;
        let (call, role, set, shared) = (leg.call, leg.role, leg.set, leg.shared);
        let (device, outside) = (leg.device.clone(), leg.outside);
        if !outside {
            self.lift(&device, call);
        }
        self.say_leg(no, LegSeen::Answer(With::Person));
        let mut connected = vec![device];
        match role {
            Role::Destination => connected.extend(self.connect_callers(call)),
            Role::Originator => {
                if let Some(call) = self.calls.get_mut(&call) {
                    call.predictive = None;
                }
            }
        }
        self.answered_elsewhere(call, no, set, shared);
        for device in connected {
            self.established(&device, call);
        }
    }

    /// Whoever called and waits is connected; the core tells so by itself. Gives their telephones.
    fn connect_callers(&mut self, call: CallNo) -> Vec<String> {
        let mut connected = Vec::new();
        for no in self.legs_of(call) {
            if let Some(leg) = self.legs.get_mut(&no).filter(|leg| leg.state == LegState::Dialing) {
                leg.state = LegState::Connected;
                if !leg.outside {
                    connected.push(leg.device.clone());
                }
            }
        }
        connected
    }

    pub(super) fn legs_of(&self, call: CallNo) -> Vec<LegNo> {
        self.calls.get(&call).map_or_else(Vec::new, |call| call.legs.clone())
    }

    /// The leg of a number in a call.
    pub(super) fn leg_at(&self, call: CallNo, number: &str) -> Option<LegNo> {
        let legs = self.calls.get(&call)?.legs.iter();
        legs.copied().find(|no| self.legs.get(no).is_some_and(|leg| leg.is_at(number)))
    }

    /// The call that an order names first.
    pub(super) fn ordered_call(&self, order: &Order) -> Result<CallNo, Refused> {
        match order.call.as_ref().and_then(|named| self.call_by_key(&named.call)) {
            Some(call) => Ok(call),
            None => refuse(Refusal::NoSuchCall, "there is no such call; it may have ended"),
        }
    }

    /// The leg of the ordering device in the call that an order names first, when it can do this.
    pub(super) fn own_leg(&self, order: &Order, kind: AskKind) -> Result<LegNo, Refused> {
        self.named_leg(&order.device, order.call.as_ref(), kind)
    }

    /// The same for the held call.
    pub(super) fn held_leg(&self, order: &Order) -> Result<LegNo, Refused> {
        self.named_leg(&order.device, order.held.as_ref(), AskKind::HeldOne)
    }

    fn named_leg(&self, device: &str, named: Option<&OrderCall>, kind: AskKind) -> Result<LegNo, Refused> {
        let own = |no: &LegNo| self.legs.get(no).is_some_and(|leg| !leg.outside && leg.device == device);
        let Some(no) = named.and_then(|named| self.leg_by_key(named.leg.as_ref()?)).filter(own) else {
            return refuse(Refusal::NoSuchCall, "the device takes no part in the call; it may have ended");
        };
        match self.legs.get(&no).map_or(Some(Refusal::NoSuchCall), |leg| refuse_leg(leg.state, kind)) {
            None => Ok(no),
            Some(refusal) => refuse(refusal, "the call is in a state that does not allow it"),
        }
    }

    pub(super) fn call_of(&self, leg: LegNo) -> Option<CallNo> {
        self.legs.get(&leg).map(|leg| leg.call)
    }
}
