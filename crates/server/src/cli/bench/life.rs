//! A store of topics full of what a lively centre says.

use std::sync::Arc;

use cordboard_core::{Input, Time, World, decide, evolve};
use cordboard_dialects::{DIALECTS, Dialect, Message, Position, Settings};
use cordboard_kafka::batch::NewRecord;
use cordboard_switches::centre::Centre;
use cordboard_switches::{Output, Switch};

use crate::cli::Failure;
use crate::clock::Clock;
use crate::log::disk::RealDisk;
use crate::topics::{self, Topic, TopicLimits, TopicStore};

/// How long ago the centre began to live: Kafka takes no records from the future.
const AGO_US: u64 = 3_600_000_000;
/// Messages that are lived; more are the same again with other ids and times.
const LIVED: usize = 20_000;
/// Records that are written together.
const AT_ONCE: u64 = 8_192;

/// What a store was filled with.
pub(super) struct Filled {
    pub(super) store: TopicStore,
    /// Bytes of keys, values and headers.
    pub(super) bytes: u64,
}

/// Fills a store with so many records of all topics.
pub(super) fn fill(dir: &std::path::Path, tenant: &str, partitions: u32, records: u64) -> Result<Filled, Failure> {
    let telling: Vec<(&Dialect, &str)> =
        DIALECTS.iter().flat_map(|dialect| dialect.topics.iter().map(move |topic| (*dialect, *topic))).collect();
    let topics: Vec<Topic> = telling.iter().map(|(_, name)| Topic { name: (*name).to_owned(), partitions }).collect();
    let (mut writer, store) =
        topics::open(Arc::new(RealDisk), dir, &topics, TopicLimits::default(), 1).map_err(Failure::failed)?;
    let begun = Time(Clock::default().now().0.saturating_sub(AGO_US));
    let lived = live(tenant, &telling, begun);
    let (mut bytes, mut written) = (0, 0u64);
    for (topic, message) in lived.iter().cycle().take(usize::try_from(records).unwrap_or(usize::MAX)) {
        written += 1;
        let (position, id) = (format!("1-{written}"), uuid::Uuid::from_u128(u128::from(written) << 64 | 1).to_string());
        let schema = format!("http://127.0.0.1:8080/schemas/{}.json", message.name);
        let headers = [
            ("tenant", tenant.as_bytes()),
            ("position", position.as_bytes()),
            ("event-id", id.as_bytes()),
            ("origin", b"live"),
            ("schema", schema.as_bytes()),
        ];
        let (key, value) = (message.key.as_bytes(), message.value.as_bytes());
        bytes += key.len() + value.len() + headers.iter().map(|(name, value)| name.len() + value.len()).sum::<usize>();
        let timestamp_ms = i64::try_from((begun.0 + written) / 1_000).unwrap_or(i64::MAX);
        writer.append(*topic, &NewRecord { timestamp_ms, key, value, headers: &headers });
        if written.is_multiple_of(AT_ONCE) || written == records {
            let upto = crate::log::Position { epoch: 1, sequence: written };
            writer.commit(upto).map_err(Failure::failed)?;
        }
    }
    writer.close().map_err(Failure::failed)?;
    Ok(Filled { store, bytes: bytes as u64 })
}

/// What a centre says on these topics, for a while.
fn live(tenant: &str, telling: &[(&'static Dialect, &'static str)], begun: Time) -> Vec<(u32, Message)> {
    let (mut world, mut lived, mut messages, mut sequence) = (World::default(), Vec::new(), Vec::new(), 0);
    let mut take = |input: &Input, lived: &mut Vec<(u32, Message)>| {
        for event in decide(&world, input) {
            evolve(&mut world, &event);
            sequence += 1;
            for dialect in DIALECTS {
                (dialect.project)(&Settings::default(), &world, Position { epoch: 1, sequence }, &event, &mut messages);
            }
            for message in messages.drain(..) {
                if let Some(((_, _), topic)) = telling.iter().zip(0..).find(|((_, name), _)| *name == message.channel) {
                    lived.push((topic, message));
                }
            }
        }
    };
    take(&Input::Found { tenant: tenant.to_owned(), at: begun }, &mut lived);
    let (mut centre, mut now) = (Centre::new("house", 1, 1), begun);
    while lived.len() < LIVED {
        centre.handle_timeout(now);
        while let Some(output) = centre.poll_output() {
            if let Output::Observed(observation) = output {
                take(&Input::Observed(observation), &mut lived);
            }
        }
        now = centre.poll_timeout().unwrap_or_else(|| now.plus_ms(1_000));
    }
    lived
}
