//! Every message of every story, of stories by chance and of every recorded session, in every dialect and way of writing, against the schema
//! that is published for it. Nothing that is told may go beyond what is promised, and what is promised should be told
//! somewhere.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::collections::{BTreeMap, BTreeSet};

use cordboard_core::{Event, evolve};
use cordboard_dialects::published::{self, Published};
use cordboard_dialects::{DIALECTS, Dialect, Message, Position, Settings, Teller, schema_path};
use cordboard_server::scenario::{Player, Story, library};
use cordboard_sim::author;
use cordboard_sim::life::{founded, play, recordings, recordings_folder};
use jsonschema::Validator;

/// A picture of everything is checked after so many events, and at the end.
const PICTURE_EVERY: u64 = 50;
/// Stories by chance, besides those that are written down.
const SEEDS: u64 = 60;

/// Messages that neither stories nor recordings bring about, because programs cause them that are no part of either
/// (transcripts, recordings that were converted, links to switches that clients asked about); the first has no cause at
/// all. Where one of them comes to be told, its line goes.
const NEVER_TOLD: &[&str] = &[
    "/schemas/genesys/v1/EventTreatmentRequired.json",
    "/schemas/genesys/v1/EventPartyInfo.json",
    "/schemas/genesys/v1/EventLinkConnected.json",
    "/schemas/genesys/v1/EventLinkDisconnected.json",
    "/schemas/enreach/v1/UserCallAvailableForMonitoring.json",
    "/schemas/enreach/v1/UserCallInRecordingConverted.json",
    "/schemas/enreach/v1/UserCallOutRecordingConverted.json",
    "/schemas/enreach/v1/UserRealTimeTranscriptPhrase.json",
];

#[test]
fn everything_that_is_told_is_as_published() {
    let mut judge = Judge::new();
    for story in library::STORIES {
        judge.story(story.name, &story.text.parse().unwrap());
    }
    for seed in 0..SEEDS {
        judge.story(&format!("seed {seed}"), &author::write(seed));
    }
    for (name, recording) in recordings(&recordings_folder()).unwrap() {
        let connections: Vec<_> = recording.parts.iter().map(|part| part.tagged()).collect();
        judge.life(&name, &play(&connections).events);
    }
    println!(
        "schemas: {} messages of {} kinds, all as published",
        judge.counts.values().sum::<u64>(),
        judge.counts.len()
    );
    let untold: Vec<String> = judge.untold().collect();
    assert_eq!(untold, NEVER_TOLD);
}

struct Judge {
    validators: BTreeMap<String, Validator>,
    /// Messages by the place of their schema.
    counts: BTreeMap<String, u64>,
}

impl Judge {
    fn new() -> Self {
        let validator = |one: Published| {
            let validator = jsonschema::options().should_validate_formats(true).build(&one.schema).unwrap();
            (one.path, validator)
        };
        let validators = published::schemas().into_iter().map(validator).collect();
        Self { validators, counts: BTreeMap::new() }
    }

    fn story(&mut self, name: &str, story: &Story) {
        let (_, opening, played) = Player::play("default", story, &[]);
        let told = opening.into_iter().chain(played.into_iter().flat_map(|played| played.told));
        self.life(name, &told.map(|told| told.event).collect::<Vec<_>>());
    }

    fn life(&mut self, name: &str, events: &[Event]) {
        for dialect in DIALECTS {
            for style in dialect.styles {
                self.say(name, dialect, &(style.settings)(), events);
            }
        }
    }

    fn say(&mut self, name: &str, dialect: &'static Dialect, settings: &Settings, events: &[Event]) {
        let (mut world, mut teller) = (founded(), Teller::new(dialect));
        let mut said = Vec::new();
        for (sequence, event) in (1..).zip(events) {
            let at = Position { epoch: 1, sequence };
            evolve(&mut world, event);
            teller.say(settings, &world, at, event, &mut said);
            if sequence % PICTURE_EVERY == 0 || events.len() as u64 == sequence {
                (dialect.snapshot)(settings, &world, at, &mut said);
            }
            said.drain(..).for_each(|message| self.check(name, dialect, settings, &message));
        }
    }

    fn check(&mut self, name: &str, dialect: &Dialect, settings: &Settings, message: &Message) {
        let path = schema_path(settings, dialect, message.name);
        let validator = self.validators.get(&path).unwrap_or_else(|| panic!("{name}: nothing is published at {path}"));
        let value = serde_json::from_str(&message.value).unwrap();
        if let Some(error) = validator.iter_errors(&value).next() {
            panic!("{name}: {path}: {} at {}: {}", error, error.instance_path(), message.value);
        }
        *self.counts.entry(path).or_default() += 1;
    }

    fn untold(&self) -> impl Iterator<Item = String> {
        let told: BTreeSet<&String> = self.counts.keys().collect();
        let all = DIALECTS.iter().flat_map(|dialect| {
            let paths = (dialect.catalogue)().events.into_iter();
            paths.map(|entry| schema_path(&Settings::default(), dialect, &entry.name))
        });
        all.filter(move |path| !told.contains(path))
    }
}
