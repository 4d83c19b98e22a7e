//! Call models from a folder: how their events are numbered and written, and what is said of a model that is wrong.

#![expect(clippy::unwrap_used, reason = "the helpers of a test fail like the test itself")]

use std::fs;

use cordboard_server::conformance::{ConformanceError, run};
use serde_json::Value;

/// A model of our own in the suite's format.
const MODEL: &str = r#"{
  "id": "answered", "title": "A call that was made before is answered", "strictness": "firm", "confidence": "high",
  "source": "ours", "note": ["for people"],
  "setup": {"devices": [{"dn": "1001", "type": "extension"}, {"dn": "1002", "type": "extension"}, {"dn": "6001", "type": "acd_queue"}],
            "agents": [{"agent_id": "8001", "dn": "1002", "queues": ["6001"], "state": "NotReady"}]},
  "given": [{"request": "TMakeCall", "dn": "1001", "conn": 1, "attrs": {"OtherDN": "1002"}}],
  "steps": [
    {"request": "TAnswerCall", "dn": "1002", "conn": 1},
    {"expect": [{"event": "EventEstablished", "on": "1001"}, {"event": "EventEstablished", "on": "1002"}], "order": "any"},
    {"request": "THoldCall", "dn": "1001", "conn": 1, "attrs": {"ReferenceID": 7}},
    {"expect": [{"event": "EventHeld", "on": "1001"}]},
    {"switch": "hangup", "dn": "1002", "conn": 1},
    {"expect": []}
  ]}"#;

fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        fs::write(folder.path().join(name), text).unwrap();
    }
    folder
}

#[test]
fn every_event_has_the_number_of_its_step() {
    let folder =
        folder(&[("answered.json", MODEL), ("later.json", r#"{"id": "later", "title": "L", "skip": "not yet"}"#)]);
    let mut out = Vec::new();
    let summary = run(folder.path(), &mut out).unwrap();
    assert_eq!((summary.models, summary.skipped, summary.refused), (1, 1, 0), "{summary:?}");
    assert!(summary.wrong.is_empty(), "{summary:?}");
    let lines: Vec<Value> =
        String::from_utf8(out).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), summary.events);
    let told = |step: Value| -> Vec<String> {
        let of = lines.iter().filter(|line| line["step"] == step && !line["topic"].is_null());
        let mut names: Vec<String> =
            of.map(|line| format!("{} {}", line["value"]["id"], line["value"]["ThisDN"]).replace('"', "")).collect();
        names.sort();
        names
    };
    assert_eq!(told(Value::Null), ["EventAgentLogin 1002", "EventAgentNotReady 1002"]);
    assert_eq!(told((-1).into()), ["EventDialing 1001", "EventRinging 1002"]);
    assert_eq!(told(0.into()), ["EventEstablished 1001", "EventEstablished 1002"]);
    assert_eq!(told(2.into()), ["EventHeld 1001"]);
    assert_eq!(told(4.into()), ["EventReleased 1001", "EventReleased 1002"]);
    assert!(lines.iter().all(|line| line["model"] == "answered"));
    assert!(lines.iter().all(|line| line["topic"].is_null() == line["key"].is_null()), "a key goes with a topic");
}

#[test]
fn a_wrong_model_is_named_and_the_others_are_played() {
    let wrong = MODEL.replace("THoldCall", "TFly").replace("\"answered\"", "\"wrong\"");
    let impossible =
        MODEL.replace("\"dn\": \"1002\", \"conn\": 1},\n    {\"expect\": []}", "\"dn\": \"1009\", \"conn\": 1}");
    let folder = folder(&[("a.json", "no json"), ("answered.json", &impossible), ("wrong.json", &wrong)]);
    let summary = run(folder.path(), &mut Vec::new()).unwrap();
    assert_eq!(summary.models, 1);
    let [text, happening, request] = summary.wrong.as_slice() else { panic!("{summary:?}") };
    assert!(text.contains("a.json: no JSON"), "{text}");
    assert!(happening.contains("answered: step 4 (now 1009 hangs-up \"call 1\") cannot happen"), "{happening}");
    assert!(request.contains("wrong.json: steps[2]: there is no request") && request.contains("TFly"), "{request}");
}

#[test]
fn a_request_that_is_refused_as_it_is_read_is_no_reason_to_stop() {
    let elsewhere = MODEL.replace("\"ReferenceID\": 7", "\"ReferenceID\": 7, \"Location\": \"elsewhere\"");
    let folder = folder(&[("answered.json", &elsewhere)]);
    let mut out = Vec::new();
    let summary = run(folder.path(), &mut out).unwrap();
    assert_eq!((summary.models, summary.refused), (1, 1), "{summary:?}");
    let lines = String::from_utf8(out).unwrap();
    let mut lines = lines.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let refused = lines.find(|line| line["step"] == 2).unwrap();
    assert_eq!((&refused["value"]["id"], &refused["value"]["ReferenceID"]), (&"EventError".into(), &7.into()));
    assert!(refused["topic"].is_null() && refused["key"].is_null());
    assert!(lines.any(|line| line["step"] == 4), "the story goes on");
}

#[test]
fn a_folder_without_models_is_wrong_use() {
    let folder = folder(&[("README.md", "")]);
    assert!(matches!(run(folder.path(), &mut Vec::new()), Err(ConformanceError::NoModels { .. })));
    assert!(matches!(run(&folder.path().join("none"), &mut Vec::new()), Err(ConformanceError::Read { .. })));
}
