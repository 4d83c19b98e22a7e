//! Reading recorded AMI sessions: the two kept here, and the full set of the repository where it is checked out.

use std::fs;
use std::path::{Path, PathBuf};

use cordboard_switches::asterisk::recorded::SentActions;
use serde_json::Value;

/// One recorded connection.
pub(crate) struct Connection {
    /// `<folder>/<file>`.
    pub(crate) name: String,
    /// The bytes received.
    pub(crate) raw: Vec<u8>,
    /// The same, cut by an independent program.
    pub(crate) messages: Vec<Line>,
    /// What was sent.
    pub(crate) sent: SentActions,
}

/// One line of `ami.jsonl`.
pub(crate) struct Line {
    pub(crate) at_ms: u64,
    pub(crate) banner: Option<String>,
    pub(crate) headers: Vec<(String, String)>,
}

/// Every connection of the recordings kept in this crate.
pub(crate) fn kept_here() -> Vec<Connection> {
    read_all(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/recordings"))
}

/// The same and those of the repository's full set.
pub(crate) fn connections() -> Vec<Connection> {
    let full = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../recordings/asterisk");
    let mut connections = kept_here();
    if full.is_dir() {
        connections.extend(read_all(&full));
    }
    connections
}

fn read_all(folder: &Path) -> Vec<Connection> {
    let mut raws: Vec<PathBuf> = sorted(folder).iter().filter(|it| it.is_dir()).flat_map(|it| sorted(it)).collect();
    raws.retain(|path| path.extension().is_some_and(|extension| extension == "raw"));
    raws.iter().map(|raw| read(raw)).collect()
}

fn read(raw: &Path) -> Connection {
    let folder = raw.parent().unwrap();
    let file = raw.file_name().unwrap().to_str().unwrap();
    let number: u64 = file.split('.').nth(1).and_then(|part| part.parse().ok()).unwrap_or(1);
    let mut sent = SentActions::new();
    for action in jsonl(&folder.join("sent.jsonl")).iter().filter(|action| action["conn"] == number) {
        let at_ms = action["at_ms"].as_u64().unwrap();
        match action["raw"].as_str() {
            Some(text) => sent.push_raw(at_ms, text),
            None => sent.push_headers(at_ms, headers(action)),
        }
    }
    let line = |line: &Value| Line {
        at_ms: line["at_ms"].as_u64().unwrap(),
        banner: line["banner"].as_str().map(str::to_owned),
        headers: headers(line),
    };
    Connection {
        name: format!("{}/{file}", folder.file_name().unwrap().to_str().unwrap()),
        raw: fs::read(raw).unwrap(),
        messages: jsonl(&raw.with_extension("jsonl")).iter().map(line).collect(),
        sent,
    }
}

fn headers(line: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    line["headers"].as_array().unwrap().iter().map(|pair| (text(&pair[0]), text(&pair[1]))).collect()
}

fn jsonl(path: &Path) -> Vec<Value> {
    fs::read_to_string(path).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn sorted(folder: &Path) -> Vec<PathBuf> {
    let mut paths: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}
