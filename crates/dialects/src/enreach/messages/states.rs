//! What is true of a person or a queue.

use cordboard_core::Guid;

use super::rte_event;
use crate::enreach::values::{AvailabilityStatusesAVA, Moment, Text};

rte_event! {
    /// What the user is doing, in the eyes of those who distribute calls.
    state UserStatus<'a> {
        /// The user.
        userId: Guid,
        /// The organisation.
        organizationId: Guid,
        /// Whether a call can be offered.
        canBeAllocatedTo: bool,
        /// Whether there is a call, from its very beginning.
        talking: bool,
        /// Since when that is so.
        talkingStatusChanged: Option<Moment>,
        /// The queue of the call under way.
        activeQueueId: Option<Guid>,
        /// The call list of the call under way.
        activeCallListId: Option<Guid>,
        /// Whether the availability is available.
        available: bool,
        /// Whether the availability is anything but off work.
        schedule: bool,
        /// Whether the user serves queues.
        serving: bool,
        /// Telephones that can be reached.
        serviceTerminals: i32,
        /// Queues that are served and not paused.
        activeQueues: i32,
        /// Calls on parking places that the user put there.
        parkedCalls: i32,
        /// When the after-call work under way began.
        wrapUpStart: Option<Moment>,
        /// When it ends by itself.
        wrapUpEnd: Option<Moment>,
        /// Whether the user works on callbacks.
        servingCallback: bool,
        /// Whether the user picks calls and is offered none.
        fetchMode: bool,
        /// The note of the availability, else why the user is paused.
        note: Text<'a>,
        /// The availability.
        availabilityStatus: AvailabilityStatusesAVA,
    }
}

rte_event! {
    /// The counters of a queue.
    state QueueStatus<'a> {
        /// The queue.
        queueId: Guid,
        /// The organisation.
        organizationId: Guid,
        /// What people call it.
        queueName: Text<'a>,
        /// Agents who serve the queue or are assigned to it.
        nbrOfProviders: i32,
        /// Calls of the queue: waiting, offered and connected.
        nbrOfRequesters: i32,
        /// Agents who serve it now.
        nbrOfServingAgentsEstimate: i32,
        /// Calls that are being offered to an agent.
        nbrOfAllocated: i32,
        /// Calls that an agent serves.
        nbrOfConnected: i32,
        /// Calls that wait, offered to nobody.
        nbrOfQueuingRequesters: i32,
        /// Calls that no agent serves yet: waiting and offered.
        nbrOfNotServedRequesters: i32,
        /// Agents away for long.
        nbrOfAgentsLongTermAway: i32,
        /// Agents away for a moment.
        nbrOfAgentsShortTermAway: i32,
        /// Agents who can be offered a call right now.
        nbrOfAgentsImmediatelyFree: i32,
        /// Agents who are logged in to it, away or not.
        nbrOfAgentsCheckedInQueue: i32,
        /// Agents in after-call work.
        nbrOfAgentsOnWrapUp: i32,
        /// Agents who pick their calls.
        nbrOfAgentsOnFetchMode: i32,
        /// The longest wait of the calls waiting now, in seconds.
        maxWaitTime: i64,
        /// Whether the queue is open, by number.
        openStatus: i32,
    }
}
