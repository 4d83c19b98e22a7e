//! Nothing without a token, nothing of another tenant, no token in any line of the log.

use serde_json::Value;

use crate::ami::Ami;
use crate::client::{self, bearer};
use crate::process::{Cordboard, SECRET};

#[test]
fn nothing_is_readable_without_a_good_token() {
    let ami = Ami::start();
    let cordboard = Cordboard::new(&[("acme", &ami)], "").started();
    let token = cordboard.token("acme");
    let wrong = ["cordboard_".to_owned() + &"0".repeat(64), token[..20].to_owned(), "x".to_owned(), String::new()];
    for path in ["/api/v1/snapshot", "/api/v1/events"] {
        let mut tries: Vec<Vec<String>> = wrong.iter().map(|wrong| vec![bearer(wrong)]).collect();
        tries.extend([vec![], vec![format!("Authorization: Basic {token}")], vec![format!("Authorization: {token}")]]);
        for headers in tries {
            let mut answer = client::get(cordboard.address, path, &headers).unwrap();
            let value: Value = serde_json::from_str(&answer.text()).unwrap();
            assert_eq!((answer.status, &value["error"]["code"]), (401, &Value::from("unauthorised")), "{headers:?}");
            assert!(answer.headers.contains("www-authenticate: bearer"));
        }
        let in_url = format!("{path}?access_token={token}");
        assert_eq!(client::get(cordboard.address, &in_url, &[]).unwrap().status, 401);
    }
    let metrics = client::get(cordboard.address, "/metrics", &[]).unwrap().text();
    assert!(metrics.contains("cordboard_requests_unauthorised_total 16"), "{metrics}");
    assert_eq!(cordboard.get("/api/v1/nothing", &token).status, 404);
    let mut wrong = cordboard.get("/api/v1/events?form=sse", &token);
    assert_eq!(wrong.status, 400);
    assert!(wrong.text().contains("format"));
}

#[test]
fn a_token_opens_its_own_tenant_only() {
    let (ours, theirs) = (Ami::start(), Ami::start());
    let cordboard = Cordboard::new(&[("ours", &ours), ("theirs", &theirs)], "").started();
    let (our_token, their_token) = (cordboard.token("ours"), cordboard.token("theirs"));
    theirs.whole_call();
    let mut stream = cordboard.get("/api/v1/events?from=start&follow=true", &their_token);
    while !stream.line().unwrap().unwrap().contains("1002") {}
    for path in ["/api/v1/snapshot", "/api/v1/events?from=start", "/api/v1/events?from=start&dialect=genesys"] {
        let text = cordboard.get(path, &our_token).text();
        assert!(!text.contains("1002") && !text.contains("theirs"), "{text}");
    }
}

#[test]
fn a_revoked_token_ends_its_streams_and_no_token_is_ever_logged() {
    let ami = Ami::start();
    let mut cordboard = Cordboard::new(&[("acme", &ami)], "").started();
    let token = cordboard.token("acme");
    let canary = "cordboard_canary";
    assert_eq!(cordboard.get("/api/v1/snapshot", canary).status, 401);
    let mut stream = cordboard.get("/api/v1/events", &token);
    let list = cordboard.run(&["token", "list", "--config"]);
    let list = String::from_utf8(list.stdout).unwrap();
    let id = list.lines().nth(1).unwrap().split_whitespace().next().unwrap();
    assert!(cordboard.run(&["token", "revoke", id, "--config"]).status.success());
    let last = stream.json().unwrap().unwrap();
    assert_eq!(last["error"]["code"], "unauthorised");
    assert!(stream.json().unwrap().is_none());
    assert_eq!(cordboard.get("/api/v1/snapshot", &token).status, 401);
    assert_eq!(cordboard.run(&["token", "revoke", id, "--config"]).status.code(), Some(1));
    ami.whole_call();
    ami.drop_clients();
    cordboard.wait_ready(true);
    assert_eq!(cordboard.stop(), Some(0));
    let log = cordboard.log();
    assert!(log.contains("source is live") && log.contains("log closed"), "{log}");
    for secret in [&token, &token["cordboard_".len()..], canary, SECRET] {
        assert!(!log.contains(secret), "{secret} is in the log: {log}");
    }
}
