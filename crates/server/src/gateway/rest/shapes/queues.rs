//! Queues, who serves them, and alerts on their counters.

use cordboard_core::Guid;

use super::shapes;

shapes! {
    /// A queue.
    write Queue {
        /// The id, as the hub knows it.
        pub id: Guid,
        /// A name for people.
        pub name: String,
        /// 4: a queue that serves callers.
        pub type_id: u8,
        /// Its numbers.
        pub numbers: Vec<String>,
        /// Its counters now.
        pub status: Option<QueueCounters>,
    }

    /// Counters of a queue.
    write QueueCounters {
        /// 0 not known, 1 nobody serves it, 2 perhaps nobody, 3 closed, 4 perhaps closed, 5 open, 6 perhaps open.
        pub open_status: u8,
        /// The longest wait of those waiting now, in seconds.
        pub max_wait_time: u64,
        /// Calls that wait.
        pub queue_length: u64,
        /// Calls that agents serve.
        pub ongoing_calls: u64,
        /// Agents in after-call work.
        pub agents_on_wrap_up: u64,
        /// Agents who can be offered a call right now.
        pub free_agents: u64,
        /// Agents who serve it now.
        pub serving_agents: u64,
    }

    /// What is to be said of a queue besides what its switch says.
    read QueueEdit {
        /// A name for people; the queue's own where there is none.
        #[serde(default)]
        pub name: String,
        /// The id towards applications; where there is none it follows from organisation and name.
        #[serde(default)]
        pub id: Option<Guid>,
        /// The call list that calls which waited in vain are put on: an id or a name.
        #[serde(default)]
        pub overflow_call_list_id: Option<String>,
        /// Whether it takes no calls for now.
        #[serde(default)]
        pub closed: bool,
    }

    /// Somebody who serves a queue, or is assigned to it.
    write QueueUser {
        /// Who.
        pub user_id: Guid,
        /// The login.
        pub user_name: String,
        /// Takes part at the moment.
        pub active: bool,
        /// The lower, the sooner is offered a call.
        pub priority: i32,
        /// Whether the person is assigned in the directory.
        pub assigned: bool,
        /// Whether the person is logged in to it on the telephone system.
        pub checked_in: bool,
    }

    /// How somebody is assigned to a queue.
    read QueueUserEdit {
        /// Takes part at the moment.
        #[serde(default = "yes")]
        pub active: bool,
        /// The lower, the sooner is offered a call.
        #[serde(default)]
        pub priority: i32,
    }

    /// An alert.
    write AlertShown {
        /// Which.
        pub id: Guid,
        /// Whom it is for.
        #[serde(rename = "UserID")]
        pub user_id: Guid,
        /// The queue.
        pub queue_id: Guid,
        /// A name for the condition.
        pub condition_name: String,
        /// The threshold.
        pub condition_value: String,
        /// The condition, in the form of docs/rest.md.
        pub condition_expression: String,
        /// Whether it holds now, and was told.
        pub fired: bool,
    }

    /// An alert to define.
    read AlertEdit {
        /// The queue: an id or a name.
        pub queue_id: String,
        /// A name for the condition; its text where there is none.
        #[serde(default)]
        pub condition_name: Option<String>,
        /// The threshold as it is to be told; the first number of the expression where there is none.
        #[serde(default)]
        pub condition_value: Option<String>,
        /// The condition, for example `NbrOfQueuingRequesters > 5 AND MaxWaitTime >= 60`.
        pub condition_expression: String,
    }
}

fn yes() -> bool {
    true
}
