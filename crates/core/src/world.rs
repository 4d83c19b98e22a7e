//! The live state of one tenant: every call, agent, device and queue. Built by `evolve` alone.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::{string::String, vec::Vec};

use serde::{Deserialize, Serialize};

use crate::agent::AgentState;
use crate::call::LegState;
use crate::directory::Directory;
use crate::event::{
    Asked, CallResult, Cause, DeviceKind, Direction, ForwardMode, Membership, Monitor, Pairs, QueueProfile, Role,
    SuperviseMode, Transfer, TreatmentKind, With, WorkMode, WrapUpPlan, WrapUpWish,
};
use crate::ids::{CallId, ConnId, LegId, RequestId, ThreadId, Time};

macro_rules! state {
    ($($(#[$meta:meta])* pub struct $name:ident $body:tt)+) => {$(
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
        #[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
        pub struct $name $body
    )+};
}

state! {
    /// Everything that is true of a tenant at one position of its log. It is written into snapshots, so its form is a
    /// promise like that of the events.
    #[derive(Default)]
    pub struct World {
        /// The tenant's name; empty before the log's first event.
        pub tenant: String,
        /// When the log was founded.
        pub founded: Time,
        /// When the newest event was told.
        pub now: Time,
        /// Phone systems by configured name.
        pub switches: BTreeMap<String, Switch>,
        /// Directory numbers.
        pub devices: BTreeMap<String, Device>,
        /// Agents by id.
        pub agents: BTreeMap<String, Agent>,
        /// Queues by name.
        pub queues: BTreeMap<String, Queue>,
        /// Calls under way, and those that ended with the newest event.
        pub calls: BTreeMap<CallId, Call>,
        /// When after-call work ends.
        pub timers: BTreeSet<(Time, String)>,
        /// Requests that are being carried out, and those that were answered with the newest event.
        pub requests: BTreeMap<RequestId, Asked>,
        /// Clients that asked for something.
        pub clients: BTreeMap<String, Client>,
        /// People, call lists, callbacks and alerts.
        #[serde(default)]
        pub directory: Directory,
        /// When requests count as failed.
        pub deadlines: BTreeSet<(Time, RequestId)>,
        pub(crate) timer_of: BTreeMap<String, Time>,
        pub(crate) last_call: u64,
        pub(crate) last_leg: u64,
        pub(crate) last_request: u64,
        /// What ended with the newest event and is forgotten with the next.
        pub(crate) fading: Vec<(CallId, Option<LegId>)>,
        /// Whose after-call work ended with the newest event.
        #[serde(default)]
        pub(crate) rested: Option<String>,
        pub(crate) answered: Option<RequestId>,
    }

    /// A client: an application on one connection.
    #[derive(Default)]
    pub struct Client {
        /// The numbers it is told about.
        pub registered: BTreeSet<String>,
        /// The reference of its next request without one.
        pub next_reference: u64,
        /// The events it is told; all, where there are none.
        pub mask: BTreeSet<String>,
        /// Its newest requests by reference, so that one that comes again is not carried out again.
        pub recent: BTreeMap<u64, RequestId>,
    }

    /// A phone system.
    pub struct Switch {
        /// Whether what we know of it is live.
        pub connected: bool,
        /// What it calls itself.
        pub version: String,
        /// Why it is not connected; empty when it is.
        pub reason: String,
        /// Its keys of calls.
        pub calls: BTreeMap<String, CallId>,
        /// Its keys of legs.
        pub legs: BTreeMap<String, (CallId, LegId)>,
    }

    /// A directory number.
    pub struct Device {
        /// What it is.
        pub kind: DeviceKind,
        /// The switch it belongs to.
        pub switch: String,
        /// Whether it can be reached; none when nobody said.
        pub in_service: Option<bool>,
        /// Whether it was ever told to be out of service.
        pub was_out: bool,
        /// Do-not-disturb.
        pub dnd: bool,
        /// Forwarding in force.
        pub forward: BTreeMap<ForwardMode, String>,
        /// New voice messages.
        pub messages_new: u32,
        /// Whether its handset is lifted; only where the switch says so.
        pub off_hook: bool,
        /// What a supervisor here wants to take part in.
        pub monitors: Option<Monitor>,
        /// Clients that are told what concerns it.
        pub clients: BTreeSet<String>,
        /// The agent logged in on it.
        pub agent: Option<String>,
        /// Its legs under way.
        pub legs: BTreeSet<(CallId, LegId)>,
        /// The call it takes part in unseen.
        pub supervising: Option<CallId>,
        /// Whether it is in a call, from the first ring or digit on.
        #[serde(default)]
        pub in_call: bool,
        /// Since when that is so; none where it never was.
        #[serde(default)]
        pub calls_changed: Option<Time>,
        /// Legs that wait on a parking place where it put them.
        #[serde(default)]
        pub parked: BTreeSet<(CallId, LegId)>,
    }

    /// An agent.
    pub struct Agent {
        /// A name for people; may be empty.
        pub name: String,
        /// What the agent is doing, calls apart.
        pub state: AgentState,
        /// Why the agent is not ready; may be empty.
        pub reason: String,
        /// How the agent chose to be ready or not.
        pub mode: WorkMode,
        /// Why, in pairs.
        pub reasons: Pairs,
        /// Whether the switch tells how its agents choose; where it does not, the mode above says nothing.
        #[serde(default)]
        pub chose: bool,
        /// After-call work that follows the agent's calls; none where the queues say.
        pub plan: Option<WrapUpPlan>,
        /// Who has the agent reserved, until when, and how much it matters.
        pub reserved: Option<(String, Time, u32)>,
        /// Since when the state and reason hold.
        pub since: Time,
        /// The device, while logged in.
        pub device: Option<String>,
        /// The device of the last logout.
        pub left: Option<String>,
        /// The queues served, and in each: paused and why.
        pub queues: BTreeMap<String, Option<String>>,
        /// After-call work: since, planned end, queue and call.
        pub wrapup: Option<WrapUp>,
        /// After-call work that ended with the newest event.
        #[serde(default)]
        pub wrapup_over: Option<WrapUp>,
    }

    /// After-call work.
    pub struct WrapUp {
        /// When it began.
        pub since: Time,
        /// When it ends by itself; the end of time where the agent must end it.
        pub until: Time,
        /// Whether the switch says when it ends.
        pub by_switch: bool,
        /// The queue whose call it follows.
        pub queue: String,
        /// The call it follows.
        pub call: Option<CallId>,
        /// The wish it came from.
        #[serde(default)]
        pub wish: Option<WrapUpWish>,
    }

    /// A queue.
    pub struct Queue {
        /// The switch it belongs to.
        pub switch: String,
        /// After-call work that follows its calls, in milliseconds.
        pub wrapup_ms: Option<u64>,
        /// Calls waiting, and since when.
        pub waiting: BTreeMap<CallId, Time>,
        /// Agents who serve it.
        pub members: BTreeSet<String>,
        /// What the directory says of it.
        #[serde(default)]
        pub profile: QueueProfile,
        /// Those who are assigned to it in the directory, logged in or not.
        #[serde(default)]
        pub assigned: BTreeMap<String, Membership>,
        /// Living legs that it offered its calls to.
        #[serde(default)]
        pub offers: BTreeSet<(CallId, LegId)>,
    }

    /// A call.
    pub struct Call {
        /// What applications call it.
        pub conn: ConnId,
        /// The thread it was born into. It never changes.
        pub thread: ThreadId,
        /// The thread whose story it tells now, after all joins: the oldest one.
        pub story: ThreadId,
        /// The switch it is on.
        pub switch: String,
        /// The switch's keys of it.
        pub keys: Vec<String>,
        /// When it began.
        pub began: Time,
        /// Where it goes.
        pub direction: Direction,
        /// Calling number.
        pub ani: String,
        /// Name that came with it.
        pub ani_name: String,
        /// Called number.
        pub dnis: String,
        /// The call it consults about.
        pub previous: Option<CallId>,
        /// What applications call that call, which may be over by now.
        pub previous_conn: Option<ConnId>,
        /// Data attached to it.
        pub user_data: Pairs,
        /// Its legs, and those that ended or moved away with the newest event.
        pub legs: BTreeMap<LegId, Leg>,
        /// The queues it waits in, and since when.
        pub queued: BTreeMap<String, Time>,
        /// Where it waits for a routing instruction, since when, and what it hears there.
        pub routing: BTreeMap<String, Routing>,
        /// What answered it outside.
        pub result: Option<CallResult>,
        /// Digits that were keyed in at a route point.
        pub digits: Option<String>,
        /// The menu of the switch it is in.
        pub ivr: Option<String>,
        /// The conference it is, or is in: none, a talk of more than two (empty), or a room.
        pub conference: Option<String>,
        /// A hand-over whose target has not answered yet.
        pub transfer: Option<Transfer>,
        /// Who joined a consultation into a conference; when that party leaves, it was a transfer.
        pub conferenced_by: Option<(String, String)>,
        /// The number of the target that last answered.
        pub answered_by: Option<String>,
        /// Whether a person, or for calls within the house the switch, answered.
        pub answered: Option<With>,
        /// Who takes part unseen, and how.
        pub supervisors: BTreeMap<String, SuperviseMode>,
        /// Why the last leg that was called ended.
        pub last_refusal: Option<Cause>,
        /// Who hung up last: leg, number, and the part it played.
        pub hung_up_by: Option<(LegId, String, Role)>,
        /// Whether the calling party is outside.
        pub caller_outside: bool,
        /// Whether it came anywhere: somebody was called, refused it, or it waited for somebody.
        pub arrived: bool,
        /// Whether it ever waited in a queue.
        pub waited: bool,
        /// Whether its caller gave up in a queue.
        pub gave_up_waiting: bool,
        /// Why the calling leg ended, once it did.
        pub caller_end: Option<Cause>,
        /// Whether it ended with the newest event.
        pub ended: bool,
    }

    /// A wait for a routing instruction.
    pub struct Routing {
        /// Since when.
        pub since: Time,
        /// What it hears or is asked, and details.
        pub treatment: Option<(TreatmentKind, Pairs)>,
    }

    /// A leg (party) of a call.
    pub struct Leg {
        /// What the switch calls it.
        pub key: String,
        /// The device, when it is one of ours; for an outside party the trunk.
        pub device: String,
        /// The directory number, or the outside party's number.
        pub number: String,
        /// Outside party on a trunk.
        pub outside: bool,
        /// Part it plays in the call.
        pub role: Role,
        /// The queue that offered the call to it.
        pub queue: Option<String>,
        /// Where it stands.
        pub state: LegState,
        /// With whom it is or was connected last.
        pub with: Option<With>,
        /// Not heard.
        pub muted: bool,
        /// Does not hear the others.
        pub deaf: bool,
        /// Who brought it in.
        pub by: Option<String>,
        /// Whose telephone it was when the leg began; whoever logs in or out there meanwhile is not in this call. Empty
        /// for an outside party.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        pub user: String,
        /// The parking place it waits on.
        pub parked: Option<String>,
        /// The device that put it there.
        #[serde(default)]
        pub parked_by: Option<String>,
        /// Another appearance of its number has answered in its place.
        #[serde(default)]
        pub bridged: bool,
        /// When it was first alerted or dialled.
        pub since: Time,
        /// When it was alerted.
        pub rang: Option<Time>,
        /// When it was answered.
        pub answered: Option<Time>,
        /// The call it came from, for a leg that moved.
        pub came_from: Option<CallId>,
    }
}

impl World {
    /// The call that the switch knows by this key.
    #[must_use]
    pub fn call_by_key(&self, switch: &str, key: &str) -> Option<(CallId, &Call)> {
        let id = *self.switches.get(switch)?.calls.get(key)?;
        self.calls.get(&id).filter(|call| !call.ended).map(|call| (id, call))
    }

    /// The living leg that the switch knows by this key.
    #[must_use]
    pub fn leg_by_key(&self, switch: &str, key: &str) -> Option<(CallId, LegId, &Leg)> {
        let (call, leg) = *self.switches.get(switch)?.legs.get(key)?;
        let found = self.calls.get(&call)?.legs.get(&leg)?;
        (found.state != LegState::Ended).then_some((call, leg, found))
    }

    /// The call that applications know by this id.
    #[must_use]
    pub fn call_by_conn(&self, conn: ConnId) -> Option<(CallId, &Call)> {
        let id = CallId(conn.0.wrapping_sub((self.founded.0 / 1_000_000) << 32));
        self.calls.get(&id).filter(|call| call.conn == conn && !call.ended).map(|call| (id, call))
    }

    /// What applications call a call, or called it while it was there. The upper half is the second in which the log was
    /// founded, so that a log founded anew never repeats an id; the lower half counts, and carries over should a tenant
    /// ever see more than 2^32 calls.
    #[must_use]
    pub const fn conn_of(&self, call: CallId) -> ConnId {
        ConnId(((self.founded.0 / 1_000_000) << 32).wrapping_add(call.0))
    }

    /// The living leg of a device in a call.
    #[must_use]
    pub fn leg_of<'w>(&self, call: &'w Call, device: &str) -> Option<(LegId, &'w Leg)> {
        call.living().find(|(_, leg)| !leg.outside && leg.device == device)
    }

    /// When the next timer is due.
    #[must_use]
    pub fn next_timer(&self) -> Option<Time> {
        let wrapup = self.timers.first().map(|(at, _)| *at);
        let deadline = self.deadlines.first().map(|(at, _)| *at);
        wrapup.into_iter().chain(deadline).chain(self.directory.dues.next()).min()
    }

    /// The agent logged in on a device.
    #[must_use]
    pub fn agent_on(&self, device: &str) -> Option<&str> {
        self.devices.get(device)?.agent.as_deref()
    }
}

impl Call {
    /// Legs that have not ended.
    pub fn living(&self) -> impl Iterator<Item = (LegId, &Leg)> {
        self.legs.iter().filter(|(_, leg)| leg.state != LegState::Ended).map(|(id, leg)| (*id, leg))
    }
}
