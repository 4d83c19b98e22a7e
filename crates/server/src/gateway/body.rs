//! Bodies of requests: so long at most, in so much time.

use std::time::Duration;

use axum::body::Body;
use axum::http::StatusCode;
use futures_util::StreamExt;
use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

use crate::config::Requests;

/// Why there is no body.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum BodyError {
    /// It is too long.
    #[error("the body is longer than {bytes_max} bytes, which is the most")]
    TooLong {
        /// How long it may be.
        bytes_max: usize,
    },
    /// It did not come in time.
    #[error("the body did not come within {ms_max} ms")]
    TooSlow {
        /// How long it may take.
        ms_max: u64,
    },
    /// The connection broke off, or what came was no HTTP.
    #[error("the body broke off")]
    Broken,
    /// It is no JSON.
    #[error("the body is no JSON: {0}")]
    Json(String),
}

impl BodyError {
    pub(super) fn status(&self) -> StatusCode {
        match self {
            Self::TooLong { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            Self::TooSlow { .. } => StatusCode::REQUEST_TIMEOUT,
            Self::Broken | Self::Json(_) => StatusCode::BAD_REQUEST,
        }
    }
}

/// The body as JSON.
pub(super) async fn json<T: serde::de::DeserializeOwned>(body: Body, settings: &Requests) -> Result<T, BodyError> {
    let bytes = read(body, settings.body_bytes_max, settings.body_ms_max).await?;
    serde_json::from_slice(&bytes).map_err(|error| BodyError::Json(error.to_string()))
}

/// The whole body.
pub(super) async fn read(body: Body, bytes_max: usize, ms_max: u64) -> Result<Vec<u8>, BodyError> {
    let read = async {
        let (mut parts, mut bytes) = (body.into_data_stream(), Vec::new());
        while let Some(part) = parts.next().await {
            let part = part.map_err(|_| BodyError::Broken)?;
            if bytes.len() + part.len() > bytes_max {
                return Err(BodyError::TooLong { bytes_max });
            }
            bytes.extend_from_slice(&part);
        }
        Ok(bytes)
    };
    tokio::time::timeout(Duration::from_millis(ms_max), read).await.map_err(|_| BodyError::TooSlow { ms_max })?
}

/// JSON in which no member is there twice: of two, one would be passed over in silence.
pub(crate) struct Strict(pub(crate) Value);

impl<'de> Deserialize<'de> for Strict {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reading)
    }
}

struct Reading;

impl<'de> Visitor<'de> for Reading {
    type Value = Strict;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E: Error>(self) -> Result<Strict, E> {
        Ok(Strict(Value::Null))
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Strict, E> {
        Ok(Strict(value.into()))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Strict, E> {
        Ok(Strict(value.into()))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Strict, E> {
        Ok(Strict(value.into()))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Strict, E> {
        Ok(Strict(value.into()))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Strict, E> {
        Ok(Strict(value.into()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Strict, A::Error> {
        let mut all = Vec::new();
        while let Some(Strict(item)) = items.next_element()? {
            all.push(item);
        }
        Ok(Strict(Value::Array(all)))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Strict, A::Error> {
        let mut all = Map::new();
        while let Some((name, Strict(value))) = members.next_entry::<String, Strict>()? {
            if all.insert(name, value).is_some() {
                return Err(A::Error::custom("a member is there twice; right would be once"));
            }
        }
        Ok(Strict(Value::Object(all)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_read_is_what_was_sent() {
        let text = r#"{"a":[1,-2,1.5,true,null,"x\"y"],"b":{"a":{}}}"#;
        let Strict(value) = serde_json::from_str(text).unwrap();
        assert_eq!(value, serde_json::from_str::<Value>(text).unwrap());
        for wrong in [r#"{"a":1,"a":1}"#, r#"[{"b":{"a":1,"c":2,"a":3}}]"#, "{", &"[".repeat(10_000)] {
            assert!(serde_json::from_str::<Strict>(wrong).is_err(), "{wrong}");
        }
    }
}
