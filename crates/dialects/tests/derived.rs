//! Everything derived from the code is committed and compared: catalogues and JSON Schemas of every dialect.
//! `UPDATE=1 cargo test -p cordboard-dialects` rewrites them; read the difference before you commit it.
#![expect(clippy::unwrap_used, reason = "what is not as expected fails the test")]

use std::fs;
use std::path::{Path, PathBuf};

use cordboard_dialects::{DIALECTS, Settings};
use serde_json::Value;

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
