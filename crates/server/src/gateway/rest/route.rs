//! A row of the table of routes: everything that the router and the OpenAPI document need to know of a path.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use axum::routing::MethodRouter;
use schemars::{JsonSchema, Schema, SchemaGenerator};

use super::super::access::Refusal;
use super::super::http::App;
use super::call::{Call, Given, Reply};

/// A method at a path.
pub(super) struct Route {
    pub(super) verb: Verb,
    /// The path; parameters in braces are rows of [`super::table::PATH_PARAMETERS`]. On this side of the interface the
    /// same path with a slash at its end is the same path.
    pub(super) path: &'static str,
    /// A name for programs.
    pub(super) name: &'static str,
    pub(super) summary: &'static str,
    pub(super) tag: Tag,
    pub(super) basis: Basis,
    pub(super) who: Who,
    pub(super) query: &'static [Parameter],
    pub(super) body: Option<Shape>,
    pub(super) status: u16,
    pub(super) answer: Answer,
    /// Statuses besides those that follow from the rest of the row.
    pub(super) errors: &'static [u16],
    pub(super) handle: Handle,
}

/// HTTP methods that are used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verb {
    Get,
    Post,
    Put,
    Delete,
}

cordboard_core::listed! {
    /// What a path is about.
    pub enum Tag {
        Tokens,
        Users,
        Availability,
        Settings,
        Queues,
        CallLists,
        WrapUp,
        Supervision,
        Alerts,
        Reports,
        Events,
        Health,
    }
}

/// Where a path comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Basis {
    /// It is known from what is published of the original.
    Original,
    /// The original has something of the kind; what its path is, is not known.
    Style,
    /// Ours.
    Ours,
}

/// Who may ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Who {
    /// Everybody, without credentials.
    Everybody,
    /// Who has credentials; what may not be seen is not shown.
    Anybody,
    /// The person that the path names, who looks after that person, administrators and services.
    Person,
    /// Supervisors, administrators and services.
    Supervisors,
    /// Administrators and services.
    Administrators,
    /// Services.
    Services,
}

/// Makes the schema of a body.
pub(super) type Shape = fn(&mut SchemaGenerator) -> Schema;

/// What is answered when all went well.
#[derive(Clone, Copy)]
pub(super) enum Answer {
    /// JSON of this form.
    Json(Shape),
    /// Nothing.
    Empty,
    /// Something else, by its media types.
    Other(&'static [&'static str]),
}

/// A parameter of the path or of the query.
#[derive(Debug, Clone, Copy)]
pub(super) struct Parameter {
    pub(super) name: &'static str,
    pub(super) summary: &'static str,
    pub(super) kind: Kind,
    /// Something that is right, for tests and for people; in a path it may stand for nothing.
    pub(super) example: &'static str,
}

/// What a parameter is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    Number,
    Flag,
    Id,
}

/// An answer on its way.
type Answering<T> = Pin<Box<dyn Future<Output = T> + Send>>;
/// What comes of a call.
pub(super) type Outcome = Result<Reply, Refusal>;

/// What answers.
#[derive(Clone, Copy)]
pub(super) enum Handle {
    /// With the caller known.
    Known(fn(Call) -> Answering<Outcome>),
    /// Without.
    Open(fn(Given) -> Answering<Outcome>),
    /// By itself, with its own reading of what is given.
    Own(fn() -> MethodRouter<Arc<App>>),
}

impl Route {
    /// A path of this side of the interface.
    pub(super) const fn new(verb: Verb, path: &'static str, name: &'static str, handle: Handle) -> Self {
        Self {
            verb,
            path,
            name,
            summary: "",
            tag: Tag::Users,
            basis: Basis::Ours,
            who: Who::Anybody,
            query: &[],
            body: None,
            status: 200,
            answer: Answer::Empty,
            errors: &[],
            handle,
        }
    }

    pub(super) const fn says(mut self, tag: Tag, basis: Basis, summary: &'static str) -> Self {
        (self.tag, self.basis, self.summary) = (tag, basis, summary);
        self
    }

    pub(super) const fn who(mut self, who: Who) -> Self {
        self.who = who;
        self
    }

    pub(super) const fn query(mut self, query: &'static [Parameter]) -> Self {
        self.query = query;
        self
    }

    pub(super) const fn takes(mut self, body: Shape) -> Self {
        self.body = Some(body);
        self
    }

    pub(super) const fn gives(mut self, status: u16, answer: Answer) -> Self {
        (self.status, self.answer) = (status, answer);
        self
    }

    pub(super) const fn fails(mut self, errors: &'static [u16]) -> Self {
        self.errors = errors;
        self
    }

    /// The parameters in the path, in their order.
    pub(super) fn path_parameters(&self) -> impl Iterator<Item = &'static str> {
        self.path.split('{').skip(1).filter_map(|rest| rest.split('}').next())
    }

    /// Every status of an error that it can answer with, in order.
    pub(super) fn all_errors(&self) -> Vec<u16> {
        let mut all = self.errors.to_vec();
        let is_ours = !matches!(self.handle, Handle::Own(_));
        if self.who != Who::Everybody {
            all.push(401);
        }
        if !matches!(self.who, Who::Everybody | Who::Anybody) {
            all.push(403);
        }
        if is_ours {
            all.extend([400, 429, 503]);
        }
        if is_ours && self.path_parameters().next().is_some() {
            all.push(404);
        }
        if self.body.is_some() {
            all.extend([408, 413]);
        }
        all.sort_unstable();
        all.dedup();
        all
    }
}

impl Verb {
    /// In small letters, as OpenAPI has it.
    pub(super) const fn lower(self) -> &'static str {
        match self {
            Self::Get => "get",
            Self::Post => "post",
            Self::Put => "put",
            Self::Delete => "delete",
        }
    }
}

/// JSON of this type.
pub(super) const fn json<T: JsonSchema>() -> Answer {
    Answer::Json(shape::<T>)
}

/// The schema of a type.
pub(super) fn shape<T: JsonSchema>(generator: &mut SchemaGenerator) -> Schema {
    generator.subschema_for::<T>()
}
