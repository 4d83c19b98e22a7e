//! Stories of a contact centre as text: a site, and then one request or happening a line. They are played on the
//! built-in switch in virtual time, told in every dialect, and drawn.
//!
//! `story` is a story as data; `line`, `site`, `asks`, `happenings` and `text` read and write it; `player` plays it;
//! `expected` and `ladder` are what is committed of it; `library` holds the stories that come with the program.

mod asks;
pub mod expected;
mod happenings;
pub mod ladder;
pub mod library;
mod line;
mod player;
mod site;
mod story;
mod text;

pub use line::StoryError;
pub use player::{Played, Player, REQUEST_MS};
pub use story::{Ask, Step, Story, calls_mut};
