//! Orders under way: which actions of theirs Asterisk has not answered, what they will be seen to cause, and their ends.
//!
//! Each order ends once, with [`RequestSeen`]: refused when Asterisk refuses, or the connection is lost; done when what
//! was wanted is seen and all actions are answered, in whichever order these come. An order of which nothing more is heard
//! is forgotten without a word: its client heard from the core that it timed out.

use std::collections::VecDeque;

use cordboard_core::event::TransferKind;
use cordboard_core::observation::{CallSeen, LegSeen, RequestSeen};
use cordboard_core::request::Refusal;
use cordboard_core::{Order, RequestId, Seen, Time};

use super::actions::Action;
use super::ami::Message;
use super::effects::{Effect, OfCall};
use super::order_settings::OrderSettings;
use super::orders::{self, Ends, Plan, Refused, Then};
use super::picture::Picture;
use super::session::SendError;
use super::snapshot::Tagged;

/// All orders under way.
#[derive(Debug, Default)]
pub(crate) struct Ordered {
    settings: OrderSettings,
    /// Begins the names of channels that are made for orders.
    prefix: String,
    under_way: Vec<UnderWay>,
}

/// An order under way.
#[derive(Debug)]
struct UnderWay {
    request: RequestId,
    begun: Time,
    plan: Plan,
    /// Actions that are not sent yet.
    unsent: VecDeque<Action>,
    /// Actions without an answer: their ActionIDs and names.
    open: Vec<(String, String)>,
    /// ActionIDs under which Asterisk will say what became of a call.
    originates: Vec<String>,
    accepted: usize,
    /// What Asterisk said against it.
    refused: Option<String>,
    /// When everything was answered.
    answered: Option<Time>,
    /// When the call that was asked for was set up, as far as its first party.
    set_up: Option<Time>,
    /// How it ended; it stays until that is said.
    ended: Option<RequestSeen>,
}

impl Ordered {
    pub(crate) fn new(settings: OrderSettings, prefix: String) -> Self {
        Self { settings, prefix, under_way: Vec::new() }
    }

    /// The request that an observation comes from, if it comes from one. `call` is the call of the leg that was seen.
    pub(crate) fn cause(&mut self, seen: &Seen, call: Option<&str>) -> Option<RequestId> {
        let mut cause = None;
        for order in &mut self.under_way {
            let wanted = order.plan.wanted.iter().position(|effect| effect.is(seen, call));
            if let Some(at) = wanted {
                order.plan.wanted.remove(at);
            }
            if cause.is_none() && (wanted.is_some() || order.plan.along.iter().any(|effect| effect.is(seen, call))) {
                cause = Some(order.request);
            }
        }
        cause
    }

    pub(crate) fn is_idle(&self) -> bool {
        self.under_way.is_empty()
    }

    /// Data of a call that just began because of an order.
    pub(crate) fn data_of(&self, call: &str) -> Vec<(String, String)> {
        let data = self.under_way.iter().filter_map(|order| order.plan.data.as_ref());
        data.filter(|(of, _)| of == call).flat_map(|(_, pairs)| pairs.iter().cloned()).collect()
    }

    /// How a channel listens that was made in order to.
    pub(crate) fn listens(&self, uid: &str) -> Option<String> {
        let plans = self.under_way.iter().filter_map(|order| order.plan.listens.as_ref());
        plans.filter(|(of, _)| of == uid).map(|(_, letter)| (*letter).to_string()).next()
    }

    /// The next action that may be sent, and whose it is.
    pub(crate) fn next_action(&mut self) -> Option<(RequestId, Action)> {
        let may = |order: &&mut UnderWay| {
            order.ended.is_none() && !order.unsent.is_empty() && (!order.plan.one_by_one || order.open.is_empty())
        };
        let order = self.under_way.iter_mut().find(may)?;
        Some((order.request, order.unsent.pop_front()?))
    }

    /// It was sent under this ActionID, or could not be.
    pub(crate) fn sent(&mut self, request: RequestId, action: &Action, id: Result<String, SendError>) {
        let Some(order) = self.under_way.iter_mut().find(|order| order.request == request) else { return };
        match id {
            Ok(id) => {
                if action.name() == "Originate" {
                    order.originates.push(id.clone());
                }
                order.open.push((id, action.name().to_string()));
            }
            Err(error) => {
                let refusal = match &error {
                    SendError::NotLoggedIn => Refusal::SwitchGone,
                    SendError::TooManyOpen { .. } => Refusal::Busy,
                    SendError::Action(_) => Refusal::WrongAttribute,
                };
                order.refuse(refusal, error.to_string());
            }
        }
    }

    pub(crate) fn poll_timeout(&self) -> Option<Time> {
        self.under_way.iter().map(|order| order.due(&self.settings)).min()
    }
}

impl UnderWay {
    /// When something must be done about it, if nothing is heard before.
    fn due(&self, settings: &OrderSettings) -> Time {
        let forgotten = self.begun.plus_ms(settings.order_ms_max);
        if !self.is_answered() {
            return forgotten;
        }
        let waits = match self.plan.ends {
            Ends::Seen => self.answered,
            Ends::Originated | Ends::Ringing => self.set_up,
            Ends::Answered | Ends::OnlySeen => None,
        };
        waits.map_or(forgotten, |since| since.plus_ms(settings.effect_ms).min(forgotten))
    }

    fn refuse(&mut self, refusal: Refusal, why: String) {
        self.ended.get_or_insert(RequestSeen::Refuse { refusal, why });
    }

    fn is_answered(&self) -> bool {
        self.unsent.is_empty() && self.open.is_empty()
    }

    /// Takes in the answer to one of its actions. `true` if all of them are answered now.
    fn answer(&mut self, now: Time, action: &str, message: &Message) -> bool {
        if message.response() == Some("Success") {
            self.accepted += 1;
        } else {
            let said = message.get("Message").unwrap_or("nothing more");
            let said: String = said.chars().filter(|c| !c.is_control()).collect();
            self.refused.get_or_insert(format!("Asterisk refused {action}: {said}"));
            if self.plan.one_by_one {
                self.unsent.clear();
            }
        }
        if !self.is_answered() {
            return false;
        }
        self.answered = Some(now);
        if let Some(why) = self.refused.take_if(|_| !self.plan.one_is_enough || self.accepted == 0) {
            let more = if self.accepted > 0 { "; another part of what was asked for was done" } else { "" };
            self.refuse(Refusal::SwitchRefused, format!("{why}{more}"));
        }
        true
    }

    /// Ends it, if it is time to.
    fn settle(&mut self, now: Time, settings: &OrderSettings) {
        if self.ended.is_some() || !self.is_answered() {
            return;
        }
        let over = |since: Option<Time>| since.is_some_and(|since| since.plus_ms(settings.effect_ms) <= now);
        let seen = self.plan.wanted.is_empty();
        let done = match self.plan.ends {
            Ends::Answered => true,
            Ends::Seen => seen || over(self.answered),
            Ends::OnlySeen => seen,
            Ends::Originated if !seen && over(self.set_up) => {
                let why = "Asterisk set the call up, but what it was for did not come about";
                return self.refuse(Refusal::SwitchRefused, why.to_string());
            }
            Ends::Originated => seen,
            Ends::Ringing => seen || over(self.set_up),
        };
        if done {
            self.ended = Some(RequestSeen::Done);
        }
    }
}

impl Picture {
    /// Carries out an order, as far as that can be done without sending.
    pub(crate) fn order(&mut self, now: Time, order: &Order) {
        self.handle_timeout(now);
        if self.ordered.under_way.iter().any(|it| it.request == order.request) {
            return; // given again
        }
        let planned = if self.ordered.under_way.len() >= self.ordered.settings.orders_open_max {
            Err((Refusal::Busy, "too many requests are under way at this Asterisk; try again later".to_string()))
        } else {
            let key = format!("{}call{}", self.ordered.prefix, order.request.0);
            orders::plan(self, &self.ordered.settings, order, key)
        };
        match planned {
            Ok(plan) => self.begin_order(order.request, plan),
            Err(refused) => self.refuse_order(order.request, refused),
        }
    }

    fn begin_order(&mut self, request: RequestId, mut plan: Plan) {
        let unsent = std::mem::take(&mut plan.actions).into();
        // Data of a call that is there already is there from now on.
        let data = plan.data.take_if(|(call, _)| self.calls.contains_key(call));
        self.ordered.under_way.push(UnderWay {
            request,
            begun: self.now,
            plan,
            unsent,
            open: Vec::new(),
            originates: Vec::new(),
            accepted: 0,
            refused: None,
            answered: None,
            set_up: None,
            ended: None,
        });
        if let Some((call, pairs)) = data {
            self.attach(request, &call, pairs);
        }
    }

    fn attach(&mut self, request: RequestId, call: &str, pairs: Vec<(String, String)>) {
        for (key, value) in pairs {
            let seen = Seen::Call { call: call.to_string(), seen: CallSeen::UserData { key, value } };
            self.see_because(Some(request), seen);
        }
    }

    fn refuse_order(&mut self, request: RequestId, (refusal, why): Refused) {
        self.see_because(None, Seen::Request { request, seen: RequestSeen::Refuse { refusal, why } });
    }

    /// Takes in what may be an answer to an action of an order. The picture itself has seen it before.
    pub(crate) fn answer_orders(&mut self, now: Time, tagged: &Tagged) {
        if self.ordered.is_idle() {
            return;
        }
        match tagged {
            Tagged::Answer { action_id: Some(id), message } if !message.is_event() => {
                self.action_answered(now, id, message)
            }
            Tagged::Unanswered { action_id } => self.action_unanswered(action_id),
            Tagged::Live(message) if message.event() == Some("OriginateResponse") => self.call_answered(message),
            Tagged::Live(message) if message.event() == Some("Newstate") => self.first_rings(message),
            Tagged::Answer { .. }
            | Tagged::Live(_)
            | Tagged::SnapshotStarted
            | Tagged::Snapshot { .. }
            | Tagged::SnapshotDone { .. }
            | Tagged::SnapshotComplete
            | Tagged::SnapshotAborted => {}
        }
        self.settle_orders(now);
    }

    fn action_answered(&mut self, now: Time, id: &str, message: &Message) {
        let mut then = Vec::new();
        for order in &mut self.ordered.under_way {
            if let Some(at) = order.open.iter().position(|(open, _)| open == id) {
                let (_, action) = order.open.remove(at);
                if order.answer(now, &action, message) && order.ended.is_none() {
                    then = std::mem::take(&mut order.plan.then);
                }
            }
        }
        for then in then {
            self.follow(then);
        }
    }

    fn action_unanswered(&mut self, id: &str) {
        for order in &mut self.ordered.under_way {
            if let Some(at) = order.open.iter().position(|(open, _)| open == id) {
                let (_, action) = order.open.remove(at);
                let why = format!("Asterisk did not answer {action} in time; it may still do it");
                order.refuse(Refusal::TimedOut, why);
            }
        }
    }

    /// The telephone of whoever asked for a call rings.
    fn first_rings(&mut self, message: &Message) {
        let rings = message.get("ChannelState") == Some("5");
        for order in self.ordered.under_way.iter_mut().filter(|order| rings && order.plan.ends == Ends::Ringing) {
            // It may be told before the call is, which has to be seen all the same.
            let picks_up = |effect: &Effect| match effect {
                Effect::Call(call, OfCall::PickedUp) => message.get("Uniqueid") == Some(call),
                Effect::Call(..) | Effect::Leg(..) | Effect::Agent(..) | Effect::Device(..) => false,
            };
            order.plan.wanted.retain(|effect| !picks_up(effect));
        }
    }

    /// What became of a call that was asked for: its first party answered, or did not.
    fn call_answered(&mut self, message: &Message) {
        let Some(id) = message.action_id() else { return };
        let of = |order: &&mut UnderWay| order.originates.iter().any(|originate| originate == id);
        let Some(order) = self.ordered.under_way.iter_mut().find(of) else { return };
        if message.response() == Some("Failure") {
            let why = match message.get("Reason") {
                Some("1") => "it was hung up",
                Some("3") => "nobody answered",
                Some("5") => "it is busy",
                Some("8") => "there is no line, or it is out of service",
                Some(_) | None => "it cannot be reached, or declined",
            };
            let party = message.get("Channel").unwrap_or("the telephone");
            order.refuse(Refusal::SwitchRefused, format!("Asterisk could not set up the call: {party}: {why}"));
        } else {
            order.set_up = Some(self.now);
        }
    }

    /// The connection is lost: what was under way may or may not be done.
    pub(crate) fn orders_cut_off(&mut self, now: Time, reason: &str) {
        self.now = self.now.max(now);
        for order in &mut self.ordered.under_way {
            let why = format!("{reason} while this was under way; it may or may not have been done");
            order.refuse(Refusal::SwitchGone, why);
        }
        self.settle_orders(now);
    }

    /// Says which orders ended, and forgets those of which nothing more is expected.
    pub(crate) fn settle_orders(&mut self, now: Time) {
        if self.ordered.is_idle() {
            return;
        }
        let now = self.now.max(now);
        let Ordered { settings, under_way, .. } = &mut self.ordered;
        let mut ended = Vec::new();
        under_way.retain_mut(|order| {
            order.settle(now, settings);
            if let Some(how) = order.ended.take() {
                ended.push((order.request, how));
                return false;
            }
            order.begun.plus_ms(settings.order_ms_max) > now
        });
        for (request, seen) in ended {
            self.see_because(None, Seen::Request { request, seen });
        }
    }

    /// What Asterisk's consent means where no event will say it.
    fn follow(&mut self, then: Then) {
        match then {
            Then::HungUp(uid) => {
                if let Some(channel) = self.channels.get_mut(&uid) {
                    channel.hangup_requested = true;
                }
            }
            Then::Diverted(uid) => {
                if let Some(channel) = self.channels.get_mut(&uid) {
                    channel.diverted = true;
                }
            }
            Then::RecordedInto(uid, file) => {
                if let Some(channel) = self.channels.get_mut(&uid) {
                    channel.recorded_into = file;
                }
            }
            Then::Muted(leg, on) => self.see_leg(&leg, LegSeen::Mute(on)),
            Then::Deafened(leg, on, by) => self.see_leg(&leg, LegSeen::Deafen { on, by }),
            Then::Transferred(first, second) => self.transferred_by_order(&first, &second),
        }
    }

    /// Two lines of a party, bridged with each other: the parties beyond talk, and the two lines end. Asterisk does not
    /// call it a transfer; whoever asked for it does.
    fn transferred_by_order(&mut self, first: &str, second: &str) {
        let Some(leg) = self.leg_of(first).cloned() else { return };
        let consult = self.call_of(second).filter(|consult| *consult != leg.call);
        let to = self.beyond(second, consult.as_deref());
        for uid in [first, second] {
            if let Some(channel) = self.channels.get_mut(uid) {
                let legs = std::mem::take(&mut channel.legs);
                channel.handed_over.extend(legs.into_iter().map(|leg| leg.key));
            }
        }
        let transfer = CallSeen::Transfer { kind: TransferKind::Attended, by: leg.key, to, consult: consult.clone() };
        self.see_call(&leg.call, transfer);
        if let Some(consult) = consult {
            self.rename_call(&consult, &leg.call);
        }
        self.drop_call_if_unused(&leg.call);
    }

    /// The number of the one other party of a call.
    fn beyond(&self, uid: &str, call: Option<&str>) -> String {
        let others = call.map(|call| self.channels_of(call)).unwrap_or_default();
        let other = others.iter().find(|other| *other != uid).and_then(|other| self.channels.get(other));
        other
            .map(|it| if it.outside && !it.number.is_empty() { it.number.clone() } else { it.device.clone() })
            .unwrap_or_default()
    }
}
