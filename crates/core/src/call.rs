//! A leg of a call: the two tables.
//!
//! ```text
//!            Dial ┌─────────┐            Hold ┌──────┐
//!   New ─────────►│ Dialing ├──Answer──┐  ┌──►│ Held │
//!    │            └────▲────┘          ▼  │   └──┬───┘
//!    │             PickUp            ┌────┴────┐ │ Retrieve      any state ──Hangup, Leave──► Ended
//!    │  Ring ┌─────────┴┐   Answer   │Connected│◄┘
//!    └──────►│ Ringing  ├───────────►│         │◄──Unpark──┐
//!            └──────────┘            └────┬────┘       ┌───┴────┐
//!                                         └───Park────►│ Parked │
//!                                                      └────────┘
//!   Ringing ──Bridge──► Bridged (another appearance of the number answered) ──Answer──► Connected
//! ```

use serde::{Deserialize, Serialize};

use crate::listed;

listed! {
    /// Where a leg stands.
    #[derive(Serialize, Deserialize)]
    #[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
    pub enum LegState {
        /// Not known yet.
        New,
        /// Its party calls and is connected with nobody yet.
        Dialing,
        /// Its party is alerted.
        Ringing,
        /// Its party is connected.
        Connected,
        /// Its party pressed hold.
        Held,
        /// Its party waits on a parking place.
        Parked,
        /// Another appearance of the same number is in the call; this one may come to it.
        Bridged,
        /// It is over.
        Ended,
    }
}

listed! {
    /// What a switch says of a leg.
    pub enum Saw {
        /// Its party calls.
        Dial,
        /// Its party is alerted.
        Ring,
        /// It is found connected when the state is read as a whole.
        Found,
        /// The outside network alerts the number.
        Reach,
        /// The party a call is set up for picked up.
        PickUp,
        /// It is answered.
        Answer,
        /// Its party presses hold.
        Hold,
        /// Its party comes back.
        Retrieve,
        /// Its party waits on a parking place.
        Park,
        /// Its party is fetched.
        Unpark,
        /// Another appearance of the same number answered.
        Bridge,
        /// It hands its call on and so leaves it.
        Leave,
        /// It is over.
        Hangup,
    }
}

listed! {
    /// What we say of a leg.
    pub enum Said {
        /// It began to call.
        Dialing,
        /// It was alerted.
        Ringing,
        /// The network was reached.
        NetworkReached,
        /// It was connected.
        Answered,
        /// It was put on hold.
        Held,
        /// It was retrieved.
        Retrieved,
        /// It was parked.
        Parked,
        /// It was fetched.
        Unparked,
        /// Another appearance answered.
        Bridged,
        /// It ended.
        Ended,
    }
}

/// First table: what do we say of a leg in `state` when the switch says `saw`? Nothing, where the row says so: what is
/// late, repeated or out of order is a row, not an error.
#[must_use]
#[rustfmt::skip]
pub const fn decide_leg(state: LegState, saw: Saw) -> Option<Said> {
    match state {
        LegState::New => match saw {
            Saw::Dial     => Some(Said::Dialing),
            Saw::Ring     => Some(Said::Ringing),
            Saw::Found    => Some(Said::Answered),
            Saw::Reach    => None,
            Saw::PickUp   => None,
            Saw::Answer   => None, // nobody knows whose leg this is
            Saw::Hold     => None,
            Saw::Retrieve => None,
            Saw::Park     => None,
            Saw::Unpark   => None,
            Saw::Bridge   => None,
            Saw::Leave    => None,
            Saw::Hangup   => None,
        },
        LegState::Dialing => match saw {
            Saw::Dial     => None,
            Saw::Ring     => None,
            Saw::Found    => Some(Said::Answered),
            Saw::Reach    => None,
            Saw::PickUp   => None,
            Saw::Answer   => Some(Said::Answered),
            Saw::Hold     => None,
            Saw::Retrieve => None,
            Saw::Park     => Some(Said::Parked),
            Saw::Unpark   => None,
            Saw::Bridge   => None,
            Saw::Leave    => Some(Said::Ended),
            Saw::Hangup   => Some(Said::Ended),
        },
        LegState::Ringing => match saw {
            Saw::Dial     => None,
            Saw::Ring     => None,
            Saw::Found    => Some(Said::Answered),
            Saw::Reach    => Some(Said::NetworkReached),
            Saw::PickUp   => Some(Said::Dialing),
            Saw::Answer   => Some(Said::Answered),
            Saw::Hold     => None,
            Saw::Retrieve => None,
            Saw::Park     => None,
            Saw::Unpark   => None,
            Saw::Bridge   => Some(Said::Bridged),
            Saw::Leave    => Some(Said::Ended),
            Saw::Hangup   => Some(Said::Ended),
        },
        LegState::Connected => match saw {
            Saw::Dial     => None,
            Saw::Ring     => None, // late: the answer overtook it
            Saw::Found    => None,
            Saw::Reach    => None,
            Saw::PickUp   => None,
            Saw::Answer   => None, // said again only when with whom changes, which is no change of state
            Saw::Hold     => Some(Said::Held),
            Saw::Retrieve => None,
            Saw::Park     => Some(Said::Parked),
            Saw::Unpark   => None,
            Saw::Bridge   => None,
            Saw::Leave    => Some(Said::Ended),
            Saw::Hangup   => Some(Said::Ended),
        },
        LegState::Held => match saw {
            Saw::Dial     => None,
            Saw::Ring     => None,
            Saw::Found    => None, // no switch tells hold in a snapshot: what we knew stays
            Saw::Reach    => None,
            Saw::PickUp   => None,
            Saw::Answer   => None,
            Saw::Hold     => None,
            Saw::Retrieve => Some(Said::Retrieved),
            Saw::Park     => Some(Said::Parked),
            Saw::Unpark   => None,
            Saw::Bridge   => None,
            Saw::Leave    => Some(Said::Ended),
            Saw::Hangup   => Some(Said::Ended),
        },
        LegState::Parked => match saw {
            Saw::Dial     => None,
            Saw::Ring     => None,
            Saw::Found    => None,
            Saw::Reach    => None,
            Saw::PickUp   => None,
            Saw::Answer   => Some(Said::Unparked), // called back after its time was up
            Saw::Hold     => None,
            Saw::Retrieve => None,
            Saw::Park     => None,
            Saw::Unpark   => Some(Said::Unparked),
            Saw::Bridge   => None,
            Saw::Leave    => Some(Said::Ended),
            Saw::Hangup   => Some(Said::Ended),
        },
        LegState::Bridged => match saw {
            Saw::Dial     => None,
            Saw::Ring     => None,
            Saw::Found    => Some(Said::Answered),
            Saw::Reach    => None,
            Saw::PickUp   => None,
            Saw::Answer   => Some(Said::Answered),
            Saw::Hold     => None,
            Saw::Retrieve => None,
            Saw::Park     => None,
            Saw::Unpark   => None,
            Saw::Bridge   => None,
            Saw::Leave    => Some(Said::Ended),
            Saw::Hangup   => Some(Said::Ended),
        },
        LegState::Ended => match saw {
            Saw::Dial     => None,
            Saw::Ring     => None,
            Saw::Found    => None,
            Saw::Reach    => None,
            Saw::PickUp   => None,
            Saw::Answer   => None,
            Saw::Hold     => None,
            Saw::Retrieve => None,
            Saw::Park     => None,
            Saw::Unpark   => None,
            Saw::Bridge   => None,
            Saw::Leave    => None,
            Saw::Hangup   => None,
        },
    }
}

/// Second table: where does a leg stand after we said this? It depends on what was said alone, so replay cannot
/// disagree with life. `None`: where it stood before.
#[must_use]
#[rustfmt::skip]
pub const fn evolve_leg(said: Said) -> Option<LegState> {
    match said {
        Said::Dialing        => Some(LegState::Dialing),
        Said::Ringing        => Some(LegState::Ringing),
        Said::NetworkReached => None,
        Said::Answered       => Some(LegState::Connected),
        Said::Held           => Some(LegState::Held),
        Said::Retrieved      => Some(LegState::Connected),
        Said::Parked         => Some(LegState::Parked),
        Said::Unparked       => Some(LegState::Connected),
        Said::Bridged        => Some(LegState::Bridged),
        Said::Ended          => Some(LegState::Ended),
    }
}
