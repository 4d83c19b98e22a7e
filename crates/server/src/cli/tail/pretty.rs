//! One event a line, aligned: when, who, what, and the details that fit.

use std::fmt::Write as _;

use cordboard_core::Time;
use owo_colors::{OwoColorize, Style};
use serde_json::{Map, Value};

/// Widths of the columns, in characters.
const SUBJECT_CHARS: usize = 22;
const WHAT_CHARS: usize = 26;
/// Longest value of a detail, in characters.
const DETAIL_CHARS_MAX: usize = 48;

/// Attributes of a vendor's message that say who it is about, the first found wins.
const SUBJECTS: [&str; 4] = ["ThisDN", "AgentID", "ConnID", "CallThreadID"];
/// Attributes shown first, in this order, when they are there.
const FIRST: [&str; 8] = ["ThisDN", "AgentID", "OtherDN", "ANI", "DNIS", "ThisQueue", "CallState", "ConnID"];

/// One line of the stream.
pub(super) fn line(value: &Value) -> String {
    if let Some(snapshot) = value.get("snapshot") {
        return picture(value, snapshot);
    }
    let position = text(value.get("position"));
    let said = value.get("value").unwrap_or(&Value::Null);
    let row = if let Some(fact) = said.get("fact") { own(said, fact) } else { vendor(said) };
    let time = row.time.map_or_else(|| " ".repeat(12), time_of_day);
    let mut line = format!("{} ", time.dimmed());
    _ = write!(line, "{} ", column(&row.subject, SUBJECT_CHARS).style(Style::new().cyan()));
    _ = write!(line, "{} ", column(&row.what, WHAT_CHARS).style(colour(&row.what)));
    _ = write!(line, "{}  {}", row.details.join(" "), position.dimmed());
    line
}

struct Row {
    time: Option<Time>,
    subject: String,
    what: String,
    details: Vec<String>,
}

/// An event of our own: `{"at":…,"fact":{"leg":{"call":1,"leg":2,"fact":{"answered":{…}}}}}`.
fn own(said: &Value, fact: &Value) -> Row {
    let time = said.get("at").and_then(Value::as_u64).map(Time);
    let (kind, body) = tagged(fact);
    let mut subject = kind.to_owned();
    let mut details = Vec::new();
    let inner = body.and_then(|body| body.get("fact"));
    for (name, value) in body.into_iter().flatten().filter(|(name, _)| *name != "fact") {
        if name == kind {
            _ = write!(subject, " {}", text(Some(value)));
        } else {
            detail(&mut details, name, value);
        }
    }
    let what = match inner {
        Some(inner) => {
            let (what, body) = tagged(inner);
            for (name, value) in body.into_iter().flatten() {
                detail(&mut details, name, value);
            }
            what.to_owned()
        }
        None => kind.to_owned(),
    };
    if said.get("origin").is_some() {
        details.push("(concluded)".to_owned());
    }
    Row { time, subject, what, details }
}

/// A message of another vocabulary: a flat object with its name in `id`.
fn vendor(said: &Value) -> Row {
    let empty = Map::new();
    let members = said.as_object().unwrap_or(&empty);
    let seconds = said.pointer("/time/TimeinSecs").and_then(Value::as_u64);
    let micros = said.pointer("/time/TimeinuSecs").and_then(Value::as_u64).unwrap_or(0);
    let subject = SUBJECTS.iter().find(|name| members.contains_key(**name)).copied().unwrap_or("");
    let mut details = Vec::new();
    for name in FIRST.into_iter().filter(|name| *name != subject) {
        if let Some(value) = members.get(name) {
            detail(&mut details, name, value);
        }
    }
    for (name, value) in members {
        let shown = ["id", "time", subject].contains(&name.as_str()) || FIRST.contains(&name.as_str());
        if !shown && !value.is_object() && !value.is_array() {
            detail(&mut details, name, value);
        }
    }
    let what = members.get("id").or_else(|| members.get("event")).map(|id| text(Some(id)));
    Row {
        time: seconds.map(|seconds| Time(seconds.saturating_mul(1_000_000).saturating_add(micros % 1_000_000))),
        subject: text(members.get(subject)),
        what: what.unwrap_or_default(),
        details,
    }
}

fn picture(value: &Value, snapshot: &Value) -> String {
    let count = |name: &str| snapshot.get(name).and_then(Value::as_object).map_or(0, Map::len);
    let what = match value.get("resync") {
        Some(resync) => format!("RESYNC ({}): {}", text(resync.get("reason")), text(resync.get("message"))),
        None => "snapshot".to_owned(),
    };
    let counts = match snapshot {
        Value::Array(messages) => format!("{} messages", messages.len()),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_) => format!(
            "{} calls, {} agents, {} queues, {} devices",
            count("calls"),
            count("agents"),
            count("queues"),
            count("devices")
        ),
    };
    format!("{}: {counts}  {}", what.yellow().bold(), text(value.get("position")).dimmed())
}

/// The name and body of an enumerated value: `"held"` or `{"answered":{…}}`.
fn tagged(value: &Value) -> (&str, Option<&Map<String, Value>>) {
    match value {
        Value::String(name) => (name, None),
        Value::Object(members) => members.iter().next().map_or(("", None), |(name, body)| (name, body.as_object())),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) => ("", None),
    }
}

fn detail(details: &mut Vec<String>, name: &str, value: &Value) {
    let value = text(Some(value));
    if !value.is_empty() {
        let short: String = value.chars().take(DETAIL_CHARS_MAX).collect();
        let more = if short.len() < value.len() { "…" } else { "" };
        details.push(format!("{}{short}{more}", format_args!("{name}=").dimmed()));
    }
}

/// A value in one line. Control characters of callers' names must not reach the terminal.
fn text(value: Option<&Value>) -> String {
    let text = match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    };
    text.chars().map(|char| if char.is_control() { '\u{fffd}' } else { char }).collect()
}

fn column(text: &str, width: usize) -> String {
    let short: String = text.chars().take(width).collect();
    format!("{short:<width$}")
}

/// What begins is green, what ends is red, what waits is yellow; case and underscores do not count.
fn colour(what: &str) -> Style {
    let what = what.to_lowercase().replace('_', "");
    let has = |words: &[&str]| words.iter().any(|word| what.contains(word));
    if has(&["ended", "released", "abandoned", "disconnected", "outofservice", "logout", "loggedout", "lost"]) {
        Style::new().red()
    } else if has(&["ringing", "queued", "dialing", "held", "parked", "notready", "wrapup", "diverted"]) {
        Style::new().yellow()
    } else if has(&["answered", "established", "connected", "ready", "login", "loggedin", "retrieved", "backinservice"])
    {
        Style::new().green()
    } else {
        Style::new().bold()
    }
}

fn time_of_day(time: Time) -> String {
    let ms = time.0 / 1_000;
    let (s, m, h) = (ms / 1_000 % 60, ms / 60_000 % 60, ms / 3_600_000 % 24);
    format!("{h:02}:{m:02}:{s:02}.{:03}", ms % 1_000)
}

/// Date and time in UTC, as `2026-11-20 13:05:00Z`.
pub(in crate::cli) fn date_time(time: Time) -> String {
    let seconds = time.0 / 1_000_000;
    let (year, month, day) = civil(seconds / 86_400);
    let (h, m, s) = (seconds / 3_600 % 24, seconds / 60 % 60, seconds % 60);
    format!("{year:04}-{month:02}-{day:02} {h:02}:{m:02}:{s:02}Z")
}

/// The date of a day since 1970-01-01, by counting years from March, so that leap days come last.
fn civil(days: u64) -> (u64, u64, u64) {
    let days = days + 719_468;
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let (month, next) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    (era * 400 + year_of_era + next, month, day)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn plain(line: &str) -> String {
        let mut out = String::new();
        let mut rest = line;
        while let Some((before, after)) = rest.split_once('\u{1b}') {
            out.push_str(before);
            rest = after.split_once('m').map_or("", |(_, after)| after);
        }
        out + rest
    }

    #[test]
    fn an_event_of_our_own_reads_as_when_who_what_details() {
        let value = json!({"position": "7-12", "channel": "c", "key": "k", "value": {"epoch": 7, "sequence": 12,
            "at": 3_723_004_000_u64, "fact": {"leg": {"call": 3, "leg": 5, "fact": {"answered": {"with": "person"}}}}}});
        let line = plain(&line(&value));
        let words: Vec<&str> = line.split_whitespace().collect();
        assert_eq!(words, ["01:02:03.004", "leg", "5", "answered", "call=3", "with=person", "7-12"]);
    }

    #[test]
    fn a_message_of_another_vocabulary_reads_the_same_way() {
        let value = json!({"position": "7-12", "value": {"id": "EventRinging", "ThisDN": "1001", "OtherDN": "2",
            "time": {"TimeinSecs": 3723, "TimeinuSecs": 4000}, "CallType": "Inbound"}});
        let line = plain(&line(&value));
        let words: Vec<&str> = line.split_whitespace().collect();
        assert_eq!(words, ["01:02:03.004", "1001", "EventRinging", "OtherDN=2", "CallType=Inbound", "7-12"]);
    }

    #[test]
    fn callers_cannot_write_to_the_terminal() {
        let value = json!({"position": "1-1", "value": {"id": "E", "ThisDN": "\u{1b}[2J\u{7}"}});
        let shown = plain(&line(&value));
        assert!(!shown.contains('\u{1b}') && !shown.contains('\u{7}'));
    }

    #[test]
    fn a_resync_stands_out() {
        let value = json!({"resync": {"reason": "gone", "message": "too old"}, "snapshot": {"calls": {"1": {}}}, "position": "1-9"});
        assert_eq!(plain(&line(&value)), "RESYNC (gone): too old: 1 calls, 0 agents, 0 queues, 0 devices  1-9");
    }

    #[test]
    fn dates_are_right() {
        assert_eq!(date_time(Time(0)), "1970-01-01 00:00:00Z");
        assert_eq!(date_time(Time(951_827_696_000_000)), "2000-02-29 12:34:56Z");
        assert_eq!(date_time(Time(1_798_761_599_000_000)), "2026-12-31 23:59:59Z");
    }
}
