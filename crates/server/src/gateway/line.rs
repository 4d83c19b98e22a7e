//! What a reader is told, as bytes: lines of JSON (NDJSON), or server-sent events (SSE).

use bytes::Bytes;
use serde_json::json;

use super::Told;
use crate::log::Position;
use crate::mirror::Picture;
use crate::tail::Listener;

/// How a stream is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// One JSON value a line; an empty line shows that the stream lives.
    Ndjson,
    /// `text/event-stream`, with the position as `id`.
    ServerSent,
}

impl Form {
    pub(super) fn content_type(self) -> &'static str {
        match self {
            Self::Ndjson => "application/x-ndjson",
            Self::ServerSent => "text/event-stream",
        }
    }

    /// What a reader is told, where it is this listener. Who is told only the own sees no picture of everything.
    pub(super) fn write(self, told: &Told, listener: Listener<'_>) -> Bytes {
        let is_whole = !matches!(listener, Listener::ClientOnly(_));
        match (self, told) {
            (Self::Ndjson, Told::Messages { chunk, after, until }) => chunk.lines(*after, *until, listener),
            (Self::ServerSent, Told::Messages { chunk, after, until }) => chunk.server_sent(*after, *until, listener),
            (_, Told::Snapshot(picture)) if !is_whole => {
                let resync = json!({"reason": "gone", "message": "what was before is kept no longer"});
                self.without_picture(&resync, picture)
            }
            (_, Told::Resync { reason, why, picture }) if !is_whole => {
                self.without_picture(&json!({"reason": reason, "message": why}), picture)
            }
            (_, Told::Snapshot(picture)) => self.line("snapshot", Some(picture.position), &snapshot(None, picture)),
            (_, Told::Resync { reason, why, picture }) => {
                let resync = json!({"reason": reason, "message": why});
                self.line("resync", Some(picture.position), &snapshot(Some(&resync), picture))
            }
            (Self::Ndjson, Told::Heartbeat(_)) => Bytes::from_static(b"\n"),
            // An id without data is no event, but a client that comes back asks from there.
            (Self::ServerSent, Told::Heartbeat(position)) => Bytes::from(format!(": alive\nid: {position}\n\n")),
            (_, Told::Idle) => Bytes::new(),
            (_, Told::Failed(why)) => self.failed("stream_failed", why),
        }
    }

    /// The last line of a stream that ends for a reason.
    pub(super) fn failed(self, code: &str, message: &str) -> Bytes {
        let line = json!({"error": {"code": code, "message": message}}).to_string();
        self.line("error", None, line.as_bytes())
    }

    fn without_picture(self, resync: &serde_json::Value, picture: &Picture) -> Bytes {
        let line = json!({"resync": resync, "position": picture.position.to_string()}).to_string();
        self.line("resync", Some(picture.position), line.as_bytes())
    }

    fn line(self, event: &str, position: Option<Position>, line: &[u8]) -> Bytes {
        let mut out = Vec::with_capacity(line.len() + 64);
        match self {
            Self::Ndjson => out.extend_from_slice(line),
            Self::ServerSent => {
                let id = position.map(|position| format!("id: {position}\n")).unwrap_or_default();
                out.extend_from_slice(format!("event: {event}\n{id}data: ").as_bytes());
                out.extend_from_slice(line);
                out.push(b'\n');
            }
        }
        out.push(b'\n');
        Bytes::from(out)
    }
}

/// `{"snapshot":…,"position":…}`, with what it is a resync for, if it is.
pub(super) fn snapshot(resync: Option<&serde_json::Value>, picture: &Picture) -> Vec<u8> {
    let mut line = b"{".to_vec();
    if let Some(resync) = resync {
        line.extend_from_slice(format!("\"resync\":{resync},").as_bytes());
    }
    line.extend_from_slice(b"\"snapshot\":");
    line.extend_from_slice(&picture.json);
    line.extend_from_slice(format!(",\"position\":\"{}\"}}", picture.position).as_bytes());
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(bytes: &Bytes) -> &str {
        std::str::from_utf8(bytes).unwrap()
    }

    fn picture() -> Picture {
        Picture { position: Position { epoch: 1, sequence: 2 }, json: Bytes::from_static(b"{\"tenant\":\"a\"}") }
    }

    #[test]
    fn snapshots_and_resyncs_are_lines_of_json_and_named_events() {
        let resync = Told::Resync { reason: "gone", why: "too old".into(), picture: picture() };
        let line = Form::Ndjson.write(&resync, Listener::Everybody);
        let value: serde_json::Value = serde_json::from_slice(&line).unwrap();
        assert_eq!(value["resync"]["reason"], "gone");
        assert_eq!((&value["snapshot"]["tenant"], &value["position"]), (&json!("a"), &json!("1-2")));
        let sent = Form::ServerSent.write(&Told::Snapshot(picture()), Listener::Everybody);
        assert_eq!(
            text(&sent),
            "event: snapshot\nid: 1-2\ndata: {\"snapshot\":{\"tenant\":\"a\"},\"position\":\"1-2\"}\n\n"
        );
    }

    #[test]
    fn who_is_told_the_own_only_sees_no_picture() {
        let resync = Told::Resync { reason: "gone", why: "too old".into(), picture: picture() };
        for (form, told) in [(Form::Ndjson, &resync), (Form::ServerSent, &Told::Snapshot(picture()))] {
            let written = form.write(told, Listener::ClientOnly("t/a"));
            assert!(text(&written).contains("\"position\":\"1-2\"") && !text(&written).contains("tenant"));
        }
    }

    #[test]
    fn heartbeats_carry_no_event() {
        let heartbeat = Told::Heartbeat(Position { epoch: 1, sequence: 9 });
        assert_eq!(text(&Form::Ndjson.write(&heartbeat, Listener::Everybody)), "\n");
        assert_eq!(text(&Form::ServerSent.write(&heartbeat, Listener::Everybody)), ": alive\nid: 1-9\n\n");
    }

    #[test]
    fn the_end_of_a_stream_is_told() {
        assert!(text(&Form::ServerSent.failed("x", "y\nz")).starts_with("event: error\ndata: {\"error\""));
        assert_eq!(text(&Form::Ndjson.failed("x", "y\nz")).lines().count(), 1);
    }
}
