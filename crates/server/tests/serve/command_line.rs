//! Commands as people type them: what they print and how they end.

use std::process::Output;

use crate::ami::Ami;
use crate::process::{Cordboard, program};

fn run(args: &[&str]) -> Output {
    program().args(args).output().unwrap()
}

fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn err(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

#[test]
fn wrong_usage_ends_with_2_and_says_what_would_be_right() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("c.toml");
    std::fs::write(&file, "[http]\nlissten = \"127.0.0.1:1\"").unwrap();
    let file = file.to_str().unwrap();
    for (args, says) in [
        (vec!["nonsense"], "nonsense"),
        (vec!["serve", "--config", "/nowhere.toml"], "default-config"),
        (vec!["serve"], "tenant"),
        (vec!["check-config", "--config", file], "http.lissten"),
        (vec!["catalogue", "klingon"], "genesys"),
        (vec!["catalogue", "genesys", "EventNothing"], "EventNothing"),
        (vec!["scenario", "run", "nothing"], "cordboard scenario list"),
        (vec!["scenario", "run", "call", "--dialect", "klingon"], "genesys"),
        (vec!["conformance", "/nowhere"], "/nowhere"),
        (vec!["token", "create", "--tenant", "a/b", "--name", "n"], "--tenant"),
        (vec!["log", "verify", dir.path().to_str().unwrap()], "no log"),
        (vec!["tail"], "CORDBOARD_TOKEN"),
    ] {
        let output = run(&args);
        assert_eq!(output.status.code(), Some(2), "{args:?}: {}", err(&output));
        assert!(err(&output).contains(says), "{args:?}: {}", err(&output));
        assert!(out(&output).is_empty(), "{args:?}");
    }
    assert_eq!(run(&["serve", "--help"]).status.code(), Some(0));
}

#[test]
fn the_default_configuration_is_right_and_the_environment_wins() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("c.toml");
    std::fs::write(&file, run(&["default-config"]).stdout).unwrap();
    let check = |name: &str, value: &str| {
        program().args(["check-config", "--config"]).arg(&file).env(name, value).output().unwrap()
    };
    assert!(out(&check("X", "")).contains("127.0.0.1:8080"));
    assert!(out(&check("CORDBOARD_HTTP__LISTEN", "127.0.0.1:9")).contains("127.0.0.1:9"));
    assert!(out(&check("CORDBOARD_TENANT", "[{name=\"a\"}]")).contains("1 tenant"));
    // A variable of another program of ours is none of the configuration's business; a slip in a setting is.
    assert_eq!(check("CORDBOARD_TOKEN", "x").status.code(), Some(0));
    let slip = check("CORDBOARD_HTTP__LISSTEN", "127.0.0.1:9");
    assert_eq!(slip.status.code(), Some(2));
    assert!(err(&slip).contains("http.lissten"), "{}", err(&slip));
}

#[test]
fn catalogues_are_json_in_a_pipe() {
    for args in [vec!["catalogue"], vec!["catalogue", "genesys"], vec!["catalogue", "genesys", "EventRinging"]] {
        let output = run(&args);
        assert!(serde_json::from_slice::<serde_json::Value>(&output.stdout).is_ok(), "{args:?}: {}", err(&output));
    }
}

#[test]
fn tail_prints_lines_of_json_in_a_pipe() {
    let ami = Ami::start();
    let cordboard = Cordboard::new(&[("acme", &ami)], "").started();
    let token = cordboard.token("acme");
    ami.whole_call();
    let url = format!("http://{}", cordboard.address);
    let tail = |token: &str| {
        let args = ["tail", "--from", "start", "--no-follow", "--url", &url];
        program().args(args).env("CORDBOARD_TOKEN", token).output().unwrap()
    };
    let output = tail(&token);
    assert_eq!(output.status.code(), Some(0), "{}", err(&output));
    let first: serde_json::Value = serde_json::from_str(out(&output).lines().next().unwrap()).unwrap();
    assert_eq!(first["value"]["sequence"], 1);
    let refused = tail("wrong");
    assert_eq!(refused.status.code(), Some(1));
    assert!(err(&refused).contains("token") && !err(&refused).contains("wrong"), "{}", err(&refused));
}

#[test]
fn a_second_server_on_the_same_data_is_refused() {
    let ami = Ami::start();
    let cordboard = Cordboard::new(&[("acme", &ami)], "").started();
    let second = cordboard.run(&["serve", "--http", "127.0.0.1:0", "--config"]);
    assert_eq!(second.status.code(), Some(1));
    assert!(err(&second).contains("acme"), "{}", err(&second));
}
