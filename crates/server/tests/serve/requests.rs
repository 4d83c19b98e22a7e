//! Requests through the one door: what is done, answered, repeated, refused and lost.

use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::ami::Ami;
use crate::client::{self, PATIENCE, bearer, sequence};
use crate::process::Cordboard;

fn names(answer: &Value) -> Vec<&str> {
    answer["events"].as_array().unwrap().iter().map(|event| event["id"].as_str().unwrap()).collect()
}

fn make_call(reference: u64) -> Value {
    json!({"request": "TMakeCall", "ThisDN": "1001", "OtherDN": "1002", "ReferenceID": reference})
}

#[test]
fn a_call_is_made_answered_and_released_and_events_bear_the_reference() {
    let cordboard = Cordboard::boxed("", "").started();
    let token = cordboard.token("acme");
    let (status, made) = cordboard.ask(&token, &make_call(7));
    assert_eq!((status, &made["ReferenceID"], &made["error"]), (200, &json!(7), &Value::Null), "{made}");
    assert!(names(&made).contains(&"EventDialing"), "{made}");
    let dialing = made["events"].as_array().unwrap().iter().find(|it| it["id"] == "EventDialing").unwrap();
    assert_eq!((&dialing["ThisDN"], &dialing["ReferenceID"]), (&json!("1001"), &json!(7)));
    let call = &dialing["ConnID"];
    let (status, answered) =
        cordboard.ask(&token, &json!({"request": "TAnswerCall", "ThisDN": "1002", "ConnID": call}));
    assert_eq!(status, 200, "{answered}");
    assert!(names(&answered).iter().filter(|name| **name == "EventEstablished").count() >= 1, "{answered}");
    assert_eq!(answered["ReferenceID"], 8, "the next one is given where none is: {answered}");
    let (status, released) =
        cordboard.ask(&token, &json!({"request": "TReleaseCall", "ThisDN": "1001", "ConnID": call}));
    assert_eq!(status, 200, "{released}");
    assert!(names(&released).contains(&"EventReleased"), "{released}");
    // Everything that was answered is durable, and stands in the stream.
    let last = sequence(&released);
    let told = cordboard.get("/api/v1/events?dialect=genesys&from=start", &token).all();
    for answer in [&made, &answered, &released] {
        for event in answer["events"].as_array().unwrap().iter().filter(|event| event["id"] != "EventACK") {
            assert!(told.iter().any(|line| line["value"] == *event), "{event} is not in the stream");
        }
    }
    assert!(told.iter().all(|line| line["channel"] != "client"));
    let own = cordboard.get("/api/v1/events?from=start", &token).all();
    assert!(own.iter().any(|line| sequence(line) == last));
}

#[test]
fn a_request_that_comes_again_is_answered_again_and_done_once() {
    let mut cordboard = Cordboard::boxed("", "").started();
    let token = cordboard.token("acme");
    let answers: Vec<(u16, Value)> = thread::scope(|scope| {
        let asking: Vec<_> = (0..8).map(|_| scope.spawn(|| cordboard.ask(&token, &make_call(42)))).collect();
        asking.into_iter().map(|asking| asking.join().unwrap()).collect()
    });
    assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
    assert_eq!(cordboard.ask(&token, &make_call(42)), answers[0]);
    let calls = |cordboard: &Cordboard| {
        let snapshot: Value = serde_json::from_str(&cordboard.get("/api/v1/snapshot", &token).text()).unwrap();
        snapshot["snapshot"]["calls"].as_object().unwrap().len()
    };
    assert_eq!(calls(&cordboard), 1);
    // Another connection has references of its own.
    let other = "/api/v1/requests?connection=other";
    let (status, _) = cordboard.post(other, &token, &make_call(42).to_string());
    assert_eq!((status, calls(&cordboard)), (200, 2));
    // The same reference for something else is a mistake that is told.
    let (status, wrong) = cordboard.ask(&token, &json!({"request": "TQueryServer", "ReferenceID": 42}));
    assert_eq!((status, &wrong["error"]["id"], &wrong["error"]["ErrorCode"]), (409, &json!("EventError"), &json!(53)));
    // After a restart the answer is gone; the request is not done again.
    assert_eq!(cordboard.stop(), Some(0));
    cordboard = cordboard.started();
    let (status, again) = cordboard.ask(&token, &make_call(42));
    assert_eq!((status, &again["repeated"], names(&again).len()), (200, &json!(true), 0), "{again}");
    assert_eq!((&again["request"], &again["error"]), (&answers[0].1["request"], &Value::Null));
    let asked = cordboard.requests_told(&token).iter().filter(|it| it.pointer("/fact/asked").is_some()).count();
    assert_eq!(asked, 2);
}

#[test]
fn what_is_refused_is_answered_with_an_error() {
    let cordboard = Cordboard::boxed("", "").started();
    let token = cordboard.token("acme");
    let (status, refused) = cordboard.ask(
        &token,
        &json!({"request": "TAnswerCall", "ThisDN": "1001", "ConnID": "00000000000000aa", "ReferenceID": 3}),
    );
    let error = &refused["error"];
    assert_eq!((status, &error["id"], &error["ErrorCode"]), (200, &json!("EventError"), &json!(56)), "{refused}");
    assert_eq!((&error["ReferenceID"], &error["ThisDN"]), (&json!(3), &json!("1001")), "{refused}");
    assert!(refused["request"].is_u64() && refused["position"].is_string());
    let (status, refused) = cordboard.ask(&token, &json!({"request": "TMakeCall", "ThisDN": "77", "OtherDN": "1"}));
    assert_eq!((status, &refused["error"]["ErrorCode"]), (200, &json!(59)), "{refused}");
    let told = cordboard.requests_told(&token);
    assert_eq!(told.iter().filter(|it| it.pointer("/fact/refused").is_some()).count(), 2, "{told:?}");
}

#[test]
fn what_is_no_request_is_refused_and_nothing_is_lost() {
    let cordboard = Cordboard::boxed("[requests]\nbody_bytes_max = 4096\nbody_ms_max = 500\n", "").started();
    let token = cordboard.token("acme");
    let deep = "[".repeat(3_000);
    let huge = format!("{{\"request\": \"{}\"}}", "x".repeat(5_000));
    for (body, status, says) in [
        ("", 400, "JSON"),
        ("{", 400, "JSON"),
        ("\u{0}", 400, "JSON"),
        ("[]", 400, "object"),
        (&*deep, 400, "recursion"),
        (&*huge, 413, "4096 bytes"),
        (r#"{"request": "TMakeCal", "ThisDN": "1001", "OtherDN": "1"}"#, 400, "TMakeCall"),
        (r#"{"request": "TMakeCall", "ThisDN": "1001", "OtherDN": "1", "Colour": 1}"#, 400, "Colour"),
        (r#"{"request": "TMakeCall", "ThisDN": "1001", "OtherDN": 1}"#, 400, "OtherDN"),
        (r#"{"request": "TMakeCall", "ThisDN": "1001"}"#, 400, "OtherDN"),
        (r#"{"request": "TQueryServer", "ReferenceID": 1, "ReferenceID": 2}"#, 400, "twice"),
    ] {
        let (got, answer) = cordboard.post("/api/v1/requests", &token, body);
        assert_eq!((got, &answer["error"]["id"]), (status, &json!("EventError")), "{answer}");
        assert!(answer["error"]["ErrorMessage"].as_str().unwrap().contains(says), "{says}: {answer}");
        assert_eq!((&answer["request"], &answer["position"]), (&Value::Null, &Value::Null));
    }
    for path in ["/api/v1/requests?connection=a/b", "/api/v1/requests?connection=", "/api/v1/requests?conection=a"] {
        assert_eq!(cordboard.post(path, &token, &make_call(1).to_string()).0, 400, "{path}");
    }
    let asked = client::send(cordboard.address, "POST", "/api/v1/requests", &[], b"{}").unwrap();
    assert_eq!(asked.status, 401);
    assert_eq!(cordboard.get("/api/v1/requests", &token).status, 405);
    // A body that never comes does not keep its place for ever.
    let headers = [bearer(&token), "Expect: nothing".to_owned()];
    let mut slow = std::net::TcpStream::connect(cordboard.address).unwrap();
    std::io::Write::write_all(
        &mut slow,
        format!("POST /api/v1/requests HTTP/1.1\r\nHost: t\r\n{}\r\nContent-Length: 9\r\n\r\n", headers[0]).as_bytes(),
    )
    .unwrap();
    slow.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut text = [0; 12];
    std::io::Read::read_exact(&mut slow, &mut text).unwrap();
    assert_eq!(&text, b"HTTP/1.1 408");
    assert!(cordboard.requests_told(&token).is_empty());
    assert_eq!(cordboard.ask(&token, &make_call(1)).0, 200);
}

#[test]
fn too_much_is_refused_by_its_limit() {
    let limits = "[requests]\nconnections_max = 2\nregistrations_max = 2\nper_second_max = 5\n";
    let cordboard = Cordboard::boxed(limits, "").started();
    let token = cordboard.token("acme");
    let register = |connection: &str, device: &str| {
        let path = format!("/api/v1/requests?connection={connection}");
        cordboard.post(&path, &token, &json!({"request": "TRegisterAddress", "ThisDN": device}).to_string())
    };
    assert_eq!((register("a", "1001").0, register("b", "1001").0), (200, 200));
    let (status, full) = register("a", "1002");
    assert_eq!((status, &full["error"]["ErrorCode"]), (200, &json!(111)), "{full}");
    let (status, full) = register("c", "1001");
    assert_eq!(status, 429, "{full}");
    assert!(full["error"]["ErrorMessage"].as_str().unwrap().contains("DELETE /api/v1/connections"), "{full}");
    let end = |name: &str| {
        let path = format!("/api/v1/connections/{name}");
        client::send(cordboard.address, "DELETE", &path, &[bearer(&token)], b"").unwrap().status
    };
    assert_eq!((end("b"), end("b"), end("..")), (204, 404, 400));
    assert_eq!(register("c", "1001").0, 200);
    let asked: Vec<u16> = (0..8).map(|_| register("a", "1001").0).collect();
    assert!(asked.contains(&429), "{asked:?}");
    let metrics = client::get(cordboard.address, "/metrics", &[]).unwrap().text();
    assert!(metrics.contains(r#"cordboard_requests_total{tenant="acme",outcome="done"}"#), "{metrics}");
    assert!(metrics.contains("cordboard_request_seconds_count"), "{metrics}");
    assert!(metrics.contains(r#"cordboard_orders_waiting{tenant="acme"} 0"#), "{metrics}");
}

#[test]
fn what_a_crash_leaves_open_is_refused_at_the_next_start() {
    let ami = Ami::start();
    let mut cordboard = Cordboard::new(&[("acme", &ami)], "").started();
    let token = cordboard.token("acme");
    ami.whole_call();
    let begun = Instant::now();
    while !cordboard.get("/api/v1/snapshot", &token).text().contains("\"1002\"") {
        assert!(begun.elapsed() < PATIENCE);
    }
    // It is asked, and answers nothing.
    ami.freeze(true);
    thread::scope(|scope| {
        let (address, body) = (cordboard.address, make_call(5).to_string());
        let headers = [bearer(&token)];
        scope.spawn(move || _ = client::send(address, "POST", "/api/v1/requests", &headers, body.as_bytes()));
        while cordboard.requests_told(&token).is_empty() {
            assert!(begun.elapsed() < PATIENCE);
        }
        cordboard.kill_now();
    });
    cordboard.kill();
    ami.freeze(false);
    cordboard.start();
    let mut told = cordboard.requests_told(&token);
    while told.len() < 2 {
        assert!(begun.elapsed() < PATIENCE);
        thread::sleep(Duration::from_millis(5));
        told = cordboard.requests_told(&token);
    }
    assert_eq!(told[1]["fact"]["refused"]["refusal"], "timed_out", "{told:?}");
    assert!(told[1]["fact"]["refused"]["why"].as_str().unwrap().contains("not known"), "{told:?}");
    let (status, again) = cordboard.ask(&token, &make_call(5));
    assert_eq!((status, &again["repeated"]), (200, &json!(true)), "{again}");
}

#[test]
fn a_request_that_hears_nothing_is_refused_in_time() {
    let ami = Ami::start();
    let cordboard = Cordboard::new(&[("acme", &ami)], "[engine]\nrequest_ms_max = 300\n").started();
    let token = cordboard.token("acme");
    ami.whole_call();
    let begun = Instant::now();
    while !cordboard.get("/api/v1/snapshot", &token).text().contains("\"1002\"") {
        assert!(begun.elapsed() < PATIENCE);
    }
    ami.freeze(true);
    let begun = Instant::now();
    let (status, late) = cordboard.ask(&token, &make_call(5));
    assert_eq!((status, &late["error"]["ErrorCode"]), (200, &json!(57)), "{late}");
    assert!(begun.elapsed() >= Duration::from_millis(300) && begun.elapsed() < Duration::from_secs(5));
}

#[test]
fn things_happen_around_a_built_in_switch() {
    let cordboard = Cordboard::boxed("", "").started();
    let token = cordboard.token("acme");
    let happen = |body: Value| cordboard.post("/api/v1/switches/box/happenings", &token, &body.to_string());
    let (status, came) = happen(json!({"happening": "inbound", "from": "+4930123", "to": "1001"}));
    assert_eq!(status, 200, "{came}");
    let (key, conn) = (&came["call"], &came["ConnID"]);
    assert!(conn.as_str().unwrap().ends_with("@box"), "{came}");
    let (status, answered) = happen(json!({"happening": "answer", "number": "1001", "call": key}));
    assert_eq!((status, &answered["call"], &answered["ConnID"]), (200, key, conn), "{answered}");
    let (status, over) = happen(json!({"happening": "hangup", "number": "+4930123", "call": conn}));
    assert_eq!(status, 200, "{over}");
    let told = cordboard.get("/api/v1/events?dialect=genesys&from=start", &token).all();
    for event in ["EventRinging", "EventEstablished", "EventReleased"] {
        let of_call = |line: &&Value| line["value"]["id"] == event && line["value"]["ConnID"] == *conn;
        assert!(told.iter().any(|line| of_call(&line)), "{event}: {told:?}");
    }
    assert_eq!(happen(json!({"happening": "out_of_service", "device": "1001"})).0, 200);
    assert_eq!(happen(json!({"happening": "hangup", "number": "1001", "call": "nothing"})).0, 409);
    for wrong in [json!({"happening": "rain"}), json!({"happening": "dial", "device": "1"}), json!([])] {
        assert_eq!(happen(wrong).0, 400);
    }
    assert_eq!(cordboard.post("/api/v1/switches/pbx/happenings", &token, "{}").0, 404);
}
