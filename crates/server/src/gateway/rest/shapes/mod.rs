//! What the bodies of requests and answers look like, member by member: read and written by serde, described by schemars.

mod lists;
mod people;
mod queues;
mod when;

pub(super) use lists::*;
pub(super) use people::*;
pub(super) use queues::*;
pub(super) use when::When;

/// Something that is read from a body or written into one; its members are named in Pascal case.
macro_rules! shapes {
    (@read $(#[$meta:meta])* $name:ident $body:tt) => {
        $(#[$meta])*
        #[derive(Debug, Clone, serde::Deserialize, schemars::JsonSchema)]
        #[serde(rename_all = "PascalCase", deny_unknown_fields)]
        pub(in super::super) struct $name $body
    };
    (@write $(#[$meta:meta])* $name:ident $body:tt) => {
        $(#[$meta])*
        #[derive(Debug, Clone, serde::Serialize, schemars::JsonSchema)]
        #[serde(rename_all = "PascalCase")]
        pub(in super::super) struct $name $body
    };
    ($($(#[$meta:meta])* $way:ident $name:ident $body:tt)+) => {$(
        shapes!(@$way $(#[$meta])* $name $body);
    )+};
}
use shapes;
