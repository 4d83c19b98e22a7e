//! Events for clients: what the server answers to the one who asks, and what happens to its numbers without being a
//! matter of the topics. They go to clients by name and are on no topic.
#![expect(non_snake_case, reason = "members are spelled as on the wire")]

mod messages;
mod status;

use alloc::borrow::Cow;
use std::collections::BTreeSet;

use cordboard_core::call::LegState;
use cordboard_core::event::{Asked, RequestFact, SwitchFact};
use cordboard_core::listed::Listed;
use cordboard_core::request::{Ask, Refusal};
use cordboard_core::world::Call;
use cordboard_core::{CallId, ConnId, RequestId};

pub use messages::*;

use super::attributes::{Datum, Pairs, Text, pairs};
use super::enums::{CallType, Enumeration};
use super::messages::EventDNOutOfService;
use super::party::{call_type, conn_id, number, role};
use super::requests::terr;
use super::requests::words::{ADDRESS_TYPE, INFO_TYPE};
use super::scene::Scene;
use status::{Status, address_type, party_state};

/// Answers a request.
pub(super) fn request<'w>(scene: &mut Scene<'w, '_>, id: RequestId, fact: &'w RequestFact) {
    let Some(asked) = scene.world.requests.get(&id) else { return };
    match fact {
        RequestFact::Asked(_) => {}
        RequestFact::Done => done(scene, asked),
        RequestFact::Refused { refusal, why } => refused(scene, asked, *refusal, why),
    }
}

/// Says to every client of a switch's numbers that the switch is heard, or is not.
pub(super) fn switch<'w>(scene: &mut Scene<'w, '_>, name: &'w str, fact: &'w SwitchFact) {
    let devices = scene.world.devices.values().filter(|device| device.switch == name);
    let clients: BTreeSet<&String> = devices.flat_map(|device| &device.clients).collect();
    let link = |key: &'static str, value: &'w str| {
        Pairs::from([(Cow::Borrowed("Switch"), Datum::from(name)), (Cow::Borrowed(key), Datum::from(value))])
    };
    for client in clients {
        let (Server, time) = (scene.server(), scene.time);
        match fact {
            SwitchFact::Connected { version } => {
                scene.tell_client(client, EventLinkConnected { Server, time, Extensions: link("Version", version) });
            }
            SwitchFact::Disconnected { reason } => {
                scene.tell_client(client, EventLinkDisconnected { Server, time, Extensions: link("Reason", reason) });
            }
        }
    }
}

/// Says that the data of a call changed; `by` is the number it was changed from, if any.
pub(super) fn data_changed<'w>(scene: &mut Scene<'w, '_>, id: CallId, call: &'w Call, by: Option<&'w str>) {
    let event = |scene: &Scene<'w, '_>, dn: Option<&'w str>| EventAttachedDataChanged {
        Server: scene.server(),
        time: scene.time,
        CallThreadID: Cow::Owned(scene.thread(call.thread)),
        ConnID: Cow::Owned(conn_id(call.conn, &call.switch)),
        CallID: id.0,
        CallType: kind(call),
        UserData: pairs(&call.user_data),
        ThisDN: dn.map(Cow::Borrowed),
        ThirdPartyDN: by.filter(|by| !by.is_empty()).map(Cow::Borrowed),
        ReferenceID: scene.reference,
    };
    let parties: BTreeSet<&str> = call
        .living()
        .filter(|(_, leg)| !leg.outside && leg.state != LegState::New)
        .map(|(_, leg)| &*leg.device)
        .collect();
    for dn in &parties {
        let Some(device) = scene.world.devices.get(*dn) else { continue };
        for client in &device.clients {
            let event = event(scene, Some(dn));
            scene.tell_client(client, event);
        }
    }
    let asked = scene.asked.filter(|asked| matches!(asked.ask, Ask::ChangeData { .. }));
    if let Some(asked) = asked.filter(|asked| !parties.contains(&*asked.device)) {
        let event = event(scene, None);
        scene.tell_client(&asked.client, event);
    }
}

fn done<'w>(scene: &mut Scene<'w, '_>, asked: &'w Asked) {
    let client = &*asked.client;
    let (Server, time, ReferenceID) = (scene.server(), scene.time, asked.reference);
    let ThisDN: Text<'w> = Cow::Borrowed(&asked.device);
    match &asked.ask {
        Ask::Register => registered(scene, asked),
        Ask::Unregister => scene.tell_client(client, EventUnregistered { Server, ThisDN, time, ReferenceID }),
        Ask::QueryAddress { info, .. } => {
            let Status { word, extensions, agent } = status::of(scene, asked, info);
            let event = EventAddressInfo {
                Server,
                ThisDN,
                time,
                Extensions: extensions,
                ReferenceID,
                InfoType: scene.word(&INFO_TYPE, if info.is_empty() { "AddressStatus" } else { info }),
                InfoStatus: word,
                AgentID: agent,
            };
            scene.tell_client(client, event);
        }
        Ask::QueryCall { call } => party_info(scene, asked, *call),
        Ask::QueryServer => {
            let (CustomerID, Extensions) = (Cow::Borrowed(&*scene.world.tenant), server(scene));
            scene.tell_client(client, EventServerInfo { Server, time, CustomerID, Extensions, ReferenceID });
        }
        Ask::Reserve { ms, priority, .. } => {
            let Some(agent) = scene.world.agent_on(&asked.device) else { return };
            let ms = i64::try_from(*ms).unwrap_or(i64::MAX);
            let Extensions = Pairs::from([
                (Cow::Borrowed("Duration"), Datum::from(ms)),
                (Cow::Borrowed("Priority"), Datum::from(i64::from(*priority))),
            ]);
            let AgentID = Cow::Borrowed(agent);
            scene.tell_client(client, EventAgentReserved { Server, ThisDN, time, AgentID, Extensions, ReferenceID });
        }
        Ask::Tones { call, digits } => {
            let (ConnID, DTMFDigits) = (conn(scene, asked, *call), Cow::Borrowed(&**digits));
            scene.tell_client(client, EventDTMFSent { Server, ThisDN, time, ConnID, DTMFDigits, ReferenceID });
        }
        // What has no event of its own.
        Ask::SetReference { .. } | Ask::SetMask { .. } => {
            scene.tell_client(client, EventACK { Server, time, ReferenceID, ThisDN: None });
        }
        Ask::Supervise { .. }
        | Ask::Pickup { .. }
        | Ask::Park { .. }
        | Ask::Unpark { .. }
        | Ask::Record { .. }
        | Ask::SetVariable { .. } => {
            scene.tell_client(client, EventACK { Server, time, ReferenceID, ThisDN: Some(ThisDN) });
        }
        // Told by what it caused.
        Ask::Login { .. }
        | Ask::Logout { .. }
        | Ask::Ready { .. }
        | Ask::NotReady { .. }
        | Ask::Dnd { .. }
        | Ask::Forward { .. }
        | Ask::Messages { .. }
        | Ask::MakeCall { .. }
        | Ask::MakePredictiveCall { .. }
        | Ask::Answer { .. }
        | Ask::Release { .. }
        | Ask::Clear { .. }
        | Ask::Hold { .. }
        | Ask::Retrieve { .. }
        | Ask::Alternate { .. }
        | Ask::Reconnect { .. }
        | Ask::Redirect { .. }
        | Ask::Consult { .. }
        | Ask::Complete { .. }
        | Ask::Merge { .. }
        | Ask::MuteTransfer { .. }
        | Ask::SingleStep { .. }
        | Ask::DropParty { .. }
        | Ask::Listen { .. }
        | Ask::Mute { .. }
        | Ask::Route { .. }
        | Ask::Treat { .. }
        | Ask::ChangeData { .. }
        | Ask::Change(_)
        | Ask::Monitor { .. }
        | Ask::MonitorEnd { .. } => {}
    }
}

/// A client comes: it is told what is true at the number, and that the number is out of service while it is.
fn registered<'w>(scene: &mut Scene<'w, '_>, asked: &'w Asked) {
    let Status { extensions, agent, .. } = status::of(scene, asked, "");
    let event = EventRegistered {
        Server: scene.server(),
        ThisDN: Cow::Borrowed(&asked.device),
        time: scene.time,
        Extensions: extensions,
        ReferenceID: asked.reference,
        InfoType: scene.word(&INFO_TYPE, "AddressType"),
        InfoStatus: scene.word(&ADDRESS_TYPE, address_type(scene, &asked.device)),
        AgentID: agent,
    };
    scene.tell_client(&asked.client, event);
    if scene.world.devices.get(&asked.device).is_some_and(|device| device.in_service == Some(false)) {
        let event = EventDNOutOfService::of(scene.device(&asked.device));
        scene.tell_client(&asked.client, ClientEvent::EventDNOutOfService(event));
    }
}

fn party_info<'w>(scene: &mut Scene<'w, '_>, asked: &'w Asked, conn: ConnId) {
    let Some((id, call)) = scene.world.call_by_conn(conn) else { return };
    let mut extensions = Pairs::new();
    for (at, (_, leg)) in (1_u32..).zip(call.living()) {
        extensions.insert(Cow::Owned(format!("party-{at}")), Datum::from(number(leg)));
        extensions.insert(Cow::Owned(format!("role-{at}")), scene.role(role(leg.role)));
        extensions.insert(Cow::Owned(format!("ps-{at}")), Datum::from(party_state(scene, call, leg)));
    }
    let event = EventPartyInfo {
        Server: scene.server(),
        ThisDN: Cow::Borrowed(&asked.device),
        time: scene.time,
        CallThreadID: Cow::Owned(scene.thread(call.thread)),
        ConnID: Cow::Owned(conn_id(conn, &call.switch)),
        CallID: id.0,
        CallType: kind(call),
        Extensions: extensions,
        ReferenceID: asked.reference,
        UserData: (!call.user_data.is_empty()).then(|| pairs(&call.user_data)),
    };
    scene.tell_client(&asked.client, event);
}

/// What the server is.
fn server<'w>(scene: &Scene<'w, '_>) -> Pairs<'w> {
    let switches = scene.world.switches.iter().map(|(name, switch)| {
        let state = if switch.connected { &*switch.version } else { "not connected" };
        (Cow::Borrowed(&**name), Datum::from(state))
    });
    Pairs::from([
        (Cow::Borrowed("Product"), Datum::from("Cordboard")),
        (Cow::Borrowed("Version"), Datum::from(env!("CARGO_PKG_VERSION"))),
        (Cow::Borrowed("Switches"), Datum::Pairs(switches.collect())),
    ])
}

fn refused<'w>(scene: &mut Scene<'w, '_>, asked: &'w Asked, refusal: Refusal, why: &'w str) {
    let terr = terr::of(refusal, Some(&asked.ask));
    let [first, _] = asked.ask.calls();
    let event = EventError {
        Server: scene.server(),
        time: scene.time,
        ErrorCode: terr.code,
        ErrorMessage: Cow::Borrowed(why),
        Extensions: Pairs::from([
            (Cow::Borrowed("ErrorName"), Datum::from(terr.name)),
            (Cow::Borrowed("Refusal"), Datum::from(refusal.name())),
        ]),
        ReferenceID: asked.reference,
        ThisDN: Some(Cow::Borrowed(&*asked.device)).filter(|dn: &Text<'_>| !dn.is_empty()),
        ConnID: first.and_then(|(call, _)| conn(scene, asked, call)),
    };
    scene.tell_client(&asked.client, event);
}

/// A call as its events name it, which may be over or never have been: it would be on the switch of the number.
fn conn<'w>(scene: &Scene<'w, '_>, asked: &Asked, conn: ConnId) -> Option<Text<'w>> {
    let device = scene.world.devices.get(&asked.device).map(|device| &device.switch);
    let switch = device.or_else(|| scene.world.queues.get(&asked.device).map(|queue| &queue.switch))?;
    Some(Cow::Owned(conn_id(conn, switch)))
}

fn kind(call: &Call) -> CallType {
    if call.previous_conn.is_some() { CallType::Consult } else { call_type(call.direction) }
}

/// The enumerations in which a word of these events is found.
pub(super) const ENUMERATIONS: &[&Enumeration] = status::ENUMERATIONS;
