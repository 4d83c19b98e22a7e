//! Events: what became true. The only thing that is stored, and so a promise: old logs must open for ever.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

pub use crate::datum::{Datum, Pairs};
use crate::ids::{CallId, ConnId, LegId, RequestId, ThreadId, Time};
use crate::request::{Ask, Asker, Refusal};
pub use crate::words::{
    CallResult, Cause, DequeueReason, DeviceKind, Direction, ForwardMode, MonitorScope, Origin, Outcome, Role,
    RouteKind, SuperviseMode, TransferKind, TreatmentKind, With, WorkMode, WrapUpEnd,
};

macro_rules! stored {
    ($($(#[$meta:meta])* pub $kind:ident $name:ident $body:tt)+) => {$(
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
        #[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
        #[serde(rename_all = "snake_case")]
        pub $kind $name $body
    )+};
}

stored! {
    /// One fact, with when and how it was learned.
    pub struct Event {
        /// When it was told. Never runs backwards within a tenant's log.
        pub at: Time,
        /// When it happened, where that is known to be earlier than `at` (late join, calls lost while a source was away).
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub since: Option<Time>,
        /// Whether a switch said so at the time, or we concluded it later.
        #[serde(default, skip_serializing_if = "Origin::is_live")]
        pub origin: Origin,
        /// The request that caused it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub request: Option<RequestId>,
        /// What became true.
        pub fact: Fact,
    }

    /// What became true, by whose business it is.
    pub enum Fact {
        /// The log's first event.
        Founded {
            /// The tenant's name.
            tenant: String,
        },
        /// Something about a phone system.
        Switch {
            /// Its configured name.
            switch: String,
            /// What.
            fact: SwitchFact,
        },
        /// Something about a directory number.
        Device {
            /// The number.
            device: String,
            /// What.
            fact: DeviceFact,
        },
        /// Something about an agent.
        Agent {
            /// The agent's id.
            agent: String,
            /// What.
            fact: AgentFact,
        },
        /// Something about a queue.
        Queue {
            /// The queue's name.
            queue: String,
            /// What.
            fact: QueueFact,
        },
        /// Something about a request of a client.
        Request {
            /// Which.
            request: RequestId,
            /// What.
            fact: RequestFact,
        },
        /// Something about a client: an application on one connection.
        Client {
            /// Its name.
            client: String,
            /// What.
            fact: ClientFact,
        },
        /// Something about a call as a whole.
        Call {
            /// The call.
            call: CallId,
            /// What.
            fact: CallFact,
        },
        /// Something about one leg of a call.
        Leg {
            /// The call it belongs to.
            call: CallId,
            /// The leg.
            leg: LegId,
            /// What.
            fact: LegFact,
        },
    }

    /// About a phone system.
    pub enum SwitchFact {
        /// Its whole state has been read; what follows is live.
        Connected {
            /// What it calls itself, e.g. a version.
            version: String,
        },
        /// Nothing can be heard from it; what is known of it is stale until it is connected again.
        Disconnected {
            /// Why, in words for people.
            reason: String,
        },
    }

    /// About a directory number.
    pub enum DeviceFact {
        /// It exists.
        Found {
            /// What it is.
            kind: DeviceKind,
            /// The switch it belongs to.
            switch: String,
        },
        /// It cannot be reached.
        OutOfService,
        /// It can be reached; the first time it is heard of, or again.
        BackInService,
        /// Do-not-disturb is on.
        DndOn,
        /// Do-not-disturb is off.
        DndOff,
        /// Calls to it are forwarded.
        ForwardSet {
            /// When they are.
            mode: ForwardMode,
            /// Where to.
            target: String,
        },
        /// Forwarding of this mode is off.
        ForwardCancelled {
            /// Which.
            mode: ForwardMode,
        },
        /// There are new voice messages.
        MessageWaitingOn {
            /// How many are new.
            new: u32,
            /// How many are old.
            old: u32,
        },
        /// There are no new voice messages.
        MessageWaitingOff,
        /// Its handset was lifted.
        OffHook {
            /// The call, where there is one.
            call: Option<CallId>,
        },
        /// Its handset was put back.
        OnHook {
            /// The call that it was lifted for.
            call: Option<CallId>,
        },
        /// A supervisor at this number takes part in calls of another one from now on.
        MonitoringSet(Monitor),
        /// A supervisor at this number takes part in calls of another one no longer.
        MonitoringCancelled(Monitor),
    }

    /// What a supervisor wants to take part in.
    pub struct Monitor {
        /// The number whose calls it is about.
        pub target: String,
        /// Which calls.
        pub scope: MonitorScope,
        /// How.
        pub mode: SuperviseMode,
    }

    /// About a request.
    pub enum RequestFact {
        /// A client asks. Who asks is kept for ever: this is the audit.
        Asked(Box<Asked>),
        /// It was done; the events it caused have been told.
        Done,
        /// It was not done.
        Refused {
            /// Why, as a word for programs.
            refusal: Refusal,
            /// Why, and what would be right, in words for people.
            why: String,
        },
    }

    /// What a client asks, and who it is.
    pub struct Asked {
        /// The client: an application on one connection.
        pub client: String,
        /// On whose behalf.
        pub by: Asker,
        /// What the client calls the request.
        pub reference: u64,
        /// The directory number it is about; empty where it is about none.
        pub device: String,
        /// What is asked.
        pub ask: Ask,
        /// The switch that is to carry it out; none where we answer ourselves.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub switch: Option<String>,
        /// When it counts as failed if nothing was heard of it.
        pub deadline: Time,
    }

    /// About a client.
    pub enum ClientFact {
        /// It is told what concerns a directory number.
        Registered {
            /// The number.
            device: String,
        },
        /// It is told so no longer.
        Unregistered {
            /// The number.
            device: String,
        },
        /// The reference of its next request without one.
        ReferenceSet {
            /// That reference.
            next: u64,
        },
        /// It is told these events only, by their names; all, where there are none.
        MaskSet {
            /// The names.
            events: Vec<String>,
        },
        /// It is gone, and everything it was registered for.
        Left,
    }

    /// About an agent.
    pub enum AgentFact {
        /// The agent exists.
        Found {
            /// A name for people; may be empty.
            name: String,
        },
        /// Logged in to a queue on a device; the first one is the agent's login. Comes once for each queue.
        LoggedIn {
            /// The device the agent works at.
            device: String,
            /// The queue; none when the switch logs agents in without one.
            queue: Option<String>,
        },
        /// Logged out of one queue while others remain.
        QueueLoggedOut {
            /// The queue.
            queue: String,
        },
        /// Logged out of the last queue (named, if there was one), and so altogether.
        LoggedOut {
            /// The queue left last.
            queue: Option<String>,
        },
        /// Paused in one queue, or paused with another reason.
        QueuePaused {
            /// The queue.
            queue: String,
            /// Why; empty when nobody said.
            reason: String,
        },
        /// No longer paused in one queue.
        QueueResumed {
            /// The queue.
            queue: String,
        },
        /// Chose how to be ready or not; whether it is follows.
        ModeChosen {
            /// The mode.
            mode: WorkMode,
            /// Why, in pairs.
            #[serde(default, skip_serializing_if = "Pairs::is_empty")]
            reasons: Pairs,
        },
        /// After-call work that follows this agent's calls, whatever the queues say.
        WrapUpPlanned(WrapUpPlan),
        /// Reserved for somebody until then; nobody else gets the agent meanwhile.
        Reserved {
            /// The client.
            by: String,
            /// Until when.
            until: Time,
            /// The higher wins.
            priority: u32,
        },
        /// Can be offered calls of at least one queue.
        Ready,
        /// Is offered no queue calls.
        NotReady {
            /// Why; empty when nobody said.
            reason: String,
        },
        /// After-call work began.
        WrapUpBegan {
            /// The queue whose call it follows.
            queue: String,
            /// The call it follows, where it is known.
            call: Option<CallId>,
            /// When it ends by itself; the end of time where the agent must end it.
            until: Time,
            /// Whether the switch says when it ends, so that no clock of ours does.
            #[serde(default, skip_serializing_if = "core::ops::Not::not")]
            by_switch: bool,
        },
        /// After-call work ended.
        WrapUpEnded {
            /// Why.
            reason: WrapUpEnd,
        },
    }

    /// After-call work of an agent.
    #[derive(Copy)]
    pub enum WrapUpPlan {
        /// None.
        None,
        /// So long.
        Timed {
            /// In milliseconds.
            ms: u64,
        },
        /// Until the agent ends it.
        Untimed,
    }

    /// About a queue.
    pub enum QueueFact {
        /// It exists.
        Found {
            /// The switch it belongs to.
            switch: String,
        },
        /// After-call work that follows its calls.
        WrapUpSet {
            /// Milliseconds; 0 for none.
            wrapup_ms: u64,
        },
    }

    /// About a call as a whole.
    pub enum CallFact {
        /// A call begins. Its first leg follows.
        Began(CallBegan),
        /// What is known of it was completed or put right.
        Described {
            /// Calling number.
            ani: String,
            /// Called number.
            dnis: String,
            /// Where it goes.
            direction: Direction,
        },
        /// The switch knows it by one more name.
        AlsoKnownAs {
            /// That name.
            key: String,
        },
        /// A wanted channel variable was set: data attached to the call.
        UserDataSet {
            /// Its name.
            key: String,
            /// Its value.
            value: String,
        },
        /// A client changed the data attached to it, all at once.
        UserDataChanged {
            /// Pairs that were added or replaced.
            #[serde(default, skip_serializing_if = "Pairs::is_empty")]
            set: Pairs,
            /// Keys that were removed.
            #[serde(default, skip_serializing_if = "Vec::is_empty")]
            removed: Vec<String>,
            /// The directory number it was done from.
            by: String,
        },
        /// The switch asks where it is to go.
        RouteRequested {
            /// The route point or routing queue it waits at.
            at: String,
        },
        /// Where it was told to go. It waits there for an instruction no longer.
        Routed {
            /// The route point or routing queue it waited at.
            at: String,
            /// Where to; none when it is refused.
            to: Option<String>,
            /// How that came.
            kind: RouteKind,
        },
        /// The switch gives it something to hear, or asks it something, at a route point.
        TreatmentApplied {
            /// The route point or routing queue.
            at: String,
            /// What.
            kind: TreatmentKind,
            /// Details.
            #[serde(default, skip_serializing_if = "Pairs::is_empty")]
            parameters: Pairs,
        },
        /// That came to its end.
        TreatmentEnded {
            /// The route point or routing queue.
            at: String,
            /// What.
            kind: TreatmentKind,
            /// Digits keyed in.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            digits: Option<String>,
            /// Whether the caller cut it short.
            #[serde(default, skip_serializing_if = "core::ops::Not::not")]
            interrupted: bool,
        },
        /// The switch cannot give it that.
        TreatmentRefused {
            /// The route point or routing queue.
            at: String,
            /// What.
            kind: TreatmentKind,
            /// Details.
            #[serde(default, skip_serializing_if = "Pairs::is_empty")]
            parameters: Pairs,
        },
        /// A target could not be called at all; the calling party hears so.
        TargetRefused {
            /// Its number.
            to: String,
            /// Why.
            cause: Cause,
        },
        /// What answered it outside.
        Detected {
            /// What.
            result: CallResult,
        },
        /// It has the place of a consultation in a queue or at a route point, which was handed on to it.
        QueueTaken {
            /// The queue or route point.
            queue: String,
            /// The consultation.
            from: CallId,
        },
        /// A supervisor takes part in another way.
        SupervisionChanged {
            /// The supervisor's device.
            by: String,
            /// How from now on.
            mode: SuperviseMode,
        },
        /// It entered an announcement or menu of the switch.
        IvrEntered {
            /// Name of the flow.
            flow: String,
        },
        /// It left the flow it was in.
        IvrLeft,
        /// It waits in a queue.
        Queued {
            /// The queue.
            queue: String,
            /// Place in the queue, from 1; 0 when unknown.
            position: u32,
        },
        /// It waits in that queue no longer.
        Dequeued {
            /// The queue.
            queue: String,
            /// Why.
            reason: DequeueReason,
            /// Where it went, where that is known.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            to: Option<String>,
        },
        /// A party handed the call on. Blind: the target is yet to be called. Attended: the target's legs move into this call.
        Transferred(Transfer),
        /// The target of the last transfer talks with the party that was handed on.
        TransferCompleted {
            /// The leg that answered.
            to: LegId,
        },
        /// More than two parties talk with each other: three legs of this call, or a conference room.
        Conferenced {
            /// The room's name, when it is one.
            room: Option<String>,
            /// The device that joined a consultation to it.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            by: Option<String>,
            /// The number that was consulted.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            to: Option<String>,
        },
        /// Its thread was joined with another: both tell parts of one story from now on.
        ThreadJoined {
            /// The thread it was joined with.
            with: ThreadId,
        },
        /// A recording runs.
        RecordingStarted {
            /// Its file or name.
            file: String,
        },
        /// A recording does not take down what is said.
        RecordingPaused,
        /// A recording takes down what is said again.
        RecordingResumed,
        /// A recording stopped before the call ended.
        RecordingStopped,
        /// Somebody listens to, coaches or joins this call.
        SupervisionBegan {
            /// The supervisor's device.
            by: String,
            /// How.
            mode: SuperviseMode,
        },
        /// That supervisor left.
        SupervisionEnded {
            /// The supervisor's device.
            by: String,
        },
        /// The call is over: its last leg ended or moved to another call. Exactly once a call.
        Ended {
            /// How it went.
            outcome: Outcome,
            /// Why it ended.
            cause: Cause,
            /// The device or outside number that hung up; none when the switch did.
            by: Option<String>,
        },
    }

    /// The beginning of a call.
    pub struct CallBegan {
        /// What applications call it.
        pub conn: ConnId,
        /// The thread it belongs to.
        pub thread: ThreadId,
        /// The switch it is on.
        pub switch: String,
        /// What that switch calls it.
        pub key: String,
        /// Where it goes.
        pub direction: Direction,
        /// Calling number.
        pub ani: String,
        /// Name that came with the calling number; may be empty.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        pub ani_name: String,
        /// Called number.
        pub dnis: String,
        /// The call this one consults about.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub previous: Option<CallId>,
    }

    /// A hand-over.
    pub struct Transfer {
        /// How.
        pub kind: TransferKind,
        /// The device that handed the call on.
        pub by: String,
        /// The number it was handed to.
        pub to: String,
        /// The consultation that preceded it; its legs move into this call.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub consult: Option<CallId>,
    }

    /// About one leg.
    pub enum LegFact {
        /// A party began a call, or picked up to have one dialled for it.
        Dialing(Party),
        /// A party is being alerted.
        Ringing(Party),
        /// The outside network said that the number is being alerted.
        NetworkReached,
        /// The leg is connected.
        Answered {
            /// With whom.
            with: With,
            /// The party, when the leg was not known before.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            party: Option<Party>,
        },
        /// Its party pressed hold.
        Held,
        /// Its party came back.
        Retrieved,
        /// Its party waits on a parking place.
        Parked {
            /// The place.
            space: String,
            /// The device that parked it.
            by: String,
        },
        /// Its party is on no parking place any more.
        Unparked {
            /// The device that fetched it; none when the time was up.
            by: Option<String>,
        },
        /// Its party is not heard.
        Muted,
        /// Its party is heard again.
        Unmuted,
        /// Its party does not hear the others.
        Deafened {
            /// The device that asked for it.
            by: String,
        },
        /// Its party hears the others again.
        Undeafened {
            /// The device that asked for it.
            by: String,
        },
        /// Another appearance of the same number answered; this one may still come to the call.
        Bridged,
        /// The leg left its call and belongs to another one now.
        Moved {
            /// The call it belongs to.
            to: CallId,
        },
        /// It is over.
        Ended {
            /// Why.
            cause: Cause,
            /// The switch's own code for it (Q.850), when it gave one.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            code: Option<u16>,
            /// Whether this party hung up (and not the other side or the switch).
            by_self: bool,
            /// The device that took it out of the call, where it was another party.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            by: Option<String>,
        },
    }

    /// Who a leg stands for.
    pub struct Party {
        /// What the switch calls the leg.
        pub key: String,
        /// The device, when it is one of ours; for an outside party the trunk.
        pub device: String,
        /// The directory number, or the outside party's number.
        pub number: String,
        /// Outside party on a trunk.
        pub outside: bool,
        /// Part it plays in the call.
        pub role: Role,
        /// The queue that offers the call to it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub queue: Option<String>,
        /// The device that brought it in: added it, redirected or forwarded the call to it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub by: Option<String>,
    }
}

impl LegFact {
    /// The end of a leg that neither its own party nor another one brought about.
    pub(crate) const fn over(cause: Cause) -> Self {
        Self::Ended { cause, code: None, by_self: false, by: None }
    }
}
