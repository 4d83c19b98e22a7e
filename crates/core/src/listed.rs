//! Enums that know all their variants, so that tables can be walked and printed.

/// An enum without payload that can list itself and name its variants.
pub trait Listed: Copy + Eq + 'static {
    /// Every variant, in the order of declaration.
    const ALL: &'static [Self];
    /// The variant's name as written in the code.
    fn name(self) -> &'static str;
}

/// Declares a plain enum together with its [`Listed`] implementation, so that the list cannot drift from the enum.
#[macro_export]
macro_rules! listed {
    ($(#[$meta:meta])* pub enum $name:ident { $($(#[$vmeta:meta])* $variant:ident),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum $name { $($(#[$vmeta])* $variant),+ }
        impl $crate::listed::Listed for $name {
            const ALL: &'static [Self] = &[$(Self::$variant),+];
            fn name(self) -> &'static str {
                match self { $(Self::$variant => stringify!($variant)),+ }
            }
        }
    };
}
