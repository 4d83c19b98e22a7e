//! Every setting with its default, its unit and its reason.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use cordboard_dialects::genesys::enums::EnumStyle;
use serde::{Deserialize, Serialize};

use super::boxed::Boxed;
use super::directory::{CallList, Queue};
use super::identity::{Identity, IdentityProvider};
use super::kafka::Kafka;
use super::kafka_groups::KafkaGroups;
use super::kafka_listener::KafkaListener;
use super::people::{Agent, AgentsStrict, Team};
use super::rest::Rest;
use super::rte::Rte;
use super::secret::SecretText;
use super::topics::Topics;

/// One key as it stands in the printed file.
pub(super) struct Doc {
    pub(super) key: &'static str,
    pub(super) text: &'static [&'static str],
}

macro_rules! settings {
    ($(
        $(#[doc = $doc:literal])+
        pub struct $name:ident {
            $( $(#[doc = $text:literal])+ pub $key:ident : $type:ty = $default:expr, )+
        }
    )+) => {$(
        $(#[doc = $doc])+
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        #[serde(default, deny_unknown_fields)]
        pub struct $name {
            $( $(#[doc = $text])+ pub $key: $type, )+
        }

        impl Default for $name {
            fn default() -> Self {
                Self { $( $key: $default, )+ }
            }
        }

        impl $name {
            pub(super) const TITLE: &'static [&'static str] = &[$($doc),+];
            pub(super) const DOCS: &'static [Doc] =
                &[$( Doc { key: stringify!($key), text: &[$($text),+] }, )+];
        }
    )+};
}
pub(super) use settings;

settings! {
    /// Cordboard. Every key can also be set in the environment: `CORDBOARD_`, the section, two underscores, the key, all
    /// in capitals, for example `CORDBOARD_HTTP__LISTEN`.
    pub struct Config {
        /// Where the logs, snapshots and tokens are kept.
        pub data: PathBuf = PathBuf::from("cordboard-data"),
        /// The vocabularies that events are told in; `cordboard catalogue` lists them.
        pub dialects: Vec<String> = cordboard_dialects::DIALECTS.iter().map(|it| it.name.to_owned()).collect(),
        /// The HTTP interface.
        pub http: Http = Http::default(),
        /// The log of each tenant.
        pub log: LogSettings = LogSettings::default(),
        /// The loop of each tenant.
        pub engine: Engine = Engine::default(),
        /// Requests of clients.
        pub requests: Requests = Requests::default(),
        /// Who somebody is.
        pub identity: Identity = Identity::default(),
        /// The hub `/rte`.
        pub rte: Rte = Rte::default(),
        /// The REST paths.
        pub rest: Rest = Rest::default(),
        /// Topics, for readers by Kafka's protocol.
        pub topics: Topics = Topics::default(),
        /// Groups of consumers that read from here.
        pub kafka_groups: KafkaGroups = KafkaGroups::default(),
        /// Publishing to a Kafka.
        pub kafka: Kafka = Kafka::default(),
        /// The Kafka listener.
        pub kafka_listener: KafkaListener = KafkaListener::default(),
        /// The vocabulary `enreach`.
        pub enreach: Enreach = Enreach::default(),
        /// The vocabulary `genesys`.
        pub genesys: Genesys = Genesys::default(),
        /// Organisations; nothing of one is ever visible to another.
        pub tenant: Vec<Tenant> = Vec::new(),
    }

    /// The HTTP interface.
    pub struct Http {
        /// Address and port. On an address that others can reach, put a proxy with TLS in front: tokens travel in headers.
        pub listen: SocketAddr = SocketAddr::from((Ipv4Addr::LOCALHOST, 8080)),
        /// Whether `/metrics` answers others than this machine itself.
        pub metrics_remote: bool = false,
        /// Connections open at once; more wait to be accepted.
        pub connections_max: usize = 10_000,
        /// How long the head of a request may take, in milliseconds; also how long an idle connection stays.
        pub request_ms_max: u64 = 30_000,
        /// Longest head of a request, in bytes.
        pub request_bytes_max: usize = 65_536,
        /// Readers of events at once, of one tenant.
        pub readers_max: usize = 1_000,
        /// How often a stream with nothing to tell shows that it lives, in milliseconds.
        pub stream_heartbeat_ms: u64 = 10_000,
        /// How long a reader may take nothing while there is something to write, in milliseconds; then it is dropped.
        pub stream_write_ms_max: u64 = 10_000,
        /// Memory for the newest messages, which live readers are served from, in bytes; of one tenant and vocabulary.
        pub tail_bytes_max: usize = 33_554_432,
        /// Readers at once, of one tenant, that read events older than that from disk. Each needs memory for a picture
        /// of its own of the tenant; more wait.
        pub history_readers_max: usize = 4,
    }

    /// The log of each tenant.
    pub struct LogSettings {
        /// A file of the log is ended before it would grow over this, in bytes.
        pub segment_bytes_max: u64 = 67_108_864,
        /// The oldest files are dropped while all together are over this, in bytes.
        pub log_bytes_max: u64 = 4_294_967_296,
        /// Files are dropped when their newest event is older than this, in seconds.
        pub log_age_s_max: u64 = 604_800,
        /// Memory for the newest events, in bytes.
        pub tail_bytes_max: usize = 16_777_216,
        /// Longest event, in bytes.
        pub record_bytes_max: u32 = 1_048_576,
        /// Events that wait for the disk, in bytes; when it is reached, phone systems are heard no further.
        pub pending_bytes_max: usize = 67_108_864,
        /// Shortest time from one group commit to the next, in microseconds, at most 5000; 0: as soon as the last ended.
        pub group_window_us: u32 = 0,
        /// The state is stored whole whenever this many events were told since the last time. Starting again, and
        /// reading from an old position, reads at most about as many events.
        pub snapshot_events: u64 = 100_000,
        /// How many stored states are kept for readers of old positions; between them events are read from disk.
        pub checkpoints_max: usize = 32,
        /// How often it is looked for what can be dropped, in seconds.
        pub retain_s: u64 = 60,
    }

    /// The loop of each tenant.
    pub struct Engine {
        /// Observations that wait for the loop; when it is reached, phone systems are heard no further.
        pub inputs_max: usize = 16_384,
        /// Observations that are taken together.
        pub batch_inputs_max: usize = 1_024,
        /// How long a request may take until its phone system has answered, in milliseconds; then it counts as failed.
        pub request_ms_max: u64 = 10_000,
        /// Orders that wait for the link to one phone system; more are refused.
        pub orders_max: usize = 1_024,
    }

    /// Requests of clients, as `POST /api/v1/requests` takes them.
    pub struct Requests {
        /// Longest request, in bytes.
        pub body_bytes_max: usize = 65_536,
        /// How long sending it may take, in milliseconds.
        pub body_ms_max: u64 = 10_000,
        /// Requests a second of one connection; as many may come at once after a silence.
        pub per_second_max: u32 = 100,
        /// Requests under way at once of one connection.
        pub in_flight_max: u32 = 32,
        /// Requests a second of all connections of one token; as many may come at once after a silence.
        pub token_per_second_max: u32 = 1_000,
        /// Requests under way at once of all connections of one token.
        pub token_in_flight_max: u32 = 256,
        /// Requests under way at once of one tenant.
        pub tenant_in_flight_max: usize = 4_096,
        /// Connections of one token. A connection begins with its first request and ends with
        /// `DELETE /api/v1/connections/NAME`.
        pub connections_max: usize = 64,
        /// Numbers that all connections of one token are registered for.
        pub registrations_max: usize = 4_096,
        /// Messages in one answer, in bytes; more are left out of it, and it says so.
        pub answer_bytes_max: usize = 1_048_576,
        /// Memory for the newest answers, in bytes, of one tenant. A request that comes again is answered from there;
        /// when its answer is gone, it is answered that it was carried out.
        pub answers_bytes_max: usize = 8_388_608,
    }

    /// The vocabulary `enreach`.
    pub struct Enreach {
        /// The name of the platform, which `UserTerminalStatus` tells as `silo`.
        pub silo: String = "cordboard".to_owned(),
        /// The number that supervisors call to join a call, told with `UserCallAvailableForMonitoring`; empty where they
        /// ask by a request.
        pub supervision_number: String = String::new(),
    }

    /// The vocabulary `genesys`.
    pub struct Genesys {
        /// Enumerations by name or by number: `"name"` gives `"CallState":"Ok"`, `"number"` gives `"CallState":0`.
        pub enum_style: EnumStyle = EnumStyle::Name,
        /// The attribute `Server`: what names the service towards its clients.
        pub server: String = "cordboard".to_owned(),
    }

    /// An organisation.
    pub struct Tenant {
        /// Its name: 1 to 64 of `a-z A-Z 0-9 . _ -`, no dot first. It names a folder, and is in the keys of messages.
        pub name: String = String::new(),
        /// Its Asterisks.
        pub asterisk: Vec<Asterisk> = Vec::new(),
        /// Its built-in switches.
        pub boxed: Vec<Boxed> = Vec::new(),
        /// Who may log in as an agent: `"any"` id, ids `"known"` as `[[tenant.agent]]`, or those with their
        /// `"password"`.
        pub agents_strict: AgentsStrict = AgentsStrict::Any,
        /// Its teams, for tokens of supervisors.
        pub team: Vec<Team> = Vec::new(),
        /// Its agents, where more is to be said of them than the phone systems say.
        pub agent: Vec<Agent> = Vec::new(),
        /// Its queues, where more is to be said of them than the phone systems say.
        pub queue: Vec<Queue> = Vec::new(),
        /// Its call lists.
        pub call_list: Vec<CallList> = Vec::new(),
        /// Identity providers whose JWTs are taken.
        pub identity_provider: Vec<IdentityProvider> = Vec::new(),
    }

    /// An Asterisk, heard by its manager interface (AMI).
    pub struct Asterisk {
        /// A name of your choice, of the same form as a tenant's.
        pub name: String = String::new(),
        /// Host and port of the manager interface, for example `"pbx.example.org:5038"`.
        pub address: String = String::new(),
        /// The user in `manager.conf`.
        pub user: String = String::new(),
        /// The user's secret. Better: `secret_file` or `secret_env`; exactly one of the three.
        pub secret: Option<SecretText> = None,
        /// The file whose first line is the secret.
        pub secret_file: Option<PathBuf> = None,
        /// The environment variable that holds the secret.
        pub secret_env: Option<String> = None,
        /// Whether the secret may be sent as it is when Asterisk refuses the MD5 challenge.
        pub plain_login_allowed: bool = false,
        /// Endpoints that are lines to the outside, whatever they are called.
        pub trunks: Vec<String> = Vec::new(),
        /// Endpoints that are telephones of yours, whatever they are called.
        pub extensions: Vec<String> = Vec::new(),
        /// Contexts of the dial plan that are menus; `*` at the end stands for any ending.
        pub ivr_contexts: Vec<String> = vec!["ivr*".to_owned()],
        /// Agents are named by the names they have as members of queues, instead of by their telephones.
        pub agents_by_member_name: bool = false,
        /// Channel variables that become data attached to the call.
        pub user_data: Vec<String> = Vec::new(),
        /// After-call work of queues whose own setting Asterisk does not tell, in milliseconds.
        pub wrapup_ms_default: u64 = 5_000,
        /// After-call work by queue, in milliseconds; wins over what Asterisk says.
        pub wrapup_ms: BTreeMap<String, u64> = BTreeMap::new(),
        /// Longest number that is taken for one of the house, in digits.
        pub house_digits_max: usize = 6,
        /// Most devices that are made known because this Asterisk or its dial plan names them; more are passed over and
        /// counted.
        pub devices_max: usize = 200_000,
        /// Most channels that are followed at once; more are passed over and counted.
        pub channels_max: usize = 200_000,
        /// How long something ambiguous may stand before it is acted on without its explanation, in milliseconds.
        pub settle_ms: u64 = 60,
        /// How often Asterisk is asked whether it lives, in milliseconds.
        pub heartbeat_ms: u64 = 5_000,
        /// After how long without a byte the connection is taken for dead, in milliseconds.
        pub silence_ms_max: u64 = 15_000,
        /// How often the whole state is compared with what Asterisk reports, in milliseconds; 0 for never.
        pub reconcile_ms: u64 = 60_000,
        /// How long opening the connection may take, in milliseconds.
        pub connect_ms_max: u64 = 10_000,
        /// The pause before the first reconnect, in milliseconds. It doubles each time.
        pub backoff_ms_min: u64 = 500,
        /// The longest pause between reconnects, in milliseconds.
        pub backoff_ms_max: u64 = 30_000,
        /// How a telephone is called for a request, and named as a member of a queue; `{device}` stands for its number.
        pub telephone: String = "PJSIP/{device}".to_owned(),
        /// The context of the dial plan in which numbers that clients ask for are dialled.
        pub dial_context: String = "from-internal".to_owned(),
        /// A context in which any number leads into the conference of this name (`exten => _X.,1,ConfBridge(${EXTEN})`);
        /// empty: none, and clients are told that conferences cannot be made.
        pub conference_context: String = String::new(),
        /// What a party that consults keys in to make a conference of it: `atxferthreeway` in `features.conf`.
        pub conference_code: String = "*3".to_owned(),
        /// The context in which a parking place is dialled to fetch who waits there.
        pub parking_context: String = "parkedcalls".to_owned(),
        /// The context of the mailboxes, which are named after their telephones.
        pub mailbox_context: String = "default".to_owned(),
        /// Whether all telephones answer, hold and retrieve when a SIP NOTIFY with `Event: talk` or `Event: hold` asks them.
        pub telephones_take_notify: bool = false,
        /// Whether the dial plan keeps do-not-disturb in the device states `Custom:DND<number>`.
        pub dnd_in_device_state: bool = false,
        /// The queues of a login that names none.
        pub login_queues: Vec<String> = Vec::new(),
        /// The format of recordings: the ending of their files.
        pub recording_format: String = "wav".to_owned(),
        /// How long the telephone of whoever asks for a call may ring, in milliseconds.
        pub originate_ms: u64 = 20_000,
        /// How long what was asked for may take to be seen after Asterisk agreed, in milliseconds; then nothing changed.
        pub effect_ms: u64 = 2_000,
        /// After how long nothing more is expected of a request, in milliseconds.
        pub order_ms_max: u64 = 120_000,
        /// Requests under way at once; more are refused.
        pub orders_open_max: usize = 1_024,
        /// Tones in one request.
        pub tones_max: usize = 32,
    }
}
