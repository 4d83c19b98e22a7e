//! What cannot be heard from a recording, told in a file.

use std::collections::BTreeMap;
use std::path::Path;

use cordboard_switches::asterisk::PictureSettings;
use serde::Deserialize;

use super::ReplayError;

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Directory {
    trunks: Vec<String>,
    extensions: Vec<String>,
    ivr_contexts: Option<Vec<String>>,
    user_data: Vec<String>,
    wrapup_ms_default: Option<u64>,
    wrapup_ms: BTreeMap<String, u64>,
}

/// Reads a directory file. All keys are optional: `trunks`, `extensions`, `ivr_contexts`, `user_data` (lists of names),
/// `wrapup_ms_default` and the table `wrapup_ms` (queue = milliseconds).
pub(super) fn read(path: &Path) -> Result<PictureSettings, ReplayError> {
    let text = std::fs::read_to_string(path).map_err(|source| ReplayError::Read { path: path.to_owned(), source })?;
    let wrong = |error: toml::de::Error| ReplayError::Directory { path: path.to_owned(), why: error.to_string() };
    let directory: Directory = toml::from_str(&text).map_err(wrong)?;
    let default = PictureSettings::default();
    Ok(PictureSettings {
        trunks: directory.trunks,
        extensions: directory.extensions,
        ivr_contexts: directory.ivr_contexts.unwrap_or(default.ivr_contexts),
        user_data: directory.user_data,
        wrapup_ms_default: directory.wrapup_ms_default.unwrap_or(default.wrapup_ms_default),
        wrapup_ms: directory.wrapup_ms,
        ..PictureSettings::default()
    })
}
