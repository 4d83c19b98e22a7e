//! The tables that run are the tables that customers read: printed into `docs/` and compared. `UPDATE=1` writes them.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fmt::Write;
use std::path::Path;

use cordboard_core::agent::{AgentSaid, AgentSaw, AgentState, decide_agent, evolve_agent};
use cordboard_core::call::{LegState, Said, Saw, decide_leg, evolve_leg};
use cordboard_core::condition::Condition;
use cordboard_core::limits;
use cordboard_core::listed::Listed;
use cordboard_core::request::{AskKind, refuse_leg};

#[test]
fn the_leg_table_is_the_one_in_docs() {
    let intro = "# A leg, by state and by what the switch says\n\nA cell reads: what we say → the state after. `–`: nothing \
                 new, so nothing is said. Printed by `crates/core/tests/tables.rs` from the functions that run.\n";
    let after = |said: Said| evolve_leg(said).map_or("as before", Listed::name);
    compare("leg-table.md", intro, |state: LegState, saw: Saw| {
        decide_leg(state, saw).map(|said| format!("{} → {}", said.name(), after(said)))
    });
}

#[test]
fn the_agent_table_is_the_one_in_docs() {
    let intro = "# An agent, by state and by what is seen\n\nA cell reads: what we say → the state after. `–`: nothing new, \
                 so nothing is said. What an agent's telephone does is told by its legs. Printed by \
                 `crates/core/tests/tables.rs` from the functions that run.\n";
    let after = |said: AgentSaid| evolve_agent(said).map_or("as the pauses say", Listed::name);
    let row = |state: AgentState, saw: AgentSaw| {
        decide_agent(state, saw).map(|said| format!("{} → {}", said.name(), after(said)))
    };
    compare("agent-table.md", intro, row);
}

#[test]
fn the_request_table_is_the_one_in_docs() {
    let intro = "# What a party may ask for, by the state of its leg\n\nA cell reads: why it is refused. `–`: it is \
                 carried out. Printed by `crates/core/tests/tables.rs` from the functions that run.\n";
    compare("request-table.md", intro, |state: LegState, kind: AskKind| {
        refuse_leg(state, kind).map(|refusal| refusal.name().to_owned())
    });
}

#[test]
fn an_ended_leg_stays_ended_and_every_other_one_can_end() {
    for saw in Saw::ALL {
        assert_eq!(decide_leg(LegState::Ended, *saw), None, "{saw:?}");
    }
    for state in LegState::ALL.iter().filter(|state| !matches!(state, LegState::New | LegState::Ended)) {
        assert_eq!(decide_leg(*state, Saw::Hangup), Some(Said::Ended), "{state:?}");
        assert_eq!(decide_leg(*state, Saw::Leave), Some(Said::Ended), "{state:?}");
    }
}

#[test]
fn whatever_is_said_is_true_afterwards_so_saying_it_again_says_nothing() {
    let repeat = [
        (Saw::Hold, Said::Held),
        (Saw::Retrieve, Said::Retrieved),
        (Saw::Answer, Said::Answered),
        (Saw::Park, Said::Parked),
        (Saw::Unpark, Said::Unparked),
        (Saw::Dial, Said::Dialing),
        (Saw::Ring, Said::Ringing),
    ];
    for (saw, said) in repeat {
        let after = evolve_leg(said).unwrap();
        assert_eq!(decide_leg(after, saw), None, "{saw:?} in {after:?}");
    }
}

#[test]
fn a_logged_out_agent_does_nothing_but_log_in() {
    for saw in AgentSaw::ALL {
        let expected = (*saw == AgentSaw::LogIn).then_some(AgentSaid::LoggedIn);
        assert_eq!(decide_agent(AgentState::LoggedOut, *saw), expected, "{saw:?}");
    }
}

fn compare<S: Listed, O: Listed>(file: &str, intro: &str, cell: impl Fn(S, O) -> Option<String>) {
    let mut page = format!("{intro}\n| state \\ seen |");
    for saw in O::ALL {
        write!(page, " {} |", saw.name()).unwrap();
    }
    page.push_str("\n|---|");
    page.push_str(&"---|".repeat(O::ALL.len()));
    for state in S::ALL {
        write!(page, "\n| {} |", state.name()).unwrap();
        for saw in O::ALL {
            match cell(*state, *saw) {
                Some(said) => write!(page, " {said} |").unwrap(),
                None => page.push_str(" – |"),
            }
        }
    }
    page.push('\n');
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs").join(file);
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, &page).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        committed == page,
        "{} is not what runs; run the tests once with UPDATE=1 and read the diff",
        path.display()
    );
}

#[test]
fn the_limits_of_the_directory_are_the_ones_in_docs() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/directory.md");
    let page = std::fs::read_to_string(path).unwrap();
    let (_, table) = page.split_once("| what | at most |").unwrap();
    let rows: Vec<(&str, &str)> = table.lines().filter_map(|row| row.strip_prefix("| ")?.split_once(" | ")).collect();
    let wrapup_s = usize::try_from(limits::WRAPUP_S_MAX).unwrap();
    let wanted = [
        ("names", limits::NAME_BYTES_MAX),
        ("notes", limits::TEXT_BYTES_MAX),
        ("telephones", limits::DEVICES_MAX),
        ("availabilities", limits::AVAILABILITIES_MAX),
        ("settings", limits::SETTINGS_MAX),
        ("values", limits::VALUES_MAX),
        ("agents", limits::WATCHES_MAX),
        ("people", limits::MEMBERS_MAX),
        ("open callbacks", limits::CALLBACKS_OPEN_MAX),
        ("closed callbacks", limits::CALLBACKS_CLOSED_MAX),
        ("attempts", limits::ATTEMPTS_MAX),
        ("pairs", limits::EXTRAS_MAX),
        ("other callbacks", limits::RELATED_MAX),
        ("alerts of a person", limits::ALERTS_A_USER_MAX),
        ("alerts on a queue", limits::ALERTS_A_QUEUE_MAX),
        ("after-call work", wrapup_s),
        ("depth", Condition::DEPTH_MAX),
        ("parts", Condition::PARTS_MAX),
    ];
    assert_eq!(rows.len(), wanted.len());
    for ((what, number), (begins, limit)) in rows.into_iter().zip(wanted) {
        assert!(what.starts_with(begins) && number == format!("{limit} |"), "{what}: {limit}");
    }
}
