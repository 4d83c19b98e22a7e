//! Who is let in, how, and to what; what is wrong is counted and told nowhere.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::client::{self, bearer};
use crate::process::Cordboard;

#[expect(dead_code, reason = "the tests of the parts forge more than these")]
#[path = "../../src/identity/forge.rs"]
mod forge;

use forge::Signer;

const TEAM: &str = "[[tenant.team]]\nname = \"sales\"\nagents = [\"8001\"]\nqueues = [\"6001\"]\n";

fn basic(user: &str, secret: &str) -> String {
    format!("Authorization: Basic {}", STANDARD.encode(format!("{user}:{secret}")))
}

fn status(cordboard: &Cordboard, path: &str, header: &str) -> u16 {
    client::get(cordboard.address, path, &[header.to_owned()]).unwrap().status
}

#[test]
fn the_whole_is_for_administrators_and_programs() {
    let cordboard = Cordboard::boxed("", TEAM).started();
    let (snapshot, events) = ("/api/v1/snapshot", "/api/v1/events?follow=false");
    for (args, whole) in [
        (&["--role", "service"][..], true),
        (&["--administrator"], true),
        (&["--role", "administrator", "--user", "root"], true),
        (&["--grant", "events"], true),
        (&["--grant", "see-users", "--grant", "telephony"], false),
        (&["--role", "agent", "--agent", "8001"], false),
        (&["--role", "supervisor", "--team", "sales"], false),
    ] {
        let token = cordboard.token_for(args);
        for path in [snapshot, events, "/api/v1/events?snapshot=true&follow=false&connection=desk"] {
            let mut answer = cordboard.get(path, &token);
            let text = answer.text();
            assert_eq!(answer.status, if whole { 200 } else { 403 }, "{args:?} {path} {text}");
            assert!(whole || text.contains("not_allowed") && !text.contains("8002"), "{text}");
        }
        assert_eq!(cordboard.get(&format!("{events}&connection=desk"), &token).status, 200, "{args:?}");
    }
    for wrong in [
        &["--role", "agent", "--agent", "8001", "--grant", "events"][..],
        &["--role", "agent", "--agent", "8001", "--user", "x"],
        &["--administrator", "--team", "sales"],
        &["--administrator", "--role", "agent"],
        &["--grant", "everything"],
    ] {
        let args = [&["token", "create", "--tenant", "acme", "--name", "x"], wrong, &["--config"]].concat();
        assert_eq!(cordboard.run(&args).status.code(), Some(2), "{wrong:?}");
    }
}

#[test]
fn an_agent_hears_what_is_for_the_own_connection_and_nothing_else() {
    let cordboard = Cordboard::boxed("", "").started();
    let service = cordboard.token("acme");
    let agent = cordboard.token_for(&["--role", "agent", "--agent", "8001"]);
    let ask = |token: &str, request: Value| {
        let (status, answer) = cordboard.ask(token, &request);
        assert_eq!((status, &answer["error"]), (200, &Value::Null), "{answer}");
    };
    ask(&agent, json!({"request": "TAgentLogin", "ThisDN": "1001", "AgentID": "8001"}));
    ask(&agent, json!({"request": "TRegisterAddress", "ThisDN": "1001"}));
    ask(&service, json!({"request": "TRegisterAddress", "ThisDN": "1002"}));
    ask(&service, json!({"request": "TMakeCall", "ThisDN": "1002", "OtherDN": "1003"}));
    let path = "/api/v1/events?dialect=genesys&connection=default&follow=false&from=start";
    let told = cordboard.get(path, &agent).all();
    let names: Vec<&Value> = told.iter().map(|line| &line["value"]["id"]).collect();
    assert_eq!(names, ["EventRegistered"], "{told:?}");
    assert!(told.iter().all(|line| line["channel"] == "client" && line["value"]["ThisDN"] == "1001"), "{told:?}");
    let everything = cordboard.get(path, &service).text();
    assert!(everything.contains("EventDialing") && everything.contains("1002"), "{everything}");
}

#[test]
fn a_token_is_the_secret_of_whoever_it_is_of() {
    let people = "[[tenant.agent]]\nid = \"8001\"\nlogin = \"anna@example.org\"\n";
    let cordboard = Cordboard::boxed("", people).started();
    let agent = cordboard.token_for(&["--role", "agent", "--agent", "8001"]);
    let root = cordboard.token_for(&["--administrator", "--user", "root"]);
    let (snapshot, events) = ("/api/v1/snapshot", "/api/v1/events?follow=false&connection=desk");
    for user in ["8001", "anna@example.org", "ANNA@example.org", "test"] {
        assert_eq!(status(&cordboard, events, &basic(user, &agent)), 200, "{user}");
        assert_eq!(status(&cordboard, snapshot, &basic(user, &agent)), 403, "{user}");
    }
    for user in ["root", "test"] {
        assert_eq!(status(&cordboard, snapshot, &basic(user, &root)), 200, "{user}");
    }
    for (user, secret) in [("8002", &agent), ("root", &agent), ("8001", &root), ("", &agent), ("8001", &"x".to_owned())]
    {
        assert_eq!(status(&cordboard, events, &basic(user, secret)), 401, "{user}");
    }
    for header in
        ["Authorization: Basic", "Authorization: Basic !", "Authorization: Basic eA==", "Authorization: Digest x"]
    {
        assert_eq!(status(&cordboard, events, header), 401, "{header}");
    }
}

#[test]
fn wrong_tokens_are_counted_by_address_and_good_ones_are_taken_all_the_same() {
    let cordboard = Cordboard::boxed("[identity]\nfailures_per_minute_max = 5", "").started();
    let token = cordboard.token("acme");
    let wrong = [bearer("cordboard_x"), basic("8001", "x"), bearer("a.b.c"), "Authorization: x".to_owned()];
    for at in 0..5 {
        assert_eq!(status(&cordboard, "/api/v1/snapshot", &wrong[at % wrong.len()]), 401, "{at}");
    }
    for header in &wrong {
        let mut answer = client::get(cordboard.address, "/api/v1/snapshot", std::slice::from_ref(header)).unwrap();
        let value: Value = serde_json::from_str(&answer.text()).unwrap();
        assert_eq!((answer.status, &value["error"]["code"]), (429, &json!("too_many_failures")), "{header}");
        assert!(answer.headers.contains("retry-after: "), "{}", answer.headers);
    }
    assert_eq!(cordboard.get("/api/v1/snapshot", &token).status, 200);
    // Who sends nothing at all has guessed nothing.
    assert_eq!(client::get(cordboard.address, "/api/v1/snapshot", &[]).unwrap().status, 401);
}

/// A provider's keys on this machine; counts how often it is asked.
fn provider(keys: &Value) -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/keys", listener.local_addr().unwrap());
    let (asked, body) = (Arc::new(AtomicUsize::new(0)), keys.to_string());
    let count = Arc::clone(&asked);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            count.fetch_add(1, Ordering::SeqCst);
            let mut request = [0; 4_096];
            _ = stream.read(&mut request).unwrap();
            let length = body.len();
            let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n");
            stream.write_all(format!("{head}{body}").as_bytes()).unwrap();
        }
    });
    (url, asked)
}

#[test]
fn an_identity_provider_outside_says_who_somebody_is() {
    let signer = Signer::rsa();
    let (url, asked) = provider(&json!({"keys": [signer.jwk("k1")]}));
    let people = format!(
        "{TEAM}[[tenant.identity_provider]]\nname = \"sso\"\nissuer = \"https://id.example.org/\"\n\
         audience = \"cordboard\"\njwks_url = \"{url}\"\nrole_claim = \"groups\"\n"
    );
    let mut cordboard = Cordboard::boxed("[identity]\nfailures_per_minute_max = 1000", &people).started();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let claims = |groups: Value| {
        json!({"iss": "https://id.example.org/", "aud": ["x", "cordboard"], "sub": "8001", "exp": now + 60,
               "groups": groups, "team": "sales"})
    };
    let head = |alg: &str, kid: &str| json!({"alg": alg, "kid": kid}).to_string();
    let of = |claims: &Value| forge::token(&head("RS256", "k1"), &claims.to_string(), &signer);
    let judge = |token: &str, path: &str| cordboard.get(path, token).status;
    let (snapshot, own) = ("/api/v1/snapshot", "/api/v1/events?follow=false&connection=desk");
    let administrator = of(&claims(json!(["staff", "administrator", "agent"])));
    assert_eq!(judge(&administrator, snapshot), 200);
    let service = cordboard.token("acme");
    let login = json!({"request": "TAgentLogin", "ThisDN": "1001", "AgentID": "8001"});
    assert_eq!(cordboard.ask(&service, &login).0, 200);
    let agent = of(&claims(json!("agent")));
    assert_eq!((judge(&agent, own), judge(&agent, snapshot)), (200, 403));
    let dnd = |device: &str| cordboard.ask(&agent, &json!({"request": "TSetDNDOn", "ThisDN": device})).0;
    assert_eq!((dnd("1001"), dnd("1002")), (200, 403));
    let supervisor = of(&claims(json!("supervisor")));
    assert_eq!((judge(&supervisor, own), judge(&supervisor, snapshot)), (200, 403));
    let with = |name: &str, value: Value| forge::but(&claims(json!("administrator")), |it| it[name] = value);
    let forged = [
        of(&claims(json!("staff"))),
        of(&claims(Value::Null)),
        forge::token(&head("none", "k1"), &with("sub", json!("8001")), &Signer::Nobody),
        forge::token(&head("RS256", "k1"), &with("exp", json!("1900000000")), &signer),
        forge::token(&head("RS256", "k1"), &with("exp", json!(now - 60)), &signer),
        forge::token(&head("RS256", "k1"), &with("aud", json!("payroll")), &signer),
        forge::token(&head("RS256", "k1"), &with("iss", json!("https://evil.example.org/")), &signer),
        forge::token(&head("RS256", "k1"), &with("sub", json!("canary-of-a-claim\n")), &signer),
        forge::token(&head("RS256", "k1"), &with("sub", json!("")), &signer),
        forge::token(&head("RS256", "canary-of-a-key"), &with("sub", json!("8001")), &signer),
    ];
    for token in &forged {
        assert_eq!((judge(token, own), judge(token, snapshot)), (401, 401), "{token}");
    }
    // The hub takes it as it is, and what we make of it; that is good for as long as it.
    assert_eq!(negotiate(&cordboard, &administrator), 200);
    let ours = jwt(&cordboard, &bearer(&agent));
    assert_eq!((negotiate(&cordboard, &ours), negotiate(&cordboard, &forged[2])), (200, 401));
    let said = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(ours.split('.').nth(1).unwrap()).unwrap();
    let said: Value = serde_json::from_slice(&said).unwrap();
    assert_eq!((&said["exp"], &said["idp"], &said["sub"]), (&json!(now + 60), &json!("sso"), &json!("8001")));
    // Nobody who is not known is an agent.
    let stranger = of(&forge::but(&claims(json!("agent")), |it| it["sub"] = json!("9999")).parse().unwrap());
    assert_eq!(judge(&stranger, own), 401);
    // Keys that are not known are asked for once in a while only.
    assert_eq!(asked.load(Ordering::SeqCst), 1);
    assert_eq!(cordboard.stop(), Some(0));
    let log = cordboard.log();
    assert!(log.contains("a JWT is refused") && log.contains("it has expired"), "{log}");
    for token in forged.iter().chain([&administrator, &agent, &supervisor, &stranger]) {
        let signature = token.rsplit('.').next().unwrap();
        assert!(signature.is_empty() || !log.contains(signature), "{token}");
    }
    assert!(!log.contains("canary"), "{log}");
}

#[test]
fn keys_are_listed_rotated_and_retired() {
    let cordboard = Cordboard::boxed("", "");
    let run = |args: &[&str]| {
        let output = cordboard.run(&[&["key"], args, &["--config"]].concat());
        (output.status.code(), String::from_utf8(output.stdout).unwrap())
    };
    let (code, first) = run(&["rotate"]);
    assert_eq!(code, Some(0));
    let first = first.split(' ').next().unwrap().to_owned();
    assert_eq!(run(&["rotate"]).0, Some(0));
    let (_, list) = run(&["list"]);
    let line = list.lines().find(|line| line.starts_with(&first)).unwrap();
    assert!(line.contains("HS256") && line.contains("verifies until"), "{list}");
    assert_eq!(list.lines().filter(|line| line.ends_with("signs")).count(), 1, "{list}");
    assert_eq!(run(&["retire", &first]).0, Some(0));
    assert!(!run(&["list"]).1.contains(&first));
    assert_eq!(run(&["retire", &first]).0, Some(1));
}

/// What opens the hub, for whoever sends this header.
fn jwt(cordboard: &Cordboard, header: &str) -> String {
    let mut answer = client::get(cordboard.address, "/token/me/rte/", &[header.to_owned()]).unwrap();
    let text = answer.text();
    assert_eq!(answer.status, 200, "{text}");
    let answer: Value = serde_json::from_str(&text).unwrap();
    answer["Token"].as_str().unwrap().to_owned()
}

/// The status of the first step of a connection.
fn negotiate(cordboard: &Cordboard, token: &str) -> u16 {
    let path = "/rte/negotiate?negotiateVersion=1";
    client::send(cordboard.address, "POST", path, &[bearer(token)], b"").unwrap().status
}

/// The id that `token list` shows of the token with this name.
fn revoke(cordboard: &Cordboard, name: &str) {
    let list = String::from_utf8(cordboard.run(&["token", "list", "--config"]).stdout).unwrap();
    let line = list.lines().find(|line| line.split_whitespace().nth(2) == Some(name)).unwrap();
    let id = line.split_whitespace().next().unwrap();
    assert!(cordboard.run(&["token", "revoke", id, "--config"]).status.success());
}

#[test]
fn a_jwt_opens_the_hub_and_nothing_else_until_its_key_its_token_or_its_time_is_over() {
    let mut cordboard = Cordboard::boxed("[rte]\ntoken_s = 3600\n", "").started();
    let token = |name: &str| {
        let args = ["token", "create", "--tenant", "acme", "--name", name, "--administrator", "--config"];
        String::from_utf8(cordboard.run(&args).stdout).unwrap().trim().to_owned()
    };
    let (ann, bob) = (token("ann"), token("bob"));
    let opens = jwt(&cordboard, &basic("ann", &ann));
    assert_eq!(negotiate(&cordboard, &opens), 200);
    assert_eq!(status(&cordboard, "/api/v1/snapshot", &bearer(&opens)), 401);
    assert_eq!(status(&cordboard, "/token/me/rte/", &bearer(&opens)), 401);
    // A token of ours is no JWT, and what is in the address of a page is in the logs of others.
    assert_eq!(negotiate(&cordboard, &ann), 401);
    let mut parts = opens.split('.');
    let (head, claims) = (parts.next().unwrap(), parts.next().unwrap());
    let text = |part: &str| {
        let bytes = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(part).unwrap();
        serde_json::from_slice::<Value>(&bytes).unwrap()
    };
    let (head, claims) = (text(head), text(claims));
    assert_eq!((&head["alg"], &claims["sub"], &claims["tenant"]), (&json!("HS256"), &json!("ann"), &json!("acme")));
    assert_eq!(claims["exp"].as_u64().unwrap() - claims["iat"].as_u64().unwrap(), 3_600);
    let key = |args: &[&str]| {
        let output = cordboard.run(&[&["key"], args, &["--config"]].concat());
        assert!(output.status.success());
        String::from_utf8(output.stdout).unwrap()
    };
    key(&["rotate"]);
    let newer = jwt(&cordboard, &bearer(&bob));
    assert_eq!((negotiate(&cordboard, &opens), negotiate(&cordboard, &newer)), (200, 200));
    key(&["retire", head["kid"].as_str().unwrap()]);
    assert_eq!((negotiate(&cordboard, &opens), negotiate(&cordboard, &newer)), (401, 200));
    revoke(&cordboard, "bob");
    assert_eq!(negotiate(&cordboard, &newer), 401);
    assert_eq!(cordboard.stop(), Some(0));
    let log = cordboard.log();
    for secret in [&opens, &newer, &ann, &bob] {
        let rare = secret.rsplit(['.', '_']).next().unwrap();
        assert!(!log.contains(rare), "{secret} is in the log: {log}");
    }
}
