//! The folders of stories and of what is drawn of them.

use std::fs;
use std::path::{Path, PathBuf};

use cordboard_server::scenario::Story;

/// The root of the checkout.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Every story, by name.
pub(crate) fn stories() -> Vec<(String, Story)> {
    let mut folders: Vec<PathBuf> =
        fs::read_dir(root().join("scenarios")).unwrap().map(|entry| entry.unwrap().path()).collect();
    folders.retain(|path| path.is_dir());
    folders.sort();
    let read = |path: PathBuf| {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let text = fs::read_to_string(path.join("story.txt")).unwrap();
        let story = text.parse().unwrap_or_else(|error| panic!("scenarios/{name}/story.txt: {error}"));
        (name, story)
    };
    folders.into_iter().map(read).collect()
}

/// Compares a file with what it should hold, and adds its name where it differs. `UPDATE=1` writes it.
pub(crate) fn compare(path: &Path, text: &str, different: &mut Vec<String>) {
    if std::env::var_os("UPDATE").is_some() {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    if fs::read_to_string(path).unwrap_or_default() != text {
        different.push(path.display().to_string());
    }
}
