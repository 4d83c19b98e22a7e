//! `serve --demo`: a tenant whose phone system is a lively centre, and accounts to look at it with.

mod pace;

use cordboard_core::Time;
use cordboard_switches::centre::{Centre, Person};
use serde_json::json;

use crate::boxed_link::BuiltIn;
use crate::config::{Agent, Boxed, CallList, Config, Queue, Team, Tenant};
use crate::tokens::{NewToken, Role, TokenError, Tokens};
use pace::Paced;

/// The tenant of the demonstration.
const TENANT: &str = "demo";
/// Its switch.
const SWITCH: &str = "house";
/// The team that everybody belongs to.
const TEAM: &str = "floor";

/// How the demonstration lives.
#[derive(Debug, Clone, Copy)]
pub struct Demo {
    /// Which life.
    pub seed: u64,
    /// How fast its clock goes: 1000 for a second a second.
    pub speed_permille: u64,
}

impl Demo {
    /// Adds the tenant of the demonstration to a configuration.
    ///
    /// # Errors
    /// Where the configuration has a tenant of that name.
    pub fn configure(config: &mut Config) -> Result<(), String> {
        if config.tenant.iter().any(|tenant| tenant.name == TENANT) {
            return Err(format!("tenant {TENANT}: it is the demonstration's; right would be another name for yours"));
        }
        let people = Centre::people();
        let agent = people.iter().map(agent).collect();
        let call_list = Centre::desks().into_iter().map(missed).collect();
        let queue = Centre::desks().into_iter().map(queue).collect();
        let devices = people.iter().map(|person| person.device.clone()).chain(Centre::experts()).collect();
        let agents = people.into_iter().map(|person| person.agent).collect();
        let team = Team { name: TEAM.to_owned(), agents, devices, queues: Centre::queues() };
        let boxed = Boxed { name: SWITCH.to_owned(), ..Boxed::default() };
        let (name, boxed, team) = (TENANT.to_owned(), vec![boxed], vec![team]);
        let tenant = Tenant { name, boxed, team, agent, queue, call_list, ..Tenant::default() };
        config.tenant.push(tenant);
        // What it tells is invented: on this machine anybody may read it by Kafka's protocol, as tools do unasked; unless
        // there is something else to be read.
        if config.tenant.len() == 1 {
            config.kafka_listener.anonymous |= config.kafka_listener.listen.ip().is_loopback();
        }
        Ok(())
    }

    /// The lively centre, where the built-in switch is the demonstration's.
    #[must_use]
    pub fn built_in(self, tenant: &Tenant, boxed: &Boxed, chance: u64) -> Option<Box<dyn BuiltIn>> {
        let is_ours = tenant.name == TENANT && boxed.name == SWITCH;
        let centre = || Box::new(Paced::new(Centre::new(SWITCH, self.seed, chance), self.speed_permille)) as _;
        is_ours.then(centre)
    }

    /// Makes the accounts anew and tells them, a line of JSON each, the most powerful last. Those of an earlier start are
    /// revoked.
    ///
    /// # Errors
    /// [`TokenError`] where tokens cannot be kept.
    pub fn accounts(tokens: &Tokens, now: Time) -> Result<Vec<String>, TokenError> {
        let known = tokens.list()?;
        for token in known.iter().filter(|token| token.tenant == TENANT && token.name.starts_with("demo ")) {
            tokens.revoke(&token.id)?;
        }
        // The first works at night.
        let agent = Centre::people().into_iter().nth(1).map(|person| person.agent).unwrap_or_default();
        [
            (agent.clone(), "agent", Role::Agent { agent }),
            ("supervisor".to_owned(), "supervisor", Role::Supervisor { team: TEAM.to_owned() }),
            ("administrator".to_owned(), "administrator", Role::Administrator),
        ]
        .into_iter()
        .map(|(user, word, role)| {
            let name = &format!("demo {word}");
            let wanted = NewToken { role: &role, tenant: TENANT, name, user: Some(&user), expires_at: None };
            let secret = tokens.create_for(&wanted, now)?;
            Ok(json!({ "user": user, "secret": secret, "role": word, "tenant": TENANT }).to_string())
        })
        .collect()
    }
}

fn agent(person: &Person) -> Agent {
    let Person { agent, name, device } = person;
    let (id, login) = (agent.clone(), format!("{agent}@{TENANT}.example"));
    Agent { id, name: name.clone(), login, devices: vec![device.clone()], ..Agent::default() }
}

fn queue((name, title): (String, String)) -> Queue {
    let overflow_list = Some(missed_of(&name));
    Queue { name, title, overflow_list, ..Queue::default() }
}

/// The call list of those who waited for a desk in vain.
fn missed((queue, title): (String, String)) -> CallList {
    let (name, title) = (missed_of(&queue), format!("Missed calls: {title}"));
    CallList { name, title, queue: Some(queue), ..CallList::default() }
}

fn missed_of(queue: &str) -> String {
    format!("missed-{queue}")
}
