//! `cordboard scenario`.

use std::fmt::Write as _;
use std::fs;
use std::io::IsTerminal;

use cordboard_dialects::{DIALECTS, Dialect, find, genesys};

use super::{Failure, print};
use crate::scenario::{Played, Player, Story, expected, ladder, library};
use crate::stage::Told;

#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// List the stories that come with the program
    List,
    /// Play a story on the built-in switch, in no time: on a terminal under each step what is told, in a pipe one JSON
    /// value a line
    Run(RunArgs),
}

#[derive(Debug, clap::Args)]
pub(super) struct RunArgs {
    /// A story that comes with the program, or a file
    story: String,
    /// The vocabulary of the messages
    #[arg(long, default_value = "genesys")]
    dialect: String,
    /// Print a Mermaid sequence diagram instead
    #[arg(long, conflicts_with = "dialect")]
    ladder: bool,
    /// Print one JSON value a line also on a terminal
    #[arg(long, conflicts_with = "ladder")]
    json: bool,
}

const TENANT: &str = "default";

pub(super) fn run(command: &Command) -> Result<(), Failure> {
    match command {
        Command::List => print(&list()),
        Command::Run(args) => play(args),
    }
}

fn list() -> String {
    library::STORIES.iter().fold(String::new(), |mut text, entry| {
        let title = entry.text.lines().next().unwrap_or_default().trim_start_matches(['#', ' ']);
        _ = writeln!(text, "{:<34} {title}", entry.name);
        text
    })
}

fn play(args: &RunArgs) -> Result<(), Failure> {
    let text = match library::find(&args.story) {
        Some(text) => text.to_string(),
        None => fs::read_to_string(&args.story).map_err(|error| {
            let wrong = format!(
                "{:?} is no story that comes with the program (`cordboard scenario list` names them), and as a file it \
                 cannot be read: {error}",
                args.story
            );
            Failure::wrong_usage(wrong)
        })?,
    };
    let story: Story = text.parse().map_err(|error| Failure::wrong_usage(format!("{}: {error}", args.story)))?;
    let dialect = if args.ladder { &genesys::DIALECT } else { dialect(&args.dialect)? };
    let (player, opening, played) = Player::play(TENANT, &story, &[dialect]);
    if let Some(stuck) = player.rehearsal.stuck() {
        return Err(Failure::failed(format!("time does not pass beyond {stuck:?}: the built-in switch is at fault")));
    }
    if args.ladder {
        return print(&ladder::diagram(&story, &played, 0));
    }
    if args.json || !std::io::stdout().is_terminal() {
        return print(&lines(&opening, &played));
    }
    print(&expected::text(&story, &opening, &played, 0))
}

/// As `replay` writes them, with the step: 0 for the beginning.
fn lines(opening: &[Told], played: &[Played]) -> String {
    let steps = std::iter::once(opening).chain(played.iter().map(|played| played.told.as_slice()));
    let mut text = String::new();
    for (step, told) in steps.enumerate() {
        for message in told.iter().flat_map(|told| &told.messages).flatten() {
            let key = serde_json::Value::from(message.key.as_str());
            let (channel, value) = (message.channel, &message.value);
            _ = writeln!(text, "{{\"step\":{step},\"channel\":\"{channel}\",\"key\":{key},\"value\":{value}}}");
        }
    }
    text
}

fn dialect(name: &str) -> Result<&'static Dialect, Failure> {
    find(name).ok_or_else(|| {
        let known: Vec<&str> = DIALECTS.iter().map(|dialect| dialect.name).collect();
        Failure::wrong_usage(format!("there is no dialect {name:?}; right would be one of: {}", known.join(", ")))
    })
}
