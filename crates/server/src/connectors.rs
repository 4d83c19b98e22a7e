//! Connectors to phone systems, made of the configuration.

use cordboard_switches::Switch;

use crate::config::{Asterisk, SecretText};

/// A connector to an Asterisk. `chance` is a random number.
#[must_use]
pub fn asterisk(config: &Asterisk, secret: &SecretText, chance: u64) -> Box<dyn Switch> {
    use cordboard_switches::asterisk::session_config::{Secret, SessionConfig};
    use cordboard_switches::asterisk::{self, PictureSettings};
    let session = SessionConfig {
        plain_login_allowed: config.plain_login_allowed,
        connect_ms_max: config.connect_ms_max,
        heartbeat_ms: config.heartbeat_ms,
        silence_ms_max: config.silence_ms_max,
        reconcile_ms: config.reconcile_ms,
        backoff_ms_min: config.backoff_ms_min,
        backoff_ms_max: config.backoff_ms_max,
        ..SessionConfig::new(config.user.clone(), Secret::new(secret.reveal()))
    };
    let picture = PictureSettings {
        switch: config.name.clone(),
        trunks: config.trunks.clone(),
        extensions: config.extensions.clone(),
        ivr_contexts: config.ivr_contexts.clone(),
        user_data: config.user_data.clone(),
        wrapup_ms_default: config.wrapup_ms_default,
        wrapup_ms: config.wrapup_ms.clone(),
        house_digits_max: config.house_digits_max,
        devices_max: config.devices_max,
        channels_max: config.channels_max,
        settle_ms: config.settle_ms,
    };
    Box::new(asterisk::Asterisk::new(session, picture, chance))
}
