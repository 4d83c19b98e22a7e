//! What a connector must know of one Asterisk and cannot hear from it.

use cordboard_core::event::DeviceKind;

/// How to read one Asterisk. The connection's own settings (user, secret, heartbeat) are the session's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PictureSettings {
    /// The configured name of this switch.
    pub switch: String,
    /// Endpoints that are lines to the outside, whatever they are called.
    pub trunks: Vec<String>,
    /// Endpoints that are telephones of ours, whatever they are called.
    pub extensions: Vec<String>,
    /// Contexts that are menus; a trailing `*` stands for any ending.
    pub ivr_contexts: Vec<String>,
    /// Agents are named by their member names, instead of by their telephones.
    pub agents_by_member_name: bool,
    /// Channel variables that become user data of the call.
    pub user_data: Vec<String>,
    /// After-call work of queues whose own setting Asterisk does not tell, in milliseconds.
    pub wrapup_ms_default: u64,
    /// After-call work known from elsewhere, by queue, in milliseconds; wins over what Asterisk says.
    pub wrapup_ms: std::collections::BTreeMap<String, u64>,
    /// Longest number that is taken for one of the house, in digits.
    pub house_digits_max: usize,
    /// Most devices that are made known because Asterisk or its dial plan names them; more are passed over and counted.
    pub devices_max: usize,
    /// Most channels that are followed at once; more are passed over and counted.
    pub channels_max: usize,
    /// How long a hint may stand before it is acted on without its explanation, in milliseconds. Asterisk tells what
    /// belongs together from several threads.
    pub settle_ms: u64,
}

impl Default for PictureSettings {
    fn default() -> Self {
        Self {
            switch: "asterisk".to_string(),
            trunks: Vec::new(),
            extensions: Vec::new(),
            ivr_contexts: vec!["ivr*".to_string()],
            agents_by_member_name: false,
            user_data: Vec::new(),
            wrapup_ms_default: 5_000,
            wrapup_ms: std::collections::BTreeMap::new(),
            house_digits_max: 6,
            devices_max: 200_000,
            channels_max: 200_000,
            settle_ms: 60,
        }
    }
}

impl PictureSettings {
    /// What an endpoint is, as far as the settings and its name tell. Telephones are commonly named by their number,
    /// lines to the outside by their carrier.
    #[must_use]
    pub fn kind_of(&self, endpoint: &str) -> DeviceKind {
        let listed = |list: &[String]| list.iter().any(|name| name == endpoint);
        if listed(&self.trunks) {
            DeviceKind::Trunk
        } else if listed(&self.extensions) || endpoint.chars().all(|c| c.is_ascii_digit()) {
            DeviceKind::Extension
        } else {
            DeviceKind::Trunk
        }
    }

    /// Whether a context is a menu.
    #[must_use]
    pub fn is_ivr(&self, context: &str) -> bool {
        self.ivr_contexts.iter().any(|pattern| match pattern.strip_suffix('*') {
            Some(prefix) => context.starts_with(prefix),
            None => context == pattern,
        })
    }

    /// Whether a dialled number leads outside: international form, or longer than the numbers of the house.
    #[must_use]
    pub fn leads_outside(&self, number: &str) -> bool {
        let digits = number.chars().filter(char::is_ascii_digit).count();
        !number.starts_with(['*', '#']) && (number.contains('+') || digits > self.house_digits_max)
    }
}
