//! Bodies and queries, read with care: what is not understood is refused, never passed over.

use axum::http::Uri;
use cordboard_dialects::near::close;
use schemars::{JsonSchema, SchemaGenerator};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::super::access::Refusal;
use super::route::Parameter;

/// The parameters of a query by the names in the table, whatever their case.
pub(super) fn query(uri: &Uri, known: &'static [Parameter]) -> Result<Vec<(&'static str, String)>, Refusal> {
    let axum::extract::Query(given) = axum::extract::Query::<Vec<(String, String)>>::try_from_uri(uri)
        .map_err(|error| Refusal::wrong(error.body_text()))?;
    let mut read: Vec<(&str, String)> = Vec::new();
    for (name, value) in given {
        let Some(parameter) = known.iter().find(|parameter| parameter.name.eq_ignore_ascii_case(&name)) else {
            let right = proposal(&name, known.iter().map(|parameter| parameter.name));
            return Err(Refusal::wrong(format!("the query has no parameter {}; right would be {right}", shown(&name))));
        };
        if read.iter().any(|(name, _)| *name == parameter.name) {
            return Err(Refusal::wrong(format!("{} is there twice; right would be once", parameter.name)));
        }
        read.push((parameter.name, value));
    }
    Ok(read)
}

/// A body of this form. Members are found in any case.
pub(super) fn body<T: DeserializeOwned + JsonSchema>(value: Value) -> Result<T, Refusal> {
    let Value::Object(given) = value else {
        return Err(Refusal::wrong("the body must be a JSON object"));
    };
    let schema = SchemaGenerator::default().into_root_schema_for::<T>();
    let nothing = Map::new();
    let known = schema.get("properties").and_then(Value::as_object).unwrap_or(&nothing);
    let mut read = Map::new();
    for (name, value) in given {
        let Some(right) = known.keys().find(|known| known.eq_ignore_ascii_case(&name)) else {
            let right = proposal(&name, known.keys().map(String::as_str));
            return Err(Refusal::wrong(format!("the body has no member {}; right would be {right}", shown(&name))));
        };
        if read.insert(right.clone(), value).is_some() {
            return Err(Refusal::wrong(format!("the member {right} is there twice; right would be once")));
        }
    }
    serde_json::from_value(Value::Object(read)).map_err(|error| Refusal::wrong(format!("the body: {error}")))
}

/// What was nearly right, or everything that would be.
fn proposal<'a>(name: &str, known: impl Iterator<Item = &'a str> + Clone) -> String {
    let near = close(name, known.clone());
    let all = if near.is_empty() { known.collect() } else { near };
    if all.is_empty() { "none".to_owned() } else { all.join(", ") }
}

/// A name as it was sent, not longer than it need be.
fn shown(name: &str) -> String {
    format!("{:?}", name.chars().take(64).collect::<String>())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::shapes::{CallbackEdit, NewAvailability};
    use super::*;

    #[test]
    fn members_are_found_in_any_case_and_unknown_ones_refused_with_what_was_nearly_right() {
        let read: NewAvailability = body(json!({"eventtypeid": 3, "NOTE": "x", "UserId": "me"})).unwrap();
        assert_eq!((read.note.as_deref(), read.user_id.as_deref()), (Some("x"), Some("me")));
        for (value, says) in [
            (json!({"EventTypID": 3}), "EventTypeID"),
            (json!({"EventTypeID": 3, "eventTypeId": 3}), "twice"),
            (json!({"EventTypeID": {}}), "the body"),
            (json!({}), "EventTypeID"),
            (json!([]), "object"),
            (json!({"EventTypeID": 3, "Colour": 1}), "EventSource"),
            (json!({"EventTypeID": 3, "StartTime": "soon"}), "right would be like"),
        ] {
            let refusal = body::<NewAvailability>(value.clone()).unwrap_err();
            assert!(format!("{refusal:?}").contains(says), "{value}: {refusal:?}");
        }
    }

    #[test]
    fn null_is_told_from_what_is_left_out() {
        let edit: CallbackEdit = body(json!({"DueDate": null})).unwrap();
        assert!(edit.due_date == Some(None) && edit.expiry_date.is_none());
    }

    #[test]
    fn queries_are_read_by_the_table() {
        const KNOWN: &[Parameter] = &[super::super::table::LIMIT, super::super::table::CURSOR];
        let read = |text: &str| query(&text.parse().unwrap(), KNOWN);
        assert_eq!(read("/users?limit=5&Cursor=a%20b").unwrap(), [("Limit", "5".into()), ("Cursor", "a b".into())]);
        for wrong in ["/?Limits=1", "/?Limit=1&limit=2", "/?x"] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }
}
