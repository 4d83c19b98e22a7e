//! Settings of the built-in switch.

use std::collections::BTreeMap;

use cordboard_core::event::WorkMode;
use cordboard_switches::boxed::{self, Options};
use serde::{Deserialize, Serialize};

use super::settings::{Doc, settings};

settings! {
    /// A built-in switch: telephones, queues and agents without media and without sockets, for development and tests.
    /// It does what requests ask for, and what `POST /api/v1/switches/NAME/happenings` says that people do.
    pub struct Boxed {
        /// A name of your choice, of the same form as a tenant's.
        pub name: String = String::new(),
        /// Numbers that do not answer by themselves: they do only what happenings say. Outside numbers with the prefix
        /// below need not be here.
        pub outside: Vec<String> = Vec::new(),
        /// Numbers where calls wait for a routing instruction, in a queue.
        pub route_queue: Vec<String> = Vec::new(),
        /// Numbers where calls wait for a routing instruction, in no queue.
        pub route_point: Vec<String> = Vec::new(),
        /// A call that got no routing instruction in this time goes to the default target, in milliseconds; none: it
        /// waits on.
        pub route_ms: Option<u64> = Options::default().route_ms,
        /// Where such a call goes.
        pub default_target: Option<String> = Options::default().default_target,
        /// Whether treatments can be carried out at all.
        pub treatments: bool = Options::default().treatments,
        /// Whether lifted handsets are told.
        pub hook_events: bool = Options::default().hook_events,
        /// Whether only agents listed below may log in; otherwise any id may.
        pub strict_agents: bool = Options::default().strict_agents,
        /// A number that begins so, or that is longer than any of the switch's own, is outside; none: only those above.
        pub outside_prefix: Option<String> = Options::default().outside_prefix,
        /// Data of a consultation: `"separate"` has its own, `"inherited"` begins with a copy of that of the call it is
        /// about, `"joint"` has the same.
        pub consult_data: ConsultData = ConsultData::Separate,
        /// Data of a call that a consultation was joined to: `"main_only"`, `"consult_only"`, `"main_over_consult"` (both;
        /// its own wins), `"consult_over_main"` (both; the consultation's wins).
        pub merged_data: MergedData = MergedData::MainOnly,
        /// After an agent's after-call work comes a pause the law asks for, in milliseconds; 0 for none.
        pub legal_guard_ms: u64 = Options::default().legal_guard_ms,
        /// Whether an agent is logged out when the telephone fails, instead of made not ready.
        pub logout_when_out_of_service: bool = Options::default().logout_when_out_of_service,
        /// Whether agents may log in or out during a call.
        pub login_on_call: bool = Options::default().login_on_call,
        /// An agent who did nothing for so long and is not ready is logged out, in milliseconds; 0 for never.
        pub auto_logout_ms: u64 = Options::default().auto_logout_ms,
        /// A parked call comes back after so long, in milliseconds.
        pub park_ms: u64 = Options::default().park_ms,
        /// Calls at once at most; more are refused.
        pub calls_max: usize = Options::default().calls_max,
        /// Its telephones.
        pub extension: Vec<BoxedExtension> = Vec::new(),
        /// Its queues.
        pub acd_queue: Vec<BoxedQueue> = Vec::new(),
        /// Its ring groups.
        pub ring_group: Vec<BoxedRingGroup> = Vec::new(),
        /// Its agents.
        pub agent: Vec<BoxedAgent> = Vec::new(),
    }

    /// Telephones of a built-in switch that behave alike.
    pub struct BoxedExtension {
        /// The number, or the first and the last of a row of numbers, as in `"1001-1050"`.
        pub number: String = String::new(),
        /// Refuses every call as busy.
        pub busy: bool = false,
        /// Do-not-disturb is on from the start.
        pub dnd: bool = false,
        /// Is out of service from the start.
        pub out_of_service: bool = false,
        /// Refuses a second call while it has one; otherwise the second call waits.
        pub single_call: bool = false,
        /// Where all calls are forwarded from the start; none: nowhere.
        pub forward_unconditional: Option<String> = None,
        /// Where calls are forwarded when it is busy.
        pub forward_on_busy: Option<String> = None,
        /// Where calls are forwarded when nobody answers.
        pub forward_on_no_answer: Option<String> = None,
        /// Where calls are forwarded when it is busy, and when nobody answers.
        pub forward_on_busy_and_no_answer: Option<String> = None,
        /// After this time an unanswered call counts as not answered, in milliseconds; none: it rings on.
        pub no_answer_ms: Option<u64> = None,
        /// Time between dialling and the first alert, in milliseconds.
        pub alert_delay_ms: u64 = 0,
        /// Answers by itself as soon as it alerts.
        pub auto_answer: bool = false,
        /// It is a shared appearance of this telephone's number.
        pub appearance_of: Option<String> = None,
    }

    /// A queue of a built-in switch: each call goes to an agent who serves it and is ready, the longest ready first.
    pub struct BoxedQueue {
        /// Its number.
        pub number: String = String::new(),
        /// Queues where a call that enters waits as well, at the same time; the first delivery withdraws it everywhere.
        pub overflow_to: Vec<String> = Vec::new(),
        /// After this wait a call waits in one more queue as well, in milliseconds; together with the next key.
        pub overflow_after_ms: Option<u64> = None,
        /// That queue.
        pub overflow_after_to: Option<String> = None,
        /// A call that waited so long is sent elsewhere, in milliseconds; together with the next key.
        pub leave_after_ms: Option<u64> = None,
        /// Where it is sent.
        pub leave_after_to: Option<String> = None,
        /// An offered call that is not answered in this time returns to the queue, in milliseconds; none: it rings on.
        pub no_answer_ms: Option<u64> = None,
        /// Whether an agent who did not answer is made not ready.
        pub no_answer_not_ready: bool = false,
        /// Calls of a queue with a higher number are served first.
        pub priority: u32 = 0,
        /// Skills that an agent needs to be offered its calls.
        pub skills: Vec<String> = Vec::new(),
    }

    /// A number of a built-in switch that alerts several telephones at once; who answers first has the call.
    pub struct BoxedRingGroup {
        /// Its number.
        pub number: String = String::new(),
        /// The telephones.
        pub members: Vec<String> = Vec::new(),
    }

    /// Agents of a built-in switch that are alike.
    pub struct BoxedAgent {
        /// The id, or the first and the last of a row of ids, as in `"8001-8040"`.
        pub id: String = String::new(),
        /// A name for people; in a row of ids, each name ends with the id.
        pub name: String = String::new(),
        /// The telephone where the agent is logged in from the start, or a row of as many; none: nowhere.
        pub device: Option<String> = None,
        /// Queues served; a login without a queue is one to all of them.
        pub queues: Vec<String> = Vec::new(),
        /// Ready from the start, where logged in.
        pub ready: bool = false,
        /// How: `"auto_in"`, `"manual_in"`, `"aux_work"`, …
        pub mode: WorkMode = WorkMode::Unknown,
        /// After-call work, in milliseconds; 0 for none.
        pub wrapup_ms: u64 = 0,
        /// After-call work until the agent ends it.
        pub wrapup_untimed: bool = false,
        /// Skills and how well, the higher the better, from 0 to 255.
        pub skills: BTreeMap<String, u8> = BTreeMap::new(),
    }
}

/// Data of a consultation, in the words of the configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConsultData {
    /// Its own.
    Separate,
    /// A copy of that of the call it is about.
    Inherited,
    /// The same as that of the call it is about.
    Joint,
}

impl From<ConsultData> for boxed::ConsultData {
    fn from(data: ConsultData) -> Self {
        match data {
            ConsultData::Separate => Self::Separate,
            ConsultData::Inherited => Self::Inherited,
            ConsultData::Joint => Self::Joint,
        }
    }
}

/// Data of a joined call, in the words of the configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MergedData {
    /// Its own only.
    MainOnly,
    /// The consultation's only.
    ConsultOnly,
    /// Both; its own wins.
    MainOverConsult,
    /// Both; the consultation's wins.
    ConsultOverMain,
}

impl From<MergedData> for boxed::MergedData {
    fn from(data: MergedData) -> Self {
        match data {
            MergedData::MainOnly => Self::MainOnly,
            MergedData::ConsultOnly => Self::ConsultOnly,
            MergedData::MainOverConsult => Self::MainOverConsult,
            MergedData::ConsultOverMain => Self::ConsultOverMain,
        }
    }
}
