//! Refusals in the numbers and names that programs of this vocabulary look for.

use cordboard_core::request::{Ask, Joining, Refusal};

/// An error of the vocabulary.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terr {
    /// Its number, the attribute `ErrorCode`.
    pub code: i64,
    /// Its name.
    pub name: &'static str,
}

const fn terr(code: i64, name: &'static str) -> Terr {
    Terr { code, name }
}

const CALL_STATE: Terr = terr(496, "TERR_INV_CALL_STATE");
const TRANSFER_COMPLETION: Terr = terr(98, "TERR_CANT_CMPL_TRN");
/// The name speaks of a transfer; what it is used for is a conference.
const CONFERENCE_COMPLETION: Terr = terr(96, "TERR_CANT_COML_TRN");

/// The error that says this refusal of what was asked; without it, of anything.
pub fn of(refusal: Refusal, ask: Option<&Ask>) -> Terr {
    match refusal {
        Refusal::NotAllowed => terr(165, "TERR_ACCESS_RESTICT"),
        Refusal::NotRegistered => terr(41, "TERR_NOT_REGISTERED"),
        Refusal::NoSuchDevice
        | Refusal::NoSuchUser
        | Refusal::NoSuchQueue
        | Refusal::NoSuchList
        | Refusal::NoSuchCallback
        | Refusal::NoSuchAlert => terr(59, "TERR_NOT_CONFIGURED"),
        Refusal::OutOfService => terr(58, "TERR_OUT_OF_SERVICE"),
        Refusal::NoSuchCall => terr(56, "TERR_INV_CONNID"),
        Refusal::InvalidNumber => number(ask),
        Refusal::WrongState | Refusal::NotRinging => CALL_STATE,
        Refusal::NotHeld => not_held(ask),
        Refusal::CannotTransfer => match ask {
            Some(Ask::SingleStep { purpose: Joining::Conference, .. }) => terr(173, "TERR_UNSUCC_CONFER"),
            Some(_) | None => terr(97, "TERR_CANT_INIT_TRN"),
        },
        Refusal::CannotCompleteTransfer => TRANSFER_COMPLETION,
        Refusal::CannotCompleteConference => CONFERENCE_COMPLETION,
        Refusal::SameState => terr(43, "TERR_IN_SAME_STATE"),
        Refusal::NoSuchAgent => terr(1703, "TERR_SOFT_AGENT_WRONG_ID"),
        Refusal::AgentElsewhere => terr(1704, "TERR_SOFT_AGENT_ID_IN_USE"),
        Refusal::WrongPassword => terr(1705, "TERR_SOFT_AGENT_PSWD_DOESNT_MATCH"),
        Refusal::LoggedInAlready => terr(1706, "TERR_SOFT_AGENT_ALREADY_LOGGED_IN"),
        Refusal::NotLoggedIn => terr(1707, "TERR_SOFT_AGENT_NOT_LOGGED_IN"),
        Refusal::AgentReserved => terr(1700, "TERR_AGENT_ALREADY_RESERVED"),
        Refusal::WrongAttribute | Refusal::CallbackClosed => terr(53, "TERR_INVALID_ATTR"),
        Refusal::Unsupported => terr(51, "TERR_UNSUP_OPER"),
        Refusal::SwitchRefused => terr(50, "TERR_UNKNOWN_ERROR"),
        Refusal::SwitchGone => terr(54, "TERR_NO_SWITCH"),
        Refusal::TimedOut => terr(57, "TERR_TIMEOUT"),
        Refusal::Busy | Refusal::TooMany => terr(111, "TERR_TOO_MANY_REQ"),
    }
}

/// A number that cannot be called is told by what it was to be called for.
fn number(ask: Option<&Ask>) -> Terr {
    match ask {
        Some(Ask::Redirect { .. }) => terr(169, "TERR_INV_DEST_REQ"),
        Some(Ask::Route { .. }) => terr(402, "TERR_INV_ROUTE_ADDR"),
        Some(Ask::Forward { .. }) => terr(195, "TERR_CFW_DN_INV"),
        Some(Ask::Monitor { .. } | Ask::MonitorEnd { .. } | Ask::Supervise { .. }) => terr(177, "TERR_TARG_DN_INV"),
        Some(Ask::DropParty { .. } | Ask::Listen { .. }) => terr(470, "TERR_PARTY_NOT_ON_CALL"),
        Some(_) | None => terr(71, "TERR_INV_CALD_DN"),
    }
}

/// A call that should be on hold and is not is told by what it was to be used for.
fn not_held(ask: Option<&Ask>) -> Terr {
    match ask {
        Some(Ask::Retrieve { .. } | Ask::Reconnect { .. }) => terr(171, "TERR_UNSUCC_RETRV"),
        Some(Ask::Complete { purpose: Joining::Transfer, .. } | Ask::Merge { purpose: Joining::Transfer, .. }) => {
            TRANSFER_COMPLETION
        }
        Some(Ask::Complete { purpose: Joining::Conference, .. } | Ask::Merge { purpose: Joining::Conference, .. }) => {
            CONFERENCE_COMPLETION
        }
        Some(_) | None => CALL_STATE,
    }
}
