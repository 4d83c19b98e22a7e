//! Calls on request (`Originate`): their first party is rung before anybody is dialled, and whom they are for is told late.

use cordboard_core::event::{Cause, Direction};
use cordboard_core::observation::LegSeen;

use super::ami::Message;
use super::names::{ChannelName, dialled_number, known};
use super::picture::{CallRecord, Picture, What};

/// What Asterisk's manager is called where nobody else is known to have asked for something.
pub(crate) const BY_REQUEST: &str = "ami";

impl Picture {
    /// Somebody asked Asterisk for a call; this is the first party it rings.
    pub(crate) fn originated(&mut self, uid: &str, number: &str) {
        let Some(channel) = self.channels.get(uid) else { return };
        if !channel.legs.is_empty() || self.call_of(uid).is_some() {
            return; // said again
        }
        let record =
            CallRecord { originated: true, ..CallRecord::new(Direction::Internal, String::new(), String::new()) };
        let base = channel.local.as_ref().map(|(_, base)| base.clone());
        match base {
            Some(base) => {
                self.begin_call(uid, record, None);
                self.carry(&base, uid);
            }
            None => {
                self.begin_call(uid, record, None);
                self.dialled(uid, None, uid, number);
            }
        }
    }

    /// A call on request whose first party was not joined with another one was made to that party.
    pub(crate) fn settle_purpose(&mut self, call: &str) {
        self.describe(call, |call| {
            if let (true, Some((number, shown))) = (call.originated && call.dnis.is_empty(), &call.first) {
                call.dnis.clone_from(number);
                call.ani.clone_from(shown);
            }
        });
    }

    /// A call on request shows its first party a number, which Asterisk tells some time after it made the channel.
    pub(crate) fn note_shown(&mut self, uid: &str) {
        let Some(channel) = self.channels.get(uid).filter(|channel| channel.outside && !channel.caller.is_empty())
        else {
            return;
        };
        let (caller, number) = (channel.caller.clone(), channel.number.clone());
        let call = channel.legs.last().filter(|leg| leg.originator).map(|leg| leg.call.clone());
        let first = call.and_then(|call| self.calls.get_mut(&call)).and_then(|call| call.first.as_mut());
        if let Some((_, shown)) = first.filter(|_| caller != number) {
            *shown = caller;
        }
    }

    /// The answer to a request for a call. When it failed, it says whom the call was for, before or after its first party
    /// is gone.
    pub(crate) fn originate_response(&mut self, message: &Message) {
        if message.response() != Some("Failure") {
            return;
        }
        match self.failed_request(message) {
            Some(call) => self.request_failed(&call, message),
            None => self.later(What::RequestFailed { message: message.clone() }),
        }
    }

    pub(crate) fn request_failed(&mut self, call: &str, message: &Message) {
        // The state of control in which the first party was left: 3 ringing, 5 busy, 8 congested.
        let status = match message.get("Reason") {
            Some("3") => Some(("NOANSWER", Cause::NoAnswer)),
            Some("5") => Some(("BUSY", Cause::Busy)),
            Some("8") => Some(("CONGESTION", Cause::Congestion)),
            Some(_) | None => None,
        };
        for uid in self.channels_of(call) {
            if let (Some(channel), Some((status, _))) = (self.channels.get_mut(&uid), status) {
                channel.dial_status = Some(status.to_string());
            }
        }
        let exten = known(message.get("Exten")).unwrap_or_default().to_string();
        let outside = self.settings.leads_outside(&exten);
        self.describe(call, |call| {
            if call.direction == Direction::Internal {
                call.dnis = exten;
                if outside {
                    call.direction = Direction::Outbound;
                }
            }
        });
        let gone = |what: &What| matches!(what, What::CallerGone { leg, .. } if leg.call == call);
        let Some(at) = self.later.iter().position(|later| gone(&later.what)) else { return };
        let mut what = self.later.remove(at).what;
        if let (What::CallerGone { seen: LegSeen::Hangup { cause, .. }, .. }, Some((_, by_status))) =
            (&mut what, status)
            && matches!(cause, Cause::Other | Cause::Cancelled)
        {
            *cause = by_status;
        }
        self.run_later(what);
    }

    /// The newest call on request whose first party was never joined with anybody and is the one the answer names.
    pub(crate) fn failed_request(&self, message: &Message) -> Option<String> {
        let named = message.get("Channel")?;
        let asked = dialled_number(named);
        let endpoint = ChannelName::parse(named).endpoint;
        let open = self.calls.iter().filter(|(_, call)| call.originated && call.dnis.is_empty());
        let of_party = open.filter(|(_, call)| call.ani == endpoint || call.ani == asked || call.ani.is_empty());
        of_party.max_by_key(|(_, call)| call.number).map(|(key, _)| key.clone())
    }
}
