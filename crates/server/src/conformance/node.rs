//! An object of a model file, read member by member, so that an error can name its place.

use serde_json::{Map, Value};

/// An object and its place in the file.
pub(super) struct Node<'v> {
    path: String,
    members: Vec<(&'v str, &'v Value)>,
}

impl<'v> Node<'v> {
    /// The object at a place.
    pub(super) fn of(value: &'v Value, path: &str) -> Result<Self, String> {
        let members = value.as_object().ok_or_else(|| wrong(path, "an object", value))?;
        Ok(Self { path: path.to_string(), members: members.iter().map(|(key, value)| (key.as_str(), value)).collect() })
    }

    /// Whether it has this member.
    pub(super) fn has(&self, key: &str) -> bool {
        self.members.iter().any(|(name, _)| *name == key)
    }

    /// An error at this place.
    pub(super) fn error(&self, why: &str) -> String {
        format!("{}: {why}", self.path)
    }

    /// A text.
    pub(super) fn text(&mut self, key: &str) -> Result<Option<&'v str>, String> {
        self.typed(key, "a text", Value::as_str)
    }

    /// A text that must be there.
    pub(super) fn want_text(&mut self, key: &str) -> Result<&'v str, String> {
        let text = self.text(key)?;
        self.want(key, text)
    }

    /// A whole number of 0 or more.
    pub(super) fn number(&mut self, key: &str) -> Result<Option<u64>, String> {
        self.typed(key, "a whole number of 0 or more", Value::as_u64)
    }

    /// Seconds that must be there, in milliseconds.
    pub(super) fn seconds(&mut self, key: &str) -> Result<Option<u64>, String> {
        Ok(self.number(key)?.map(|seconds| seconds.saturating_mul(1_000)))
    }

    /// A number that must be there.
    pub(super) fn want_number(&mut self, key: &str) -> Result<u64, String> {
        let number = self.number(key)?;
        self.want(key, number)
    }

    /// A truth value; false where it is not there.
    pub(super) fn flag(&mut self, key: &str) -> Result<bool, String> {
        Ok(self.typed(key, "true or false", Value::as_bool)?.unwrap_or(false))
    }

    /// A truth value, if it is there.
    pub(super) fn truth(&mut self, key: &str) -> Result<Option<bool>, String> {
        self.typed(key, "true or false", Value::as_bool)
    }

    /// Any value.
    pub(super) fn value(&mut self, key: &str) -> Option<&'v Value> {
        let place = self.members.iter().position(|(name, _)| *name == key)?;
        Some(self.members.remove(place).1)
    }

    /// The members of an object; none where it is not there.
    pub(super) fn members(&mut self, key: &str) -> Result<Map<String, Value>, String> {
        Ok(self.typed(key, "an object", Value::as_object)?.cloned().unwrap_or_default())
    }

    /// An object within this one.
    pub(super) fn object(&mut self, key: &str) -> Result<Option<Self>, String> {
        let path = self.place(key);
        self.value(key).map(|value| Self::of(value, &path)).transpose()
    }

    /// The elements of a list, each with its place; none where it is not there.
    pub(super) fn list(&mut self, key: &str) -> Result<Vec<(String, &'v Value)>, String> {
        let path = self.place(key);
        let list = self.typed(key, "a list", Value::as_array)?.map(Vec::as_slice).unwrap_or_default();
        Ok(list.iter().enumerate().map(|(place, value)| (format!("{path}[{place}]"), value)).collect())
    }

    /// A list of texts; empty where it is not there.
    pub(super) fn texts(&mut self, key: &str) -> Result<Vec<String>, String> {
        let text = |(path, value): (String, &Value)| {
            value.as_str().map(str::to_string).ok_or_else(|| wrong(&path, "a text", value))
        };
        self.list(key)?.into_iter().map(text).collect()
    }

    /// Everything must have been read.
    pub(super) fn end(self) -> Result<(), String> {
        match self.members.first() {
            Some((key, _)) => Err(format!("{}: {key:?} means nothing here", self.path)),
            None => Ok(()),
        }
    }

    fn typed<T>(
        &mut self,
        key: &str,
        wanted: &str,
        read: impl FnOnce(&'v Value) -> Option<T>,
    ) -> Result<Option<T>, String> {
        let path = self.place(key);
        let Some(value) = self.value(key) else { return Ok(None) };
        read(value).map(Some).ok_or_else(|| wrong(&path, wanted, value))
    }

    fn want<T>(&self, key: &str, value: Option<T>) -> Result<T, String> {
        value.ok_or_else(|| format!("{}: {key:?} is missing", self.path))
    }

    fn place(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_string() } else { format!("{}.{key}", self.path) }
    }
}

fn wrong(path: &str, wanted: &str, value: &Value) -> String {
    format!("{path}: expected {wanted}, found {value}")
}
