//! Orders to AMI actions: what Asterisk is told, what will be seen of it, and why something cannot be done.

use cordboard_core::Order;
use cordboard_core::event::SuperviseMode;
use cordboard_core::request::{Ask, Joining, OrderCall, Refusal};

use super::actions::Action;
use super::effects::{Effect, OfCall};
use super::order_settings::OrderSettings;
use super::picture::Picture;

mod agents;
mod calls;
mod joins;
mod media;
pub(crate) mod text;

/// Why an order is not carried out: a word for programs, and a sentence that says what would be right.
pub(crate) type Refused = (Refusal, String);

/// What is done for an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Plan {
    /// What Asterisk is told, in order.
    pub(crate) actions: Vec<Action>,
    /// Each is sent when Asterisk has answered the one before.
    pub(crate) one_by_one: bool,
    /// It is enough if Asterisk does one of them.
    pub(crate) one_is_enough: bool,
    /// What has to be seen before it is done.
    pub(crate) wanted: Vec<Effect>,
    /// What else it causes.
    pub(crate) along: Vec<Effect>,
    /// When it is done.
    pub(crate) ends: Ends,
    /// What follows from Asterisk's consent alone, because no event says so.
    pub(crate) then: Vec<Then>,
    /// Data of the call with this key, from its beginning on.
    pub(crate) data: Option<Data>,
    /// How the channel of this name will listen to others; Asterisk does not say so of a channel that is made for it.
    pub(crate) listens: Option<(String, &'static str)>,
}

/// A call's key, and pairs of data.
pub(crate) type Data = (String, Vec<(String, String)>);

/// When an order is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ends {
    /// When Asterisk says that it did it.
    Answered,
    /// When what was wanted is seen; and where nothing is to be seen, some time after Asterisk said that it did it.
    Seen,
    /// When what was wanted is seen, and only then: Asterisk asks somebody who need not obey.
    OnlySeen,
    /// When what was wanted is seen, or Asterisk says what became of the call it was asked for.
    Originated,
    /// The same, or when the first telephone rings: from then on its own events tell how the call goes.
    Ringing,
}

/// What follows from Asterisk's consent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Then {
    /// The party of this channel hung up, by our hand.
    HungUp(String),
    /// The call was sent elsewhere while this channel rang.
    Diverted(String),
    /// This channel is recorded into this file.
    RecordedInto(String, String),
    /// This leg is not heard, or is heard again.
    Muted(String, bool),
    /// This leg does not hear the others by the will of a device, or hears them again.
    Deafened(String, bool, String),
    /// The channel of the first and that of the second leave each other's parties alone with one another.
    Transferred(String, String),
}

impl Plan {
    /// Actions that are done when Asterisk says so.
    fn answered(actions: Vec<Action>) -> Self {
        Self {
            actions,
            one_by_one: false,
            one_is_enough: false,
            wanted: Vec::new(),
            along: Vec::new(),
            ends: Ends::Answered,
            then: Vec::new(),
            data: None,
            listens: None,
        }
    }

    /// One action, done when this is seen.
    fn seen(action: Action, wanted: Vec<Effect>) -> Self {
        Self { wanted, ends: Ends::Seen, ..Self::answered(vec![action]) }
    }
}

/// What a plan is made of.
pub(crate) struct Desk<'a> {
    picture: &'a Picture,
    settings: &'a OrderSettings,
    order: &'a Order,
    /// What a channel that this order makes will be called; also the key of its call and first leg.
    key: String,
}

/// What is to be done for an order.
///
/// # Errors
/// Why it cannot be done, and what could be.
#[rustfmt::skip]
pub(crate) fn plan(picture: &Picture, settings: &OrderSettings, order: &Order, key: String) -> Result<Plan, Refused> {
    let desk = Desk { picture, settings, order, key };
    match &order.ask {
        Ask::Login { agent, queue, mode, reasons, wrapup_s } =>
            desk.login(agent, queue.as_deref(), *mode, reasons, wrapup_s.is_some()),
        Ask::Logout { queue, .. } => desk.logout(queue.as_deref()),
        Ask::Ready { queue, .. } => desk.pause(queue.as_deref(), None),
        Ask::NotReady { queue, mode, reasons } => desk.pause(queue.as_deref(), Some((*mode, reasons))),
        Ask::Dnd { on } => desk.dnd(*on),
        Ask::Messages { on } => desk.messages(*on),
        Ask::Forward { .. } => cannot(
            "forwarding lives in the dial plan or the telephone, and AMI reaches neither; dial the feature code of your dial plan instead (make a call to it)",
        ),
        Ask::MakeCall { to, user_data } => desk.make_call(to, user_data),
        Ask::MakePredictiveCall { to, ring_ms, user_data, targets } => desk.predict(to, *ring_ms, user_data, targets),
        Ask::Answer { .. } => desk.notify_own(calls::Press::Answer),
        Ask::Hold { .. } => desk.notify_own(calls::Press::Hold),
        Ask::Retrieve { .. } => desk.notify_own(calls::Press::Retrieve),
        Ask::Release { .. } => desk.release(),
        Ask::Clear { .. } => desk.clear(),
        Ask::Alternate { .. } => desk.alternate(),
        Ask::Reconnect { .. } => desk.reconnect(),
        Ask::Redirect { to, .. } => desk.redirect(to),
        Ask::Consult { to, user_data, .. } => desk.consult(to, user_data),
        Ask::Complete { purpose: Joining::Transfer, .. } | Ask::Merge { purpose: Joining::Transfer, .. } =>
            desk.join_as_transfer(),
        Ask::Complete { purpose: Joining::Conference, .. } | Ask::Merge { purpose: Joining::Conference, .. } =>
            desk.join_as_conference(),
        Ask::MuteTransfer { to, user_data, .. }
        | Ask::SingleStep { to, purpose: Joining::Transfer, user_data, .. } => desk.transfer(to, user_data),
        Ask::SingleStep { to, purpose: Joining::Conference, user_data, .. } => desk.bring_in(to, user_data),
        Ask::DropParty { who, .. } => desk.drop_party(who),
        Ask::Listen { who, on, .. } => desk.listen(who, *on),
        Ask::Mute { on, .. } => desk.mute(*on),
        Ask::Route { .. } => cannot(
            "a queue of Asterisk asks nobody where its calls are to go; take the call with a redirection while it rings, or let the dial plan decide",
        ),
        Ask::Treat { .. } => cannot(
            "what a waiting caller hears is in queues.conf and in the dial plan, and AMI cannot change it for one call; send the call to an extension that plays it",
        ),
        Ask::Monitor { .. } => cannot(
            "Asterisk cannot be told to wait for somebody's next call; ask to take part (supervise) when there is one",
        ),
        Ask::MonitorEnd { target } => desk.stop_supervising(target),
        Ask::Supervise { target, mode } => desk.supervise(target, *mode),
        Ask::Pickup { target } => desk.pickup(target),
        Ask::Park { space, .. } => desk.park(space.as_deref()),
        Ask::Unpark { space } => desk.unpark(space),
        Ask::Tones { digits, .. } => desk.tones(digits),
        Ask::Record { on, file, .. } => desk.record(*on, file.as_deref()),
        Ask::SetVariable { name, value, .. } => desk.set_variable(name, value),
        Ask::Register
        | Ask::Unregister
        | Ask::QueryAddress { .. }
        | Ask::QueryCall { .. }
        | Ask::QueryServer
        | Ask::SetReference { .. }
        | Ask::SetMask { .. }
        | Ask::Reserve { .. }
        | Ask::ChangeData { .. }
        | Ask::Change(_) => cannot("this is answered without Asterisk; it should not have come here"),
    }
}

/// Every action that orders use, with the class of `write` in `manager.conf` that allows it. Where Asterisk takes any of
/// several classes, it is the narrowest.
pub const ACTIONS: &[(&str, &str)] = &[
    ("Atxfer", "call"),
    ("BlindTransfer", "call"),
    ("Bridge", "call"),
    ("AgentLogoff", "agent"),
    ("CancelAtxfer", "call"),
    ("Hangup", "call"),
    ("MWIUpdate", "call"),
    ("MixMonitor", "system"),
    ("MuteAudio", "system"),
    ("Originate", "originate"),
    ("PJSIPNotify", "system"),
    ("Park", "call"),
    ("PlayDTMF", "call"),
    ("QueueAdd", "agent"),
    ("QueuePause", "agent"),
    ("QueueRemove", "agent"),
    ("Redirect", "call"),
    ("Setvar", "call"),
    ("StopMixMonitor", "call"),
];

impl Desk<'_> {
    /// The telephone of a device as Asterisk dials it.
    fn telephone(&self, device: &str) -> Result<String, Refused> {
        Ok(self.settings.telephone.replace("{device}", text::endpoint(device)?))
    }

    /// The call the order names, and the channel and leg of the device in it.
    fn own<'o>(&self, of: Option<&'o OrderCall>) -> Result<Own<'o>, Refused> {
        let named = of.ok_or_else(|| no_call("the call is not known any more"))?;
        let leg = named.leg.as_deref().ok_or_else(|| no_call("the device has no part of its own in the call"))?;
        let uid = self.picture.channel_of_leg(leg).ok_or_else(|| no_call("its channel is gone"))?;
        Ok(Own { call: &named.call, leg, uid })
    }

    /// The one channel of the other side.
    fn other(&self, own: &Own<'_>) -> Result<String, Refused> {
        match self.picture.others(&own.uid).as_slice() {
            [one] => Ok(one.clone()),
            [] => Err((Refusal::WrongState, "nobody is connected on the other side; wait for an answer".to_string())),
            [..] => cannot("more than one party is on the other side, and AMI does it for one only"),
        }
    }

    /// A call that Asterisk makes: `key` is the name of its first channel, and so ours to recognise.
    fn originate(&self, channel: String, ring_ms: u64) -> Action {
        Action::new("Originate")
            .header("Channel", channel)
            .header("ChannelId", &self.key)
            .header("Async", "true")
            .header("Timeout", ring_ms.to_string())
    }

    /// Where in the dial plan a call goes.
    fn at(action: Action, context: &str, exten: &str) -> Action {
        action.header("Context", context).header("Exten", exten).header("Priority", "1")
    }

    /// The beginning of a call that this order makes.
    fn beginning(&self) -> Vec<Effect> {
        [OfCall::Begun, OfCall::LegBegun, OfCall::PickedUp].map(|what| Effect::Call(self.key.clone(), what)).into()
    }
}

/// A device's part in a call.
struct Own<'o> {
    call: &'o str,
    leg: &'o str,
    uid: String,
}

impl Picture {
    /// The channel that stands for a leg, while it lives.
    pub(crate) fn channel_of_leg(&self, leg: &str) -> Option<String> {
        let of = |uid: &str| {
            let channel = self.channels.get(uid)?;
            channel.legs.iter().any(|it| it.key == leg).then(|| uid.to_string())
        };
        of(leg).or_else(|| of(leg.rsplit_once('~')?.0))
    }

    /// Whether a leg is the second one of its channel: a consultation by Asterisk's own attended transfer.
    fn consults_with(&self, uid: &str, leg: &str) -> bool {
        self.channels.get(uid).is_some_and(|it| it.legs.len() > 1 && it.legs.last().is_some_and(|it| it.key == leg))
    }

    /// Channels of the people that a channel talks with; before they talk, of those in the same call.
    fn others(&self, uid: &str) -> Vec<String> {
        let Some(channel) = self.channels.get(uid) else { return Vec::new() };
        let mut others = channel.bridge.as_deref().map(|bridge| self.calls_in(bridge).1).unwrap_or_default();
        others.retain(|other| other != uid);
        if let (true, Some(call)) = (others.is_empty(), self.call_of(uid)) {
            others = self.channels_of(&call);
            others.retain(|other| other != uid && self.call_of(other).as_ref() == Some(&call));
        }
        others
    }

    /// The newest living channel of a device with a leg, that is up or rings.
    fn channel_at(&self, device: &str, up: bool) -> Option<(String, String)> {
        let fits = self.channels.iter().filter(|(_, channel)| {
            channel.device == device && channel.up == up && channel.local.is_none() && channel.spies_on.is_none()
        });
        let with_leg = fits.filter_map(|(uid, channel)| Some((channel.legs.last()?, uid)));
        let newest = with_leg.max_by_key(|(leg, _)| self.calls.get(&leg.call).map(|call| call.number));
        newest.map(|(leg, uid)| (uid.clone(), leg.call.clone()))
    }

    /// Channels of this device that listen to one of that device; of any, without it.
    fn spies(&self, device: &str, target: Option<&str>, call: Option<&str>) -> Vec<(String, String)> {
        let of = |(uid, channel): (&String, &super::picture::Channel)| {
            let spied = channel.spies_on.as_ref().filter(|_| channel.device == device)?;
            let on = self.call_of(spied)?;
            let right_target =
                target.is_none_or(|target| self.channels.get(spied).is_some_and(|it| it.device == target));
            (right_target && call.is_none_or(|call| call == on)).then(|| (uid.clone(), on))
        };
        self.channels.iter().filter_map(of).collect()
    }
}

/// The letter of the application that says how somebody listens in.
const fn spy_letter(mode: SuperviseMode) -> &'static str {
    match mode {
        SuperviseMode::Listen | SuperviseMode::Unknown => "",
        SuperviseMode::Whisper => "w",
        SuperviseMode::Barge => "B",
    }
}

fn cannot<T>(why: &str) -> Result<T, Refused> {
    Err((Refusal::Unsupported, why.to_string()))
}

fn no_call(why: &str) -> Refused {
    (Refusal::NoSuchCall, why.to_string())
}
