//! The texts ASP.NET Core says in these places; applications compare them.

/// Answer to a request without `id`.
pub const ID_REQUIRED: &str = "Connection ID required";
/// Answer to an `id` nobody has, or has any more.
pub const ID_UNKNOWN: &str = "No Connection with that ID";
/// Answer to an `id` that is used over another transport.
pub const TRANSPORT_CHANGED: &str = "Cannot change transports mid-connection";
/// Answer to a POST on a WebSocket connection.
pub const POST_ON_WEBSOCKETS: &str = "POST requests are not allowed for WebSocket connections.";
/// Answer to a DELETE on anything but long polling.
pub const DELETE_NOT_ALLOWED: &str = "Cannot terminate this connection using the DELETE endpoint.";
/// A handshake that did not come in time.
pub const HANDSHAKE_CANCELLED: &str = "Handshake was canceled.";
/// A handshake that cannot be read; the reason follows.
pub const HANDSHAKE_FAILED: &str = "An unexpected error occurred during connection handshake.";
/// A connection the server ends because of an error; the reason follows.
pub const CLOSED_WITH_ERROR: &str = "Connection closed with an error.";

/// Answer to a request for a transport that is switched off.
pub fn transport_off(transport: &str) -> String {
    format!("{transport} transport not supported by this end point type")
}

/// Answer to an invocation of a method the hub does not have.
pub fn unknown_method(target: &str) -> String {
    format!("Unknown hub method '{target}'")
}

/// Answer to an invocation its user may not make.
pub fn unauthorized(target: &str) -> String {
    format!("Failed to invoke '{target}' because user is unauthorized")
}

/// Answer to an invocation whose arguments do not fit.
pub fn arguments_do_not_fit(target: &str) -> String {
    format!("Failed to invoke '{target}' due to an error on the server.")
}

/// Answer to an invocation that failed for a reason that is the server's own.
pub fn unexpected(target: &str) -> String {
    format!("An unexpected error occurred invoking '{target}' on the server.")
}

/// Answer to an invocation that failed for a reason the client shall read.
pub fn hub_exception(target: &str, reason: &str) -> String {
    format!("{} HubException: {reason}", unexpected(target))
}

/// Answer to a streaming invocation of a method that answers once.
pub fn not_streaming(target: &str) -> String {
    format!("The client attempted to invoke the non-streaming '{target}' method with a streaming invocation.")
}

/// A connection the server ends because of an error.
pub fn closed_with(reason: &dyn std::fmt::Display) -> String {
    format!("{CLOSED_WITH_ERROR} {reason}")
}

/// A client that said nothing for too long.
pub fn client_timed_out(ms: u64) -> String {
    format!("{CLOSED_WITH_ERROR} The client sent nothing, not even a ping, for {ms} ms.")
}

/// A client that acknowledged nothing for too long.
pub fn never_acknowledged(ms: u64) -> String {
    format!("{CLOSED_WITH_ERROR} The client left a full buffer unacknowledged for {ms} ms.")
}
