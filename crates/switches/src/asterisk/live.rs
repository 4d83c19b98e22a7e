//! What Asterisk tells as it happens: one row a kind of event.

use cordboard_core::Time;
use cordboard_core::event::Origin;
use cordboard_core::observation::CallSeen;

use super::ami::Message;
use super::picture::Picture;

impl Picture {
    /// Takes one live event in.
    #[rustfmt::skip]
    pub fn handle_event(&mut self, now: Time, message: &Message) {
        self.handle_timeout(now);
        self.origin = Origin::Live;
        self.note_context(message);
        match message.event().unwrap_or_default() {
            "Newchannel"             => self.new_channel(message),
            "Newstate"               => self.new_state(message),
            "DialBegin"              => self.dial_begin(message),
            "DialState"              => self.dial_state(message),
            "DialEnd"                => self.dial_end(message),
            "HangupRequest"          => self.hangup_request(message),
            "Hangup"                 => self.hangup(message),
            "OriginateResponse"      => self.originate_response(message),
            "Pickup"                 => self.pickup(message),
            "BridgeCreate"           => self.bridge_create(message),
            "BridgeEnter"            => self.bridge_enter(message),
            "BridgeLeave"            => self.bridge_leave(message),
            "BridgeDestroy"          => self.bridge_destroy(message),
            "BlindTransfer"          => self.blind_transfer(message),
            "AttendedTransfer"       => self.attended_transfer(message),
            "Hold"                   => self.held(message, true),
            "Unhold"                 => self.held(message, false),
            "ParkedCall"             => self.parked(message),
            "UnParkedCall"           => self.unparked(message),
            "ParkedCallTimeOut"      => self.park_timed_out(message),
            "ConfbridgeJoin"         => self.conference_join(message),
            "ConfbridgeMute"         => self.muted(message, true),
            "ConfbridgeUnmute"       => self.muted(message, false),
            "ChanSpyStart"           => self.spy_start(message),
            "ChanSpyStop"            => self.spy_stop(message),
            "MixMonitorStart"        => self.recording_begins(message),
            "MixMonitorMute"         => self.recording(message, CallSeen::RecordPause(message.get("State") == Some("1"))),
            "MixMonitorStop"         => self.recording_stops(message),
            "QueueCallerJoin"        => self.queue_join(message),
            "QueueCallerAbandon"     => self.queue_abandon(message),
            "QueueCallerLeave"       => self.queue_leave(message),
            "AgentCalled"            => self.agent_called(message),
            "AgentConnect"           => self.agent_connect(message),
            "AgentComplete"          => self.agent_complete(message),
            "QueueMemberAdded"       => self.member(message),
            "QueueMemberRemoved"     => self.member_removed(message),
            "QueueMemberPause"       => self.member_pause(message),
            "AgentLogin"             => self.agent_login(message),
            "AgentLogoff"            => self.agent_logoff(message),
            "DeviceStateChange"      => self.device_state(message),
            "ExtensionStatus"        => self.extension_status(message),
            "MessageWaiting"         => self.message_waiting(message),
            "UserEvent"              => self.user_event(message),
            "VarSet"                 => self.variable(message),
            "Newexten"               => self.application(message),
            _                        => self.ignored += 1,
        }
    }

    fn variable(&mut self, message: &Message) {
        let Some(name) = message.get("Variable") else { return };
        if name == "QUEUESTATUS" {
            return self.queue_status_variable(message);
        }
        if self.settings.user_data.iter().any(|wanted| wanted == name) {
            let value = super::ami::unescape(message.get("Value").unwrap_or_default()).into_owned();
            if let Some(call) = self.uid(message, "Uniqueid").and_then(|uid| self.call_of(uid)) {
                self.see_call(&call, CallSeen::UserData { key: name.to_string(), value });
            }
        } else {
            self.ignored += 1;
        }
    }

    /// The dial plan runs an application; only how a supervisor listens is of interest.
    fn application(&mut self, message: &Message) {
        if message.get("Application") != Some("ChanSpy") && message.get("Application") != Some("ExtenSpy") {
            return;
        }
        let options =
            message.get("AppData").and_then(|data| data.split_once(',')).map(|(_, options)| options.to_string());
        if let Some(uid) = self.uid(message, "Uniqueid")
            && let Some(channel) = self.channels.get_mut(uid)
        {
            channel.spy_options = Some(options.unwrap_or_default());
        }
    }

    /// Every channel event says where in the dial plan the channel is, and carries the variables configured in Asterisk.
    fn note_context(&mut self, message: &Message) {
        let Some(uid) = self.uid(message, "Uniqueid") else { return };
        if !self.settings.user_data.is_empty() {
            self.note_variables(uid, message);
        }
        let Some(leg) = self.leg_of(uid).filter(|leg| leg.originator) else { return };
        let (call, Some(context)) = (leg.call.clone(), message.get("Context")) else { return };
        let flow = self.settings.is_ivr(context).then(|| context.to_string());
        if let Some(record) = self.calls.get_mut(&call).filter(|record| record.ivr != flow && record.queued.is_none()) {
            record.ivr.clone_from(&flow);
            self.see_call(&call, CallSeen::Ivr(flow));
        }
    }

    fn note_variables(&mut self, uid: &str, message: &Message) {
        let Some(call) = self.call_of(uid) else { return };
        let wanted: Vec<(String, String)> = message
            .all("ChanVariable")
            .filter_map(|pair| pair.split_once('='))
            .filter(|(name, value)| !value.is_empty() && self.settings.user_data.iter().any(|wanted| wanted == name))
            .map(|(name, value)| (name.to_string(), super::ami::unescape(value).into_owned()))
            .collect();
        for (key, value) in wanted {
            self.see_call(&call, CallSeen::UserData { key, value });
        }
    }
}

/// The headers of the dialled channel under the names they have for a channel.
pub(crate) fn dest_headers(message: &Message) -> Message {
    const NAMES: [&str; 5] = ["CallerIDNum", "CallerIDName", "ChannelState", "Linkedid", "Exten"];
    let of = |name: &&str| Some((name.to_string(), message.get(&format!("Dest{name}"))?.to_string()));
    Message::from_headers(NAMES.iter().filter_map(of))
}
