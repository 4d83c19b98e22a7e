//! The table of routes. The router and the OpenAPI document are made from it, so they cannot differ.

use axum::routing::{delete, get, post};
use cordboard_core::change::Change;

use super::super::schemas::Row as SchemaShown;
use super::super::{asyncapi, door, happenings, http, schemas};
use super::route::Answer::{Empty, Other};
use super::route::Basis::{Original, Ours, Style};
use super::route::Handle::{Known, Open, Own};
use super::route::Tag::{
    Alerts, Availability, CallLists, Events, Health, Queues, Reports, Settings, Supervision, Tokens, Users, WrapUp,
};
use super::route::Verb::{Delete, Get, Post, Put};
use super::route::Who::{Administrators, Everybody, Person, Services, Supervisors};
use super::route::{Kind, Parameter, Route, json, shape};
use super::shapes::{
    AlertEdit, AlertShown, Assign, AvailabilityShown, CallList, CallListEdit, CallbackEdit, CallbackShown, Discover,
    Done, Entry, Happened, NewAttempt, NewAvailability, NewCallList, NewCallback, NewPhrase, NewRecording, NewUser,
    NewWrapUp, Password, Queue, QueueEdit, QueueUser, QueueUserEdit, RteToken, Secret, Service, SettingEdit,
    SettingShown, Supervision as SupervisionBody, Toggle, User, UserEdit, Watched,
};
use super::{alerts, availability, callbacks, directory, lists, openapi, queues, supervision, tokens, users, work};

/// Where a page of a list begins.
pub(super) const CURSOR: Parameter = Parameter {
    name: "Cursor",
    summary: "Where to go on: from the header `Link` of the page before.",
    kind: Kind::Text,
    example: "",
};
/// How long a page of a list is.
pub(super) const LIMIT: Parameter = Parameter {
    name: "Limit",
    summary: "Items at most; `rest.page_items_max` where there is none.",
    kind: Kind::Number,
    example: "2",
};
const PAGE: &[Parameter] = &[LIMIT, CURSOR];
const ONLY_FOR_USER: Parameter = Parameter {
    name: "OnlyForUser",
    summary: "Only what this person serves or is assigned to.",
    kind: Kind::Text,
    example: "me",
};
const CLOSED: Parameter =
    Parameter { name: "Closed", summary: "Only closed ones, or only open ones.", kind: Kind::Flag, example: "false" };
const LOGIN: Parameter =
    Parameter { name: "user", summary: "The login.", kind: Kind::Text, example: "somebody@example.org" };
const DIALECT: Parameter = text("dialect", "The vocabulary; our own where there is none.", "cordboard");

const fn text(name: &'static str, summary: &'static str, example: &'static str) -> Parameter {
    Parameter { name, summary, kind: Kind::Text, example }
}

const fn guid(name: &'static str, summary: &'static str) -> Parameter {
    Parameter { name, summary, kind: Kind::Id, example: "00000000-0000-4000-8000-000000000000" }
}

/// Everything that stands in braces in a path.
pub(super) const PATH_PARAMETERS: &[Parameter] = &[
    text("user", "A person: the id, `me`, the name (an agent's id) or the login.", "me"),
    text("target", "The person whose calls it is about, in the same forms.", "8002"),
    text("queue", "A queue: the id or the name.", "6001"),
    text("list", "A call list: the id or the name.", "later"),
    text("keyword", "The setting's name.", "colour"),
    text("wrapup", "After-call work: the id, or `current`.", "current"),
    guid("availability", "The availability's id."),
    guid("callback", "The callback's id."),
    guid("alert", "The alert's id."),
    guid("call", "The call's id, as the hub says it."),
    text("kind", "`users`, `queues`, `lists`, `callbacks` or `alerts`.", "users"),
    text("name", "The name.", "none"),
    text("dialect", "The vocabulary.", "genesys"),
    text("version", "The version of the schemas, and the way of writing.", "v1"),
    text("file", "The message's name with `.json` behind it.", "EventRinging.json"),
];

/// The stream of events.
pub(super) const EVENTS_PATH: &str = "/api/v1/events";
pub(super) const EVENTS_QUERY: &[Parameter] = &[
    DIALECT,
    text("from", "`now`, `start`, or a position to go on after.", "start"),
    Parameter {
        name: "follow",
        summary: "Whether to go on when everything was told.",
        kind: Kind::Flag,
        example: "false",
    },
    Parameter { name: "snapshot", summary: "Whether to begin with what is true.", kind: Kind::Flag, example: "false" },
    text("format", "`ndjson` or `sse`.", "ndjson"),
    text("delivery", "`every` or `latest`.", "every"),
    text("connection", "Whose private messages are told besides.", "default"),
];
const STREAM: &[&str] = &["application/x-ndjson", "text/event-stream"];
const OPENMETRICS: &[&str] = &["application/openmetrics-text"];

/// Every path there is, but for the console and the hub.
pub(super) static ROUTES: &[Route] = &[
    Route::new(Get, "/token/{user}/rte", "getRteToken", Known(|call| Box::pin(tokens::rte(call))))
        .says(Tokens, Original, "Where the hub is, and a token that opens it.")
        .who(Person)
        .gives(200, json::<RteToken>())
        .fails(&[409]),
    Route::new(Post, "/authuser/{user}", "exchangePassword", Open(|given| Box::pin(tokens::exchange(given))))
        .says(Tokens, Original, "Exchanges an agent's password for a secret, where the configuration has a password.")
        .who(Everybody)
        .takes(shape::<Password>)
        .gives(200, json::<Secret>())
        .fails(&[401]),
    Route::new(Get, "/api/user", "discover", Open(|given| Box::pin(tokens::discover(given))))
        .says(Tokens, Original, "Where a login is served: here.")
        .who(Everybody)
        .query(&[LOGIN])
        .gives(200, json::<Vec<Service>>()),
    Route::new(Post, "/api/user", "discoverByBody", Open(|given| Box::pin(tokens::discover_by_body(given))))
        .says(Tokens, Original, "Where a login is served: here.")
        .who(Everybody)
        .takes(shape::<Discover>)
        .gives(200, json::<Vec<Service>>()),
    Route::new(Get, "/users", "listUsers", Known(|call| Box::pin(users::list(call))))
        .says(Users, Original, "The people of the organisation, as far as you may see them.")
        .query(PAGE)
        .gives(200, json::<Vec<User>>()),
    Route::new(Post, "/users", "createUser", Known(|call| Box::pin(users::create(call))))
        .says(Users, Ours, "Puts somebody into the directory.")
        .who(Administrators)
        .takes(shape::<NewUser>)
        .gives(201, json::<Done>())
        .fails(&[409]),
    Route::new(Get, "/users/{user}", "getUser", Known(|call| Box::pin(users::get(call))))
        .says(Users, Original, "Somebody.")
        .gives(200, json::<User>()),
    Route::new(Put, "/users/{user}", "editUser", Known(|call| Box::pin(users::edit(call))))
        .says(Users, Ours, "Describes somebody anew.")
        .who(Administrators)
        .takes(shape::<UserEdit>)
        .gives(200, json::<Done>())
        .fails(&[409]),
    Route::new(Delete, "/users/{user}", "removeUser", Known(|call| Box::pin(users::remove(call))))
        .says(Users, Ours, "Takes somebody out of the directory.")
        .who(Administrators)
        .gives(200, json::<Done>())
        .fails(&[409]),
    Route::new(Post, "/users/{user}/secret", "createSecret", Known(|call| Box::pin(tokens::secret(call))))
        .says(Tokens, Ours, "Makes a secret for somebody, of the role agent; it is shown once.")
        .who(Administrators)
        .gives(201, json::<Secret>()),
    Route::new(
        Put,
        "/users/{user}/servingcallbacks",
        "serveCallbacks",
        Known(|call| Box::pin(availability::serve_callbacks(call))),
    )
    .says(Users, Style, "Whether somebody works on callbacks.")
    .who(Person)
    .takes(shape::<Toggle>)
    .gives(200, json::<Done>())
    .fails(&[409]),
    Route::new(Put, "/users/{user}/fetchmode", "pickCalls", Known(|call| Box::pin(availability::pick_calls(call))))
        .says(Users, Style, "Whether somebody picks calls instead of being offered them.")
        .who(Person)
        .takes(shape::<Toggle>)
        .gives(200, json::<Done>())
        .fails(&[409]),
    Route::new(Get, "/users/{user}/availability", "listAvailability", Known(|call| Box::pin(availability::list(call))))
        .says(Availability, Style, "What somebody has set, in force and planned.")
        .gives(200, json::<Vec<AvailabilityShown>>()),
    Route::new(Post, "/users/{user}/availability", "setAvailability", Known(|call| Box::pin(availability::set(call))))
        .says(Availability, Original, "Sets an availability; one that overlaps is replaced.")
        .who(Person)
        .takes(shape::<NewAvailability>)
        .gives(200, json::<Done>())
        .fails(&[409]),
    Route::new(
        Get,
        "/users/{user}/availability/current",
        "getAvailability",
        Known(|call| Box::pin(availability::current(call))),
    )
    .says(Availability, Original, "The availability in force.")
    .gives(200, json::<AvailabilityShown>()),
    Route::new(
        Delete,
        "/users/{user}/availability/{availability}",
        "endAvailability",
        Known(|call| Box::pin(availability::end(call))),
    )
    .says(Availability, Original, "Takes an availability back.")
    .who(Person)
    .gives(200, json::<Done>())
    .fails(&[409]),
    Route::new(Get, "/users/{user}/settings", "listSettings", Known(|call| Box::pin(availability::settings(call))))
        .says(Settings, Style, "The settings of somebody.")
        .gives(200, json::<Vec<SettingShown>>()),
    Route::new(
        Get,
        "/users/{user}/settings/{keyword}",
        "getSetting",
        Known(|call| Box::pin(availability::setting(call))),
    )
    .says(Settings, Style, "A setting.")
    .gives(200, json::<SettingShown>()),
    Route::new(
        Put,
        "/users/{user}/settings/{keyword}",
        "changeSetting",
        Known(|call| Box::pin(availability::change_setting(call))),
    )
    .says(Settings, Style, "Changes a setting.")
    .who(Person)
    .takes(shape::<SettingEdit>)
    .gives(200, json::<Done>())
    .fails(&[409]),
    Route::new(
        Delete,
        "/users/{user}/settings/{keyword}",
        "removeSetting",
        Known(|call| Box::pin(availability::remove_setting(call))),
    )
    .says(Settings, Style, "Removes a setting.")
    .who(Person)
    .gives(200, json::<Done>())
    .fails(&[409]),
    Route::new(Post, "/users/{user}/wrapup", "beginWrapUp", Known(|call| Box::pin(work::begin_wrapup(call))))
        .says(WrapUp, Style, "Begins after-call work, at once or when the call under way ends.")
        .who(Person)
        .takes(shape::<NewWrapUp>)
        .gives(201, json::<Done>())
        .fails(&[409]),
    Route::new(Delete, "/users/{user}/wrapup/{wrapup}", "endWrapUp", Known(|call| Box::pin(work::end_wrapup(call))))
        .says(WrapUp, Style, "Ends after-call work before its time.")
        .who(Person)
        .gives(200, json::<Done>())
        .fails(&[409]),
    Route::new(Get, "/users/{user}/supervision", "listWatched", Known(|call| Box::pin(supervision::watched(call))))
        .says(Supervision, Style, "Of whose calls somebody is told as a supervisor.")
        .gives(200, json::<Vec<Watched>>()),
    Route::new(Put, "/users/{user}/supervision/{target}", "watch", Known(|call| Box::pin(supervision::watch(call))))
        .says(Supervision, Style, "Is told, as a supervisor, of each call of somebody that can be joined.")
        .who(Supervisors)
        .gives(200, json::<Done>())
        .fails(&[409]),
    Route::new(
        Delete,
        "/users/{user}/supervision/{target}",
        "unwatch",
        Known(|call| Box::pin(supervision::unwatch(call))),
    )
    .says(Supervision, Style, "Is told so no longer.")
    .who(Supervisors)
    .gives(200, json::<Done>())
    .fails(&[409]),
    Route::new(
        Put,
        "/users/{user}/supervision/{target}/call",
        "supervise",
        Known(|call| Box::pin(supervision::join(call))),
    )
    .says(Supervision, Style, "Takes part in the call that somebody has now, or takes part in another way.")
    .who(Supervisors)
    .takes(shape::<SupervisionBody>)
    .gives(200, json::<Done>())
    .fails(&[409]),
    Route::new(
        Delete,
        "/users/{user}/supervision/{target}/call",
        "endSupervision",
        Known(|call| Box::pin(supervision::leave(call))),
    )
    .says(Supervision, Style, "Takes part no longer.")
    .who(Supervisors)
    .gives(200, json::<Done>())
    .fails(&[409]),
    Route::new(Get, "/users/{user}/alerts", "listAlerts", Known(|call| Box::pin(alerts::list(call))))
        .says(Alerts, Style, "The alerts of somebody.")
        .gives(200, json::<Vec<AlertShown>>()),
    Route::new(Post, "/users/{user}/alerts", "defineAlert", Known(|call| Box::pin(alerts::define(call))))
        .says(Alerts, Style, "Defines an alert on the counters of a queue.")
        .who(Person)
        .takes(shape::<AlertEdit>)
        .gives(201, json::<Done>())
        .fails(&[409]),
    Route::new(Get, "/users/{user}/alerts/{alert}", "getAlert", Known(|call| Box::pin(alerts::get(call))))
        .says(Alerts, Style, "An alert.")
        .gives(200, json::<AlertShown>()),
    Route::new(Put, "/users/{user}/alerts/{alert}", "editAlert", Known(|call| Box::pin(alerts::edit(call))))
        .says(Alerts, Style, "Defines an alert anew.")
        .who(Person)
        .takes(shape::<AlertEdit>)
        .gives(200, json::<Done>())
        .fails(&[409]),
    Route::new(Delete, "/users/{user}/alerts/{alert}", "removeAlert", Known(|call| Box::pin(alerts::remove(call))))
        .says(Alerts, Style, "Removes an alert.")
        .who(Person)
        .gives(200, json::<Done>())
        .fails(&[409]),
    Route::new(Get, "/queues", "listQueues", Known(|call| Box::pin(queues::list(call))))
        .says(Queues, Original, "The queues, as far as you may see them, each with its counters.")
        .query(&[ONLY_FOR_USER, LIMIT, CURSOR])
        .gives(200, json::<Vec<Queue>>())
        .fails(&[404]),
    Route::new(Get, "/queues/{queue}", "getQueue", Known(|call| Box::pin(queues::get(call))))
        .says(Queues, Style, "A queue with its counters.")
        .gives(200, json::<Queue>()),
    Route::new(Put, "/queues/{queue}", "editQueue", Known(|call| Box::pin(queues::edit(call))))
        .says(Queues, Ours, "Describes a queue anew.")
        .who(Administrators)
        .takes(shape::<QueueEdit>)
        .gives(200, json::<Done>())
        .fails(&[409]),
    Route::new(Get, "/queues/{queue}/users", "listQueueUsers", Known(|call| Box::pin(queues::users(call))))
        .says(Queues, Style, "Who serves a queue or is assigned to it, as far as you may see them.")
        .gives(200, json::<Vec<QueueUser>>()),
    Route::new(Put, "/queues/{queue}/users/{user}", "assignQueueUser", Known(|call| Box::pin(queues::assign(call))))
        .says(Queues, Style, "Assigns somebody to a queue; an agent who is logged in enters or leaves it as well.")
        .who(Supervisors)
        .takes(shape::<QueueUserEdit>)
        .gives(200, json::<Done>())
        .fails(&[409]),
    Route::new(Delete, "/queues/{queue}/users/{user}", "removeQueueUser", Known(|call| Box::pin(queues::remove(call))))
        .says(Queues, Style, "Ends an assignment; an agent who is logged in leaves the queue as well.")
        .who(Supervisors)
        .gives(200, json::<Done>())
        .fails(&[409]),
    Route::new(Get, "/calllists", "listCallLists", Known(|call| Box::pin(lists::list(call))))
        .says(CallLists, Style, "The call lists, as far as you may see them.")
        .query(PAGE)
        .gives(200, json::<Vec<CallList>>()),
    Route::new(Post, "/calllists", "createCallList", Known(|call| Box::pin(lists::create(call))))
        .says(CallLists, Style, "Makes a call list.")
        .who(Administrators)
        .takes(shape::<NewCallList>)
        .gives(201, json::<Done>())
        .fails(&[404, 409]),
    Route::new(Get, "/calllists/{list}", "getCallList", Known(|call| Box::pin(lists::get(call))))
        .says(CallLists, Style, "A call list.")
        .gives(200, json::<CallList>()),
    Route::new(Put, "/calllists/{list}", "editCallList", Known(|call| Box::pin(lists::edit(call))))
        .says(CallLists, Style, "Describes a call list anew.")
        .who(Administrators)
        .takes(shape::<CallListEdit>)
        .gives(200, json::<Done>())
        .fails(&[409]),
    Route::new(Delete, "/calllists/{list}", "removeCallList", Known(|call| Box::pin(lists::remove(call))))
        .says(CallLists, Style, "Removes a call list and its callbacks.")
        .who(Administrators)
        .gives(200, json::<Done>())
        .fails(&[409]),
    Route::new(Get, "/calllists/{list}/callbacks", "listCallbacks", Known(|call| Box::pin(callbacks::list(call))))
        .says(CallLists, Style, "The callbacks of a list: all that are open, and the newest that are closed.")
        .query(&[CLOSED, LIMIT, CURSOR])
        .gives(200, json::<Vec<CallbackShown>>()),
    Route::new(Post, "/calllists/{list}/callbacks", "createCallback", Known(|call| Box::pin(callbacks::create(call))))
        .says(CallLists, Style, "Creates a callback.")
        .who(Person)
        .takes(shape::<NewCallback>)
        .gives(201, json::<Done>())
        .fails(&[409]),
    Route::new(Get, "/callbacks/{callback}", "getCallback", Known(|call| Box::pin(callbacks::get(call))))
        .says(CallLists, Style, "A callback with everything that was tried.")
        .gives(200, json::<CallbackShown>()),
    Route::new(Put, "/callbacks/{callback}", "editCallback", Known(|call| Box::pin(callbacks::edit(call))))
        .says(CallLists, Style, "Edits a callback; what is left out stays as it is.")
        .who(Person)
        .takes(shape::<CallbackEdit>)
        .gives(200, json::<Done>())
        .fails(&[409]),
    Route::new(Post, "/callbacks/{callback}/assign", "assignCallback", Known(|call| Box::pin(callbacks::assign(call))))
        .says(CallLists, Style, "Gives a callback to somebody, or takes it from everybody.")
        .who(Person)
        .takes(shape::<Assign>)
        .gives(200, json::<Done>())
        .fails(&[409]),
    Route::new(
        Post,
        "/callbacks/{callback}/attempts",
        "attemptCallback",
        Known(|call| Box::pin(callbacks::attempt(call))),
    )
    .says(CallLists, Style, "Says that somebody tried.")
    .who(Person)
    .takes(shape::<NewAttempt>)
    .gives(201, json::<Done>())
    .fails(&[409]),
    Route::new(Post, "/callbacks/{callback}/close", "closeCallback", Known(|call| Box::pin(callbacks::close(call))))
        .says(CallLists, Style, "Closes a callback.")
        .who(Person)
        .gives(200, json::<Done>())
        .fails(&[409]),
    Route::new(Post, "/calls/{call}/recordings", "reportRecording", Known(|call| Box::pin(work::recording(call))))
        .says(Reports, Ours, "Reports that the recording of a call was converted.")
        .who(Administrators)
        .takes(shape::<NewRecording>)
        .gives(201, json::<Done>())
        .fails(&[409]),
    Route::new(Post, "/calls/{call}/transcripts/phrases", "reportPhrase", Known(|call| Box::pin(work::phrase(call))))
        .says(Reports, Ours, "Reports a phrase of a call.")
        .who(Administrators)
        .takes(shape::<NewPhrase>)
        .gives(201, json::<Done>())
        .fails(&[409]),
    Route::new(Get, "/api/v1/directory/{kind}", "listDirectory", Known(|call| Box::pin(directory::list(call))))
        .says(Events, Ours, "What the directory holds, in our own vocabulary, as far as you may see it.")
        .query(PAGE)
        .gives(200, json::<Vec<Entry>>()),
    Route::new(Post, "/api/v1/directory", "changeDirectory", Known(|call| Box::pin(directory::change(call))))
        .says(Events, Ours, "Asks for any change of the directory, in the form in which it is written into the log.")
        .who(Person)
        .takes(shape::<Change>)
        .gives(200, json::<Done>())
        .fails(&[404, 409]),
    Route::new(Get, EVENTS_PATH, "readEvents", Own(|| get(http::events)))
        .says(Events, Ours, "The stream of events; with `connection`, what is told to that connection, to any token.")
        .query(EVENTS_QUERY)
        .gives(200, Other(STREAM))
        .fails(&[400, 403, 429]),
    Route::new(Get, "/api/v1/snapshot", "readSnapshot", Own(|| get(http::snapshot)))
        .says(Events, Ours, "What is true now, with its position.")
        .who(Administrators)
        .query(&[DIALECT])
        .gives(200, Other(&["application/json"]))
        .fails(&[400, 403, 503]),
    Route::new(Post, "/api/v1/requests", "request", Own(|| post(door::ask)))
        .says(Events, Ours, "Asks for something in the words of the T-Library; docs/requests.md says what.")
        .query(&[text("connection", "The connection; `default` where there is none.", "default")])
        .takes(shape::<serde_json::Value>)
        .gives(200, Other(&["application/json"]))
        .fails(&[400, 403, 408, 409, 413, 429, 503]),
    Route::new(Delete, "/api/v1/connections/{name}", "endConnection", Own(|| delete(door::leave)))
        .says(Events, Ours, "Ends a connection: its registrations and references.")
        .gives(204, Empty)
        .fails(&[400, 404, 503]),
    Route::new(Post, "/api/v1/switches/{name}/happenings", "letHappen", Own(|| post(happenings::happen)))
        .says(Events, Ours, "Lets something happen around a built-in switch; docs/requests.md says what.")
        .who(Services)
        .takes(shape::<serde_json::Value>)
        .gives(200, json::<Happened>())
        .fails(&[400, 404, 408, 409, 413, 429, 503]),
    Route::new(Get, "/healthz", "isHealthy", Own(|| get(http::healthz)))
        .says(Health, Ours, "Whether the process can work at all.")
        .who(Everybody)
        .gives(200, Other(&["application/json"]))
        .fails(&[503]),
    Route::new(Get, "/readyz", "isReady", Own(|| get(http::readyz)))
        .says(Health, Ours, "Whether what is told is what is true now.")
        .who(Everybody)
        .gives(200, Other(&["application/json"]))
        .fails(&[503]),
    Route::new(Get, "/metrics", "readMetrics", Own(|| get(http::show_metrics)))
        .says(Health, Ours, "Counters; this machine only, unless `http.metrics_remote` is true.")
        .who(Everybody)
        .gives(200, Other(OPENMETRICS))
        .fails(&[403]),
    Route::new(Get, "/openapi.json", "readOpenapi", Own(|| get(openapi::show)))
        .says(Health, Ours, "This document.")
        .who(Everybody)
        .gives(200, Other(&["application/json"])),
    Route::new(Get, "/asyncapi.json", "readAsyncapi", Own(|| get(asyncapi::show)))
        .says(Health, Ours, "Everything that is pushed, as an AsyncAPI 3 document: topics, the hub, the stream.")
        .who(Everybody)
        .gives(200, Other(&["application/json"])),
    Route::new(Get, "/schemas", "listSchemas", Own(|| get(schemas::list)))
        .says(Health, Ours, "Every published JSON Schema, with its path.")
        .who(Everybody)
        .gives(200, json::<Vec<SchemaShown>>()),
    Route::new(Get, "/schemas/{dialect}/{version}/{file}", "readSchema", Own(|| get(schemas::show)))
        .says(Health, Ours, "The JSON Schema (2020-12) of a message; what stands at a path allows the same for ever.")
        .who(Everybody)
        .gives(200, Other(&["application/schema+json"]))
        .fails(&[404]),
];
