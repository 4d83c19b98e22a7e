//! Names of channels and interfaces, taken apart.

/// The parts of a channel's name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ChannelName {
    /// What carries it.
    pub(crate) kind: ChannelKind,
    /// The endpoint, for a Local channel `extension@context`.
    pub(crate) endpoint: String,
}

/// What carries a channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ChannelKind {
    /// A telephone or line.
    Real,
    /// Half 1 or 2 of a Local channel; the base name is the same for both.
    Local(u8, String),
    /// Asterisk's own: announcers, recorders, message channels. They stand for nobody.
    Helper,
}

/// Technologies of channels that stand for nobody.
const HELPERS: [&str; 12] = [
    "Announcer",
    "Bridge",
    "CBAnn",
    "CBRec",
    "Message",
    "MulticastRTP",
    "Parked",
    "Recorder",
    "Snoop",
    "Surrogate",
    "UnicastRTP",
    "Voicemail",
];

impl ChannelName {
    /// Takes a name like `PJSIP/1001-0000002a` or `Local/1001@agents-00000001;2` apart.
    pub(crate) fn parse(name: &str) -> Self {
        let (technology, rest) = name.split_once('/').unwrap_or((name, ""));
        // Suffix after the last '-' is a counter; endpoint names may contain '-' themselves.
        let endpoint = rest.rsplit_once('-').map_or(rest, |(endpoint, _)| endpoint).to_string();
        let kind = if technology == "Local" {
            match rest.rsplit_once(';') {
                Some((base, "2")) => ChannelKind::Local(2, base.to_string()),
                Some((base, _)) => ChannelKind::Local(1, base.to_string()),
                None => ChannelKind::Helper,
            }
        } else if HELPERS.contains(&technology) {
            ChannelKind::Helper
        } else {
            ChannelKind::Real
        };
        Self { kind, endpoint }
    }
}

/// Whose telephone an interface of a queue member is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Member {
    /// The telephone of this number.
    Device(String),
    /// An agent who logs in from any telephone (`app_agent_pool`).
    PoolAgent(String),
}

impl Member {
    /// Takes interface and state interface of a queue member: `PJSIP/1001`, `Local/1001@agents/n`, `Agent:2001`,
    /// `hint:1001@internal`.
    pub(crate) fn parse(interface: &str, state_interface: &str) -> Option<Self> {
        if let Some(agent) = state_interface.strip_prefix("Agent:").or_else(|| interface.strip_prefix("Agent/")) {
            return Some(Self::PoolAgent(agent.to_string()));
        }
        let of_local = |name: &str| name.split_once('@').map_or(name, |(exten, _)| exten).to_string();
        match interface.split_once('/') {
            Some(("Local", rest)) => match state_interface.split_once('/') {
                Some((technology, device)) if technology != "Local" && !device.is_empty() => {
                    Some(Self::Device(device.to_string()))
                }
                Some(_) | None => Some(Self::Device(of_local(rest))),
            },
            Some((_, device)) if !device.is_empty() => Some(Self::Device(of_local(device))),
            Some(_) | None => None,
        }
    }
}

/// The number in a dial string: `+4733300001@trunk`, `PJSIP/1001`, `SIP/trunk/+47333`, `1001`.
pub(crate) fn dialled_number(dial_string: &str) -> &str {
    let last = dial_string.rsplit('/').next().unwrap_or(dial_string);
    let number = last.split(['@', ',', '&']).next().unwrap_or(last);
    number.strip_prefix("sip:").unwrap_or(number)
}

/// A header's value, where Asterisk's words for "not set" are no value.
pub(crate) fn known(value: Option<&str>) -> Option<&str> {
    value.filter(|value| !value.is_empty() && *value != "<unknown>" && *value != "unknown")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn channel_names() {
        let of = |name| ChannelName::parse(name);
        assert_eq!(of("PJSIP/trunk-b-00000001"), ChannelName { kind: ChannelKind::Real, endpoint: "trunk-b".into() });
        assert_eq!(of("Local/1001@agents-00000001;2").kind, ChannelKind::Local(2, "1001@agents-00000001".into()));
        assert_eq!(of("Local/1001@agents-00000001;1").endpoint, "1001@agents");
        assert_eq!(of("CBAnn/800-00000001;1").kind, ChannelKind::Helper);
        assert_eq!(of("").kind, ChannelKind::Real);
    }

    #[test]
    fn members() {
        let of = |interface, state| Member::parse(interface, state);
        assert_eq!(of("PJSIP/1001", "PJSIP/1001"), Some(Member::Device("1001".into())));
        assert_eq!(of("PJSIP/1001", "hint:1001@internal"), Some(Member::Device("1001".into())));
        assert_eq!(of("Local/1001@agents", "Local/1001@agents"), Some(Member::Device("1001".into())));
        assert_eq!(of("Local/7@agents/n", "PJSIP/1007"), Some(Member::Device("1007".into())));
        assert_eq!(of("Local/2001@agent-request/n", "Agent:2001"), Some(Member::PoolAgent("2001".into())));
        assert_eq!(of("", ""), None);
    }

    #[test]
    fn dial_strings() {
        assert_eq!(dialled_number("+4733300001@trunk"), "+4733300001");
        assert_eq!(dialled_number("PJSIP/1001"), "1001");
        assert_eq!(dialled_number("SIP/trunk/+47333"), "+47333");
        assert_eq!(dialled_number("1001"), "1001");
    }
}
