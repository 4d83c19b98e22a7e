//! Topics by Kafka's protocol, read by librdkafka: who is let in, what they see, and reading from a time on.

use std::time::{Duration, Instant};

use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaResult;
use rdkafka::message::{Headers, Message, OwnedMessage};
use rdkafka::{Offset, TopicPartitionList};
use serde_json::{Value, json};

use crate::client::{self, PATIENCE};
use crate::process::Cordboard;

const STATE: &str = "voice-agentstate";
/// How long to wait for what is not to come.
const LITTLE: Duration = Duration::from_millis(1_500);

/// A server with one tenant, or with a second one that has no telephones of its own.
fn server(listener: &str, more_tenants: &str) -> Cordboard {
    let cordboard = Cordboard::boxed(&format!("[kafka_listener]\nlisten = \"127.0.0.1:0\"\n{listener}"), "");
    let text = std::fs::read_to_string(cordboard.config()).unwrap();
    std::fs::write(cordboard.config(), text + more_tenants).unwrap();
    cordboard.started()
}

const BETA: &str = "[[tenant]]\nname = \"beta\"\n[[tenant.boxed]]\nname = \"box\"\noutside_prefix = \"+\"\n\
                    [[tenant.boxed.extension]]\nnumber = \"2001\"\n";

fn consumer(cordboard: &Cordboard, login: Option<(&str, &str)>) -> BaseConsumer {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", cordboard.kafka.to_string()).set("group.id", "test");
    config.set("enable.auto.commit", "false").set("enable.partition.eof", "false");
    config.set("reconnect.backoff.ms", "50").set("reconnect.backoff.max.ms", "200");
    if let Some((user, secret)) = login {
        config.set("security.protocol", "SASL_PLAINTEXT").set("sasl.mechanism", "PLAIN");
        config.set("sasl.username", user).set("sasl.password", secret);
    }
    config.create().unwrap()
}

/// The topics that are seen, with their partitions.
fn topics(consumer: &BaseConsumer, patience: Duration) -> KafkaResult<Vec<(String, usize)>> {
    let metadata = consumer.fetch_metadata(None, patience)?;
    let mut all: Vec<_> = metadata.topics().iter().map(|it| (it.name().to_owned(), it.partitions().len())).collect();
    all.sort();
    Ok(all)
}

fn assign(consumer: &BaseConsumer, topic: &str, partitions: i32, offset: Offset) {
    let mut all = TopicPartitionList::new();
    for partition in 0..partitions {
        all.add_partition_offset(topic, partition, offset).unwrap();
    }
    consumer.assign(&all).unwrap();
}

/// Records up to the first that is the one wanted, which is the last of them.
fn read(consumer: &BaseConsumer, is_wanted: impl Fn(&OwnedMessage) -> bool) -> Vec<OwnedMessage> {
    let (mut all, begun) = (Vec::new(), Instant::now());
    while !all.last().is_some_and(&is_wanted) {
        assert!(begun.elapsed() < PATIENCE, "{all:?}");
        match consumer.poll(Duration::from_millis(100)) {
            Some(Ok(message)) => all.push(message.detach()),
            Some(Err(error)) => panic!("{error}"),
            None => {}
        }
    }
    all
}

/// The first record about this agent.
fn about(consumer: &BaseConsumer, agent: &str) -> OwnedMessage {
    read(consumer, |message| value(message)["AgentID"] == agent).pop().unwrap()
}

/// What a client is told, within a while, that is not let in.
fn refusal(consumer: &BaseConsumer) -> String {
    let begun = Instant::now();
    loop {
        assert!(begun.elapsed() < PATIENCE);
        if let Some(Err(error)) = consumer.poll(Duration::from_millis(100)) {
            return error.to_string();
        }
    }
}

fn value(message: &OwnedMessage) -> Value {
    serde_json::from_slice(message.payload().unwrap()).unwrap()
}

fn header(message: &OwnedMessage, name: &str) -> String {
    let found = message.headers().unwrap().iter().find(|it| it.key == name).unwrap();
    String::from_utf8(found.value.unwrap().to_vec()).unwrap()
}

/// Lets somebody log in at a telephone, which is told on the topic of agents.
fn log_in(cordboard: &Cordboard, token: &str, agent: u32) {
    let request = json!({"request": "TAgentLogin", "ThisDN": format!("100{agent}"), "AgentID": format!("800{agent}")});
    let (status, answer) = cordboard.ask(token, &request);
    assert_eq!((status, &answer["error"]), (200, &Value::Null), "{answer}");
}

#[test]
fn a_tenant_reads_its_own_topics_and_the_operator_all() {
    let cordboard = server("", BETA);
    let (acme, beta) = (cordboard.token("acme"), cordboard.token("beta"));
    let operator = cordboard.operator_token();
    let by = |token: &str| consumer(&cordboard, Some(("anybody", token)));
    let (own, other, all) = (by(&acme), by(&beta), by(&operator));
    let seen = topics(&own, PATIENCE).unwrap();
    assert!(seen.contains(&(STATE.to_owned(), 4)), "{seen:?}");
    assert_eq!(topics(&other, PATIENCE).unwrap(), seen);
    let twice: Vec<_> = seen.iter().map(|(name, partitions)| (name.clone(), partitions * 2)).collect();
    assert_eq!(topics(&all, PATIENCE).unwrap(), twice);

    assign(&own, STATE, 4, Offset::Beginning);
    assign(&other, STATE, 4, Offset::Beginning);
    assign(&all, STATE, 8, Offset::Beginning);
    log_in(&cordboard, &acme, 1);
    let record = about(&own, "8001");
    assert_eq!(header(&record, "tenant"), "acme");
    let of_operator = about(&all, "8001");
    assert_eq!((of_operator.key(), of_operator.payload()), (record.key(), record.payload()));
    assert_eq!(
        (of_operator.offset(), header(&of_operator, "event-id")),
        (record.offset(), header(&record, "event-id"))
    );
    let begun = Instant::now();
    while begun.elapsed() < LITTLE {
        let Some(message) = other.poll(Duration::from_millis(100)) else { continue };
        assert_eq!(header(&message.unwrap().detach(), "tenant"), "beta");
    }
    // An operator's token opens nothing else.
    for path in ["/api/v1/events?follow=false", "/api/v1/snapshot", "/token/me/rte/"] {
        assert_eq!(cordboard.get(path, &operator).status, 403, "{path}");
    }
}

#[test]
fn reading_begins_at_a_time() {
    let cordboard = server("", "");
    let token = cordboard.token("acme");
    let consumer = consumer(&cordboard, Some(("reader", &token)));
    assign(&consumer, STATE, 4, Offset::Beginning);
    log_in(&cordboard, &token, 1);
    let first = about(&consumer, "8001");
    let first_ms = first.timestamp().to_millis().unwrap();
    // Times are in milliseconds.
    std::thread::sleep(Duration::from_millis(5));
    log_in(&cordboard, &token, 2);
    let second = about(&consumer, "8002");
    let second_ms = second.timestamp().to_millis().unwrap();
    assert!(second_ms > first_ms);
    let at = |ms: i64, message: &OwnedMessage| {
        let mut wanted = TopicPartitionList::new();
        wanted.add_partition_offset(STATE, message.partition(), Offset::Offset(ms)).unwrap();
        let found = consumer.offsets_for_times(wanted, PATIENCE).unwrap();
        found.elements()[0].offset()
    };
    assert_eq!(at(0, &first), Offset::Offset(0));
    let Offset::Offset(found) = at(second_ms, &second) else { panic!("nothing since {second_ms}") };
    assert!(found <= second.offset(), "{found}");
    assert_eq!(at(second_ms + 600_000, &second), Offset::End);
    let (low, high) = consumer.fetch_watermarks(STATE, first.partition(), PATIENCE).unwrap();
    assert_eq!(low, 0);
    assert!(high > first.offset());
    // Read again from there: nothing that is older comes.
    consumer.seek(STATE, second.partition(), Offset::Offset(found), PATIENCE).unwrap();
    let again =
        read(&consumer, |message| message.offset() == second.offset() && message.partition() == second.partition());
    let is_older =
        |it: &OwnedMessage| it.partition() == second.partition() && it.timestamp().to_millis() < Some(second_ms);
    assert!(!again.iter().any(is_older), "{again:?}");
    assert_eq!(again.last().unwrap().payload(), second.payload());
}

#[test]
fn who_may_not_is_told_why_and_nothing_of_it_is_in_the_log() {
    let cordboard = server("", "");
    let good = cordboard.token("acme");
    let agent = cordboard.token_for(&["--role", "agent", "--agent", "8001"]);
    let queues = cordboard.token_for(&["--grant", "see-queues"]);
    let events = cordboard.token_for(&["--grant", "events"]);
    let canary = "canary-of-a-client-that-guesses";
    let last = if good.ends_with('0') { '1' } else { '0' };
    let forged = format!("{}{last}", &good[..good.len() - 1]);
    for secret in [canary, &forged, &agent, &queues] {
        let consumer = consumer(&cordboard, Some(("somebody", secret)));
        refusal(&consumer);
        assert!(topics(&consumer, LITTLE).is_err());
    }
    assert!(!topics(&consumer(&cordboard, Some(("somebody", &events))), PATIENCE).unwrap().is_empty());
    // Without a login, nothing but how to log in is answered.
    assert!(topics(&consumer(&cordboard, None), LITTLE).is_err());
    let metrics = client::get(cordboard.address, "/metrics", &[]).unwrap().text();
    assert!(metrics.contains("cordboard_kafka_connections_closed_total{reason=\"not_logged_in\"}"), "{metrics}");
    let log = cordboard.log();
    for secret in [canary, &forged, &good, &agent, &queues, &events] {
        assert!(!log.contains(secret.trim_start_matches("cordboard_")), "{secret}");
    }
    for why in ["right would be one that `cordboard token create` made", "or a service granted events"] {
        assert!(log.contains(why), "{why}: {log}");
    }
}

#[test]
fn a_token_that_is_revoked_reads_nothing_more() {
    let cordboard = server("fetch_ms_max = 100\n", "");
    let (kept, token) = (cordboard.token("acme"), cordboard.token_for(&["--administrator"]));
    let consumer = consumer(&cordboard, Some(("reader", &token)));
    assign(&consumer, STATE, 4, Offset::Beginning);
    log_in(&cordboard, &kept, 1);
    about(&consumer, "8001");
    let list = String::from_utf8(cordboard.run(&["token", "list", "--config"]).stdout).unwrap();
    let id = list.lines().find(|line| line.contains("administrator")).unwrap().split(' ').next().unwrap().to_owned();
    assert!(cordboard.run(&["token", "revoke", &id, "--config"]).status.success());
    // The connection ends within seconds, and the next login is refused.
    refusal(&consumer);
    let begun = Instant::now();
    while !cordboard.log().contains("the token was revoked or has expired") {
        assert!(begun.elapsed() < PATIENCE, "{}", cordboard.log());
        std::thread::sleep(Duration::from_millis(50));
    }
    log_in(&cordboard, &kept, 2);
    let told = (0..20).filter_map(|_| consumer.poll(Duration::from_millis(50))).filter_map(Result::ok);
    assert_eq!(told.filter(|it| value(&it.detach())["AgentID"] == "8002").count(), 0);
}

#[test]
fn anybody_reads_everything_where_that_is_configured() {
    let cordboard = server("anonymous = true\n", BETA);
    let token = cordboard.token("acme");
    let anybody = consumer(&cordboard, None);
    let all = topics(&anybody, PATIENCE).unwrap();
    assert!(all.contains(&(STATE.to_owned(), 8)), "{all:?}");
    assign(&anybody, STATE, 8, Offset::Beginning);
    log_in(&cordboard, &token, 1);
    assert_eq!(header(&about(&anybody, "8001"), "tenant"), "acme");
    // Who logs in is who the token says.
    let own = topics(&consumer(&cordboard, Some(("reader", &token))), PATIENCE).unwrap();
    assert!(own.contains(&(STATE.to_owned(), 4)), "{own:?}");
}

#[test]
fn topics_are_called_after_their_tenants_where_that_is_configured() {
    let cordboard = server("[topics]\nnames = \"per_tenant\"\npartitions = 2\n", BETA);
    let (acme, operator) = (cordboard.token("acme"), cordboard.operator_token());
    let own = consumer(&cordboard, Some(("reader", &acme)));
    let names: Vec<_> = topics(&own, PATIENCE).unwrap();
    assert!(names.iter().all(|(name, partitions)| name.starts_with("acme.") && *partitions == 2), "{names:?}");
    let all = topics(&consumer(&cordboard, Some(("reader", &operator))), PATIENCE).unwrap();
    assert_eq!(all.len(), names.len() * 2);
    assign(&own, "acme.voice-agentstate", 2, Offset::Beginning);
    log_in(&cordboard, &acme, 1);
    about(&own, "8001");
    // What is another's is as if it were not.
    let metadata = own.fetch_metadata(Some("beta.voice-agentstate"), PATIENCE).unwrap();
    assert!(metadata.topics()[0].error().is_some());
}
