//! Recorded sessions: the tags a live session would have given to their messages.
//!
//! A recording was made by another client, with ActionIDs of its own. Where its actions were recorded too
//! ([`SentActions`]), each answer is found by its ActionID; where they were not, lists are recognised by their shape: a
//! response with `EventList: start`, then the items of a known list with the same ActionID, or without one and without
//! `Privilege`. What cannot be recognised so (a refusal, whose question nobody knows) is given as an answer.
//!
//! The questions asked first and without a pause make up the snapshot of the connection; later ones stand for
//! themselves, with their own [`Tagged::SnapshotDone`] but outside of [`Tagged::SnapshotStarted`] and
//! [`Tagged::SnapshotComplete`].

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use super::ami::Message;
use super::snapshot::{SnapshotPart, Step, Tagged};

/// The longest pause between two questions of one snapshot, in milliseconds.
const SNAPSHOT_PAUSE_MS_MAX: u64 = 250;

/// The actions that were sent on one recorded connection.
#[derive(Clone, Debug, Default)]
pub struct SentActions {
    actions: Vec<SentAction>,
    raw: String,
}

#[derive(Clone, Debug)]
struct SentAction {
    at_ms: u64,
    action_id: Option<String>,
    question: Option<Question>,
    /// `Login` and its like: they stand before a snapshot, not in it.
    prepares: bool,
}

#[derive(Clone, Debug)]
struct Question {
    part: SnapshotPart,
    subject: Option<Arc<str>>,
    /// Whether it belongs to the snapshot at the start of the connection.
    in_snapshot: bool,
}

impl SentActions {
    /// No actions yet.
    pub fn new() -> SentActions {
        SentActions::default()
    }

    /// Adds an action recorded as headers, in the order sent. `at_ms` is its time in milliseconds.
    pub fn push_headers<N: AsRef<str>, V: AsRef<str>>(
        &mut self,
        at_ms: u64,
        headers: impl IntoIterator<Item = (N, V)>,
    ) {
        let message = Message::from_headers(headers);
        let Some(name) = message.get("Action") else { return };
        let question = SnapshotPart::of_action(name, |header| message.get(header));
        self.actions.push(SentAction {
            at_ms,
            action_id: message.action_id().map(str::to_owned),
            question: question.map(|(part, subject)| Question { part, subject, in_snapshot: false }),
            prepares: ["Challenge", "Login", "Events", "Filter", "Ping"].iter().any(|it| name.eq_ignore_ascii_case(it)),
        });
    }

    /// Adds text as it was sent: any piece of one or more actions. Like Asterisk, it takes lines that end in LF alone.
    pub fn push_raw(&mut self, at_ms: u64, text: &str) {
        self.raw.push_str(text);
        while let Some((action, rest)) = split_action(&self.raw) {
            let lines = action.lines().filter_map(|line| line.split_once(':'));
            let headers: Vec<(String, String)> =
                lines.map(|(name, value)| (name.trim().to_owned(), value.trim().to_owned())).collect();
            self.raw = rest.to_owned();
            self.push_headers(at_ms, headers);
        }
    }

    /// Marks the questions that make up the snapshot: the first one, and those that follow without a pause.
    fn mark_snapshot(&mut self) -> usize {
        let first = self.actions.iter().position(|action| action.question.is_some());
        let mut count = 0;
        let mut before_ms = None;
        for action in self.actions.iter_mut().skip(first.unwrap_or(usize::MAX)) {
            let paused =
                before_ms.is_some_and(|before_ms| action.at_ms.saturating_sub(before_ms) > SNAPSHOT_PAUSE_MS_MAX);
            if paused || action.prepares {
                break;
            }
            before_ms = Some(action.at_ms);
            if let Some(question) = &mut action.question {
                question.in_snapshot = true;
                count += 1;
            }
        }
        count
    }
}

/// The first whole action of a text and what follows it.
fn split_action(text: &str) -> Option<(&str, &str)> {
    let ends = ["\r\n\r\n", "\n\n"].into_iter().filter_map(|end| Some((text.find(end)?, end.len())));
    let (at, length) = ends.min()?;
    let (action, rest) = text.split_at_checked(at)?;
    Some((action, rest.get(length..)?))
}

/// Tags the messages of one recorded connection.
#[derive(Debug, Default)]
pub struct Recorded {
    /// Whether the actions were not recorded.
    guesses: bool,
    questions: HashMap<String, Question>,
    /// The actions without ActionID, in the order sent, so in the order of their answers.
    nameless: VecDeque<Option<Question>>,
    /// The lists that have started and not ended, by ActionID.
    open: HashMap<Option<String>, Option<Question>>,
    snapshot: Stage,
    /// How many questions of the snapshot are not answered yet, as far as the actions are known.
    unanswered: usize,
    last_ms: u64,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Stage {
    #[default]
    NotStarted,
    Running,
    Ended,
}

impl Recorded {
    /// For a connection whose actions were not recorded.
    pub fn new() -> Recorded {
        Recorded { guesses: true, ..Recorded::default() }
    }

    /// For a connection whose actions were recorded.
    pub fn with_actions(mut sent: SentActions) -> Recorded {
        let mut recorded = Recorded { unanswered: sent.mark_snapshot(), ..Recorded::default() };
        for SentAction { action_id, question, .. } in sent.actions {
            match (action_id, question) {
                (Some(action_id), Some(question)) => {
                    recorded.questions.insert(action_id, question);
                }
                (Some(_), None) => {}
                (None, question) => recorded.nameless.push_back(question),
            }
        }
        recorded
    }

    /// Tags the next message, received at `at_ms`, and appends to `out` what a live session would have delivered.
    pub fn tag(&mut self, at_ms: u64, message: Message, out: &mut Vec<Tagged>) {
        let paused = at_ms.saturating_sub(self.last_ms) > SNAPSHOT_PAUSE_MS_MAX;
        self.last_ms = at_ms;
        let key = message.action_id().map(str::to_owned);
        // Every live event has a `Privilege`; what bears an ActionID without one answers an action (`WaitEventComplete`).
        let answers = key.is_some() && message.get("Privilege").is_none();
        if message.is_event() && !answers && !self.is_list_item(&key, &message) {
            self.end_guessed_snapshot(out);
            out.push(Tagged::Live(message));
            return;
        }
        if paused {
            self.end_guessed_snapshot(out);
        }
        let question = self.question(&key, &message);
        let step = Step::of(question.as_ref().map(|question| question.part), &message);
        match step {
            Step::More if self.open.get(&key).is_none_or(Option::is_none) => {
                self.open.insert(key.clone(), question.clone());
            }
            Step::More => {}
            Step::Last | Step::Refused { .. } => {
                self.open.remove(&key);
            }
        }
        match question {
            Some(question) => self.tell(question, step, message, out),
            None => out.push(Tagged::Answer { action_id: key, message }),
        }
    }

    /// The recording is over: ends what is still open.
    pub fn finish(&mut self, out: &mut Vec<Tagged>) {
        self.end_guessed_snapshot(out);
        if self.snapshot == Stage::Running {
            self.snapshot = Stage::Ended;
            out.push(Tagged::SnapshotAborted);
        }
    }

    fn tell(&mut self, question: Question, step: Step, message: Message, out: &mut Vec<Tagged>) {
        let Question { part, subject, in_snapshot } = question;
        if in_snapshot && self.snapshot == Stage::NotStarted {
            self.snapshot = Stage::Running;
            out.push(Tagged::SnapshotStarted);
        }
        if !matches!(step, Step::Refused { .. }) {
            out.push(Tagged::Snapshot { part, subject, message });
        }
        let known = match step {
            Step::More => return,
            Step::Last => true,
            Step::Refused { known } => known,
        };
        out.push(Tagged::SnapshotDone { part, known });
        if in_snapshot && !self.guesses {
            self.unanswered = self.unanswered.saturating_sub(1);
            if self.unanswered == 0 {
                self.snapshot = Stage::Ended;
                out.push(Tagged::SnapshotComplete);
            }
        }
    }

    /// Whether an event belongs to a list that is open.
    fn is_list_item(&self, key: &Option<String>, message: &Message) -> bool {
        let Some(event) = message.event() else { return false };
        // These two show the ActionID of whoever caused them.
        if matches!(event, "UserEvent" | "OriginateResponse") {
            return false;
        }
        match (key, self.open.get(key)) {
            (_, None) => false,
            (Some(_), Some(_)) => true,
            // Without an ActionID only the shape is left; of the items only `Status` has a `Privilege`.
            (None, Some(question)) => {
                let fits = match question {
                    Some(question) => question.part.has_item(event),
                    None => self.guesses && SnapshotPart::of_item(event).is_some(),
                };
                fits && (event == "Status" || message.get("Privilege").is_none())
            }
        }
    }

    /// The question that a response or a list item answers, if it is one of a snapshot.
    fn question(&mut self, key: &Option<String>, message: &Message) -> Option<Question> {
        let in_open_list = message.is_event();
        if in_open_list && let Some(Some(question)) = self.open.get(key) {
            return Some(question.clone());
        }
        if self.guesses {
            let (part, subject) = guess(message)?;
            return Some(Question { part, subject, in_snapshot: self.snapshot != Stage::Ended });
        }
        match key {
            _ if in_open_list => None,
            Some(action_id) => self.questions.get(action_id).cloned(),
            None => self.nameless.pop_front().flatten(),
        }
    }

    /// Where the actions are not known, the snapshot is over with the first thing that is none of its answers.
    fn end_guessed_snapshot(&mut self, out: &mut Vec<Tagged>) {
        if self.guesses && self.snapshot == Stage::Running && self.open.is_empty() {
            self.snapshot = Stage::Ended;
            out.push(Tagged::SnapshotComplete);
        }
    }
}

/// The question that a message answers, by its shape alone.
fn guess(message: &Message) -> Option<(SnapshotPart, Option<Arc<str>>)> {
    if let Some(event) = message.event().filter(|_| message.is_event()) {
        return SnapshotPart::of_item(event).map(|part| (part, None));
    }
    let is_queue_setting = |(name, value): (&str, &str)| name.starts_with("Line-") && value.starts_with("strategy=");
    if message.get("AsteriskVersion").is_some() {
        Some((SnapshotPart::CoreSettings, None))
    } else if message.get("CoreStartupTime").is_some() {
        Some((SnapshotPart::CoreStatus, None))
    } else if message.get("NewMessages").is_some() {
        message.get("Mailbox").map(|mailbox| (SnapshotPart::Mailboxes, Some(Arc::from(mailbox))))
    } else if message.get("Message").is_some_and(|text| text.starts_with("No active conferences")) {
        Some((SnapshotPart::Conferences, None))
    } else if message.headers().any(is_queue_setting) {
        Some((SnapshotPart::QueueConfig, None))
    } else {
        None
    }
}
