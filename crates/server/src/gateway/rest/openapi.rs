//! The table of routes as an OpenAPI 3.1 document.

use std::sync::OnceLock;

use axum::http::header;
use axum::response::{IntoResponse, Response};
use cordboard_core::listed::Listed;
use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, SchemaGenerator};
use serde_json::{Map, Value, json};

use super::route::{Answer, Basis, Kind, Parameter, Route, Tag, Who, shape};
use super::table::{PATH_PARAMETERS, ROUTES};

const TITLE: &str = "Cordboard";
const DESCRIPTION: &str = "The HTTP interface of Cordboard: the REST paths of the Enreach interface as far as they are \
    publicly known, paths of ours in the same style, and the streams of events. `x-basis` says of each where it comes \
    from: `original` (publicly known), `style` (the original has something of the kind; the path is ours), `ours`. \
    Paths of the first two kinds, and of the directory, are the same with a slash at the end.";

/// Every status of an error, and what it means here.
const MEANINGS: &[(u16, &str)] = &[
    (400, "What was sent is wrong; the message says what would be right."),
    (401, "Nobody is known by these credentials."),
    (403, "It is not for this caller."),
    (404, "There is no such thing, or it is not for this caller to see."),
    (408, "The body took too long."),
    (409, "It cannot be done as things stand."),
    (413, "The body is too long."),
    (429, "A limit is reached; the header Retry-After says when to try again."),
    (503, "It cannot be done at the moment, or what became of it is not known."),
];

/// What is answered when something went wrong.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "it describes what `access::Refusal` writes")]
struct Error {
    /// What is wrong.
    error: Wrong,
}

/// What is wrong.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "it describes what `access::Refusal` writes")]
struct Wrong {
    /// A word for programs.
    code: String,
    /// Words for people: what is wrong, and what would be right.
    message: String,
}

/// Answers with the document.
pub(super) async fn show() -> Response {
    static TEXT: OnceLock<String> = OnceLock::new();
    let text = TEXT.get_or_init(|| document().to_string());
    ([(header::CONTENT_TYPE, "application/json")], text.as_str()).into_response()
}

/// The document.
pub(super) fn document() -> Value {
    let settings = SchemaSettings::draft2020_12().with(|settings| {
        settings.definitions_path = "/components/schemas".into();
        settings.meta_schema = None;
    });
    let mut generator = settings.into_generator();
    let mut paths = Map::new();
    for route in ROUTES {
        let path = paths.entry(route.path).or_insert_with(|| json!({}));
        if let Some(path) = path.as_object_mut() {
            path.insert(route.verb.lower().to_owned(), operation(route, &mut generator));
        }
    }
    let responses = errors(&mut generator);
    let tags: Vec<Value> = Tag::ALL.iter().map(|tag| json!({"name": tag.name()})).collect();
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": TITLE,
            "version": env!("CARGO_PKG_VERSION"),
            "description": DESCRIPTION,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "tags": tags,
        "paths": paths,
        "components": {
            "schemas": generator.take_definitions(true),
            "responses": responses,
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer", "description": "A token."},
                "basic": {"type": "http", "scheme": "basic", "description": "A login, and a token as the password."},
            },
        },
    })
}

fn operation(route: &Route, generator: &mut SchemaGenerator) -> Value {
    let mut operation = json!({
        "operationId": route.name,
        "summary": route.summary,
        "tags": [route.tag.name()],
        "x-basis": match route.basis {
            Basis::Original => "original",
            Basis::Style => "style",
            Basis::Ours => "ours",
        },
        "x-who": match route.who {
            Who::Everybody => "everybody, without credentials",
            Who::Anybody => "whoever has a token, as far as something may be seen",
            Who::Person => "the person, who looks after the person, administrators, programs that were granted it",
            Who::Supervisors => "supervisors, administrators, programs that were granted it",
            Who::Administrators => "administrators, programs that were granted it",
            Who::Services => "programs",
        },
    });
    let Some(members) = operation.as_object_mut() else { return operation };
    let in_path = route.path_parameters().filter_map(|name| PATH_PARAMETERS.iter().find(|it| it.name == name));
    let parameters: Vec<Value> =
        in_path.map(|it| parameter(it, "path")).chain(route.query.iter().map(|it| parameter(it, "query"))).collect();
    if !parameters.is_empty() {
        members.insert("parameters".to_owned(), parameters.into());
    }
    if let Some(body) = route.body {
        let content = json!({"application/json": {"schema": body(generator)}});
        members.insert("requestBody".to_owned(), json!({"required": true, "content": content}));
    }
    members.insert("responses".to_owned(), responses(route, generator));
    if route.who != Who::Everybody {
        members.insert("security".to_owned(), json!([{"bearer": []}, {"basic": []}]));
    }
    operation
}

fn parameter(parameter: &Parameter, place: &str) -> Value {
    let schema = match parameter.kind {
        Kind::Text => json!({"type": "string"}),
        Kind::Number => json!({"type": "integer", "minimum": 1}),
        Kind::Flag => json!({"type": "boolean"}),
        Kind::Id => json!({"type": "string", "format": "uuid"}),
    };
    let (name, description) = (parameter.name, parameter.summary);
    let example = match parameter.kind {
        Kind::Text | Kind::Id => parameter.example.into(),
        Kind::Number => parameter.example.parse::<u64>().map_or(Value::Null, Value::from),
        Kind::Flag => (parameter.example == "true").into(),
    };
    let required = place == "path";
    let shown = json!({"name": name, "in": place, "required": required, "description": description, "schema": schema});
    match (shown, parameter.example) {
        (shown, "") => shown,
        (mut shown, _) => {
            if let Some(shown) = shown.as_object_mut() {
                shown.insert("example".to_owned(), example);
            }
            shown
        }
    }
}

fn responses(route: &Route, generator: &mut SchemaGenerator) -> Value {
    let mut responses = Map::new();
    let mut well = json!({"description": "Well."});
    let content = match route.answer {
        Answer::Json(shape) => Some(json!({"application/json": {"schema": shape(generator)}})),
        Answer::Empty => None,
        Answer::Other(types) => {
            Some(Value::Object(types.iter().map(|media| ((*media).to_owned(), json!({}))).collect()))
        }
    };
    if let (Some(content), Some(well)) = (content, well.as_object_mut()) {
        well.insert("content".to_owned(), content);
    }
    responses.insert(route.status.to_string(), well);
    for status in route.all_errors() {
        responses.insert(status.to_string(), json!({"$ref": format!("#/components/responses/Error{status}")}));
    }
    Value::Object(responses)
}

/// Every error that there is, once.
fn errors(generator: &mut SchemaGenerator) -> Value {
    let content = json!({"application/json": {"schema": shape::<Error>(generator)}});
    let error = |(status, meaning): &(u16, &str)| {
        (format!("Error{status}"), json!({"description": meaning, "content": content}))
    };
    Value::Object(MEANINGS.iter().map(error).collect())
}
