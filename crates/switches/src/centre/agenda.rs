//! What the people of the centre are about to do.

use std::collections::BTreeMap;

use cordboard_core::Time;

/// What somebody will do. Whether it can still be done is seen when its time has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Act {
    /// Somebody calls the centre.
    Call,
    /// The same, and the next one is planned.
    Arrive,
    /// A caller has listened to the menu.
    Key { call: String },
    /// The menu sends the call to the queue of this digit.
    Route { call: String, digit: &'static str },
    /// A caller who has talked with nobody hangs up.
    GiveUp { call: String },
    /// A telephone is answered.
    Answer { call: String, device: String },
    /// A number outside is alerted.
    Reach { call: String, number: String },
    /// A number outside is answered, by somebody or something.
    AnswerOutside { call: String, number: String },
    /// A number outside is busy or not in use.
    FailOutside { call: String, number: String },
    /// Somebody who calls gives up.
    StopDialling { call: String, device: String },
    /// The talk is over: the outside party or this device hangs up.
    End { call: String, device: String, by_caller: bool },
    /// Puts the caller on hold.
    Hold { call: String, device: String },
    /// Comes back.
    Retrieve { call: String, device: String },
    /// Asks an expert or another queue.
    Consult { call: String, device: String, then: Then },
    /// What follows a consultation.
    Then { call: String, device: String, then: Then },
    /// Sends the caller on without asking.
    SendOn { call: String, device: String },
    /// Is not heard for a moment.
    Mute { call: String, device: String, on: bool },
    /// Waits for the caller on a parking place, or has parked long enough.
    Park { call: String, device: String },
    /// Somebody of the centre finds something to do.
    Wander { agent: usize },
    /// The end of a break.
    Return { agent: usize },
    /// Shifts begin and end.
    Clock,
    /// A supervisor looks for somebody to listen to.
    Watch { supervisor: usize },
    /// A telephone fails.
    Break,
    /// It works again.
    Mend { device: String },
    /// Somebody who gave up is called back.
    CallBack { number: String, queue: String },
}

/// What follows a consultation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Then {
    /// Hands the caller on, when the other side has answered.
    Transfer,
    /// Hands the caller on at once.
    TransferAtOnce,
    /// Brings all together.
    Conference,
    /// Goes back to the caller.
    Return,
    /// Talks with one, then with the other, and goes back.
    Alternate,
}

/// Acts by their time; those of the same time in the order they were planned.
#[derive(Debug, Default)]
pub(super) struct Agenda {
    acts: BTreeMap<(Time, u64), Act>,
    planned: u64,
}

impl Agenda {
    /// When the next act is due.
    pub(super) fn due(&self) -> Option<Time> {
        self.acts.keys().next().map(|(at, _)| *at)
    }

    /// The next act.
    pub(super) fn next(&mut self) -> Option<(Time, Act)> {
        self.acts.pop_first().map(|((at, _), act)| (at, act))
    }

    /// Plans an act.
    pub(super) fn plan(&mut self, at: Time, act: Act) {
        self.planned += 1;
        self.acts.insert((at, self.planned), act);
    }
}
