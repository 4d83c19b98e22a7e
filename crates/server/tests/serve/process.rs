//! The program, as its users start it.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use crate::ami::Ami;
use crate::client::{self, Answer, PATIENCE, bearer};

pub(crate) const SECRET: &str = "canary-of-the-switch";

/// A folder with a configuration and data, and the program running on it or not.
pub(crate) struct Cordboard {
    pub(crate) dir: tempfile::TempDir,
    pub(crate) address: SocketAddr,
    /// Where it speaks Kafka's protocol.
    pub(crate) kafka: SocketAddr,
    child: Option<Child>,
}

impl Cordboard {
    /// A configuration with these tenants, each with its Asterisk; `more` is put before them.
    pub(crate) fn new(tenants: &[(&str, &Ami)], more: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mut text = format!("data = {:?}\n{more}\n", dir.path().join("data"));
        for (tenant, ami) in tenants {
            text += &format!(
                "[[tenant]]\nname = \"{tenant}\"\n[[tenant.asterisk]]\nname = \"pbx\"\naddress = \"{}\"\nuser = \"u\"\n\
                 secret = \"{SECRET}\"\nheartbeat_ms = 200\nsilence_ms_max = 1000\nbackoff_ms_min = 20\n\
                 backoff_ms_max = 100\n",
                ami.address
            );
        }
        std::fs::write(dir.path().join("cordboard.toml"), text).unwrap();
        let none = ([127, 0, 0, 1], 0).into();
        Self { dir, address: none, kafka: none, child: None }
    }

    /// A configuration with one tenant, `acme`, and its built-in switch `box`; `more` is put after the tenant's name.
    pub(crate) fn boxed(before: &str, more: &str) -> Self {
        let cordboard = Self::new(&[], before);
        let mut text = std::fs::read_to_string(cordboard.config()).unwrap();
        text += &format!(
            "[[tenant]]\nname = \"acme\"\n{more}\n[[tenant.boxed]]\nname = \"box\"\noutside_prefix = \"+\"\n\
             [[tenant.boxed.extension]]\nnumber = \"1001-1009\"\n[[tenant.boxed.acd_queue]]\nnumber = \"6001\"\n\
             [[tenant.boxed.agent]]\nid = \"8001-8003\"\nqueues = [\"6001\"]\n"
        );
        std::fs::write(cordboard.config(), text).unwrap();
        cordboard
    }

    pub(crate) fn config(&self) -> PathBuf {
        self.dir.path().join("cordboard.toml")
    }

    /// Everything the program wrote about what it does.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.dir.path().join("log")).unwrap_or_default()
    }

    pub(crate) fn start(&mut self) {
        let log = std::fs::OpenOptions::new().create(true).append(true).open(self.dir.path().join("log")).unwrap();
        let mut child = program()
            .args(["serve", "--http", "127.0.0.1:0", "--log-level", "trace", "--config"])
            .arg(self.config())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .unwrap();
        for line in BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap) {
            if let Some(address) = line.strip_prefix("kafka ") {
                self.kafka = address.trim().parse().unwrap();
                break;
            }
            let address = line.split("http://").nth(1).and_then(|rest| rest.split('/').next());
            self.address = address.map_or(self.address, |address| address.parse().unwrap());
        }
        assert!(self.address.port() > 0 && self.kafka.port() > 0, "it says no addresses: {}", self.log());
        self.child = Some(child);
    }

    pub(crate) fn started(mut self) -> Self {
        self.start();
        self.wait_ready(true);
        self
    }

    /// Waits until it is ready, or is not.
    pub(crate) fn wait_ready(&self, ready: bool) {
        let begun = Instant::now();
        let is_ready = || client::get(self.address, "/readyz", &[]).is_ok_and(|answer| answer.status == 200);
        while is_ready() != ready {
            assert!(begun.elapsed() < PATIENCE, "ready != {ready}: {}", self.log());
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    pub(crate) fn signal(&mut self, signal: &str) {
        let id = self.child.as_ref().unwrap().id().to_string();
        assert!(Command::new("kill").args([signal, &id]).status().unwrap().success());
    }

    /// kill -9, while others still look on.
    pub(crate) fn kill_now(&self) {
        let id = self.child.as_ref().unwrap().id().to_string();
        assert!(Command::new("kill").args(["-KILL", &id]).status().unwrap().success());
    }

    /// kill -9.
    pub(crate) fn kill(&mut self) {
        let mut child = self.child.take().unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
    }

    /// SIGTERM; the exit code.
    pub(crate) fn stop(&mut self) -> Option<i32> {
        self.signal("-TERM");
        let begun = Instant::now();
        let mut child = self.child.take().unwrap();
        loop {
            if let Some(status) = child.try_wait().unwrap() {
                return status.code();
            }
            assert!(begun.elapsed() < PATIENCE, "it does not stop: {}", self.log());
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    pub(crate) fn token(&self, tenant: &str) -> String {
        let output = self.run(&["token", "create", "--tenant", tenant, "--name", "test", "--config"]);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    /// A token of who runs the server.
    pub(crate) fn operator_token(&self) -> String {
        let output = self.run(&["token", "create", "--operator", "test", "--config"]);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    /// A token of the tenant `acme` with these arguments about its role.
    pub(crate) fn token_for(&self, role: &[&str]) -> String {
        let args = [&["token", "create", "--tenant", "acme", "--name", "test"], role, &["--config"]].concat();
        let output = self.run(&args);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    /// Runs a command; where the arguments end in `--config`, with the configuration.
    pub(crate) fn run(&self, args: &[&str]) -> Output {
        let mut command = program();
        command.args(args);
        if args.last() == Some(&"--config") {
            command.arg(self.config());
        }
        command.output().unwrap()
    }

    /// Sends a body and gives the status and the answer.
    pub(crate) fn post(&self, path: &str, token: &str, body: &str) -> (u16, serde_json::Value) {
        let mut answer = client::send(self.address, "POST", path, &[bearer(token)], body.as_bytes()).unwrap();
        let text = answer.text();
        (answer.status, serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text:?}")))
    }

    /// Asks for something on the default connection.
    pub(crate) fn ask(&self, token: &str, request: &serde_json::Value) -> (u16, serde_json::Value) {
        self.post("/api/v1/requests", token, &request.to_string())
    }

    /// What the log says of requests, in our own vocabulary.
    pub(crate) fn requests_told(&self, token: &str) -> Vec<serde_json::Value> {
        let events = self.get("/api/v1/events?from=start", token).all();
        events.iter().filter_map(|line| line.pointer("/value/fact/request").cloned()).collect()
    }

    pub(crate) fn get(&self, path: &str, token: &str) -> Answer {
        client::get(self.address, path, &[bearer(token)]).unwrap()
    }
}

impl Drop for Cordboard {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            _ = child.kill();
            _ = child.wait();
        }
    }
}

pub(crate) fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cordboard"));
    command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
    // Many run at once.
    command.env("CORDBOARD_KAFKA_LISTENER__LISTEN", "127.0.0.1:0");
    command
}
