//! People: who they are, what they set, what they ask for.

use std::collections::BTreeMap;

use cordboard_core::Guid;

use super::{When, shapes};

shapes! {
    /// A person of the organisation.
    write User {
        /// The id, as the hub knows it.
        pub id: Guid,
        /// The organisation.
        #[serde(rename = "OrganizationID")]
        pub organization_id: Guid,
        /// The name to log in with.
        pub user_name: String,
        /// A name for people.
        pub display_name: String,
        /// The agent's id on the telephone system; also the name in our own vocabulary.
        pub agent_id: String,
        /// Telephones that are the person's own.
        pub terminals: Vec<String>,
        /// The telephone where the person is logged in as an agent.
        pub logged_in_on: Option<String>,
    }

    /// A person to put into the directory.
    read NewUser {
        /// The agent's id on the telephone system, also the name in our own vocabulary.
        pub agent_id: String,
        /// A name for people; the agent's id where there is none.
        #[serde(default)]
        pub display_name: String,
        /// The name to log in with; the agent's id where there is none.
        #[serde(default)]
        pub user_name: String,
        /// The id towards applications; where there is none it follows from organisation and agent's id.
        #[serde(default)]
        pub id: Option<Guid>,
        /// Telephones that are the person's own.
        #[serde(default)]
        pub terminals: Vec<String>,
    }

    /// What is to be said of a person from now on.
    read UserEdit {
        /// A name for people.
        #[serde(default)]
        pub display_name: String,
        /// The name to log in with; the agent's id where there is none.
        #[serde(default)]
        pub user_name: String,
        /// The id towards applications; where there is none it follows from organisation and agent's id.
        #[serde(default)]
        pub id: Option<Guid>,
        /// Telephones that are the person's own.
        #[serde(default)]
        pub terminals: Vec<String>,
    }

    /// Where the hub is, and the token that opens it.
    write RteToken {
        /// The URL of the hub.
        pub wss_endpoint: String,
        /// The same in the other spelling that clients look for.
        #[serde(rename = "WSSEndpoint")]
        pub wss_endpoint_again: String,
        /// A JSON Web Token for the hub.
        pub token: String,
    }

    /// A password.
    read Password {
        /// The login; that in the path where there is none.
        #[serde(default)]
        pub user_name: Option<String>,
        /// The agent's password.
        pub password: String,
    }

    /// A secret, shown once.
    write Secret {
        /// The person's id.
        #[serde(rename = "UserID")]
        pub user_id: Guid,
        /// The login to use with it.
        pub user_name: String,
        /// The password of HTTP Basic, also good as a bearer token.
        pub secret_key: String,
    }

    /// For whom a service is looked for.
    read Discover {
        /// The login.
        #[serde(rename = "user", alias = "User")]
        pub user: String,
    }

    /// An availability that somebody set, or that follows where nobody did.
    write AvailabilityShown {
        /// Which; none where nobody set one.
        pub id: Option<Guid>,
        /// Whose.
        #[serde(rename = "UserID")]
        pub user_id: Guid,
        /// 1 `Available`, 2 `Busy`, 3 `DoNotDisturb`, 4 `OffWork`, 5 `BRB`, 6 `Away`.
        #[serde(rename = "EventTypeID")]
        pub event_type_id: u8,
        /// The same as a word.
        pub availability: &'static str,
        /// From when on.
        pub start_time: Option<When>,
        /// Until when; none for ever.
        pub end_time: Option<When>,
        /// A note for others.
        pub note: String,
        /// What set it.
        pub event_source: String,
        /// Where calls go meanwhile.
        pub transfer_number: String,
    }

    /// An availability to set. One that overlaps is replaced.
    read NewAvailability {
        /// 1 or `Available`, 2 or `Busy`, 3 or `DoNotDisturb`, 4 or `OffWork`, 5 or `BRB`, 6 or `Away`.
        #[serde(rename = "EventTypeID")]
        pub event_type_id: EventType,
        /// From when on; now where there is none.
        #[serde(default)]
        pub start_time: Option<When>,
        /// Until when; none, or a time from the year 9999 on, for ever.
        #[serde(default)]
        pub end_time: Option<When>,
        /// A note for others.
        #[serde(default)]
        pub note: Option<String>,
        /// What sets it: a person, a calendar, a program.
        #[serde(default)]
        pub event_source: Option<String>,
        /// Where calls go meanwhile.
        #[serde(default)]
        pub transfer_number: Option<String>,
        /// Whose; it must be the person in the path.
        #[serde(default, rename = "UserID")]
        pub user_id: Option<String>,
    }

    /// A setting.
    write SettingShown {
        /// Its name.
        pub keyword: String,
        /// Its value.
        pub value: String,
        /// Values by name, for a setting with several.
        pub values: Option<BTreeMap<String, String>>,
        /// Values that are permitted, by name.
        pub allowed_values: Option<BTreeMap<String, String>>,
        /// Who may change it: `Undefined`, `User`, `Administrator`.
        pub level: &'static str,
    }

    /// What a setting is to be.
    read SettingEdit {
        /// Its value.
        #[serde(default)]
        pub value: String,
        /// Values by name, for a setting with several.
        #[serde(default)]
        pub values: Option<BTreeMap<String, String>>,
        /// Values that are permitted, by name.
        #[serde(default)]
        pub allowed_values: Option<BTreeMap<String, String>>,
        /// Who may change it from now on; as before where there is none.
        #[serde(default)]
        pub level: Option<Level>,
    }

    /// On or off.
    read Toggle {
        /// On.
        pub on: bool,
    }

    /// After-call work to begin.
    read NewWrapUp {
        /// How long at most, in seconds; 0 for as long as the queue says.
        #[serde(default)]
        pub max_wrap_up_time_sec: u64,
        /// Whether it may begin without a call: 0 no, it begins when the call under way ends; 1 yes; 2 only without one.
        #[serde(default)]
        pub allow_without_call: u8,
        /// The call it is about.
        #[serde(default)]
        pub call_id: Option<Guid>,
        /// The queue it is about.
        #[serde(default)]
        pub queue_id: Option<String>,
        /// The call list it is about.
        #[serde(default)]
        pub call_list_id: Option<String>,
        /// The callback it is about.
        #[serde(default)]
        pub call_back_id: Option<Guid>,
    }

    /// How a supervisor takes part in a call.
    read Supervision {
        /// `Listen` (heard by nobody), `Whisper` (heard by the agent), `Barge` (heard by all).
        pub mode: SupervisionMode,
        /// The telephone to do it with; the one where the supervisor is logged in, or the first of the supervisor's own,
        /// where there is none.
        #[serde(default)]
        pub terminal: Option<String>,
    }

    /// Somebody whose calls a supervisor is told of.
    write Watched {
        /// Who.
        #[serde(rename = "UserID")]
        pub user_id: Guid,
        /// The login.
        pub user_name: String,
    }

    /// What was done: it is durable, and told.
    write Done {
        /// What was made or changed, where it has an id.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub id: Option<Guid>,
        /// The last event of it; `GET /api/v1/events?from=` goes on right after it.
        pub position: String,
    }

    /// A converted recording, reported by the service that converts.
    read NewRecording {
        /// Whose call it was: an id or a name.
        #[serde(rename = "UserID")]
        pub user_id: String,
        /// Whether the person called, and was not called.
        #[serde(default)]
        pub outbound: bool,
        /// The recording.
        pub recording_id: Guid,
        /// The conversion.
        pub conversion_id: Guid,
        /// Which channel of it the person is on.
        #[serde(default)]
        pub user_channel: Option<u8>,
    }

    /// A phrase of a call, reported by the service that hears.
    read NewPhrase {
        /// Whose call it is: an id or a name.
        #[serde(rename = "UserID")]
        pub user_id: String,
        /// The leg.
        #[serde(default)]
        pub leg_id: String,
        /// The queue.
        #[serde(default)]
        pub queue_id: Option<String>,
        /// The call list.
        #[serde(default)]
        pub call_list_id: Option<String>,
        /// Who spoke, by a number of yours.
        #[serde(default)]
        pub speaker_role: u8,
        /// What was said.
        pub phrase: String,
        /// How sure the recogniser is, from 0 to 1.
        #[serde(default)]
        pub confidence: f64,
        /// How long it took, in milliseconds.
        #[serde(default)]
        pub duration: u32,
        /// When it began, in milliseconds since the beginning of the call.
        #[serde(default)]
        pub offset_milliseconds: u32,
        /// Whether it may still be revised.
        #[serde(default)]
        pub is_intermediate: bool,
        /// What kind of transcript it belongs to, in a word of yours.
        #[serde(default)]
        pub realtime_type: String,
    }
}

/// An availability by number or by word.
#[derive(Debug, Clone, PartialEq, Eq, serde::Deserialize, schemars::JsonSchema)]
#[serde(untagged)]
pub(in super::super) enum EventType {
    /// Its number.
    Number(u64),
    /// Its word, in any case.
    Word(String),
}

/// Who may change a setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize, schemars::JsonSchema)]
pub(in super::super) enum Level {
    /// Nobody said.
    Undefined,
    /// The person.
    User,
    /// An administrator.
    Administrator,
}

/// How a supervisor takes part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize, schemars::JsonSchema)]
pub(in super::super) enum SupervisionMode {
    /// Heard by nobody.
    Listen,
    /// Heard by the agent.
    Whisper,
    /// Heard by all.
    Barge,
}

/// A service for a login, in the camel case of the original.
#[derive(Debug, Clone, serde::Serialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(in super::super) struct Service {
    /// A name for the site.
    pub(in super::super) silo_name: String,
    /// The login, as it was asked.
    pub(in super::super) username: String,
    /// Where this interface is.
    pub(in super::super) api_endpoint: String,
    /// Where people look at it.
    pub(in super::super) ui_endpoint: String,
    /// Who vouches for people besides us: nobody that is told here.
    pub(in super::super) authority: Option<String>,
    /// A hint for that.
    #[serde(rename = "authorityIdPHint")]
    pub(in super::super) authority_idp_hint: Option<String>,
    /// Where a password is exchanged for a secret.
    pub(in super::super) basic_auth_endpoint: String,
}

/// Something of the directory in our own vocabulary.
#[derive(Debug, Clone, serde::Serialize, schemars::JsonSchema)]
pub(in super::super) struct Entry {
    /// Its name, or its id where it has none.
    pub(in super::super) name: String,
    /// What is known of it, in the form of `/api/v1/snapshot`.
    pub(in super::super) value: serde_json::Value,
}

/// What happened around a built-in switch.
#[derive(Debug, Clone, schemars::JsonSchema)]
#[expect(dead_code, reason = "it describes what `happenings` writes")]
pub(in super::super) struct Happened {
    /// The switch's key of the call.
    call: Option<String>,
    /// The call's ConnID.
    #[schemars(rename = "ConnID")]
    conn_id: Option<String>,
    /// After this position everything of it was told.
    position: String,
}
