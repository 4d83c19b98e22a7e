//! `cordboard token`.

use std::fmt::Write as _;
use std::path::PathBuf;

use clap::Subcommand;

use super::{Failure, print};
use crate::clock::Clock;
use crate::config::{self, Config};
use crate::tokens::{Grant, NewToken, Role, Token, Tokens};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
    /// The configuration that says where the data directory is
    #[arg(long, value_name = "FILE", env = "CORDBOARD_CONFIG", global = true)]
    config: Option<PathBuf>,
    /// The data directory, instead of what the configuration says
    #[arg(long, value_name = "DIR", global = true)]
    data: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make a token and print it; it is shown this once and kept nowhere. A running server takes it at once
    Create {
        /// The tenant whose events it opens
        #[arg(long, required_unless_present = "operator")]
        tenant: Option<String>,
        /// What it is for
        #[arg(long, required_unless_present = "operator")]
        name: Option<String>,
        /// Instead of tenant, name and role: a token of this name for who runs this server; it reads the topics of all tenants
        /// by Kafka's protocol and opens nothing else
        #[arg(long, value_name = "NAME", conflicts_with_all = ["tenant", "name", "RoleArgs"])]
        operator: Option<String>,
        /// After how long it ends to be good, as in 12h or 90d; without it, never
        #[arg(long, value_name = "DURATION", value_parser = duration_s)]
        expires: Option<u64>,
        #[command(flatten)]
        role: RoleArgs,
    },
    /// List all tokens, without what is secret
    List,
    /// Take a token back; streams opened with it end within seconds
    Revoke {
        /// Its id, as `list` shows it
        id: String,
    },
}

#[derive(Debug, clap::Args)]
struct RoleArgs {
    /// What it may see and ask for: everything in the tenant (service, administrator), a team's, or an agent's own
    #[arg(long, value_enum, default_value_t = RoleName::Service)]
    role: RoleName,
    /// The same as `--role administrator`
    #[arg(long, conflicts_with = "role")]
    administrator: bool,
    /// What a service may see and do, instead of everything; several are several of these
    #[arg(long, value_enum, value_name = "GRANT")]
    grant: Vec<Grant>,
    /// Who in the directory it is, for those who are not agents; without it, the name given by `--name`
    #[arg(long, value_name = "NAME")]
    user: Option<String>,
    /// The id of the agent, with `--role agent`
    #[arg(long, value_name = "ID")]
    agent: Option<String>,
    /// The name of the team, with `--role supervisor`; a `[[tenant.team]]` of the configuration
    #[arg(long, value_name = "NAME")]
    team: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum RoleName {
    Service,
    Supervisor,
    Agent,
    Administrator,
}

impl RoleArgs {
    /// The role, where what belongs to it is there and nothing else.
    fn role(&self, team_is_known: impl Fn(&str) -> bool) -> Result<Role, Failure> {
        let wrong = |message: String| Err(Failure::wrong_usage(message));
        let name = if self.administrator { RoleName::Administrator } else { self.role };
        if !self.grant.is_empty() && name != RoleName::Service {
            return wrong("--grant: right would be with --role service; other roles say what they may".to_owned());
        }
        if self.user.is_some() && name == RoleName::Agent {
            return wrong("--user: an agent is known by --agent ID; leave --user out".to_owned());
        }
        match (name, &self.agent, &self.team) {
            (RoleName::Service, None, None) if self.grant.is_empty() => Ok(Role::Service),
            (RoleName::Service, None, None) => Ok(Role::Granted { grants: self.grant.iter().copied().collect() }),
            (RoleName::Administrator, None, None) => Ok(Role::Administrator),
            (RoleName::Agent, Some(agent), None) if !agent.is_empty() => Ok(Role::Agent { agent: agent.clone() }),
            (RoleName::Supervisor, None, Some(team)) if team_is_known(team) => {
                Ok(Role::Supervisor { team: team.clone() })
            }
            (RoleName::Supervisor, None, Some(team)) => wrong(format!(
                "--team: the tenant has no team {team:?}; right would be a [[tenant.team]] of the configuration"
            )),
            (RoleName::Service, _, _) => {
                wrong("--role: a service has no --agent and no --team; leave them out, or give the role".to_owned())
            }
            (RoleName::Administrator, _, _) => {
                wrong("--role administrator: right would be without --agent and --team".to_owned())
            }
            (RoleName::Agent, _, _) => wrong("--role agent: right would be with --agent ID, without --team".to_owned()),
            (RoleName::Supervisor, _, _) => {
                wrong("--role supervisor: right would be with --team NAME, without --agent".to_owned())
            }
        }
    }
}

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    let config = config::load(args.config.as_deref()).map_err(Failure::wrong_usage)?;
    let tokens = Tokens::new(args.data.as_ref().unwrap_or(&config.data));
    let now = Clock::default().now();
    match &args.command {
        Command::Create { tenant, name, operator, expires, role } => {
            let expires_at = expires.map(|seconds| now.plus_ms(seconds.saturating_mul(1_000)));
            let (tenant, name, user, role) = match (operator, tenant, name) {
                (Some(name), _, _) => ("", name, None, Role::Operator),
                (None, Some(tenant), Some(name)) => {
                    is_tenant(tenant, &config, args.config.is_some())?;
                    let of = config.tenant.iter().find(|known| known.name == *tenant);
                    let knows = |team: &str| of.is_none_or(|of| of.team.iter().any(|known| known.name == *team));
                    (&**tenant, name, role.user.as_deref(), role.role(knows)?)
                }
                (None, _, _) => {
                    let message = "right would be --tenant NAME and --name NAME, or --operator NAME";
                    return Err(Failure::wrong_usage(message));
                }
            };
            let wanted = NewToken { role: &role, tenant, name, user, expires_at };
            let text = tokens.create_for(&wanted, now).map_err(Failure::failed)?;
            print(&format!("{text}\n"))
        }
        Command::List => {
            let mut lines = format!(
                "{:<12}  {:<20}  {:<24}  {:<20}  {:<20}  {}\n",
                "ID", "TENANT", "NAME", "CREATED", "EXPIRES", "ROLE"
            );
            for token in tokens.list().map_err(Failure::failed)?.iter() {
                let created = super::tail::date_time(token.created_at);
                let mut expires = token.expires_at.map_or_else(|| "never".to_owned(), super::tail::date_time);
                if token.is_expired(now) {
                    expires.push_str(" (expired)");
                }
                let (id, tenant, name) = (&token.id, shown_tenant(token), &token.name);
                let user = token.user.as_deref().map(|user| format!(", as {user}")).unwrap_or_default();
                let role = format!("{}{user}", token.role);
                _ = writeln!(lines, "{id:<12}  {tenant:<20}  {name:<24}  {created:<20}  {expires:<20}  {role}");
            }
            print(&lines)
        }
        Command::Revoke { id } => {
            let token = tokens.revoke(id).map_err(Failure::failed)?;
            print(&format!("revoked {} ({}) of tenant {}\n", token.id, token.name, shown_tenant(&token)))
        }
    }
}

/// Refuses what is no tenant's name, and where there is a configuration, what is none of its tenants.
fn is_tenant(tenant: &str, config: &Config, is_configured: bool) -> Result<(), Failure> {
    if !config::is_name(tenant) {
        let message = format!("--tenant: {tenant:?} cannot be a tenant; right would be {}", config::NAME_FORM);
        return Err(Failure::wrong_usage(message));
    }
    if is_configured && !config.tenant.iter().any(|known| known.name == *tenant) {
        let known: Vec<&str> = config.tenant.iter().map(|known| &*known.name).collect();
        let message = format!("--tenant: {tenant:?} is not configured; right would be one of: {}", known.join(", "));
        return Err(Failure::wrong_usage(message));
    }
    Ok(())
}

fn shown_tenant(token: &Token) -> &str {
    if token.role == Role::Operator { "(all)" } else { &token.tenant }
}

/// Seconds of a duration like `30m`.
fn duration_s(text: &str) -> Result<u64, String> {
    let wrong = || "right would be a number and s, m, h, d or w, as in 90d".to_owned();
    let (number, unit) = text.split_at_checked(text.len().saturating_sub(1)).ok_or_else(wrong)?;
    let unit_s = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3_600,
        "d" => 86_400,
        "w" => 604_800,
        _ => return Err(wrong()),
    };
    let number: u64 = number.parse().map_err(|_| wrong())?;
    number.checked_mul(unit_s).filter(|seconds| *seconds > 0 && *seconds <= MAX_S).ok_or_else(wrong)
}

/// A hundred years: more is a slip of the finger.
const MAX_S: u64 = 100 * 366 * 86_400;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_units() {
        assert_eq!(duration_s("90d"), Ok(7_776_000));
        assert_eq!(duration_s("30m"), Ok(1_800));
        for wrong in ["", "d", "90", "1.5h", "-1d", "0s", "9999999999999w", "ä"] {
            assert!(duration_s(wrong).is_err(), "{wrong}");
        }
    }
}
