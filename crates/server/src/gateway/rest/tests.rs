//! The table walked: every path is what the document says of it, and is named in docs/rest.md.

use std::collections::BTreeSet;

use serde_json::Value;

use super::openapi::document;
use super::route::{Basis, Who};
use super::table::{PATH_PARAMETERS, ROUTES};
use crate::gateway::committed::{self, docs};

#[test]
fn every_row_is_a_path_of_its_own_with_known_parameters() {
    let names: BTreeSet<&str> = ROUTES.iter().map(|route| route.name).collect();
    let paths: BTreeSet<(&str, &str)> = ROUTES.iter().map(|route| (route.verb.lower(), route.path)).collect();
    assert_eq!((names.len(), paths.len()), (ROUTES.len(), ROUTES.len()));
    for route in ROUTES {
        assert!(route.path.starts_with('/') && !route.path.ends_with('/'), "{}", route.path);
        assert!(route.summary.ends_with('.'), "{}", route.path);
        for name in route.path_parameters() {
            assert!(PATH_PARAMETERS.iter().any(|parameter| parameter.name == name), "{}: {name}", route.path);
        }
        // Whatever changes something, and whatever is asked for a person, needs to know who asks.
        let open = ["exchangePassword", "discoverByBody"].contains(&route.name);
        assert!(route.verb.lower() == "get" || route.who != Who::Everybody || open, "{}", route.name);
    }
    for parameter in PATH_PARAMETERS {
        let name = format!("{{{}}}", parameter.name);
        assert!(ROUTES.iter().any(|route| route.path.contains(&name)), "{name} is in no path");
    }
}

#[test]
fn the_router_takes_every_path_of_the_table() {
    // Two rows that contradict each other make it panic.
    drop(super::router());
}

#[test]
fn the_document_has_every_row_and_no_reference_leads_nowhere() {
    let document = document();
    let operations: usize =
        document["paths"].as_object().unwrap().values().map(|it| it.as_object().unwrap().len()).sum();
    assert_eq!(operations, ROUTES.len());
    for route in ROUTES {
        let operation = &document["paths"][route.path][route.verb.lower()];
        assert_eq!(operation["operationId"], route.name);
        assert_eq!(operation.get("security").is_some(), route.who != Who::Everybody, "{}", route.name);
        assert_eq!(operation.get("requestBody").is_some(), route.body.is_some(), "{}", route.name);
        let answers = operation["responses"].as_object().unwrap();
        assert!(answers.contains_key(&route.status.to_string()), "{}", route.name);
        assert_eq!(answers.len(), 1 + route.all_errors().len(), "{}", route.name);
    }
    let mut references = Vec::new();
    collect(&document, &mut references);
    assert!(references.len() > ROUTES.len());
    for reference in references {
        let pointer = reference.strip_prefix('#').unwrap();
        assert!(document.pointer(pointer).is_some(), "{reference}");
    }
}

fn collect(value: &Value, references: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                if let (Value::String(text), "$ref") = (value, &**name) {
                    references.push(text.clone());
                } else {
                    collect(value, references);
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, references)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[test]
fn the_committed_document_is_what_is_served() {
    committed::check("openapi.json", &document());
}

#[test]
fn the_page_for_people_lists_every_path_with_where_it_comes_from() {
    const BEGIN: &str = "<!-- from the table of routes: UPDATE=1 writes it -->\n";
    const END: &str = "<!-- up to here -->";
    let file = docs().join("rest.md");
    let page = std::fs::read_to_string(&file).unwrap();
    let (before, rest) = page.split_once(BEGIN).unwrap();
    let (_, after) = rest.split_once(END).unwrap();
    let right = format!("{before}{BEGIN}{}{END}{after}", rows());
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&file, &right).unwrap();
    } else {
        assert!(
            page == right,
            "{} is not what runs; run the tests once with UPDATE=1 and read the diff",
            file.display()
        );
    }
}

fn rows() -> String {
    let row = |route: &super::route::Route| {
        let basis = match route.basis {
            Basis::Original => "original",
            Basis::Style => "style",
            Basis::Ours => "ours",
        };
        let who = match route.who {
            Who::Everybody => "everybody",
            Who::Anybody => "any token",
            Who::Person => "the person or above",
            Who::Supervisors => "supervisor or above",
            Who::Administrators => "administrator",
            Who::Services => "program",
        };
        format!("| `{} {}` | {basis} | {who} | {} |\n", route.verb.lower().to_uppercase(), route.path, route.summary)
    };
    let head = "| path | basis | who | |\n|---|---|---|---|\n".to_owned();
    ROUTES.iter().fold(head, |text, route| text + &row(route))
}
