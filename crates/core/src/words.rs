//! The words that events are told in: plain enums, stored by name.

use serde::{Deserialize, Serialize};

macro_rules! stored_word {
    ($($(#[$meta:meta])* pub enum $name:ident $body:tt)+) => {$(
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
        #[serde(rename_all = "snake_case")]
        pub enum $name $body
    )+};
}

stored_word! {
    /// How a fact was learned.
    #[derive(Default)]
    pub enum Origin {
        /// The switch said so when it happened.
        #[default]
        Live,
        /// Concluded from a comparison with the switch, or from time.
        Synthesised,
    }

    /// What a directory number is.
    pub enum DeviceKind {
        /// A telephone of ours.
        Extension,
        /// A line to the outside.
        Trunk,
        /// Where calls wait for agents.
        Queue,
        /// Where calls wait for a routing instruction, in a queue.
        RouteQueue,
        /// Where calls wait for a routing instruction, in no queue.
        RoutePoint,
    }

    /// When calls are forwarded.
    pub enum ForwardMode {
        /// Always.
        Unconditional,
        /// When busy.
        OnBusy,
        /// When nobody answers.
        OnNoAnswer,
        /// When busy, and when nobody answers.
        OnBusyAndNoAnswer,
    }

    /// What an agent does within ready or not ready.
    #[derive(Default)]
    pub enum WorkMode {
        /// Not given.
        #[default]
        Unknown,
        /// Ready: the agent must act to become available after each call.
        ManualIn,
        /// Ready: the switch makes the agent available.
        AutoIn,
        /// Not ready: a pause the law asks for.
        LegalGuard,
        /// Not ready: finishes the work of the last call.
        AfterCallWork,
        /// Not ready: other work, or a break.
        AuxWork,
        /// Not ready: no calls are to be connected.
        NoCallDisconnect,
        /// Not ready: away from the desk.
        WalkAway,
        /// Ready: back at the desk.
        ReturnBack,
    }

    /// What a waiting caller is given to hear or asked to do.
    pub enum TreatmentKind {
        /// Not known.
        Unknown,
        /// A dialogue with a machine.
        Ivr,
        /// Music.
        Music,
        /// Ringing tone.
        RingBack,
        /// Silence.
        Silence,
        /// Busy tone.
        Busy,
        /// Digits are collected.
        CollectDigits,
        /// An announcement.
        PlayAnnouncement,
        /// An announcement, then digits are collected.
        PlayAnnouncementAndDigits,
        /// Digits are collected and checked.
        VerifyDigits,
        /// The caller speaks an announcement.
        RecordAnnouncement,
        /// A spoken announcement is deleted.
        DeleteAnnouncement,
        /// The call is cancelled.
        CancelCall,
        /// An application takes over.
        PlayApplication,
        /// The default target is set.
        SetDefaultRoute,
        /// A text is spoken.
        TextToSpeech,
        /// A text is spoken, then digits are collected.
        TextToSpeechAndDigits,
        /// Fast busy tone.
        FastBusy,
        /// A recorded announcement of the switch.
        RecordedAnnouncement,
    }

    /// What a routing instruction asks for, or what became of a call that got none.
    pub enum RouteKind {
        /// To the target, as the switch does it.
        Default,
        /// To the target, by a number for it.
        Target,
        /// Got no instruction in time: to the switch's default target.
        TimedOut,
        /// To nobody: the call is refused.
        Reject,
    }

    /// Which calls of somebody a supervisor takes part in.
    pub enum MonitorScope {
        /// The next one.
        OneCall,
        /// All from now on.
        AllCalls,
    }

    /// What a call to the outside met there.
    pub enum CallResult {
        /// A person.
        Person,
        /// An answering machine.
        AnsweringMachine,
        /// A fax.
        Fax,
    }

    /// Why after-call work ended.
    pub enum WrapUpEnd {
        /// Its time was up.
        Elapsed,
        /// The switch offered the agent the next call.
        NextCall,
        /// The agent logged out.
        LoggedOut,
        /// The switch was restarted and offers calls again.
        SwitchRestarted,
        /// The agent asked for the next state.
        Requested,
    }

    /// Where a call goes.
    pub enum Direction {
        /// From outside to us.
        Inbound,
        /// From us to the outside.
        Outbound,
        /// Between our own.
        Internal,
    }

    /// The part a party plays in a call.
    pub enum Role {
        /// It calls.
        Originator,
        /// It is called.
        Destination,
    }

    /// With whom a leg is connected.
    pub enum With {
        /// A person: another leg of the call.
        Person,
        /// The switch itself: a menu, a voice mailbox, an echo.
        System,
        /// A conference room.
        Conference,
    }

    /// Why a call left a queue.
    pub enum DequeueReason {
        /// An agent answered.
        Answered,
        /// It is offered to an agent.
        Delivered,
        /// It went where a routing instruction, or the switch's default, sent it.
        Routed,
        /// Another queue that it waited in at the same time delivered it.
        DeliveredElsewhere,
        /// The caller hung up.
        Abandoned,
        /// It waited as long as it may.
        TimedOut,
        /// Nobody serves the queue any more.
        LeftEmpty,
        /// Somebody took it out.
        Withdrawn,
        /// The caller chose something else, or it was sent elsewhere.
        Left,
        /// Another call took its place in the queue.
        TakenOver,
        /// The source was lost.
        Lost,
    }

    /// How a call was handed on.
    pub enum TransferKind {
        /// Without talking to the target.
        Blind,
        /// After, or during, a consultation.
        Attended,
    }

    /// How a supervisor takes part.
    pub enum SuperviseMode {
        /// Hears.
        Listen,
        /// Hears, and speaks to one side.
        Whisper,
        /// Hears and speaks to all.
        Barge,
        /// The switch does not say.
        Unknown,
    }

    /// Why a leg or call ended.
    pub enum Cause {
        /// Somebody hung up.
        Normal,
        /// The target is busy.
        Busy,
        /// Nobody answered.
        NoAnswer,
        /// The target declined.
        Rejected,
        /// Another target answered first.
        AnsweredElsewhere,
        /// The call was withdrawn before it was answered.
        Cancelled,
        /// No such number.
        Unallocated,
        /// No line or circuit.
        Congestion,
        /// The target cannot be reached.
        Unreachable,
        /// The number is not in use.
        Vacant,
        /// The network intercepted the call: the number was changed, or is barred.
        Intercepted,
        /// The network has no circuit.
        NoCircuit,
        /// The network is overloaded, or could not carry the call through.
        Reorder,
        /// The network played a tone that tells of a failure.
        Tone,
        /// The network played such a tone, of unknown meaning.
        UnknownTone,
        /// The switch itself failed.
        SwitchFailure,
        /// The queue takes no more calls.
        QueueFull,
        /// The call was dropped on its way.
        Dropped,
        /// The party handed the call on.
        Transferred,
        /// The call was joined into another.
        Merged,
        /// The call was sent on to another target.
        Redirected,
        /// A queue took the party's place.
        Queued,
        /// The party's telephone failed.
        OutOfService,
        /// The switch no longer knows it; when it ended is not known exactly.
        Lost,
        /// Anything else.
        Other,
    }

    /// How a call went.
    pub enum Outcome {
        /// A person answered (for calls within the house: or the switch).
        Answered,
        /// The outside caller gave up.
        Abandoned,
        /// The caller of ours gave up.
        Cancelled,
        /// Nobody answered.
        NoAnswer,
        /// Busy.
        Busy,
        /// Declined.
        Rejected,
        /// Could not be put through.
        Failed,
        /// The switch served the caller by itself and ended the call.
        SelfService,
        /// Was under way when the switch forgot it.
        Lost,
    }
}

impl Origin {
    pub(crate) fn is_live(&self) -> bool {
        matches!(self, Self::Live)
    }
}
