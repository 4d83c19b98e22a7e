//! What a built-in switch consists of: directory numbers, agents, and how it behaves.

use cordboard_core::event::{ForwardMode, WorkMode, WrapUpPlan};

/// A whole site.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Site {
    /// Configured name of the switch.
    pub switch: String,
    /// Directory numbers. A number that is not here does not exist; outside numbers need not be here where
    /// [`Options::outside_prefix`] tells them.
    pub numbers: Vec<(String, Number)>,
    /// Agents, logged in or not.
    pub agents: Vec<AgentPlan>,
    /// How it behaves.
    pub options: Options,
}

/// What a directory number is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Number {
    /// A telephone of the site. It takes any number of calls at once, and nobody answers unless somebody does.
    Extension(Telephone),
    /// A number in the public network. It does only what [`super::Happening`]s say.
    Outside,
    /// Queues calls and gives each to an agent who serves it and is ready, the longest ready first.
    AcdQueue(AcdQueue),
    /// Queues calls and asks for a routing instruction for each.
    RouteQueue,
    /// Asks for a routing instruction, without queueing.
    RoutePoint,
    /// Alerts all its members at once; who answers first has the call.
    RingGroup {
        /// Telephones.
        members: Vec<String>,
    },
}

/// How a telephone behaves.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Telephone {
    /// Refuses every call as busy.
    pub busy: bool,
    /// Do-not-disturb is on: refuses every call as busy.
    pub dnd: bool,
    /// Is out of service.
    pub out_of_service: bool,
    /// Refuses a second call while it has one; otherwise the second call waits (call waiting).
    pub single_call: bool,
    /// Forwarding in force.
    pub forward: Vec<(ForwardMode, String)>,
    /// After this time an unanswered call counts as not answered, in milliseconds; none: it rings on.
    pub no_answer_ms: Option<u64>,
    /// Time between dialling and the first alert, in milliseconds.
    pub alert_delay_ms: u64,
    /// Answers by itself as soon as it alerts.
    pub auto_answer: bool,
    /// It is a shared (bridged) appearance of this number.
    pub appearance_of: Option<String>,
}

/// How a queue behaves.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AcdQueue {
    /// A call that enters is queued there as well, at the same time; the first delivery withdraws it everywhere.
    pub overflow_to: Vec<String>,
    /// After this wait a call is queued there as well, in milliseconds.
    pub overflow_after: Option<(u64, String)>,
    /// A call that waited so long is sent there, in milliseconds.
    pub leave_after: Option<(u64, String)>,
    /// An offered call that is not answered in this time returns to the queue, in milliseconds.
    pub no_answer_ms: Option<u64>,
    /// What becomes of an agent who did not answer: not ready, or stays ready.
    pub no_answer_not_ready: bool,
    /// Calls of a queue with a higher number are served first.
    pub priority: u32,
    /// Skills an agent needs to be offered its calls.
    pub skills: Vec<String>,
}

/// An agent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AgentPlan {
    /// The id.
    pub id: String,
    /// A name for people.
    pub name: String,
    /// Where the agent is logged in from the start; none: nowhere.
    pub device: Option<String>,
    /// Queues served; a login without a queue is one to all of them.
    pub queues: Vec<String>,
    /// Ready from the start, where logged in.
    pub ready: bool,
    /// How.
    pub mode: WorkMode,
    /// After-call work.
    pub wrapup: WrapUpPlan,
    /// Skills and how well, the higher the better.
    pub skills: Vec<(String, u8)>,
}

/// How the switch behaves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// A call that got no routing instruction in this time goes to the default target, in milliseconds.
    pub route_ms: Option<u64>,
    /// Where such a call goes.
    pub default_target: Option<String>,
    /// Whether treatments can be carried out at all.
    pub treatments: bool,
    /// Whether lifted handsets are told.
    pub hook_events: bool,
    /// Whether only agents of the site may log in; otherwise any id may.
    pub strict_agents: bool,
    /// A number that begins so, or that is longer than any of the site's, is outside; none: only those in the site.
    pub outside_prefix: Option<String>,
    /// Data of a consultation: its own, a copy, or the same as that of the call.
    pub consult_data: ConsultData,
    /// Data of a joined call.
    pub merged_data: MergedData,
    /// After an agent's after-call work comes a pause the law asks for, in milliseconds; 0 for none.
    pub legal_guard_ms: u64,
    /// An agent is logged out when the telephone fails, instead of made not ready.
    pub logout_when_out_of_service: bool,
    /// Whether agents may log in or out during a call.
    pub login_on_call: bool,
    /// An agent who did nothing for so long is logged out, in milliseconds; 0 for never. Not while ready.
    pub auto_logout_ms: u64,
    /// A parked call comes back after so long, in milliseconds.
    pub park_ms: u64,
    /// Calls at once at most; more are refused.
    pub calls_max: usize,
}

/// Data attached to a consultation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ConsultData {
    /// Its own.
    #[default]
    Separate,
    /// A copy of that of the call it is about.
    Inherited,
    /// The same as that of the call it is about.
    Joint,
}

/// Data attached to a call that a consultation was joined to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum MergedData {
    /// Its own only.
    #[default]
    MainOnly,
    /// The consultation's only.
    ConsultOnly,
    /// Both; its own wins.
    MainOverConsult,
    /// Both; the consultation's wins.
    ConsultOverMain,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            route_ms: None,
            default_target: None,
            treatments: true,
            hook_events: false,
            strict_agents: false,
            outside_prefix: None,
            consult_data: ConsultData::Separate,
            merged_data: MergedData::MainOnly,
            legal_guard_ms: 0,
            logout_when_out_of_service: false,
            login_on_call: true,
            auto_logout_ms: 0,
            park_ms: 60_000,
            calls_max: 10_000,
        }
    }
}
