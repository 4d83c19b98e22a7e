//! How everything is declared that is written into the log: readable for ever, and so named by hand.

/// Structs and enums that are stored as JSON, with a schema where it is asked for.
macro_rules! stored {
    ($($(#[$meta:meta])* pub $kind:ident $name:ident $body:tt)+) => {$(
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
        #[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
        #[serde(rename_all = "snake_case")]
        pub $kind $name $body
    )+};
}

pub(crate) use stored;
