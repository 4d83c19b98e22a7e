//! The 21 events of the topic `voice-callthread`: calls, routing and treatments.

use super::topic_event;

topic_event! {
    /// A call is being made from `ThisDN`. `OtherDN` is the number dialled, if anything is known of the far side.
    EventDialing on CallThread from PartyFrame, PartlyPublished {
        known [Server ThisDN ThisDNRole time CallThreadID ConnID CallID CallType]
        optional [
            AgentID CallHistory CustomerID DNIS Extensions NetworkCallID NetworkNodeID OtherDN OtherDNRole OtherQueue
            OtherTrunk PreviousConnID Reasons ReferenceID ThisQueue UserData
        ]
    }
}

topic_event! {
    /// A call alerts at `ThisDN`. `ThisQueue` is the queue that delivers it.
    EventRinging on CallThread from PartyFrame, PartlyPublished {
        known [Server ThisDN ThisDNRole time CallThreadID ConnID CallID CallType CallState]
        optional [
            AgentID ANI CallHistory Cause CollectedDigits CustomerID DNIS Extensions NetworkCallID NetworkNodeID
            OtherDN OtherDNRole OtherQueue OtherTrunk PreviousConnID Reasons ReferenceID ThirdPartyDN ThisQueue
            UserData
        ]
    }
}

topic_event! {
    /// `ThisDN` is connected: it answered, or the call it made was answered.
    /// `Extensions` announce `WrapUpTime` where after-call work will follow.
    EventEstablished on CallThread from PartyFrame, Derived {
        known [Server ThisDN ThisDNRole time CallThreadID ConnID CallID CallType CallState]
        optional [
            AgentID ANI CallHistory CustomerID DNIS Extensions NetworkCallID NetworkNodeID OtherDN OtherDNRole
            OtherQueue OtherTrunk PreviousConnID Reasons ReferenceID ThirdPartyDN ThirdPartyDNRole ThisQueue ThisTrunk
            UserData
        ]
    }
}

topic_event! {
    /// The caller gave up before an answer; told on the number or the queue that was being offered the call.
    EventAbandoned on CallThread from PartyFrame, PartlyPublished {
        known [Server ThisDN ThisDNRole time CallThreadID ConnID CallID CallType CallState]
        optional [
            ANI CallHistory CustomerID DNIS Extensions NetworkCallID NetworkNodeID OtherDN OtherDNRole OtherQueue
            OtherTrunk PreviousConnID ThisQueue ThisTrunk UserData
        ]
    }
}

topic_event! {
    /// The called side is busy or can not be reached; `CallState` says which. `EventReleased` follows.
    EventDestinationBusy on CallThread from PartyFrame, Derived {
        known [Server ThisDN ThisDNRole time CallThreadID ConnID CallID CallType CallState]
        optional [
            ANI CallHistory Cause CustomerID DNIS Extensions NetworkCallID NetworkNodeID OtherDN OtherDNRole
            OtherQueue OtherTrunk PreviousConnID Reasons ReferenceID ThisQueue ThisTrunk UserData
        ]
    }
}

topic_event! {
    /// The call left the queue: delivered to `ThirdPartyDN`, or taken out of it.
    /// `CallState` is `Redirected` where it was taken out because it went elsewhere.
    EventDiverted on CallThread from PartyFrame, Assumed {
        known [Server ThisDN ThisDNRole time CallThreadID ConnID CallID CallType]
        given [ThisQueue]
        optional [
            CallHistory CallState CustomerID DNIS Extensions NetworkCallID NetworkNodeID OtherDN OtherDNRole
            OtherQueue OtherTrunk PreviousConnID Reasons ReferenceID ThirdPartyDN ThirdPartyDNRole ThirdPartyQueue
            ThisTrunk UserData
        ]
    }
}

topic_event! {
    /// `ThisDN` put the call on hold; the far side is told nothing.
    EventHeld on CallThread from PartyFrame, Derived {
        known [Server ThisDN ThisDNRole time CallThreadID ConnID CallID CallType CallState]
        optional [
            ANI CallHistory CustomerID DNIS Extensions NetworkCallID NetworkNodeID OtherDN OtherDNRole OtherQueue
            OtherTrunk PreviousConnID Reasons ReferenceID ThisQueue ThisTrunk UserData
        ]
    }
}

topic_event! {
    /// The call reached the public network; nothing more may be heard of it until it is answered.
    EventNetworkReached on CallThread from PartyFrame, Derived {
        known [Server ThisDN ThisDNRole time CallThreadID ConnID CallID CallType]
        optional [
            ANI CallHistory CallState CustomerID DNIS Extensions NetworkCallID NetworkNodeID OtherDN OtherDNRole
            OtherQueue OtherTrunk PreviousConnID Reasons ReferenceID ThisQueue ThisTrunk UserData
        ]
    }
}

topic_event! {
    /// `OtherDN` (`NewParty`, or `Observer`) joined the call, brought in by `ThirdPartyDN` (`AddedBy`).
    EventPartyAdded on CallThread from PartyFrame, Derived {
        known [Server ThisDN ThisDNRole time CallThreadID ConnID CallType CallState]
        optional [
            ANI CallHistory CustomerID DNIS Extensions NetworkCallID NetworkNodeID OtherDN OtherDNRole OtherQueue
            OtherTrunk PreviousConnID Reasons ReferenceID ThirdPartyDN ThirdPartyDNRole ThirdPartyQueue ThisQueue
            ThisTrunk UserData
        ]
        disputed [CallID]
    }
}

topic_event! {
    /// The far side was replaced, or the call became another one: then `PreviousConnID` is what it was before.
    /// `ThirdPartyDN` did it (`TransferredBy`, `ConferencedBy`), `CallState` is `Transferred` or `Conferenced`.
    EventPartyChanged on CallThread from PartyFrame, Derived {
        known [Server ThisDN ThisDNRole time CallThreadID ConnID CallID CallType CallState]
        optional [
            ANI CallHistory CustomerID DNIS Extensions NetworkCallID NetworkNodeID OtherDN OtherDNRole OtherQueue
            OtherTrunk PreviousConnID Reasons ReferenceID ThirdPartyDN ThirdPartyDNRole ThirdPartyQueue ThisQueue
            ThisTrunk UserData
        ]
    }
}

topic_event! {
    /// `OtherDN` (`DeletedParty`) left a call of several, by the hand of `ThirdPartyDN` (`DeletedBy`).
    /// `CallState` is `Conferenced` while more than two parties remain, then `Ok`.
    EventPartyDeleted on CallThread from PartyFrame, Derived {
        known [Server ThisDN ThisDNRole time CallThreadID ConnID CallID CallType CallState]
        optional [
            ANI CallHistory CustomerID DNIS Extensions NetworkCallID NetworkNodeID OtherDN OtherDNRole OtherQueue
            OtherTrunk PreviousConnID Reasons ReferenceID ThirdPartyDN ThirdPartyDNRole ThirdPartyQueue ThisQueue
            ThisTrunk UserData
        ]
    }
}

topic_event! {
    /// The call waits in the queue, until `EventDiverted` or `EventAbandoned` for the same queue.
    EventQueued on CallThread from PartyFrame, Derived {
        known [Server ThisDN ThisDNRole time CallThreadID ConnID CallID CallType CallState]
        given [ThisQueue]
        optional [
            ANI CallHistory CustomerID DNIS Extensions NetworkCallID NetworkNodeID OtherDN OtherDNRole OtherQueue
            OtherTrunk PreviousConnID Reasons ReferenceID ThisTrunk UserData
        ]
    }
}

topic_event! {
    /// A shared appearance of the call at `ThisDN` is now in use elsewhere.
    EventBridged on CallThread from PartyFrame, Assumed {
        known [Server ThisDN ThisDNRole time CallThreadID ConnID CallID CallType]
        optional [
            ANI CallHistory CallState CustomerID DNIS Extensions NetworkCallID NetworkNodeID OtherDN OtherDNRole
            OtherQueue OtherTrunk PreviousConnID ThisQueue ThisTrunk UserData
        ]
    }
}

topic_event! {
    /// `ThisDN` is no longer in the call.
    /// `CallState` is `Ok`, or says by what: `Transferred`, `Conferenced`, `Redirected`, `Forwarded`, a failure.
    EventReleased on CallThread from PartyFrame, Derived {
        known [Server ThisDN ThisDNRole time CallThreadID ConnID CallID CallType CallState]
        optional [
            AgentID ANI CallHistory CustomerID DNIS Extensions NetworkCallID NetworkNodeID OtherDN OtherDNRole
            OtherQueue OtherTrunk PreviousConnID Reasons ReferenceID ThirdPartyDN ThirdPartyDNRole ThisQueue ThisTrunk
            UserData
        ]
    }
}

topic_event! {
    /// `ThisDN` took the call back from hold. `ThisDNRole` and `ThisQueue` are as they were before the hold.
    EventRetrieved on CallThread from PartyFrame, Derived {
        known [Server ThisDN ThisDNRole time CallThreadID ConnID CallID CallType CallState]
        optional [
            ANI CallHistory CustomerID DNIS Extensions NetworkCallID NetworkNodeID OtherDN OtherDNRole OtherQueue
            OtherTrunk PreviousConnID Reasons ReferenceID ThisQueue ThisTrunk UserData
        ]
    }
}

topic_event! {
    /// The call sits at a routing point and waits for an instruction.
    EventRouteRequest on CallThread from PartyFrame, PartlyPublished {
        known [Server ThisDN time CallThreadID ConnID CallID CallType]
        given [ThisQueue]
        optional [
            ANI CallHistory CollectedDigits CustomerID DNIS Extensions LastCollectedDigit NetworkCallID NetworkNodeID
            OtherDN OtherDNRole OtherQueue OtherTrunk PreviousConnID ThirdPartyDN ThisTrunk UserData
        ]
        disputed [CallState]
    }
}

topic_event! {
    /// The call was routed to `ThirdPartyDN`, as asked or by default.
    EventRouteUsed on CallThread from PartyFrame, PartlyPublished {
        known [Server ThisDN time CallThreadID ConnID CallID CallType]
        given [ThisQueue]
        optional [
            ANI CallHistory CallState CustomerID DNIS Extensions NetworkCallID NetworkNodeID OtherDN Reasons
            ReferenceID ThirdPartyDN ThirdPartyDNRole ThisTrunk UserData
        ]
    }
}

topic_event! {
    /// The treatment has begun.
    EventTreatmentApplied on CallThread from PartyFrame, PartlyPublished {
        known [Server ThisDN ThisDNRole time CallThreadID ConnID CallID CallType]
        given [CustomerID Extensions TreatmentType]
        optional [NetworkCallID NetworkNodeID Reasons ReferenceID TransferConnID TreatmentParms UserData]
    }
}

topic_event! {
    /// A treatment that has an end came to it.
    /// `Extensions` say whether it was interrupted (`INTERRUPTED`) and how it ended (`COMPLETION_STATUS`).
    EventTreatmentEnd on CallThread from PartyFrame, PartlyPublished {
        known [Server ThisDN time CallThreadID ConnID CallID CallType]
        given [CustomerID TreatmentType]
        optional [
            CollectedDigits Extensions LastCollectedDigit NetworkCallID NetworkNodeID Reasons ReferenceID
            TransferConnID TreatmentParms UserData
        ]
    }
}

topic_event! {
    /// The treatment could not be applied; `ErrorCode` says why.
    EventTreatmentNotApplied on CallThread from PartyFrame, Assumed {
        known [Server ThisDN time CallThreadID ConnID CallID CallType]
        given [CustomerID TreatmentType]
        optional [
            ErrorCode ErrorMessage Extensions NetworkCallID NetworkNodeID Reasons ReferenceID ThisDNRole
            TransferConnID TreatmentParms UserData
        ]
    }
}

topic_event! {
    /// A treatment device asks what to do with the call.
    EventTreatmentRequired on CallThread from PartyFrame, Assumed {
        known [Server ThisDN time CallThreadID ConnID CallID CallType]
        optional [
            ANI CollectedDigits CustomerID DNIS Extensions LastCollectedDigit NetworkCallID NetworkNodeID ReferenceID
            ThisDNRole TransferConnID TreatmentParms TreatmentType UserData
        ]
    }
}
