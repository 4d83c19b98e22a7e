//! A story as text, read and written.

use std::fmt;
use std::str::FromStr;

use super::line::{Line, StoryError, Words, ms, time};
use super::story::{Ask, Step, Story};
use super::{asks, happenings, site};

/// What the switch of a story is called, unless it says otherwise.
const SWITCH: &str = "office";

impl FromStr for Story {
    type Err = StoryError;

    fn from_str(text: &str) -> Result<Self, StoryError> {
        let mut story = Self::default();
        story.site.switch = SWITCH.to_string();
        let mut begun = false;
        for (number, line) in text.lines().enumerate() {
            let line = line.trim();
            let (is_remark, is_blank) = (line.starts_with('#'), line.is_empty());
            if is_remark && !begun {
                story.about.push(line.trim_start_matches('#').trim().to_string());
            }
            begun |= !is_remark;
            if is_remark || is_blank {
                continue;
            }
            read_line(line, &mut story).map_err(|why| StoryError { line: number + 1, why })?;
        }
        Ok(story)
    }
}

impl fmt::Display for Story {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for line in &self.about {
            writeln!(f, "{}", format!("# {line}").trim_end())?;
        }
        writeln!(f)?;
        if self.site.switch != SWITCH {
            let mut words = Words::default();
            words.word("switch").word(&self.site.switch);
            writeln!(f, "{}", words.line())?;
        }
        for line in site::write(self) {
            writeln!(f, "{line}")?;
        }
        writeln!(f)?;
        self.steps.iter().try_for_each(|step| writeln!(f, "{}", self.line(step)))
    }
}

impl Story {
    /// A step in words.
    #[must_use]
    pub fn line(&self, step: &Step) -> String {
        let mut words = Words::default();
        let begins = match step {
            Step::Ask(ask) => {
                words.word("ask").word(&ask.device);
                asks::write(&ask.ask, |call| self.name(call), &mut words);
                words.pair("client", ask.client.as_deref());
                words.pair("ref", ask.reference.map(|reference| reference.to_string()).as_deref());
                &ask.begins
            }
            Step::Now { happening, begins } => {
                words.word("now");
                happenings::write(happening, &mut words);
                begins
            }
            Step::Wait { ms } => {
                words.word("wait").word(&time(*ms));
                &None
            }
            Step::Leave { client } => {
                words.word("leave").word(client);
                &None
            }
            Step::Note(text) => return format!("note {text}"),
        };
        if let Some(name) = begins {
            words.word("as").word(name);
        }
        words.line()
    }
}

fn read_line(text: &str, story: &mut Story) -> Result<(), String> {
    if let Some(note) = text.strip_prefix("note ") {
        story.steps.push(Step::Note(note.trim().to_string()));
        return Ok(());
    }
    let mut line = Line::read(text)?;
    let kind = line.next().unwrap_or_default();
    if site::KINDS.contains(&kind.as_str()) {
        if !story.steps.is_empty() {
            return Err(format!("{kind} stands after the first step; the site comes first"));
        }
        site::read(&kind, &mut line, story)?;
        return line.end();
    }
    let begins = line.after("as")?;
    let step = match kind.as_str() {
        "switch" => {
            story.site.switch = line.want("a name")?;
            return line.end();
        }
        "ask" => {
            let reference = line.pair("ref").map(|text| text.parse().map_err(|_| format!("{text:?} is no number")));
            let (client, reference) = (line.pair("client"), reference.transpose()?);
            let device = line.want("a number")?;
            let known = |name: &str| known(story, name);
            let ask = asks::read(&mut line, known)?;
            Step::Ask(Ask { client, reference, device, ask, begins: begins.clone() })
        }
        "now" => {
            let mut happening = happenings::read(&mut line)?;
            if let Some(at) = happenings::at_mut(&mut happening) {
                known(story, &at.call)?;
            }
            Step::Now { happening, begins: begins.clone() }
        }
        "wait" => Step::Wait { ms: ms(&line.want("a time")?)? },
        "leave" => Step::Leave { client: line.want("a client")? },
        other => {
            return Err(format!(
                "{other:?} begins no line; right would be ask, now, wait, leave, note, or of the site: {}",
                site::KINDS.join(", ")
            ));
        }
    };
    if let Some(name) = begins {
        if story.calls.contains(&name) {
            return Err(format!("the call {name} has begun already"));
        }
        story.call(&name);
    }
    story.steps.push(step);
    line.end()
}

/// The place of a call that began before.
fn known(story: &Story, name: &str) -> Result<cordboard_core::ConnId, String> {
    let place = story
        .calls
        .iter()
        .position(|call| call == name)
        .ok_or_else(|| format!("no call {name:?} has begun; right would be one of: {}", story.calls.join(", ")))?;
    Ok(cordboard_core::ConnId(place as u64 + 1))
}
