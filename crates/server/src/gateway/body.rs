//! Bodies of requests: so long at most, in so much time.

use std::time::Duration;

use axum::body::Body;
use axum::http::StatusCode;
use futures_util::StreamExt;

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
    let (bytes_max, ms_max) = (settings.body_bytes_max, settings.body_ms_max);
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
    let bytes = tokio::time::timeout(Duration::from_millis(ms_max), read)
        .await
        .map_err(|_| BodyError::TooSlow { ms_max })??;
    serde_json::from_slice(&bytes).map_err(|error| BodyError::Json(error.to_string()))
}
