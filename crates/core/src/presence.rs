//! What a device or agent is doing as a person would say it: calls, readiness and reachability counted together.

use serde::{Deserialize, Serialize};

use crate::agent::AgentState;
use crate::agent_decide::pause_of;
use crate::call::LegState;
use crate::event::Role;
use crate::listed;
use crate::world::{Agent, Call, Device, Leg, World};

listed! {
    /// What somebody is doing.
    #[derive(Serialize, Deserialize)]
    #[serde(rename_all = "snake_case")]
    pub enum Presence {
        /// Takes part unseen in somebody's call.
        Supervising,
        /// Speaks.
        Talking,
        /// Speaks, or calls, while another call waits for it.
        Consulting,
        /// Calls somebody who has not answered.
        Dialing,
        /// Is being called.
        Ringing,
        /// Has only calls on hold.
        Hold,
        /// Serves no queue.
        Offline,
        /// Cannot be reached.
        Unavailable,
        /// Takes no queue calls.
        Paused,
        /// After-call work.
        Wrapup,
        /// Can be called.
        Available,
    }
}

impl Presence {
    /// The word for it in reports and interfaces.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Supervising => "supervising",
            Self::Talking => "talking",
            Self::Consulting => "consulting",
            Self::Dialing => "dialing",
            Self::Ringing => "ringing",
            Self::Hold => "hold",
            Self::Offline => "offline",
            Self::Unavailable => "unavailable",
            Self::Paused => "paused",
            Self::Wrapup => "wrapup",
            Self::Available => "available",
        }
    }
}

impl World {
    /// What is going on at a device, agents apart.
    #[must_use]
    pub fn device_presence(&self, device: &Device) -> Presence {
        self.calls_of(device).unwrap_or(match device.in_service {
            Some(true) => Presence::Available,
            Some(false) => Presence::Unavailable,
            None => Presence::Offline,
        })
    }

    /// What an agent is doing, and the reason of a pause.
    #[must_use]
    pub fn agent_presence<'w>(&'w self, agent: &'w Agent) -> (Presence, Option<&'w str>) {
        let device = agent.device.as_deref().and_then(|number| self.devices.get(number));
        if let Some(busy) = device.and_then(|device| self.calls_of(device)) {
            return (busy, None);
        }
        if agent.state == AgentState::LoggedOut {
            return (Presence::Offline, None);
        }
        if pause_of(&agent.queues).is_some() {
            return (Presence::Paused, agent.queues.values().next().and_then(|pause| pause.as_deref()));
        }
        if device.is_some_and(|device| device.in_service == Some(false)) {
            return (Presence::Unavailable, None);
        }
        match agent.state {
            AgentState::AfterCallWork => (Presence::Wrapup, None),
            AgentState::NotReady => (Presence::Paused, Some(&agent.reason)),
            AgentState::Ready => (Presence::Available, None),
            AgentState::LoggedOut => (Presence::Offline, None),
        }
    }

    /// The most telling of a device's legs.
    fn calls_of(&self, device: &Device) -> Option<Presence> {
        let legs = device.legs.iter().filter_map(|(call, leg)| {
            let call = self.calls.get(call)?;
            let leg = call.legs.get(leg)?;
            Some(match leg.state {
                LegState::New | LegState::Bridged | LegState::Ended => return None,
                LegState::Ringing => Presence::Ringing,
                LegState::Held | LegState::Parked => Presence::Hold,
                LegState::Dialing => self.speaking(call, leg, Presence::Dialing),
                // A caller that the switch took and put into a queue waits for a person.
                LegState::Connected if !call.queued.is_empty() && leg.role == Role::Originator => {
                    self.speaking(call, leg, Presence::Dialing)
                }
                LegState::Connected if device.supervising.is_some() => Presence::Supervising,
                LegState::Connected => self.speaking(call, leg, Presence::Talking),
            })
        });
        legs.min()
    }

    /// Who calls on behalf of a call that waits is consulting; who is consulted just talks.
    fn speaking(&self, call: &Call, leg: &Leg, plain: Presence) -> Presence {
        let about = leg.role == Role::Originator
            && call.previous.and_then(|previous| self.calls.get(&previous)).is_some_and(|previous| !previous.ended);
        if about { Presence::Consulting } else { plain }
    }
}
