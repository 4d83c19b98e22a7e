//! `/schemas`: the JSON Schema of every message, for everybody. What stands at a place allows the same for ever; only its
//! words may be put better, so whoever has it asks at most once a day whether they were.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use axum::Json;
use axum::extract::Path;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use cordboard_dialects::near;
use cordboard_dialects::published::{self, Published, ROOT};
use schemars::JsonSchema;
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::access::Refusal;

/// How long whoever has a schema need not ask again.
const CACHED: &str = "public, max-age=86400";

/// What the last part of a place ends with.
const END: &str = ".json";

/// A schema as it is sent.
struct Kept {
    dialect: &'static str,
    name: String,
    text: Bytes,
    /// A number that differs where the text differs, in quotes.
    tag: String,
}

/// By their places; made when the first one is asked for.
static ALL: LazyLock<BTreeMap<String, Kept>> = LazyLock::new(|| {
    published::schemas()
        .into_iter()
        .map(|Published { dialect, name, path, schema }| {
            let text = schema.to_string();
            let tag = tag(&text);
            (path, Kept { dialect, name, text: text.into(), tag })
        })
        .collect()
});

/// A schema in the list.
#[derive(Serialize, JsonSchema)]
pub(super) struct Row {
    /// The dialect.
    dialect: &'static str,
    /// The message's name, or the request's.
    name: &'static str,
    /// Where it is.
    path: &'static str,
}

/// Answers with the list of all schemas.
pub(super) async fn list() -> Response {
    let row = |(path, kept): (&'static String, &'static Kept)| Row { dialect: kept.dialect, name: &kept.name, path };
    let rows: Vec<Row> = ALL.iter().map(row).collect();
    ([(header::CACHE_CONTROL, "no-cache")], Json(rows)).into_response()
}

/// Answers with one.
pub(super) async fn show(
    Path((dialect, version, file)): Path<(String, String, String)>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let path = format!("{ROOT}/{dialect}/{version}/{file}");
    let kept = ALL.get(&path).ok_or_else(|| unknown(&dialect, &version, &file))?;
    Ok(tagged(&headers, &kept.tag, "application/schema+json", CACHED, kept.text.clone()))
}

/// The text, or that whoever asks has it already.
pub(super) fn tagged(
    headers: &HeaderMap,
    tag: &str,
    content_type: &'static str,
    cached: &'static str,
    text: Bytes,
) -> Response {
    let known = headers.get_all(header::IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    let mut known = known.flat_map(|value| value.split(',')).map(str::trim);
    let common = [(header::ETAG, tag.to_owned()), (header::CACHE_CONTROL, cached.to_owned())];
    if known.any(|known| known == "*" || known.trim_start_matches("W/") == tag) {
        return (StatusCode::NOT_MODIFIED, common).into_response();
    }
    (common, [(header::CONTENT_TYPE, content_type)], text).into_response()
}

/// A number that differs where the text differs, in quotes.
pub(super) fn tag(text: &str) -> String {
    let sum = Sha256::digest(text);
    let digits: String = sum.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    format!("\"{digits}\"")
}

/// Says what there is instead: dialects, else versions, else names that may have been meant.
fn unknown(dialect: &str, version: &str, file: &str) -> Refusal {
    let places: Vec<(&str, &str, &str)> = ALL.keys().filter_map(|path| parts(path)).collect();
    let mut dialects: Vec<&str> = places.iter().map(|(dialect, _, _)| *dialect).collect();
    dialects.dedup();
    let mut versions: Vec<&str> =
        places.iter().filter(|place| place.0 == dialect).map(|(_, version, _)| *version).collect();
    versions.sort_unstable();
    versions.dedup();
    let names = places.iter().filter(|place| place.0 == dialect && place.1 == version);
    let names = names.filter_map(|(_, _, file)| file.strip_suffix(END));
    let right = if versions.is_empty() {
        format!("the dialects are {}", dialects.join(", "))
    } else if !versions.contains(&version) {
        format!("of {dialect} there are {}", versions.join(", "))
    } else {
        let meant = near::close(file.strip_suffix(END).unwrap_or(file), names);
        let meant: Vec<String> = meant.iter().map(|name| format!("{name}{END}")).collect();
        match meant.as_slice() {
            [] => format!("the names are those of `cordboard catalogue`, with {END} behind them"),
            meant => format!("perhaps {}", meant.join(" or ")),
        }
    };
    let message = format!("no schema is published here; {right}; {ROOT} lists them all");
    Refusal::new(StatusCode::NOT_FOUND, "no_schema", message)
}

fn parts(path: &str) -> Option<(&str, &str, &str)> {
    let mut parts = path.strip_prefix(ROOT)?.split('/').skip(1);
    Some((parts.next()?, parts.next()?, parts.next()?))
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    async fn asked(place: [&str; 3], known: Option<&str>) -> Result<Response, Refusal> {
        let mut headers = HeaderMap::new();
        if let Some(known) = known {
            headers.insert(header::IF_NONE_MATCH, HeaderValue::from_str(known).unwrap());
        }
        let [dialect, version, file] = place.map(str::to_owned);
        show(Path((dialect, version, file)), headers).await
    }

    #[tokio::test]
    async fn who_has_it_is_not_sent_it_again() {
        let place = ["genesys", "v1", "EventRinging.json"];
        let first = asked(place, None).await.unwrap();
        assert_eq!(first.status(), StatusCode::OK);
        assert_eq!(first.headers()[header::CACHE_CONTROL], CACHED);
        let tag = first.headers()[header::ETAG].to_str().unwrap().to_owned();
        for known in [tag.clone(), format!("\"x\", W/{tag}"), "*".to_owned()] {
            let again = asked(place, Some(&known)).await.unwrap();
            assert_eq!(again.status(), StatusCode::NOT_MODIFIED, "{known}");
            assert_eq!(again.headers()[header::ETAG], *tag);
        }
        assert_eq!(asked(place, Some("\"x\"")).await.unwrap().status(), StatusCode::OK);
        let other = asked(["genesys", "v1-number", "EventRinging.json"], Some(&tag)).await.unwrap();
        assert_eq!(other.status(), StatusCode::OK, "another text has another tag");
    }

    #[tokio::test]
    async fn what_is_not_there_is_answered_by_what_is() {
        for (place, right) in [
            (["klingon", "v1", "x.json"], "the dialects are cordboard, enreach, genesys"),
            (["genesys", "v0", "EventRinging.json"], "of genesys there are v1, v1-number"),
            (["genesys", "v1", "EventRinging"], "perhaps EventRinging.json"),
            (["enreach", "v1", "userstatus.json"], "perhaps UserStatus.json"),
            (["enreach", "v1", "..%2f..%2fetc"], "cordboard catalogue"),
        ] {
            let refusal = asked(place, None).await.unwrap_err();
            let text = format!("{refusal:?}");
            assert!(text.contains(right) && text.contains("no_schema"), "{place:?}: {text}");
        }
    }
}
