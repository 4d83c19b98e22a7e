//! Schemas and messages, each of them once.
//!
//! AsyncAPI's own schemas are those of JSON Schema draft 7 and a little more, so published schemas (2020-12) are put into
//! its words: definitions stand beside each other under names of their own, tuples have their older form, choices between
//! words are enumerations.

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
    pub(super) fn schema(&mut self, name: &str, mut schema: Value) -> Value {
        entitle(&mut schema, name);
        self.schemas.entry(name).or_insert(schema);
        schema_reference(name)
    }

    /// Takes in a message. A payload of its own is called like the message, for programs that make types of it.
    pub(super) fn message(&mut self, name: &str, mut message: Value) {
        if let Some(payload) = message.get_mut("payload").filter(|payload| payload.get("$ref").is_none()) {
            entitle(payload, name);
        }
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
            let mut schema = draft_7(&definition, prefix);
            entitle(&mut schema, &name);
            self.schemas.insert(name.clone(), schema);
            self.definitions.insert(name, definition);
        }
    }
}

fn schema_reference(name: &str) -> Value {
    json!({"$ref": format!("{SCHEMAS}{name}")})
}

/// Programs that make types of schemas call them by their titles.
fn entitle(schema: &mut Value, title: &str) {
    if let Some(members) = schema.as_object_mut() {
        members.entry("title").or_insert_with(|| title.into());
    }
}

/// A schema in older words, whose definitions stand under names that begin with `prefix`.
fn draft_7(schema: &Value, prefix: &str) -> Value {
    match schema {
        Value::Object(members) => {
            let choices = members.get("oneOf").and_then(Value::as_array);
            if let Some(words) = choices.and_then(|choices| words(choices)) {
                return enumeration(members, &words);
            }
            let mut told: Map<String, Value> =
                members.iter().map(|(name, value)| member(name, value, prefix)).collect();
            if let Some(target) = told.shift_remove("$ref") {
                // Beside a reference nothing counts. What is said there stands in the published schema; programs that make
                // types of the document make one of what is referred to.
                let says_only = told.keys().all(|name| ["description", "title", "default"].contains(&name.as_str()));
                if says_only {
                    return json!({"$ref": target});
                }
                told.insert("allOf".to_owned(), json!([{"$ref": target}]));
            }
            Value::Object(told)
        }
        Value::Array(items) => items.iter().map(|item| draft_7(item, prefix)).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => schema.clone(),
    }
}

/// The words that a choice is between, with what is said of each; none where it is between anything else.
fn words(choices: &[Value]) -> Option<Vec<(&str, &str)>> {
    choices.iter().map(word).collect()
}

fn word(choice: &Value) -> Option<(&str, &str)> {
    let members = choice.as_object()?;
    let is_word = members.keys().all(|key| ["type", "const", "description"].contains(&key.as_str()));
    let word = members.get("const").filter(|_| is_word)?.as_str()?;
    Some((word, members.get("description").and_then(Value::as_str).unwrap_or_default()))
}

/// A choice between words as an enumeration, of which programs make one, with what is said of each word in its description.
fn enumeration(members: &Map<String, Value>, words: &[(&str, &str)]) -> Value {
    let mut told = members.clone();
    told.shift_remove("oneOf");
    let said = words.iter().filter(|(_, said)| !said.is_empty()).map(|(word, said)| format!("- `{word}`: {said}"));
    let about = members.get("description").and_then(Value::as_str).map(str::to_owned);
    let about: Vec<String> = about.into_iter().map(|about| about + "\n").chain(said).collect();
    told.insert("type".to_owned(), "string".into());
    told.insert("enum".to_owned(), words.iter().map(|(word, _)| *word).collect());
    if !about.is_empty() {
        told.insert("description".to_owned(), about.join("\n").into());
    }
    Value::Object(told)
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
                "long": {"minLength": 3, "$ref": "#/$defs/Word"},
                "pair": {"type": "array", "prefixItems": [{"$ref": "#/$defs/Word"}, {}], "minItems": 2, "maxItems": 2},
            },
        });
        let older = json!({
            "properties": {
                "items": {"$ref": "#/components/schemas/x.Word"},
                "long": {"minLength": 3, "allOf": [{"$ref": "#/components/schemas/x.Word"}]},
                "pair": {
                    "type": "array", "items": [{"$ref": "#/components/schemas/x.Word"}, {}], "minItems": 2, "maxItems": 2,
                },
            },
        });
        assert_eq!(draft_7(&newer, "x"), older);
    }

    #[test]
    fn a_choice_between_words_is_an_enumeration() {
        let word = |word: &str, said: &str| json!({"type": "string", "const": word, "description": said});
        let choice = json!({"oneOf": [word("a", "One."), word("b", "Other.")], "description": "Which."});
        let told = json!({"description": "Which.\n\n- `a`: One.\n- `b`: Other.", "type": "string", "enum": ["a", "b"]});
        assert_eq!(draft_7(&choice, "x"), told);
        let mixed = json!({"oneOf": [word("a", "One."), {"type": "object"}]});
        assert_eq!(draft_7(&mixed, "x"), mixed);
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
