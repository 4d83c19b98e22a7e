//! What is told of each story in each dialect, its picture, and the table of the program.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;

use cordboard_dialects::DIALECTS;
use cordboard_server::scenario::{Player, expected, ladder, library};

use crate::folder::{compare, root, stories};

const TENANT: &str = "default";

#[test]
fn what_is_told_is_what_is_committed() {
    let mut different = Vec::new();
    for (name, story) in stories() {
        let (_, opening, played) = Player::play(TENANT, &story, DIALECTS);
        for (place, dialect) in DIALECTS.iter().enumerate() {
            let file = root().join("scenarios").join(&name).join(format!("{}.txt", dialect.name));
            compare(&file, &expected::text(&story, &opening, &played, place), &mut different);
        }
    }
    assert!(
        different.is_empty(),
        "told otherwise than committed (UPDATE=1 writes, then read the diff): {different:#?}"
    );
}

#[test]
fn every_story_is_drawn() {
    let genesys = DIALECTS.iter().position(|dialect| dialect.name == "genesys").unwrap();
    let (mut different, mut pages) = (Vec::new(), BTreeSet::from(["README.md".to_string()]));
    let mut index = INDEX.to_string();
    let docs = root().join("docs/call-models");
    for (name, story) in stories() {
        let (_, _, played) = Player::play(TENANT, &story, DIALECTS);
        let page = format!("{name}.md");
        compare(&docs.join(&page), &ladder::page(&name, &story, &played, genesys), &mut different);
        _ = writeln!(index, "| [{name}]({page}) | {} |", story.title());
        pages.insert(page);
    }
    compare(&docs.join("README.md"), &index, &mut different);
    for entry in fs::read_dir(&docs).unwrap() {
        let file = entry.unwrap().file_name().to_string_lossy().into_owned();
        if !pages.contains(&file) {
            different.push(format!("docs/call-models/{file} is of no story"));
        }
    }
    assert!(different.is_empty(), "drawn otherwise than committed (UPDATE=1 writes): {different:#?}");
}

#[test]
fn every_story_comes_with_the_program() {
    let mut table = TABLE.to_string();
    for (name, _) in stories() {
        let path = format!("../../../../../scenarios/{name}/story.txt");
        _ = writeln!(table, "    Entry {{ name: \"{name}\", text: include_str!(\"{path}\") }},");
    }
    table.push_str("];\n");
    let mut different = Vec::new();
    compare(&root().join("crates/server/src/scenario/library/table.rs"), &table, &mut different);
    assert!(different.is_empty(), "the table lists other stories than the folder holds (UPDATE=1 writes it)");
    if std::env::var_os("UPDATE").is_none() {
        assert!(library::STORIES.iter().all(|entry| library::find(entry.name) == Some(entry.text)));
    }
}

const INDEX: &str = "\
# Call models

Who asks for what, and which events are told on which number: every story of [scenarios/](../../scenarios/README.md) as
a sequence diagram. Arrows with a full line are requests of clients, arrows with a broken line are people and networks;
notes are Genesys events, with their call state where it says something. Written by
`UPDATE=1 cargo test -p cordboard-sim --test scenarios`.

| story | what it is about |
|---|---|
";

const TABLE: &str = "\
//! Every folder of `scenarios/`. Written by `UPDATE=1 cargo test -p cordboard-sim --test scenarios`.

use super::Entry;

/// Every story, by name.
#[rustfmt::skip]
pub const STORIES: &[Entry] = &[
";
