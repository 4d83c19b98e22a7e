//! A line of a story as words: bare words, `"words with blanks"`, and `key=value`.

use std::fmt::Write as _;

use cordboard_core::event::{Datum, Pairs};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// What is wrong with a story.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {why}")]
pub struct StoryError {
    /// Which line, from 1.
    pub line: usize,
    /// What is wrong with it, and what would be right.
    pub why: String,
}

/// The words of a line, taken one by one.
#[derive(Debug, Default)]
pub(super) struct Line {
    words: std::collections::VecDeque<String>,
    pairs: Vec<(String, Value)>,
}

#[derive(Debug)]
struct Value {
    text: String,
    quoted: bool,
}

impl Line {
    /// Cuts a line into its words.
    pub(super) fn read(text: &str) -> Result<Self, String> {
        let mut line = Self::default();
        let mut rest = text.trim();
        while !rest.is_empty() {
            if let Some(quoted) = rest.strip_prefix('"') {
                let (word, after) = unquote(quoted)?;
                line.words.push_back(word);
                rest = after.trim_start();
                continue;
            }
            if rest.starts_with('{') {
                let (word, after) = rest.split_at(object_end(rest)?);
                line.words.push_back(word.to_string());
                rest = after.trim_start();
                continue;
            }
            let end = rest.find(|c: char| c.is_whitespace() || c == '=').unwrap_or(rest.len());
            let (word, after) = rest.split_at(end);
            let Some(value) = after.strip_prefix('=') else {
                line.words.push_back(word.to_string());
                rest = after.trim_start();
                continue;
            };
            let (value, after) = match value.strip_prefix('"') {
                Some(quoted) => {
                    let (text, after) = unquote(quoted)?;
                    (Value { text, quoted: true }, after)
                }
                None => {
                    let (text, after) = value.split_at(value.find(char::is_whitespace).unwrap_or(value.len()));
                    (Value { text: text.to_string(), quoted: false }, after)
                }
            };
            line.pairs.push((word.to_string(), value));
            rest = after.trim_start();
        }
        Ok(line)
    }

    /// The next bare word.
    pub(super) fn next(&mut self) -> Option<String> {
        self.words.pop_front()
    }

    /// The next bare word, which must be there.
    pub(super) fn want(&mut self, what: &str) -> Result<String, String> {
        self.next().ok_or_else(|| format!("{what} is missing"))
    }

    /// The next bare word, which is one of an enumeration.
    pub(super) fn want_word<T: DeserializeOwned>(&mut self, what: &str) -> Result<T, String> {
        word(&self.want(what)?).map_err(|why| format!("{what}: {why}"))
    }

    /// `on` or `off`.
    pub(super) fn want_switch(&mut self) -> Result<bool, String> {
        match self.want("on or off")?.as_str() {
            "on" => Ok(true),
            "off" => Ok(false),
            other => Err(format!("{other:?} is neither on nor off")),
        }
    }

    /// Whether this bare word stands somewhere; it is taken.
    pub(super) fn flag(&mut self, name: &str) -> bool {
        let place = self.words.iter().position(|word| word == name);
        place.and_then(|place| self.words.remove(place)).is_some()
    }

    /// The bare word after this one, both are taken.
    pub(super) fn after(&mut self, name: &str) -> Result<Option<String>, String> {
        let Some(place) = self.words.iter().position(|word| word == name) else { return Ok(None) };
        self.words.remove(place);
        self.words.remove(place).map(Some).ok_or_else(|| format!("a name is missing after {name:?}"))
    }

    /// The value of a key, if it is there.
    pub(super) fn pair(&mut self, key: &str) -> Option<String> {
        let place = self.pairs.iter().position(|(name, _)| name == key)?;
        Some(self.pairs.remove(place).1.text)
    }

    /// The value of a key, which must be there.
    pub(super) fn want_pair(&mut self, key: &str) -> Result<String, String> {
        self.pair(key).ok_or_else(|| format!("{key}=… is missing"))
    }

    /// The value of a key, which is a word of an enumeration.
    pub(super) fn pair_word<T: DeserializeOwned>(&mut self, key: &str) -> Result<Option<T>, String> {
        self.pair(key).map(|text| word(&text).map_err(|why| format!("{key}: {why}"))).transpose()
    }

    /// The value of a key, which is a time.
    pub(super) fn pair_ms(&mut self, key: &str) -> Result<Option<u64>, String> {
        self.pair(key).map(|text| ms(&text)).transpose()
    }

    /// The value of a key, which is a list with commas.
    pub(super) fn pair_list(&mut self, key: &str) -> Vec<String> {
        self.pair(key).map(|text| text.split(',').map(str::to_string).collect()).unwrap_or_default()
    }

    /// All pairs whose key begins with `prefix` and a point; further points make pairs in pairs.
    pub(super) fn pairs(&mut self, prefix: &str) -> Result<Pairs, String> {
        let mut found = Pairs::new();
        let mut rest = Vec::new();
        for (name, value) in std::mem::take(&mut self.pairs) {
            match name.strip_prefix(prefix).and_then(|key| key.strip_prefix('.')) {
                Some(key) => insert(&mut found, key, datum(value)).map_err(|()| format!("{name} is there twice"))?,
                None => rest.push((name, value)),
            }
        }
        self.pairs = rest;
        Ok(found)
    }

    /// Everything must have been taken.
    pub(super) fn end(self) -> Result<(), String> {
        if let Some(word) = self.words.front() {
            return Err(format!("{word:?} means nothing here"));
        }
        match self.pairs.first() {
            Some((key, _)) => Err(format!("{key}=… means nothing here")),
            None => Ok(()),
        }
    }
}

/// Words to be written as a line.
#[derive(Debug, Default)]
pub(super) struct Words(String);

impl Words {
    /// A bare word.
    pub(super) fn word(&mut self, word: &str) -> &mut Self {
        self.gap();
        let plain = !word.is_empty() && !word.contains(|c: char| c.is_whitespace() || c == '=' || c == '"');
        if plain {
            self.0.push_str(word)
        } else {
            self.quote(word)
        }
        self
    }

    /// A JSON object, as it is.
    pub(super) fn object(&mut self, value: &impl Serialize) -> &mut Self {
        self.gap();
        self.0.push_str(&serde_json::to_string(value).unwrap_or_default());
        self
    }

    /// A word of an enumeration.
    pub(super) fn of(&mut self, word: impl Serialize) -> &mut Self {
        self.word(&name(word))
    }

    /// A pair, if there is a value.
    pub(super) fn pair(&mut self, key: &str, value: Option<&str>) -> &mut Self {
        if let Some(value) = value {
            self.gap();
            self.0.push_str(key);
            self.0.push('=');
            let plain = !value.is_empty() && !value.contains(|c: char| c.is_whitespace() || c == '"');
            if plain { self.0.push_str(value) } else { self.quote(value) }
        }
        self
    }

    /// A pair of a time, if there is one.
    pub(super) fn pair_ms(&mut self, key: &str, value: Option<u64>) -> &mut Self {
        self.pair(key, value.map(time).as_deref())
    }

    /// A pair of a list, if it is not empty.
    pub(super) fn pair_list(&mut self, key: &str, list: &[String]) -> &mut Self {
        self.pair(key, (!list.is_empty()).then(|| list.join(",")).as_deref())
    }

    /// A bare word, if it is so.
    pub(super) fn flag(&mut self, name: &str, is_so: bool) -> &mut Self {
        if is_so { self.word(name) } else { self }
    }

    /// Pairs with a prefix; pairs in pairs by further points.
    pub(super) fn pairs(&mut self, prefix: &str, pairs: &Pairs) -> &mut Self {
        for (key, datum) in pairs {
            let key = format!("{prefix}.{key}");
            match datum {
                Datum::Pairs(pairs) => {
                    self.pairs(&key, pairs);
                }
                Datum::Integer(number) => {
                    self.pair(&key, Some(&number.to_string()));
                }
                Datum::Text(text) if text.parse::<i64>().is_ok() => {
                    self.gap();
                    _ = write!(self.0, "{key}=");
                    self.quote(text);
                }
                Datum::Text(text) => {
                    self.pair(&key, Some(text));
                }
            }
        }
        self
    }

    /// The line.
    pub(super) fn line(self) -> String {
        self.0
    }

    fn gap(&mut self) {
        if !self.0.is_empty() {
            self.0.push(' ');
        }
    }

    fn quote(&mut self, text: &str) {
        _ = write!(self.0, "\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""));
    }
}

/// The word of an enumeration's value: as it is stored, with hyphens.
pub(super) fn name(value: impl Serialize) -> String {
    let value = serde_json::to_value(value).unwrap_or_default();
    value.as_str().unwrap_or_default().replace('_', "-")
}

/// A value of an enumeration.
pub(super) fn word<T: DeserializeOwned>(text: &str) -> Result<T, String> {
    serde_json::from_value(serde_json::Value::from(text.replace('-', "_"))).map_err(|error| {
        // The stored names have underscores where a story has hyphens.
        error.to_string().replace('_', "-")
    })
}

/// A time in words: `15s`, `250ms`.
pub(super) fn time(ms: u64) -> String {
    if ms.is_multiple_of(1_000) { format!("{}s", ms / 1_000) } else { format!("{ms}ms") }
}

/// Milliseconds of a time in words.
pub(super) fn ms(text: &str) -> Result<u64, String> {
    let (digits, unit) = match text.strip_suffix("ms") {
        Some(digits) => (digits, 1),
        None => (text.strip_suffix('s').unwrap_or(""), 1_000),
    };
    digits
        .parse::<u64>()
        .ok()
        .and_then(|number| number.checked_mul(unit))
        .ok_or_else(|| format!("{text:?} is no time; right would be 15s or 250ms"))
}

/// Where the JSON object ends that a text begins with.
fn object_end(text: &str) -> Result<usize, String> {
    let mut objects = serde_json::Deserializer::from_str(text).into_iter::<serde::de::IgnoredAny>();
    match objects.next() {
        Some(Ok(_)) => Ok(objects.byte_offset()),
        Some(Err(error)) => Err(format!("what begins with {{ is no JSON object: {error}")),
        None => Err("a JSON object is missing".to_string()),
    }
}

/// Splits a text behind its closing quotation mark; `text` begins behind the opening one.
fn unquote(text: &str) -> Result<(String, &str), String> {
    let mut word = String::new();
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return Ok((word, text.get(at + 1..).unwrap_or_default())),
            '\\' => word.extend(chars.next().map(|(_, c)| c)),
            c => word.push(c),
        }
    }
    Err("a closing quotation mark is missing".to_string())
}

fn datum(value: Value) -> Datum {
    match value.text.parse::<i64>() {
        Ok(number) if !value.quoted => Datum::Integer(number),
        Ok(_) | Err(_) => Datum::Text(value.text),
    }
}

fn insert(pairs: &mut Pairs, key: &str, datum: Datum) -> Result<(), ()> {
    let Some((key, rest)) = key.split_once('.') else {
        return pairs.insert(key.to_string(), datum).map_or(Ok(()), |_| Err(()));
    };
    let inner = pairs.entry(key.to_string()).or_insert_with(|| Datum::Pairs(Pairs::new()));
    match inner {
        Datum::Pairs(inner) => insert(inner, rest, datum),
        Datum::Integer(_) | Datum::Text(_) => Err(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_read_as_they_are_written() {
        let mut data = Pairs::new();
        data.insert("Order".into(), Datum::from("4711"));
        data.insert("Items".into(), Datum::Integer(3));
        data.insert("Prompt".into(), Datum::Pairs(Pairs::from([("Text".to_string(), Datum::from("say \"A\" \\ B"))])));
        let mut words = Words::default();
        words
            .word("ask")
            .word("two words")
            .pair("queue", Some("6001"))
            .pairs("data", &data)
            .pair_ms("ring", Some(1_500));
        let text = words.line();
        let mut line = Line::read(&text).unwrap();
        assert_eq!(line.next().as_deref(), Some("ask"));
        assert_eq!(line.next().as_deref(), Some("two words"));
        assert_eq!(line.pair("queue").as_deref(), Some("6001"));
        assert_eq!(line.pairs("data"), Ok(data), "{text}");
        assert_eq!(line.pair_ms("ring"), Ok(Some(1_500)));
        assert_eq!(line.end(), Ok(()));
    }

    #[test]
    fn an_object_is_one_word_as_it_is() {
        let value = serde_json::json!({"a b": {"c": ["}", "\"x=\""]}});
        let mut words = Words::default();
        words.word("change").object(&value).word("next");
        let text = words.line();
        let mut line = Line::read(&text).unwrap();
        line.next();
        assert_eq!(line.next(), Some(value.to_string()), "{text}");
        assert_eq!((line.next().as_deref(), line.end()), (Some("next"), Ok(())));
        assert!(Line::read("change {\"a\":").unwrap_err().contains("no JSON object"));
    }

    #[test]
    fn errors_say_what_would_be_right() {
        assert!(Line::read("ask \"open").unwrap_err().contains("quotation mark"));
        assert!(ms("5").unwrap_err().contains("15s"));
        assert!(word::<cordboard_core::event::WorkMode>("auto").unwrap_err().contains("auto-in"));
        let mut line = Line::read("busy colour=red").unwrap();
        assert!(line.flag("busy"));
        assert_eq!(line.end(), Err("colour=… means nothing here".to_string()));
    }
}
