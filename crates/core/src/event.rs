//! Events: what became true. The only thing that is stored, and so a promise: old logs must open for ever.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

pub use crate::call_fact::{CallBegan, CallFact, LegFact, Party, Transfer};
pub use crate::change::{Membership, QueueProfile};
pub use crate::datum::{Datum, Pairs};
pub use crate::directory_fact::{
    AlertFact, AlertRule, Attempt, Availability, Callback, CallbackDetails, CallbackFact, CallbackKind, Converted,
    ListFact, ListProfile, Phrase, Profile, Reach, Setting, SettingLevel, UserFact, WithoutCall, WrapUpWish,
};
use crate::guid::Guid;
use crate::ids::{CallId, LegId, RequestId, Time};
use crate::request::{Ask, Asker, Refusal};
use crate::stored::stored;
pub use crate::words::{
    CallResult, Cause, DequeueReason, DeviceKind, Direction, ForwardMode, MonitorScope, Origin, Outcome, Role,
    RouteKind, SuperviseMode, TransferKind, TreatmentKind, With, WorkMode, WrapUpEnd,
};

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
        /// Something about a person in the directory.
        User {
            /// The person; an agent's id, where the person is an agent.
            user: String,
            /// What.
            fact: UserFact,
        },
        /// Something about a call list.
        List {
            /// The list's name.
            list: String,
            /// What.
            fact: ListFact,
        },
        /// Something about a callback.
        Callback {
            /// Which.
            callback: Guid,
            /// What.
            fact: CallbackFact,
        },
        /// Something about an alert.
        Alert {
            /// Which.
            alert: Guid,
            /// What.
            fact: AlertFact,
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
        /// Reserved no longer: the time is up.
        ReservationEnded,
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
            /// The wish it came from, where somebody asked for it.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            wish: Option<Box<WrapUpWish>>,
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
        /// What the directory says of it.
        Described(QueueProfile),
        /// Somebody is assigned to it in the directory, logged in or not.
        MemberAssigned {
            /// The person.
            user: String,
            /// How.
            membership: Membership,
        },
        /// Somebody is assigned to it no longer.
        MemberRemoved {
            /// The person.
            user: String,
        },
    }
}
