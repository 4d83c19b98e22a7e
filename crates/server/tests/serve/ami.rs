//! A scripted Asterisk: takes logins, answers questions with empty lists, and says what a test wants it to say.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// The lists that are asked for, and how their ends are called.
const LISTS: [(&str, &str); 13] = [
    ("CoreShowChannels", "CoreShowChannelsComplete"),
    ("Status", "StatusComplete"),
    ("BridgeList", "BridgeListComplete"),
    ("QueueStatus", "QueueStatusComplete"),
    ("DeviceStateList", "DeviceStateListComplete"),
    ("ExtensionStateList", "ExtensionStateListComplete"),
    ("PJSIPShowEndpoints", "EndpointListComplete"),
    ("PJSIPShowContacts", "ContactListComplete"),
    ("ParkedCalls", "ParkedCallsComplete"),
    ("ConfbridgeListRooms", "ConfbridgeListRoomsComplete"),
    ("ConfbridgeList", "ConfbridgeListComplete"),
    ("Agents", "AgentsComplete"),
    ("VoicemailUsersList", "VoicemailUserEntryComplete"),
];

/// The scripted Asterisk. Whatever is said goes to all clients that are connected at that moment.
#[derive(Clone)]
pub(crate) struct Ami {
    pub(crate) address: SocketAddr,
    clients: Arc<Mutex<Vec<TcpStream>>>,
    /// Whether it answers anything at all.
    frozen: Arc<AtomicBool>,
    calls: Arc<AtomicU64>,
    recorded: Arc<Recorded>,
}

impl Ami {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let ami = Self {
            address: listener.local_addr().unwrap(),
            clients: Arc::default(),
            frozen: Arc::default(),
            calls: Arc::default(),
            recorded: Arc::new(Recorded::read("07-internal-call").about_calls()),
        };
        let serving = ami.clone();
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (serving, stream) = (serving.clone(), stream.unwrap());
                thread::spawn(move || serving.client(stream));
            }
        });
        ami
    }

    /// Closes all connections; new ones are taken.
    pub(crate) fn drop_clients(&self) {
        for client in self.clients.lock().unwrap().drain(..) {
            _ = client.shutdown(std::net::Shutdown::Both);
        }
    }

    /// Answers nothing any more, or answers again.
    pub(crate) fn freeze(&self, frozen: bool) {
        self.frozen.store(frozen, Ordering::Relaxed);
    }

    /// Sends bytes to all clients that are logged in; false when there is none.
    pub(crate) fn say(&self, text: &str) -> bool {
        let mut clients = self.clients.lock().unwrap();
        clients.retain_mut(|client| client.write_all(text.as_bytes()).is_ok());
        !clients.is_empty()
    }

    /// Says that 1001 calls 1002, who answers, and that they hang up: a whole call.
    pub(crate) fn whole_call(&self) {
        let call = self.calls.fetch_add(1, Ordering::Relaxed) + 1;
        self.say(&self.recorded.round(call).concat());
    }

    /// Says that 1001 calls 1002 and 1002 rings.
    pub(crate) fn begin_call(&self) {
        let call = self.calls.fetch_add(1, Ordering::Relaxed) + 1;
        let events = self.recorded.round(call);
        let rings = events.iter().position(|event| event.contains("ChannelStateDesc: Ringing")).unwrap();
        self.say(&events[..=rings].concat());
    }

    fn client(&self, stream: TcpStream) {
        let mut writer = stream.try_clone().unwrap();
        writer.write_all(b"Asterisk Call Manager/11.0.0\r\n").unwrap();
        let mut action: HashMap<String, String> = HashMap::new();
        for line in BufReader::new(stream).lines() {
            let Ok(line) = line else { return };
            if let Some((name, value)) = line.split_once(':') {
                action.insert(name.trim().to_lowercase(), value.trim().to_owned());
                continue;
            }
            while self.frozen.load(Ordering::Relaxed) {
                thread::sleep(Duration::from_millis(5));
            }
            if writer.write_all(answer(&std::mem::take(&mut action), &self.clients, &writer).as_bytes()).is_err() {
                return;
            }
        }
    }
}

fn answer(action: &HashMap<String, String>, clients: &Mutex<Vec<TcpStream>>, writer: &TcpStream) -> String {
    let get = |name: &str| action.get(name).map_or("", String::as_str);
    let id = get("actionid");
    let success = |rest: &str| format!("Response: Success\r\nActionID: {id}\r\n{rest}\r\n");
    let name = get("action");
    if let Some((_, complete)) = LISTS.iter().find(|(list, _)| list.eq_ignore_ascii_case(name)) {
        let end = format!("Event: {complete}\r\nActionID: {id}\r\nEventList: Complete\r\nListItems: 0\r\n\r\n");
        return success("EventList: start\r\nMessage: will follow\r\n") + &end;
    }
    match name.to_lowercase().as_str() {
        "challenge" => success("Challenge: 123456\r\n"),
        "login" => {
            clients.lock().unwrap().push(writer.try_clone().unwrap());
            let booted = "Event: FullyBooted\r\nPrivilege: system,all\r\nStatus: Fully Booted\r\n\r\n";
            success("Message: Authentication accepted\r\n") + booted
        }
        "filter" | "logoff" => success(""),
        "ping" => success("Ping: Pong\r\n"),
        _ => format!("Response: Error\r\nActionID: {id}\r\nMessage: Invalid/unknown command\r\n\r\n"),
    }
}

/// The live events of a recorded session, to be said again and again as new calls.
pub(crate) struct Recorded {
    events: Vec<Vec<(String, String)>>,
}

impl Recorded {
    pub(crate) fn read(name: &str) -> Self {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../recordings/asterisk").join(name).join("ami.jsonl");
        let text = std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        let events = text
            .lines()
            .map(|line| {
                let line: serde_json::Value = serde_json::from_str(line).unwrap();
                serde_json::from_value::<Vec<(String, String)>>(line["headers"].clone()).unwrap()
            })
            .filter(|headers| headers.iter().any(|(name, _)| name == "Event"))
            .filter(|headers| !headers.iter().any(|(name, _)| name == "ActionID"))
            .collect();
        Self { events }
    }

    /// Without what is only about devices and the like.
    fn about_calls(mut self) -> Self {
        let kinds = ["Newchannel", "Newstate", "DialBegin", "DialEnd", "BridgeEnter", "BridgeLeave", "Hangup"];
        self.events
            .retain(|headers| headers.iter().any(|(name, value)| name == "Event" && kinds.contains(&value.as_str())));
        self
    }

    /// All events as text, each channel with an id it never had before.
    pub(crate) fn round(&self, round: u64) -> Vec<String> {
        let fresh = |value: &str| {
            let (seconds, number) = value.split_once('.')?;
            let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
            (seconds.len() == 10 && digits(seconds) && digits(number)).then(|| format!("{seconds}.{round}{number:0>5}"))
        };
        let text = |headers: &Vec<(String, String)>| {
            let line =
                |(name, value): &(String, String)| format!("{name}: {}\r\n", fresh(value).as_deref().unwrap_or(value));
            headers.iter().map(line).collect::<String>() + "\r\n"
        };
        self.events.iter().map(text).collect()
    }
}
