//! A frame as a request: its head, and what it asks for.

use bytes::{Buf, Bytes};
use kafka_protocol::messages::ApiVersionsRequest;
use kafka_protocol::protocol::StrBytes;

use crate::api::{Api, Request};
use crate::shape::{self, ShapeError, ShapeLimits};

/// What stands in front of every request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// Which request it is.
    pub api: Api,
    /// Its version.
    pub version: i16,
    /// What its answer is to be marked with.
    pub correlation_id: i32,
    /// What the client calls itself.
    pub client_id: Option<StrBytes>,
    /// False where it asks for versions in a version that is not known. The answer is then of version 0, says so, and holds
    /// the table all the same; this is the only request that is answered in a version it does not have.
    pub is_known_version: bool,
}

impl Head {
    /// The version of the answer.
    #[must_use]
    pub fn answer_version(&self) -> i16 {
        if self.is_known_version { self.version } else { 0 }
    }
}

/// Reads the head of a frame and gives what comes after it.
///
/// # Errors
/// [`RequestError`]; there is no answer to such a frame.
pub fn head(frame: Bytes, limits: ShapeLimits) -> Result<(Head, Bytes), RequestError> {
    let mut rest = frame;
    let key = rest.try_get_i16().map_err(|_| RequestError::Head)?;
    let version = rest.try_get_i16().map_err(|_| RequestError::Head)?;
    let correlation_id = rest.try_get_i32().map_err(|_| RequestError::Head)?;
    let api = Api::of(key).ok_or(RequestError::UnknownApi { key, version })?;
    let unknown = Head { api, version, correlation_id, client_id: None, is_known_version: false };
    if !api.reads(version) {
        return if api == Api::ApiVersions {
            Ok((unknown, Bytes::new()))
        } else {
            Err(RequestError::UnknownVersion { api, version })
        };
    }
    // This length is of two bytes in flexible versions, too.
    let client_id = match rest.try_get_i16().map_err(|_| RequestError::Head)? {
        -1 => None,
        length => {
            let bytes = usize::try_from(length).map_err(|_| RequestError::Head)?;
            if bytes > rest.len() {
                return Err(RequestError::Head);
            }
            Some(StrBytes::from_utf8(rest.split_to(bytes)).map_err(|_| RequestError::Head)?)
        }
    };
    if api.is_flexible(version) {
        let after = shape::after_tags(&rest, limits).map_err(|error| RequestError::Shape { api, version, error })?;
        rest.advance(rest.len() - after.len());
    }
    Ok((Head { client_id, is_known_version: true, ..unknown }, rest))
}

/// Reads what comes after the head. What it holds of texts and bytes are parts of the frame, which lives as long as they do.
///
/// # Errors
/// [`RequestError`]; there is no answer to such a frame.
pub fn body(head: &Head, body: Bytes, limits: ShapeLimits) -> Result<Request, RequestError> {
    let Head { api, version, .. } = *head;
    if !head.is_known_version {
        return Ok(Request::ApiVersions(ApiVersionsRequest::default()));
    }
    shape::check(api.row().shape, version, api.is_flexible(version), &body, limits)
        .map_err(|error| RequestError::Shape { api, version, error })?;
    let mut rest = body;
    api.decode(version, &mut rest).ok_or(RequestError::Content { api, version })
}

/// Why a frame is no request. Nothing that was sent is in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RequestError {
    /// The head is not one.
    #[error("it does not begin as a request of Kafka's protocol does")]
    Head,
    /// A request that is not known.
    #[error("there is no request {key} (version {version}) here; ApiVersions tells which there are")]
    UnknownApi {
        /// Its number.
        key: i16,
        /// Its version.
        version: i16,
    },
    /// A version that is not known.
    #[error("{} has no version {version} here; {} to {} are read", .api.row().name, .api.row().min, .api.row().max)]
    UnknownVersion {
        /// Which request.
        api: Api,
        /// Its version.
        version: i16,
    },
    /// Its lengths do not fit.
    #[error("{}, version {version}: {error}", .api.row().name)]
    Shape {
        /// Which request.
        api: Api,
        /// Its version.
        version: i16,
        /// What is wrong.
        error: ShapeError,
    },
    /// What is in it is not what may be.
    #[error("{}, version {version}: a text in it is not UTF-8, or something is missing that must be there", .api.row().name)]
    Content {
        /// Which request.
        api: Api,
        /// Its version.
        version: i16,
    },
}
