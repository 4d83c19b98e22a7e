//! `cordboard tail`: live events for people and for pipes.

mod pretty;

use std::io::{self, IsTerminal, Write};
use std::path::PathBuf;
use std::time::Duration;

use serde_json::Value;

pub(super) use pretty::date_time;

use super::Failure;

/// The first pause before connecting again; it doubles each time.
const PAUSE_MIN: Duration = Duration::from_millis(500);
/// The longest.
const PAUSE_MAX: Duration = Duration::from_secs(15);
/// A server that says nothing for this long, heartbeats included, is gone.
const SILENCE_MAX: Duration = Duration::from_secs(60);
/// Longest line taken: a snapshot of a very large centre.
const LINE_BYTES_MAX: usize = 1 << 30;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Where the server is
    #[arg(long, default_value = "http://127.0.0.1:8080", env = "CORDBOARD_URL")]
    url: String,
    /// A file whose first line is the token; else it is taken from the environment variable CORDBOARD_TOKEN
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// The vocabulary
    #[arg(long, default_value = "cordboard")]
    dialect: String,
    /// Where to begin: now, start, or a position as messages carry it
    #[arg(long, value_name = "POSITION", default_value = "now")]
    from: String,
    /// End when everything there is was shown, instead of waiting for more
    #[arg(long)]
    no_follow: bool,
    /// Print lines of JSON also on a terminal
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    let token = token(args)?;
    let terminal = io::stdout().is_terminal();
    let pretty = terminal && !args.json;
    let client = reqwest::Client::builder()
        .connect_timeout(PAUSE_MAX)
        .read_timeout(SILENCE_MAX)
        .build()
        .map_err(Failure::failed)?;
    let cursor = args.from.clone();
    super::runtime()?.block_on(Tail { args, token, client, cursor, pretty }.run())
}

fn token(args: &Args) -> Result<String, Failure> {
    let text = match &args.token_file {
        Some(file) => std::fs::read_to_string(file)
            .map_err(|error| Failure::wrong_usage(format!("--token-file {}: {error}", file.display())))?,
        None => std::env::var("CORDBOARD_TOKEN").map_err(|_| {
            let message = "there is no token; right would be --token-file FILE, or the environment variable \
                           CORDBOARD_TOKEN. `cordboard token create` makes one";
            Failure::wrong_usage(message)
        })?,
    };
    Ok(text.lines().next().unwrap_or_default().trim().to_owned())
}

struct Tail<'a> {
    args: &'a Args,
    token: String,
    client: reqwest::Client,
    /// Where to go on.
    cursor: String,
    pretty: bool,
}

/// How one connection ended.
enum End {
    /// Everything was shown.
    Done,
    /// It broke, for this reason; another may go on.
    Broken(String),
}

impl Tail<'_> {
    async fn run(mut self) -> Result<(), Failure> {
        let mut pause = PAUSE_MIN;
        loop {
            let before = self.cursor.clone();
            match self.connect().await? {
                End::Done => return Ok(()),
                End::Broken(why) => {
                    if self.cursor != before {
                        pause = PAUSE_MIN;
                    }
                    // Without standard error there is nobody to tell.
                    _ = writeln!(io::stderr(), "cordboard: {why}; trying again in {:.1} s", pause.as_secs_f64());
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(PAUSE_MAX);
                }
            }
        }
    }

    async fn connect(&mut self) -> Result<End, Failure> {
        let query = [
            ("dialect", self.args.dialect.as_str()),
            ("from", &self.cursor),
            ("follow", if self.args.no_follow { "false" } else { "true" }),
            ("format", "ndjson"),
        ];
        let url = format!("{}/api/v1/events", self.args.url.trim_end_matches('/'));
        let url = reqwest::Url::parse_with_params(&url, query)
            .map_err(|error| Failure::wrong_usage(format!("--url {}: {error}", self.args.url)))?;
        let mut answer = match self.client.get(url).bearer_auth(&self.token).send().await {
            Ok(answer) => answer,
            Err(error) if self.args.no_follow => return Err(Failure::failed(without_url(error))),
            Err(error) => return Ok(End::Broken(without_url(error))),
        };
        let status = answer.status();
        if !status.is_success() {
            let text = answer.text().await.unwrap_or_default();
            let message = refusal(&text).unwrap_or_else(|| format!("the server answered {status}"));
            let again = status.is_server_error() || status.as_u16() == 429;
            return if again && !self.args.no_follow {
                Ok(End::Broken(message))
            } else {
                Err(Failure::failed(message))
            };
        }
        let mut waiting = Vec::new();
        loop {
            match answer.chunk().await {
                Ok(Some(bytes)) => {
                    waiting.extend_from_slice(&bytes);
                    if self.take_lines(&mut waiting)? {
                        return Ok(End::Done);
                    }
                }
                Ok(None) if self.args.no_follow => return Ok(End::Done),
                Ok(None) => return Ok(End::Broken("the server ended the stream".to_owned())),
                Err(error) => return Ok(End::Broken(without_url(error))),
            }
            if waiting.len() > LINE_BYTES_MAX {
                return Err(Failure::failed("the server sent a line without an end"));
            }
        }
    }

    /// Shows all whole lines; true when nobody reads any more.
    fn take_lines(&mut self, waiting: &mut Vec<u8>) -> Result<bool, Failure> {
        let Some(end) = waiting.iter().rposition(|byte| *byte == b'\n') else { return Ok(false) };
        let rest = waiting.split_off(end + 1);
        let lines = std::mem::replace(waiting, rest);
        let mut out = String::new();
        for line in String::from_utf8_lossy(&lines).lines().filter(|line| !line.is_empty()) {
            let value: Value = serde_json::from_str(line).unwrap_or_default();
            if let Some(error) = refusal(line) {
                return Err(Failure::failed(error));
            }
            if self.pretty {
                out.push_str(&pretty::line(&value));
            } else {
                out.push_str(line);
            }
            out.push('\n');
            // Of an event that is said in several messages all are asked for again if one is missing.
            if let Some(position) =
                value.get("position").and_then(Value::as_str).filter(|_| value.get("more").is_none())
            {
                position.clone_into(&mut self.cursor);
            }
        }
        let mut stdout = io::stdout().lock();
        match stdout.write_all(out.as_bytes()).and_then(|()| stdout.flush()) {
            Ok(()) => Ok(false),
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(true),
            Err(error) => Err(Failure::failed(error)),
        }
    }
}

/// What the server says against it.
fn refusal(text: &str) -> Option<String> {
    let value: Value = serde_json::from_str(text).ok()?;
    Some(value.get("error")?.get("message")?.as_str()?.to_owned())
}

/// The error and its causes.
fn without_url(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(&error);
    while let Some(inner) = cause {
        text = format!("{text}: {inner}");
        cause = inner.source();
    }
    text
}
