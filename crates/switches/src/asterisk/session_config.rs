//! What a session needs to know before it starts: who we are, what we want to hear, and every limit with its unit.

use std::fmt;

use super::ami::CodecLimits;
use super::snapshot::SnapshotPart;

/// A password. It can be used, but it prints as nothing.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Wraps a password.
    pub fn new(secret: impl Into<String>) -> Secret {
        Secret(secret.into())
    }

    /// The password itself, for the one place that must send or hash it.
    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Secret(hidden)")
    }
}

/// The settings of one connection to one Asterisk.
#[derive(Clone, Debug)]
pub struct SessionConfig {
    /// The user's name in `manager.conf`.
    pub username: String,
    /// The user's password in `manager.conf`.
    pub secret: Secret,
    /// Whether the password may be sent as it is when Asterisk refuses the MD5 challenge. Default `false`: use it only
    /// over TLS or on loopback.
    pub plain_login_allowed: bool,
    /// The event classes to receive, as the `Events` header of `Login`. Asterisk sends the intersection with the user's
    /// `read` classes.
    ///
    /// The default leaves out `reporting` (RTCP), `security`, `verbose`, `log`, `agi` and others nobody here reads.
    pub event_mask: String,
    /// Regular expressions for `Filter` actions, each with a leading `!` to leave events out. See [`leave_out_events`]
    /// and [`keep_variables`]. They need the `system` class; what is refused is counted and otherwise ignored.
    pub filters: Vec<String>,
    /// What to ask for in a snapshot. Default: all of it.
    pub parts: Vec<SnapshotPart>,
    /// Mailboxes to count in any case, as `box@context`.
    pub mailboxes: Vec<String>,
    /// Limits of the codec.
    pub codec: CodecLimits,
    /// How long opening the connection may take. Default 10 000 ms.
    pub connect_ms_max: u64,
    /// How long the banner may take after the connection is open. Default 10 000 ms.
    pub banner_ms_max: u64,
    /// How long the answer to `Challenge` and to `Login` may take. Default 10 000 ms; Asterisk takes 1 000 ms to refuse.
    pub login_ms_max: u64,
    /// How long to wait for `FullyBooted` before going on without. Default 2 000 ms. Asterisk sends it with the answer to
    /// `Login`, or, while it boots, later, or never to a user without the `system` class; if it comes later, the
    /// snapshot is taken again.
    pub booted_ms_max: u64,
    /// How long the answers to `Filter` may take, and those to the actions of [`super::session::Session::send_action`].
    /// Default 10 000 ms.
    pub answer_ms_max: u64,
    /// How long one question of the snapshot may stay without any progress before it is "not known". Default 10 000 ms.
    pub part_ms_max: u64,
    /// How long a whole snapshot may take. Default 120 000 ms.
    pub snapshot_ms_max: u64,
    /// How many questions of a snapshot are sent ahead of their answers. Default 16: enough to hide the network, and few
    /// enough that live events, which Asterisk writes between actions, do not wait long.
    pub snapshot_in_flight_max: usize,
    /// How many subjects (bridges, conferences, mailboxes) one part of a snapshot asks for one by one. Default 4 096;
    /// beyond it the part is "not known".
    pub snapshot_subjects_max: usize,
    /// How many actions of [`super::session::Session::send_action`] may be unanswered at once. Default 1 024.
    pub actions_open_max: usize,
    /// How often to send `Ping`. Default 5 000 ms.
    pub heartbeat_ms: u64,
    /// After how long without a byte the connection is taken for dead. Default 15 000 ms.
    pub silence_ms_max: u64,
    /// How long after a snapshot the next one is taken. 0 means never. Default 60 000 ms.
    pub reconcile_ms: u64,
    /// The pause before the first reconnect. It doubles each time. Default 500 ms.
    pub backoff_ms_min: u64,
    /// The longest pause between reconnects. Default 30 000 ms.
    pub backoff_ms_max: u64,
    /// The pause after a refused login, which no haste will cure and which address blockers punish. Default 60 000 ms.
    pub refused_backoff_ms: u64,
    /// How long a connection must have been live for the pauses to start from the smallest again. Default 30 000 ms.
    pub stable_ms: u64,
    /// How long Asterisk may take to close after `Shutdown` or our `Logoff`. Default 2 000 ms.
    pub closing_ms_max: u64,
}

impl SessionConfig {
    /// The default settings for this user.
    pub fn new(username: impl Into<String>, secret: Secret) -> SessionConfig {
        SessionConfig {
            username: username.into(),
            secret,
            plain_login_allowed: false,
            event_mask: "system,call,agent,user,dialplan,dtmf,cdr".to_owned(),
            filters: vec![leave_out_events(&["RTCP.*", "ChannelTalking.*", "CEL"]), leave_out_variables("RTP.*QOS.*")],
            parts: SnapshotPart::ALL.to_vec(),
            mailboxes: Vec::new(),
            codec: CodecLimits::default(),
            connect_ms_max: 10_000,
            banner_ms_max: 10_000,
            login_ms_max: 10_000,
            booted_ms_max: 2_000,
            answer_ms_max: 10_000,
            part_ms_max: 10_000,
            snapshot_ms_max: 120_000,
            snapshot_in_flight_max: 16,
            snapshot_subjects_max: 4_096,
            actions_open_max: 1_024,
            heartbeat_ms: 5_000,
            silence_ms_max: 15_000,
            reconcile_ms: 60_000,
            backoff_ms_min: 500,
            backoff_ms_max: 30_000,
            refused_backoff_ms: 60_000,
            stable_ms: 30_000,
            closing_ms_max: 2_000,
        }
    }
}

/// A filter that leaves out the events of these types; a type may hold a POSIX regular expression.
///
/// It is in the form that Asterisk 10 to 23 understand: one regular expression over the whole event, whose text begins
/// with `Event: `. The `MatchCriteria` form of Asterisk 20.10, 21.5 and 22 is faster for Asterisk but refused by older
/// ones, and an anchored expression fails at its first bytes anyway.
pub fn leave_out_events(types: &[&str]) -> String {
    format!("!^Event: ({})[[:cntrl:]]", types.join("|"))
}

/// A filter that leaves out the `VarSet` events of the variables whose whole name this POSIX regular expression matches.
///
/// The statistics that every SIP channel sets at its end (`RTPAUDIOQOS...`) are one event in fourteen.
pub fn leave_out_variables(names: &str) -> String {
    format!("!^Event: VarSet[[:cntrl:]].*[[:cntrl:]]Variable: ({names})[[:cntrl:]]+Value: ")
}

/// A filter that leaves out every `VarSet` but those of these variables, which are given by their exact names.
///
/// POSIX regular expressions cannot say "not this word", so the complement is spelled out over the names' prefixes.
/// `None` if the expression would not fit into a line of AMI: then take all of them and choose at home.
pub fn keep_variables(names: &[&str]) -> Option<String> {
    let line_end = "[[:cntrl:]]";
    if names.is_empty() {
        return Some(leave_out_events(&["VarSet"]));
    }
    let filter = format!("!^Event: VarSet{line_end}.*{line_end}Variable: ({})", others(names, ""));
    let fits = filter.len() + "Filter: \r\n".len() <= super::actions::LINE_BYTES_MAX;
    let plain = names.iter().all(|name| name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_'));
    (fits && plain).then_some(filter)
}

/// The alternatives for every text that begins with `prefix` and is none of `names`, ends of line included.
fn others(names: &[&str], prefix: &str) -> String {
    let longer: Vec<&str> =
        names.iter().copied().filter(|name| name.starts_with(prefix) && name.len() > prefix.len()).collect();
    let mut next: Vec<char> = longer.iter().filter_map(|name| name.get(prefix.len()..)?.chars().next()).collect();
    next.sort_unstable();
    next.dedup();
    // A name that ends here is wanted: after it anything but the end of the line is another name.
    let end = if names.contains(&prefix) { "[:cntrl:]" } else { "" };
    let here: String = next.iter().collect();
    let mut alternatives = Vec::new();
    if !here.is_empty() || !end.is_empty() {
        alternatives.push(format!("[^{here}{end}]"));
    }
    for char in next {
        alternatives.push(format!("{char}({})", others(names, &format!("{prefix}{char}"))));
    }
    alternatives.join("|")
}

#[cfg(test)]
mod tests {
    use regex::RegexBuilder;

    use super::*;

    /// Asterisk compiles filters with `REG_EXTENDED` and no `REG_NEWLINE`: a dot matches a line feed too.
    fn leaves_out(filter: &str, event: &str) -> bool {
        let pattern = filter.strip_prefix('!').unwrap();
        RegexBuilder::new(pattern).dot_matches_new_line(true).build().unwrap().is_match(event)
    }

    fn var_set(name: &str, value: &str) -> String {
        format!("Event: VarSet\r\nPrivilege: dialplan,all\r\nChannel: x\r\nVariable: {name}\r\nValue: {value}\r\n\r\n")
    }

    #[test]
    fn the_types_named_are_left_out_and_no_others() {
        let filter = leave_out_events(&["RTCP.*", "CEL"]);
        assert!(leaves_out(&filter, "Event: RTCPSent\r\nPrivilege: reporting,all\r\n"));
        assert!(leaves_out(&filter, "Event: CEL\r\nPrivilege: call,all\r\n"));
        assert!(!leaves_out(&filter, "Event: CELX\r\nPrivilege: call,all\r\n"));
        assert!(!leaves_out(&filter, "Event: UserEvent\r\nPrivilege: user,all\r\nEvent: CEL\r\n"));
    }

    #[test]
    fn the_variables_named_are_left_out_and_no_others() {
        let filter = leave_out_variables("RTP.*QOS.*");
        assert!(leaves_out(&filter, &var_set("RTPAUDIOQOSRTT", "minrtt=0;")));
        assert!(!leaves_out(&filter, &var_set("RTPX", "RTPAUDIOQOS")));
        assert!(!leaves_out(&filter, &var_set("QUEUESTATUS", "TIMEOUT")));
        assert!(!leaves_out(&filter, &var_set("A", "Variable: RTPAUDIOQOS")));
    }

    #[test]
    fn the_variables_to_keep_are_kept_and_all_others_left_out() {
        let names = ["QUEUESTATUS", "QUEUE", "DIALSTATUS", "A"];
        let filter = keep_variables(&names).unwrap();
        for name in names {
            assert!(!leaves_out(&filter, &var_set(name, "x")), "{name}");
            assert!(!leaves_out(&filter, &var_set(name, "Variable: OTHER")), "{name}");
        }
        for name in
            ["", "Q", "QUEU", "QUEUES", "QUEUESTATUSX", "DIALSTATU", "DIALEDTIME", "AA", "B", "BRIDGEPEER", "_A"]
        {
            assert!(leaves_out(&filter, &var_set(name, "QUEUESTATUS")), "{name}");
        }
        assert!(!leaves_out(&filter, "Event: Newexten\r\nPrivilege: dialplan,all\r\nVariable: B\r\n"));
    }

    #[test]
    fn a_filter_that_would_not_fit_into_a_line_is_not_made() {
        let names: Vec<String> = (0..100).map(|number| format!("VARIABLE_{number}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        assert_eq!(keep_variables(&names), None);
        assert_eq!(keep_variables(&["A]"]), None);
        assert!(leaves_out(&keep_variables(&[]).unwrap(), &var_set("A", "1")));
    }

    #[test]
    fn the_filters_by_default_fit_into_a_line() {
        for filter in SessionConfig::new("cti", Secret::new("x")).filters {
            assert!(filter.len() < 1_000, "{filter}");
            assert!(leaves_out(&filter, "Event: CEL\r\n") || leaves_out(&filter, &var_set("RTPAUDIOQOS", "1")));
        }
    }
}
