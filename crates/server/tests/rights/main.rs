//! Nothing that is told, answered or shown names what its reader may not see: worlds, people and wishes by chance, judged by
//! a naive model of docs/authorisation.md that knows nothing of the code.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "the helpers of a test fail like the test itself; numbers of people, queues and lists are constants"
)]

mod hub;
mod model;
mod told;

use cordboard_core::listed::Listed as _;
use cordboard_server::permit::{ChangeKind, Whose};

/// The table that runs is the table that customers read. `UPDATE=1` writes it.
#[test]
fn the_table_of_changes_is_written_down() {
    let word = |whose: Whose| match whose {
        Whose::Nobodys => "–",
        Whose::Own => "the own",
        Whose::Teams => "the own and the team's",
        Whose::All => "everybody's",
    };
    let mut text =
        "# Who changes what of the directory\n\nWhose things a role changes; `–`: none. Administrators, and \
                    services without grants, change everybody's. Printed by\n`crates/server/tests/rights` from the \
                    table that runs; [authorisation.md](authorisation.md) says what is whose.\n\n\
                    | change | an agent | a supervisor | a service that is granted |\n|---|---|---|---|\n"
            .to_owned();
    for kind in ChangeKind::ALL {
        let (agent, supervisor, grant) = kind.row();
        text += &format!("| {} | {} | {} | `{}` |\n", kind.name(), word(agent), word(supervisor), grant.word());
    }
    let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/change-table.md");
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&file, &text).unwrap();
    }
    let committed = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(
        committed == text,
        "docs/change-table.md is not what runs; run the test once with UPDATE=1 and read the diff"
    );
}
