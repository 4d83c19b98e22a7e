//! The stories that come with the program.

mod table;

pub use table::STORIES;

/// A story that comes with the program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// Its name: that of its folder.
    pub name: &'static str,
    /// Its text.
    pub text: &'static str,
}

/// The text of the story with this name.
#[must_use]
pub fn find(name: &str) -> Option<&'static str> {
    STORIES.iter().find(|story| story.name == name).map(|story| story.text)
}
