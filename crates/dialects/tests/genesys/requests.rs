//! Requests: each is read as what it means, and what is wrong is said.

use cordboard_core::call::LegState;
use cordboard_core::datum::{Datum, Pairs};
use cordboard_core::event::{ForwardMode, MonitorScope, RouteKind, SuperviseMode, TreatmentKind, WorkMode};
use cordboard_core::ids::ConnId;
use cordboard_core::listed::Listed;
use cordboard_core::request::{Ask, Joining, PredictiveTargets, Refusal, refuse_leg};
use cordboard_dialects::genesys::requests::{About, REQUESTS, parse, schema, terr};
use serde_json::{Value, json};

const CALL: ConnId = ConnId(0x6c_0246);
const HELD: ConnId = ConnId(0x6c_0247);

fn text(text: &str) -> Option<String> {
    Some(text.to_owned())
}

fn data() -> Pairs {
    let nested = Pairs::from([("B".to_owned(), Datum::Integer(2))]);
    Pairs::from([("A".to_owned(), Datum::from("1")), ("C".to_owned(), Datum::Pairs(nested))])
}

/// Every request with all it can have, and what it asks.
fn samples() -> Vec<(Value, Ask)> {
    let (call, held, to) = (CALL, HELD, "1002".to_owned());
    let one = json!({"ThisDN": "1001", "ConnID": "00000000006c0246@pbx"});
    let two = json!({"ThisDN": "1001", "ConnID": "6C0246", "HeldConnID": "6c0247@pbx"});
    let this = json!({"ThisDN": "1001"});
    let with = |base: &Value, name: &str, more: Value| {
        let mut request = base.clone();
        request["request"] = json!(name);
        request["ReferenceID"] = json!(7);
        for (key, value) in more.as_object().unwrap() {
            request[key] = value.clone();
        }
        request
    };
    let user = json!({"A": "1", "C": {"B": 2}});
    let reasons = Pairs::from([("Break".to_owned(), Datum::from("Lunch"))]);
    let queue = text("6001");
    let agent = json!({"ThisQueue": "6001", "AgentWorkMode": "AuxWork", "Reasons": {"Break": "Lunch"}});
    let consult =
        json!({"OtherDN": "1002", "UserData": user, "Location": "", "Extensions": {"ConsultUserData": "separate"}});
    let step = json!({"OtherDN": "1002", "UserData": user, "Location": ""});
    let (none, user_data) = (json!({}), data());
    vec![
        (
            with(&this, "TRegisterAddress", json!({"AddressType": "DN", "RegisterMode": "Share", "ControlMode": 0})),
            Ask::Register,
        ),
        (with(&this, "TUnregisterAddress", none.clone()), Ask::Unregister),
        (
            with(
                &json!({}),
                "TQueryAddress",
                json!({"ThisQueue": "1001", "AddressType": 3, "InfoType": "QueueStatus"}),
            ),
            Ask::QueryAddress { kind: "Queue".into(), info: "QueueStatus".into() },
        ),
        (with(&one, "TQueryCall", json!({"InfoType": "PartiesQuery"})), Ask::QueryCall { call }),
        (with(&json!({}), "TQueryServer", none.clone()), Ask::QueryServer),
        (with(&json!({}), "TSetReferenceID", json!({"NextReferenceID": 12})), Ask::SetReference { next: 12 }),
        (
            with(&json!({}), "TSetInputMask", json!({"Mask": ["EventRinging", "EventError"]})),
            Ask::SetMask { events: vec!["EventRinging".into(), "EventError".into()] },
        ),
        (
            with(
                &this,
                "TAgentLogin",
                json!({"AgentID": "8001", "ThisQueue": "6001", "AgentWorkMode": "AutoIn", "Password": "x", "Extensions": {"WrapUpTime": 20, "ReasonCode": "Start"}}),
            ),
            Ask::Login {
                agent: "8001".into(),
                queue: queue.clone(),
                mode: WorkMode::AutoIn,
                reasons: Pairs::from([("ReasonCode".to_owned(), Datum::from("Start"))]),
                wrapup_s: Some(20),
            },
        ),
        (
            with(&this, "TAgentLogout", json!({"ThisQueue": "6001"})),
            Ask::Logout { queue: queue.clone(), reasons: Pairs::new() },
        ),
        (
            with(&this, "TAgentSetReady", json!({"AgentWorkMode": 1})),
            Ask::Ready { queue: None, mode: WorkMode::ManualIn, reasons: Pairs::new() },
        ),
        (with(&this, "TAgentSetNotReady", agent), Ask::NotReady { queue, mode: WorkMode::AuxWork, reasons }),
        (
            with(&this, "TReserveAgent", json!({"Duration": 5000, "Priority": 3, "AgentID": "8001", "Place": ""})),
            Ask::Reserve { ms: 5_000, priority: 3, agent: text("8001") },
        ),
        (with(&this, "TSetDNDOn", none.clone()), Ask::Dnd { on: true }),
        (with(&this, "TSetDNDOff", none.clone()), Ask::Dnd { on: false }),
        (
            with(&this, "TCallSetForward", json!({"OtherDN": "1002", "ForwardMode": "OnBusy"})),
            Ask::Forward { mode: ForwardMode::OnBusy, to: text("1002") },
        ),
        (with(&this, "TCallCancelForward", none.clone()), Ask::Forward { mode: ForwardMode::Unconditional, to: None }),
        (with(&this, "TSetMessageWaitingOn", none.clone()), Ask::Messages { on: true }),
        (with(&this, "TSetMessageWaitingOff", none.clone()), Ask::Messages { on: false }),
        (with(&one, "TSetMuteOn", json!({"Extensions": {"MonitorMode": "mute"}})), Ask::Mute { call, on: true }),
        (with(&one, "TSetMuteOff", json!({"Extensions": {}})), Ask::Mute { call, on: false }),
        (
            with(
                &json!({"dn": "1001"}),
                "TMakeCall",
                json!({"OtherDN": "1002", "UserData": user, "MakeCallType": "Regular"}),
            ),
            Ask::MakeCall { to: to.clone(), user_data: user_data.clone() },
        ),
        (
            with(
                &this,
                "TMakePredictiveCall",
                json!({"OtherDN": "1002", "Timeout": 30, "UserData": user, "Extensions": {"VoiceDest": "1", "AnsMachine": "2", "FaxDest": "3"}}),
            ),
            Ask::MakePredictiveCall {
                to: to.clone(),
                ring_ms: 30_000,
                user_data: user_data.clone(),
                targets: PredictiveTargets { person: text("1"), machine: text("2"), fax: text("3") },
            },
        ),
        (with(&one, "TAnswerCall", none.clone()), Ask::Answer { call }),
        (with(&one, "TReleaseCall", none.clone()), Ask::Release { call }),
        (with(&one, "TClearCall", none.clone()), Ask::Clear { call }),
        (with(&one, "THoldCall", none.clone()), Ask::Hold { call }),
        (with(&one, "TRetrieveCall", none.clone()), Ask::Retrieve { call }),
        (with(&two, "TAlternateCall", none.clone()), Ask::Alternate { call, held }),
        (with(&two, "TReconnectCall", none.clone()), Ask::Reconnect { call, held }),
        (with(&one, "TRedirectCall", json!({"OtherDN": "1002"})), Ask::Redirect { call, to: to.clone() }),
        (
            with(&one, "TInitiateTransfer", consult.clone()),
            Ask::Consult { call, to: to.clone(), purpose: Joining::Transfer, user_data: user_data.clone() },
        ),
        (with(&two, "TCompleteTransfer", none.clone()), Ask::Complete { call, held, purpose: Joining::Transfer }),
        (
            with(&one, "TMuteTransfer", consult.clone()),
            Ask::MuteTransfer { call, to: to.clone(), user_data: user_data.clone() },
        ),
        (
            with(&one, "TSingleStepTransfer", step.clone()),
            Ask::SingleStep { call, to: to.clone(), purpose: Joining::Transfer, user_data: user_data.clone() },
        ),
        (
            with(&one, "TInitiateConference", consult),
            Ask::Consult { call, to: to.clone(), purpose: Joining::Conference, user_data: user_data.clone() },
        ),
        (with(&two, "TCompleteConference", none.clone()), Ask::Complete { call, held, purpose: Joining::Conference }),
        (
            with(&one, "TSingleStepConference", step),
            Ask::SingleStep { call, to: to.clone(), purpose: Joining::Conference, user_data: user_data.clone() },
        ),
        (with(&one, "TDeleteFromConference", json!({"OtherDN": "1002"})), Ask::DropParty { call, who: to.clone() }),
        (
            with(&two, "TMergeCalls", json!({"MergeType": "ForConference"})),
            Ask::Merge { call, held, purpose: Joining::Conference },
        ),
        (with(&one, "TListenDisconnect", json!({"OtherDN": "1002"})), Ask::Listen { call, who: to.clone(), on: false }),
        (with(&one, "TListenReconnect", json!({"OtherDN": "1002"})), Ask::Listen { call, who: to.clone(), on: true }),
        (
            with(&one, "TRouteCall", json!({"OtherDN": "1002", "RouteType": "Default", "DNIS": ""})),
            Ask::Route { call, to: text("1002"), kind: RouteKind::Default },
        ),
        (
            with(&one, "TApplyTreatment", json!({"TreatmentType": "RAN", "TreatmentParms": user})),
            Ask::Treat { call, kind: TreatmentKind::RecordedAnnouncement, parameters: user_data.clone() },
        ),
        (
            with(&one, "TAttachUserData", json!({"UserData": user})),
            Ask::ChangeData { call, set: user_data.clone(), removed: vec![], all: false },
        ),
        (
            with(&one, "TUpdateUserData", json!({"UserData": user})),
            Ask::ChangeData { call, set: user_data, removed: vec![], all: false },
        ),
        (
            with(&one, "TDeleteUserData", json!({"Key": ["A", "C"]})),
            Ask::ChangeData { call, set: Pairs::new(), removed: vec!["A".into(), "C".into()], all: false },
        ),
        (
            with(&one, "TDeleteAllUserData", none.clone()),
            Ask::ChangeData { call, set: Pairs::new(), removed: vec![], all: true },
        ),
        (
            with(
                &this,
                "TMonitorNextCall",
                json!({"OtherDN": "1002", "MonitorNextCallType": "MonitorAllCalls", "Extensions": {"MonitorMode": "coach"}}),
            ),
            Ask::Monitor { target: to.clone(), scope: MonitorScope::AllCalls, mode: SuperviseMode::Whisper },
        ),
        (with(&this, "TCancelMonitoring", json!({"OtherDN": "1002"})), Ask::MonitorEnd { target: to }),
        (with(&one, "TSendDTMF", json!({"DTMFDigits": "12*#d"})), Ask::Tones { call, digits: "12*#D".into() }),
        (with(&one, "TPrivateService", json!({"ServiceID": "Park"})), Ask::Park { call, space: None }),
    ]
}

#[test]
fn every_request_is_read_as_what_it_means_and_its_schema_agrees() {
    let samples = samples();
    for spec in REQUESTS {
        let found: Vec<_> = samples.iter().filter(|(request, _)| request["request"] == spec.name).collect();
        assert_eq!(found.len(), 1, "{} has one sample", spec.name);
        for (request, ask) in found {
            let parsed = parse(request).unwrap();
            assert_eq!(&parsed.ask, ask, "{request}");
            assert_eq!(parsed.reference, Some(7));
            assert_eq!(parsed.device, if spec.about == About::Client { "" } else { "1001" });
            let schema = jsonschema::validator_for(&schema(spec.name).unwrap()).unwrap();
            assert!(
                schema.is_valid(request),
                "{request}: {:?}",
                schema.iter_errors(request).map(|e| e.to_string()).collect::<Vec<_>>()
            );
            let refusals = spec.refusals();
            assert_eq!(spec.about == About::Switch, !ask.is_ours(), "{}", spec.name);
            assert_eq!(spec.about != About::Client, ask.is_about_device(), "{}", spec.name);
            for (_, kind) in ask.calls().into_iter().flatten() {
                assert!(refusals.contains(&Refusal::NoSuchCall), "{}", spec.name);
                for state in LegState::ALL {
                    let refusal = kind.and_then(|kind| refuse_leg(*state, kind));
                    assert!(refusal.is_none_or(|refusal| refusals.contains(&refusal)), "{}: {refusal:?}", spec.name);
                }
            }
        }
    }
}

#[test]
fn without_any_mandatory_member_a_request_is_refused_by_the_reader_and_by_the_schema() {
    for (request, _) in samples() {
        let name = request["request"].as_str().unwrap();
        let spec = REQUESTS.iter().find(|spec| spec.name == name).unwrap();
        let schema = jsonschema::validator_for(&schema(name).unwrap()).unwrap();
        for parameter in spec.parameters.iter().filter(|parameter| parameter.mandatory) {
            let mut less = request.clone();
            less.as_object_mut().unwrap().shift_remove(parameter.name);
            let wrong = parse(&less).unwrap_err();
            assert!(wrong.message.contains(parameter.name), "{}", wrong.message);
            assert_eq!((wrong.reference, wrong.refusal), (Some(7), Refusal::WrongAttribute));
            assert!(!schema.is_valid(&less), "{less}");
        }
        let mut more = request.clone();
        more["Nonsense"] = json!(1);
        assert!(parse(&more).unwrap_err().message.contains("Nonsense"));
        assert!(!schema.is_valid(&more));
    }
}

#[test]
fn private_services() {
    let read = |more: Value| {
        let mut request = json!({"request": "TPrivateService", "ThisDN": "1001"});
        request.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        parse(&request).map(|parsed| parsed.ask).map_err(|wrong| wrong.message)
    };
    let call = CALL;
    assert_eq!(
        read(json!({"ServiceID": "Park", "ConnID": "6c0246", "OtherDN": "701"})),
        Ok(Ask::Park { call, space: text("701") })
    );
    assert_eq!(read(json!({"ServiceID": "Unpark", "OtherDN": "701"})), Ok(Ask::Unpark { space: "701".into() }));
    assert_eq!(read(json!({"ServiceID": 3, "OtherDN": "1002"})), Ok(Ask::Pickup { target: "1002".into() }));
    let file = json!({"ServiceID": "StartRecording", "ConnID": "6c0246", "Extensions": {"File": "a"}});
    assert_eq!(read(file), Ok(Ask::Record { call, on: true, file: text("a") }));
    assert_eq!(
        read(json!({"ServiceID": "StopRecording", "ConnID": "6c0246"})),
        Ok(Ask::Record { call, on: false, file: None })
    );
    let variable = json!({"ServiceID": "SetVariable", "ConnID": "6c0246", "Extensions": {"Name": "n", "Value": 5}});
    assert_eq!(read(variable), Ok(Ask::SetVariable { call, name: "n".into(), value: "5".into() }));
    let join = json!({"ServiceID": "Supervise", "OtherDN": "1002", "Extensions": {"MonitorMode": "connect"}});
    assert_eq!(read(join), Ok(Ask::Supervise { target: "1002".into(), mode: SuperviseMode::Barge }));

    assert!(read(json!({"ServiceID": "Unpark"})).unwrap_err().contains("OtherDN"));
    assert!(read(json!({"ServiceID": "Park"})).unwrap_err().contains("ConnID"));
    assert!(read(json!({"ServiceID": "Pickup", "OtherDN": "1", "ConnID": "1"})).unwrap_err().contains("ConnID"));
    assert!(read(json!({"ServiceID": "Fly"})).unwrap_err().contains("Park, Unpark"));
}

#[test]
fn what_is_wrong_is_said_and_what_would_be_right() {
    let wrong = |request: Value| parse(&request).unwrap_err();
    let says = |request: Value, words: &[&str], refusal: Refusal| {
        let wrong = wrong(request);
        assert!(words.iter().all(|word| wrong.message.contains(word)), "{}", wrong.message);
        assert_eq!(wrong.refusal, refusal, "{}", wrong.message);
    };
    use Refusal::{InvalidNumber, Unsupported, WrongAttribute};
    says(json!([]), &["JSON object"], WrongAttribute);
    says(json!({}), &["request", "TMakeCall"], WrongAttribute);
    says(json!({"request": "TMakCal"}), &["TMakCal", "TMakeCall"], Unsupported);
    says(json!({"request": "makecall"}), &["TMakeCall"], Unsupported);
    says(json!({"request": "Sing"}), &["cordboard catalogue genesys"], Unsupported);
    says(json!({"request": "TMakeCall", "OtherDN": "1"}), &["ThisDN"], WrongAttribute);
    says(
        json!({"request": "TMakeCall", "ThisDN": 1001, "OtherDN": "1"}),
        &["ThisDN", "number", "text"],
        WrongAttribute,
    );
    says(json!({"request": "TMakeCall", "ThisDN": "1", "dn": "2", "OtherDN": "1"}), &["dn"], WrongAttribute);
    says(json!({"request": "TMakeCall", "ThisDN": "1", "OtherDn": "1"}), &["OtherDn", "OtherDN"], WrongAttribute);
    says(json!({"request": "TMakeCall", "ThisDN": "1", "OtherDN": ""}), &["OtherDN", "empty"], InvalidNumber);
    says(json!({"request": "TMakeCall", "ThisDN": "1", "OtherDN": "1\r\nAction: Bye"}), &["control"], InvalidNumber);
    says(json!({"request": "TMakeCall", "ThisDN": "1", "OtherDN": "1".repeat(300)}), &["300", "256"], InvalidNumber);
    says(
        json!({"request": "TMakeCall", "ThisDN": "1", "OtherDN": "2", "Location": "Oulu"}),
        &["Location", "site"],
        Unsupported,
    );
    says(
        json!({"request": "TMakeCall", "ThisDN": "1", "OtherDN": "2", "MakeCallType": "Priority"}),
        &["MakeCallType"],
        Unsupported,
    );
    says(
        json!({"request": "TMakeCall", "ThisDN": "1", "OtherDN": "2", "Reasons": {"a": "b"}}),
        &["Reasons"],
        Unsupported,
    );
    says(
        json!({"request": "TMakeCall", "ThisDN": "1", "OtherDN": "2", "UserData": {"a": {"b": [1]}}}),
        &["UserData.a.b", "list"],
        WrongAttribute,
    );
    says(
        json!({"request": "TMakeCall", "ThisDN": "1", "OtherDN": "2", "ReferenceID": -1}),
        &["ReferenceID", "-1"],
        WrongAttribute,
    );
    says(
        json!({"request": "TAnswerCall", "ThisDN": "1", "ConnID": "zz"}),
        &["ConnID", "zz", "hexadecimal"],
        WrongAttribute,
    );
    says(json!({"request": "TAnswerCall", "ThisDN": "1", "ConnID": ""}), &["ConnID"], WrongAttribute);
    says(
        json!({"request": "TAlternateCall", "ThisDN": "1", "ConnID": "1", "HeldConnID": "1@x"}),
        &["same"],
        WrongAttribute,
    );
    says(
        json!({"request": "TAgentSetReady", "ThisDN": "1", "AgentWorkMode": "AuxWork"}),
        &["TAgentSetNotReady"],
        WrongAttribute,
    );
    says(
        json!({"request": "TAgentSetNotReady", "ThisDN": "1", "AgentWorkMode": "Sleep"}),
        &["Sleep", "WalkAway"],
        WrongAttribute,
    );
    says(
        json!({"request": "TAgentLogin", "ThisDN": "1", "AgentID": "8", "Extensions": {"WrapUpTime": "soon"}}),
        &["soon"],
        WrongAttribute,
    );
    says(
        json!({"request": "TAgentLogin", "ThisDN": "1", "AgentID": "8", "Extensions": {"Hat": "1"}}),
        &["Extensions.Hat"],
        Unsupported,
    );
    says(
        json!({"request": "TCallSetForward", "ThisDN": "1", "OtherDN": "2", "ForwardMode": "None"}),
        &["ForwardMode"],
        Unsupported,
    );
    says(json!({"request": "TRouteCall", "ThisDN": "1", "ConnID": "1", "RouteType": "Label"}), &["Label"], Unsupported);
    says(
        json!({"request": "TRouteCall", "ThisDN": "1", "ConnID": "1", "RouteType": "Direct"}),
        &["OtherDN"],
        WrongAttribute,
    );
    says(
        json!({"request": "TSendDTMF", "ThisDN": "1", "ConnID": "1", "DTMFDigits": "1x"}),
        &["DTMFDigits"],
        WrongAttribute,
    );
    says(json!({"request": "TSetInputMask", "Mask": ["EventRining"]}), &["EventRinging"], WrongAttribute);
    says(
        json!({"request": "TSetMuteOff", "ThisDN": "1", "ConnID": "1", "Extensions": {"MonitorMode": "coach"}}),
        &["coach"],
        Unsupported,
    );
    let named = wrong(json!({"request": "TMakeCall", "ThisDN": "1001", "ReferenceID": 9}));
    assert_eq!((named.reference, named.device.as_str()), (Some(9), "1001"));
}

#[test]
fn a_password_is_handed_over_and_never_shown() {
    let request = json!({"request": "TAgentLogin", "ThisDN": "1001", "AgentID": "8001", "Password": "kiisseli"});
    let parsed = parse(&request).unwrap();
    assert_eq!(parsed.password.as_deref(), Some("kiisseli"));
    assert!(!format!("{parsed:?} {:?}", parsed.ask).contains("kiisseli"));
    let long =
        json!({"request": "TAgentLogin", "ThisDN": "1001", "AgentID": "8001", "Password": "kiisseli".repeat(99)});
    assert!(!format!("{:?}", parse(&long).unwrap_err()).contains("kiisseli"));
    let number = json!({"request": "TAgentLogin", "ThisDN": "1001", "AgentID": "8001", "Password": 20262026});
    assert!(!format!("{:?}", parse(&number).unwrap_err()).contains("20262026"));
}

#[test]
fn refusals_have_the_published_numbers() {
    let table = include_str!("terr.txt");
    let mut found = String::new();
    for refusal in Refusal::ALL {
        let terr = terr::of(*refusal, None);
        found += &format!("{:<26} {:>4} {}\n", refusal.name(), terr.code, terr.name);
    }
    assert_eq!(found, table);
    let (call, held) = (CALL, HELD);
    let complete = |purpose| Ask::Complete { call, held, purpose };
    assert_eq!(terr::of(Refusal::NotHeld, Some(&complete(Joining::Transfer))).code, 98);
    assert_eq!(terr::of(Refusal::NotHeld, Some(&complete(Joining::Conference))).code, 96);
    assert_eq!(terr::of(Refusal::NotHeld, Some(&Ask::Retrieve { call })).code, 171);
    assert_eq!(terr::of(Refusal::InvalidNumber, Some(&Ask::Redirect { call, to: String::new() })).code, 169);
}
