//! What clients can ask for, in the words of no vendor.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::change::Change;
use crate::event::{ForwardMode, MonitorScope, Pairs, RouteKind, SuperviseMode, TreatmentKind, WorkMode};
use crate::ids::ConnId;
use crate::request::AskKind;
use crate::stored::stored;

stored! {
    /// What can be asked for.
    pub enum Ask {
        /// To be told what concerns the device.
        Register,
        /// To be told so no longer.
        Unregister,
        /// What is known of a device or queue.
        QueryAddress {
            /// What kind of number it is, in the client's word; empty where the client did not say.
            kind: String,
            /// What is wanted, in the client's word; empty for everything.
            info: String,
        },
        /// The parties of a call.
        QueryCall {
            /// The call.
            call: ConnId,
        },
        /// What the server is.
        QueryServer,
        /// That the next request without a reference has this one.
        SetReference {
            /// That reference.
            next: u64,
        },
        /// To be told only these events, by their names; all, where there are none.
        SetMask {
            /// The names.
            events: Vec<String>,
        },
        /// To log an agent in on the device.
        Login {
            /// The agent's id.
            agent: String,
            /// The queue; none for all the agent's queues.
            queue: Option<String>,
            /// Ready or not after the login.
            mode: WorkMode,
            /// Why.
            reasons: Pairs,
            /// After-call work from now on, in seconds, the greatest number until the agent ends it; none for what is configured.
            wrapup_s: Option<u64>,
        },
        /// To log the agent out who works on the device.
        Logout {
            /// The queue; none for all.
            queue: Option<String>,
            /// Why.
            reasons: Pairs,
        },
        /// To make the agent ready.
        Ready {
            /// The queue; none for all.
            queue: Option<String>,
            /// How.
            mode: WorkMode,
            /// Why.
            reasons: Pairs,
        },
        /// To make the agent not ready.
        NotReady {
            /// The queue; none for all.
            queue: Option<String>,
            /// How.
            mode: WorkMode,
            /// Why.
            reasons: Pairs,
        },
        /// To reserve the agent on the device for the client.
        Reserve {
            /// For how long, in milliseconds.
            ms: u64,
            /// The higher wins.
            priority: u32,
            /// The agent it must be; none for whoever is logged in.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            agent: Option<String>,
        },
        /// To turn do-not-disturb on or off.
        Dnd {
            /// On.
            on: bool,
        },
        /// To forward calls.
        Forward {
            /// When.
            mode: ForwardMode,
            /// Where to; none to end it.
            to: Option<String>,
        },
        /// To show on the device that messages wait, or that none do.
        Messages {
            /// They wait.
            on: bool,
        },
        /// To call somebody.
        MakeCall {
            /// The number.
            to: String,
            /// Data for the call.
            user_data: Pairs,
        },
        /// To call somebody for a queue, who is connected with an agent on answer.
        MakePredictiveCall {
            /// The number.
            to: String,
            /// How long it may ring, in milliseconds.
            ring_ms: u64,
            /// Data for the call.
            user_data: Pairs,
            /// Where to with a person, a machine or a fax; none for the queue (person) or nowhere (others).
            targets: PredictiveTargets,
        },
        /// To answer.
        Answer {
            /// The call.
            call: ConnId,
        },
        /// To hang up.
        Release {
            /// The call.
            call: ConnId,
        },
        /// To end the whole call.
        Clear {
            /// The call.
            call: ConnId,
        },
        /// To put on hold.
        Hold {
            /// The call.
            call: ConnId,
        },
        /// To come back to a held call.
        Retrieve {
            /// The call.
            call: ConnId,
        },
        /// To hold the current call and come back to the held one.
        Alternate {
            /// The current call.
            call: ConnId,
            /// The held one.
            held: ConnId,
        },
        /// To leave the current call and come back to the held one.
        Reconnect {
            /// The current call.
            call: ConnId,
            /// The held one.
            held: ConnId,
        },
        /// To send a call that is being offered to somebody else.
        Redirect {
            /// The call.
            call: ConnId,
            /// The number.
            to: String,
        },
        /// To hold the call and call somebody about it.
        Consult {
            /// The call.
            call: ConnId,
            /// The number.
            to: String,
            /// What is meant to follow.
            purpose: Joining,
            /// Data for the consultation.
            user_data: Pairs,
        },
        /// To join a consultation and the call it is about.
        Complete {
            /// The consultation.
            call: ConnId,
            /// The call it is about.
            held: ConnId,
            /// As what.
            purpose: Joining,
        },
        /// To join two calls that came independently.
        Merge {
            /// The current call.
            call: ConnId,
            /// The held one.
            held: ConnId,
            /// As what.
            purpose: Joining,
        },
        /// To hand the call on by a consultation that nobody waits for.
        MuteTransfer {
            /// The call.
            call: ConnId,
            /// The number.
            to: String,
            /// Data for the consultation.
            user_data: Pairs,
        },
        /// To hand the call on, or bring somebody in, in one step.
        SingleStep {
            /// The call.
            call: ConnId,
            /// The number.
            to: String,
            /// As what.
            purpose: Joining,
            /// Data for the call.
            user_data: Pairs,
        },
        /// To take somebody out of a conference.
        DropParty {
            /// The call.
            call: ConnId,
            /// The number.
            who: String,
        },
        /// That somebody in a conference does not hear the others, or hears them again.
        Listen {
            /// The call.
            call: ConnId,
            /// The number.
            who: String,
            /// Hears.
            on: bool,
        },
        /// Not to be heard, or to be heard again.
        Mute {
            /// The call.
            call: ConnId,
            /// Not heard.
            on: bool,
        },
        /// To send a call on from where it waits for an instruction.
        Route {
            /// The call.
            call: ConnId,
            /// The number; none for the switch's default, or for nobody.
            to: Option<String>,
            /// How.
            kind: RouteKind,
        },
        /// To give a call something to hear, or ask it something, where it waits for an instruction.
        Treat {
            /// The call.
            call: ConnId,
            /// What.
            kind: TreatmentKind,
            /// Details.
            parameters: Pairs,
        },
        /// To change the data attached to a call, all at once.
        ChangeData {
            /// The call.
            call: ConnId,
            /// Pairs to add or replace.
            set: Pairs,
            /// Keys to remove.
            removed: Vec<String>,
            /// Whether everything else goes.
            all: bool,
        },
        /// To take part, as a supervisor, in calls of somebody.
        Monitor {
            /// The number whose calls it is about.
            target: String,
            /// Which calls.
            scope: MonitorScope,
            /// How.
            mode: SuperviseMode,
        },
        /// To take part no longer.
        MonitorEnd {
            /// The number whose calls it is about.
            target: String,
        },
        /// To take part, as a supervisor, in the call that somebody has now.
        Supervise {
            /// The number whose call it is about.
            target: String,
            /// How.
            mode: SuperviseMode,
        },
        /// To take a call that rings elsewhere.
        Pickup {
            /// The number where it rings.
            target: String,
        },
        /// To put the far side on a parking place.
        Park {
            /// The call.
            call: ConnId,
            /// The place; none for any.
            space: Option<String>,
        },
        /// To fetch who waits on a parking place.
        Unpark {
            /// The place.
            space: String,
        },
        /// To send tones.
        Tones {
            /// The call.
            call: ConnId,
            /// Digits, `*`, `#`, `A` to `D`.
            digits: String,
        },
        /// To record the call, or stop it.
        Record {
            /// The call.
            call: ConnId,
            /// Record.
            on: bool,
            /// A name for the recording; none for one of ours.
            file: Option<String>,
        },
        /// To change the directory.
        Change(Box<Change>),
        /// To set a variable of the switch on the call.
        SetVariable {
            /// The call.
            call: ConnId,
            /// Its name.
            name: String,
            /// Its value.
            value: String,
        },
    }

    /// What becomes of two calls, or of somebody new in one.
    #[derive(Copy)]
    pub enum Joining {
        /// Who joins them leaves.
        Transfer,
        /// Who joins them stays.
        Conference,
    }

    /// Where a predictive call goes, by what answered.
    #[derive(Default)]
    pub struct PredictiveTargets {
        /// With a person; none for the queue's agents.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub person: Option<String>,
        /// With an answering machine; none to hang up.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub machine: Option<String>,
        /// With a fax; none to hang up.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub fax: Option<String>,
    }
}

impl Ask {
    /// Whether we answer it ourselves, without the switch.
    #[must_use]
    pub const fn is_ours(&self) -> bool {
        matches!(
            self,
            Self::Register
                | Self::Unregister
                | Self::QueryAddress { .. }
                | Self::QueryCall { .. }
                | Self::QueryServer
                | Self::SetReference { .. }
                | Self::SetMask { .. }
                | Self::Reserve { .. }
                | Self::ChangeData { .. }
                | Self::Change(_)
        )
    }

    /// Whether it is about a directory number.
    #[must_use]
    pub const fn is_about_device(&self) -> bool {
        !matches!(self, Self::QueryServer | Self::SetReference { .. } | Self::SetMask { .. } | Self::Change(_))
    }

    /// The call it names first, the held call it names, and what the device's leg must be able to do in each.
    #[must_use]
    pub fn calls(&self) -> [Option<(ConnId, Option<AskKind>)>; 2] {
        let one = |call: &ConnId, kind| [Some((*call, Some(kind))), None];
        let any = |call: &ConnId| [Some((*call, None)), None];
        let two = |call: &ConnId, held: &ConnId| {
            [Some((*call, Some(AskKind::Current))), Some((*held, Some(AskKind::HeldOne)))]
        };
        match self {
            Self::Answer { call } => one(call, AskKind::Answer),
            Self::Release { call } => one(call, AskKind::Release),
            Self::Hold { call } => one(call, AskKind::Hold),
            Self::Retrieve { call } => one(call, AskKind::Retrieve),
            Self::Redirect { call, .. } => one(call, AskKind::Redirect),
            Self::Consult { call, .. } | Self::MuteTransfer { call, .. } | Self::SingleStep { call, .. } => {
                one(call, AskKind::Begin)
            }
            Self::DropParty { call, .. }
            | Self::Listen { call, .. }
            | Self::Mute { call, .. }
            | Self::Tones { call, .. }
            | Self::Park { call, .. } => one(call, AskKind::Talk),
            Self::Clear { call }
            | Self::QueryCall { call }
            | Self::Route { call, .. }
            | Self::Treat { call, .. }
            | Self::ChangeData { call, .. }
            | Self::Record { call, .. }
            | Self::SetVariable { call, .. } => any(call),
            Self::Alternate { call, held }
            | Self::Reconnect { call, held }
            | Self::Complete { call, held, .. }
            | Self::Merge { call, held, .. } => two(call, held),
            Self::Register
            | Self::Unregister
            | Self::QueryAddress { .. }
            | Self::QueryServer
            | Self::SetReference { .. }
            | Self::SetMask { .. }
            | Self::Login { .. }
            | Self::Logout { .. }
            | Self::Ready { .. }
            | Self::NotReady { .. }
            | Self::Reserve { .. }
            | Self::Dnd { .. }
            | Self::Forward { .. }
            | Self::Messages { .. }
            | Self::MakeCall { .. }
            | Self::MakePredictiveCall { .. }
            | Self::Monitor { .. }
            | Self::MonitorEnd { .. }
            | Self::Supervise { .. }
            | Self::Pickup { .. }
            | Self::Unpark { .. }
            | Self::Change(_) => [None, None],
        }
    }
}
