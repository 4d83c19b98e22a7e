//! librdkafka's consumers in groups: they share partitions, go on from what was committed, and come back after a restart.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, Instant};

use cordboard_server::config::Config;
use cordboard_server::demo::Demo;
use cordboard_server::server::Server;
use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer as _};
use rdkafka::message::Message as _;
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

/// A test that waits this long has failed.
const PATIENCE: Duration = Duration::from_secs(60);
const TOPICS: [&str; 2] = ["voice-agentstate", "voice-callthread"];
/// Partitions of both.
const PARTITIONS: usize = 8;
/// Records there are before a test begins.
const RECORDS: i64 = 400;

type Place = (String, i32);

/// The demonstration, whose clients are this process's.
struct Centre {
    runtime: tokio::runtime::Runtime,
    dir: tempfile::TempDir,
    server: Option<Server>,
    address: SocketAddr,
}

impl Centre {
    /// One that has told much already, and goes on telling.
    fn lively() -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let dir = tempfile::tempdir().unwrap();
        let server = runtime.block_on(start(dir.path(), 0));
        let address = server.kafka_address().unwrap();
        let centre = Self { runtime, dir, server: Some(server), address };
        let reader = centre.consumer("nobody", &[]);
        let begun = Instant::now();
        while ends(&reader).values().sum::<i64>() < RECORDS {
            assert!(begun.elapsed() < PATIENCE, "nothing is told");
            std::thread::sleep(Duration::from_millis(20));
        }
        centre
    }

    fn stop(&mut self) {
        self.runtime.block_on(self.server.take().unwrap().stop()).unwrap();
    }

    /// Begins again where it was, at the same address.
    fn start_again(&mut self) {
        self.server = Some(self.runtime.block_on(start(self.dir.path(), self.address.port())));
    }

    fn consumer(&self, group: &str, more: &[(&str, &str)]) -> BaseConsumer {
        let mut config = ClientConfig::new();
        let address = self.address.to_string();
        for (key, value) in [
            ("bootstrap.servers", address.as_str()),
            ("group.id", group),
            ("enable.auto.commit", "false"),
            ("auto.offset.reset", "earliest"),
            ("session.timeout.ms", "6000"),
            ("heartbeat.interval.ms", "200"),
            ("topic.metadata.refresh.interval.ms", "1000"),
            ("reconnect.backoff.max.ms", "200"),
        ]
        .iter()
        .chain(more)
        {
            config.set(*key, *value);
        }
        config.create().unwrap()
    }

    fn member(&self, group: &str, more: &[(&str, &str)]) -> BaseConsumer {
        let consumer = self.consumer(group, more);
        consumer.subscribe(&TOPICS).unwrap();
        consumer
    }
}

async fn start(dir: &Path, port: u16) -> Server {
    let mut config = Config { data: dir.to_owned(), ..Config::default() };
    config.http.listen.set_port(0);
    config.kafka_listener.listen.set_port(port);
    Demo::configure(&mut config).unwrap();
    let demo = Demo { seed: 5, speed_permille: 300_000 };
    Server::start_with(&config, &|tenant, boxed, chance| demo.built_in(tenant, boxed, chance)).await.unwrap()
}

/// The end of every partition.
fn ends(consumer: &BaseConsumer) -> BTreeMap<Place, i64> {
    let places = TOPICS.iter().flat_map(|topic| (0..4).map(move |index| ((*topic).to_owned(), index)));
    places
        .map(|(topic, index)| {
            let (_, end) = consumer.fetch_watermarks(&topic, index, PATIENCE).unwrap();
            ((topic, index), end)
        })
        .collect()
}

fn assigned(consumer: &BaseConsumer) -> BTreeSet<Place> {
    let assignment = consumer.assignment().unwrap();
    assignment.elements().iter().map(|it| (it.topic().to_owned(), it.partition())).collect()
}

/// Lets these members live until each has something and together they have everything once. What they read on the way comes
/// out, by member.
fn share(members: &[&BaseConsumer]) -> Vec<Vec<(Place, i64)>> {
    let begun = Instant::now();
    let mut read = vec![Vec::new(); members.len()];
    loop {
        for (member, read) in members.iter().zip(&mut read) {
            take(member, read);
        }
        let shares: Vec<_> = members.iter().map(|member| assigned(member)).collect();
        let all: BTreeSet<&Place> = shares.iter().flatten().collect();
        let count: usize = shares.iter().map(BTreeSet::len).sum();
        if all.len() == PARTITIONS && count == PARTITIONS && shares.iter().all(|share| !share.is_empty()) {
            return read;
        }
        assert!(begun.elapsed() < PATIENCE, "it is not shared: {shares:?}");
    }
}

/// Takes a record, if there is one.
fn take(consumer: &BaseConsumer, read: &mut Vec<(Place, i64)>) {
    match consumer.poll(Duration::from_millis(5)) {
        Some(Ok(message)) => read.push(((message.topic().to_owned(), message.partition()), message.offset())),
        // While the server is away, that is what it says.
        Some(Err(error)) => eprintln!("{error}"),
        None => {}
    }
}

/// Reads until it has passed these ends in all partitions it has.
fn read_to(consumer: &BaseConsumer, ends: &BTreeMap<Place, i64>, read: &mut Vec<(Place, i64)>) {
    let begun = Instant::now();
    let mut missing: BTreeSet<&Place> = ends.iter().filter(|(_, end)| **end > 0).map(|(place, _)| place).collect();
    while !missing.is_empty() {
        assert!(begun.elapsed() < PATIENCE, "{missing:?} are not read to their ends");
        let before = read.len();
        take(consumer, read);
        for (place, offset) in &read[before..] {
            if ends.get(place).is_some_and(|end| offset + 1 >= *end) {
                missing.remove(place);
            }
        }
    }
}

/// What was read, as a list of offsets to commit: after the last of each partition.
fn after(read: &[(Place, i64)]) -> TopicPartitionList {
    let last: BTreeMap<&Place, i64> = read.iter().map(|(place, offset)| (place, *offset)).collect();
    let mut list = TopicPartitionList::new();
    for ((topic, index), offset) in last {
        list.add_partition_offset(topic, *index, Offset::Offset(offset + 1)).unwrap();
    }
    list
}

/// The first offset read of each partition.
fn firsts(read: &[(Place, i64)]) -> BTreeMap<Place, i64> {
    read.iter().rev().map(|(place, offset)| (place.clone(), *offset)).collect()
}

fn committed(list: &TopicPartitionList) -> BTreeMap<Place, i64> {
    let offset = |offset: Offset| offset.to_raw().filter(|offset| *offset >= 0);
    let elements = list.elements();
    elements.iter().filter_map(|it| Some(((it.topic().to_owned(), it.partition()), offset(it.offset())?))).collect()
}

/// Every offset from 0 to the ends, in each partition, is among what was read.
#[track_caller]
fn check_whole(read: &[(Place, i64)], ends: &BTreeMap<Place, i64>) {
    let read: BTreeSet<_> = read.iter().cloned().collect();
    for (place, end) in ends {
        let missing: Vec<i64> = (0..*end).filter(|offset| !read.contains(&(place.clone(), *offset))).collect();
        assert!(missing.is_empty(), "{place:?}: {missing:?} of {end} are missing");
    }
}

#[test]
fn two_share_partitions_and_one_goes_on_where_the_other_committed() {
    let centre = Centre::lively();
    let (first, second) = (centre.member("g", &[]), centre.member("g", &[]));
    let early = share(&[&first, &second]);
    // As tools see it.
    let list = first.fetch_group_list(Some("g"), PATIENCE).unwrap();
    let group = &list.groups()[0];
    assert_eq!((group.state(), group.protocol_type(), group.members().len()), ("Stable", "consumer", 2));
    let until = ends(&first);
    let mine = assigned(&first);
    // What was read before it was shared, was read by whoever had it; from now on each has its own.
    let (mut of_first, mut of_second) = (Vec::new(), Vec::new());
    let own = |share: &BTreeSet<Place>| {
        until.iter().filter(|(place, _)| share.contains(*place)).map(|(place, end)| (place.clone(), end / 2)).collect()
    };
    let mut all: Vec<_> = early.concat();
    let read_before = firsts(&all);
    let unread = |ends: BTreeMap<Place, i64>| -> BTreeMap<Place, i64> {
        ends.into_iter().filter(|(place, _)| !read_before.contains_key(place)).collect()
    };
    read_to(&first, &unread(own(&mine)), &mut of_first);
    let done: Vec<_> = all.iter().chain(&of_first).filter(|(place, _)| mine.contains(place)).cloned().collect();
    let list = after(&done);
    first.commit(&list, CommitMode::Sync).unwrap();
    let kept = committed(&list);
    // What it read after that, nobody will hear of.
    drop(first);
    let second_had = assigned(&second);
    read_to(&second, &until, &mut of_second);
    assert_eq!(assigned(&second).len(), PARTITIONS);
    let mut gone_on = 0;
    for (place, offset) in firsts(&of_second) {
        if let Some(kept) = kept.get(&place).filter(|_| !second_had.contains(&place)) {
            assert_eq!(offset, *kept, "{place:?} goes on where it was committed");
            gone_on += 1;
        }
    }
    assert!(gone_on > 0, "nothing of {kept:?} was gone on with");
    all.extend(done);
    all.extend(of_second);
    check_whole(&all, &until);
}

#[test]
fn what_was_committed_is_there_after_a_restart_and_the_same_consumers_go_on() {
    let mut centre = Centre::lively();
    let consumer = centre.member("g", &[]);
    let mut read = Vec::new();
    let until = ends(&consumer);
    read_to(&consumer, &until, &mut read);
    let list = after(&read);
    consumer.commit(&list, CommitMode::Sync).unwrap();
    centre.stop();
    centre.start_again();
    // Somebody else asks.
    let asked = centre.consumer("g", &[]).committed_offsets(list.clone(), PATIENCE).unwrap();
    assert_eq!(committed(&asked), committed(&list));
    let other = centre.consumer("another", &[]).committed_offsets(list.clone(), PATIENCE).unwrap();
    assert_eq!(committed(&other), BTreeMap::new());
    // The one that was there finds itself unknown, joins again by itself and goes on without a hole.
    let later = ends(&centre.consumer("nobody", &[]));
    let more: BTreeMap<Place, i64> =
        later.into_iter().map(|(place, end)| (place.clone(), end.max(until[&place]) + 5)).collect();
    read_to(&consumer, &more, &mut read);
    check_whole(&read, &more);
    // It may read on for a while before it learns that it has to join again; until then it cannot commit.
    let begun = Instant::now();
    while consumer.commit(&after(&read), CommitMode::Sync).is_err() {
        assert!(begun.elapsed() < PATIENCE, "it does not join again");
        take(&consumer, &mut read);
    }
}

#[test]
fn a_static_member_comes_back_to_its_partitions_and_disturbs_nobody() {
    let centre = Centre::lively();
    let named = |name: &str| centre.member("g", &[("group.instance.id", name)]);
    let (first, second) = (named("i1"), named("i2"));
    share(&[&first, &second]);
    let (mine, other) = (assigned(&first), assigned(&second));
    let id = |list: &rdkafka::groups::GroupList| {
        let members = list.groups()[0].members();
        members.iter().map(|it| it.id().to_owned()).collect::<BTreeSet<_>>()
    };
    let before = id(&second.fetch_group_list(Some("g"), PATIENCE).unwrap());
    drop(first);
    let first = named("i1");
    let begun = Instant::now();
    while assigned(&first).is_empty() {
        assert!(begun.elapsed() < PATIENCE, "it has no partitions");
        take(&first, &mut Vec::new());
        take(&second, &mut Vec::new());
        assert_eq!(assigned(&second), other, "the other one was disturbed");
    }
    assert_eq!(assigned(&first), mine);
    let after = id(&second.fetch_group_list(Some("g"), PATIENCE).unwrap());
    assert_eq!(before.intersection(&after).count(), 1, "it has another member id, and the other one the same");
}

#[test]
fn cooperative_members_keep_what_they_do_not_give_away() {
    let centre = Centre::lively();
    let sticky = || centre.member("g", &[("partition.assignment.strategy", "cooperative-sticky")]);
    let first = sticky();
    share(&[&first]);
    let second = sticky();
    let begun = Instant::now();
    let mut kept = assigned(&first);
    while assigned(&second).len() < PARTITIONS / 2 {
        assert!(begun.elapsed() < PATIENCE, "the second one gets nothing");
        take(&first, &mut Vec::new());
        take(&second, &mut Vec::new());
        let now = assigned(&first);
        assert!(
            now.is_subset(&kept) && now.len() >= PARTITIONS / 2,
            "{now:?} of {kept:?}: it let go of more than it gave"
        );
        kept = now;
    }
    share(&[&first, &second]);
    drop(second);
    share(&[&first]);
    assert!(kept.is_subset(&assigned(&first)));
}
