//! Rules of the house that no compiler keeps.

#![expect(clippy::panic, reason = "a test fails by panicking")]

use std::path::{Path, PathBuf};

/// Files longer than the rule, each with its length; the list may only shrink.
const LONGER: [(&str, usize); 0] = [];

const LINES_MAX: usize = 600;

/// Words of vendors that the core must not know, in lower case.
const VENDOR_WORDS: [&str; 9] =
    ["asterisk", "freeswitch", "genesys", "enreach", "alibaba", "signalr", "linkedid", "uniqueid", "pjsip"];

#[test]
fn no_file_is_too_long() {
    let mut long = Vec::new();
    for path in sources("crates") {
        let lines = text(&path).lines().count();
        let name = path.to_string_lossy().into_owned();
        let allowed = LONGER.iter().find(|(file, _)| name.ends_with(file)).map_or(LINES_MAX, |(_, lines)| *lines);
        if lines > allowed {
            long.push(format!("{name}: {lines} lines, at most {allowed}"));
        }
    }
    assert!(long.is_empty(), "{long:#?}");
}

#[test]
fn the_core_knows_no_vendor() {
    let mut known = Vec::new();
    for path in sources("crates/core/src") {
        let text = text(&path).to_lowercase();
        known.extend(
            VENDOR_WORDS.iter().filter(|word| text.contains(**word)).map(|word| format!("{}: {word}", path.display())),
        );
    }
    assert!(known.is_empty(), "{known:#?}");
}

#[test]
fn switches_dialects_and_signalr_touch_nothing() {
    let mut touched = Vec::new();
    for path in ["switches", "dialects", "signalr"].into_iter().flat_map(|part| sources(&format!("crates/{part}/src")))
    {
        for (number, line) in text(&path).lines().enumerate() {
            let code = line.split("//").next().unwrap_or_default();
            if ["std::net", "std::fs", "std::thread", "std::time", "std::env", "tokio"]
                .iter()
                .any(|word| code.contains(word))
            {
                touched.push(format!("{}:{}: {line}", path.display(), number + 1));
            }
        }
    }
    assert!(touched.is_empty(), "{touched:#?}");
}

#[test]
fn the_world_stands_behind_no_lock() {
    let locked: Vec<PathBuf> = sources("crates/server/src")
        .into_iter()
        .filter(|path| {
            ["Mutex<World", "RwLock<World", "Arc<Mutex<Box<World"].iter().any(|word| text(path).contains(word))
        })
        .collect();
    assert!(locked.is_empty(), "{locked:?}");
}

#[test]
fn only_the_clock_reads_time() {
    let readers: Vec<PathBuf> = sources("crates/server/src")
        .into_iter()
        .filter(|path| text(path).contains("SystemTime::now") && !path.ends_with("clock.rs"))
        .collect();
    assert!(readers.is_empty(), "{readers:?}");
}

fn sources(folder: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display())) {
            let path = entry.unwrap_or_else(|error| panic!("{}: {error}", folder.display())).path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(path);
            }
        }
    }
    assert!(!found.is_empty(), "no sources in {folder}");
    found
}

fn text(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
