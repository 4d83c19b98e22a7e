//! Observations: what a switch said, in no vendor's words. Present tense, so that a reader knows the side.

use alloc::{string::String, vec::Vec};

use crate::event::{
    CallResult, Cause, DequeueReason, DeviceKind, Direction, ForwardMode, Monitor, Origin, Pairs, Party, RouteKind,
    SuperviseMode, TransferKind, TreatmentKind, With, WorkMode, WrapUpPlan,
};
use crate::ids::{RequestId, Time};
use crate::request::Refusal;

/// One thing a switch said, or that follows from a comparison with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Observation {
    /// When we heard it.
    pub at: Time,
    /// When it happened, where that is known to be earlier.
    pub since: Option<Time>,
    /// Said at the time, or concluded.
    pub origin: Origin,
    /// Configured name of the switch.
    pub switch: String,
    /// The request that caused it.
    pub request: Option<RequestId>,
    /// What.
    pub seen: Seen,
}

/// What was seen, by whose business it is. Calls and legs are named by the switch's own keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seen {
    /// About the switch itself.
    Switch(SwitchSeen),
    /// About a directory number.
    Device {
        /// The number.
        device: String,
        /// What.
        seen: DeviceSeen,
    },
    /// About an agent.
    Agent {
        /// The agent's id.
        agent: String,
        /// What.
        seen: AgentSeen,
    },
    /// About a queue.
    Queue {
        /// The queue's name.
        queue: String,
        /// What.
        seen: QueueSeen,
    },
    /// About a call as a whole.
    Call {
        /// The switch's key of the call.
        call: String,
        /// What.
        seen: CallSeen,
    },
    /// About a request that the switch was to carry out.
    Request {
        /// Which.
        request: RequestId,
        /// What.
        seen: RequestSeen,
    },
    /// About a leg.
    Leg {
        /// The switch's key of the leg.
        leg: String,
        /// What.
        seen: LegSeen,
    },
}

/// About the switch itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SwitchSeen {
    /// Its state has been read as a whole.
    Connect {
        /// What it calls itself.
        version: String,
    },
    /// Nothing is heard from it.
    Disconnect {
        /// Why.
        reason: String,
    },
    /// These are all legs it knows now; whatever else we had is gone.
    Present {
        /// Keys of all living legs.
        legs: Vec<String>,
        /// Keys of all calls, also of those whose first leg is yet to come.
        calls: Vec<String>,
        /// When those that are missing ended, as near as can be told.
        gone_since: Option<Time>,
    },
    /// These are all queue memberships it knows now.
    Members {
        /// Agent and queue.
        members: Vec<(String, String)>,
    },
}

/// About a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RequestSeen {
    /// It is done; what it caused was said.
    Done,
    /// It cannot be done.
    Refuse {
        /// Why, as a word for programs.
        refusal: Refusal,
        /// Why, and what would be right, in words for people.
        why: String,
    },
}

/// About a directory number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DeviceSeen {
    /// It exists.
    Exist(DeviceKind),
    /// It can be reached, or cannot.
    Service(bool),
    /// Do-not-disturb is on or off.
    Dnd(bool),
    /// Forwarding of a mode: the target, or none.
    Forward(ForwardMode, Option<String>),
    /// New and old voice messages.
    Messages(u32, u32),
    /// Its handset is lifted or put back; with the switch's key of the call.
    Hook {
        /// Lifted.
        off: bool,
        /// The call.
        call: Option<String>,
    },
    /// A supervisor here takes part in calls of another number from now on.
    Monitor(Monitor),
    /// Does so no longer.
    MonitorEnd(Monitor),
}

/// About an agent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AgentSeen {
    /// Is known, logged in or not.
    Exist {
        /// A name for people; may be empty.
        name: String,
    },
    /// Serves a queue at a device.
    Join {
        /// The queue; none when the switch logs agents in without one.
        queue: Option<String>,
        /// The device.
        device: String,
        /// A name for people.
        name: String,
        /// Paused there, and why.
        paused: Option<String>,
    },
    /// Logs in at a device, to all queues served there at once, on a switch that keeps one readiness for all queues.
    LogIn {
        /// The device.
        device: String,
        /// A name for people; may be empty.
        name: String,
        /// The queues; none when the switch logs agents in without one.
        queues: Vec<String>,
        /// Ready.
        ready: bool,
        /// How.
        mode: WorkMode,
        /// Why, in one word; may be empty.
        reason: String,
        /// Why, in pairs.
        reasons: Pairs,
    },
    /// Serves a queue no longer; without one: logs out altogether.
    Leave {
        /// The queue.
        queue: Option<String>,
    },
    /// Takes no calls of a queue.
    Pause {
        /// The queue.
        queue: String,
        /// Why; may be empty.
        reason: String,
    },
    /// Takes calls of a queue again.
    Resume {
        /// The queue.
        queue: String,
    },
    /// Is ready or not in all queues at once, by choice; said again when only the mode or the reasons are others.
    Become {
        /// Ready.
        ready: bool,
        /// How.
        mode: WorkMode,
        /// Why, in one word; may be empty.
        reason: String,
        /// Why, in pairs.
        reasons: Pairs,
    },
    /// After-call work that follows this agent's calls.
    WrapUpPlan(WrapUpPlan),
    /// Begins after-call work; the switch says when it ends.
    WrapUp {
        /// The queue; empty when the agent chose to.
        queue: String,
        /// The switch's key of the call it follows.
        call: Option<String>,
        /// When it ends; none when the agent must end it.
        until: Option<Time>,
    },
    /// After-call work is over: its time is up.
    WrapUpEnd,
    /// A call of a queue is being offered.
    Offer,
    /// The switch forgot what the agent did last: after-call work is over.
    Forgotten,
    /// Has finished a call of a queue.
    Complete {
        /// The queue.
        queue: String,
        /// The switch's key of the call.
        call: String,
    },
}

/// About a queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum QueueSeen {
    /// It exists.
    Exist,
    /// After-call work that follows its calls, in milliseconds.
    WrapUp(u64),
}

/// About a call as a whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CallSeen {
    /// It exists.
    Begin {
        /// Where it goes.
        direction: Direction,
        /// Calling number.
        ani: String,
        /// Name that came with it.
        ani_name: String,
        /// Called number.
        dnis: String,
        /// The switch's key of the call it consults about, when the switch says so.
        previous: Option<String>,
    },
    /// The switch knows no leg of it any more.
    Over,
    /// What is known of it now.
    Describe {
        /// Calling number.
        ani: String,
        /// Called number.
        dnis: String,
        /// Where it goes.
        direction: Direction,
    },
    /// It has these legs; said when the state is read as a whole, so that a call we know by another key is recognised.
    Present {
        /// Keys of its legs.
        legs: Vec<String>,
    },
    /// A wanted variable has this value.
    UserData {
        /// Its name.
        key: String,
        /// Its value.
        value: String,
    },
    /// Data is attached to it.
    Attach {
        /// Pairs to add or replace.
        set: Pairs,
        /// The device that attaches them.
        by: String,
    },
    /// The data of another call becomes its own.
    TakeData {
        /// The switch's key of that call.
        from: String,
        /// How.
        merge: DataMerge,
    },
    /// It is in a menu of the switch, or in none.
    Ivr(Option<String>),
    /// It waits in a queue.
    Queue {
        /// The queue.
        queue: String,
        /// Place, from 1; 0 when unknown.
        position: u32,
    },
    /// It waits there no longer.
    Dequeue {
        /// The queue.
        queue: String,
        /// Why.
        reason: DequeueReason,
        /// Where it goes, where that is known.
        to: Option<String>,
    },
    /// The switch asks where it is to go.
    RouteRequest {
        /// The route point or routing queue.
        at: String,
    },
    /// It was told where to go.
    Route {
        /// The route point or routing queue.
        at: String,
        /// Where to; none when it is refused.
        to: Option<String>,
        /// How.
        kind: RouteKind,
    },
    /// It hears something, or is asked something, at a route point.
    Treat {
        /// The route point or routing queue.
        at: String,
        /// What.
        kind: TreatmentKind,
        /// Details.
        parameters: Pairs,
    },
    /// That came to its end.
    TreatEnd {
        /// The route point or routing queue.
        at: String,
        /// Digits keyed in.
        digits: Option<String>,
        /// Whether the caller cut it short.
        interrupted: bool,
    },
    /// The switch cannot do that.
    TreatRefuse {
        /// The route point or routing queue.
        at: String,
        /// What.
        kind: TreatmentKind,
        /// Details.
        parameters: Pairs,
    },
    /// A target cannot be called; the calling party hears so and stays.
    Refuse {
        /// Its number.
        to: String,
        /// Why.
        cause: Cause,
    },
    /// What answered it outside.
    Detect(CallResult),
    /// A party hands it on.
    Transfer {
        /// How.
        kind: TransferKind,
        /// The leg of this call that hands on.
        by: String,
        /// The number it is handed to; empty to take the consultation's target.
        to: String,
        /// The switch's key of the consultation.
        consult: Option<String>,
    },
    /// Somebody who is no party connects it with another target.
    HandOver {
        /// Who, in the switch's word.
        by: String,
        /// The number it is connected with.
        to: String,
    },
    /// A party joins its consultation to it and stays: all talk with each other.
    Join {
        /// The leg of this call that joins.
        by: String,
        /// The switch's key of the consultation.
        consult: String,
    },
    /// It is in a conference room.
    Conference {
        /// The room.
        room: String,
    },
    /// A recording runs.
    Record {
        /// Its file.
        file: String,
    },
    /// The recording pauses, or goes on.
    RecordPause(bool),
    /// The recording stops.
    RecordStop,
    /// A supervisor takes part.
    Supervise {
        /// The supervisor's device.
        by: String,
        /// How.
        mode: SuperviseMode,
    },
    /// The supervisor leaves.
    SuperviseEnd {
        /// The supervisor's device.
        by: String,
    },
}

/// How the data of one call becomes that of another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DataMerge {
    /// In the place of what was there.
    Instead,
    /// Added; what was there wins.
    Under,
    /// Added; it wins over what was there.
    Over,
}

/// About a leg. The party travels along wherever a leg may be new to us.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LegSeen {
    /// Its party calls.
    Dial {
        /// The switch's key of the call.
        call: String,
        /// Who.
        party: Party,
    },
    /// Its party is alerted.
    Ring {
        /// The switch's key of the call.
        call: String,
        /// Who.
        party: Party,
    },
    /// It is found connected when the state is read as a whole.
    Found {
        /// The switch's key of the call.
        call: String,
        /// Who.
        party: Party,
        /// With whom it is connected.
        with: With,
    },
    /// The outside network alerts the number.
    Reach,
    /// The party a call is being set up for picked up; the other side is called now.
    PickUp,
    /// It is answered.
    Answer(With),
    /// Its party presses hold.
    Hold,
    /// Its party comes back.
    Retrieve,
    /// Its party waits on a parking place.
    Park {
        /// The place.
        space: String,
        /// The device that parked it.
        by: String,
    },
    /// Its party is fetched, by a device or because the time is up.
    Unpark {
        /// The device.
        by: Option<String>,
    },
    /// Its party is not heard, or is heard again.
    Mute(bool),
    /// Its party does not hear the others, or hears them again.
    Deafen {
        /// Does not hear.
        on: bool,
        /// The device that asked for it.
        by: String,
    },
    /// Another appearance of the same number answered.
    Bridge,
    /// It talks with legs of another call now, and so belongs there.
    Move {
        /// The switch's key of that call.
        to: String,
    },
    /// It is over.
    Hangup {
        /// Why.
        cause: Cause,
        /// The switch's own code.
        code: Option<u16>,
        /// Whether this party hung up.
        by_self: bool,
        /// The device that took it out, where it was another party.
        by: Option<String>,
    },
}
