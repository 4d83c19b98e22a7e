//! The picture of one Asterisk: its channels and bridges, and which call each of them belongs to.
//!
//! Asterisk speaks of channels; the engine wants calls with legs. Three rules make the one from the other:
//! - a channel that comes from outside Asterisk begins a call; a channel that is dialled belongs to the call of the one
//!   that dials; Local channels are seen through, they stand for nobody;
//! - channels that meet in a bridge, also through Local channels, talk with each other: if their calls differ, the
//!   younger call's leg moves to the older one, once Asterisk had time to say why ([`PictureSettings::settle_ms`]);
//! - one channel can stand for two legs: a party that consults by Asterisk's own attended transfer, an agent's standing
//!   line. The newest leg is the one that talks.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use cordboard_core::event::{DeviceKind, Direction, Origin, Party, Role};
use cordboard_core::observation::{CallSeen, LegSeen};
use cordboard_core::{Observation, RequestId, Seen, Time};

use super::ami::Message;
use super::names::{ChannelKind, ChannelName, known};
use super::ordered::Ordered;
use super::settings::PictureSettings;

/// What is known of one Asterisk, and the observations that follow from what it says.
#[derive(Debug)]
pub struct Picture {
    pub(crate) settings: PictureSettings,
    pub(crate) now: Time,
    pub(crate) origin: Origin,
    pub(crate) since: Option<Time>,
    pub(crate) channels: BTreeMap<String, Channel>,
    pub(crate) locals: BTreeMap<String, LocalPair>,
    pub(crate) bridges: BTreeMap<String, Bridge>,
    pub(crate) calls: BTreeMap<String, CallRecord>,
    pub(crate) calls_begun: u64,
    /// Channels that serve or served a call: where to look, not what is so.
    serving: BTreeMap<String, BTreeSet<String>>,
    pub(crate) devices: BTreeMap<String, DeviceKind>,
    pub(crate) members: BTreeMap<(String, String), String>,
    pub(crate) pool: BTreeMap<String, Option<String>>,
    pub(crate) later: Vec<Later>,
    /// Channels that ended a moment ago: what is still said of them is late.
    ended: VecDeque<(Time, String)>,
    ended_ids: BTreeSet<String>,
    pub(crate) resync: super::resync::Resync,
    /// Clients' requests that are being carried out.
    pub(crate) ordered: Ordered,
    pub(crate) ignored: u64,
    pub(crate) repaired: u64,
    out: VecDeque<Observation>,
}

/// How long late words about a channel that ended are expected, in milliseconds.
const ENDED_MS: u64 = 2_000;

/// A channel that stands for somebody.
#[derive(Debug, Clone, Default)]
pub(crate) struct Channel {
    pub(crate) device: String,
    pub(crate) outside: bool,
    /// Which half of which Local channel it is.
    pub(crate) local: Option<(u8, String)>,
    pub(crate) linkedid: String,
    pub(crate) caller: String,
    pub(crate) caller_name: String,
    /// Up, in Asterisk's sense.
    pub(crate) up: bool,
    /// Legs it stands for, the one that talks last.
    pub(crate) legs: Vec<LegRecord>,
    pub(crate) legs_made: u32,
    /// Legs it stood for that left their calls by a hand-over. They end with it at the latest.
    pub(crate) handed_over: Vec<String>,
    /// The number that was dialled to reach it.
    pub(crate) number: String,
    pub(crate) dial_status: Option<String>,
    /// The queue that offers a call to it.
    pub(crate) queue: Option<String>,
    pub(crate) hangup_requested: bool,
    pub(crate) bridge: Option<String>,
    /// The agent whose standing line it is.
    pub(crate) standing: Option<String>,
    /// How a supervisor listens, from the application's options.
    pub(crate) spy_options: Option<String>,
    /// The channel it listens to, as a supervisor.
    pub(crate) spies_on: Option<String>,
    /// The conference room it is in.
    pub(crate) room: Option<String>,
    /// It is being recorded, and into which file, where we know.
    pub(crate) recorded: bool,
    pub(crate) recorded_into: String,
    /// The call that rings here was sent elsewhere.
    pub(crate) diverted: bool,
    /// The newest consultation it made by Asterisk's own attended transfer.
    pub(crate) consult: Option<String>,
}

/// A leg that a channel stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LegRecord {
    pub(crate) key: String,
    pub(crate) call: String,
    pub(crate) originator: bool,
    /// Talked with a person.
    pub(crate) talked: bool,
}

/// The two halves of a Local channel and the call it carries.
#[derive(Debug, Clone, Default)]
pub(crate) struct LocalPair {
    pub(crate) halves: [Option<String>; 2],
    pub(crate) call: Option<String>,
    pub(crate) queue: Option<String>,
}

/// A bridge.
#[derive(Debug, Clone, Default)]
pub(crate) struct Bridge {
    /// Two-party talk and what grows out of it; other kinds hold channels for a purpose of their own.
    pub(crate) talk: bool,
    pub(crate) room: Option<String>,
    pub(crate) members: BTreeSet<String>,
}

/// A call, as far as the picture needs it.
#[derive(Debug, Clone)]
pub(crate) struct CallRecord {
    /// Order of beginning; the older call survives a join.
    pub(crate) number: u64,
    pub(crate) direction: Direction,
    pub(crate) ani: String,
    pub(crate) ani_name: String,
    pub(crate) dnis: String,
    /// Set up on request: its first party is rung before anybody is dialled.
    pub(crate) originated: bool,
    pub(crate) has_originator: bool,
    /// For a call on request: the number of the first party, and the number it was shown.
    pub(crate) first: Option<(String, String)>,
    pub(crate) queued: Option<String>,
    /// An agent offered by that queue answered.
    pub(crate) queue_answered: bool,
    pub(crate) ivr: Option<String>,
}

/// Something that is done unless Asterisk explains it first.
#[derive(Debug, Clone)]
pub(crate) struct Later {
    pub(crate) due: Time,
    pub(crate) what: What,
}

/// What is done later.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum What {
    /// Join the calls that meet in this bridge.
    JoinCalls { bridge: String },
    /// A Local channel dials and nobody said yet whose call it carries.
    Dial { dialer: String, dialled: String, number: String },
    /// A snapshot does not show a channel whose end was not heard.
    Lose { channel: String },
    /// The answer to a request for a call came before the call.
    RequestFailed { message: Message },
    /// A Local channel is in a queue and nobody said yet whose call it carries.
    QueueJoin { channel: String, queue: String, position: u32, at: Time },
    /// A party is back in its first call: it gave up its consultation, unless it joins it.
    ConsultOver { channel: String, leg: LegRecord, at: Time, by_self: bool },
    /// A call left a queue and nobody said why.
    LeftQueue { call: String, queue: String, at: Time, abandoned: bool },
    /// A calling channel that talked with nobody is gone, and nobody said why: it may have hung up itself, and for a call
    /// on request the answer to the request says whom it was for.
    CallerGone { channel: String, leg: LegRecord, seen: LegSeen, at: Time },
}

impl Picture {
    /// An empty picture: nothing is known until the first snapshot.
    #[must_use]
    pub fn new(settings: PictureSettings) -> Self {
        Self {
            settings,
            now: Time(0),
            origin: Origin::Live,
            since: None,
            channels: BTreeMap::new(),
            locals: BTreeMap::new(),
            bridges: BTreeMap::new(),
            calls: BTreeMap::new(),
            calls_begun: 0,
            serving: BTreeMap::new(),
            devices: BTreeMap::new(),
            members: BTreeMap::new(),
            pool: BTreeMap::new(),
            later: Vec::new(),
            ended: VecDeque::new(),
            ended_ids: BTreeSet::new(),
            resync: super::resync::Resync::default(),
            ordered: Ordered::default(),
            ignored: 0,
            repaired: 0,
            out: VecDeque::new(),
        }
    }

    /// The next observation.
    pub fn poll(&mut self) -> Option<Observation> {
        self.out.pop_front()
    }

    /// Messages that meant nothing to us.
    #[must_use]
    pub fn ignored(&self) -> u64 {
        self.ignored
    }

    /// Differences found when the state was read again.
    #[must_use]
    pub fn repaired(&self) -> u64 {
        self.repaired
    }

    /// When [`Picture::handle_timeout`] is due.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Time> {
        self.later.iter().map(|later| later.due).chain(self.ordered.poll_timeout()).min()
    }

    /// Time has come this far: what nobody explained is done as it looks.
    pub fn handle_timeout(&mut self, now: Time) {
        self.now = self.now.max(now);
        while let Some(at) = self.later.iter().position(|later| later.due <= self.now) {
            let later = self.later.remove(at);
            self.run_later(later.what);
        }
        self.settle_orders(now);
    }

    pub(crate) fn later(&mut self, what: What) {
        self.later_by(self.settings.settle_ms, what);
    }

    pub(crate) fn later_by(&mut self, ms: u64, what: What) {
        if !self.later.iter().any(|later| later.what == what) {
            self.later.push(Later { due: self.now.plus_ms(ms), what });
        }
    }

    /// Says something. What an order was expected to cause, comes from its request.
    pub(crate) fn see(&mut self, seen: Seen) {
        let request = if self.ordered.is_idle() {
            None
        } else {
            let call = match &seen {
                Seen::Leg { leg, .. } => self.channel_of_leg(leg).and_then(|uid| self.call_of(&uid)),
                Seen::Switch(_)
                | Seen::Device { .. }
                | Seen::Agent { .. }
                | Seen::Queue { .. }
                | Seen::Call { .. }
                | Seen::Request { .. } => None,
            };
            self.ordered.cause(&seen, call.as_deref())
        };
        self.see_because(request, seen);
    }

    pub(crate) fn see_because(&mut self, request: Option<RequestId>, seen: Seen) {
        let observation = Observation {
            at: self.now,
            since: self.since,
            origin: self.origin,
            switch: self.settings.switch.clone(),
            request,
            seen,
        };
        self.out.push_back(observation);
    }

    pub(crate) fn see_call(&mut self, call: &str, seen: CallSeen) {
        self.see(Seen::Call { call: call.to_string(), seen });
    }

    pub(crate) fn see_leg(&mut self, leg: &str, seen: LegSeen) {
        self.see(Seen::Leg { leg: leg.to_string(), seen });
    }

    /// The channel a message is about, when we know it. Channels of Asterisk's own are not kept.
    pub(crate) fn uid<'m>(&self, message: &'m Message, header: &str) -> Option<&'m str> {
        message.get(header).filter(|uid| self.channels.contains_key(*uid))
    }

    /// Makes a channel known, or finds it.
    pub(crate) fn learn_channel(&mut self, uid: &str, name: &str, message: &Message) -> bool {
        if self.channels.contains_key(uid) {
            return true;
        }
        if self.ended_ids.contains(uid) {
            return false;
        }
        if uid.is_empty() || self.channels.len() >= self.settings.channels_max {
            self.ignored += 1;
            return false;
        }
        let parsed = ChannelName::parse(name);
        let text = |header: &str| {
            known(message.get(header)).map(|value| super::ami::unescape(value).into_owned()).unwrap_or_default()
        };
        let mut channel = Channel {
            linkedid: message.get("Linkedid").unwrap_or(uid).to_string(),
            caller: text("CallerIDNum"),
            caller_name: text("CallerIDName"),
            up: message.get("ChannelState") == Some("6"),
            ..Channel::default()
        };
        match parsed.kind {
            ChannelKind::Helper => return false,
            ChannelKind::Local(half, base) => {
                let pair = self.locals.entry(base.clone()).or_default();
                if let Some(place) = pair.halves.get_mut(usize::from(half == 2)) {
                    *place = Some(uid.to_string());
                }
                channel.local = Some((half, base));
                channel.device = parsed.endpoint;
            }
            ChannelKind::Real => {
                let kind = self.learn_device(&parsed.endpoint);
                channel.outside = kind == DeviceKind::Trunk;
                channel.device = parsed.endpoint;
            }
        }
        self.channels.insert(uid.to_string(), channel);
        true
    }

    /// A channel is gone.
    pub(crate) fn forget_channel(&mut self, uid: &str) -> Option<Channel> {
        while let Some((_, old)) = self.ended.pop_front_if(|(at, _)| at.plus_ms(ENDED_MS) < self.now) {
            self.ended_ids.remove(&old);
        }
        let channel = self.channels.remove(uid)?;
        self.ended.push_back((self.now, uid.to_string()));
        self.ended_ids.insert(uid.to_string());
        Some(channel)
    }

    /// The call a channel serves: that of its newest leg, or what its Local channel carries.
    pub(crate) fn call_of(&self, uid: &str) -> Option<String> {
        let channel = self.channels.get(uid)?;
        match &channel.local {
            Some((_, base)) => self.locals.get(base)?.call.clone(),
            None => channel.legs.last().map(|leg| leg.call.clone()),
        }
    }

    /// The leg that talks for a channel.
    pub(crate) fn leg_of(&self, uid: &str) -> Option<&LegRecord> {
        self.channels.get(uid)?.legs.last()
    }

    /// Begins a call in the picture and tells it.
    pub(crate) fn begin_call(&mut self, key: &str, record: CallRecord, previous: Option<String>) {
        self.calls_begun += 1;
        let number = self.calls_begun;
        let begin = CallSeen::Begin {
            direction: record.direction,
            ani: record.ani.clone(),
            ani_name: record.ani_name.clone(),
            dnis: record.dnis.clone(),
            previous,
        };
        self.calls.insert(key.to_string(), CallRecord { number, ..record });
        self.see_call(key, begin);
        for (name, value) in self.ordered.data_of(key) {
            self.see_call(key, CallSeen::UserData { key: name, value });
        }
    }

    /// Gives a channel a leg of a call. The caller says how it was seen.
    pub(crate) fn add_leg(&mut self, uid: &str, call: &str, role: Role, number: String) -> Option<(String, Party)> {
        let channel = self.channels.get_mut(uid)?;
        let key = if channel.legs_made == 0 { uid.to_string() } else { format!("{uid}~{}", channel.legs_made) };
        channel.legs_made += 1;
        let originator = role == Role::Originator;
        channel.legs.push(LegRecord { key: key.clone(), call: call.to_string(), originator, talked: false });
        let party = Party {
            key: key.clone(),
            device: channel.device.clone(),
            number,
            outside: channel.outside,
            role,
            queue: channel.queue.clone().filter(|_| !originator),
            by: None,
        };
        if let Some(call) = self.calls.get_mut(call) {
            call.has_originator |= originator;
        }
        self.serve(call, uid);
        Some((key, party))
    }

    /// Tells what is known of a call, if it changed.
    pub(crate) fn describe(&mut self, key: &str, change: impl FnOnce(&mut CallRecord)) {
        let Some(call) = self.calls.get_mut(key) else { return };
        let before = (call.ani.clone(), call.dnis.clone(), call.direction);
        change(call);
        let after = (call.ani.clone(), call.dnis.clone(), call.direction);
        if before != after {
            let (ani, dnis, direction) = after;
            self.see_call(key, CallSeen::Describe { ani, dnis, direction });
        }
    }

    /// A channel serves a call from now on.
    pub(crate) fn serve(&mut self, call: &str, uid: &str) {
        self.serving.entry(call.to_string()).or_default().insert(uid.to_string());
    }

    /// A Local channel carries a call from now on.
    pub(crate) fn carry(&mut self, base: &str, call: &str) {
        let Some(pair) = self.locals.get_mut(base) else { return };
        let before = pair.call.replace(call.to_string()).filter(|before| before != call);
        for half in pair.halves.iter().flatten().cloned().collect::<Vec<_>>() {
            self.serve(call, &half);
        }
        if let Some(before) = before {
            self.drop_call_if_unused(&before);
        }
    }

    /// Channels with a leg of this call.
    pub(crate) fn channels_of(&self, call: &str) -> Vec<String> {
        let has_leg = |uid: &&String| {
            self.channels.get(*uid).is_some_and(|channel| channel.legs.iter().any(|leg| leg.call == call))
        };
        self.serving.get(call).into_iter().flatten().filter(has_leg).cloned().collect()
    }

    /// Legs of `from` belong to `to`; the engine was told by other words.
    pub(crate) fn rename_call(&mut self, from: &str, to: &str) {
        for uid in self.serving.remove(from).unwrap_or_default() {
            let Some(channel) = self.channels.get_mut(&uid) else { continue };
            for leg in channel.legs.iter_mut().filter(|leg| leg.call == from) {
                leg.call = to.to_string();
            }
            if let Some((_, base)) = &channel.local
                && let Some(pair) = self.locals.get_mut(base).filter(|pair| pair.call.as_deref() == Some(from))
            {
                pair.call = Some(to.to_string());
            }
            self.serve(to, &uid);
        }
        self.calls.remove(from);
        self.see_call(from, CallSeen::Over);
    }

    /// Forgets a call that no channel serves any more.
    pub(crate) fn drop_call_if_unused(&mut self, key: &str) {
        let carries = |uid: &String| {
            let base = self.channels.get(uid).and_then(|channel| channel.local.as_ref()).map(|(_, base)| base);
            base.and_then(|base| self.locals.get(base)).is_some_and(|pair| pair.call.as_deref() == Some(key))
        };
        let waits = |later: &Later| matches!(&later.what, What::CallerGone { leg, .. } if leg.call == key);
        let used = self.later.iter().any(waits)
            || !self.channels_of(key).is_empty()
            || self.serving.get(key).is_some_and(|uids| uids.iter().any(carries));
        if !used {
            self.serving.remove(key);
            if self.calls.remove(key).is_some() {
                // Says nothing new of a call whose legs have ended; it ends one that never had any.
                self.see_call(key, CallSeen::Over);
            }
        }
    }
}
