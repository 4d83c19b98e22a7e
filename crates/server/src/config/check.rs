//! What types cannot say about the configuration: names, addresses, limits that must fit together.

use std::collections::BTreeSet;
use std::fmt;

use super::check_boxed;
use super::people::{Agent, AgentsStrict};
use super::settings::{Asterisk, Config, LogSettings, Tenant};
use crate::log::LogConfig;

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Which key.
    pub key: String,
    /// What is wrong.
    pub wrong: String,
    /// What would be right.
    pub right: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}; right would be: {}", self.key, self.wrong, self.right)
    }
}

const NAME_CHARS_MAX: usize = 64;
/// The form of names, in words.
pub(crate) const NAME_FORM: &str = "1 to 64 of a-z A-Z 0-9 . _ - without a dot first";

/// Everything that is wrong; nothing when all is right.
pub(super) fn check(config: &Config) -> Vec<Problem> {
    let mut problems = Problems(Vec::new());
    for (index, name) in config.dialects.iter().enumerate() {
        if cordboard_dialects::find(name).is_none() {
            let known: Vec<&str> = cordboard_dialects::DIALECTS.iter().map(|dialect| dialect.name).collect();
            problems.add(format!("dialects[{index}]"), "there is no such vocabulary", known.join(", "));
        }
    }
    let distinct: BTreeSet<String> = config.dialects.iter().map(|name| name.to_lowercase()).collect();
    if distinct.len() < config.dialects.len() {
        problems.add("dialects".to_owned(), "a vocabulary is named twice", "each once");
    }
    limits(config, &mut problems);
    let (mut names, mut issuers) = (BTreeSet::new(), BTreeSet::new());
    for (index, it) in config.tenant.iter().enumerate() {
        let key = format!("tenant[{index}]");
        name(&key, &it.name, &mut names, &mut problems);
        tenant(&key, it, &mut problems);
        let mut providers = BTreeSet::new();
        for (index, it) in it.identity_provider.iter().enumerate() {
            let key = format!("{key}.identity_provider[{index}]");
            name(&key, &it.name, &mut providers, &mut problems);
            it.check(&key, &mut issuers, &mut problems);
        }
    }
    problems.0
}

/// Whether a name can be a folder and a part of keys.
#[must_use]
pub(crate) fn is_name(name: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    !name.is_empty() && name.len() <= NAME_CHARS_MAX && !name.starts_with('.') && name.chars().all(allowed)
}

#[derive(Default)]
pub(super) struct Problems(Vec<Problem>);

impl Problems {
    #[cfg(test)]
    pub(super) fn into_keys(self) -> Vec<String> {
        self.0.into_iter().map(|problem| problem.key).collect()
    }

    pub(super) fn add(&mut self, key: String, wrong: impl Into<String>, right: impl Into<String>) {
        self.0.push(Problem { key, wrong: wrong.into(), right: right.into() });
    }

    pub(super) fn at_least(&mut self, key: &str, value: u64, least: u64) {
        if value < least {
            self.add(key.to_owned(), format!("it is {value}"), format!("{least} or more"));
        }
    }

    pub(super) fn at_most(&mut self, key: &str, value: u64, most: u64) {
        if value > most {
            self.add(key.to_owned(), format!("it is {value}"), format!("{most} or less"));
        }
    }
}

fn limits(config: &Config, problems: &mut Problems) {
    let (http, log, engine, requests) = (&config.http, &config.log, &config.engine, &config.requests);
    for (key, value, least) in [
        ("http.connections_max", http.connections_max as u64, 1),
        ("http.request_ms_max", http.request_ms_max, 100),
        ("http.request_bytes_max", http.request_bytes_max as u64, 8_192),
        ("http.readers_max", http.readers_max as u64, 1),
        ("http.stream_heartbeat_ms", http.stream_heartbeat_ms, 100),
        ("http.stream_write_ms_max", http.stream_write_ms_max, 100),
        ("http.tail_bytes_max", http.tail_bytes_max as u64, 65_536),
        ("http.history_readers_max", http.history_readers_max as u64, 1),
        ("log.snapshot_events", log.snapshot_events, 100),
        ("log.checkpoints_max", log.checkpoints_max as u64, 2),
        ("log.retain_s", log.retain_s, 1),
        ("engine.inputs_max", engine.inputs_max as u64, 1),
        ("engine.batch_inputs_max", engine.batch_inputs_max as u64, 1),
        ("engine.request_ms_max", engine.request_ms_max, 100),
        ("engine.orders_max", engine.orders_max as u64, 1),
        ("requests.body_bytes_max", requests.body_bytes_max as u64, 1_024),
        ("requests.body_ms_max", requests.body_ms_max, 100),
        ("requests.per_second_max", u64::from(requests.per_second_max), 1),
        ("requests.in_flight_max", u64::from(requests.in_flight_max), 1),
        ("requests.token_per_second_max", u64::from(requests.token_per_second_max), 1),
        ("requests.token_in_flight_max", u64::from(requests.token_in_flight_max), 1),
        ("requests.tenant_in_flight_max", requests.tenant_in_flight_max as u64, 1),
        ("requests.connections_max", requests.connections_max as u64, 1),
        ("requests.registrations_max", requests.registrations_max as u64, 1),
        ("requests.answer_bytes_max", requests.answer_bytes_max as u64, 4_096),
    ] {
        problems.at_least(key, value, least);
    }
    config.identity.check(problems);
    config.rte.check(problems);
    config.topics.check(problems);
    config.kafka_groups.check(problems);
    config.kafka.check(problems);
    config.kafka_listener.check(problems);
    config.rest.check(problems);
    if let Err(error) = log.limits().validate() {
        problems.add("log".to_owned(), error.to_string(), "see `cordboard default-config`");
    }
}

impl LogSettings {
    /// The limits of a log as the log wants them.
    #[must_use]
    pub fn limits(&self) -> LogConfig {
        LogConfig {
            segment_bytes_max: self.segment_bytes_max,
            log_bytes_max: self.log_bytes_max,
            log_age_s_max: self.log_age_s_max,
            tail_bytes_max: self.tail_bytes_max,
            record_bytes_max: self.record_bytes_max,
            pending_bytes_max: self.pending_bytes_max,
            group_window_us: self.group_window_us,
        }
    }
}

fn name(key: &str, value: &str, names: &mut BTreeSet<String>, problems: &mut Problems) {
    let key = format!("{key}.name");
    if !is_name(value) {
        problems.add(key, format!("{value:?} cannot be a name"), NAME_FORM);
    } else if !names.insert(value.to_ascii_lowercase()) {
        problems.add(key, format!("{value:?} is taken"), "a name of its own, capitals or not");
    }
}

fn tenant(key: &str, tenant: &Tenant, problems: &mut Problems) {
    let mut names = BTreeSet::new();
    for (index, it) in tenant.asterisk.iter().enumerate() {
        let key = format!("{key}.asterisk[{index}]");
        name(&key, &it.name, &mut names, problems);
        asterisk(&key, it, problems);
    }
    for (index, it) in tenant.boxed.iter().enumerate() {
        let key = format!("{key}.boxed[{index}]");
        name(&key, &it.name, &mut names, problems);
        check_boxed::check(&key, it, problems);
    }
    let mut names = BTreeSet::new();
    for (index, it) in tenant.team.iter().enumerate() {
        name(&format!("{key}.team[{index}]"), &it.name, &mut names, problems);
    }
    let mut ids = BTreeSet::new();
    for (index, it) in tenant.agent.iter().enumerate() {
        agent(&format!("{key}.agent[{index}]"), it, tenant.agents_strict, &mut ids, problems);
    }
    directory(key, tenant, problems);
}

/// What is written into the directory: everything has a name and an id of its own, and what is named is there.
fn directory(key: &str, tenant: &Tenant, problems: &mut Problems) {
    let queues = tenant.queue.iter().map(|it| ("queue", &it.name));
    let lists = tenant.call_list.iter().map(|it| ("call_list", &it.name));
    let mut names = BTreeSet::new();
    for (index, (kind, name)) in queues.enumerate().chain(lists.enumerate()) {
        let key = format!("{key}.{kind}[{index}].name");
        if !check_boxed::is_number(name) {
            problems.add(key, format!("{name:?} is no name"), check_boxed::NUMBER_FORM);
        } else if !names.insert((kind, name)) {
            problems.add(key, format!("{name:?} is taken"), "each once");
        }
    }
    for (index, it) in tenant.queue.iter().enumerate() {
        let list = it.overflow_list.as_ref();
        if let Some(list) = list.filter(|list| tenant.call_list.iter().all(|known| known.name != **list)) {
            let key = format!("{key}.queue[{index}].overflow_list");
            problems.add(key, format!("there is no call list {list:?}"), "the name of a [[tenant.call_list]]");
        }
    }
    let guids = tenant.agent.iter().map(|it| ("agent", it.guid)).enumerate();
    let guids = guids.chain(tenant.queue.iter().map(|it| ("queue", it.guid)).enumerate());
    let guids = guids.chain(tenant.call_list.iter().map(|it| ("call_list", it.guid)).enumerate());
    let mut taken = BTreeSet::new();
    for (index, (kind, guid)) in guids {
        if let Some(guid) = guid.filter(|guid| !taken.insert(*guid)) {
            problems.add(format!("{key}.{kind}[{index}].guid"), format!("{guid} is taken"), "an id of its own");
        }
    }
}

fn agent<'c>(key: &str, agent: &'c Agent, strict: AgentsStrict, ids: &mut BTreeSet<&'c str>, problems: &mut Problems) {
    if !check_boxed::is_number(&agent.id) {
        problems.add(format!("{key}.id"), format!("{:?} is no id", agent.id), check_boxed::NUMBER_FORM);
    } else if !ids.insert(&agent.id) {
        problems.add(format!("{key}.id"), format!("{:?} is taken", agent.id), "an id of its own");
    }
    match (agent.find_password(), strict) {
        (Err(error), _) => {
            problems.add(format!("{key}.password_file"), error.to_string(), "the file or variable with the password");
        }
        (Ok(None), AgentsStrict::Password) => {
            let wrong = "there is no password, and agents_strict asks for one";
            problems.add(format!("{key}.password_file"), wrong, "`password_file` or `password_env`");
        }
        (Ok(_), _) => {}
    }
}

fn asterisk(key: &str, asterisk: &Asterisk, problems: &mut Problems) {
    let port = asterisk.address.rsplit_once(':').filter(|(host, _)| !host.is_empty());
    if port.and_then(|(_, port)| port.parse::<u16>().ok()).is_none_or(|port| port == 0) {
        let wrong = format!("{:?} is no address", asterisk.address);
        problems.add(format!("{key}.address"), wrong, "host and port, as \"pbx.example.org:5038\"");
    }
    if asterisk.user.is_empty() || asterisk.user.contains(char::is_control) {
        problems.add(format!("{key}.user"), "it is empty, or has control characters", "the user in manager.conf");
    }
    if let Err(error) = asterisk.find_secret() {
        problems.add(format!("{key}.secret"), error.to_string(), "the secret in manager.conf");
    }
    orders(key, asterisk, problems);
    problems.at_least(&format!("{key}.heartbeat_ms"), asterisk.heartbeat_ms, 100);
    problems.at_least(&format!("{key}.backoff_ms_min"), asterisk.backoff_ms_min, 10);
    problems.at_least(&format!("{key}.connect_ms_max"), asterisk.connect_ms_max, 100);
    if asterisk.silence_ms_max < asterisk.heartbeat_ms.saturating_mul(2) {
        let wrong = format!("{} is less than two heartbeats", asterisk.silence_ms_max);
        problems.add(format!("{key}.silence_ms_max"), wrong, format!("{} or more", asterisk.heartbeat_ms * 2));
    }
    if asterisk.backoff_ms_max < asterisk.backoff_ms_min {
        let wrong = format!("{} is less than backoff_ms_min", asterisk.backoff_ms_max);
        problems.add(format!("{key}.backoff_ms_max"), wrong, format!("{} or more", asterisk.backoff_ms_min));
    }
}

/// What requests are carried out by.
fn orders(key: &str, asterisk: &Asterisk, problems: &mut Problems) {
    let (telephone, form) = (&asterisk.telephone, "as \"PJSIP/{device}\" or \"Local/{device}@telephones\"");
    if !telephone.contains("{device}") || !telephone.contains('/') || telephone.contains([',', '&', '\r', '\n']) {
        problems.add(format!("{key}.telephone"), format!("{telephone:?} cannot be dialled"), form);
    }
    let word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    for (name, value, may_be_empty) in [
        ("dial_context", &asterisk.dial_context, false),
        ("conference_context", &asterisk.conference_context, true),
        ("parking_context", &asterisk.parking_context, false),
        ("mailbox_context", &asterisk.mailbox_context, false),
        ("recording_format", &asterisk.recording_format, false),
    ] {
        if !(value.chars().all(word) && (may_be_empty || !value.is_empty())) {
            problems.add(format!("{key}.{name}"), format!("{value:?} is no name"), "letters, digits, - _ and .");
        }
    }
    let code = &asterisk.conference_code;
    if code.is_empty() || !code.chars().all(|c| c.is_ascii_digit() || matches!(c, '*' | '#' | 'A'..='D')) {
        problems.add(format!("{key}.conference_code"), format!("{code:?} cannot be keyed in"), "digits, * and #");
    }
    problems.at_least(&format!("{key}.originate_ms"), asterisk.originate_ms, 1_000);
    problems.at_least(&format!("{key}.effect_ms"), asterisk.effect_ms, 100);
    problems.at_least(&format!("{key}.order_ms_max"), asterisk.order_ms_max, asterisk.originate_ms);
    problems.at_least(&format!("{key}.orders_open_max"), asterisk.orders_open_max as u64, 1);
    problems.at_least(&format!("{key}.tones_max"), asterisk.tones_max as u64, 1);
}

#[cfg(test)]
mod tests {
    use super::*;
    use cordboard_core::Guid;

    use crate::config::{Queue, SecretText};

    fn good() -> Config {
        let asterisk = Asterisk {
            name: "pbx".into(),
            address: "[::1]:5038".into(),
            user: "cordboard".into(),
            secret: Some(SecretText::new("s")),
            ..Asterisk::default()
        };
        let acme = Tenant { name: "acme".into(), asterisk: vec![asterisk], ..Tenant::default() };
        Config { tenant: vec![acme], ..Config::default() }
    }

    fn keys(change: impl FnOnce(&mut Config)) -> Vec<String> {
        let mut config = good();
        change(&mut config);
        check(&config).into_iter().map(|problem| problem.key).collect()
    }

    #[test]
    fn a_good_configuration_has_no_problem() {
        assert_eq!(check(&good()), []);
        assert_eq!(check(&Config::default()), []);
    }

    #[test]
    fn every_problem_is_found_at_its_key() {
        assert_eq!(keys(|it| it.tenant[0].name = "a/b".into()), ["tenant[0].name"]);
        assert_eq!(keys(|it| it.tenant.push(Tenant { name: "ACME".into(), ..Tenant::default() })), ["tenant[1].name"]);
        assert_eq!(keys(|it| it.tenant[0].asterisk[0].address = "pbx".into()), ["tenant[0].asterisk[0].address"]);
        assert_eq!(keys(|it| it.tenant[0].asterisk[0].secret = None), ["tenant[0].asterisk[0].secret"]);
        assert_eq!(keys(|it| it.tenant[0].asterisk[0].silence_ms_max = 1), ["tenant[0].asterisk[0].silence_ms_max"]);
        assert_eq!(keys(|it| it.tenant[0].asterisk[0].user = "a\r\nb".into()), ["tenant[0].asterisk[0].user"]);
        assert_eq!(keys(|it| it.tenant[0].asterisk[0].telephone = "1001".into()), ["tenant[0].asterisk[0].telephone"]);
        let context = |it: &mut Config| it.tenant[0].asterisk[0].dial_context = "a\r\nb".into();
        assert_eq!(keys(context), ["tenant[0].asterisk[0].dial_context"]);
        assert_eq!(keys(|it| it.tenant[0].asterisk[0].tones_max = 0), ["tenant[0].asterisk[0].tones_max"]);
        assert_eq!(
            keys(|it| it.dialects.push("klingon".into())),
            [format!("dialects[{}]", cordboard_dialects::DIALECTS.len())]
        );
        assert_eq!(keys(|it| it.http.readers_max = 0), ["http.readers_max"]);
        assert_eq!(keys(|it| it.rte.ping_ms = 0), ["rte.ping_ms"]);
        assert_eq!(keys(|it| it.rest.page_items_max = 0), ["rest.page_items_max"]);
        assert_eq!(keys(|it| it.rest.rte_url = "x".into()), ["rest.rte_url"]);
        assert_eq!(keys(|it| it.rte.origins = vec!["x".into()]), ["rte.origins[0]"]);
        assert_eq!(keys(|it| it.kafka_listener.advertised = "x".into()), ["kafka_listener.advertised"]);
        let open = |it: &mut Config| {
            it.kafka_listener.anonymous = true;
            it.kafka_listener.listen = ([0, 0, 0, 0], 9092).into();
        };
        assert_eq!(keys(open), ["kafka_listener.anonymous"]);
        assert_eq!(keys(|it| it.log.group_window_us = 9_999), ["log"]);
        assert_eq!(keys(|it| it.engine.request_ms_max = 1), ["engine.request_ms_max"]);
        let pbx = || crate::config::Boxed { name: "PBX".into(), ..Default::default() };
        assert_eq!(keys(|it| it.tenant[0].boxed.push(pbx())), ["tenant[0].boxed[0].name"]);
        let agent = |id: &str| Agent { id: id.into(), ..Agent::default() };
        assert_eq!(keys(|it| it.tenant[0].agent = vec![agent("1"), agent("1")]), ["tenant[0].agent[1].id"]);
        let queue = |name: &str| Queue { name: name.into(), ..Queue::default() };
        assert_eq!(keys(|it| it.tenant[0].queue = vec![queue("a"), queue("a")]), ["tenant[0].queue[1].name"]);
        let late =
            |it: &mut Config| it.tenant[0].queue = vec![Queue { overflow_list: Some("late".into()), ..queue("a") }];
        assert_eq!(keys(late), ["tenant[0].queue[0].overflow_list"]);
        let same = |it: &mut Config| {
            let guid = Some(Guid(1));
            it.tenant[0].agent = vec![Agent { guid, ..agent("1") }];
            it.tenant[0].queue = vec![Queue { guid, ..queue("a") }];
        };
        assert_eq!(keys(same), ["tenant[0].queue[0].guid"]);
        assert_eq!(
            keys(|it| {
                it.tenant[0].agents_strict = AgentsStrict::Password;
                it.tenant[0].agent = vec![agent("1")];
            }),
            ["tenant[0].agent[0].password_file"]
        );
    }

    #[test]
    fn names_can_be_folders() {
        assert!(["a", "acme-1", "A.b_c"].into_iter().all(is_name));
        assert!(["", ".", "..", ".a", "a/b", "a b", "ä", &"x".repeat(65)].into_iter().all(|name| !is_name(name)));
    }
}
