//! What groups do: sequences of calls as the protocol's documentation has them, and life by chance.
