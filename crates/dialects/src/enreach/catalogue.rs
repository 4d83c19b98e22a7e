//! The vocabulary as data: the catalogue and one JSON Schema an event.

use alloc::borrow::Cow;

use cordboard_core::listed::Listed;
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::DIALECT;
use super::messages::{EVENTS, EventSpec, members_schema};
use super::names::{EntityKind, EventName};
use super::scene::ttl;
use super::values::{
    AvailabilityStatusesAVA, CallEventPublicityCategory, RootEntityType, SupervisionState, TerminalStatus,
    TerminalTypeId, UserSettingLevelEnum, WrapUpType,
};
use crate::catalogue::{Catalogue, Entry, Field, Presence, Vocabulary, readable};

/// The channel of all events.
pub(super) const CHANNEL: &str = "rte";

/// Everything the dialect can say.
pub(super) fn catalogue() -> Catalogue {
    Catalogue {
        dialect: DIALECT.name,
        summary: DIALECT.summary,
        events: EVENTS.iter().map(entry).collect(),
        requests: Vec::new(),
        enumerations: vec![
            words::<RootEntityType>("RootEntityType"),
            words::<EntityKind>("EntityKind"),
            words::<EventName>("EventName"),
            words::<AvailabilityStatusesAVA>("AvailabilityStatusesAVA"),
            words::<UserSettingLevelEnum>("UserSettingLevelEnum"),
            words::<TerminalTypeId>("TerminalTypeId"),
            words::<TerminalStatus>("TerminalStatus"),
            words::<WrapUpType>("WrapUpType"),
            words::<CallEventPublicityCategory>("CallEventPublicityCategory"),
            words::<SupervisionState>("SupervisionState"),
        ],
    }
}

/// The JSON Schema (2020-12) of an event; `None` if there is no such event.
pub(super) fn schema(name: &str) -> Option<Value> {
    let spec = EVENTS.iter().find(|spec| spec.name.wire() == name)?;
    let mut schema = members_schema(spec.name).to_value();
    let members = schema.as_object_mut()?;
    let Some(Value::Object(mut unordered)) = members.shift_remove("properties") else { return None };
    let mut properties = Map::new();
    for member in spec.members() {
        let mut property = unordered.shift_remove(member)?;
        if let Some(only) = only(spec.name, member) {
            let description = property.get("description").cloned().unwrap_or_default();
            property = json!({ "description": description, "const": only });
        }
        properties.insert(member.to_owned(), property);
    }
    members.insert("title".to_owned(), json!(spec.name.wire()));
    members.insert("description".to_owned(), json!(spec.summary.trim()));
    members.insert("required".to_owned(), json!(spec.members()));
    members.insert("additionalProperties".to_owned(), json!(false));
    members.insert("properties".to_owned(), Value::Object(properties));
    forget_unused(members);
    Some(readable(schema))
}

/// Facts of the core that cause an event; for states, what can change them.
pub(super) fn caused_by(event: EventName) -> &'static [&'static str] {
    match event {
        EventName::UserAlert => &["alert.fired"],
        EventName::UserAvailability => &["user.availability_began", "user.availability_ended", "user.availability_set"],
        EventName::UserCallAvailableForMonitoring => &["leg.answered", "leg.moved"],
        EventName::UserCallInArrived => &["call.queued", "call.target_refused", "leg.answered", "leg.ringing"],
        EventName::UserCallInCallbackCreated => &["callback.created"],
        EventName::UserCallInComing => &["call.queued", "call.target_refused", "leg.answered", "leg.ringing"],
        EventName::UserCallInDisconnected => &["leg.ended", "leg.moved"],
        EventName::UserCallInHoldEnd => &["leg.retrieved"],
        EventName::UserCallInHoldStart => &["leg.held", "leg.moved"],
        EventName::UserCallInOverflow => &["call.queued", "call.target_refused", "leg.ended", "leg.ringing"],
        EventName::UserCallInRecordingConverted => &["user.recording_converted"],
        EventName::UserCallInTransferCancelled => &["call.ended", "leg.answered", "leg.ended", "leg.moved"],
        EventName::UserCallInTransferConnected => &["call.transferred", "leg.answered", "leg.moved"],
        EventName::UserCallInTransferStarted => &["call.began", "call.transferred"],
        EventName::UserCallInUserAllocated => &["leg.answered", "leg.moved", "leg.ringing"],
        EventName::UserCallInUserCancelled => &["leg.ended", "leg.moved"],
        EventName::UserCallInUserConnected => &["leg.answered", "leg.moved"],
        EventName::UserCallInUserOverflow => {
            &["call.queued", "call.target_refused", "call.transferred", "leg.ended", "leg.ringing"]
        }
        EventName::UserCallOutConnected => &["leg.answered"],
        EventName::UserCallOutDisconnected => &["leg.ended", "leg.moved"],
        EventName::UserCallOutGoing => &["leg.answered", "leg.dialing", "leg.ringing"],
        EventName::UserCallOutHoldEnd => &["leg.retrieved"],
        EventName::UserCallOutHoldStart => &["leg.held"],
        EventName::UserCallOutRecordingConverted => &["user.recording_converted"],
        EventName::UserRealTimeTranscriptPhrase => &["user.phrase_heard"],
        EventName::UserSetting => &["user.setting_changed", "user.setting_removed"],
        EventName::UserStatus => &["agent.*", "call.*", "device.*", "leg.*", "queue.*", "user.*"],
        EventName::UserSupervisionStatus => {
            &["call.supervision_began", "call.supervision_changed", "call.supervision_ended"]
        }
        EventName::UserTerminalStatus => &["device.back_in_service", "device.out_of_service"],
        EventName::UserWrapUpEnabled => &["leg.answered", "leg.moved"],
        EventName::UserWrapUpRequestInitiate => &["user.wrap_up_wanted"],
        EventName::UserWrapUpRequestTerminate => &["user.wrap_up_unwanted"],
        EventName::UserWrapUpStarted => &["agent.wrap_up_began"],
        EventName::UserWrapUpTerminated => {
            &["agent.logged_out", "agent.not_ready", "agent.ready", "agent.wrap_up_began", "agent.wrap_up_ended"]
        }
        EventName::QueueStatus => &["agent.*", "call.*", "device.*", "leg.*", "queue.*", "user.*"],
        EventName::CallbackChanged => &[
            "callback.assigned",
            "callback.attempted",
            "callback.closed",
            "callback.created",
            "callback.edited",
            "callback.expired",
        ],
    }
}

/// The only value of a member that says the same in every event of this name.
fn only(event: EventName, member: &str) -> Option<Value> {
    match member {
        "eventType" => Some(json!(event)),
        "entityType" => Some(json!(event.kind())),
        "messageTTLSeconds" => Some(json!(ttl(event))),
        _ => None,
    }
}

/// Definitions that nothing speaks of any more.
fn forget_unused(schema: &mut Map<String, Value>) {
    let text = Value::Object(schema.clone()).to_string();
    if let Some(Value::Object(definitions)) = schema.get_mut("$defs") {
        definitions.retain(|name, _| text.contains(&format!("\"#/$defs/{name}\"")));
    }
}

fn words<T: Listed + Serialize>(name: &'static str) -> Vocabulary {
    let value = |(at, one): (usize, &T)| {
        // What is written as a number has that, what is written by name its place.
        let number = serde_json::to_value(one).ok().filter(Value::is_number).unwrap_or_else(|| json!(at));
        (one.name().to_owned(), number)
    };
    Vocabulary { name, values: T::ALL.iter().enumerate().map(value).collect() }
}

fn entry(spec: &EventSpec) -> Entry {
    let schema = schema(spec.name.wire()).unwrap_or_default();
    let properties = schema.get("properties").and_then(Value::as_object).cloned().unwrap_or_default();
    let field = |(name, property): (String, Value)| Field {
        json_type: Cow::Owned(json_type(&schema, &property)),
        enumeration: enumeration(&name, &property),
        presence: Presence::Mandatory,
        summary: Cow::Owned(property.get("description").and_then(Value::as_str).unwrap_or_default().to_owned()),
        name: Cow::Owned(name),
    };
    Entry {
        name: Cow::Borrowed(spec.name.wire()),
        channel: CHANNEL,
        summary: Cow::Borrowed(spec.summary.trim()),
        // One has a table only, and no sample.
        basis: Some(if spec.name == EventName::UserWrapUpRequestInitiate { "partly published" } else { "published" }),
        caused_by: caused_by(spec.name),
        only_in_snapshots: false,
        fields: properties.into_iter().map(field).collect(),
    }
}

fn json_type(schema: &Value, property: &Value) -> String {
    if let Some(only) = property.get("const") {
        return if only.is_number() { "integer".to_owned() } else { "string".to_owned() };
    }
    let named = |name: &str| schema.get("$defs")?.get(name.strip_prefix("#/$defs/")?);
    if let Some(named) = property.get("$ref").and_then(Value::as_str).and_then(named) {
        return json_type(schema, named);
    }
    if let Some(Value::Array(choices)) = property.get("anyOf") {
        return choices.iter().map(|choice| json_type(schema, choice)).collect::<Vec<_>>().join("|");
    }
    match property.get("type") {
        Some(Value::Array(types)) => types.iter().filter_map(Value::as_str).collect::<Vec<_>>().join("|"),
        Some(Value::String(name)) => name.clone(),
        _ => "string".to_owned(),
    }
}

fn enumeration(name: &str, property: &Value) -> Option<&'static str> {
    match name {
        "eventType" => return Some("EventName"),
        "entityType" => return Some("EntityKind"),
        // Written out, since its type is a text.
        "availability" => return Some("AvailabilityStatusesAVA"),
        _ => {}
    }
    let referred = property.get("$ref").and_then(Value::as_str)?.strip_prefix("#/$defs/")?;
    let known = [
        "RootEntityType",
        "AvailabilityStatusesAVA",
        "UserSettingLevelEnum",
        "TerminalTypeId",
        "TerminalStatus",
        "WrapUpType",
        "CallEventPublicityCategory",
        "SupervisionState",
    ];
    known.into_iter().find(|known| *known == referred)
}
