//! What is said of the directory, and the statuses.

use cordboard_core::condition::{Comparison, Condition, QueueCounter};
use cordboard_core::event::{
    AgentFact, AlertFact, AlertRule, Attempt, Availability, Callback, CallbackDetails, CallbackFact, CallbackKind,
    Cause, Converted, DeviceFact, Direction, ListFact, ListProfile, Membership, Phrase, QueueFact, QueueProfile, Reach,
    Setting, SettingLevel, UserFact, WithoutCall, WrapUpWish,
};
use cordboard_core::{ConnId, Fact, Guid, Time};
use cordboard_dialects::enreach::{DIALECT, ids, queue_status, user_status};
use cordboard_dialects::{Message, Position, Settings};
use serde_json::{Value, json};

use crate::story::Story;

fn availability(id: u128, reach: Reach, from: Time, until: Option<Time>) -> Availability {
    let (note, source) = ("at the dentist".to_owned(), "calendar".to_owned());
    Availability { id: Guid(id), reach, from, until, note, source, transfer_to: "+3589".to_owned() }
}

#[test]
fn an_availability_is_told_when_it_is_in_force() {
    let mut story = Story::new();
    let now = story.world.now;
    let planned = availability(7, Reach::OffWork, now.plus_ms(60_000), None);
    assert!(story.user("anna", UserFact::AvailabilitySet(planned)).is_empty(), "its time has not come");
    let set = availability(8, Reach::BackSoon, now, Some(now.plus_ms(30_000)));
    assert_eq!(story.user("anna", UserFact::AvailabilitySet(set)), ["anna UserAvailability"]);
    let told = story.last("UserAvailability");
    assert_eq!((&told["availability"], &told["userName"]), (&json!("BRB"), &json!("anna@example.org")));
    assert_eq!((&told["note"], &told["transferNumber"]), (&json!("at the dentist"), &json!("+3589")));
    assert!(!told["startTime"].as_str().unwrap().ends_with('Z'), "it has no zone");
    let status = story.status("anna");
    assert_eq!(
        (&status["available"], &status["schedule"], &status["availabilityStatus"]),
        (&json!(false), &json!(true), &json!("BRB"))
    );
    assert_eq!((&status["canBeAllocatedTo"], &status["note"]), (&json!(false), &json!("at the dentist")));
    let ended = Fact::User { user: "anna".to_owned(), fact: UserFact::AvailabilityEnded { id: Guid(8) } };
    assert_eq!(story.later(30_000, ended), ["anna UserAvailability"]);
    let told = story.last("UserAvailability");
    assert_eq!((&told["availability"], &told["profileId"]), (&json!("Available"), &json!(Guid::default())));
    assert_eq!(
        (&told["startTime"], &told["endTime"]),
        (&json!("0001-01-01T00:00:00"), &json!("9999-12-31T23:59:59.9999999"))
    );
    let began = Fact::User { user: "anna".to_owned(), fact: UserFact::AvailabilityBegan { id: Guid(7) } };
    assert_eq!(story.later(30_000, began), ["anna UserAvailability"]);
    assert_eq!(story.status("anna")["schedule"], false);
}

#[test]
fn settings_wishes_recordings_and_phrases_are_told_as_they_are_given() {
    let mut story = Story::new();
    let values = Some([("a".to_owned(), "1".to_owned())].into());
    let level = SettingLevel::Administrator;
    let setting = Setting { keyword: "ring".to_owned(), value: "loud".to_owned(), values, allowed: None, level };
    assert_eq!(story.user("anna", UserFact::SettingChanged(setting)), ["anna UserSetting"]);
    let told = story.last("UserSetting");
    assert_eq!(
        (&told["values"], &told["allowedValues"], &told["deleted"]),
        (&json!({"a": "1"}), &Value::Null, &json!(false))
    );
    story.user("anna", UserFact::SettingRemoved { keyword: "ring".to_owned() });
    assert_eq!(story.last("UserSetting")["deleted"], true);

    let wish = WrapUpWish {
        id: Guid(5),
        max_s: 90,
        without_call: WithoutCall::Only,
        call: None,
        queue: Some("sales".to_owned()),
        list: None,
        callback: None,
    };
    assert_eq!(story.user("anna", UserFact::WrapUpWanted(wish)), ["anna UserWrapUpRequestInitiate"]);
    let told = story.last("UserWrapUpRequestInitiate");
    assert_eq!(
        (&told["allowWithoutCall"], &told["maxWrapUpTimeSec"], &told["wrapUpId"]),
        (&json!(2), &json!(90), &json!(Guid(5)))
    );
    let unwanted = UserFact::WrapUpUnwanted { wrapup: None, reason: "manual".to_owned() };
    assert_eq!(story.user("anna", unwanted), ["anna UserWrapUpRequestTerminate"]);

    let converted =
        |outbound| Converted { call: Guid(1), outbound, recording: Guid(2), conversion: Guid(3), channel: Some(1) };
    assert_eq!(
        story.user("anna", UserFact::RecordingConverted(converted(false))),
        ["anna UserCallInRecordingConverted"]
    );
    assert_eq!(
        story.user("anna", UserFact::RecordingConverted(converted(true))),
        ["anna UserCallOutRecordingConverted"]
    );
    let phrase = Phrase {
        call: Guid(1),
        leg: "4".to_owned(),
        queue: Some("sales".to_owned()),
        list: None,
        speaker: 1,
        text: "hello".to_owned(),
        confidence_ppm: 930_000,
        duration_ms: 400,
        offset_ms: 12,
        interim: true,
        kind: String::new(),
    };
    assert_eq!(story.user("anna", UserFact::PhraseHeard(phrase)), ["anna UserRealTimeTranscriptPhrase"]);
    let told = story.last("UserRealTimeTranscriptPhrase");
    assert_eq!(
        (&told["confidence"], &told["realtimeType"], &told["speakerRole"]),
        (&json!(0.93), &json!("Unknown"), &json!(1))
    );
}

#[test]
fn a_callback_is_told_whole_to_its_list_and_to_whom_it_is_addressed() {
    let mut story = Story::new();
    let list = ListFact::Described(ListProfile { title: "Later".to_owned(), ..ListProfile::default() });
    story.tell(Fact::List { list: "later".to_owned(), fact: list });
    let details = CallbackDetails { contact_number: "+3581".to_owned(), priority: 3, ..CallbackDetails::default() };
    let callback = Callback {
        list: "later".to_owned(),
        kind: CallbackKind::Requested,
        call: Some(ConnId(9)),
        queue: Some("sales".to_owned()),
        target_number: "600".to_owned(),
        personal: Some("anna".to_owned()),
        by: None,
        details,
    };
    let tell = |fact| Fact::Callback { callback: Guid(77), fact };
    let said = story.tell(tell(CallbackFact::Created(Box::new(callback))));
    assert_eq!(said, ["anna UserCallInCallbackCreated", "later CallbackChanged"]);
    let told = story.last("CallbackChanged");
    assert_eq!(
        (&told["created"], &told["typeId"], &told["calculatedPriority"]),
        (&json!(true), &json!(1), &json!("3"))
    );
    assert_eq!(
        (&told["callbackAttempts"], &told["callbackExtras"], &told["assignedUserId"]),
        (&Value::Null, &Value::Null, &Value::Null)
    );
    assert_eq!(told["entityId"], told["callListId"]);
    let by = Some("anna".to_owned());
    story.tell(tell(CallbackFact::Assigned { to: by.clone(), by: None }));
    let at = story.world.now;
    let attempt = Attempt {
        id: Guid(6),
        by: by.clone(),
        at,
        result: Some(2),
        note: "busy".to_owned(),
        call: None,
        recording: None,
    };
    assert_eq!(story.tell(tell(CallbackFact::Attempted(attempt))), ["later CallbackChanged"]);
    let told = story.last("CallbackChanged");
    let anna = json!(ids::user(&story.world, "anna"));
    assert_eq!(
        (&told["assignedUserId"], &told["lastAttemptUserId"], &told["lastAttemptTypeId"]),
        (&anna, &anna, &json!(2))
    );
    assert!(told["callbackAttempts"][0]["timestamp"].as_str().unwrap().ends_with('Z'));
    story.tell(tell(CallbackFact::Closed { by }));
    let told = story.last("CallbackChanged");
    assert_eq!(
        (&told["isClosed"], &told["created"], &told["lastModifiedUserId"]),
        (&json!(true), &json!(false), &anna)
    );
}

#[test]
fn an_alert_is_told_to_whom_it_is_for() {
    let mut story = Story::new();
    let condition = Condition::Compare { counter: QueueCounter::Waiting, comparison: Comparison::More, value: 2 };
    let rule = AlertRule {
        user: "anna".to_owned(),
        queue: "sales".to_owned(),
        name: "many".to_owned(),
        text: "waiting > 2".to_owned(),
        threshold: "2".to_owned(),
        condition,
    };
    let tell = |fact| Fact::Alert { alert: Guid(4), fact };
    assert!(story.tell(tell(AlertFact::Defined(Box::new(rule)))).is_empty());
    assert_eq!(story.tell(tell(AlertFact::Fired { value: 3 })), ["anna UserAlert"]);
    let told = story.last("UserAlert");
    assert_eq!(
        (&told["value"], &told["conditionName"], &told["conditionExpression"]),
        (&json!("3"), &json!("many"), &json!("waiting > 2"))
    );
    assert!(story.tell(tell(AlertFact::Cleared)).is_empty());
}

#[test]
fn a_status_is_told_only_when_it_has_become_another_one() {
    let mut story = Story::new();
    let before = story.messages.len();
    story.device("101", DeviceFact::DndOff);
    assert_eq!(story.messages.len(), before, "nothing changed");
    story.device("101", DeviceFact::DndOn);
    assert_eq!(story.status("anna")["canBeAllocatedTo"], false);
    assert_eq!(story.status("sales")["nbrOfAgentsLongTermAway"], 1);
    story.device("101", DeviceFact::DndOff);
    assert_eq!(story.status("anna")["canBeAllocatedTo"], true);
    // Who picks calls can be allocated to as well.
    story.user("anna", UserFact::PicksCalls { on: true });
    let status = story.status("anna");
    assert_eq!((&status["canBeAllocatedTo"], &status["fetchMode"]), (&json!(true), &json!(true)));
}

#[test]
fn a_queue_counts_its_agents_and_calls() {
    let mut story = Story::new();
    let membership = Membership { active: true, priority: 1 };
    story.queue("sales", QueueFact::MemberAssigned { user: "ben".to_owned(), membership });
    story.begin(1, Direction::Inbound, "+3581", "sales", None);
    let (caller, _) = story.dials(1, "+3581");
    story.call(1, cordboard_core::event::CallFact::Queued { queue: "sales".to_owned(), position: 1 });
    let status = story.status("sales");
    let counts = |status: &Value, names: &[&str]| -> Vec<i64> {
        names.iter().map(|name| status[name].as_i64().unwrap()).collect()
    };
    let agents =
        ["nbrOfProviders", "nbrOfAgentsCheckedInQueue", "nbrOfServingAgentsEstimate", "nbrOfAgentsImmediatelyFree"];
    assert_eq!(counts(&status, &agents), [2, 1, 1, 1]);
    let calls =
        ["nbrOfRequesters", "nbrOfQueuingRequesters", "nbrOfAllocated", "nbrOfConnected", "nbrOfNotServedRequesters"];
    assert_eq!(counts(&status, &calls), [1, 1, 0, 0, 1]);
    let party = story.party("101", cordboard_core::event::Role::Destination);
    let party = cordboard_core::event::Party { queue: Some("sales".to_owned()), ..party };
    let rings = cordboard_core::event::LegFact::Ringing(party);
    story.later(12_000, Fact::Leg { call: cordboard_core::CallId(1), leg: cordboard_core::LegId(2), fact: rings });
    let status = story.status("sales");
    assert_eq!(counts(&status, &calls), [1, 0, 1, 0, 1]);
    assert_eq!(
        (&status["maxWaitTime"], &status["nbrOfAgentsShortTermAway"], &status["openStatus"]),
        (&json!(12), &json!(1), &json!(5))
    );
    let anna = story.status("anna");
    assert_eq!((&anna["talking"], &anna["activeQueueId"]), (&json!(true), &status["queueId"]));
    story.answers(1, 2);
    assert_eq!(counts(&story.status("sales"), &calls), [1, 0, 0, 1, 0]);
    story.ends(1, 2, Cause::Normal, true);
    story.ends(1, caller, Cause::Normal, false);
    story.over(1, Cause::Normal);
    story.agent("anna", AgentFact::LoggedOut { queue: Some("sales".to_owned()) });
    assert_eq!(story.status("sales")["openStatus"], 1, "nobody serves it");
    let profile = QueueProfile { title: "Sales".to_owned(), closed: true, ..QueueProfile::default() };
    story.queue("sales", QueueFact::Described(profile));
    let status = story.status("sales");
    assert_eq!((&status["openStatus"], &status["queueName"]), (&json!(3), &json!("Sales")));
}

#[test]
fn who_comes_late_is_told_what_is_under_way_and_the_status_of_everybody() {
    let mut story = Story::new();
    story.begin(1, Direction::Inbound, "+3581", "101", None);
    story.dials(1, "+3581");
    let (anna, _) = story.rings(1, "101", None);
    story.answers(1, anna);
    story.leg(1, anna, cordboard_core::event::LegFact::Held);
    let (at, mut picture) = (Position { epoch: 1, sequence: story.sequence }, Vec::new());
    (DIALECT.snapshot)(&Settings::default(), &story.world, at, &mut picture);
    let names = |user: &str| -> Vec<String> {
        let id = ids::user(&story.world, user).to_string();
        let own = picture.iter().filter(|message| message.key.starts_with(&id));
        own.map(|message| message.key.split(':').nth(1).unwrap().to_owned()).collect()
    };
    let calls = ["UserCallInUserAllocated", "UserCallInUserConnected", "UserCallInHoldStart"];
    assert_eq!(names("anna"), [&calls[..], &["UserStatus"]].concat());
    assert_eq!(names("104"), ["UserStatus"]);
    assert!(names("101").is_empty(), "that is Anna's telephone");
    assert_eq!(picture.iter().filter(|message| message.key.ends_with(":QueueStatus")).count(), 1);
    let said = user_status(&story.world, "anna", at, story.world.now);
    assert_eq!(
        Message::from(said.clone()),
        picture.iter().find(|it| it.key.ends_with(&format!("{}:UserStatus", said.entity))).unwrap().clone()
    );
    assert!(!said.content().contains("timestamp") && said.content().ends_with("\"availabilityStatus\":\"Available\""));
    let unknown = queue_status(&story.world, "nowhere", at, story.world.now);
    assert!(unknown.body.contains("\"openStatus\":0"));
}

#[test]
fn everything_that_has_an_id_is_found_by_it() {
    let story = Story::new();
    let all: Vec<_> = ids::entities(&story.world).collect();
    assert!(all.len() >= 5);
    for (id, entity) in all {
        assert_eq!(ids::find(&story.world, id), Some(entity));
    }
    assert_eq!(ids::find(&story.world, Guid(1)), None);
}
