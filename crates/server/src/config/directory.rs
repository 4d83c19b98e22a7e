//! Settings about the directory: what queues are called, and call lists.

use cordboard_core::Guid;
use serde::{Deserialize, Serialize};

use super::settings::{Doc, settings};

settings! {
    /// A queue, where more is to be said of it than its phone system says. Written into the directory at the start.
    pub struct Queue {
        /// Its name on the phone system.
        pub name: String = String::new(),
        /// A name for people; empty for the queue's own.
        pub title: String = String::new(),
        /// Its id towards applications; without one, it follows from the tenant's name and the queue's.
        pub guid: Option<Guid> = None,
        /// The call list on which calls that waited in vain are put as callbacks.
        pub overflow_list: Option<String> = None,
    }

    /// A call list: callbacks that somebody is to work on. Written into the directory at the start.
    pub struct CallList {
        /// Its name.
        pub name: String = String::new(),
        /// A name for people; empty for the name above.
        pub title: String = String::new(),
        /// Its id towards applications; without one, it follows from the tenant's name and the list's.
        pub guid: Option<Guid> = None,
        /// The queue it belongs to: who serves that may work on it.
        pub queue: Option<String> = None,
    }
}
