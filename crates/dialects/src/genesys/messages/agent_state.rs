//! The 21 events of the topic `voice-agentstate`: agents and devices.

use super::topic_event;

topic_event! {
    /// An agent is logged in on the group `ThisQueue`.
    /// It says nothing about ready or not ready, and comes once for each group.
    EventAgentLogin on AgentState from DeviceFrame, Published {
        known [Server ThisDN time]
        optional [AgentID CustomerID Extensions Reasons ReferenceID ThisQueue]
        disputed [AgentWorkMode]
    }
}

topic_event! {
    /// The agent is logged out of the last group.
    EventAgentLogout on AgentState from DeviceFrame, Published {
        known [Server ThisDN time]
        optional [AgentID CustomerID Extensions Reasons ReferenceID ThisQueue]
    }
}

topic_event! {
    /// The agent left the group `ThisQueue` but is still logged in on another one.
    EventQueueLogout on AgentState from DeviceFrame, PartlyPublished {
        known [Server ThisDN time]
        given [ThisQueue]
        optional [AgentID CustomerID Extensions Reasons ReferenceID]
    }
}

topic_event! {
    /// The agent can be offered calls of queues.
    EventAgentReady on AgentState from DeviceFrame, Published {
        known [Server ThisDN time]
        given [AgentWorkMode]
        optional [CustomerID Extensions Reasons ReferenceID ThisQueue]
        disputed [AgentID]
    }
}

topic_event! {
    /// The agent can not be offered calls of queues; `AgentWorkMode` and `Reasons` say why.
    /// After-call work is this event with `AfterCallWork`, told before the `EventReleased` of the call that caused it.
    EventAgentNotReady on AgentState from DeviceFrame, Published {
        known [Server ThisDN time]
        optional [AgentWorkMode CustomerID Extensions Reasons ReferenceID ThisQueue]
        disputed [AgentID]
    }
}

topic_event! {
    /// The number can neither make nor take calls. Its calls and its agent are wound down by their own events.
    EventDNOutOfService on AgentState from DeviceFrame, Published {
        known [ThisDN]
        optional [Extensions]
    }
}

topic_event! {
    /// A number that was out of service works again.
    EventDNBackInService on AgentState from DeviceFrame, Published {
        known [ThisDN]
        optional [Extensions]
    }
}

topic_event! {
    /// Do-not-disturb is on.
    EventDNDOn on AgentState from DeviceFrame, Published {
        known [Server ThisDN time]
        optional [CustomerID Extensions Reasons ReferenceID]
    }
}

topic_event! {
    /// Do-not-disturb is off.
    EventDNDOff on AgentState from DeviceFrame, Published {
        known [Server ThisDN time]
        optional [CustomerID Extensions Reasons ReferenceID]
    }
}

topic_event! {
    /// Calls are forwarded to `OtherDN`, when `InfoStatus` says.
    EventForwardSet on AgentState from DeviceFrame, Published {
        known [Server ThisDN time]
        optional [CustomerID Extensions InfoStatus OtherDN Reasons ReferenceID]
    }
}

topic_event! {
    /// Calls are no longer forwarded.
    EventForwardCancel on AgentState from DeviceFrame, Published {
        known [Server ThisDN time]
        optional [CustomerID Extensions Reasons ReferenceID]
    }
}

topic_event! {
    /// A supervisor will hear the next call, or all calls, of an agent; told on the numbers of both.
    /// On the agent's number `OtherDNRole` is `Observer`.
    EventMonitoringNextCall on AgentState from DeviceFrame, Assumed {
        known [Server ThisDN time]
        given [MonitorNextCallType OtherDN]
        optional [CustomerID Extensions OtherDNRole Reasons ReferenceID]
    }
}

topic_event! {
    /// A supervisor will not hear the agent's calls any more; told on the numbers of both.
    EventMonitoringCancelled on AgentState from DeviceFrame, Assumed {
        known [Server ThisDN time]
        given [OtherDN]
        optional [CustomerID Extensions MonitorNextCallType OtherDNRole Reasons ReferenceID]
    }
}

topic_event! {
    /// The handset was lifted; the call is named if there is one.
    EventOffHook on AgentState from DeviceFrame, Published {
        known [Server ThisDN time]
        optional [
            CallHistory CallID CallState CallType ConnID CustomerID Extensions NetworkCallID NetworkNodeID ThisTrunk
            UserData
        ]
    }
}

topic_event! {
    /// The handset was put down.
    EventOnHook on AgentState from DeviceFrame, Published {
        known [Server ThisDN time]
        optional [
            CallHistory CallID ConnID CustomerID Extensions NetworkCallID NetworkNodeID ThisDNRole ThisTrunk UserData
        ]
    }
}

topic_event! {
    /// The party can not be heard in the call.
    EventMuteOn on AgentState from DeviceFrame, Published {
        known [ThisDN]
        given [ThisDNRole ConnID]
        optional [CustomerID Extensions NetworkCallID NetworkNodeID Reasons ReferenceID UserData]
    }
}

topic_event! {
    /// The party can be heard in the call again.
    EventMuteOff on AgentState from DeviceFrame, Published {
        known [ThisDN]
        given [ThisDNRole ConnID]
        optional [CustomerID Extensions NetworkCallID NetworkNodeID Reasons ReferenceID UserData]
    }
}

topic_event! {
    /// The party can not hear the others for a while; `CallState` is `Deafened`.
    EventListenDisconnected on AgentState from DeviceFrame, Assumed {
        known [Server ThisDN time]
        given [ThisDNRole ConnID CallID]
        optional [
            CallHistory CallState CallType CustomerID DNIS Extensions NetworkCallID NetworkNodeID OtherDN OtherDNRole
            Reasons ReferenceID ThirdPartyDN ThirdPartyDNRole UserData
        ]
    }
}

topic_event! {
    /// The party can hear the others again.
    EventListenReconnected on AgentState from DeviceFrame, Assumed {
        known [Server ThisDN time]
        given [ThisDNRole ConnID CallID]
        optional [
            CallHistory CallState CallType CustomerID DNIS Extensions NetworkCallID NetworkNodeID OtherDN OtherDNRole
            Reasons ReferenceID ThirdPartyDN ThirdPartyDNRole UserData
        ]
    }
}

topic_event! {
    /// Messages are waiting for the number.
    EventMessageWaitingOn on AgentState from DeviceFrame, Assumed {
        known [Server ThisDN time]
        optional [CustomerID Extensions Reasons ReferenceID]
    }
}

topic_event! {
    /// No messages are waiting for the number.
    EventMessageWaitingOff on AgentState from DeviceFrame, Assumed {
        known [Server ThisDN time]
        optional [CustomerID Extensions Reasons ReferenceID]
    }
}
