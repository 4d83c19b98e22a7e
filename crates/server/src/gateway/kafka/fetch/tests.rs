use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::task::Poll;

use kafka_protocol::messages::TopicName;
use kafka_protocol::messages::fetch_request::{FetchPartition, FetchTopic};
use kafka_protocol::protocol::StrBytes;
use tempfile::TempDir;

use super::super::shelf::{STATE, Shelf, THREAD, records};
use super::*;
use crate::config::TopicNames;

const LIMITS: FetchLimits = FetchLimits {
    wait_ms_max: 600_000,
    answer_bytes_max: 1 << 20,
    bytes_total_max: 2 << 20,
    owner_bytes_max: 2 << 20,
    batch_bytes: 1 << 16,
    reads_max: 2,
};
const OWNER: &str = "acme";
const NEVER_MS: i32 = 600_000;

/// Two tenants' stores, and the view of one of them.
struct Scene {
    shelf: Shelf,
    view: View,
    reading: Reading,
    _data: TempDir,
}

impl Scene {
    fn new(limits: FetchLimits) -> Self {
        let data = tempfile::tempdir().unwrap();
        let shelf = Shelf::open(data.path(), &["acme", "beta"], 1);
        let view = shelf.names(TopicNames::Shared).of_tenant("acme");
        Self { shelf, view, reading: Reading::new(limits), _data: data }
    }

    fn say(&mut self, topic: &str, values: &[&str]) {
        let records: Vec<_> = values.iter().map(|value| (1, "key", *value)).collect();
        self.shelf.say("acme", topic, &records);
    }

    async fn fetch(&self, request: &FetchRequest) -> Fetched {
        self.reading.fetch(&OWNER.into(), &self.view, request).await
    }
}

fn part(topic: &'static str, fetch_offset: i64) -> FetchTopic {
    let partition = FetchPartition::default()
        .with_fetch_offset(fetch_offset)
        .with_current_leader_epoch(-1)
        .with_partition_max_bytes(1 << 20);
    let topic = TopicName(StrBytes::from_static_str(topic));
    FetchTopic::default().with_topic(topic).with_partitions(vec![partition])
}

fn request(max_wait_ms: i32, topics: Vec<FetchTopic>) -> FetchRequest {
    let request = FetchRequest::default().with_max_wait_ms(max_wait_ms).with_min_bytes(1).with_max_bytes(1 << 20);
    request.with_topics(topics)
}

/// Of each partition the error and the values.
fn told(fetched: &Fetched) -> Vec<(i16, Vec<String>)> {
    let value = |record: cordboard_kafka::batch::Record| String::from_utf8(record.value.unwrap().to_vec()).unwrap();
    let partition =
        |it: &PartitionData| (it.error_code, records(it.records.as_ref().unwrap()).into_iter().map(value).collect());
    fetched.answer.responses.iter().flat_map(|topic| &topic.partitions).map(partition).collect()
}

fn of(values: &[&str]) -> (i16, Vec<String>) {
    (0, values.iter().map(|value| (*value).to_owned()).collect())
}

/// Whether it goes on waiting, after everything that could happen by itself has happened.
async fn waits<F: Future>(mut future: Pin<&mut F>) -> bool {
    for _ in 0..50 {
        if !is_pending(future.as_mut()).await {
            return false;
        }
        tokio::task::yield_now().await;
    }
    true
}

async fn is_pending<F: Future>(mut future: Pin<&mut F>) -> bool {
    poll_fn(|context| Poll::Ready(future.as_mut().poll(context).is_pending())).await
}

#[tokio::test]
async fn records_are_given_from_the_offset_on_with_their_bounds() {
    let mut scene = Scene::new(LIMITS);
    scene.say(THREAD, &["a", "b"]);
    scene.say(THREAD, &["c"]);
    let fetched = scene.fetch(&request(0, vec![part(THREAD, 0), part(STATE, 0)])).await;
    assert_eq!(told(&fetched), [of(&["a", "b", "c"]), of(&[])]);
    let partition = &fetched.answer.responses[0].partitions[0];
    assert_eq!((partition.high_watermark, partition.last_stable_offset, partition.log_start_offset), (3, 3, 0));
    // A batch is whole: clients pass over what comes before their offset.
    assert_eq!(told(&scene.fetch(&request(0, vec![part(THREAD, 1)])).await), [of(&["a", "b", "c"])]);
    assert_eq!(told(&scene.fetch(&request(0, vec![part(THREAD, 2)])).await), [of(&["c"])]);
    assert_eq!(told(&scene.fetch(&request(0, vec![part(THREAD, 3)])).await), [of(&[])]);
}

#[tokio::test]
async fn what_cannot_be_read_is_said_at_once() {
    let mut scene = Scene::new(LIMITS);
    scene.say(THREAD, &["a"]);
    let of_epoch = |epoch| {
        let mut topic = part(THREAD, 0);
        topic.partitions[0].current_leader_epoch = epoch;
        topic
    };
    let of_partition = |index| {
        let mut topic = part(THREAD, 0);
        topic.partitions[0].partition = index;
        topic
    };
    for (topic, error) in [
        (part(THREAD, 2), ResponseError::OffsetOutOfRange),
        (part(THREAD, -1), ResponseError::OffsetOutOfRange),
        (part(THREAD, i64::MIN), ResponseError::OffsetOutOfRange),
        (part(THREAD, i64::MAX), ResponseError::OffsetOutOfRange),
        (part("beta.voice-callthread", 0), ResponseError::UnknownTopicOrPartition),
        (of_partition(1), ResponseError::UnknownTopicOrPartition),
        (of_partition(-1), ResponseError::UnknownTopicOrPartition),
        (of_epoch(1), ResponseError::UnknownLeaderEpoch),
        (of_epoch(-2), ResponseError::FencedLeaderEpoch),
    ] {
        let fetched = scene.fetch(&request(NEVER_MS, vec![part(STATE, 0), topic.clone()])).await;
        assert_eq!(told(&fetched), [of(&[]), (error.code(), Vec::new())], "{topic:?}");
    }
    let session = request(NEVER_MS, vec![part(THREAD, 0)]).with_session_id(7).with_session_epoch(3);
    assert_eq!(scene.fetch(&session).await.answer.error_code, ResponseError::FetchSessionIdNotFound.code());
    assert_eq!(told(&scene.fetch(&request(NEVER_MS, Vec::new())).await), []);
}

#[tokio::test]
async fn a_reader_that_has_everything_waits_for_what_comes() {
    let owner: Arc<str> = OWNER.into();
    let mut scene = Scene::new(LIMITS);
    scene.say(THREAD, &["a"]);
    let reading = Reading::new(LIMITS);
    let (view, wanted) = (scene.view.clone(), request(NEVER_MS, vec![part(THREAD, 1), part(STATE, 0)]));
    let mut fetch = pin!(reading.fetch(&owner, &view, &wanted));
    assert!(waits(fetch.as_mut()).await);
    // Another tenant's records wake nobody here.
    scene.shelf.say("beta", THREAD, &[(1, "key", "not ours")]);
    assert!(waits(fetch.as_mut()).await);
    scene.say(STATE, &["b"]);
    assert_eq!(told(&fetch.await), [of(&[]), of(&["b"])]);
}

#[tokio::test]
async fn as_much_is_waited_for_as_is_wanted_and_nothing_read_twice() {
    let owner: Arc<str> = OWNER.into();
    let mut scene = Scene::new(LIMITS);
    let reading = Reading::new(LIMITS);
    let (view, mut wanted) = (scene.view.clone(), request(NEVER_MS, vec![part(THREAD, 0)]));
    wanted.min_bytes = 200;
    let mut fetch = pin!(reading.fetch(&owner, &view, &wanted));
    // Each is a batch of somewhat more than 61 bytes.
    for value in ["a", "b", "c"] {
        assert!(waits(fetch.as_mut()).await);
        scene.say(THREAD, &[value]);
    }
    assert_eq!(told(&fetch.await), [of(&["a", "b", "c"])]);
    // Or until the time is over.
    let short = wanted.clone().with_max_wait_ms(1).with_min_bytes(1_000);
    assert_eq!(told(&reading.fetch(&owner, &view, &short).await), [of(&["a", "b", "c"])]);
    // More than may be given at all is not waited for.
    let little = wanted.clone().with_min_bytes(1_000).with_max_bytes(100);
    assert_eq!(told(&reading.fetch(&owner, &view, &little).await), [of(&["a"])]);
}

#[tokio::test]
async fn the_first_batch_is_given_however_little_is_asked_for_and_others_only_where_they_fit() {
    let mut scene = Scene::new(LIMITS);
    let long = "x".repeat(500);
    scene.say(THREAD, &[&long]);
    scene.say(THREAD, &[&long]);
    scene.say(STATE, &["a"]);
    let both = || vec![part(THREAD, 0), part(STATE, 0)];
    let small = |bytes| request(0, both()).with_max_bytes(bytes);
    for bytes in [0, 1, -1, 100, 700] {
        let fetched = scene.fetch(&small(bytes)).await;
        let found = told(&fetched);
        assert_eq!(found[0], of(&[&long]), "{bytes}");
        assert_eq!(found[1].1.len(), usize::from(bytes == 700), "{bytes}");
    }
    // Of a partition that is asked for by its own limit, too.
    let mut wanted = request(0, both());
    wanted.topics[0].partitions[0].partition_max_bytes = 1;
    wanted.topics[1].partitions[0].partition_max_bytes = 1;
    assert_eq!(told(&scene.fetch(&wanted).await), [of(&[&long]), of(&[])]);
    wanted.topics.swap(0, 1);
    assert_eq!(told(&scene.fetch(&wanted).await), [of(&["a"]), of(&[])]);
}

#[tokio::test]
async fn no_partition_keeps_another_from_its_turn() {
    let mut scene = Scene::new(LIMITS);
    for _ in 0..100 {
        scene.say(THREAD, &[&"x".repeat(1_000)]);
    }
    scene.say(STATE, &["a"]);
    let wanted = request(0, vec![part(THREAD, 0), part(STATE, 0)]).with_max_bytes(20_000);
    let found = told(&scene.fetch(&wanted).await);
    assert!(found[0].1.len() >= 5, "{found:?}");
    assert_eq!(found[1], of(&["a"]));
}

#[tokio::test]
async fn what_is_not_sent_yet_takes_room_from_others() {
    let owner: Arc<str> = OWNER.into();
    let room = 1 << 16;
    let mut scene = Scene::new(FetchLimits { bytes_total_max: room, ..LIMITS });
    for _ in 0..80 {
        scene.say(THREAD, &[&"x".repeat(1_000)]);
    }
    let first = scene.fetch(&request(0, vec![part(THREAD, 0)])).await;
    let bytes = first.answer.responses[0].partitions[0].records.as_ref().unwrap().len();
    assert!(bytes <= room && bytes > room / 2, "{bytes}");
    let wanted = request(0, vec![part(THREAD, 1)]);
    let mut second = pin!(scene.fetch(&wanted));
    assert!(waits(second.as_mut()).await);
    // Who has everything needs no room to wait.
    let mut current = pin!(scene.reading.fetch(&owner, &scene.view, &wanted));
    assert!(waits(current.as_mut()).await);
    drop(first);
    assert!(!told(&second.await)[0].1.is_empty());
    assert!(!told(&current.await)[0].1.is_empty());
    assert_eq!(scene.reading.memory.available_permits(), room, "all of it was given back");
}

#[tokio::test]
async fn who_takes_nothing_keeps_no_other_tenant_waiting() {
    let room = 1 << 16;
    let mut scene = Scene::new(FetchLimits { owner_bytes_max: room, ..LIMITS });
    for _ in 0..80 {
        scene.say(THREAD, &[&"x".repeat(1_000)]);
    }
    let wanted = request(0, vec![part(THREAD, 0)]);
    let _not_sent = scene.fetch(&wanted).await;
    let mut second = pin!(scene.fetch(&wanted));
    assert!(waits(second.as_mut()).await);
    // Another owner, here of the same topics.
    let other = scene.reading.fetch(&"*".into(), &scene.view, &wanted).await;
    assert!(!told(&other)[0].1.is_empty());
    assert!(waits(second.as_mut()).await);
}

#[tokio::test]
async fn a_reader_that_goes_away_leaves_nothing_behind() {
    let mut scene = Scene::new(LIMITS);
    scene.say(THREAD, &["a"]);
    {
        let wanted = request(NEVER_MS, vec![part(THREAD, 0)]).with_min_bytes(1_000);
        let mut fetch = pin!(scene.fetch(&wanted));
        // Until it has read what there is, and waits for more.
        while scene.reading.memory.available_permits() == LIMITS.bytes_total_max
            || scene.reading.threads.available_permits() < 2
        {
            assert!(is_pending(fetch.as_mut()).await);
            tokio::task::yield_now().await;
        }
        assert!(is_pending(fetch.as_mut()).await);
    }
    while scene.reading.memory.available_permits() < LIMITS.bytes_total_max {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_tenant_that_is_not_served_has_nothing_at_any_offset() {
    let owner: Arc<str> = OWNER.into();
    let scene = Scene::new(LIMITS);
    drop(scene.shelf.names(TopicNames::Shared));
    let view = scene.shelf.names_of(&["acme"], TopicNames::Shared).of_operator();
    let mut wanted = request(0, vec![part(THREAD, 40)]);
    wanted.topics[0].partitions[0].partition = 1;
    let fetched = scene.reading.fetch(&owner, &view, &wanted).await;
    assert_eq!(told(&fetched), [of(&[])]);
    assert_eq!(fetched.answer.responses[0].partitions[0].high_watermark, 40);
}
