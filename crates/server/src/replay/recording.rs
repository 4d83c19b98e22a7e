//! Recorded AMI sessions: one connection a part, each message with the time it came.

use std::collections::BTreeMap;
use std::path::Path;

use cordboard_switches::asterisk::PictureSettings;
use cordboard_switches::asterisk::ami::{Codec, CodecLimits, Frame, Message};
use cordboard_switches::asterisk::recorded::{Recorded, SentActions};
use cordboard_switches::asterisk::snapshot::Tagged;
use serde::Deserialize;

use super::ReplayError;

/// A recorded session.
#[derive(Debug, Default)]
pub struct Recording {
    /// Its connections, in order.
    pub parts: Vec<Part>,
}

/// One recorded connection.
#[derive(Debug, Default)]
pub struct Part {
    /// Messages with the millisecond since the start of the recording in which they came.
    pub messages: Vec<(u64, Message)>,
    /// Actions sent on it, where they were recorded.
    pub sent: Option<SentActions>,
    /// Messages that broke the protocol.
    pub malformed: u64,
}

#[derive(Deserialize)]
struct Line {
    at_ms: u64,
    #[serde(default)]
    headers: Vec<(String, String)>,
}

#[derive(Deserialize)]
struct SentLine {
    at_ms: u64,
    #[serde(default = "first")]
    conn: usize,
    headers: Option<Vec<(String, String)>>,
    raw: Option<String>,
}

fn first() -> usize {
    1
}

impl Recording {
    /// Reads a recording: a folder, one `.jsonl` file, or one `.raw` file of bytes as they came.
    ///
    /// # Errors
    /// When a file cannot be read or a line is not understood.
    pub fn read(path: &Path) -> Result<Self, ReplayError> {
        if !path.is_dir() {
            let part = if path.extension().is_some_and(|extension| extension == "jsonl") {
                read_lines(path)?
            } else {
                read_raw(path)?
            };
            return Ok(Self { parts: vec![part] });
        }
        let mut parts = Vec::new();
        let name = |number: usize| if number == 1 { "ami.jsonl".to_string() } else { format!("ami.{number}.jsonl") };
        while path.join(name(parts.len() + 1)).exists() {
            parts.push(read_lines(&path.join(name(parts.len() + 1)))?);
        }
        if parts.is_empty() {
            let raw = path.join("ami.raw");
            if !raw.exists() {
                return Err(ReplayError::NoRecording { path: path.to_owned() });
            }
            parts.push(read_raw(&raw)?);
        }
        let sent = path.join("sent.jsonl");
        if sent.exists() {
            read_sent(&sent, &mut parts)?;
        }
        Ok(Self { parts })
    }
}

impl Part {
    /// The messages as a live session would deliver them.
    #[must_use]
    pub fn tagged(&self) -> Vec<(u64, Tagged)> {
        let mut recorded = self.sent.clone().map_or_else(Recorded::new, Recorded::with_actions);
        let (mut all, mut out, mut last) = (Vec::with_capacity(self.messages.len()), Vec::new(), 0);
        for (at_ms, message) in &self.messages {
            recorded.tag(*at_ms, message.clone(), &mut out);
            all.extend(out.drain(..).map(|tagged| (*at_ms, tagged)));
            last = *at_ms;
        }
        recorded.finish(&mut out);
        all.extend(out.drain(..).map(|tagged| (last, tagged)));
        all
    }
}

/// After-call work as the recording itself shows it: a queue that offers a member the next call sooner than the assumed
/// time after the last one has none. Asterisk tells the setting only to who may read its configuration.
pub(super) fn learn_wrapup(recording: &Recording, mut settings: PictureSettings) -> PictureSettings {
    let mut finished: BTreeMap<(String, String), u64> = BTreeMap::new();
    for (at_ms, message) in recording.parts.iter().flat_map(|part| &part.messages) {
        let (Some(queue), Some(interface)) = (message.get("Queue"), message.get("Interface")) else { continue };
        let key = (queue.to_string(), interface.to_string());
        match message.event() {
            Some("AgentComplete") => {
                finished.insert(key, *at_ms);
            }
            Some("AgentCalled") => {
                let sooner =
                    finished.remove(&key).is_some_and(|done| at_ms.saturating_sub(done) < settings.wrapup_ms_default);
                if sooner {
                    settings.wrapup_ms.entry(queue.to_string()).or_insert(0);
                }
            }
            Some(_) | None => {}
        }
    }
    settings
}

fn read_lines(path: &Path) -> Result<Part, ReplayError> {
    let mut part = Part::default();
    for (number, text) in read_text(path)?.lines().enumerate().filter(|(_, text)| !text.trim().is_empty()) {
        let line: Line = parse(path, number, text)?;
        if !line.headers.is_empty() {
            part.messages.push((line.at_ms, Message::from_headers(line.headers)));
        }
    }
    Ok(part)
}

/// Bytes without times: messages that bear a `Timestamp` give the time, the others have that of the one before.
fn read_raw(path: &Path) -> Result<Part, ReplayError> {
    let bytes = std::fs::read(path).map_err(|source| ReplayError::Read { path: path.to_owned(), source })?;
    let mut codec = Codec::new(CodecLimits::default());
    let (mut part, mut start_ms, mut at_ms) = (Part::default(), None, 0);
    for chunk in bytes.chunks(65_536) {
        codec.handle_bytes(chunk);
        while let Some(frame) = codec.poll_frame() {
            match frame {
                Ok(Frame::Banner(_)) => {}
                Ok(Frame::Message(message)) => {
                    if let Some(stamp_ms) = message.get("Timestamp").and_then(stamp_ms) {
                        at_ms = stamp_ms.saturating_sub(*start_ms.get_or_insert(stamp_ms)).max(at_ms);
                    }
                    part.messages.push((at_ms, message));
                }
                Err(_) => part.malformed += 1,
            }
        }
    }
    Ok(part)
}

/// `epoch.micros` to milliseconds.
fn stamp_ms(stamp: &str) -> Option<u64> {
    let (seconds, micros) = stamp.split_once('.')?;
    let micros: u64 = format!("{micros:0<6}").get(..6)?.parse().ok()?;
    Some(seconds.parse::<u64>().ok()?.saturating_mul(1_000).saturating_add(micros / 1_000))
}

fn read_sent(path: &Path, parts: &mut [Part]) -> Result<(), ReplayError> {
    for (number, text) in read_text(path)?.lines().enumerate().filter(|(_, text)| !text.trim().is_empty()) {
        let line: SentLine = parse(path, number, text)?;
        let Some(part) = parts.get_mut(line.conn.saturating_sub(1)) else { continue };
        let sent = part.sent.get_or_insert_with(SentActions::new);
        if let Some(headers) = line.headers {
            sent.push_headers(line.at_ms, headers);
        }
        if let Some(raw) = line.raw {
            sent.push_raw(line.at_ms, &raw);
        }
    }
    Ok(())
}

fn read_text(path: &Path) -> Result<String, ReplayError> {
    std::fs::read_to_string(path).map_err(|source| ReplayError::Read { path: path.to_owned(), source })
}

fn parse<'t, T: Deserialize<'t>>(path: &Path, number: usize, text: &'t str) -> Result<T, ReplayError> {
    serde_json::from_str(text).map_err(|error| ReplayError::Line {
        path: path.to_owned(),
        line: number + 1,
        why: error.to_string(),
    })
}
