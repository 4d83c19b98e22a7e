//! Everything derived from the code is committed and compared: catalogues and JSON Schemas of every dialect, and of each
//! published schema a fingerprint of what it allows.
//! `UPDATE=1 cargo test -p cordboard-dialects` rewrites them; read the difference before you commit it.
#![expect(clippy::unwrap_used, reason = "what is not as expected fails the test")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use cordboard_dialects::published::schemas;
use cordboard_dialects::{DIALECTS, Settings};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

fn committed(path: &Path, derived: &Value) {
    let text = format!("{}\n", serde_json::to_string_pretty(derived).unwrap());
    if std::env::var_os("UPDATE").is_some() {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, &text).unwrap();
    }
    let found = fs::read_to_string(path).unwrap_or_default();
    assert!(found == text, "{} is not what the code says; UPDATE=1 rewrites it", path.display());
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn catalogues_are_committed() {
    for dialect in DIALECTS {
        let derived = serde_json::to_value((dialect.catalogue)()).unwrap();
        committed(&root().join(format!("catalogues/{}.json", dialect.name)), &derived);
    }
}

/// What stands at a place allows the same for ever: records that were written years ago point at it.
#[test]
fn what_a_published_schema_allows_never_changes() {
    let file = root().join("schemas/published.txt");
    let mut kept: BTreeMap<String, String> = fs::read_to_string(&file)
        .unwrap_or_default()
        .lines()
        .filter_map(|line| line.split_once(' '))
        .map(|(path, print)| (path.to_owned(), print.to_owned()))
        .collect();
    let mut wrong = Vec::new();
    let published: BTreeMap<String, String> =
        schemas().into_iter().map(|one| (one.path, fingerprint(&one.schema))).collect();
    for (path, print) in &published {
        match kept.get(path) {
            Some(kept) if kept == print => {}
            Some(_) => wrong.push(format!(
                "the schema {path} changed: raise `version` of its dialect, and keep the text of the old one; where this \
                 version was in no release yet, take its line out of {} and run with UPDATE=1",
                file.display()
            )),
            None if std::env::var_os("UPDATE").is_some() => {
                kept.insert(path.clone(), print.clone());
            }
            None => wrong.push(format!("the schema {path} is new; UPDATE=1 writes it down")),
        }
    }
    let gone = kept.keys().filter(|path| !published.contains_key(*path));
    wrong.extend(gone.map(|path| format!("{path} was published and is no more: what was written by it points there")));
    assert!(wrong.is_empty(), "{wrong:#?}");
    let lines: String = kept.iter().map(|(path, print)| format!("{path} {print}\n")).collect();
    if std::env::var_os("UPDATE").is_some() {
        fs::write(&file, &lines).unwrap();
    }
    assert!(fs::read_to_string(&file).unwrap_or_default() == lines, "{} is not in order", file.display());
}

#[test]
fn a_fingerprint_is_of_what_is_allowed_and_not_of_what_is_said_of_it() {
    let one = json!({"title": "a", "properties": {"title": {"type": "string", "description": "x"}, "b": {}}});
    let reworded = json!({"properties": {"b": {}, "title": {"description": "y", "type": "string"}}, "title": "c"});
    let other = json!({"properties": {"b": {}}, "title": "c"});
    assert_eq!(fingerprint(&one), fingerprint(&reworded));
    assert_ne!(fingerprint(&one), fingerprint(&other));
}

fn fingerprint(schema: &Value) -> String {
    let print = Sha256::digest(meaning(schema).to_string());
    print.iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

/// A schema without what is only said of it, its members in order.
fn meaning(schema: &Value) -> Value {
    const SAID: [&str; 5] = ["$id", "$comment", "title", "description", "default"];
    const NAMES: [&str; 3] = ["properties", "patternProperties", "$defs"];
    match schema {
        Value::Object(members) => {
            let mut kept = BTreeMap::new();
            for (name, value) in members.iter().filter(|(name, _)| !SAID.contains(&name.as_str())) {
                let named = value.as_object().filter(|_| NAMES.contains(&name.as_str()));
                let named = named.map(|named| named.iter().map(|(name, it)| (name, meaning(it))));
                let value = match named {
                    Some(named) => json!(named.collect::<BTreeMap<_, _>>()),
                    None => meaning(value),
                };
                kept.insert(name, value);
            }
            json!(kept)
        }
        Value::Array(items) => items.iter().map(meaning).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => schema.clone(),
    }
}

#[test]
fn schemas_are_committed_and_no_others() {
    for dialect in DIALECTS {
        let folder = root().join("schemas").join(dialect.name);
        let mut names: Vec<String> = Vec::new();
        let catalogue = (dialect.catalogue)();
        let events = catalogue.events.iter().map(|entry| &entry.name);
        for name in events.chain(catalogue.requests.iter().map(|entry| &entry.name)) {
            let schema = (dialect.schema)(&Settings::default(), name).unwrap();
            assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
            committed(&folder.join(format!("{name}.json")), &schema);
            names.push(format!("{name}.json"));
        }
        for file in fs::read_dir(&folder).unwrap() {
            let name = file.unwrap().file_name().into_string().unwrap();
            assert!(names.contains(&name), "{name} in {} belongs to no message", folder.display());
        }
    }
}
