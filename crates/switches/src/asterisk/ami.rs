//! The codec of the Asterisk Manager Interface: bytes in, messages out. It knows no calls.
//!
//! Framing, as Asterisk 16 to 23 speak it (`main/manager.c`, and every recording in our tests):
//!
//! - the first line of a connection is the banner, `Asterisk Call Manager/x.y.z`, with no empty line after it;
//! - a line ends in CR LF and in nothing else: a bare LF or a bare CR belongs to the value (`AppData` of `Newexten` is
//!   not escaped, some error texts end in LF);
//! - a message ends at an empty line; stray empty lines between messages are skipped;
//! - the name is the text before the first `:`, **one** space after it is dropped, all else belongs to the value, which
//!   may be empty, may hold `:` and may begin or end with spaces;
//! - a line without `:` (the output of `Command` before Asterisk 14) is kept as a header with an empty name, so nothing
//!   of the message is lost;
//! - names repeat. A `UserEvent` can even repeat `Event` or `Uniqueid` after the real ones, so the first one counts.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

use memchr::{memchr, memchr_iter};
use thiserror::Error;

/// What the codec accepts before it drops a message, so that a broken or hostile peer cannot fill our memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CodecLimits {
    /// The longest line in bytes, without its CR LF.
    pub line_bytes_max: u32,
    /// The longest message in bytes, without the CR LF of its last line and the empty line after it.
    pub message_bytes_max: u32,
    /// The most headers in one message.
    pub message_headers_max: u32,
}

impl Default for CodecLimits {
    /// 64 KiB a line, 1 MiB and 16 384 headers a message: far above anything Asterisk sends. The largest honest message
    /// is the answer to `GetConfig` or `ListCommands`, some tens of KiB.
    fn default() -> CodecLimits {
        CodecLimits { line_bytes_max: 64 * 1024, message_bytes_max: 1024 * 1024, message_headers_max: 16_384 }
    }
}

/// One unit of what the peer sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Frame {
    /// The first line of a connection, without its CR LF, for example `Asterisk Call Manager/13.0.0`.
    Banner(String),
    /// A response or an event.
    Message(Message),
}

/// A response or an event: headers in the order received, repeated names kept.
///
/// All text lies in one string; a header is four offsets into it.
#[derive(Clone, Default)]
pub struct Message {
    text: String,
    spans: Vec<Span>,
}

impl Message {
    /// The value of the **first** header with this name, ASCII case aside.
    pub fn get(&self, name: &str) -> Option<&str> {
        let span = self.spans.iter().find(|span| self.is_named(span, name))?;
        Some(self.slice(span.value()))
    }

    /// The values of every header with this name, ASCII case aside, in order.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> + 'a {
        self.spans.iter().filter(move |span| self.is_named(span, name)).map(|span| self.slice(span.value()))
    }

    /// Every header as `(name, value)`, in order. The name is empty for a line that had no `:`.
    pub fn headers(&self) -> impl Iterator<Item = (&str, &str)> {
        self.spans.iter().map(|span| (self.slice(span.name()), self.slice(span.value())))
    }

    /// How many headers there are.
    pub fn len(&self) -> usize {
        self.spans.len()
    }

    /// Whether there is no header at all. The codec never yields such a message.
    pub fn is_empty(&self) -> bool {
        self.spans.is_empty()
    }

    /// The value of the first `Event` header: the event's type. `None` for a response.
    pub fn event(&self) -> Option<&str> {
        self.get("Event")
    }

    /// The value of the first `Response` header (`Success`, `Error`, `Goodbye`, ...). The event
    /// `OriginateResponse` has one as well; see [`Message::is_event`].
    pub fn response(&self) -> Option<&str> {
        self.get("Response")
    }

    /// Whether this is an event. It is told by which of `Event` and `Response` comes first, because the event
    /// `OriginateResponse` has a `Response` header too.
    pub fn is_event(&self) -> bool {
        let first = self
            .headers()
            .map(|(name, _)| name)
            .find(|name| name.eq_ignore_ascii_case("Event") || name.eq_ignore_ascii_case("Response"));
        first.is_some_and(|name| name.eq_ignore_ascii_case("Event"))
    }

    /// The value of the first `ActionID` header. In an event it may be the id of somebody else's action.
    pub fn action_id(&self) -> Option<&str> {
        self.get("ActionID")
    }

    /// Builds a message from headers, for recordings that are stored already cut. What would not fit into 4 GiB is left
    /// out.
    pub fn from_headers<N, V>(headers: impl IntoIterator<Item = (N, V)>) -> Message
    where
        N: AsRef<str>,
        V: AsRef<str>,
    {
        let mut message = Message::default();
        for (name, value) in headers {
            message.push(name.as_ref(), value.as_ref());
        }
        message
    }

    fn push(&mut self, name: &str, value: &str) {
        let offset = |at: usize| u32::try_from(at).ok();
        let begin = self.text.len();
        let middle = begin + name.len();
        let Some((begin, middle, end)) =
            offset(begin).zip(offset(middle)).zip(offset(middle + value.len())).map(|((b, m), e)| (b, m, e))
        else {
            return;
        };
        self.text.push_str(name);
        self.text.push_str(value);
        self.spans.push(Span { name_start: begin, name_end: middle, value_start: middle, value_end: end });
    }

    fn is_named(&self, span: &Span, name: &str) -> bool {
        span.name().len() == name.len() && self.slice(span.name()).eq_ignore_ascii_case(name)
    }

    fn slice(&self, range: Range<usize>) -> &str {
        self.text.get(range).unwrap_or_default()
    }
}

impl PartialEq for Message {
    /// Two messages are equal when their headers are, however they were stored.
    fn eq(&self, other: &Message) -> bool {
        self.spans.len() == other.spans.len() && self.headers().eq(other.headers())
    }
}

impl Eq for Message {}

impl fmt::Debug for Message {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_list().entries(self.headers().map(|(name, value)| Pair(name, value))).finish()
    }
}

struct Pair<'a>(&'a str, &'a str);

impl fmt::Debug for Pair<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {:?}", self.0, self.1)
    }
}

/// Where one header lies in its message's text, in bytes.
#[derive(Clone, Copy, Debug)]
struct Span {
    name_start: u32,
    name_end: u32,
    value_start: u32,
    value_end: u32,
}

impl Span {
    fn name(self) -> Range<usize> {
        self.name_start as usize..self.name_end as usize
    }

    fn value(self) -> Range<usize> {
        self.value_start as usize..self.value_end as usize
    }
}

/// Cuts a stream of bytes into frames, the same frames however the bytes are chopped.
///
/// Every byte is looked at a constant number of times. Call [`Codec::poll_frame`] until it gives `None` after every
/// [`Codec::handle_bytes`]: then at most one unfinished message is kept, and that is limited by [`CodecLimits`].
#[derive(Debug)]
pub struct Codec {
    limits: CodecLimits,
    /// Bytes received; those before `message_start` are used up.
    buffer: Vec<u8>,
    message_start: usize,
    /// Where the unfinished line begins.
    line_start: usize,
    /// Up to here there is no line end after `line_start`.
    scanned: usize,
    /// The finished lines of the unfinished message; offsets count from `message_start`.
    spans: Vec<Span>,
    banner_may_come: bool,
    dropping: Option<Dropping>,
}

/// A message that broke a limit and is being skipped to its end.
#[derive(Debug)]
struct Dropping {
    why: Malformed,
    /// How many bytes of CR LF CR LF were seen last.
    matched: u8,
}

impl Codec {
    /// A codec for a new connection: it expects the banner first, but does without.
    pub fn new(limits: CodecLimits) -> Codec {
        Codec {
            limits,
            buffer: Vec::new(),
            message_start: 0,
            line_start: 0,
            scanned: 0,
            spans: Vec::new(),
            banner_may_come: true,
            dropping: None,
        }
    }

    /// Takes in bytes as they were read from the connection, any number of them.
    pub fn handle_bytes(&mut self, bytes: &[u8]) {
        self.forget_used();
        self.buffer.extend_from_slice(bytes);
    }

    /// The next frame, or `None` when more bytes are needed.
    ///
    /// `Err` stands for one message that broke a limit and was dropped as a whole; the stream goes on after it.
    pub fn poll_frame(&mut self) -> Option<Result<Frame, Malformed>> {
        loop {
            if self.dropping.is_some() {
                return self.drop_to_end().map(Err);
            }
            let Some(line_end) = self.next_line_end() else {
                self.check_limits(self.buffer.len().saturating_sub(1));
                self.dropping.as_ref()?;
                continue;
            };
            let line = self.line_start..line_end;
            if line.is_empty() {
                self.line_start = line_end + 2;
                if let Some(message) = self.take_message(line_end) {
                    return Some(Ok(Frame::Message(message)));
                }
                continue;
            }
            self.check_limits(line_end);
            if self.dropping.is_some() {
                continue;
            }
            if let Some(banner) = self.take_banner(&line) {
                return Some(Ok(Frame::Banner(banner)));
            }
            self.keep_line(line);
        }
    }

    /// How many bytes of an unfinished message are kept.
    pub fn bytes_kept(&self) -> usize {
        self.buffer.len() - self.message_start
    }

    /// The offset of the CR of the next CR LF, looking on from where the last look ended.
    fn next_line_end(&mut self) -> Option<usize> {
        let unseen = self.buffer.get(self.scanned..)?;
        for at in memchr_iter(b'\n', unseen) {
            let end = self.scanned + at;
            if end > self.line_start && self.buffer.get(end - 1) == Some(&b'\r') {
                self.scanned = end + 1;
                return Some(end - 1);
            }
        }
        self.scanned = self.buffer.len();
        None
    }

    fn take_banner(&mut self, line: &Range<usize>) -> Option<String> {
        if !std::mem::take(&mut self.banner_may_come) {
            return None;
        }
        let text = self.buffer.get(line.clone()).filter(|text| text.starts_with(BANNER))?;
        let banner = String::from_utf8_lossy(text).into_owned();
        self.message_start = line.end + 2;
        self.line_start = self.message_start;
        Some(banner)
    }

    fn keep_line(&mut self, line: Range<usize>) {
        let base = self.message_start;
        let bytes = self.buffer.get(line.clone()).unwrap_or_default();
        // The limits keep every offset below 2^32; see `check_limits`.
        let offset = |at: usize| u32::try_from(at - base).unwrap_or(u32::MAX);
        let (name_end, value_start) = match memchr(b':', bytes) {
            Some(colon) => {
                let space = usize::from(bytes.get(colon + 1) == Some(&b' '));
                (line.start + colon, line.start + colon + 1 + space)
            }
            None => (line.start, line.start),
        };
        self.spans.push(Span {
            name_start: offset(line.start),
            name_end: offset(name_end),
            value_start: offset(value_start),
            value_end: offset(line.end),
        });
        self.line_start = line.end + 2;
    }

    fn take_message(&mut self, end: usize) -> Option<Message> {
        let start = std::mem::replace(&mut self.message_start, self.line_start);
        if self.spans.is_empty() {
            return None;
        }
        let bytes = self.buffer.get(start..end).unwrap_or_default();
        let message = match std::str::from_utf8(bytes) {
            Ok(text) => Message { text: text.to_owned(), spans: self.spans.as_slice().to_vec() },
            Err(_) => {
                let part = |range: Range<usize>| String::from_utf8_lossy(bytes.get(range).unwrap_or_default());
                Message::from_headers(self.spans.iter().map(|span| (part(span.name()), part(span.value()))))
            }
        };
        self.spans.clear();
        Some(message)
    }

    /// Begins to drop the message if its unfinished or just finished line, whose text ends at `line_end`, breaks a limit.
    ///
    /// Which limit is named depends on the first byte too many, not on how much has arrived, so that chopping does not
    /// change the answer.
    fn check_limits(&mut self, line_end: usize) {
        if line_end <= self.line_start {
            return;
        }
        let line_last = self.line_start.saturating_add(self.limits.line_bytes_max as usize);
        let message_last = self.message_start.saturating_add(self.limits.message_bytes_max as usize);
        let why = if self.spans.len() >= self.limits.message_headers_max as usize {
            Malformed::TooManyHeaders { message_headers_max: self.limits.message_headers_max }
        } else if line_end > line_last && line_last <= message_last {
            Malformed::LineTooLong { line_bytes_max: self.limits.line_bytes_max }
        } else if line_end > message_last {
            Malformed::MessageTooLong { message_bytes_max: self.limits.message_bytes_max }
        } else {
            return;
        };
        self.spans.clear();
        self.banner_may_come = false;
        self.message_start = self.line_start;
        self.dropping = Some(Dropping { why, matched: 2 });
    }

    /// Skips bytes until the empty line that ends the dropped message; says why once it is there.
    fn drop_to_end(&mut self) -> Option<Malformed> {
        let dropping = self.dropping.as_mut()?;
        let rest = self.buffer.get(self.message_start..).unwrap_or_default();
        let mut used = rest.len();
        for (at, byte) in rest.iter().enumerate() {
            dropping.matched = match (dropping.matched, byte) {
                (0 | 1 | 3, b'\r') => 1,
                (2, b'\r') => 3,
                (1, b'\n') => 2,
                (3, b'\n') => 4,
                _ => 0,
            };
            if dropping.matched == 4 {
                used = at + 1;
                break;
            }
        }
        let ended = dropping.matched == 4;
        self.message_start += used;
        self.line_start = self.message_start;
        self.scanned = self.message_start;
        if ended { self.dropping.take().map(|dropping| dropping.why) } else { None }
    }

    /// Frees the used bytes, but only when at least half of the buffer is used: so each byte is moved at most once or
    /// twice, however small the pieces are.
    fn forget_used(&mut self) {
        let used = self.message_start;
        if used == 0 || used < self.buffer.len() / 2 {
            return;
        }
        self.buffer.drain(..used);
        self.message_start = 0;
        self.line_start -= used;
        self.scanned -= used;
    }
}

const BANNER: &[u8] = b"Asterisk Call Manager";

/// Undoes the C escapes (`\"`, `\'`, `\\`, `\?`, `\a \b \f \n \r \t \v`) that Asterisk puts into the `Value` of `VarSet`
/// and into the caller names of channel headers (`ast_escape_c`). A backslash before anything else stays.
pub fn unescape(text: &str) -> Cow<'_, str> {
    let Some(first) = memchr(b'\\', text.as_bytes()) else {
        return Cow::Borrowed(text);
    };
    let (plain, rest) = text.split_at(first);
    let mut out = String::with_capacity(text.len());
    out.push_str(plain);
    let mut chars = rest.chars();
    while let Some(char) = chars.next() {
        if char != '\\' {
            out.push(char);
            continue;
        }
        let mut ahead = chars.clone();
        match ahead.next().and_then(escaped) {
            Some(meant) => {
                out.push(meant);
                chars = ahead;
            }
            None => out.push('\\'),
        }
    }
    Cow::Owned(out)
}

fn escaped(letter: char) -> Option<char> {
    Some(match letter {
        'a' => '\u{7}',
        'b' => '\u{8}',
        'f' => '\u{c}',
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        'v' => '\u{b}',
        '\\' | '\'' | '"' | '?' => letter,
        _ => return None,
    })
}

/// Why a message was dropped. The connection lives on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Malformed {
    /// A line was longer than `line_bytes_max`.
    #[error("dropped an AMI message with a line of more than {line_bytes_max} bytes (line_bytes_max)")]
    LineTooLong {
        /// The limit that was broken, in bytes.
        line_bytes_max: u32,
    },
    /// A message was longer than `message_bytes_max`.
    #[error("dropped an AMI message of more than {message_bytes_max} bytes (message_bytes_max)")]
    MessageTooLong {
        /// The limit that was broken, in bytes.
        message_bytes_max: u32,
    },
    /// A message had more headers than `message_headers_max`.
    #[error("dropped an AMI message of more than {message_headers_max} headers (message_headers_max)")]
    TooManyHeaders {
        /// The limit that was broken.
        message_headers_max: u32,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    fn messages(limits: CodecLimits, text: &str) -> Vec<Result<Frame, Malformed>> {
        let mut codec = Codec::new(limits);
        codec.handle_bytes(text.as_bytes());
        std::iter::from_fn(|| codec.poll_frame()).collect()
    }

    fn message(text: &str) -> Message {
        match messages(CodecLimits::default(), text).pop() {
            Some(Ok(Frame::Message(message))) => message,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_first_header_of_a_name_counts_whatever_its_case() {
        let message = message("EVENT: UserEvent\r\nuniqueid: 1\r\nUniqueid: 2\r\nEvent: Override\r\n\r\n");
        assert_eq!((message.event(), message.get("UNIQUEID")), (Some("UserEvent"), Some("1")));
        assert_eq!(message.all("uniqueID").collect::<Vec<_>>(), ["1", "2"]);
        assert_eq!((message.len(), message.get("Unique")), (4, None));
    }

    #[test]
    fn only_one_space_is_dropped_and_line_feeds_stay() {
        let message = message("A:  two \r\nB:\r\nC:none\r\nD: x: y\nz\r\n--END COMMAND--\r\n\r\n");
        let headers: Vec<_> = message.headers().collect();
        assert_eq!(headers, [("A", " two "), ("B", ""), ("C", "none"), ("D", "x: y\nz"), ("", "--END COMMAND--")]);
    }

    #[test]
    fn what_comes_first_tells_an_event_from_a_response() {
        assert!(message("Event: OriginateResponse\r\nResponse: Failure\r\n\r\n").is_event());
        assert!(!message("Response: Success\r\nEvent: x\r\n\r\n").is_event());
        assert!(!message("Note: x\r\n\r\n").is_event());
    }

    #[test]
    fn limits_hold_to_the_byte() {
        let limits = CodecLimits { line_bytes_max: 6, message_bytes_max: 14, message_headers_max: 2 };
        assert_eq!(messages(limits, "A: 123\r\nB: 456\r\n\r\n").len(), 1);
        assert!(messages(limits, "A: 123\r\nB: 456\r\n\r\n")[0].is_ok());
        let line = Err(Malformed::LineTooLong { line_bytes_max: 6 });
        assert_eq!(messages(limits, "A: 1234\r\n\r\n"), [line]);
        let whole = CodecLimits { message_bytes_max: 13, ..limits };
        assert_eq!(
            messages(whole, "A: 123\r\nB: 456\r\n\r\n"),
            [Err(Malformed::MessageTooLong { message_bytes_max: 13 })]
        );
        let headers = Err(Malformed::TooManyHeaders { message_headers_max: 2 });
        assert_eq!(messages(limits, "A: 1\r\nB: 2\r\nC: 3\r\n\r\n"), [headers]);
    }

    #[test]
    fn a_dropped_message_ends_where_a_kept_one_would() {
        let limits = CodecLimits { line_bytes_max: 30, ..CodecLimits::default() };
        let long = "x".repeat(31);
        for inside in ["", "\r\r\n", "\n\r\n", "A: \r\n", "\r\n\r"] {
            let text = format!("{long}\r\n{inside}\r\nEvent: After\r\n\r\n");
            let frames = messages(limits, &text);
            let plain = messages(CodecLimits::default(), &text);
            assert_eq!(frames.first(), Some(&Err(Malformed::LineTooLong { line_bytes_max: 30 })), "{inside:?}");
            assert_eq!(frames.get(1..), plain.get(1..), "{inside:?}");
        }
        // The banner is the first line or none.
        let text = format!("{long}\r\n\r\nAsterisk Call Manager/1\r\n\r\n");
        assert!(matches!(messages(limits, &text).last(), Some(Ok(Frame::Message(_)))));
    }

    #[test]
    fn a_message_without_end_does_not_fill_the_memory() {
        let mut codec = Codec::new(CodecLimits::default());
        codec.handle_bytes(b"Event: Flood\r\n");
        let mut kept_max = 0;
        for _ in 0..10_000 {
            codec.handle_bytes(&[b'x'; 1_000]);
            assert!(codec.poll_frame().is_none());
            kept_max = kept_max.max(codec.bytes_kept());
        }
        assert!(kept_max <= 70_000, "{kept_max} bytes were kept");
        codec.handle_bytes(b"\r\n\r\nEvent: After\r\n\r\n");
        assert!(matches!(codec.poll_frame(), Some(Err(Malformed::LineTooLong { .. }))));
        assert!(matches!(codec.poll_frame(), Some(Ok(Frame::Message(message))) if message.event() == Some("After")));
    }

    #[test]
    fn escapes_are_undone_once() {
        assert_eq!(unescape(r#"\"Kari\" \'N\' a\\nb\tc\nd"#), "\"Kari\" 'N' a\\nb\tc\nd");
        assert_eq!(unescape(r"\x \"), r"\x \");
        assert!(matches!(unescape("plain \u{e5}"), Cow::Borrowed(_)));
        assert_eq!(unescape("\u{e5}\\\u{e5}\\n"), "\u{e5}\\\u{e5}\n");
    }
}
