//! The table walked: every path is what the document says of it.
