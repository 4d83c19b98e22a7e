//! The words of the hub: what it is asked with, and what it answers.

use std::fmt;
use std::str::FromStr;

use cordboard_core::Guid;
use cordboard_core::listed::Listed as _;
use cordboard_dialects::enreach::{EntityKind, EventName, ids};
use serde_json::{Map, Value, json};

use crate::gateway::signalr::hub::HubError;
use crate::log::Position;

/// The one method of clients that is invoked.
pub(in crate::gateway) const TARGET: &str = "MessageReceived";
/// Stands for everything of a kind, where that is permitted.
const EVERYTHING: &str = "*";
pub(in crate::gateway) const ROOT_TYPE: &str = "Organization";

cordboard_core::listed! {
    /// A method of the hub.
    pub enum Method {
        /// Subscribes to a list of things.
        Subscribe,
        /// Ends subscriptions to a list of things.
        Unsubscribe,
        /// Ends all subscriptions of the connection.
        UnsubscribeAll,
        /// Names all events.
        AvailableSubscriptions,
        /// Lists the subscriptions of the connection.
        ActiveSubscriptions,
        /// Subscribes and goes on from a place; beyond the original.
        SubscribeFrom,
    }
}

impl Method {
    /// The method of this name, in any case; the one beyond the original only where it is switched on.
    pub(super) fn parse(name: &str, extensions: bool) -> Option<Self> {
        let method = *Self::ALL.iter().find(|method| method.name().eq_ignore_ascii_case(name))?;
        (extensions || method != Self::SubscribeFrom).then_some(method)
    }
}

/// What a subscription is to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(in crate::gateway) struct Target {
    pub(in crate::gateway) event: EventName,
    /// None for everything of its kind.
    pub(in crate::gateway) entity: Option<Guid>,
}

cordboard_core::listed! {
    /// Why an item of a list is not subscribed to, in the words of the original but for the last.
    pub enum Fault {
        /// The id is none.
        EntityId,
        /// There is no such event.
        EventName,
        /// It may not be seen, or does not exist.
        Unauthorised,
        /// A limit is reached.
        TooMany,
    }
}

impl Fault {
    pub(in crate::gateway) fn message(self) -> &'static str {
        match self {
            Self::EntityId => "Invalid EntityId",
            Self::EventName => "Invalid event name",
            Self::Unauthorised => "Unauthorized",
            Self::TooMany => "Too many subscriptions",
        }
    }
}

/// One item of a list as it came, and what it means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::gateway) struct Item {
    entity: Option<String>,
    event: Option<String>,
    pub(in crate::gateway) target: Result<Target, Fault>,
}

impl Item {
    fn new(entity: Option<String>, event: Option<String>, extensions: bool) -> Self {
        let everything = extensions && entity.as_deref() == Some(EVERYTHING);
        let guid = entity.as_deref().and_then(|text| text.trim().parse::<Guid>().ok());
        let name = event.as_deref().and_then(EventName::parse);
        let target = match (guid, everything) {
            (None, false) => Err(Fault::EntityId),
            (entity, _) => name.map(|event| Target { event, entity }).ok_or(Fault::EventName),
        };
        Self { entity, event, target }
    }

    /// The answer to this item.
    pub(in crate::gateway) fn result(&self, done: Result<(), Fault>) -> Value {
        json!({
            "subscribed": done.is_ok(),
            "message": done.err().map(Fault::message),
            "entityId": self.entity,
            "eventName": self.event.as_deref().map(str::to_lowercase),
        })
    }
}

/// The list of things that a method's first argument is. Names of members are read in any case; what is missing or null is
/// judged item by item, what has another type is no argument at all.
pub(in crate::gateway) fn items(argument: Option<Value>, extensions: bool) -> Result<Vec<Item>, HubError> {
    let Some(Value::Array(list)) = argument else { return Err(HubError::Arguments) };
    let item = |value: Value| {
        let Value::Object(members) = value else { return Err(HubError::Arguments) };
        let text = |name| member(&members, name);
        Ok(Item::new(text("EntityId")?, text("EventName")?, extensions))
    };
    list.into_iter().map(item).collect()
}

fn member(members: &Map<String, Value>, name: &str) -> Result<Option<String>, HubError> {
    // Of several the last counts, as in most readers of JSON.
    match members.iter().rev().find(|(key, _)| key.eq_ignore_ascii_case(name)) {
        None | Some((_, Value::Null)) => Ok(None),
        Some((_, Value::String(text))) => Ok(Some(text.clone())),
        Some((_, Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_))) => Err(HubError::Arguments),
    }
}

/// The names of all events.
pub(in crate::gateway) fn available() -> Value {
    EventName::ALL.iter().map(|event| event.wire()).collect()
}

/// The id of a subscription: the same for everybody who has it, so that everybody can be sent the same bytes.
pub(super) fn subscription_id(organisation: Guid, target: Target) -> Guid {
    let entity = target.entity.map_or_else(|| EVERYTHING.to_owned(), |entity| entity.to_string());
    ids::named(organisation, &["subscription:", target.event.wire(), ":", &entity])
}

/// A subscription as clients are shown it: a JSON object.
pub(in crate::gateway) fn subscription(organisation: Guid, target: Target) -> String {
    let id = subscription_id(organisation, target);
    let (event, kind) = (target.event.wire(), target.event.kind().name());
    let (entity, everything) = (target.entity.unwrap_or_default(), target.entity.is_none());
    format!(
        r#"{{"id":"{id}","allRootEntities":false,"rootEntityId":"{organisation}","rootEntityType":"{ROOT_TYPE}","organizationId":"{organisation}","eventType":"{event}","entityType":"{kind}","entityId":"{entity}","allEntities":{everything}}}"#
    )
}

/// The argument of [`TARGET`]: a subscription, an event, and for those who come back with it, the place.
pub(super) fn message(subscription: &str, body: &str, place: Option<Cursor>) -> String {
    match place {
        None => format!(r#"{{"subscription":{subscription},"data":{body}}}"#),
        Some(place) => format!(r#"{{"subscription":{subscription},"data":{body},"position":"{place}"}}"#),
    }
}

/// A place between two messages: an event of the log may say several things, and a client may see only some of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Cursor {
    pub(super) position: Position,
    /// After this message of the event; the whole event where it is as large as can be.
    pub(super) part: u32,
}

impl Cursor {
    /// After everything of an event.
    pub(super) fn after(position: Position) -> Self {
        Self { position, part: u32::MAX }
    }

    /// After one message of an event: the `index`-th thing it says, told to those who subscribed to everything or to
    /// those who subscribed to this.
    pub(super) fn within(position: Position, index: usize, everything: bool) -> Self {
        let part = u32::try_from(index).unwrap_or(u32::MAX / 4).saturating_mul(2) + u32::from(everything);
        Self { position, part }
    }

    /// Everything up to this position was told for certain.
    pub(super) fn whole(self) -> Position {
        let Position { epoch, sequence } = self.position;
        match self.part {
            u32::MAX => self.position,
            _ => Position { epoch, sequence: sequence.saturating_sub(1) },
        }
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.part {
            u32::MAX => write!(f, "{}", self.position),
            part => write!(f, "{}.{part}", self.position),
        }
    }
}

/// The text is no place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct NoCursor;

impl FromStr for Cursor {
    type Err = NoCursor;

    fn from_str(text: &str) -> Result<Self, NoCursor> {
        let (position, part) = match text.split_once('.') {
            Some((position, part)) => (position, part.parse().map_err(|_| NoCursor)?),
            None => (text, u32::MAX),
        };
        Ok(Self { position: position.parse().map_err(|_| NoCursor)?, part })
    }
}

/// The words of the original for what cannot be carried out, which is told in the words of ours.
pub(super) fn failed(method: &str, why: impl fmt::Display) -> HubError {
    HubError::Failed(format!("An unexpected error occurred invoking '{method}' on the server. HubException: {why}"))
}

/// What kind of thing it is to the rights.
pub(super) fn subject_kind(kind: EntityKind) -> crate::rights::SubjectKind {
    match kind {
        EntityKind::User => crate::rights::SubjectKind::User,
        EntityKind::Queue => crate::rights::SubjectKind::Queue,
        EntityKind::CallList => crate::rights::SubjectKind::List,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "c9eeb030-ff4b-ea11-ac9c-00155d4fdcf3";

    #[test]
    fn items_are_judged_in_the_order_of_the_documentation() {
        for (item, fault) in [
            (json!({"EntityId": ID, "EventName": "QueueStatus"}), None),
            (json!({"entityid": ID.to_uppercase(), "EVENTNAME": "queuestatus"}), None),
            (json!({"entityId": ID.replace('-', ""), "eventName": "UserTerminalStatusEvent"}), None),
            (json!({"EntityId": "x", "EventName": "y"}), Some(Fault::EntityId)),
            (json!({"EntityId": "*", "EventName": "QueueStatus"}), Some(Fault::EntityId)),
            (json!({"EventName": "QueueStatus"}), Some(Fault::EntityId)),
            (json!({"EntityId": null, "EventName": null}), Some(Fault::EntityId)),
            (json!({"EntityId": ID, "EventName": "QueueCallIncoming"}), Some(Fault::EventName)),
            (json!({"EntityId": ID}), Some(Fault::EventName)),
        ] {
            let read = items(Some(json!([item])), false).unwrap();
            assert_eq!(read[0].target.err(), fault, "{item}");
        }
        let everything = items(Some(json!([{"EntityId": "*", "EventName": "QueueStatus"}])), true).unwrap();
        assert_eq!(everything[0].target, Ok(Target { event: EventName::QueueStatus, entity: None }));
    }

    #[test]
    fn what_is_no_list_of_objects_with_texts_is_no_argument() {
        for wrong in [json!(null), json!({}), json!("x"), json!([1]), json!([null]), json!([{"EntityId": 7}])] {
            assert_eq!(items(Some(wrong.clone()), true), Err(HubError::Arguments), "{wrong}");
        }
        assert_eq!(items(None, true), Err(HubError::Arguments));
        assert_eq!(items(Some(json!([])), true), Ok(vec![]));
    }

    #[test]
    fn results_give_back_what_came_in_the_documented_order() {
        let read = items(Some(json!([{"EntityId": ID.to_uppercase(), "EventName": "QueueStatus"}])), false).unwrap();
        let (id, upper) = (ID, ID.to_uppercase());
        assert_eq!(
            read[0].result(Err(Fault::Unauthorised)).to_string(),
            format!(
                r#"{{"subscribed":false,"message":"Unauthorized","entityId":"{upper}","eventName":"queuestatus"}}"#
            )
        );
        let target = Target { event: EventName::UserStatus, entity: id.parse().ok() };
        let shown: Value = serde_json::from_str(&subscription(Guid(5), target)).unwrap();
        let members: Vec<_> = shown.as_object().unwrap().keys().map(String::as_str).collect();
        let documented = "id allRootEntities rootEntityId rootEntityType organizationId eventType entityType entityId";
        assert_eq!(members, documented.split(' ').chain(["allEntities"]).collect::<Vec<_>>());
        assert_eq!((&shown["entityId"], &shown["eventType"]), (&json!(id), &json!("UserStatus")));
    }

    #[test]
    fn places_are_read_as_they_are_written() {
        let position = Position { epoch: 7, sequence: 57 };
        for cursor in [Cursor::after(position), Cursor::within(position, 0, false), Cursor::within(position, 3, true)] {
            assert_eq!(cursor.to_string().parse(), Ok(cursor));
        }
        assert!(Cursor::within(position, 0, false) < Cursor::within(position, 0, true));
        assert!(Cursor::within(position, 9, true) < Cursor::after(position));
        assert_eq!(Cursor::within(position, 9, true).whole().sequence, 56);
        assert_eq!(Cursor::after(position).whole(), position);
        for wrong in ["", "7", "7-", "7-57.", "7-57.x", "x.1"] {
            assert_eq!(wrong.parse::<Cursor>(), Err(NoCursor), "{wrong}");
        }
    }

    #[test]
    fn methods_are_found_in_any_case_and_the_extension_only_where_it_is_on() {
        assert_eq!(Method::parse("SUBSCRIBE", false), Some(Method::Subscribe));
        assert_eq!(Method::parse("subscribefrom", false), None);
        assert_eq!(Method::parse("subscribefrom", true), Some(Method::SubscribeFrom));
        assert_eq!(Method::parse("Subscribe ", true), None);
    }
}
