//! Settings about people: who may log in, and whom a supervisor looks after.

use std::path::PathBuf;

use cordboard_core::Guid;
use serde::{Deserialize, Serialize};

use super::settings::{Doc, settings};

settings! {
    /// A team: whom tokens of the role `supervisor` may ask for.
    pub struct Team {
        /// Its name, of the same form as a tenant's.
        pub name: String = String::new(),
        /// Its agents, by id. The telephones they work at, or that are theirs below, belong to the team as well.
        pub agents: Vec<String> = Vec::new(),
        /// Its telephones, also the supervisor's own.
        pub devices: Vec<String> = Vec::new(),
        /// Its queues and route points.
        pub queues: Vec<String> = Vec::new(),
    }

    /// An agent: what is known of somebody besides what the phone systems say. Without `agents_strict`, agents need not
    /// be listed.
    pub struct Agent {
        /// The id.
        pub id: String = String::new(),
        /// A name for people.
        pub name: String = String::new(),
        /// The name to log in with at interfaces that ask for one, often an address for mail; empty for the id.
        pub login: String = String::new(),
        /// The id towards applications; without one, it follows from the tenant's name and the id above.
        pub guid: Option<Guid> = None,
        /// Telephones that are the agent's own: a token of the role `agent` may ask for them while nobody else works
        /// there, also before a login.
        pub devices: Vec<String> = Vec::new(),
        /// The file whose first line is the password. Where there is one, a login that gives a password must give this.
        pub password_file: Option<PathBuf> = None,
        /// The environment variable that holds the password; one of the two at most.
        pub password_env: Option<String> = None,
    }
}

/// Who may log in as an agent, whoever asks for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AgentsStrict {
    /// Any id.
    Any,
    /// Ids that are configured.
    Known,
    /// Ids that are configured, with their password.
    Password,
}
