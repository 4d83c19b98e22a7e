//! What can happen to messages on their way: they come in other pieces, twice, or in another order.

use cordboard_switches::asterisk::ami::Message;
use cordboard_switches::asterisk::snapshot::Tagged;

use crate::chance::Chance;

/// The messages of one connection, each with the millisecond it came in.
pub type Connection = Vec<(u64, Tagged)>;

/// How far apart messages may be that change places, in milliseconds: Asterisk tells from several threads.
pub const SWAP_MS_MAX: u64 = 50;

/// Some live events come twice.
#[must_use]
pub fn repeat(connection: &Connection, chance: &mut Chance) -> Connection {
    let mut mistreated = Vec::with_capacity(connection.len() * 4 / 3);
    for (at, tagged) in connection {
        mistreated.push((*at, tagged.clone()));
        if matches!(tagged, Tagged::Live(_)) && chance.once_in(3) {
            mistreated.push((*at, tagged.clone()));
        }
    }
    mistreated
}

/// Some live events change places with their neighbour.
#[must_use]
pub fn swap(connection: &Connection, chance: &mut Chance) -> Connection {
    let mut mistreated: Connection = Vec::with_capacity(connection.len());
    for (at, tagged) in connection {
        let neighbour = mistreated
            .last_mut()
            .filter(|(before, tagged)| matches!(tagged, Tagged::Live(_)) && at.saturating_sub(*before) < SWAP_MS_MAX);
        match (neighbour, tagged) {
            (Some((_, before)), Tagged::Live(_)) if chance.once_in(4) => {
                let before = std::mem::replace(before, tagged.clone());
                mistreated.push((*at, before));
            }
            (_, tagged) => mistreated.push((*at, tagged.clone())),
        }
    }
    mistreated
}

/// The bytes of one connection as Asterisk sends them, banner first.
#[must_use]
pub fn bytes<'m>(messages: impl Iterator<Item = &'m Message>) -> Vec<u8> {
    let mut bytes = b"Asterisk Call Manager/13.0.0\r\n".to_vec();
    for message in messages {
        for (name, value) in message.headers().filter(is_a_line) {
            if !name.is_empty() {
                bytes.extend_from_slice(name.as_bytes());
                bytes.extend_from_slice(b": ");
            }
            bytes.extend_from_slice(value.as_bytes());
            bytes.extend_from_slice(b"\r\n");
        }
        bytes.extend_from_slice(b"\r\n");
    }
    bytes
}

/// Recorders keep a stray empty line as a header without name and value.
#[must_use]
pub fn is_a_line((name, value): &(&str, &str)) -> bool {
    !name.is_empty() || !value.is_empty()
}
