//! A phone system that has gone mad: any event, of any channel, in any order. What is told of it may be nonsense, but every
//! invariant holds, and when all channels are gone no call is left.

use cordboard_core::record::Recorder;
use cordboard_core::{Event, Time, World};
use cordboard_server::replay::Machine;
use cordboard_switches::asterisk::PictureSettings;
use cordboard_switches::asterisk::ami::Message;
use cordboard_switches::asterisk::snapshot::Tagged;

use crate::life::{Life, founded};

/// Everything an Asterisk says that means something to us, and one thing that does not.
const EVENTS: [&str; 45] = [
    "Newchannel",
    "Newstate",
    "DialBegin",
    "DialState",
    "DialEnd",
    "HangupRequest",
    "Hangup",
    "OriginateResponse",
    "Pickup",
    "BridgeCreate",
    "BridgeEnter",
    "BridgeLeave",
    "BridgeDestroy",
    "BlindTransfer",
    "AttendedTransfer",
    "Hold",
    "Unhold",
    "ParkedCall",
    "UnParkedCall",
    "ParkedCallTimeOut",
    "ConfbridgeJoin",
    "ConfbridgeMute",
    "ConfbridgeUnmute",
    "ChanSpyStart",
    "ChanSpyStop",
    "MixMonitorStart",
    "MixMonitorMute",
    "MixMonitorStop",
    "QueueCallerJoin",
    "QueueCallerAbandon",
    "QueueCallerLeave",
    "AgentCalled",
    "AgentConnect",
    "AgentComplete",
    "QueueMemberAdded",
    "QueueMemberRemoved",
    "QueueMemberPause",
    "AgentLogin",
    "AgentLogoff",
    "DeviceStateChange",
    "ExtensionStatus",
    "MessageWaiting",
    "UserEvent",
    "VarSet",
    "Nonsense",
];
const CHANNELS: [&str; 8] = [
    "PJSIP/trunk-00000000",
    "PJSIP/1001-00000001",
    "PJSIP/1002-00000002",
    "PJSIP/1001-00000003",
    "Local/1002@internal-00000000;1",
    "Local/1002@internal-00000000;2",
    "Local/_attended@transfer-00000001;1",
    "Local/_attended@transfer-00000001;2",
];
const BRIDGES: [(&str, &str); 4] = [("b0", "basic"), ("b1", "basic"), ("b2", "base"), ("b3", "agent_hold")];
const STATUS: [&str; 5] = ["ANSWER", "BUSY", "NOANSWER", "CANCEL", "RINGING"];
const DEST_TYPES: [&str; 4] = ["Bridge", "Threeway", "App", "Link"];

/// Lives a mad life: four bytes an event.
#[must_use]
pub fn live(bytes: &[u8]) -> Life {
    let mut machine = Machine::new("t", PictureSettings::default());
    let (mut recorder, mut records, mut events) = (Recorder::default(), Vec::new(), Vec::new());
    let mut tell = |world: &World, _, event: &Event| {
        records.extend(recorder.note(world, event).map(|(_, record)| record));
        events.push(event.clone());
    };
    let mut now = Time(0);
    for step in bytes.chunks_exact(4) {
        let [event, a, b, c] =
            [step.first(), step.get(1), step.get(2), step.get(3)].map(|byte| usize::from(*byte.unwrap_or(&0)));
        now = now.plus_ms((c / 16) as u64);
        machine.take(
            now,
            &Tagged::Live(message(EVENTS.get(event % EVENTS.len()).unwrap_or(&"Nonsense"), a, b, c)),
            &mut tell,
        );
    }
    for channel in 0..CHANNELS.len() {
        machine.take(now, &Tagged::Live(message("Hangup", channel, 0, 1)), &mut tell);
    }
    machine.run_until(Time(u64::MAX), &mut tell);
    Life { founded: founded(), world: machine.stage.world, records, events }
}

/// One event with every header that any event has.
fn message(event: &str, a: usize, b: usize, c: usize) -> Message {
    let channel = |number: usize| {
        (*CHANNELS.get(number % CHANNELS.len()).unwrap_or(&""), format!("1795.{}", number % CHANNELS.len()))
    };
    let ((name, uid), (dest, dest_uid)) = (channel(a), channel(b));
    let (bridge, kind) = BRIDGES.get(c % BRIDGES.len()).copied().unwrap_or(("b0", "basic"));
    let dialled = if c.is_multiple_of(7) { String::new() } else { uid.clone() };
    let mut headers: Vec<(&str, String)> = vec![("Event", event.into())];
    if !(event.starts_with("Dial") && c.is_multiple_of(5)) {
        headers.extend([("Channel", name.into()), ("Uniqueid", dialled), ("Linkedid", channel(c).1)]);
    }
    let of = |list: &[&str], number: usize| (*list.get(number % list.len()).unwrap_or(&"")).to_string();
    headers.extend([
        ("ChannelState", of(&["0", "4", "5", "6"], b)),
        ("CallerIDNum", format!("+4790000{a}")),
        ("Context", of(&["internal", "ivr-main"], c)),
        ("Exten", of(&["1002", "+4733300001", "*8", "s"], b)),
        ("DestChannel", dest.into()),
        ("DestUniqueid", dest_uid.clone()),
        ("DialString", of(&["1001", "+4733300001@trunk", "1002@internal"], c)),
        ("DialStatus", of(&STATUS, c)),
        ("BridgeUniqueid", bridge.into()),
        ("BridgeType", kind.into()),
        ("Queue", of(&["support", "sales"], c)),
        ("Position", "1".into()),
        ("Interface", of(&["PJSIP/1001", "Local/1002@internal/n", "Local/2001@agents"], b)),
        ("StateInterface", of(&["PJSIP/1001", "", "Agent:2001"], b)),
        ("MemberName", "Anna".into()),
        ("Paused", of(&["0", "1"], b)),
        ("PausedReason", of(&["lunch", ""], a)),
        ("Agent", "2001".into()),
        ("Conference", of(&["800", "801"], c)),
        ("TransfererUniqueid", uid.clone()),
        ("OrigTransfererUniqueid", uid.clone()),
        ("SecondTransfererUniqueid", dest_uid.clone()),
        ("DestType", of(&DEST_TYPES, c)),
        ("Extension", of(&["1002", "200"], c)),
        ("TargetUniqueid", dest_uid.clone()),
        ("ParkeeUniqueid", uid.clone()),
        ("RetrieverUniqueid", dest_uid.clone()),
        ("ParkingSpace", "701".into()),
        ("ParkerDialString", "PJSIP/1001".into()),
        ("SpyerChannel", name.into()),
        ("SpyerUniqueid", uid),
        ("SpyeeUniqueid", dest_uid.clone()),
        ("Variable", "QUEUESTATUS".into()),
        ("Value", of(&["TIMEOUT", "LEAVEEMPTY", "WITHDRAW", "FULL"], a)),
        ("Response", "Failure".into()),
        ("Reason", of(&["0", "3", "5"], a)),
        ("Device", of(&["PJSIP/1001", "Custom:DND1001", "PJSIP/trunk"], a)),
        ("State", of(&["NOT_INUSE", "UNAVAILABLE", "INUSE"], b)),
        ("Hint", "PJSIP/1002".into()),
        ("Mailbox", "1001@default".into()),
        ("New", (b % 3).to_string()),
        ("UserEvent", of(&["CallForward", "DoNotDisturb", "Other"], a)),
        ("To", of(&["1002", ""], b)),
        ("Cause", of(&["16", "17", "19", "0", "odd"], c)),
    ]);
    if c.is_multiple_of(3) {
        headers.push(("SwapUniqueid", dest_uid));
    }
    Message::from_headers(headers)
}
