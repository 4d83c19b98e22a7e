//! `cordboard catalogue`.

use std::fmt::Write as _;
use std::io::IsTerminal;

use cordboard_dialects::catalogue::{Catalogue, Entry, Field, Presence, RequestEntry};
use cordboard_dialects::{DIALECTS, Dialect, Settings, find, published, schema_path};
use serde_json::Value;

use super::{Failure, print};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The vocabulary; without it all are listed
    dialect: Option<String>,
    /// The message or request; its fields are shown, in a pipe its JSON Schema
    event: Option<String>,
    /// Print JSON also on a terminal: the catalogue, or the JSON Schema of the message or request
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    let json = args.json || !std::io::stdout().is_terminal();
    let Some(name) = &args.dialect else { return print(&all(json)) };
    let dialect = find(name).ok_or_else(|| {
        let known: Vec<&str> = DIALECTS.iter().map(|dialect| dialect.name).collect();
        Failure::wrong_usage(format!("there is no dialect {name:?}; right would be one of: {}", known.join(", ")))
    })?;
    let catalogue = (dialect.catalogue)();
    let Some(event) = &args.event else {
        return print(&if json { pretty(&with_places(dialect, &catalogue)) } else { overview(&catalogue) });
    };
    if let Some(request) = catalogue.request(event) {
        return print(&if json { schema(dialect, &request.name) } else { request_details(dialect, request) });
    }
    let entry = catalogue.entry(event).ok_or_else(|| {
        let message =
            format!("{name} has no message or request {event:?}; `cordboard catalogue {name}` lists them all");
        Failure::wrong_usage(message)
    })?;
    print(&if json { schema(dialect, &entry.name) } else { details(dialect, entry) })
}

fn all(json: bool) -> String {
    if json {
        let value: Vec<_> = DIALECTS
            .iter()
            .map(|it| serde_json::json!({"dialect": it.name, "summary": it.summary, "channels": it.channels}))
            .collect();
        return pretty(&value);
    }
    DIALECTS.iter().fold(String::new(), |mut text, dialect| {
        _ = writeln!(text, "{:<12} {}", dialect.name, dialect.summary);
        text
    })
}

fn pretty(value: &impl serde::Serialize) -> String {
    // What comes from the catalogue has a JSON form; its tests would tell otherwise.
    serde_json::to_string_pretty(value).unwrap_or_default() + "\n"
}

fn schema(dialect: &Dialect, name: &str) -> String {
    pretty(&published::schema(&Settings::default(), dialect, name).unwrap_or_default())
}

/// Where the schema is published.
fn place(dialect: &Dialect, name: &str) -> String {
    schema_path(&Settings::default(), dialect, name)
}

/// The catalogue, with where the schema of each message and request is published.
fn with_places(dialect: &Dialect, catalogue: &Catalogue) -> Value {
    let mut value = serde_json::to_value(catalogue).unwrap_or_default();
    for list in ["events", "requests"] {
        for entry in value.get_mut(list).and_then(Value::as_array_mut).into_iter().flatten() {
            let path = entry.get("name").and_then(Value::as_str).map(|name| place(dialect, name));
            if let (Some(path), Some(entry)) = (path, entry.as_object_mut()) {
                entry.insert("schema".to_owned(), path.into());
            }
        }
    }
    value
}

fn overview(catalogue: &Catalogue) -> String {
    let width = catalogue.events.iter().map(|entry| entry.name.len()).max().unwrap_or(0);
    let mut text = format!("{}: {}\n\n", catalogue.dialect, catalogue.summary);
    for entry in &catalogue.events {
        _ = writeln!(text, "{:<width$}  {:<20}  {}", entry.name, entry.channel, entry.summary);
    }
    if !catalogue.requests.is_empty() {
        text.push_str("\nrequests:\n\n");
    }
    for entry in &catalogue.requests {
        _ = writeln!(text, "{:<width$}  {}", entry.name, entry.summary);
    }
    text
}

fn details(dialect: &Dialect, entry: &Entry) -> String {
    let mut text = format!("{}\n{}\n\nchannel    {}\n", entry.name, entry.summary, entry.channel);
    if !entry.caused_by.is_empty() {
        _ = writeln!(text, "caused by  {}", entry.caused_by.join(", "));
    }
    if let Some(basis) = entry.basis {
        _ = writeln!(text, "basis      {basis}");
    }
    _ = writeln!(text, "schema     {}", place(dialect, &entry.name));
    text.push('\n');
    fields(&mut text, &entry.fields);
    text
}

fn request_details(dialect: &Dialect, entry: &RequestEntry) -> String {
    let mut text = format!("{}\n{}\n\nschema     {}\n\n", entry.name, entry.summary, place(dialect, &entry.name));
    fields(&mut text, &entry.parameters);
    text.push_str("\nrefused as\n");
    for refused in &entry.refusals {
        _ = writeln!(text, "{:>5}  {:<34}  {}", refused.code, refused.name, refused.refusal);
    }
    text
}

fn fields(text: &mut String, fields: &[Field]) {
    let width = fields.iter().map(|field| field.name.len()).max().unwrap_or(0);
    for field in fields {
        let presence = match field.presence {
            Presence::Mandatory => "always",
            Presence::Optional => "optional",
            Presence::Disputed => "disputed",
        };
        let kind = field.enumeration.map_or(&*field.json_type, |name| name);
        _ = writeln!(text, "{:<width$}  {kind:<16}  {presence:<8}  {}", field.name, field.summary);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_message_of_every_dialect_can_be_shown() {
        assert_eq!(all(false).lines().count(), DIALECTS.len());
        for dialect in DIALECTS {
            let catalogue = (dialect.catalogue)();
            let shown = with_places(dialect, &catalogue);
            for entry in shown["events"].as_array().unwrap() {
                let name = entry["name"].as_str().unwrap();
                assert_eq!(entry["schema"], place(dialect, name));
                assert!(schema(dialect, name).contains(&place(dialect, name)));
            }
            let overview = overview(&catalogue);
            for entry in &catalogue.events {
                assert!(overview.contains(&*entry.name));
                let details = details(dialect, entry);
                assert!(entry.fields.iter().all(|field| details.contains(&*field.name)));
                assert!(details.contains(&place(dialect, &entry.name)));
                assert!(schema(dialect, &entry.name).contains("properties"));
            }
            for entry in &catalogue.requests {
                assert!(overview.contains(&*entry.name));
                let details = request_details(dialect, entry);
                assert!(entry.parameters.iter().all(|field| details.contains(&*field.name)));
                assert!(entry.refusals.iter().all(|refused| details.contains(refused.name)));
                assert!(schema(dialect, &entry.name).contains("properties"));
            }
        }
    }
}
