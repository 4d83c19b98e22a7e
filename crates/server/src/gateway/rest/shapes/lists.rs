//! Call lists and callbacks.

use cordboard_core::Guid;

use super::{When, shapes};

shapes! {
    /// A call list.
    write CallList {
        /// The id, as the hub knows it.
        pub id: Guid,
        /// A name for people.
        pub name: String,
        /// The queue it belongs to: who serves that may see it.
        pub queue_id: Option<Guid>,
        /// Its callbacks that are open.
        pub open: u64,
    }

    /// A call list to make.
    read NewCallList {
        /// Its name in our own vocabulary.
        pub key: String,
        /// A name for people; the one above where there is none.
        #[serde(default)]
        pub name: String,
        /// The queue it belongs to: an id or a name.
        #[serde(default)]
        pub queue_id: Option<String>,
        /// The id towards applications; where there is none it follows from organisation and key.
        #[serde(default)]
        pub id: Option<Guid>,
    }

    /// What is to be said of a call list from now on.
    read CallListEdit {
        /// A name for people.
        #[serde(default)]
        pub name: String,
        /// The queue it belongs to: an id or a name.
        #[serde(default)]
        pub queue_id: Option<String>,
        /// The id towards applications; where there is none it follows from organisation and name.
        #[serde(default)]
        pub id: Option<Guid>,
    }

    /// A callback as it stands, with the members of the event `CallbackChanged`.
    write CallbackShown {
        /// Which.
        pub id: Guid,
        /// The list it is on.
        pub call_list_id: Guid,
        /// 1 somebody asked for it, 2 a call waited in vain, 3 written down by hand.
        pub type_id: u8,
        /// Who is to work on it.
        pub assigned_user_id: Option<Guid>,
        /// Who is to be called.
        pub contact_name: String,
        /// At which number.
        pub contact_number: String,
        /// What they said.
        pub contact_message: String,
        /// A note for colleagues.
        pub note: String,
        /// The queue it came through.
        pub queue_id: Option<Guid>,
        /// What it came in by.
        pub channel_in: String,
        /// The call that led to it.
        pub call_id: Option<Guid>,
        /// When it was created.
        pub creation_time: When,
        /// When it was changed last.
        pub modified: When,
        /// Who changed it last; none for an administrator or a program.
        pub last_modified_user_id: Option<Guid>,
        /// To be done by then.
        pub due_date: Option<When>,
        /// Not to be done before.
        pub not_before: Option<When>,
        /// Expires then.
        pub expiry_date: Option<When>,
        /// The higher, the sooner.
        pub priority: i32,
        /// A recording of what they said.
        pub recording_id: Option<Guid>,
        /// A transcript of it.
        pub transcript_id: Option<Guid>,
        /// How it was classified.
        pub classification_id: Option<Guid>,
        /// Closed.
        pub is_closed: bool,
        /// What was tried, the oldest first.
        pub callback_attempts: Vec<AttemptShown>,
        /// More, by name.
        pub callback_extras: Vec<Extra>,
        /// Other callbacks it has to do with.
        pub callback_related_items: Vec<Guid>,
    }

    /// Somebody tried.
    write AttemptShown {
        /// Which attempt.
        pub id: Guid,
        /// Who.
        pub user_id: Option<Guid>,
        /// When.
        pub timestamp: When,
        /// What came of it, by a number of the site's.
        pub callback_attempt_type_id: Option<i32>,
        /// A note.
        pub note: String,
        /// The recording.
        pub recording_id: Option<Guid>,
        /// The call.
        pub call_id: Option<Guid>,
    }

    /// A callback to create.
    read NewCallback {
        /// 1 somebody asked for it, 2 a call waited in vain, 3 written down by hand, which it is where there is none.
        #[serde(default)]
        pub type_id: Option<u8>,
        /// The id it is to have; a new one where there is none.
        #[serde(default)]
        pub id: Option<Guid>,
        /// The queue it came through: an id or a name.
        #[serde(default)]
        pub queue_id: Option<String>,
        /// The number that was dialled.
        #[serde(default)]
        pub target_number: String,
        /// The person it is addressed to: an id or a name.
        #[serde(default)]
        pub personal_user_id: Option<String>,
        /// At which number.
        pub contact_number: String,
        /// Who is to be called.
        #[serde(default)]
        pub contact_name: String,
        /// What they said.
        #[serde(default)]
        pub contact_message: String,
        /// A note for colleagues.
        #[serde(default)]
        pub note: String,
        /// What it came in by.
        #[serde(default)]
        pub channel_in: String,
        /// To be done by then.
        #[serde(default)]
        pub due_date: Option<When>,
        /// Not to be done before.
        #[serde(default)]
        pub not_before: Option<When>,
        /// Expires then.
        #[serde(default)]
        pub expiry_date: Option<When>,
        /// The higher, the sooner.
        #[serde(default)]
        pub priority: i32,
        /// A recording of what they said.
        #[serde(default)]
        pub recording_id: Option<Guid>,
        /// A transcript of it.
        #[serde(default)]
        pub transcript_id: Option<Guid>,
        /// How it was classified.
        #[serde(default)]
        pub classification_id: Option<Guid>,
        /// More, by name.
        #[serde(default)]
        pub callback_extras: Vec<Extra>,
        /// Other callbacks it has to do with.
        #[serde(default)]
        pub callback_related_items: Vec<Guid>,
    }

    /// What of a callback is to be otherwise. What is left out stays as it is; null takes away.
    read CallbackEdit {
        /// At which number.
        #[serde(default)]
        pub contact_number: Option<String>,
        /// Who is to be called.
        #[serde(default)]
        pub contact_name: Option<String>,
        /// What they said.
        #[serde(default)]
        pub contact_message: Option<String>,
        /// A note for colleagues.
        #[serde(default)]
        pub note: Option<String>,
        /// What it came in by.
        #[serde(default)]
        pub channel_in: Option<String>,
        /// To be done by then.
        #[serde(default, deserialize_with = "given")]
        pub due_date: Option<Option<When>>,
        /// Not to be done before.
        #[serde(default, deserialize_with = "given")]
        pub not_before: Option<Option<When>>,
        /// Expires then.
        #[serde(default, deserialize_with = "given")]
        pub expiry_date: Option<Option<When>>,
        /// The higher, the sooner.
        #[serde(default)]
        pub priority: Option<i32>,
        /// A recording of what they said.
        #[serde(default, deserialize_with = "given")]
        pub recording_id: Option<Option<Guid>>,
        /// A transcript of it.
        #[serde(default, deserialize_with = "given")]
        pub transcript_id: Option<Option<Guid>>,
        /// How it was classified.
        #[serde(default, deserialize_with = "given")]
        pub classification_id: Option<Option<Guid>>,
        /// More, by name: all of it.
        #[serde(default)]
        pub callback_extras: Option<Vec<Extra>>,
        /// Other callbacks it has to do with: all of them.
        #[serde(default)]
        pub callback_related_items: Option<Vec<Guid>>,
    }

    /// Who is to work on a callback.
    read Assign {
        /// An id, `me` or a name; null for nobody in particular.
        #[serde(rename = "UserID")]
        pub user_id: Option<String>,
    }

    /// That somebody tried.
    read NewAttempt {
        /// Who: an id or a name; whoever asks, where that is a person.
        #[serde(default, rename = "UserID")]
        pub user_id: Option<String>,
        /// When; now where there is none.
        #[serde(default)]
        pub timestamp: Option<When>,
        /// What came of it, by a number of the site's.
        #[serde(default)]
        pub callback_attempt_type_id: Option<i32>,
        /// A note.
        #[serde(default)]
        pub note: String,
        /// The recording.
        #[serde(default)]
        pub recording_id: Option<Guid>,
        /// The call.
        #[serde(default)]
        pub call_id: Option<Guid>,
    }
}

/// One more pair of a callback.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(in super::super) struct Extra {
    /// Its name.
    pub(in super::super) name: String,
    /// Its value.
    pub(in super::super) value: String,
}

/// Tells null from what is left out.
fn given<'de, T: serde::Deserialize<'de>, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}
