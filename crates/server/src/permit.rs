//! Who may ask for what: an agent for the own telephone, a supervisor for the team, an administrator or a program for the
//! tenant. Changes of the directory are judged by the table in `changes`.
//!
//! It is judged in the loop, by the world as it is when the request is taken: who sits where changes all the time.

mod changes;

use std::collections::BTreeSet;
use std::sync::Arc;

use cordboard_core::request::{Ask, AskerRole};
use cordboard_core::{Request, World};

use crate::tokens::Grant;

pub use changes::{ChangeKind, Whose, may_change};

/// What somebody may ask for, and, as [`crate::rights`] has it, see.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Permit {
    /// Everything: a program.
    Service,
    /// What the program was granted.
    Granted(Arc<BTreeSet<Grant>>),
    /// Everything: an administrator.
    Administrator,
    /// What concerns the own telephone and the own person.
    Agent {
        /// The agent's id, which is the person's name in the directory.
        agent: String,
        /// Telephones that are the agent's own, logged in or not.
        devices: Arc<BTreeSet<String>>,
    },
    /// What concerns the telephones, agents and queues of a team, and the own person.
    Supervisor {
        /// The supervisor's name in the directory.
        user: String,
        /// The team.
        team: Arc<Team>,
    },
}

/// Those whom a supervisor looks after.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Team {
    /// Its name.
    pub name: String,
    /// Its agents.
    pub agents: BTreeSet<String>,
    /// Its telephones, also those that are its agents' own, and its queues and route points.
    pub devices: BTreeSet<String>,
    /// Its queues and route points.
    pub queues: BTreeSet<String>,
}

impl Permit {
    /// The word for the log.
    #[must_use]
    pub fn role(&self) -> AskerRole {
        match self {
            Self::Service | Self::Granted(_) => AskerRole::Service,
            Self::Administrator => AskerRole::Administrator,
            Self::Agent { .. } => AskerRole::Agent,
            Self::Supervisor { .. } => AskerRole::Supervisor,
        }
    }

    /// Whether it lets things happen around built-in switches.
    #[must_use]
    pub fn is_for_happenings(&self) -> bool {
        match self {
            Self::Service | Self::Administrator => true,
            Self::Granted(grants) => grants.contains(&Grant::Telephony),
            Self::Agent { .. } | Self::Supervisor { .. } => false,
        }
    }

    /// Whether it reads the whole stream of the tenant and its snapshot.
    #[must_use]
    pub fn is_for_events(&self) -> bool {
        match self {
            Self::Service | Self::Administrator => true,
            Self::Granted(grants) => grants.contains(&Grant::Events),
            Self::Agent { .. } | Self::Supervisor { .. } => false,
        }
    }

    /// Whether this may be asked for.
    ///
    /// # Errors
    /// Why not, and what may be, in words for people.
    pub fn check(&self, world: &World, request: &Request) -> Result<(), String> {
        let Request { device, ask, .. } = request;
        if let Ask::Change(change) = ask {
            return may_change(world, self, change);
        }
        if !ask.is_about_device() {
            return Ok(());
        }
        match self {
            Self::Service | Self::Administrator => return Ok(()),
            Self::Granted(grants) if grants.contains(&Grant::Telephony) => return Ok(()),
            Self::Granted(_) => return Err(format!("this token is not granted {}", Grant::Telephony.word())),
            Self::Agent { agent, devices } => {
                agent_asks(world, (agent, devices), device, ask)?;
            }
            Self::Supervisor { team, .. } => supervisor_asks(world, team, device, ask)?,
        }
        takes_part(world, device, ask)
    }
}

fn agent_asks(
    world: &World,
    (agent, devices): (&str, &BTreeSet<String>),
    device: &str,
    ask: &Ask,
) -> Result<(), String> {
    if let Ask::Monitor { .. } | Ask::MonitorEnd { .. } | Ask::Supervise { .. } = ask {
        return Err("an agent does not take part in calls of others; a supervisor may".to_owned());
    }
    let (there, works_here) = (world.agent_on(device), world.agent_on(device) == Some(agent));
    if let Ask::Login { agent: whom, .. } = ask {
        return match there {
            _ if whom != agent => Err(format!("the agent {agent} logs in with the own id only, not as {whom:?}")),
            Some(other) if !works_here => Err(format!("the device {device} is taken: the agent {other} works at it")),
            Some(_) | None => Ok(()),
        };
    }
    if works_here || there.is_none() && devices.contains(device) {
        return Ok(());
    }
    let own = match world.agents.get(agent).and_then(|agent| agent.device.as_deref()) {
        Some(own) => format!("it is {own}"),
        None => "none at the moment: log in first".to_owned(),
    };
    Err(format!("the agent {agent} asks for the own device only, and {own}"))
}

fn supervisor_asks(world: &World, team: &Team, device: &str, ask: &Ask) -> Result<(), String> {
    let name = &team.name;
    let theirs = |device: &str| {
        team.devices.contains(device) || world.agent_on(device).is_some_and(|agent| team.agents.contains(agent))
    };
    if let Ask::Login { agent, .. } = ask
        && !team.agents.contains(agent)
    {
        return Err(format!("the agent {agent:?} is not in the team {name}"));
    }
    let free_for_login = matches!(ask, Ask::Login { .. }) && world.agent_on(device).is_none();
    if !theirs(device) && !free_for_login {
        return Err(format!("the device {device} is none of the team {name}, and none that an agent of it works at"));
    }
    if let Ask::Monitor { target, .. } | Ask::MonitorEnd { target } | Ask::Supervise { target, .. } = ask
        && !theirs(target)
    {
        return Err(format!("the number {target} is none of the team {name}, and none that an agent of it works at"));
    }
    Ok(())
}

/// A call is known to many; only who takes part in it may ask for it. A call that is not there is none of our business:
/// the core says so.
fn takes_part(world: &World, device: &str, ask: &Ask) -> Result<(), String> {
    for (conn, _) in ask.calls().into_iter().flatten() {
        let Some((id, call)) = world.call_by_conn(conn) else { continue };
        let supervises = || world.devices.get(device).is_some_and(|known| known.supervising == Some(id));
        let waits = || call.queued.contains_key(device) || call.routing.contains_key(device);
        if world.leg_of(call, device).is_none() && !waits() && !supervises() {
            return Err(format!("the device {device} takes no part in the call {conn}"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use cordboard_core::event::{AgentFact, DeviceFact, DeviceKind, MonitorScope, SuperviseMode, WorkMode};
    use cordboard_core::request::Asker;
    use cordboard_core::{Event, Fact, Origin, Time, evolve};

    use super::*;

    /// Agent 5001 works at 1001, 5002 at 1002; 1003 is free.
    fn world() -> World {
        let mut world = World::default();
        let mut tell = |fact| {
            evolve(&mut world, &Event { at: Time(1), since: None, origin: Origin::Live, request: None, fact });
        };
        for device in ["1001", "1002", "1003"] {
            let fact = DeviceFact::Found { kind: DeviceKind::Extension, switch: "box".into() };
            tell(Fact::Device { device: device.into(), fact });
        }
        for (agent, device) in [("5001", "1001"), ("5002", "1002")] {
            tell(Fact::Agent { agent: agent.into(), fact: AgentFact::Found { name: String::new() } });
            let fact = AgentFact::LoggedIn { device: device.into(), queue: None };
            tell(Fact::Agent { agent: agent.into(), fact });
        }
        world
    }

    fn may(permit: &Permit, device: &str, ask: Ask) -> bool {
        let by = Asker { name: "n".into(), role: permit.role() };
        let (client, device) = ("t/c".to_owned(), device.to_owned());
        let request = Request { client, by, reference: None, device, ask, refused: None, deadline_ms: 1 };
        permit.check(&world(), &request).is_ok()
    }

    fn login(agent: &str) -> Ask {
        let (agent, reasons) = (agent.to_owned(), Default::default());
        Ask::Login { agent, queue: None, mode: WorkMode::Unknown, reasons, wrapup_s: None }
    }

    fn monitor(target: &str) -> Ask {
        Ask::Monitor { target: target.into(), scope: MonitorScope::OneCall, mode: SuperviseMode::Listen }
    }

    #[test]
    fn an_agent_asks_for_the_own_device() {
        let agent = |devices: &[&str]| Permit::Agent {
            agent: "5001".into(),
            devices: Arc::new(devices.iter().map(|device| (*device).to_owned()).collect()),
        };
        let (plain, desk) = (agent(&[]), agent(&["1002", "1003"]));
        assert!(may(&plain, "1001", Ask::Dnd { on: true }) && may(&plain, "", Ask::QueryServer));
        assert!(!may(&plain, "1002", Ask::Register) && !may(&plain, "1003", Ask::Register));
        assert!(may(&desk, "1003", Ask::Register));
        assert!(!may(&desk, "1002", Ask::Register), "somebody else sits there");
        assert!(may(&plain, "1003", login("5001")) && !may(&plain, "1003", login("5003")));
        assert!(!may(&plain, "1002", login("5001")));
        assert!(!may(&plain, "1001", monitor("1002")));
    }

    #[test]
    fn a_supervisor_asks_for_the_team() {
        let set = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        let team = Team { name: "sales".into(), agents: set(&["5001"]), devices: set(&["1009"]), queues: set(&[]) };
        let supervisor = Permit::Supervisor { user: "lead".into(), team: Arc::new(team) };
        assert!(may(&supervisor, "1001", Ask::Dnd { on: true }) && may(&supervisor, "1009", monitor("1001")));
        assert!(!may(&supervisor, "1002", Ask::Dnd { on: true }) && !may(&supervisor, "1009", monitor("1002")));
        assert!(may(&supervisor, "1003", login("5001")) && !may(&supervisor, "1009", login("5002")));
        assert!(!may(&supervisor, "1002", login("5001")));
    }

    #[test]
    fn a_service_asks_for_everything() {
        for permit in [Permit::Service, Permit::Administrator] {
            assert!(may(&permit, "1002", login("5009")) && may(&permit, "1001", monitor("1002")));
        }
    }

    #[test]
    fn a_granted_service_asks_for_what_it_was_granted() {
        let granted = |grant| Permit::Granted(Arc::new(BTreeSet::from([grant])));
        assert!(may(&granted(Grant::Telephony), "1002", login("5009")));
        assert!(!may(&granted(Grant::ChangeUsers), "1002", login("5009")));
        assert!(may(&granted(Grant::SeeUsers), "", Ask::QueryServer));
    }
}
