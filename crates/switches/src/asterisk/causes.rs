//! Why a channel ended, from Asterisk's several and partly contradicting words for it.

use cordboard_core::event::Cause;

/// What is known of a channel's end.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct End<'a> {
    /// `Cause`: Q.850.
    pub(crate) q850: Option<u16>,
    /// `TechCause`, the SIP status.
    pub(crate) sip: Option<u16>,
    /// `DialStatus` of the DialEnd, for a channel that was dialled.
    pub(crate) dial_status: Option<&'a str>,
    /// Whether it was answered.
    pub(crate) answered: bool,
}

/// Stands for the dial status of a channel whose call somebody else picked up; Asterisk gives it any cause.
pub(crate) const PICKED_UP: &str = "PICKUP";

/// The best reason. The SIP status of the leg is the most exact, then Q.850, then the status of the dial, which folds
/// many reasons into NOANSWER.
pub(crate) fn cause_of(end: End<'_>) -> Cause {
    if end.answered {
        return Cause::Normal;
    }
    let by_sip = match end.sip {
        Some(486 | 600) => Some(Cause::Busy),
        Some(403 | 603 | 607) => Some(Cause::Rejected),
        Some(404 | 410 | 484) => Some(Cause::Unallocated),
        Some(480) => Some(Cause::NoAnswer),
        Some(500..=504) => Some(Cause::Congestion),
        Some(_) | None => None,
    };
    let by_dial = match end.dial_status {
        Some("BUSY") => Some(Cause::Busy),
        Some("CONGESTION") => Some(Cause::Congestion),
        Some("CHANUNAVAIL") => Some(Cause::Unreachable),
        Some("NOANSWER") => Some(Cause::NoAnswer),
        Some("CANCEL") => Some(Cause::Cancelled),
        Some(PICKED_UP) => return Cause::AnsweredElsewhere,
        Some(_) | None => None,
    };
    // A cancelled leg may carry any status (487, 500): the reason lies with the caller.
    if by_dial == Some(Cause::Cancelled) && end.q850 != Some(26) {
        return Cause::Cancelled;
    }
    by_sip.or_else(|| by_q850(end.q850)).or(by_dial).unwrap_or(Cause::Other)
}

fn by_q850(code: Option<u16>) -> Option<Cause> {
    match code {
        Some(1 | 2 | 28) => Some(Cause::Unallocated),
        Some(3 | 18 | 20 | 22 | 27) => Some(Cause::Unreachable),
        Some(17) => Some(Cause::Busy),
        Some(19) => Some(Cause::NoAnswer),
        Some(21) => Some(Cause::Rejected),
        Some(26) => Some(Cause::AnsweredElsewhere),
        Some(34 | 38 | 41 | 42 | 44 | 58) => Some(Cause::Congestion),
        // 16 and 0 say nothing of a leg that was never answered; 127 is any interworking.
        Some(_) | None => None,
    }
}
