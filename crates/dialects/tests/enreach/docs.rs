//! The table at the end of `docs/enreach-events.md` is what the code says. `UPDATE=1` writes it.

use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;

use cordboard_dialects::enreach::DIALECT;

const BEGIN: &str = "<!-- written by UPDATE=1 cargo test -p cordboard-dialects --test enreach -->\n";
const END: &str = "<!-- end -->\n";

#[test]
fn what_causes_what_is_written_down() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs/enreach-events.md");
    let text = fs::read_to_string(&path).unwrap();
    let (before, rest) = text.split_once(BEGIN).unwrap();
    let (found, after) = rest.split_once(END).unwrap();
    let mut table = String::from("| event | caused by |\n|---|---|\n");
    for entry in (DIALECT.catalogue)().events {
        let causes: Vec<String> = entry.caused_by.iter().map(|cause| format!("`{cause}`")).collect();
        _ = writeln!(table, "| `{}` | {} |", entry.name, causes.join(", "));
    }
    if std::env::var_os("UPDATE").is_some() {
        fs::write(&path, format!("{before}{BEGIN}{table}{END}{after}")).unwrap();
        return;
    }
    assert!(found == table, "the table is not what the code says; UPDATE=1 writes it");
}
