//! The REST side, over HTTP: every path of the document walked, everything it can do done once, and seen in the stream.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::client::{self, bearer};
use crate::process::Cordboard;

const PASSWORD: &str = "canary-of-the-password";
/// Paths that pass over queries, because they take none.
const NO_QUERY: &[&str] = &[
    "endConnection",
    "letHappen",
    "isHealthy",
    "isReady",
    "readMetrics",
    "readOpenapi",
    "readAsyncapi",
    "listSchemas",
    "readSchema",
];

/// A site with a team, a password, and everybody who could ask.
struct Site {
    cordboard: Cordboard,
    administrator: String,
    service: String,
    supervisor: String,
    agent: String,
}

impl Site {
    fn start() -> Self {
        // It is the paths that are tried here, not how often they may be.
        let limits = "[requests]\nper_second_max = 10000\ntoken_per_second_max = 10000\n\
                      [identity]\nfailures_per_minute_max = 10000\n";
        let cordboard = Cordboard::boxed(limits, "");
        let password = cordboard.dir.path().join("password");
        std::fs::write(&password, PASSWORD).unwrap();
        let mut text = std::fs::read_to_string(cordboard.config()).unwrap();
        text += &format!(
            "[[tenant.boxed.acd_queue]]\nnumber = \"6002\"\n[[tenant.agent]]\nid = \"8001\"\npassword_file = {:?}\n[[tenant.team]]\nname = \"sales\"\n\
             agents = [\"8001\", \"8002\"]\ndevices = [\"1009\"]\nqueues = [\"6001\", \"6002\"]\n\
             [[tenant]]\nname = \"other\"\n[[tenant.boxed]]\nname = \"box\"\n\
             [[tenant.boxed.extension]]\nnumber = \"2001-2003\"\n[[tenant.boxed.acd_queue]]\nnumber = \"7001\"\n",
            password.display()
        );
        std::fs::write(cordboard.config(), text).unwrap();
        let cordboard = cordboard.started();
        let administrator = cordboard.token_for(&["--role", "administrator", "--user", "boss"]);
        let supervisor = cordboard.token_for(&["--role", "supervisor", "--team", "sales", "--user", "lead"]);
        let agent = cordboard.token_for(&["--role", "agent", "--agent", "8001"]);
        let service = cordboard.token("acme");
        Self { cordboard, administrator, service, supervisor, agent }
    }

    /// Sends a request; no token where it is empty, no body where it is null.
    fn send(&self, token: &str, method: &str, path: &str, body: &Value) -> (u16, Value) {
        let text = if body.is_null() { String::new() } else { body.to_string() };
        self.send_text(token, method, path, &text)
    }

    fn send_text(&self, token: &str, method: &str, path: &str, body: &str) -> (u16, Value) {
        let headers = if token.is_empty() { Vec::new() } else { vec![bearer(token)] };
        let mut answer = client::send(self.cordboard.address, method, path, &headers, body.as_bytes()).unwrap();
        let text = answer.text();
        (answer.status, serde_json::from_str(&text).unwrap_or(Value::String(text)))
    }

    /// Logs both agents of the team in.
    fn log_in(&self) {
        for (agent, device) in [("8001", "1001"), ("8002", "1002")] {
            let login = json!({"request": "TAgentLogin", "ThisDN": device, "AgentID": agent});
            let (status, answer) = self.cordboard.ask(&self.service, &login);
            assert_eq!((status, &answer["error"]), (200, &Value::Null), "{answer}");
        }
    }

    /// Every operation of the document: path with examples, method, and what is said of it.
    fn operations(&self) -> Vec<(String, String, Value)> {
        let (status, document) = self.send("", "GET", "/openapi.json", &Value::Null);
        assert_eq!(status, 200);
        let mut all = Vec::new();
        for (path, methods) in document["paths"].as_object().unwrap() {
            for (method, operation) in methods.as_object().unwrap() {
                let mut path = path.clone();
                for parameter in operation["parameters"].as_array().into_iter().flatten() {
                    if parameter["in"] == "path" {
                        let name = format!("{{{}}}", parameter["name"].as_str().unwrap());
                        path = path.replace(&name, parameter["example"].as_str().unwrap());
                    }
                }
                all.push((path, method.to_uppercase(), operation.clone()));
            }
        }
        all
    }
}

#[test]
fn every_path_wants_credentials_the_right_role_and_sense() {
    let site = Site::start();
    for (path, method, operation) in site.operations() {
        let name = operation["operationId"].as_str().unwrap();
        let status = |token: &str, path: &str, body: &str| site.send_text(token, &method, path, body).0;
        if operation.get("security").is_some() {
            assert_eq!(status("", &path, "{}"), 401, "{name} without credentials");
            let wrong = format!("cordboard_{}", "0".repeat(64));
            assert_eq!(status(&wrong, &path, "{}"), 401, "{name} with a token that is none");
            let who = operation["x-who"].as_str().unwrap();
            if ["supervisors", "administrators", "programs"].iter().any(|who_may| who.starts_with(who_may)) {
                assert_eq!(status(&site.agent, &path, "{}"), 403, "{name} by an agent");
            }
            if who.starts_with("administrators") {
                assert_eq!(status(&site.supervisor, &path, "{}"), 403, "{name} by a supervisor");
            }
        }
        if operation.get("requestBody").is_some() && name != "letHappen" {
            for body in ["{", "", "[]", "\u{0}", r#"{"Nonsense": 1}"#, r#"{"a": 1, "a": 2}"#] {
                assert_eq!(status(&site.administrator, &path, body), 400, "{name} with {body:?}");
            }
            assert_eq!(status(&site.administrator, &path, &format!("\"{}\"", "x".repeat(100_000))), 413, "{name}");
        }
        if !NO_QUERY.contains(&name) {
            assert_eq!(
                status(&site.administrator, &format!("{path}?Nonsense=1"), "{}"),
                400,
                "{name} with a nonsense query"
            );
        }
        // What is not there, and what is not an id.
        if path.contains("00000000-0000-4000-8000-000000000000") && !path.starts_with("/calls/") {
            let body = match name {
                "assignCallback" => r#"{"UserID": null}"#,
                "editAlert" => r#"{"QueueId": "6001", "ConditionExpression": "MaxWaitTime > 1"}"#,
                _ => "{}",
            };
            assert_eq!(status(&site.administrator, &path, body), 404, "{name} of what is not there");
            let path = path.replace("00000000-0000-4000-8000-000000000000", "nonsense");
            assert_eq!(status(&site.administrator, &path, body), 400, "{name} of what is no id");
        }
    }
    let told = site.cordboard.requests_told(&site.service);
    let by_us = |it: &&Value| {
        let client = it.pointer("/fact/asked/client").and_then(Value::as_str);
        client.is_some_and(|client| !client.ends_with("/configuration"))
    };
    assert_eq!(told.iter().find(by_us), None, "what makes no sense is not even asked");
}

/// Does everything once and remembers what was done.
struct Walk<'s> {
    site: &'s Site,
    done: BTreeSet<String>,
}

impl Walk<'_> {
    fn step(&mut self, name: &str, token: &str, (method, path): (&str, &str), body: Value, status: u16) -> Value {
        let (got, answer) = self.site.send(token, method, path, &body);
        assert_eq!(got, status, "{name}: {method} {path} {body}: {answer}");
        self.done.insert(name.to_owned());
        answer
    }

    fn change(&mut self, name: &str, token: &str, request: (&str, &str), body: Value, status: u16) -> String {
        let answer = self.step(name, token, request, body, status);
        assert!(answer["Position"].is_string(), "{name}: {answer}");
        answer["Id"].as_str().unwrap_or_default().to_owned()
    }
}

#[test]
fn every_path_does_what_it_says_and_it_is_told() {
    let site = Site::start();
    site.log_in();
    let mut walk = Walk { site: &site, done: BTreeSet::new() };
    ways_in(&mut walk);
    people(&mut walk);
    own_things(&mut walk);
    queues_and_alerts(&mut walk);
    lists_and_callbacks(&mut walk);
    calls(&mut walk);
    streams(&mut walk);
    let all: BTreeSet<String> =
        site.operations().iter().map(|(_, _, it)| it["operationId"].as_str().unwrap().to_owned()).collect();
    assert_eq!(walk.done, all);
    assert_told(&site);
}

fn ways_in(walk: &mut Walk<'_>) {
    let (agent, administrator) = (&*walk.site.agent, &*walk.site.administrator);
    for path in ["/token/me/rte/", "/token/me/rte", "/token/8001/rte/"] {
        let opened = walk.step("getRteToken", agent, ("GET", path), Value::Null, 200);
        assert_eq!(opened["WssEndpoint"], opened["WSSEndpoint"]);
        assert!(opened["WssEndpoint"].as_str().unwrap().ends_with("test/rte"), "{opened}");
        assert_eq!(opened["Token"].as_str().unwrap().split('.').count(), 3);
    }
    walk.step("getRteToken", agent, ("GET", "/token/8002/rte"), Value::Null, 404);
    walk.step("getRteToken", &walk.site.supervisor, ("GET", "/token/8002/rte"), Value::Null, 403);
    walk.step("getRteToken", administrator, ("GET", "/token/8001/rte"), Value::Null, 200);
    walk.step("getRteToken", administrator, ("GET", "/token/8002/rte"), Value::Null, 409);
    let secret = walk.step("createSecret", administrator, ("POST", "/users/8002/secret"), Value::Null, 201);
    walk.step("getRteToken", administrator, ("GET", "/token/8002/rte"), Value::Null, 200);
    let me = walk.step("getUser", secret["SecretKey"].as_str().unwrap(), ("GET", "/users/me"), Value::Null, 200);
    assert_eq!((&me["Id"], &me["AgentId"]), (&secret["UserID"], &json!("8002")));
    let open = json!({"UserName": "8001", "Password": PASSWORD});
    let secret = walk.step("exchangePassword", "", ("POST", "/authuser/8001/"), open, 200);
    let me = walk.step("getUser", secret["SecretKey"].as_str().unwrap(), ("GET", "/users/me"), Value::Null, 200);
    assert_eq!((&me["Id"], &me["LoggedInOn"]), (&secret["UserID"], &json!("1001")));
    for (login, password) in [("8001", "canary-of-another"), ("8002", PASSWORD), ("nobody", PASSWORD), ("8001", "")] {
        let wrong = json!({"Password": password});
        walk.step("exchangePassword", "", ("POST", &format!("/authuser/{login}/")), wrong, 401);
    }
    let found = walk.step("discover", "", ("GET", "/api/user?user=anna"), Value::Null, 200);
    assert_eq!((&found[0]["username"], &found[0]["apiEndpoint"]), (&json!("anna"), &json!("http://test")));
    assert_eq!(walk.step("discoverByBody", "", ("POST", "/api/user"), json!({"user": "anna"}), 200), found);
}

fn people(walk: &mut Walk<'_>) {
    let (agent, administrator) = (&*walk.site.agent, &*walk.site.administrator);
    let anna = json!({"AgentId": "9001", "DisplayName": "Anna", "UserName": "anna@example.org", "Terminals": ["1008"]});
    let id = walk.change("createUser", administrator, ("POST", "/users"), anna.clone(), 201);
    walk.step("createUser", administrator, ("POST", "/users"), anna, 409);
    for name in [&*id, "9001", "Anna@example.org"] {
        let shown = walk.step("getUser", administrator, ("GET", &format!("/users/{name}")), Value::Null, 200);
        assert_eq!((&shown["Id"], &shown["UserName"]), (&json!(id), &json!("anna@example.org")));
    }
    let edit = json!({"DisplayName": "Anna B.", "UserName": "anna@example.org"});
    walk.change("editUser", administrator, ("PUT", "/users/9001"), edit, 200);
    // Pages follow one another.
    let all = walk.step("listUsers", administrator, ("GET", "/users"), Value::Null, 200);
    let first = walk.step("listUsers", administrator, ("GET", "/users?Limit=2"), Value::Null, 200);
    assert_eq!(first.as_array().unwrap(), &all.as_array().unwrap()[..2]);
    let (status, headers) = {
        let headers = [bearer(administrator)];
        let answer = client::get(walk.site.cordboard.address, "/users?Limit=2", &headers).unwrap();
        (answer.status, answer.headers)
    };
    assert!(status == 200 && headers.contains("link: </users?cursor="), "{headers}");
    // An agent sees nobody else; a supervisor the team.
    let seen = walk.step("listUsers", agent, ("GET", "/users/"), Value::Null, 200);
    assert_eq!(seen.as_array().unwrap().iter().map(|it| &it["AgentId"]).collect::<Vec<_>>(), ["8001"]);
    for path in ["/users/8002", "/users/9001", "/users/nobody", &format!("/users/{id}")] {
        let hidden = walk.step("getUser", agent, ("GET", path), Value::Null, 404);
        let nothing = walk.step("getUser", agent, ("GET", "/users/nothing"), Value::Null, 404);
        assert_eq!(hidden, nothing, "what may not be seen is as what is not there");
    }
    walk.step("getUser", &walk.site.supervisor, ("GET", "/users/8002"), Value::Null, 200);
    walk.step("getUser", &walk.site.supervisor, ("GET", "/users/9001"), Value::Null, 404);
    walk.change("removeUser", administrator, ("DELETE", "/users/9001"), Value::Null, 200);
    walk.step("getUser", administrator, ("GET", "/users/9001"), Value::Null, 404);
}

fn own_things(walk: &mut Walk<'_>) {
    let (agent, administrator) = (&*walk.site.agent, &*walk.site.administrator);
    let away = json!({"EventTypeID": 3, "Note": "back at three", "EventSource": "desk"});
    let id = walk.change("setAvailability", agent, ("POST", "/users/me/availability"), away, 200);
    let now = walk.step("getAvailability", agent, ("GET", "/users/me/availability/current"), Value::Null, 200);
    assert_eq!(
        (&now["Id"], &now["Availability"], &now["EventTypeID"]),
        (&json!(id), &json!("DoNotDisturb"), &json!(3))
    );
    let all = walk.step("listAvailability", administrator, ("GET", "/users/8001/availability"), Value::Null, 200);
    assert_eq!(all[0], now);
    let path = format!("/users/me/availability/{id}");
    walk.change("endAvailability", agent, ("DELETE", &path), Value::Null, 200);
    let now = walk.step("getAvailability", agent, ("GET", "/users/me/availability/current/"), Value::Null, 200);
    assert_eq!(now["Availability"], "Available");
    let path = ("POST", "/users/me/availability");
    for (wrong, says) in [
        (json!({"EventTypeID": 9}), "DoNotDisturb"),
        (json!({"EventTypeID": "awy"}), "Away"),
        (json!({"EventTypeID": 2, "EndTime": "2020-01-01T00:00:00Z"}), "later"),
        (json!({"EventTypeID": 2, "UserID": "me", "StartTime": "soon"}), "2026-11-21"),
    ] {
        let answer = walk.step("setAvailability", agent, path, wrong, 400);
        assert!(answer["error"]["message"].as_str().unwrap().contains(says), "{says}: {answer}");
    }
    walk.step("setAvailability", agent, ("POST", "/users/8002/availability"), json!({"EventTypeID": 2}), 404);
    walk.step("setAvailability", agent, path, json!({"EventTypeID": 2, "UserID": "8002"}), 404);
    let colour = ("PUT", "/users/me/settings/colour");
    walk.change("changeSetting", agent, colour, json!({"Value": "green"}), 200);
    let shown = walk.step("getSetting", agent, ("GET", "/users/me/settings/colour"), Value::Null, 200);
    assert_eq!(shown["Value"], "green");
    let locked = json!({"Value": "red", "Level": "Administrator"});
    walk.change("changeSetting", administrator, ("PUT", "/users/8001/settings/colour"), locked, 200);
    walk.step("changeSetting", agent, colour, json!({"Value": "blue"}), 403);
    let all = walk.step("listSettings", agent, ("GET", "/users/me/settings"), Value::Null, 200);
    assert_eq!((&all[0]["Value"], all.as_array().unwrap().len()), (&json!("red"), 1));
    walk.change("removeSetting", administrator, ("DELETE", "/users/8001/settings/colour"), Value::Null, 200);
    walk.step("getSetting", agent, ("GET", "/users/me/settings/colour"), Value::Null, 404);
    walk.change("serveCallbacks", agent, ("PUT", "/users/me/servingcallbacks"), json!({"On": true}), 200);
    walk.change("pickCalls", agent, ("PUT", "/users/me/fetchmode"), json!({"on": true}), 200);
    walk.change("pickCalls", agent, ("PUT", "/users/me/fetchmode"), json!({"on": false}), 200);
}

fn queues_and_alerts(walk: &mut Walk<'_>) {
    let (agent, administrator) = (&*walk.site.agent, &*walk.site.administrator);
    let supervisor = &*walk.site.supervisor;
    let all = walk.step("listQueues", agent, ("GET", "/queues/?OnlyForUser=me"), Value::Null, 200);
    assert_eq!((&all[0]["Name"], &all[0]["TypeId"]), (&json!("6001"), &json!(4)), "{all}");
    assert!(all[0]["Status"]["ServingAgents"].is_u64(), "{all}");
    let id = all[0]["Id"].as_str().unwrap().to_owned();
    walk.change("editQueue", administrator, ("PUT", "/queues/6001"), json!({"Name": "Sales"}), 200);
    let shown = walk.step("getQueue", agent, ("GET", &format!("/queues/{id}")), Value::Null, 200);
    assert_eq!((&shown["Name"], &shown["Numbers"]), (&json!("Sales"), &json!(["6001"])));
    let members = |walk: &mut Walk<'_>, queue: &str| {
        let path = format!("/queues/{queue}/users");
        let all = walk.step("listQueueUsers", supervisor, ("GET", &path), Value::Null, 200);
        let seen = |it: &Value| (it["UserName"].clone(), it["Assigned"].clone(), it["CheckedIn"].clone());
        all.as_array().unwrap().iter().map(seen).collect::<Vec<_>>()
    };
    let of = |assigned: bool, checked_in: bool| (json!("8002"), json!(assigned), json!(checked_in));
    assert!(members(walk, "6001").contains(&of(false, true)));
    let second = ("PUT", "/queues/6002/users/8002");
    walk.change("assignQueueUser", supervisor, second, json!({"Priority": 2}), 200);
    assert!(members(walk, "6002").contains(&of(true, true)), "entered it on the switch");
    walk.change("assignQueueUser", supervisor, second, json!({"Active": false}), 200);
    assert!(members(walk, "6002").contains(&of(true, false)), "left it on the switch, and is assigned");
    walk.change("removeQueueUser", supervisor, ("DELETE", "/queues/6002/users/8002"), Value::Null, 200);
    assert!(members(walk, "6002").is_empty());
    walk.step("removeQueueUser", supervisor, ("DELETE", "/queues/6002/users/8002"), Value::Null, 404);
    walk.change("removeQueueUser", supervisor, ("DELETE", "/queues/6001/users/8002"), Value::Null, 200);
    assert!(!members(walk, "6001").iter().any(|(name, _, _)| name == "8002"), "was never assigned, and left");
    let alerts = ("POST", "/users/me/alerts");
    let text = "NbrOfQueuingRequesters > 5 AND NOT MaxWaitTime < 60";
    let alert = json!({"QueueId": "6001", "ConditionExpression": text});
    let alert = walk.change("defineAlert", agent, alerts, alert, 201);
    let path = format!("/users/me/alerts/{alert}");
    let shown = walk.step("getAlert", agent, ("GET", &path), Value::Null, 200);
    assert_eq!((&shown["ConditionExpression"], &shown["ConditionValue"]), (&json!(text), &json!("5")));
    let edit = json!({"QueueId": id, "ConditionName": "long", "ConditionExpression": "MaxWaitTime > 9"});
    walk.change("editAlert", agent, ("PUT", &path), edit, 200);
    let all = walk.step("listAlerts", agent, ("GET", "/users/me/alerts"), Value::Null, 200);
    assert_eq!((&all[0]["ConditionName"], &all[0]["Fired"]), (&json!("long"), &json!(false)));
    let wrong = json!({"QueueId": "6001", "ConditionExpression": "MaxWaitTime > many"});
    let answer = walk.step("defineAlert", agent, alerts, wrong, 400);
    assert!(answer["error"]["message"].as_str().unwrap().contains("column 15"), "{answer}");
    walk.change("removeAlert", agent, ("DELETE", &path), Value::Null, 200);
    walk.step("getAlert", agent, ("GET", &path), Value::Null, 404);
}

fn lists_and_callbacks(walk: &mut Walk<'_>) {
    let (agent, administrator) = (&*walk.site.agent, &*walk.site.administrator);
    let later = json!({"Key": "later", "Name": "Later", "QueueId": "6001"});
    let list = walk.change("createCallList", administrator, ("POST", "/calllists"), later.clone(), 201);
    walk.step("createCallList", administrator, ("POST", "/calllists"), later, 409);
    walk.change(
        "editCallList",
        administrator,
        ("PUT", "/calllists/later"),
        json!({"Name": "L", "QueueId": "6001"}),
        200,
    );
    let new = json!({"ContactNumber": "+4930123", "Note": "n", "CallbackExtras": [{"Name": "a", "Value": "b"}]});
    let callbacks = format!("/calllists/{list}/callbacks");
    let id = walk.change("createCallback", agent, ("POST", &callbacks), new, 201);
    let path = format!("/callbacks/{id}");
    let of = |what: &str| format!("/callbacks/{id}/{what}");
    walk.change(
        "editCallback",
        agent,
        ("PUT", &path),
        json!({"ContactName": "Anna", "DueDate": "2036-01-01 10:00:00"}),
        200,
    );
    walk.change("assignCallback", agent, ("POST", &of("assign")), json!({"UserID": "me"}), 200);
    let tried = json!({"CallbackAttemptTypeId": 7, "Note": "busy"});
    walk.change("attemptCallback", agent, ("POST", &of("attempts")), tried, 201);
    let shown = walk.step("getCallback", agent, ("GET", &path), Value::Null, 200);
    assert_eq!((&shown["ContactName"], &shown["Note"]), (&json!("Anna"), &json!("n")), "{shown}");
    assert_eq!((&shown["DueDate"], &shown["TypeId"]), (&json!("2036-01-01T10:00:00Z"), &json!(3)));
    assert_eq!(shown["CallbackAttempts"][0]["CallbackAttemptTypeId"], 7);
    assert_eq!(shown["AssignedUserId"], shown["CallbackAttempts"][0]["UserId"]);
    let open = walk.step("getCallList", agent, ("GET", "/calllists/later"), Value::Null, 200);
    assert_eq!((&open["Open"], &open["Name"]), (&json!(1), &json!("L")));
    walk.change("closeCallback", agent, ("POST", &of("close")), Value::Null, 200);
    walk.step("closeCallback", agent, ("POST", &of("close")), Value::Null, 409);
    let closed = walk.step("listCallbacks", agent, ("GET", &format!("{callbacks}?Closed=true")), Value::Null, 200);
    assert_eq!((&closed[0]["Id"], &closed[0]["IsClosed"]), (&json!(id), &json!(true)));
    let open = walk.step("listCallbacks", agent, ("GET", &format!("{callbacks}?Closed=false")), Value::Null, 200);
    assert_eq!(open, json!([]));
    let lists = walk.step("listCallLists", agent, ("GET", "/calllists"), Value::Null, 200);
    assert_eq!(lists[0]["Id"], json!(list));
    walk.change("removeCallList", administrator, ("DELETE", "/calllists/later"), Value::Null, 200);
    walk.step("getCallback", agent, ("GET", &path), Value::Null, 404);
}

fn calls(walk: &mut Walk<'_>) {
    let Site { agent, administrator, supervisor, service, .. } = walk.site;
    let lead = json!({"AgentId": "lead", "Terminals": ["1009"]});
    walk.change("createUser", administrator, ("POST", "/users"), lead, 201);
    walk.change("watch", supervisor, ("PUT", "/users/me/supervision/8001"), Value::Null, 200);
    let watched = walk.step("listWatched", supervisor, ("GET", "/users/me/supervision"), Value::Null, 200);
    assert_eq!(watched[0]["UserName"], "8001");
    let join = ("PUT", "/users/me/supervision/8001/call");
    walk.step("supervise", supervisor, join, json!({"Mode": "Listen"}), 409);
    let happen = ("POST", "/api/v1/switches/box/happenings");
    let came =
        walk.step("letHappen", service, happen, json!({"happening": "inbound", "from": "+4930", "to": "1001"}), 200);
    let answer = json!({"happening": "answer", "number": "1001", "call": came["call"]});
    walk.step("letHappen", service, happen, answer, 200);
    for mode in ["Listen", "Whisper", "Barge"] {
        walk.change("supervise", supervisor, join, json!({"Mode": mode}), 200);
    }
    walk.step("supervise", supervisor, join, json!({"Mode": "Sing"}), 400);
    walk.change("endSupervision", supervisor, ("DELETE", "/users/me/supervision/8001/call"), Value::Null, 200);
    walk.change("unwatch", supervisor, ("DELETE", "/users/me/supervision/8001"), Value::Null, 200);
    let wish = json!({"MaxWrapUpTimeSec": 30, "AllowWithoutCall": 1});
    walk.change("beginWrapUp", agent, ("POST", "/users/me/wrapup"), wish, 201);
    walk.step(
        "letHappen",
        service,
        happen,
        json!({"happening": "hangup", "number": "+4930", "call": came["call"]}),
        200,
    );
    walk.change("endWrapUp", agent, ("DELETE", "/users/me/wrapup/current"), Value::Null, 200);
    let call = "/calls/11111111-2222-4333-8444-555555555555";
    let guid = "99999999-2222-4333-8444-555555555555";
    let recording = json!({"UserID": "8001", "RecordingId": guid, "ConversionId": guid, "UserChannel": 1});
    walk.change("reportRecording", service, ("POST", &format!("{call}/recordings")), recording, 201);
    let phrase = json!({"UserID": "8001", "Phrase": "good day", "Confidence": 0.75, "OffsetMilliseconds": 1200});
    let phrases = format!("{call}/transcripts/phrases");
    walk.change("reportPhrase", service, ("POST", &phrases), phrase, 201);
    walk.step(
        "reportPhrase",
        service,
        ("POST", &phrases),
        json!({"UserID": "8001", "Phrase": "", "Confidence": 2}),
        400,
    );
}

fn streams(walk: &mut Walk<'_>) {
    let (service, agent) = (&*walk.site.service, &*walk.site.agent);
    let list = json!({"describe_list": {"list": "own", "profile": {"title": "Own"}}});
    walk.change("changeDirectory", service, ("POST", "/api/v1/directory"), list.clone(), 200);
    walk.step("changeDirectory", agent, ("POST", "/api/v1/directory"), list, 403);
    let seen = walk.step("listDirectory", service, ("GET", "/api/v1/directory/lists"), Value::Null, 200);
    assert_eq!(seen[0], json!({"name": "own", "value": {"title": "Own"}}));
    assert_eq!(walk.step("listDirectory", agent, ("GET", "/api/v1/directory/lists"), Value::Null, 200), json!([]));
    for kind in ["users", "queues", "callbacks", "alerts"] {
        walk.step("listDirectory", service, ("GET", &format!("/api/v1/directory/{kind}")), Value::Null, 200);
    }
    walk.step("listDirectory", service, ("GET", "/api/v1/directory/planets"), Value::Null, 404);
    walk.step("readEvents", service, ("GET", "/api/v1/events?from=start"), Value::Null, 200);
    walk.step("readSnapshot", service, ("GET", "/api/v1/snapshot"), Value::Null, 200);
    let ask = json!({"request": "TQueryServer"});
    walk.step("request", service, ("POST", "/api/v1/requests?connection=desk"), ask, 200);
    walk.step("endConnection", service, ("DELETE", "/api/v1/connections/desk"), Value::Null, 204);
    for (name, path) in [
        ("isHealthy", "/healthz"),
        ("isReady", "/readyz"),
        ("readMetrics", "/metrics"),
        ("readOpenapi", "/openapi.json"),
        ("readAsyncapi", "/asyncapi.json"),
        ("readSchema", "/schemas/enreach/v1/UserStatus.json"),
    ] {
        walk.step(name, "", ("GET", path), Value::Null, 200);
    }
    walk.step("readSchema", "", ("GET", "/schemas/enreach/v1/UserStates.json"), Value::Null, 404);
    for row in walk.step("listSchemas", "", ("GET", "/schemas"), Value::Null, 200).as_array().unwrap() {
        let (status, schema) = walk.site.send("", "GET", row["path"].as_str().unwrap(), &Value::Null);
        assert_eq!((status, &schema["$id"], &schema["title"]), (200, &row["path"], &row["name"]));
    }
}

/// Every kind of change that can be asked for stands in the stream.
fn assert_told(site: &Site) {
    let events = site.cordboard.get("/api/v1/events?from=start", &site.service).all();
    let told = |kind: &str, name: &str| {
        events.iter().any(|line| {
            let fact = line.pointer(&format!("/value/fact/{kind}/fact"));
            fact.is_some_and(|fact| fact.get(name).is_some() || fact == name)
        })
    };
    for (kind, names) in [
        (
            "user",
            "described removed availability_set availability_ended setting_changed setting_removed watch_began \
             watch_ended serves_callbacks picks_calls wrap_up_wanted wrap_up_unwanted recording_converted phrase_heard",
        ),
        ("queue", "described member_assigned member_removed"),
        ("list", "described removed"),
        ("callback", "created edited assigned attempted closed"),
        ("alert", "defined removed"),
    ] {
        for name in names.split_whitespace() {
            assert!(told(kind, name), "{kind} {name} was not told");
        }
    }
    let asked = site.cordboard.requests_told(&site.service);
    let by = asked.iter().find(|it| it.pointer("/fact/asked/ask/change/set_availability").is_some()).unwrap();
    assert_eq!(by["fact"]["asked"]["by"]["role"], "agent", "{by}");
}

#[test]
fn nothing_of_one_organisation_is_there_for_another() {
    let site = Site::start();
    site.log_in();
    let other =
        site.cordboard.run(&["token", "create", "--tenant", "other", "--name", "test", "--administrator", "--config"]);
    let other = String::from_utf8(other.stdout).unwrap().trim().to_owned();
    let get = |token: &str, path: &str| site.send(token, "GET", path, &Value::Null);
    let (_, ours) = get(&site.administrator, "/queues");
    let (_, theirs) = get(&other, "/queues");
    assert_eq!((&ours[0]["Name"], &theirs[0]["Name"]), (&json!("6001"), &json!("7001")));
    let (_, users) = get(&site.administrator, "/users");
    for id in [&ours[0]["Id"], &users[0]["Id"], &json!("6001"), &json!("8001")] {
        let id = id.as_str().unwrap();
        for path in
            [format!("/queues/{id}"), format!("/users/{id}"), format!("/token/{id}/rte/"), format!("/calllists/{id}")]
        {
            let (status, answer) = get(&other, &path);
            assert_eq!(status, 404, "{path}: {answer}");
            let message = answer["error"]["message"].as_str().unwrap();
            assert!(!message.contains(id) && !message.contains("acme"), "{message}");
        }
        assert_eq!(site.send(&other, "PUT", &format!("/queues/7001/users/{id}"), &json!({})).0, 404);
    }
    let (_, seen) = get(&other, "/users");
    assert!(!seen.to_string().contains("8001"), "{seen}");
}

#[test]
fn no_secret_is_in_the_log_or_on_disk() {
    let mut site = Site::start();
    let get = |token: &str, path: &str| site.send(token, "GET", path, &Value::Null).1;
    let exchange = |password: &str| site.send("", "POST", "/authuser/8001", &json!({"Password": password}));
    let wrong = format!("{PASSWORD}-not");
    assert_eq!(exchange(&wrong).0, 401);
    assert_eq!(site.send_text("", "POST", "/authuser/8001", &format!("{{\"Password\": \"{PASSWORD}\"")).0, 400);
    let (status, secret) = exchange(PASSWORD);
    assert_eq!(status, 200);
    let secret = secret["SecretKey"].as_str().unwrap().to_owned();
    let token = get(&secret, "/token/me/rte/")["Token"].as_str().unwrap().to_owned();
    assert_eq!(get(&token, "/users/me")["error"]["code"], "unauthorised", "a token of the hub opens the hub only");
    let Site { administrator, agent, .. } = &site;
    let secrets = [administrator.clone(), agent.clone(), secret.clone(), token, PASSWORD.to_owned()];
    // Only so many are kept; the first goes with the one that is too many.
    for _ in 0..8 {
        assert_eq!(exchange(PASSWORD).0, 200);
    }
    assert_eq!(get(&secret, "/users/me")["error"]["code"], "unauthorised");
    let mut told = site.cordboard.get("/api/v1/events?from=start", &site.service).text();
    told += &site.cordboard.get("/api/v1/snapshot", &site.service).text();
    assert_eq!(site.cordboard.stop(), Some(0));
    let log = site.cordboard.log();
    for secret in &secrets {
        assert!(!log.contains(secret) && !told.contains(secret), "{log}");
    }
}

#[test]
fn a_page_of_another_origin_reads_nothing_unless_it_may() {
    let cordboard = Cordboard::boxed("[rte]\norigins = [\"https://desk.example\"]\n", "").started();
    let agent = cordboard.token_for(&["--role", "agent", "--agent", "8001"]);
    let ask = |method: &str, origin: &str| {
        let headers = [bearer(&agent), format!("Origin: {origin}")];
        let answer = client::send(cordboard.address, method, "/users/me", &headers, b"").unwrap();
        (answer.status, answer.headers.contains(&format!("access-control-allow-origin: {origin}")))
    };
    for (method, good) in [("GET", 200), ("OPTIONS", 204)] {
        assert_eq!(ask(method, "https://desk.example"), (good, true));
        assert_eq!(ask(method, "http://test"), (good, true), "the page is our own");
    }
    assert_eq!(ask("GET", "https://evil.example"), (403, false));
    assert!(!ask("OPTIONS", "https://evil.example").1);
    let nobody = client::get(cordboard.address, "/users/me", &[]).unwrap();
    assert!(nobody.status == 401 && nobody.headers.contains("www-authenticate: basic"), "{}", nobody.headers);
}
