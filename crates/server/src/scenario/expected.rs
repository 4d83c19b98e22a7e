//! What is told of a story, as text: each step, and under it the messages it causes.

use std::fmt::Write as _;

use super::player::Played;
use super::story::Story;
use crate::stage::Told;

/// The messages of the dialect that was asked for at this place, under the steps that caused them.
#[must_use]
pub fn text(story: &Story, opening: &[Told], played: &[Played], dialect: usize) -> String {
    let mut text = "# the beginning\n".to_string();
    write(&mut text, opening, dialect);
    for (step, played) in story.steps.iter().zip(played) {
        _ = writeln!(text, "\n# {}", story.line(step));
        write(&mut text, &played.told, dialect);
        if let Some(why) = &played.impossible {
            _ = writeln!(text, "! impossible: {why}");
        }
    }
    text
}

fn write(text: &mut String, told: &[Told], dialect: usize) {
    for message in told.iter().filter_map(|told| told.messages.get(dialect)).flatten() {
        _ = writeln!(text, "{} {} {}", message.channel, message.key, message.value);
    }
}
