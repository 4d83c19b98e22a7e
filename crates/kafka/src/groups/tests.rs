//! What groups do: sequences of calls as the protocol's documentation has them, and life by chance.

mod calls;
mod chance;
mod house;
mod offsets;

use super::{State, Step};

const TABLE: &str = include_str!("../../../../docs/kafka-groups.md");

#[test]
fn the_table_of_states_is_printed() {
    let mut table = String::from("| state | when | then |\n|---|---|---|\n");
    for state in State::ALL {
        for step in Step::ALL {
            if let Some(next) = state.after(step) {
                let when = match step {
                    Step::Rebalance => "somebody joins, leaves, falls silent or says something else of itself",
                    Step::Joined => "all have joined, or the time for it is over",
                    Step::Emptied => "nobody is left",
                    Step::Assigned => "the leader has divided the work",
                    Step::Deleted => "it is deleted",
                };
                table.push_str(&format!("| {} | {when} | {} |\n", state.name(), next.name()));
            }
        }
    }
    assert!(TABLE.contains(&table), "docs/kafka-groups.md should hold\n{table}");
}

#[test]
fn nothing_leads_away_from_dead_and_everything_else_can_be_left() {
    for state in State::ALL {
        let ways = Step::ALL.into_iter().filter(|step| state.after(*step).is_some()).count();
        assert_eq!(ways == 0, state == State::Dead, "{state:?}");
    }
}
