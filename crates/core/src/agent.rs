//! An agent: the two tables. What the agent's telephone does is told by legs, not here.

use serde::{Deserialize, Serialize};

use crate::listed;

listed! {
    /// What an agent is doing, calls apart.
    #[derive(Serialize, Deserialize)]
    #[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
    pub enum AgentState {
        /// Serves no queue.
        LoggedOut,
        /// Is offered no queue calls.
        NotReady,
        /// Can be offered calls.
        Ready,
        /// Finishes the work of the last queue call; goes back to ready or not ready, as the pauses say.
        AfterCallWork,
    }
}

listed! {
    /// What is seen of an agent, once its queues and pauses are counted together.
    pub enum AgentSaw {
        /// Serves the first queue.
        LogIn,
        /// Serves no queue any more.
        LogOut,
        /// Takes calls of at least one queue.
        Ready,
        /// Takes calls of no queue, or for another reason than before.
        NotReady,
        /// Finished a queue call that is followed by after-call work.
        Complete,
        /// The time of after-call work is up.
        Elapse,
        /// Is offered the next call.
        Offer,
    }
}

listed! {
    /// What we say of an agent.
    pub enum AgentSaid {
        /// Logged in.
        LoggedIn,
        /// Logged out.
        LoggedOut,
        /// Ready.
        Ready,
        /// Not ready.
        NotReady,
        /// After-call work began.
        WrapUpBegan,
        /// After-call work ended; what the pauses say holds again.
        WrapUpEnded,
    }
}

/// First table: what do we say of an agent in `state` when this is seen?
#[must_use]
#[rustfmt::skip]
pub const fn decide_agent(state: AgentState, saw: AgentSaw) -> Option<AgentSaid> {
    match state {
        AgentState::LoggedOut => match saw {
            AgentSaw::LogIn    => Some(AgentSaid::LoggedIn),
            AgentSaw::LogOut   => None,
            AgentSaw::Ready    => None,
            AgentSaw::NotReady => None,
            AgentSaw::Complete => None, // removed from the queue during the call
            AgentSaw::Elapse   => None,
            AgentSaw::Offer    => None,
        },
        AgentState::NotReady => match saw {
            AgentSaw::LogIn    => None,
            AgentSaw::LogOut   => Some(AgentSaid::LoggedOut),
            AgentSaw::Ready    => Some(AgentSaid::Ready),
            AgentSaw::NotReady => Some(AgentSaid::NotReady), // another reason
            AgentSaw::Complete => Some(AgentSaid::WrapUpBegan),
            AgentSaw::Elapse   => None,
            AgentSaw::Offer    => None,
        },
        AgentState::Ready => match saw {
            AgentSaw::LogIn    => None,
            AgentSaw::LogOut   => Some(AgentSaid::LoggedOut),
            AgentSaw::Ready    => None,
            AgentSaw::NotReady => Some(AgentSaid::NotReady),
            AgentSaw::Complete => Some(AgentSaid::WrapUpBegan),
            AgentSaw::Elapse   => None,
            AgentSaw::Offer    => None,
        },
        AgentState::AfterCallWork => match saw {
            AgentSaw::LogIn    => None,
            AgentSaw::LogOut   => Some(AgentSaid::LoggedOut),
            AgentSaw::Ready    => None, // a pause was lifted: after-call work goes on
            AgentSaw::NotReady => Some(AgentSaid::NotReady), // a pause wins over after-call work
            AgentSaw::Complete => Some(AgentSaid::WrapUpBegan), // the next call's work begins anew
            AgentSaw::Elapse   => Some(AgentSaid::WrapUpEnded),
            AgentSaw::Offer    => Some(AgentSaid::WrapUpEnded),
        },
    }
}

/// Second table: what is the agent doing after we said this? `None`: what the pauses say (ready or not ready).
#[must_use]
#[rustfmt::skip]
pub const fn evolve_agent(said: AgentSaid) -> Option<AgentState> {
    match said {
        AgentSaid::LoggedIn    => Some(AgentState::NotReady), // Ready or NotReady follows at once
        AgentSaid::LoggedOut   => Some(AgentState::LoggedOut),
        AgentSaid::Ready       => Some(AgentState::Ready),
        AgentSaid::NotReady    => Some(AgentState::NotReady),
        AgentSaid::WrapUpBegan => Some(AgentState::AfterCallWork),
        AgentSaid::WrapUpEnded => None,
    }
}
