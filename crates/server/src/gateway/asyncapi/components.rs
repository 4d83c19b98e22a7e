//! Schemas and messages, each of them once.
//!
//! AsyncAPI's own schemas are those of JSON Schema draft 7 and a little more, so published schemas (2020-12) are put into
//! its words: definitions stand beside each other under names of their own, tuples have their older form, and what is said
//! of a reference stands around it.

use cordboard_dialects::Dialect;
use cordboard_dialects::catalogue::Entry;
use serde_json::{Map, Value, json};

use super::About;

const DEFINITIONS: &str = "#/$defs/";
const SCHEMAS: &str = "#/components/schemas/";
/// Under these stand schemas by name, not a schema.
const NAMED: [&str; 2] = ["properties", "patternProperties"];

/// What the rest of the document refers to.
#[derive(Default)]
pub(super) struct Components {
    schemas: Map<String, Value>,
    messages: Map<String, Value>,
    /// Definitions of dialects as they came, by the name they got.
    definitions: Map<String, Value>,
}

impl Components {
    /// A reference to the schema of a message of a dialect.
    pub(super) fn message_schema(&mut self, about: &About, dialect: &Dialect, entry: &Entry) -> Value {
        let name = format!("{}.{}", dialect.name, entry.name);
        if !self.schemas.contains_key(&name) {
            let schema = (dialect.schema)(&about.settings, &entry.name).unwrap_or_default();
            self.translate(dialect.name, &name, schema);
        }
        schema_reference(&name)
    }

    /// The schema of one member of a message that is told nowhere as it is.
    pub(super) fn member_schema(&mut self, about: &About, dialect: &Dialect, entry: &Entry, member: &str) -> Value {
        self.message_schema(about, dialect, entry);
        let whole = self.schemas.shift_remove(&format!("{}.{}", dialect.name, entry.name)).unwrap_or_default();
        whole.pointer(&format!("/properties/{member}")).cloned().unwrap_or_default()
    }

    /// Takes in a schema in the words of AsyncAPI; gives a reference to it.
    pub(super) fn schema(&mut self, name: &str, schema: Value) -> Value {
        self.schemas.entry(name).or_insert(schema);
        schema_reference(name)
    }

    /// Takes in a message.
    pub(super) fn message(&mut self, name: &str, message: Value) {
        self.messages.entry(name).or_insert(message);
    }

    /// All of it as it stands in the document.
    pub(super) fn into_value(self, security: Value) -> Value {
        json!({"schemas": self.schemas, "messages": self.messages, "securitySchemes": security})
    }

    fn translate(&mut self, vocabulary: &str, name: &str, mut schema: Value) {
        let definitions = schema.as_object_mut().and_then(|members| {
            members.shift_remove("$schema");
            members.shift_remove("$defs")
        });
        let Some(Value::Object(definitions)) = definitions else {
            self.schemas.insert(name.to_owned(), draft_7(&schema, name));
            return;
        };
        // Where a word means something else here than in another message, all words of this one are its own.
        let differs = |(word, definition): (&String, &Value)| {
            let shared = format!("{vocabulary}.{word}");
            let known = self.definitions.get(&shared);
            known.map_or(self.schemas.contains_key(&shared), |known| known != definition)
        };
        let prefix = if definitions.iter().any(differs) { name } else { vocabulary };
        self.schemas.insert(name.to_owned(), draft_7(&schema, prefix));
        for (word, definition) in definitions {
            let name = format!("{prefix}.{word}");
            self.schemas.insert(name.clone(), draft_7(&definition, prefix));
            self.definitions.insert(name, definition);
        }
    }
}

fn schema_reference(name: &str) -> Value {
    json!({"$ref": format!("{SCHEMAS}{name}")})
}

/// A schema in older words, whose definitions stand under names that begin with `prefix`.
fn draft_7(schema: &Value, prefix: &str) -> Value {
    match schema {
        Value::Object(members) => {
            let mut told: Map<String, Value> =
                members.iter().map(|(name, value)| member(name, value, prefix)).collect();
            if told.len() > 1
                && let Some(target) = told.shift_remove("$ref")
            {
                told.insert("allOf".to_owned(), json!([{"$ref": target}]));
            }
            Value::Object(told)
        }
        Value::Array(items) => items.iter().map(|item| draft_7(item, prefix)).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => schema.clone(),
    }
}

fn member(name: &str, value: &Value, prefix: &str) -> (String, Value) {
    let named = |(name, schema): (&String, &Value)| (name.clone(), draft_7(schema, prefix));
    match (name, value) {
        ("$ref", Value::String(target)) => {
            let target = target.strip_prefix(DEFINITIONS).map(|word| format!("{SCHEMAS}{prefix}.{word}"));
            ("$ref".to_owned(), target.map_or_else(|| value.clone(), Value::from))
        }
        ("prefixItems", value) => ("items".to_owned(), draft_7(value, prefix)),
        (name, Value::Object(schemas)) if NAMED.contains(&name) => {
            (name.to_owned(), Value::Object(schemas.iter().map(named).collect()))
        }
        (name, value) => (name.to_owned(), draft_7(value, prefix)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn newer_words_have_older_ones() {
        let newer = json!({
            "properties": {
                "items": {"description": "said", "$ref": "#/$defs/Word"},
                "pair": {"type": "array", "prefixItems": [{"$ref": "#/$defs/Word"}, {}], "minItems": 2, "maxItems": 2},
            },
        });
        let older = json!({
            "properties": {
                "items": {"description": "said", "allOf": [{"$ref": "#/components/schemas/x.Word"}]},
                "pair": {
                    "type": "array", "items": [{"$ref": "#/components/schemas/x.Word"}, {}], "minItems": 2, "maxItems": 2,
                },
            },
        });
        assert_eq!(draft_7(&newer, "x"), older);
    }

    #[test]
    fn one_word_for_two_things_is_told_apart() {
        let schema = |kind: &str| json!({"$ref": "#/$defs/Word", "$defs": {"Word": {"type": kind}}});
        let mut components = Components::default();
        for (name, kind) in [("d.a", "string"), ("d.b", "string"), ("d.c", "number")] {
            components.translate("d", name, schema(kind));
        }
        let meant = |name: &str| components.schemas[name]["$ref"].as_str().unwrap().to_owned();
        assert_eq!([meant("d.a"), meant("d.b")], ["#/components/schemas/d.Word"; 2].map(str::to_owned));
        assert_eq!(meant("d.c"), "#/components/schemas/d.c.Word");
        assert_eq!(components.schemas["d.c.Word"]["type"], "number");
        components.translate("d", "d.d", json!({"$ref": "#/$defs/a", "$defs": {"a": {"type": "null"}}}));
        assert_eq!(components.schemas["d.d.a"]["type"], "null", "a message has that name");
    }
}
