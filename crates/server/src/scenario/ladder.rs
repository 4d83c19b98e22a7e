//! A story as a picture: a Mermaid sequence diagram in a page of Markdown. Who asks or does what, and which Genesys
//! events are told on which number.

use std::fmt::Write as _;

use cordboard_core::request::Ask;
use cordboard_dialects::Message;
use cordboard_dialects::genesys::messages::Topic;
use cordboard_switches::boxed::Happening;
use serde_json::Value;

use super::line::time;
use super::player::Played;
use super::story::{Step, Story};

/// A page about a story. `genesys` is the place of that dialect among those the story was played with.
#[must_use]
pub fn page(name: &str, story: &Story, played: &[Played], genesys: usize) -> String {
    let mut page = format!("# {}\n\n", story.title());
    for line in story.about.iter().skip(1).filter(|line| !line.is_empty()) {
        _ = writeln!(page, "{line}");
    }
    if story.about.len() > 1 {
        page.push('\n');
    }
    _ = writeln!(page, "The story as text: [scenarios/{name}/story.txt](../../scenarios/{name}/story.txt).\n");
    _ = writeln!(page, "```mermaid\n{}```", diagram(story, played, genesys));
    page
}

/// The diagram alone.
#[must_use]
pub fn diagram(story: &Story, played: &[Played], genesys: usize) -> String {
    let mut ladder = Ladder::default();
    for (step, played) in story.steps.iter().zip(played) {
        ladder.step(story, step);
        if let Some(why) = &played.impossible {
            ladder.across(&format!("impossible: {why}"));
        }
        for message in played.told.iter().filter_map(|told| told.messages.get(genesys)).flatten() {
            ladder.event(story, step, message);
        }
    }
    ladder.text()
}

#[derive(Default)]
struct Ladder {
    /// Numbers in the order of their appearance.
    numbers: Vec<String>,
    rungs: Vec<Rung>,
}

enum Rung {
    /// Somebody asks or does something, towards another number or by itself.
    Act { from: usize, to: usize, asked: bool, text: String },
    /// Something is told on a number.
    Told { on: usize, text: String },
    /// Something about everybody.
    Across(String),
}

impl Ladder {
    fn step(&mut self, story: &Story, step: &Step) {
        let line = story.line(step);
        match step {
            Step::Ask(ask) => {
                let from = self.number(&ask.device);
                let to = towards(&ask.ask).map_or(from, |to| self.number(to));
                let text = line.strip_prefix("ask ").unwrap_or(&line);
                let text = text.strip_prefix(ask.device.as_str()).unwrap_or(text).trim().to_string();
                self.rungs.push(Rung::Act { from, to, asked: true, text });
            }
            Step::Now { happening, .. } => {
                let (from, to) = who(happening);
                let from_place = self.number(from);
                let to = to.map_or(from_place, |to| self.number(to));
                let text = line.strip_prefix("now ").unwrap_or(&line);
                let text = text.strip_prefix(from).unwrap_or(text).trim().to_string();
                self.rungs.push(Rung::Act { from: from_place, to, asked: false, text });
            }
            Step::Wait { ms } => self.across(&format!("{} pass", time(*ms))),
            Step::Leave { client } => self.across(&format!("the client {client} is gone")),
            Step::Note(text) => self.across(text),
        }
    }

    /// What is told on a number; what is told to a client stands at that client's number.
    fn event(&mut self, story: &Story, step: &Step, message: &Message) {
        let Ok(value) = serde_json::from_str::<Value>(&message.value) else { return };
        let text = |name: &str| value.get(name).and_then(Value::as_str);
        let of_site = |number: &&str| story.site.numbers.iter().any(|(name, _)| name == number);
        let is_topic = [Topic::AgentState, Topic::CallThread].iter().any(|topic| topic.name() == message.channel);
        let client = Some(message.key.as_str()).filter(|client| !is_topic && of_site(client));
        let asker = match step {
            Step::Ask(ask) => Some(ask.device.as_str()),
            Step::Now { .. } | Step::Wait { .. } | Step::Leave { .. } | Step::Note(_) => None,
        };
        let Some(on) = client.or_else(|| text("ThisDN")).or(asker) else { return };
        let name = text("id").unwrap_or_default();
        let more = text("CallState").filter(|state| *state != "Ok").or_else(|| text("ErrorMessage"));
        let told = more.map_or_else(|| name.to_string(), |more| format!("{name} ({more})"));
        let on = self.number(on);
        self.rungs.push(Rung::Told { on, text: told });
    }

    fn across(&mut self, text: &str) {
        self.rungs.push(Rung::Across(text.to_string()));
    }

    fn number(&mut self, number: &str) -> usize {
        self.numbers.iter().position(|other| other == number).unwrap_or_else(|| {
            self.numbers.push(number.to_string());
            self.numbers.len() - 1
        })
    }

    fn text(self) -> String {
        let mut text = "sequenceDiagram\n".to_string();
        for (place, number) in self.numbers.iter().enumerate() {
            _ = writeln!(text, "    participant n{place} as {number}");
        }
        let last = self.numbers.len().saturating_sub(1);
        for rung in &self.rungs {
            _ = match rung {
                Rung::Act { from, to, asked: true, text: what } => {
                    writeln!(text, "    n{from}->>n{to}: {}", plain(what))
                }
                Rung::Act { from, to, asked: false, text: what } => {
                    writeln!(text, "    n{from}-->>n{to}: {}", plain(what))
                }
                Rung::Told { on, text: what } => writeln!(text, "    Note over n{on}: {}", plain(what)),
                Rung::Across(what) if last == 0 => writeln!(text, "    Note over n0: {}", plain(what)),
                Rung::Across(what) => writeln!(text, "    Note over n0,n{last}: {}", plain(what)),
            };
        }
        text
    }
}

/// Mermaid takes these for the end of a line and the beginning of an entity.
fn plain(text: &str) -> String {
    text.replace(';', ",").replace('#', "No. ")
}

/// The other number that a request is about.
fn towards(ask: &Ask) -> Option<&str> {
    match ask {
        Ask::MakeCall { to, .. }
        | Ask::MakePredictiveCall { to, .. }
        | Ask::Redirect { to, .. }
        | Ask::Consult { to, .. }
        | Ask::MuteTransfer { to, .. }
        | Ask::SingleStep { to, .. } => Some(to),
        Ask::Forward { to, .. } | Ask::Route { to, .. } => to.as_deref(),
        Ask::DropParty { who, .. } | Ask::Listen { who, .. } => Some(who),
        Ask::Monitor { target, .. }
        | Ask::MonitorEnd { target }
        | Ask::Supervise { target, .. }
        | Ask::Pickup { target } => Some(target),
        Ask::Register
        | Ask::Unregister
        | Ask::QueryAddress { .. }
        | Ask::QueryCall { .. }
        | Ask::QueryServer
        | Ask::SetReference { .. }
        | Ask::SetMask { .. }
        | Ask::Login { .. }
        | Ask::Logout { .. }
        | Ask::Ready { .. }
        | Ask::NotReady { .. }
        | Ask::Reserve { .. }
        | Ask::Dnd { .. }
        | Ask::Messages { .. }
        | Ask::Answer { .. }
        | Ask::Release { .. }
        | Ask::Clear { .. }
        | Ask::Hold { .. }
        | Ask::Retrieve { .. }
        | Ask::Alternate { .. }
        | Ask::Reconnect { .. }
        | Ask::Complete { .. }
        | Ask::Merge { .. }
        | Ask::Mute { .. }
        | Ask::Treat { .. }
        | Ask::ChangeData { .. }
        | Ask::Change(_)
        | Ask::Park { .. }
        | Ask::Unpark { .. }
        | Ask::Tones { .. }
        | Ask::Record { .. }
        | Ask::SetVariable { .. } => None,
    }
}

/// Who does it, and towards whom.
fn who(happening: &Happening) -> (&str, Option<&str>) {
    match happening {
        Happening::Inbound { from, to, .. } => (from, Some(to)),
        Happening::Dial { device, to } => (device, Some(to)),
        Happening::Reach(at)
        | Happening::HangUp(at)
        | Happening::Answer { at, .. }
        | Happening::Fail { at, .. }
        | Happening::TreatmentEnd { at, .. } => (&at.number, None),
        Happening::OutOfService { device } | Happening::BackInService { device } => (device, None),
    }
}
