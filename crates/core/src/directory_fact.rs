//! What becomes true of the directory: people, call lists, callbacks, alerts. A part of the stored events.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::condition::Condition;
use crate::guid::Guid;
use crate::ids::{ConnId, Time};
use crate::stored::stored;

stored! {
    /// About a person in the directory. A person who works as an agent has the agent's id here.
    pub enum UserFact {
        /// Is in the directory, with everything that is known.
        Described(Profile),
        /// Is in the directory no longer; settings, availability and what was watched go as well.
        Removed,
        /// An availability is in force, or planned.
        AvailabilitySet(Availability),
        /// An availability is over: taken back, replaced, or its time is up.
        AvailabilityEnded {
            /// Which.
            id: Guid,
        },
        /// An availability that was planned is in force: its time has come.
        AvailabilityBegan {
            /// Which.
            id: Guid,
        },
        /// A setting has this value.
        SettingChanged(Setting),
        /// A setting is gone.
        SettingRemoved {
            /// Its name.
            keyword: String,
        },
        /// Wants to be told of calls of somebody that can be joined, as a supervisor.
        WatchBegan {
            /// Whose calls: the agent's id.
            agent: String,
        },
        /// Wants it no longer.
        WatchEnded {
            /// Whose calls.
            agent: String,
        },
        /// Works on callbacks, or no longer.
        ServesCallbacks {
            /// Works on them.
            on: bool,
        },
        /// Picks waiting calls instead of being offered them, or no longer.
        PicksCalls {
            /// Picks.
            on: bool,
        },
        /// Somebody asked that after-call work begin.
        WrapUpWanted(WrapUpWish),
        /// Somebody asked that after-call work end.
        WrapUpUnwanted {
            /// Which; none for the one under way.
            wrapup: Option<Guid>,
            /// Why, in a word.
            reason: String,
        },
        /// An outside service has converted the recording of a call.
        RecordingConverted(Converted),
        /// An outside service has heard a phrase of a call under way.
        PhraseHeard(Phrase),
    }

    /// Who somebody is.
    #[derive(Default)]
    pub struct Profile {
        /// A name for people.
        pub name: String,
        /// The name to log in with, often an address for mail; empty for the id.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        pub login: String,
        /// The id towards applications; none for one that follows from tenant and name.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub guid: Option<Guid>,
        /// Telephones that are the person's own, whoever is logged in there.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        pub devices: Vec<String>,
    }

    /// Whether, and why, somebody can be reached.
    #[derive(Copy, Default)]
    pub enum Reach {
        /// Can be.
        #[default]
        Available,
        /// Is busy with something else.
        Busy,
        /// Does not want to be disturbed.
        DoNotDisturb,
        /// Is off work.
        OffWork,
        /// Is back in a moment.
        BackSoon,
        /// Is away.
        Away,
    }

    /// An availability that was set, with its time.
    pub struct Availability {
        /// Which.
        pub id: Guid,
        /// What.
        pub reach: Reach,
        /// From when on.
        pub from: Time,
        /// Until when; none for ever.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub until: Option<Time>,
        /// A note for others.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        pub note: String,
        /// What set it: a person, a calendar, a program.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        pub source: String,
        /// Where calls go meanwhile; empty for nowhere else.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        pub transfer_to: String,
    }

    /// A setting of a person.
    pub struct Setting {
        /// Its name.
        pub keyword: String,
        /// Its value.
        pub value: String,
        /// Values by name, for a setting with several.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub values: Option<BTreeMap<String, String>>,
        /// Values that are permitted, by name.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub allowed: Option<BTreeMap<String, String>>,
        /// Who may change it.
        #[serde(default)]
        pub level: SettingLevel,
    }

    /// Who may change a setting.
    #[derive(Copy, Default)]
    pub enum SettingLevel {
        /// Nobody said.
        #[default]
        Undefined,
        /// The person.
        User,
        /// An administrator of the organisation.
        Administrator,
    }

    /// A wish that after-call work begin.
    pub struct WrapUpWish {
        /// What it is called.
        pub id: Guid,
        /// How long at most, in seconds; 0 for as long as the queue says.
        pub max_s: u64,
        /// Whether it begins where there is no call to follow.
        pub without_call: WithoutCall,
        /// The call it is about.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub call: Option<ConnId>,
        /// The queue it is about.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub queue: Option<String>,
        /// The call list it is about.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub list: Option<String>,
        /// The callback it is about.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub callback: Option<Guid>,
    }

    /// Whether after-call work may begin where there is no call.
    #[derive(Copy)]
    pub enum WithoutCall {
        /// No: it begins when the call under way ends.
        No,
        /// Yes, and during a call when that ends.
        Yes,
        /// Only where there is no call.
        Only,
    }

    /// A converted recording.
    pub struct Converted {
        /// The call.
        pub call: Guid,
        /// Whether the person called, and was not called.
        pub outbound: bool,
        /// The recording.
        pub recording: Guid,
        /// The conversion.
        pub conversion: Guid,
        /// Which channel of it the person is on.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub channel: Option<u8>,
    }

    /// A phrase somebody said.
    pub struct Phrase {
        /// The call.
        pub call: Guid,
        /// The leg, in the words applications know.
        pub leg: String,
        /// The queue.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub queue: Option<String>,
        /// The call list.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub list: Option<String>,
        /// Who spoke, by the number the application gives it.
        pub speaker: u8,
        /// What was said.
        pub text: String,
        /// How sure the recogniser is, in millionths.
        pub confidence_ppm: u32,
        /// How long it took, in milliseconds.
        pub duration_ms: u32,
        /// When it began, in milliseconds since the beginning of the call.
        pub offset_ms: u32,
        /// Whether it may still be revised.
        pub interim: bool,
        /// What kind of transcript it belongs to, in the application's word.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        pub kind: String,
    }

    /// About a call list: callbacks that somebody is to work on.
    pub enum ListFact {
        /// It exists.
        Described(ListProfile),
        /// It is gone, and its callbacks with it.
        Removed,
    }

    /// What a call list is.
    #[derive(Default)]
    pub struct ListProfile {
        /// A name for people.
        pub title: String,
        /// The id towards applications; none for one that follows from tenant and name.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub guid: Option<Guid>,
        /// The queue it belongs to: who serves that may see it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub queue: Option<String>,
    }

    /// About a callback.
    pub enum CallbackFact {
        /// Was created.
        Created(Box<Callback>),
        /// Was edited; this is what it says now.
        Edited {
            /// What.
            details: Box<CallbackDetails>,
            /// By whom; none for an administrator or a program.
            by: Option<String>,
        },
        /// Somebody is to work on it, or nobody in particular.
        Assigned {
            /// Who.
            to: Option<String>,
            /// By whom.
            by: Option<String>,
        },
        /// Somebody tried.
        Attempted(Attempt),
        /// Is closed.
        Closed {
            /// By whom.
            by: Option<String>,
        },
        /// Nobody did it in time: closed by itself.
        Expired,
    }

    /// A callback.
    pub struct Callback {
        /// The list it is on.
        pub list: String,
        /// How it came about.
        pub kind: CallbackKind,
        /// The call that led to it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub call: Option<ConnId>,
        /// The queue it came through.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub queue: Option<String>,
        /// The number that was dialled.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        pub target_number: String,
        /// The person it is addressed to, where it is addressed to one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub personal: Option<String>,
        /// By whom; none for a caller, an administrator or a program.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub by: Option<String>,
        /// Everything that can be edited.
        pub details: CallbackDetails,
    }

    /// How a callback came about.
    #[derive(Copy)]
    pub enum CallbackKind {
        /// Somebody asked for it.
        Requested,
        /// A call waited in vain.
        Overflown,
        /// It was written down by hand.
        Manual,
    }

    /// What can be edited of a callback.
    #[derive(Default)]
    pub struct CallbackDetails {
        /// Who is to be called.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        pub contact_name: String,
        /// At which number.
        pub contact_number: String,
        /// What they said.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        pub contact_message: String,
        /// A note for colleagues.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        pub note: String,
        /// What it came in by, in a word.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        pub channel: String,
        /// To be done by then.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub due: Option<Time>,
        /// Not to be done before.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub not_before: Option<Time>,
        /// Expires then.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub expires: Option<Time>,
        /// The higher, the sooner.
        #[serde(default)]
        pub priority: i32,
        /// A recording of what they said.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub recording: Option<Guid>,
        /// A transcript of it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub transcript: Option<Guid>,
        /// How it was classified.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub classification: Option<Guid>,
        /// More, by name.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        pub extras: Vec<(String, String)>,
        /// Other callbacks it has to do with.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        pub related: Vec<Guid>,
    }

    /// Somebody tried to do a callback.
    pub struct Attempt {
        /// Which attempt.
        pub id: Guid,
        /// Who.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub by: Option<String>,
        /// When.
        pub at: Time,
        /// What came of it, by the number the site gives it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub result: Option<i32>,
        /// A note.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        pub note: String,
        /// The call.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub call: Option<ConnId>,
        /// Its recording.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub recording: Option<Guid>,
    }

    /// About an alert: a condition on a queue that somebody wants to be told of.
    pub enum AlertFact {
        /// Is defined, or defined anew.
        Defined(Box<AlertRule>),
        /// Is gone.
        Removed,
        /// Its condition has come about.
        Fired {
            /// What was counted.
            value: i64,
        },
        /// Its condition holds no longer; it may fire again.
        Cleared,
    }

    /// What an alert is.
    pub struct AlertRule {
        /// Whom it is for.
        pub user: String,
        /// The queue.
        pub queue: String,
        /// A name for the condition.
        pub name: String,
        /// The condition as it was written.
        pub text: String,
        /// The threshold as it was written.
        pub threshold: String,
        /// What it means.
        pub condition: Condition,
    }
}
