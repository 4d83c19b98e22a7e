//! Agents and teams of a tenant, from the configuration: who may log in, and what a token's role permits.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use cordboard_core::request::{Ask, Refusal};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::config::{self, AgentsStrict, SecretText};
use crate::permit::{Permit, Team};
use crate::tenant::TenantError;
use crate::tokens::Role;

/// See the module.
#[derive(Debug)]
pub struct People {
    strict: AgentsStrict,
    agents: BTreeMap<String, Agent>,
    teams: BTreeMap<String, Arc<Team>>,
}

#[derive(Debug, Default)]
struct Agent {
    devices: Arc<BTreeSet<String>>,
    password: Option<SecretText>,
}

impl People {
    /// What the configuration says of a tenant's people.
    ///
    /// # Errors
    /// [`TenantError::Password`] where one cannot be read.
    pub fn new(config: &config::Tenant) -> Result<Self, TenantError> {
        let mut agents = BTreeMap::new();
        for it in &config.agent {
            let password = it.find_password().map_err(|error| TenantError::Password { agent: it.id.clone(), error })?;
            let devices = Arc::new(it.devices.iter().cloned().collect());
            agents.insert(it.id.clone(), Agent { devices, password });
        }
        let team = |it: &config::Team| {
            let own = it.agents.iter().filter_map(|id| agents.get(id)).flat_map(|agent| agent.devices.iter());
            let devices = it.devices.iter().chain(&it.queues).chain(own).cloned().collect();
            let queues = it.queues.iter().cloned().collect();
            Arc::new(Team { name: it.name.clone(), agents: it.agents.iter().cloned().collect(), devices, queues })
        };
        let teams = config.team.iter().map(|it| (it.name.clone(), team(it))).collect();
        Ok(Self { strict: config.agents_strict, agents, teams })
    }

    /// What a role permits to this user: nothing of a team that the configuration knows no more.
    #[must_use]
    pub fn permit(&self, role: &Role, user: &str) -> Permit {
        match role {
            Role::Service => Permit::Service,
            Role::Granted { grants } => Permit::Granted(Arc::new(grants.clone())),
            Role::Administrator => Permit::Administrator,
            // Of no tenant, and so nothing in any.
            Role::Operator => Permit::Granted(Arc::default()),
            Role::Agent { agent } => {
                let devices = self.agents.get(agent).map(|agent| Arc::clone(&agent.devices)).unwrap_or_default();
                Permit::Agent { agent: agent.clone(), devices }
            }
            Role::Supervisor { team } => {
                let gone = || Arc::new(Team { name: team.clone(), ..Team::default() });
                let team = self.teams.get(team).map_or_else(gone, Arc::clone);
                Permit::Supervisor { user: user.to_owned(), team }
            }
        }
    }

    /// Whether the configuration names this agent.
    #[must_use]
    pub fn knows_agent(&self, id: &str) -> bool {
        self.agents.contains_key(id)
    }

    /// Whether the configuration has this team.
    #[must_use]
    pub fn knows_team(&self, name: &str) -> bool {
        self.teams.contains_key(name)
    }

    /// Whether this is the agent's password. Nothing is where the configuration has none.
    #[must_use]
    pub fn is_password(&self, id: &str, given: &str) -> bool {
        let right = self.agents.get(id).and_then(|agent| agent.password.as_ref());
        right.is_some_and(|right| !given.is_empty() && is_same(right.reveal(), given))
    }

    /// Why nobody may log in so, if that is what is asked.
    #[must_use]
    pub fn refuse_login(&self, ask: &Ask, password: Option<&str>) -> Option<(Refusal, String)> {
        let Ask::Login { agent: id, .. } = ask else { return None };
        let agent = match (self.agents.get(id), self.strict) {
            (Some(agent), _) => agent,
            (None, AgentsStrict::Any) => return None,
            (None, AgentsStrict::Known | AgentsStrict::Password) => {
                let why = format!("no agent has the id {id:?}; right would be one that is configured");
                return Some((Refusal::NoSuchAgent, why));
            }
        };
        let given = password.filter(|password| !password.is_empty());
        let is_right = match (&agent.password, given, self.strict) {
            (Some(right), Some(given), _) => is_same(right.reveal(), given),
            (Some(_), None, AgentsStrict::Password) | (None, _, AgentsStrict::Password) => false,
            (Some(_), None, AgentsStrict::Any | AgentsStrict::Known)
            | (None, _, AgentsStrict::Any | AgentsStrict::Known) => true,
        };
        let why = || format!("the password of the agent {id} is missing or wrong");
        (!is_right).then(|| (Refusal::WrongPassword, why()))
    }
}

/// Compares in a time that tells nothing of either, not even how long they are.
fn is_same(right: &str, given: &str) -> bool {
    let digest = |text: &str| -> [u8; 32] { Sha256::digest(text).into() };
    digest(right).ct_eq(&digest(given)).into()
}

#[cfg(test)]
mod tests {
    use cordboard_core::event::WorkMode;

    use super::*;

    fn login(id: &str) -> Ask {
        let (agent, reasons) = (id.to_owned(), Default::default());
        Ask::Login { agent, queue: None, mode: WorkMode::Unknown, reasons, wrapup_s: None }
    }

    fn people(strict: AgentsStrict) -> (People, tempfile::TempDir) {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("password");
        std::fs::write(&file, "canary\n").unwrap();
        let with = config::Agent { id: "1".into(), password_file: Some(file), ..config::Agent::default() };
        let without = config::Agent { id: "2".into(), ..config::Agent::default() };
        let tenant = config::Tenant { agents_strict: strict, agent: vec![with, without], ..config::Tenant::default() };
        (People::new(&tenant).unwrap(), dir)
    }

    #[test]
    fn who_may_log_in_is_as_strict_as_configured() {
        let answer = |strict, id: &str, password| people(strict).0.refuse_login(&login(id), password).map(|it| it.0);
        let (wrong, nobody) = (Some(Refusal::WrongPassword), Some(Refusal::NoSuchAgent));
        for (strict, id, password, refusal) in [
            (AgentsStrict::Any, "9", None, None),
            (AgentsStrict::Any, "9", Some("x"), None),
            (AgentsStrict::Any, "1", None, None),
            (AgentsStrict::Any, "1", Some("x"), wrong),
            (AgentsStrict::Known, "9", None, nobody),
            (AgentsStrict::Known, "2", None, None),
            (AgentsStrict::Known, "1", Some(""), None),
            (AgentsStrict::Password, "9", Some("canary"), nobody),
            (AgentsStrict::Password, "1", None, wrong),
            (AgentsStrict::Password, "1", Some(""), wrong),
            (AgentsStrict::Password, "1", Some("canar"), wrong),
            (AgentsStrict::Password, "1", Some("canary"), None),
            (AgentsStrict::Password, "2", Some("x"), wrong),
        ] {
            assert_eq!(answer(strict, id, password), refusal, "{strict:?} {id} {password:?}");
        }
    }

    #[test]
    fn only_a_configured_password_is_one() {
        let (people, _dir) = people(AgentsStrict::Any);
        assert!(people.is_password("1", "canary"));
        for (id, given) in [("1", "canar"), ("1", ""), ("2", ""), ("2", "x"), ("9", "canary")] {
            assert!(!people.is_password(id, given), "{id} {given}");
        }
    }

    #[test]
    fn no_password_prints() {
        let (people, _dir) = people(AgentsStrict::Password);
        let (_, why) = people.refuse_login(&login("1"), Some("sparrow")).unwrap();
        assert!(!why.contains("canary") && !why.contains("sparrow"));
        assert!(!format!("{people:?}").contains("canary"));
    }
}
