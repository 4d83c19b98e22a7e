//! Who may ask for what, what others see of it, and where passwords are not.

use serde_json::{Value, json};

use crate::client::{self, bearer};
use crate::process::Cordboard;

const PASSWORD: &str = "canary-of-the-agent";

fn login(agent: &str, device: &str) -> Value {
    json!({"request": "TAgentLogin", "ThisDN": device, "AgentID": agent})
}

#[test]
fn an_agent_asks_for_the_own_telephone_and_is_written_down_otherwise() {
    let cordboard = Cordboard::boxed("", "").started();
    let service = cordboard.token("acme");
    let agent = cordboard.token_for(&["--role", "agent", "--agent", "8001"]);
    assert_eq!(cordboard.ask(&agent, &json!({"request": "TQueryServer"})).0, 200);
    for forbidden in [
        json!({"request": "TSetDNDOn", "ThisDN": "1001"}),
        login("8002", "1001"),
        json!({"request": "TMakeCall", "ThisDN": "1002", "OtherDN": "1003", "ReferenceID": 99}),
    ] {
        let (status, answer) = cordboard.ask(&agent, &forbidden);
        assert_eq!((status, &answer["error"]["ErrorCode"]), (403, &json!(165)), "{forbidden}: {answer}");
        assert!(answer["request"].is_u64() && answer["position"].is_string(), "{answer}");
    }
    let (status, answer) = cordboard.ask(&agent, &login("8001", "1001"));
    assert_eq!((status, &answer["error"]), (200, &Value::Null), "{answer}");
    let (status, answer) = cordboard.ask(&agent, &json!({"request": "TSetDNDOn", "ThisDN": "1001"}));
    assert_eq!((status, &answer["error"]), (200, &Value::Null), "{answer}");
    assert_eq!(cordboard.ask(&agent, &json!({"request": "TSetDNDOn", "ThisDN": "1002"})).0, 403);
    let told = cordboard.requests_told(&service);
    let audited = told.iter().find(|it| it["fact"]["asked"]["reference"] == 99).unwrap();
    assert_eq!(audited["fact"]["asked"]["by"], json!({"name": "test", "role": "agent"}));
    assert_eq!(audited["fact"]["asked"]["device"], "1002");
    let refused = told.iter().find(|it| it["request"] == audited["request"] && it["fact"].get("refused").is_some());
    assert_eq!(refused.unwrap()["fact"]["refused"]["refusal"], "not_allowed");
    // What people do around the switch is for programs to say.
    let path = "/api/v1/switches/box/happenings";
    let body = r#"{"happening": "dial", "device": "1003", "to": "1004"}"#;
    assert_eq!(cordboard.post(path, &agent, body).0, 403);
    assert_eq!(cordboard.post(path, &service, body).0, 200);
}

#[test]
fn a_supervisor_asks_for_the_team() {
    let team = "[[tenant.team]]\nname = \"sales\"\nagents = [\"8001\"]\ndevices = [\"1009\"]\nqueues = [\"6001\"]";
    let cordboard = Cordboard::boxed("", team).started();
    let service = cordboard.token("acme");
    let supervisor = cordboard.token_for(&["--role", "supervisor", "--team", "sales"]);
    assert_eq!(cordboard.ask(&service, &login("8001", "1001")).0, 200);
    assert_eq!(cordboard.ask(&service, &login("8002", "1002")).0, 200);
    let dnd = |device: &str| cordboard.ask(&supervisor, &json!({"request": "TSetDNDOn", "ThisDN": device})).0;
    assert_eq!((dnd("1001"), dnd("1009"), dnd("1002"), dnd("1003")), (200, 200, 403, 403));
    let of_no_team = cordboard.run(&[
        "token",
        "create",
        "--tenant",
        "acme",
        "--name",
        "x",
        "--role",
        "supervisor",
        "--team",
        "support",
        "--config",
    ]);
    assert_eq!(of_no_team.status.code(), Some(2));
}

#[test]
fn a_login_needs_the_password_which_is_nowhere_to_be_read() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("password");
    std::fs::write(&file, PASSWORD).unwrap();
    let people =
        format!("agents_strict = \"password\"\n[[tenant.agent]]\nid = \"8001\"\npassword_file = {:?}", file.display());
    let mut cordboard = Cordboard::boxed("", &people).started();
    let token = cordboard.token("acme");
    let with = |password: Value| {
        let mut login = login("8001", "1001");
        login["Password"] = password;
        cordboard.ask(&token, &login)
    };
    let wrong = format!("{PASSWORD}-not");
    let (status, refused) = with(json!(wrong));
    assert_eq!((status, &refused["error"]["ErrorCode"]), (200, &json!(1705)), "{refused}");
    assert_eq!(cordboard.ask(&token, &login("8001", "1001")).1["error"]["ErrorCode"], 1705);
    assert_eq!(cordboard.ask(&token, &login("8002", "1001")).1["error"]["ErrorCode"], 1703);
    assert_eq!(with(json!([PASSWORD])).0, 400);
    assert_eq!(cordboard.post("/api/v1/requests", &token, &format!("{{\"Password\": \"{PASSWORD}\" ")).0, 400);
    assert_eq!(cordboard.post("/api/v1/requests", &token, &json!({"request": PASSWORD}).to_string()).0, 400);
    let (status, done) = with(json!(PASSWORD));
    assert_eq!((status, &done["error"]), (200, &Value::Null), "{done}");
    let mut told = cordboard.get("/api/v1/events?from=start", &token).text();
    told += &cordboard.get("/api/v1/events?from=start&dialect=genesys&connection=default", &token).text();
    told += &cordboard.get("/api/v1/snapshot", &token).text();
    told += &done.to_string();
    assert_eq!(cordboard.stop(), Some(0));
    assert!(told.contains("8001") && !told.contains(PASSWORD));
    assert!(!cordboard.log().contains(PASSWORD), "{}", cordboard.log());
    for file in files(&cordboard.dir.path().join("data")) {
        let bytes = std::fs::read(&file).unwrap();
        let found = bytes.windows(PASSWORD.len()).any(|window| window == PASSWORD.as_bytes());
        assert!(!found, "{}", file.display());
    }
}

fn files(dir: &std::path::Path) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

#[test]
fn what_is_for_one_client_is_shown_to_that_client_only() {
    let cordboard = Cordboard::boxed("", "").started();
    let (token, other) = (cordboard.token("acme"), cordboard.token("acme"));
    let path = "/api/v1/requests?connection=desk";
    let (status, answer) =
        cordboard.post(path, &token, &json!({"request": "TRegisterAddress", "ThisDN": "1001"}).to_string());
    assert_eq!(status, 200, "{answer}");
    let private = |token: &str, query: &str| {
        let path = format!("/api/v1/events?dialect=genesys&from=start{query}");
        let told = cordboard.get(&path, token).all();
        told.into_iter().filter(|line| line["channel"] == "client").map(|line| line["value"].clone()).collect()
    };
    let own: Vec<Value> = private(&token, "&connection=desk");
    assert_eq!(own.iter().map(|event| &event["id"]).collect::<Vec<_>>(), ["EventRegistered"], "{own:?}");
    assert_eq!(answer["events"].as_array().unwrap(), &own);
    let nobody: [Vec<Value>; 4] = [
        private(&token, ""),
        private(&token, "&connection=default"),
        private(&other, "&connection=desk"),
        private(&other, ""),
    ];
    assert!(nobody.iter().all(Vec::is_empty), "{nobody:?}");
    assert!(!cordboard.get("/api/v1/snapshot?dialect=genesys", &other).text().contains("\"client\""));
    assert_eq!(cordboard.get("/api/v1/events?connection=a/b", &token).status, 400);
    let headers = [bearer(&token), "Cordboard-Connection: desk".to_owned()];
    let body = br#"{"request": "TQueryServer", "ReferenceID": 2}"#;
    let mut asked = client::send(cordboard.address, "POST", "/api/v1/requests", &headers, body).unwrap();
    let text = asked.text();
    assert_eq!(asked.status, 200, "{text}");
}
