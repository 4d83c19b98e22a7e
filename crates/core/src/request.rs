//! Requests: what clients ask for, who may be asked, and why the answer is no.

use alloc::string::String;

use serde::{Deserialize, Serialize};

pub use crate::ask::{Ask, Joining, PredictiveTargets};
use crate::call::LegState;
use crate::ids::RequestId;
use crate::listed;
use crate::stored::stored;

/// What a client asks for, before anything is decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The client: an application on one connection. References are unique within it.
    pub client: String,
    /// On whose behalf.
    pub by: Asker,
    /// What the client calls the request; none to be given one.
    pub reference: Option<u64>,
    /// The directory number it is about; empty where it is about none.
    pub device: String,
    /// What is asked.
    pub ask: Ask,
    /// Why whoever took it in refuses it already (not allowed, wrong password); it is written down all the same.
    pub refused: Option<(Refusal, String)>,
    /// How long it may take, in milliseconds.
    pub deadline_ms: u64,
}

stored! {
    /// On whose behalf something is asked.
    pub struct Asker {
        /// A name for people: of the agent, the supervisor or the program.
        pub name: String,
        /// What it may ask for.
        pub role: AskerRole,
    }

    /// What somebody may ask for.
    #[derive(Copy, Hash, PartialOrd, Ord)]
    pub enum AskerRole {
        /// An agent: for the device worked at.
        Agent,
        /// A supervisor: for the team.
        Supervisor,
        /// A program: for the tenant, as far as it was granted.
        Service,
        /// An administrator: for the tenant, its directory included.
        Administrator,
    }
}

listed! {
    /// Why a request is refused.
    #[derive(Serialize, Deserialize, Hash)]
    #[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
    #[serde(rename_all = "snake_case")]
    pub enum Refusal {
        /// Who asks may not.
        NotAllowed,
        /// The client is not registered for the device.
        NotRegistered,
        /// There is no such device or queue.
        NoSuchDevice,
        /// The device is out of service.
        OutOfService,
        /// There is no such call, or the device takes no part in it.
        NoSuchCall,
        /// The number cannot be dialled.
        InvalidNumber,
        /// The device's part in the call is in another state.
        WrongState,
        /// The call is not on hold.
        NotHeld,
        /// The call does not ring.
        NotRinging,
        /// A transfer cannot be begun.
        CannotTransfer,
        /// A transfer cannot be completed.
        CannotCompleteTransfer,
        /// A conference cannot be completed.
        CannotCompleteConference,
        /// What is asked is so already.
        SameState,
        /// No agent has this id.
        NoSuchAgent,
        /// The agent works on another device.
        AgentElsewhere,
        /// The password is wrong.
        WrongPassword,
        /// The agent, or another one, is logged in already.
        LoggedInAlready,
        /// Nobody is logged in.
        NotLoggedIn,
        /// Somebody else has the agent.
        AgentReserved,
        /// Something about the request is wrong.
        WrongAttribute,
        /// The switch cannot do it.
        Unsupported,
        /// The switch did not do it, and says why.
        SwitchRefused,
        /// The switch cannot be reached.
        SwitchGone,
        /// Nothing was heard of it in time.
        TimedOut,
        /// Too much is asked at once.
        Busy,
        /// There is no such person.
        NoSuchUser,
        /// There is no such queue.
        NoSuchQueue,
        /// There is no such call list.
        NoSuchList,
        /// There is no such callback.
        NoSuchCallback,
        /// There is no such alert.
        NoSuchAlert,
        /// The callback is closed.
        CallbackClosed,
        /// There is no room for more.
        TooMany,
    }
}

/// What a switch is to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// The request it comes from; observations that it causes name it.
    pub request: RequestId,
    /// The directory number it is about.
    pub device: String,
    /// What.
    pub ask: Ask,
    /// The call it names first, in the switch's words.
    pub call: Option<OrderCall>,
    /// The held call it names.
    pub held: Option<OrderCall>,
    /// The agent on the device.
    pub agent: Option<String>,
}

/// A call in a switch's words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderCall {
    /// The switch's key of the call.
    pub call: String,
    /// The switch's key of the device's leg; none where the device takes part unseen, or in another way.
    pub leg: Option<String>,
}

listed! {
    /// Kinds of requests that name a call, for the table of what they need.
    pub enum AskKind {
        /// Answer.
        Answer,
        /// Hang up.
        Release,
        /// Hold.
        Hold,
        /// Come back.
        Retrieve,
        /// Leave the current call of two.
        Current,
        /// Come back to the held call of two.
        HeldOne,
        /// Send on while it rings.
        Redirect,
        /// Begin something about a call one is in.
        Begin,
        /// Something that a party in talk does.
        Talk,
    }
}

/// Third table of a leg: why can a party whose leg is in `state` not do this? `None`: it can.
#[must_use]
#[rustfmt::skip]
pub const fn refuse_leg(state: LegState, kind: AskKind) -> Option<Refusal> {
    match state {
        LegState::New => match kind {
            AskKind::Answer   => Some(Refusal::NoSuchCall),
            AskKind::Release  => Some(Refusal::NoSuchCall),
            AskKind::Hold     => Some(Refusal::NoSuchCall),
            AskKind::Retrieve => Some(Refusal::NoSuchCall),
            AskKind::Current  => Some(Refusal::NoSuchCall),
            AskKind::HeldOne  => Some(Refusal::NoSuchCall),
            AskKind::Redirect => Some(Refusal::NoSuchCall),
            AskKind::Begin    => Some(Refusal::NoSuchCall),
            AskKind::Talk     => Some(Refusal::NoSuchCall),
        },
        LegState::Dialing => match kind {
            AskKind::Answer   => Some(Refusal::NotRinging),
            AskKind::Release  => None,
            AskKind::Hold     => Some(Refusal::WrongState),
            AskKind::Retrieve => Some(Refusal::NotHeld),
            AskKind::Current  => None,
            AskKind::HeldOne  => Some(Refusal::NotHeld),
            AskKind::Redirect => Some(Refusal::NotRinging),
            AskKind::Begin    => Some(Refusal::CannotTransfer),
            AskKind::Talk     => Some(Refusal::WrongState),
        },
        LegState::Ringing => match kind {
            AskKind::Answer   => None,
            AskKind::Release  => None,
            AskKind::Hold     => Some(Refusal::WrongState),
            AskKind::Retrieve => Some(Refusal::NotHeld),
            AskKind::Current  => Some(Refusal::WrongState),
            AskKind::HeldOne  => Some(Refusal::NotHeld),
            AskKind::Redirect => None,
            AskKind::Begin    => Some(Refusal::CannotTransfer),
            AskKind::Talk     => Some(Refusal::WrongState),
        },
        LegState::Connected => match kind {
            AskKind::Answer   => Some(Refusal::NotRinging),
            AskKind::Release  => None,
            AskKind::Hold     => None,
            AskKind::Retrieve => Some(Refusal::NotHeld),
            AskKind::Current  => None,
            AskKind::HeldOne  => Some(Refusal::NotHeld),
            AskKind::Redirect => Some(Refusal::NotRinging),
            AskKind::Begin    => None,
            AskKind::Talk     => None,
        },
        LegState::Held => match kind {
            AskKind::Answer   => Some(Refusal::NotRinging),
            AskKind::Release  => None,
            AskKind::Hold     => Some(Refusal::WrongState),
            AskKind::Retrieve => None,
            AskKind::Current  => Some(Refusal::WrongState),
            AskKind::HeldOne  => None,
            AskKind::Redirect => Some(Refusal::NotRinging),
            AskKind::Begin    => None,
            AskKind::Talk     => None,
        },
        LegState::Parked => match kind {
            AskKind::Answer   => Some(Refusal::NotRinging),
            AskKind::Release  => None,
            AskKind::Hold     => Some(Refusal::WrongState),
            AskKind::Retrieve => Some(Refusal::NotHeld),
            AskKind::Current  => Some(Refusal::WrongState),
            AskKind::HeldOne  => Some(Refusal::NotHeld),
            AskKind::Redirect => Some(Refusal::NotRinging),
            AskKind::Begin    => Some(Refusal::CannotTransfer),
            AskKind::Talk     => Some(Refusal::WrongState),
        },
        LegState::Bridged => match kind {
            AskKind::Answer   => None,
            AskKind::Release  => None,
            AskKind::Hold     => Some(Refusal::WrongState),
            AskKind::Retrieve => Some(Refusal::NotHeld),
            AskKind::Current  => Some(Refusal::WrongState),
            AskKind::HeldOne  => Some(Refusal::NotHeld),
            AskKind::Redirect => Some(Refusal::NotRinging),
            AskKind::Begin    => Some(Refusal::CannotTransfer),
            AskKind::Talk     => Some(Refusal::WrongState),
        },
        LegState::Ended => match kind {
            AskKind::Answer   => Some(Refusal::NoSuchCall),
            AskKind::Release  => Some(Refusal::NoSuchCall),
            AskKind::Hold     => Some(Refusal::NoSuchCall),
            AskKind::Retrieve => Some(Refusal::NoSuchCall),
            AskKind::Current  => Some(Refusal::NoSuchCall),
            AskKind::HeldOne  => Some(Refusal::NoSuchCall),
            AskKind::Redirect => Some(Refusal::NoSuchCall),
            AskKind::Begin    => Some(Refusal::NoSuchCall),
            AskKind::Talk     => Some(Refusal::NoSuchCall),
        },
    }
}
