//! Documents that are served and committed: tests hold the one against the other.

use std::path::{Path, PathBuf};

use serde_json::Value;

/// Where documents are committed.
pub(super) fn docs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs")
}

/// Holds the committed file against what is served; with `UPDATE=1` it is written first.
pub(super) fn check(name: &str, served: &Value) {
    let mut text = serde_json::to_string_pretty(served).unwrap();
    text.push('\n');
    let file = docs().join(name);
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&file, &text).unwrap();
    }
    let kept = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(
        kept == text,
        "{} is not what is served; run the tests once with UPDATE=1 and read the diff",
        file.display()
    );
}
