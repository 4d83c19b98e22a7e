//! Where the JSON Schemas of messages are published, and what is published there.
//!
//! A place holds the dialect, the version of its schemas and the way of writing, so what stands at a place allows the same
//! for ever: a record that was written years ago still points at what it was written by.

use serde_json::{Map, Value};

use crate::{DIALECTS, Dialect, Settings, Style};

/// What all places begin with.
pub const ROOT: &str = "/schemas";

/// Why schemas are closed, for those who wonder.
const CLOSED: &str = "It names everything that this version writes, and nothing else may be there. Later versions may \
    write more: a reader should pass over members it does not know, and who checks messages takes the schema that they \
    name.";

/// A schema with its place.
#[derive(Clone, Debug, PartialEq)]
pub struct Published {
    /// The dialect's name.
    pub dialect: &'static str,
    /// The message's name, or the request's.
    pub name: String,
    /// Its place, as [`schema_path`] says it.
    pub path: String,
    /// The schema (2020-12); its `$id` is its place, so whoever fetched it from somewhere knows it by the whole URL.
    pub schema: Value,
}

/// The place of the schema of a message as a site with these settings writes it: `/schemas/genesys/v1/EventRinging.json`.
/// To be put behind the address of the server.
#[must_use]
pub fn schema_path(settings: &Settings, dialect: &Dialect, name: &str) -> String {
    let style = dialect.styles.iter().find(|style| (style.is_chosen)(settings)).map_or("", |style| style.suffix);
    format!("{ROOT}/{}/v{}{style}/{name}.json", dialect.name, dialect.version)
}

/// The schema of a message or request as it is published; none where there is no such thing.
#[must_use]
pub fn schema(settings: &Settings, dialect: &Dialect, name: &str) -> Option<Value> {
    Some(with_id((dialect.schema)(settings, name)?, &schema_path(settings, dialect, name)))
}

/// Every schema of every dialect in every style: what sites that chose differently write as well, since what is kept may
/// have been written before somebody chose.
#[must_use]
pub fn schemas() -> Vec<Published> {
    DIALECTS.iter().flat_map(|dialect| dialect.styles.iter().flat_map(|style| of_style(dialect, style))).collect()
}

fn of_style(dialect: &'static Dialect, style: &Style) -> Vec<Published> {
    let settings = (style.settings)();
    let catalogue = (dialect.catalogue)();
    let names = catalogue.events.iter().map(|entry| &entry.name);
    let names = names.chain(catalogue.requests.iter().map(|entry| &entry.name));
    let published = |name: &alloc::borrow::Cow<'static, str>| {
        let (path, schema) = (schema_path(&settings, dialect, name), schema(&settings, dialect, name)?);
        Some(Published { dialect: dialect.name, name: name.to_string(), path, schema })
    };
    names.filter_map(published).collect()
}

/// The schema with its place and what readers should know, right after what it is written in.
fn with_id(schema: Value, path: &str) -> Value {
    let Value::Object(mut members) = schema else { return schema };
    let mut named = Map::new();
    if let Some(dialect) = members.shift_remove("$schema") {
        named.insert("$schema".to_owned(), dialect);
    }
    named.insert("$id".to_owned(), Value::from(path));
    named.insert("$comment".to_owned(), Value::from(CLOSED));
    named.extend(members);
    Value::Object(named)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::find;
    use crate::genesys::enums::EnumStyle;

    #[test]
    fn what_a_site_writes_has_its_place_by_its_choice() {
        let genesys = find("genesys").unwrap();
        let mut settings = Settings::default();
        assert_eq!(schema_path(&settings, genesys, "EventRinging"), "/schemas/genesys/v1/EventRinging.json");
        settings.genesys.enum_style = EnumStyle::Number;
        assert_eq!(schema_path(&settings, genesys, "EventRinging"), "/schemas/genesys/v1-number/EventRinging.json");
        let own = find("cordboard").unwrap();
        assert_eq!(schema_path(&settings, own, "event"), "/schemas/cordboard/v1/event.json");
    }

    #[test]
    fn each_place_holds_one_schema_and_a_style_is_chosen_by_its_own_settings() {
        let all = schemas();
        let places: BTreeSet<&str> = all.iter().map(|one| &*one.path).collect();
        assert_eq!(places.len(), all.len());
        for one in &all {
            assert_eq!(one.schema["$id"], *one.path);
            assert!(jsonschema::meta::is_valid(&one.schema), "{}", one.path);
        }
        for dialect in DIALECTS {
            for style in dialect.styles {
                let settings = (style.settings)();
                assert!((style.is_chosen)(&settings));
                let places = dialect.styles.iter().filter(|other| (other.is_chosen)(&settings)).count();
                assert_eq!(places, 1, "{} {:?}", dialect.name, style.suffix);
            }
            assert!(dialect.styles.first().is_some_and(|style| (style.is_chosen)(&Settings::default())));
        }
    }
}
