//! The enumerations of the vocabulary: each value with its name on the wire and its number in the older protocol.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How enumerated attributes are written; configured as `genesys.enum_style`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EnumStyle {
    /// `"CallState":"Ok"`.
    #[default]
    Name,
    /// `"CallState":0`.
    Number,
}

/// One enumeration as data: for the catalogue, and to write numbers where a site wants them.
#[derive(Debug)]
pub struct Enumeration {
    /// Its name, for example `CallState`.
    pub name: &'static str,
    /// Value names with their numbers, in the order of the numbers.
    pub values: &'static [(&'static str, u32)],
}

impl Enumeration {
    /// The number of a value.
    pub fn number(&self, value: &str) -> Option<u32> {
        self.values.iter().find(|(name, _)| *name == value).map(|(_, number)| *number)
    }
}

macro_rules! enumeration {
    ($(#[doc = $doc:literal])* $name:ident { $($(#[doc = $value_doc:literal])* $value:ident = $number:literal,)* }) => {
        $(#[doc = $doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
        pub enum $name {
            $($(#[doc = $value_doc])* $value,)*
        }

        impl $name {
            /// The enumeration as data.
            pub const VALUES: Enumeration =
                Enumeration { name: stringify!($name), values: &[$((stringify!($value), $number),)*] };
        }
    };
}

/// The enumerations used by topic events, in the order of the attributes that use them.
pub const ENUMERATIONS: &[Enumeration] = &[
    CallType::VALUES,
    CallState::VALUES,
    DNRole::VALUES,
    AgentWorkMode::VALUES,
    TreatmentType::VALUES,
    ForwardMode::VALUES,
    MonitorNextCallType::VALUES,
];

enumeration! {
    /// Kind of a call, seen from the site.
    CallType {
        /// Not known, or not yet.
        Unknown = 0,
        /// Between two numbers of the site.
        Internal = 1,
        /// From outside.
        Inbound = 2,
        /// To outside.
        Outbound = 3,
        /// Made on behalf of another call, to ask or to hand over.
        Consult = 4,
    }
}

enumeration! {
    /// What has happened to the call, seen from the party that is told. The numbers 32 to 48 are not assigned.
    CallState {
        /// Nothing special.
        Ok = 0,
        /// By a transfer.
        Transferred = 1,
        /// By a conference.
        Conferenced = 2,
        /// A failure without a better name.
        GeneralError = 3,
        /// A failure of the switch.
        SystemError = 4,
        /// The far side released.
        RemoteRelease = 5,
        /// The called side is busy.
        Busy = 6,
        /// The called side did not answer in time.
        NoAnswer = 7,
        /// A special information tone was heard.
        SitDetected = 8,
        /// An answering machine answered.
        AnsweringMachineDetected = 9,
        /// No line to the outside is free.
        AllTrunksBusy = 10,
        /// Tone: the number is not valid.
        SitInvalidnum = 11,
        /// Tone: the number is not in use.
        SitVacant = 12,
        /// Tone: the call was intercepted.
        SitIntercept = 13,
        /// Tone: of unknown meaning.
        SitUnknown = 14,
        /// Tone: no circuit.
        SitNocircuit = 15,
        /// Tone: reorder.
        SitReorder = 16,
        /// A fax answered.
        FaxDetected = 17,
        /// The queue takes no more calls.
        QueueFull = 18,
        /// The call was cleared.
        Cleared = 19,
        /// The call overflowed to another place.
        Overflowed = 20,
        /// The caller gave up.
        Abandoned = 21,
        /// The call was sent elsewhere before it was answered.
        Redirected = 22,
        /// The call was forwarded.
        Forwarded = 23,
        /// Of a consultation.
        Consult = 24,
        /// Somebody else took the call.
        Pickedup = 25,
        /// The call was dropped.
        Dropped = 26,
        /// The call was dropped unanswered.
        Droppednoanswer = 27,
        /// Not known.
        Unknown = 28,
        /// Covered by another station.
        Covered = 29,
        /// Connected to a voice unit in the meantime.
        ConverseOn = 30,
        /// At a shared appearance, or of a silent listener.
        Bridged = 31,
        /// The party can not hear the others.
        Deafened = 49,
        /// The party is on hold.
        Held = 50,
    }
}

enumeration! {
    /// The part a number plays in an event.
    ///
    /// Parties are `Origination`, `Destination` or `Observer`; the other roles say what was done by or to somebody.
    DNRole {
        /// Not known.
        Unknown = 0,
        /// Began the call.
        Origination = 1,
        /// Was called.
        Destination = 2,
        /// Is in a conference.
        ConferenceMember = 3,
        /// Was just added.
        NewParty = 4,
        /// Added somebody.
        AddedBy = 5,
        /// Removed somebody.
        DeletedBy = 6,
        /// Transferred the call.
        TransferredBy = 7,
        /// Has just left or was removed.
        DeletedParty = 8,
        /// Made the conference.
        ConferencedBy = 9,
        /// Listens without being a party of the conversation.
        Observer = 10,
    }
}

enumeration! {
    /// What an agent does within ready or not ready. `AutoIn` (ready) and `LegalGuard` (not ready) share the number 2.
    AgentWorkMode {
        /// Not given.
        Unknown = 0,
        /// Ready: the agent must act to become available after each call.
        ManualIn = 1,
        /// Ready: the switch makes the agent available.
        AutoIn = 2,
        /// Not ready: a pause the law asks for.
        LegalGuard = 2,
        /// Not ready: wrapping up the previous call.
        AfterCallWork = 3,
        /// Not ready: other work, or a break.
        AuxWork = 4,
        /// Not ready: no calls are to be connected.
        NoCallDisconnect = 5,
        /// Not ready: away from the desk.
        WalkAway = 6,
        /// Ready: back at the desk.
        ReturnBack = 7,
    }
}

enumeration! {
    /// What a waiting caller is given to hear or asked to do.
    TreatmentType {
        /// Not known.
        Unknown = 0,
        /// A dialogue with a machine.
        IVR = 1,
        /// Music.
        Music = 2,
        /// Ringing tone.
        RingBack = 3,
        /// Silence.
        Silence = 4,
        /// Busy tone.
        Busy = 5,
        /// Digits are collected.
        CollectDigits = 6,
        /// An announcement.
        PlayAnnouncement = 7,
        /// An announcement, then digits are collected.
        PlayAnnouncementAndDigits = 8,
        /// Digits are collected and checked.
        VerifyDigits = 9,
        /// The caller speaks an announcement.
        RecordUserAnnouncement = 10,
        /// A spoken announcement is deleted.
        DeleteUserAnnouncement = 11,
        /// The call is cancelled.
        CancelCall = 12,
        /// An application takes over.
        PlayApplication = 13,
        /// The default target is set.
        SetDefaultRoute = 14,
        /// A text is spoken.
        TextToSpeech = 15,
        /// A text is spoken, then digits are collected.
        TextToSpeechAndDigits = 16,
        /// Fast busy tone.
        FastBusy = 17,
        /// A recorded announcement of the switch.
        RAN = 18,
    }
}

enumeration! {
    /// When calls are forwarded.
    ForwardMode {
        /// Never.
        None = 0,
        /// Always.
        Unconditional = 1,
        /// When busy.
        OnBusy = 2,
        /// When not answered in time.
        OnNoAnswer = 3,
        /// When busy or not answered in time.
        OnBusyAndNoAnswer = 4,
        /// All calls, by the feature of that name.
        SendAllCalls = 5,
    }
}

enumeration! {
    /// How many calls of an agent a supervisor wants to hear.
    MonitorNextCallType {
        /// The next one.
        MonitorOneCall = 0,
        /// All from now on.
        MonitorAllCalls = 1,
    }
}
