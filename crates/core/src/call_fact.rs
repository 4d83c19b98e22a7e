//! What becomes true of calls and their legs: a part of the stored events.

use alloc::string::String;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::datum::Pairs;
use crate::ids::{CallId, ConnId, LegId, ThreadId};
use crate::stored::stored;
use crate::words::{
    CallResult, Cause, DequeueReason, Direction, Outcome, Role, RouteKind, SuperviseMode, TransferKind, TreatmentKind,
    With,
};

stored! {
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
