//! Requests in words: a verb, the call's name, a number, and the rest by name.

use cordboard_core::ConnId;
use cordboard_core::request::{Ask, PredictiveTargets};

use super::line::{Line, Words, ms};

/// After-call work that the agent ends.
const UNTIMED: &str = "untimed";

/// Writes a request; `call` gives the name of a call.
pub(super) fn write<'n>(ask: &Ask, call: impl Fn(ConnId) -> &'n str, words: &mut Words) {
    let held = |words: &mut Words, held: &ConnId| {
        words.pair("held", Some(call(*held)));
    };
    match ask {
        Ask::Register => words.word("register"),
        Ask::Unregister => words.word("unregister"),
        Ask::QueryAddress { kind, info } => {
            words.word("query-address").pair("kind", full(kind)).pair("info", full(info))
        }
        Ask::QueryCall { call: it } => words.word("query-call").word(call(*it)),
        Ask::QueryServer => words.word("query-server"),
        Ask::SetReference { next } => words.word("set-reference").word(&next.to_string()),
        Ask::SetMask { events } => words.word("set-mask").pair_list("events", events),
        Ask::Login { agent, queue, mode, reasons, wrapup_s } => {
            words.word("login").word(agent).pair("queue", queue.as_deref()).of(mode);
            words.pair("wrapup", wrapup_s.map(wrapup).as_deref()).pairs("reason", reasons)
        }
        Ask::Logout { queue, reasons } => words.word("logout").pair("queue", queue.as_deref()).pairs("reason", reasons),
        Ask::Ready { queue, mode, reasons } => {
            words.word("ready").pair("queue", queue.as_deref()).of(mode).pairs("reason", reasons)
        }
        Ask::NotReady { queue, mode, reasons } => {
            words.word("not-ready").pair("queue", queue.as_deref()).of(mode).pairs("reason", reasons)
        }
        Ask::Reserve { ms, priority, agent } => {
            words.word("reserve").pair_ms("for", Some(*ms)).pair("priority", Some(&priority.to_string()));
            words.pair("agent", agent.as_deref())
        }
        Ask::Dnd { on } => words.word("dnd").word(switch(*on)),
        Ask::Forward { mode, to: Some(to) } => words.word("forward").of(mode).pair("to", Some(to)),
        Ask::Forward { mode, to: None } => words.word("forward").of(mode).word("off"),
        Ask::Messages { on } => words.word("messages").word(switch(*on)),
        Ask::MakeCall { to, user_data } => words.word("make-call").word(to).pairs("data", user_data),
        Ask::MakePredictiveCall { to, ring_ms, user_data, targets } => {
            words.word("make-predictive-call").word(to).pair_ms("ring", Some(*ring_ms));
            words.pair("person", targets.person.as_deref()).pair("machine", targets.machine.as_deref());
            words.pair("fax", targets.fax.as_deref()).pairs("data", user_data)
        }
        Ask::Answer { call: it } => words.word("answer").word(call(*it)),
        Ask::Release { call: it } => words.word("release").word(call(*it)),
        Ask::Clear { call: it } => words.word("clear").word(call(*it)),
        Ask::Hold { call: it } => words.word("hold").word(call(*it)),
        Ask::Retrieve { call: it } => words.word("retrieve").word(call(*it)),
        Ask::Alternate { call: it, held: other } => {
            held(words.word("alternate").word(call(*it)), other);
            words
        }
        Ask::Reconnect { call: it, held: other } => {
            held(words.word("reconnect").word(call(*it)), other);
            words
        }
        Ask::Redirect { call: it, to } => words.word("redirect").word(call(*it)).word(to),
        Ask::Consult { call: it, to, purpose, user_data } => {
            words.word("consult").word(call(*it)).word(to).of(purpose).pairs("data", user_data)
        }
        Ask::Complete { call: it, held: other, purpose } => {
            held(words.word("complete").word(call(*it)).of(purpose), other);
            words
        }
        Ask::Merge { call: it, held: other, purpose } => {
            held(words.word("merge").word(call(*it)).of(purpose), other);
            words
        }
        Ask::MuteTransfer { call: it, to, user_data } => {
            words.word("mute-transfer").word(call(*it)).word(to).pairs("data", user_data)
        }
        Ask::SingleStep { call: it, to, purpose, user_data } => {
            words.word("single-step").word(call(*it)).word(to).of(purpose).pairs("data", user_data)
        }
        Ask::DropParty { call: it, who } => words.word("drop-party").word(call(*it)).word(who),
        Ask::Listen { call: it, who, on } => words.word("listen").word(call(*it)).word(who).word(switch(*on)),
        Ask::Mute { call: it, on } => words.word("mute").word(call(*it)).word(switch(*on)),
        Ask::Route { call: it, to, kind } => words.word("route").word(call(*it)).of(kind).pair("to", to.as_deref()),
        Ask::Treat { call: it, kind, parameters } => {
            words.word("treat").word(call(*it)).of(kind).pairs("with", parameters)
        }
        Ask::ChangeData { call: it, set, removed, all } => {
            let words = words.word("change-data").word(call(*it)).pairs("data", set);
            words.pair_list("remove", removed).flag("all", *all)
        }
        // There are many, and they are data anyway.
        Ask::Change(change) => words.word("change").object(change),
        Ask::Monitor { target, scope, mode } => words.word("monitor").word(target).of(scope).of(mode),
        Ask::MonitorEnd { target } => words.word("monitor-end").word(target),
        Ask::Supervise { target, mode } => words.word("supervise").word(target).of(mode),
        Ask::Pickup { target } => words.word("pickup").word(target),
        Ask::Park { call: it, space } => words.word("park").word(call(*it)).pair("space", space.as_deref()),
        Ask::Unpark { space } => words.word("unpark").word(space),
        Ask::Tones { call: it, digits } => words.word("tones").word(call(*it)).word(digits),
        Ask::Record { call: it, on, file } => {
            words.word("record").word(call(*it)).word(switch(*on)).pair("file", file.as_deref())
        }
        Ask::SetVariable { call: it, name, value } => {
            words.word("set-variable").word(call(*it)).word(name).pair("value", Some(value))
        }
    };
}

/// Reads a request; `call` gives the place of a named call.
pub(super) fn read(line: &mut Line, mut call: impl FnMut(&str) -> Result<ConnId, String>) -> Result<Ask, String> {
    let verb = line.want("what is asked")?;
    let mut it = |line: &mut Line| call(&line.want("a call's name")?);
    Ok(match verb.as_str() {
        "register" => Ask::Register,
        "unregister" => Ask::Unregister,
        "query-address" => Ask::QueryAddress {
            kind: line.pair("kind").unwrap_or_default(),
            info: line.pair("info").unwrap_or_default(),
        },
        "query-call" => Ask::QueryCall { call: it(line)? },
        "query-server" => Ask::QueryServer,
        "set-reference" => Ask::SetReference { next: number(&line.want("a reference")?)? },
        "set-mask" => Ask::SetMask { events: line.pair_list("events") },
        "login" => Ask::Login {
            agent: line.want("an agent")?,
            queue: line.pair("queue"),
            mode: line.want_word("a work mode")?,
            wrapup_s: read_wrapup(line)?,
            reasons: line.pairs("reason")?,
        },
        "logout" => Ask::Logout { queue: line.pair("queue"), reasons: line.pairs("reason")? },
        "ready" => Ask::Ready {
            queue: line.pair("queue"),
            mode: line.want_word("a work mode")?,
            reasons: line.pairs("reason")?,
        },
        "not-ready" => Ask::NotReady {
            queue: line.pair("queue"),
            mode: line.want_word("a work mode")?,
            reasons: line.pairs("reason")?,
        },
        "reserve" => Ask::Reserve {
            ms: line.pair_ms("for")?.ok_or("for=… is missing")?,
            priority: number(&line.want_pair("priority")?)?,
            agent: line.pair("agent"),
        },
        "dnd" => Ask::Dnd { on: line.want_switch()? },
        "forward" => {
            let mode = line.want_word("when calls are forwarded")?;
            let to = if line.flag("off") { None } else { Some(line.want_pair("to")?) };
            Ask::Forward { mode, to }
        }
        "messages" => Ask::Messages { on: line.want_switch()? },
        "make-call" => Ask::MakeCall { to: line.want("a number")?, user_data: line.pairs("data")? },
        "make-predictive-call" => Ask::MakePredictiveCall {
            to: line.want("a number")?,
            ring_ms: line.pair_ms("ring")?.ok_or("ring=… is missing")?,
            targets: PredictiveTargets {
                person: line.pair("person"),
                machine: line.pair("machine"),
                fax: line.pair("fax"),
            },
            user_data: line.pairs("data")?,
        },
        "answer" => Ask::Answer { call: it(line)? },
        "release" => Ask::Release { call: it(line)? },
        "clear" => Ask::Clear { call: it(line)? },
        "hold" => Ask::Hold { call: it(line)? },
        "retrieve" => Ask::Retrieve { call: it(line)? },
        "redirect" => Ask::Redirect { call: it(line)?, to: line.want("a number")? },
        "consult" => Ask::Consult {
            call: it(line)?,
            to: line.want("a number")?,
            purpose: line.want_word("what for")?,
            user_data: line.pairs("data")?,
        },
        "mute-transfer" => {
            Ask::MuteTransfer { call: it(line)?, to: line.want("a number")?, user_data: line.pairs("data")? }
        }
        "single-step" => Ask::SingleStep {
            call: it(line)?,
            to: line.want("a number")?,
            purpose: line.want_word("what for")?,
            user_data: line.pairs("data")?,
        },
        "drop-party" => Ask::DropParty { call: it(line)?, who: line.want("a number")? },
        "listen" => Ask::Listen { call: it(line)?, who: line.want("a number")?, on: line.want_switch()? },
        "mute" => Ask::Mute { call: it(line)?, on: line.want_switch()? },
        "route" => Ask::Route { call: it(line)?, kind: line.want_word("how")?, to: line.pair("to") },
        "treat" => {
            Ask::Treat { call: it(line)?, kind: line.want_word("a treatment")?, parameters: line.pairs("with")? }
        }
        "change" => {
            let change = line.want("a change to the directory as JSON")?;
            Ask::Change(serde_json::from_str(&change).map_err(|error| format!("{change:?} is no change: {error}"))?)
        }
        "change-data" => Ask::ChangeData {
            call: it(line)?,
            set: line.pairs("data")?,
            removed: line.pair_list("remove"),
            all: line.flag("all"),
        },
        "monitor" => Ask::Monitor {
            target: line.want("a number")?,
            scope: line.want_word("which calls")?,
            mode: line.want_word("how")?,
        },
        "monitor-end" => Ask::MonitorEnd { target: line.want("a number")? },
        "supervise" => Ask::Supervise { target: line.want("a number")?, mode: line.want_word("how")? },
        "pickup" => Ask::Pickup { target: line.want("a number")? },
        "park" => Ask::Park { call: it(line)?, space: line.pair("space") },
        "unpark" => Ask::Unpark { space: line.want("a parking place")? },
        "tones" => Ask::Tones { call: it(line)?, digits: line.want("digits")? },
        "record" => Ask::Record { call: it(line)?, on: line.want_switch()?, file: line.pair("file") },
        "set-variable" => {
            Ask::SetVariable { call: it(line)?, name: line.want("a variable")?, value: line.want_pair("value")? }
        }
        two => {
            let (first, purpose) = match two {
                "alternate" | "reconnect" => (it(line)?, None),
                "complete" | "merge" => (it(line)?, Some(line.want_word("what for")?)),
                other => return Err(format!("{other:?} is no request; `scenarios/README.md` lists them")),
            };
            let held = call(&line.want_pair("held")?)?;
            match (two, purpose) {
                ("complete", Some(purpose)) => Ask::Complete { call: first, held, purpose },
                (_, Some(purpose)) => Ask::Merge { call: first, held, purpose },
                ("alternate", None) => Ask::Alternate { call: first, held },
                (_, None) => Ask::Reconnect { call: first, held },
            }
        }
    })
}

fn wrapup(seconds: u64) -> String {
    if seconds == u64::MAX { UNTIMED.to_string() } else { format!("{seconds}s") }
}

fn read_wrapup(line: &mut Line) -> Result<Option<u64>, String> {
    match line.pair("wrapup").as_deref() {
        None => Ok(None),
        Some(UNTIMED) => Ok(Some(u64::MAX)),
        Some(text) => ms(text).map(|ms| Some(ms / 1_000)),
    }
}

const fn switch(on: bool) -> &'static str {
    if on { "on" } else { "off" }
}

fn full(text: &str) -> Option<&str> {
    (!text.is_empty()).then_some(text)
}

fn number<T: std::str::FromStr>(text: &str) -> Result<T, String> {
    text.parse().map_err(|_| format!("{text:?} is no whole number"))
}
