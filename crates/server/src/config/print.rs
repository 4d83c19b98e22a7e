//! The commented file that `cordboard default-config` prints, made of the settings themselves.

use std::fmt::Write as _;

use super::boxed::{Boxed, BoxedAgent, BoxedExtension, BoxedQueue, BoxedRingGroup};
use super::directory::{CallList, Queue};
use super::identity::{Identity, IdentityProvider};
use super::kafka::Kafka;
use super::kafka_groups::KafkaGroups;
use super::kafka_listener::KafkaListener;
use super::people::{Agent, Team};
use super::rest::Rest;
use super::rte::Rte;
use super::settings::{Asterisk, Config, Doc, Engine, Enreach, Genesys, Http, LogSettings, Requests, Tenant};
use super::topics::Topics;

/// Columns of a line.
const WIDTH_CHARS: usize = 110;

/// The default configuration as a file with comments, and a tenant to fill in.
#[must_use]
pub fn default_config() -> String {
    let mut out = String::new();
    let config = table(&Config::default());
    comment(&mut out, "", Config::TITLE);
    out.push('\n');
    for doc in Config::DOCS.iter().filter(|doc| !config.get(doc.key).is_none_or(is_section)) {
        entry(&mut out, "", doc, config.get(doc.key));
    }
    for (name, title, docs) in [
        ("http", Http::TITLE, Http::DOCS),
        ("log", LogSettings::TITLE, LogSettings::DOCS),
        ("engine", Engine::TITLE, Engine::DOCS),
        ("requests", Requests::TITLE, Requests::DOCS),
        ("identity", Identity::TITLE, Identity::DOCS),
        ("rte", Rte::TITLE, Rte::DOCS),
        ("rest", Rest::TITLE, Rest::DOCS),
        ("topics", Topics::TITLE, Topics::DOCS),
        ("kafka_groups", KafkaGroups::TITLE, KafkaGroups::DOCS),
        ("kafka", Kafka::TITLE, Kafka::DOCS),
        ("kafka_listener", KafkaListener::TITLE, KafkaListener::DOCS),
        ("enreach", Enreach::TITLE, Enreach::DOCS),
        ("genesys", Genesys::TITLE, Genesys::DOCS),
    ] {
        comment(&mut out, "", title);
        _ = writeln!(out, "[{name}]\n");
        let section = config.get(name).and_then(toml::Value::as_table);
        for doc in docs {
            entry(&mut out, "", doc, section.and_then(|section| section.get(doc.key)));
        }
    }
    example(&mut out);
    out
}

/// A tenant as it could be, commented out.
fn example(out: &mut String) {
    let tenant = Tenant { name: "acme".to_owned(), ..Tenant::default() };
    let asterisk = Asterisk {
        name: "pbx-1".to_owned(),
        address: "127.0.0.1:5038".to_owned(),
        user: "cordboard".to_owned(),
        secret_file: Some("/etc/cordboard/pbx-1.secret".into()),
        ..Asterisk::default()
    };
    for (head, title, docs, table) in [
        ("[[tenant]]", Tenant::TITLE, Tenant::DOCS, table(&tenant)),
        ("[[tenant.asterisk]]", Asterisk::TITLE, Asterisk::DOCS, table(&asterisk)),
    ] {
        part(out, head, title, docs, &table);
    }
    example_switch(out);
    let team = Team { name: "sales".to_owned(), agents: vec!["8001".to_owned()], ..Team::default() };
    let agent = Agent { id: "8001".to_owned(), devices: vec!["1001".to_owned()], ..Agent::default() };
    part(out, "[[tenant.team]]", Team::TITLE, Team::DOCS, &table(&team));
    part(out, "[[tenant.agent]]", Agent::TITLE, Agent::DOCS, &table(&agent));
    let queue = Queue { name: "6001".to_owned(), overflow_list: Some("missed".to_owned()), ..Queue::default() };
    let list = CallList { name: "missed".to_owned(), queue: Some("6001".to_owned()), ..CallList::default() };
    part(out, "[[tenant.queue]]", Queue::TITLE, Queue::DOCS, &table(&queue));
    part(out, "[[tenant.call_list]]", CallList::TITLE, CallList::DOCS, &table(&list));
    let provider = IdentityProvider {
        name: "sso".to_owned(),
        issuer: "https://id.example.org/".to_owned(),
        audience: "cordboard".to_owned(),
        jwks_url: Some("https://id.example.org/keys".to_owned()),
        ..IdentityProvider::default()
    };
    let (title, docs) = (IdentityProvider::TITLE, IdentityProvider::DOCS);
    part(out, "[[tenant.identity_provider]]", title, docs, &table(&provider));
}

fn example_switch(out: &mut String) {
    let boxed = Boxed { name: "box".to_owned(), outside_prefix: Some("+".to_owned()), ..Boxed::default() };
    let extension = BoxedExtension { number: "1001-1010".to_owned(), ..BoxedExtension::default() };
    let queue = BoxedQueue { number: "6001".to_owned(), ..BoxedQueue::default() };
    let members = vec!["1001".to_owned(), "1002".to_owned()];
    let group = BoxedRingGroup { number: "6100".to_owned(), members };
    let agent = BoxedAgent {
        id: "8001-8010".to_owned(),
        device: Some("1001-1010".to_owned()),
        queues: vec!["6001".to_owned()],
        ..BoxedAgent::default()
    };
    for (head, title, docs, table) in [
        ("[[tenant.boxed]]", Boxed::TITLE, Boxed::DOCS, table(&boxed)),
        ("[[tenant.boxed.extension]]", BoxedExtension::TITLE, BoxedExtension::DOCS, table(&extension)),
        ("[[tenant.boxed.acd_queue]]", BoxedQueue::TITLE, BoxedQueue::DOCS, table(&queue)),
        ("[[tenant.boxed.ring_group]]", BoxedRingGroup::TITLE, BoxedRingGroup::DOCS, table(&group)),
        ("[[tenant.boxed.agent]]", BoxedAgent::TITLE, BoxedAgent::DOCS, table(&agent)),
    ] {
        part(out, head, title, docs, &table);
    }
}

fn part(out: &mut String, head: &str, title: &[&str], docs: &[Doc], table: &toml::Table) {
    comment(out, "", title);
    _ = writeln!(out, "#{head}\n");
    for doc in docs.iter().filter(|doc| !SECTIONS.contains(&doc.key)) {
        entry(out, "#", doc, table.get(doc.key));
    }
}

/// Keys that are parts of their own.
const SECTIONS: [&str; 10] = [
    "asterisk",
    "boxed",
    "team",
    "agent",
    "queue",
    "identity_provider",
    "call_list",
    "extension",
    "acd_queue",
    "ring_group",
];

fn table(settings: &impl serde::Serialize) -> toml::Table {
    // Settings are made of what TOML knows; the test that reads the printed file back would tell otherwise.
    toml::Table::try_from(settings).unwrap_or_default()
}

fn is_section(value: &toml::Value) -> bool {
    let tables = |list: &Vec<toml::Value>| list.is_empty() || list.iter().all(toml::Value::is_table);
    value.is_table() || value.as_array().is_some_and(tables)
}

fn entry(out: &mut String, lead: &str, doc: &Doc, value: Option<&toml::Value>) {
    comment(out, lead, doc.text);
    match value {
        Some(value) => _ = writeln!(out, "{lead}{} = {value}\n", doc.key),
        None => _ = writeln!(out, "#{} =\n", doc.key),
    }
}

/// Words of documentation, wrapped anew.
fn comment(out: &mut String, lead: &str, text: &[&str]) {
    let mut line = format!("{lead}#");
    let begin = line.len();
    for word in text.iter().flat_map(|line| line.split_whitespace()) {
        if line.len() > begin && line.chars().count() + 1 + word.chars().count() > WIDTH_CHARS {
            _ = writeln!(out, "{line}");
            line.truncate(begin);
        }
        _ = write!(line, " {word}");
    }
    _ = writeln!(out, "{line}");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::load;

    fn read_back(text: &str) -> Config {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("cordboard.toml");
        std::fs::write(&file, text).unwrap();
        load(Some(&file)).unwrap()
    }

    #[test]
    fn the_printed_file_is_the_default() {
        assert_eq!(read_back(&default_config()), Config::default());
    }

    #[test]
    fn every_key_is_in_the_printed_file_with_a_comment() {
        let text = default_config();
        let settings = [
            Http::DOCS,
            LogSettings::DOCS,
            Engine::DOCS,
            Requests::DOCS,
            Identity::DOCS,
            Rte::DOCS,
            Kafka::DOCS,
            Rest::DOCS,
            Topics::DOCS,
            KafkaListener::DOCS,
            Enreach::DOCS,
            Genesys::DOCS,
        ];
        let tenants = [
            Tenant::DOCS,
            Asterisk::DOCS,
            Team::DOCS,
            Agent::DOCS,
            IdentityProvider::DOCS,
            Queue::DOCS,
            CallList::DOCS,
            Boxed::DOCS,
        ];
        let boxes = [BoxedExtension::DOCS, BoxedQueue::DOCS, BoxedRingGroup::DOCS, BoxedAgent::DOCS];
        let docs = settings.into_iter().chain(tenants).chain(boxes).flatten();
        for doc in docs.filter(|doc| !SECTIONS.contains(&doc.key)) {
            let line =
                text.lines().position(|line| line.trim_start_matches('#').starts_with(&format!("{} =", doc.key)));
            let before = line.and_then(|line| text.lines().nth(line - 1)).unwrap_or_default();
            assert!(before.trim_start_matches('#').starts_with(' '), "{}: {before:?}", doc.key);
        }
    }

    #[test]
    fn the_example_works_when_its_comment_signs_are_taken_away() {
        let dir = tempfile::tempdir().unwrap();
        let secret = dir.path().join("secret");
        std::fs::write(&secret, "s").unwrap();
        let text = default_config().replace("/etc/cordboard/pbx-1.secret", &secret.display().to_string());
        let uncommented: Vec<&str> = text
            .lines()
            .map(|line| {
                line.strip_prefix('#')
                    .filter(|rest| !rest.starts_with([' ', '#']) && !rest.ends_with(" ="))
                    .unwrap_or(line)
            })
            .collect();
        let config = read_back(&uncommented.join("\n"));
        assert_eq!(config.tenant[0].name, "acme");
        assert_eq!(config.tenant[0].asterisk[0].silence_ms_max, Asterisk::default().silence_ms_max);
        assert_eq!(config.tenant[0].asterisk[0].find_secret().unwrap().reveal(), "s");
        assert_eq!(config.tenant[0].boxed[0].agent[0].queues, ["6001"]);
        assert_eq!(config.tenant[0].team[0].name, "sales");
    }
}
