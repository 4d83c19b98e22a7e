//! What was said last, kept for those who come back soon.

use std::collections::VecDeque;

use cordboard_dialects::enreach::Said;

use super::words::Cursor;

/// The newest events that said something, bounded by memory.
#[derive(Debug)]
pub(super) struct Recent {
    events: VecDeque<Kept>,
    bytes: usize,
    bytes_max: usize,
    /// Everything after this position is here.
    since: u64,
}

#[derive(Debug)]
struct Kept {
    sequence: u64,
    said: Vec<Said>,
}

impl Recent {
    /// Nothing yet; the next event has the position after this one.
    pub(super) fn new(since: u64, bytes_max: usize) -> Self {
        Self { events: VecDeque::new(), bytes: 0, bytes_max, since }
    }

    /// Keeps what an event said.
    pub(super) fn push(&mut self, sequence: u64, said: &[Said]) {
        if said.is_empty() {
            return;
        }
        let kept = Kept { sequence, said: said.to_vec() };
        self.bytes += kept.bytes();
        self.events.push_back(kept);
        while self.bytes > self.bytes_max {
            let Some(oldest) = self.events.pop_front() else { break };
            self.bytes -= oldest.bytes();
            self.since = oldest.sequence;
        }
    }

    /// Whether everything after this place is here.
    pub(super) fn reaches(&self, after: Cursor) -> bool {
        after.whole().sequence >= self.since
    }

    /// What the events said that are not wholly before this place, in order.
    pub(super) fn after(&self, after: Cursor) -> impl Iterator<Item = (u64, &[Said])> {
        let whole = after.whole().sequence;
        let from = self.events.partition_point(|kept| kept.sequence <= whole);
        self.events.range(from..).map(|kept| (kept.sequence, kept.said.as_slice()))
    }
}

impl Kept {
    fn bytes(&self) -> usize {
        let said = |said: &Said| size_of::<Said>() + said.body.capacity();
        size_of::<Self>() + self.said.iter().map(said).sum::<usize>()
    }
}

#[cfg(test)]
mod tests {
    use cordboard_core::Guid;
    use cordboard_dialects::enreach::EventName;

    use super::*;
    use crate::log::Position;

    fn cursor(sequence: u64) -> Cursor {
        Cursor::after(Position { epoch: 1, sequence })
    }

    #[test]
    fn what_does_not_fit_falls_out_at_the_old_end_and_is_known_to_be_gone() {
        let said = [Said { event: EventName::UserSetting, entity: Guid(1), also: None, body: "{}".into() }];
        let one = Kept { sequence: 0, said: said.to_vec() }.bytes();
        let mut recent = Recent::new(10, 2 * one);
        assert!(recent.reaches(cursor(10)) && !recent.reaches(cursor(9)));
        for sequence in [11, 13, 14, 20] {
            recent.push(sequence, &said);
        }
        recent.push(21, &[]);
        assert!(recent.reaches(cursor(13)) && !recent.reaches(cursor(12)));
        let of = |after| recent.after(after).map(|(sequence, _)| sequence).collect::<Vec<_>>();
        assert_eq!((of(cursor(13)), of(cursor(14)), of(cursor(20))), (vec![14, 20], vec![20], vec![]));
        // In the middle of an event: the event is looked at again.
        assert_eq!(of(Cursor::within(Position { epoch: 1, sequence: 14 }, 0, false)), [14, 20]);
        assert!(!recent.reaches(Cursor::within(Position { epoch: 1, sequence: 13 }, 0, false)));
    }
}
