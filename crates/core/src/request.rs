//! Requests: what clients ask for, who may be asked, and why the answer is no.

use alloc::string::String;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::call::LegState;
use crate::event::{ForwardMode, MonitorScope, Pairs, RouteKind, SuperviseMode, TreatmentKind, WorkMode};
use crate::ids::{ConnId, RequestId};
use crate::listed;

macro_rules! stored {
    ($($(#[$meta:meta])* pub $kind:ident $name:ident $body:tt)+) => {$(
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
        #[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
        #[serde(rename_all = "snake_case")]
        pub $kind $name $body
    )+};
}

/// What a client asks for, before anything is decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The client: an application on one connection. References are unique within it.
    pub client: String,
    /// On whose behalf.
    pub by: Asker,
    /// What the client calls the request; none to be given one.
    pub reference: Option<u64>,
    /// The directory number it is about; empty where it is about none.
    pub device: String,
    /// What is asked.
    pub ask: Ask,
    /// Why whoever took it in refuses it already (not allowed, wrong password); it is written down all the same.
    pub refused: Option<(Refusal, String)>,
    /// How long it may take, in milliseconds.
    pub deadline_ms: u64,
}

stored! {
    /// On whose behalf something is asked.
    pub struct Asker {
        /// A name for people: of the agent, the supervisor or the program.
        pub name: String,
        /// What it may ask for.
        pub role: AskerRole,
    }

    /// What somebody may ask for.
    #[derive(Copy, Hash, PartialOrd, Ord)]
    pub enum AskerRole {
        /// An agent: for the device worked at.
        Agent,
        /// A supervisor: for the team.
        Supervisor,
        /// A program: for the tenant.
        Service,
    }

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

listed! {
    /// Why a request is refused.
    #[derive(Serialize, Deserialize, Hash)]
    #[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
    #[serde(rename_all = "snake_case")]
    pub enum Refusal {
        /// Who asks may not.
        NotAllowed,
        /// The client is not registered for the device.
        NotRegistered,
        /// There is no such device or queue.
        NoSuchDevice,
        /// The device is out of service.
        OutOfService,
        /// There is no such call, or the device takes no part in it.
        NoSuchCall,
        /// The number cannot be dialled.
        InvalidNumber,
        /// The device's part in the call is in another state.
        WrongState,
        /// The call is not on hold.
        NotHeld,
        /// The call does not ring.
        NotRinging,
        /// A transfer cannot be begun.
        CannotTransfer,
        /// A transfer cannot be completed.
        CannotCompleteTransfer,
        /// A conference cannot be completed.
        CannotCompleteConference,
        /// What is asked is so already.
        SameState,
        /// No agent has this id.
        NoSuchAgent,
        /// The agent works on another device.
        AgentElsewhere,
        /// The password is wrong.
        WrongPassword,
        /// The agent, or another one, is logged in already.
        LoggedInAlready,
        /// Nobody is logged in.
        NotLoggedIn,
        /// Somebody else has the agent.
        AgentReserved,
        /// Something about the request is wrong.
        WrongAttribute,
        /// The switch cannot do it.
        Unsupported,
        /// The switch did not do it, and says why.
        SwitchRefused,
        /// The switch cannot be reached.
        SwitchGone,
        /// Nothing was heard of it in time.
        TimedOut,
        /// Too much is asked at once.
        Busy,
    }
}

/// What a switch is to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// The request it comes from; observations that it causes name it.
    pub request: RequestId,
    /// The directory number it is about.
    pub device: String,
    /// What.
    pub ask: Ask,
    /// The call it names first, in the switch's words.
    pub call: Option<OrderCall>,
    /// The held call it names.
    pub held: Option<OrderCall>,
    /// The agent on the device.
    pub agent: Option<String>,
}

/// A call in a switch's words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderCall {
    /// The switch's key of the call.
    pub call: String,
    /// The switch's key of the device's leg; none where the device takes part unseen, or in another way.
    pub leg: Option<String>,
}

listed! {
    /// Kinds of requests that name a call, for the table of what they need.
    pub enum AskKind {
        /// Answer.
        Answer,
        /// Hang up.
        Release,
        /// Hold.
        Hold,
        /// Come back.
        Retrieve,
        /// Leave the current call of two.
        Current,
        /// Come back to the held call of two.
        HeldOne,
        /// Send on while it rings.
        Redirect,
        /// Begin something about a call one is in.
        Begin,
        /// Something that a party in talk does.
        Talk,
    }
}

/// Third table of a leg: why can a party whose leg is in `state` not do this? `None`: it can.
#[must_use]
#[rustfmt::skip]
pub const fn refuse_leg(state: LegState, kind: AskKind) -> Option<Refusal> {
    match state {
        LegState::New => match kind {
            AskKind::Answer   => Some(Refusal::NoSuchCall),
            AskKind::Release  => Some(Refusal::NoSuchCall),
            AskKind::Hold     => Some(Refusal::NoSuchCall),
            AskKind::Retrieve => Some(Refusal::NoSuchCall),
            AskKind::Current  => Some(Refusal::NoSuchCall),
            AskKind::HeldOne  => Some(Refusal::NoSuchCall),
            AskKind::Redirect => Some(Refusal::NoSuchCall),
            AskKind::Begin    => Some(Refusal::NoSuchCall),
            AskKind::Talk     => Some(Refusal::NoSuchCall),
        },
        LegState::Dialing => match kind {
            AskKind::Answer   => Some(Refusal::NotRinging),
            AskKind::Release  => None,
            AskKind::Hold     => Some(Refusal::WrongState),
            AskKind::Retrieve => Some(Refusal::NotHeld),
            AskKind::Current  => None,
            AskKind::HeldOne  => Some(Refusal::NotHeld),
            AskKind::Redirect => Some(Refusal::NotRinging),
            AskKind::Begin    => Some(Refusal::CannotTransfer),
            AskKind::Talk     => Some(Refusal::WrongState),
        },
        LegState::Ringing => match kind {
            AskKind::Answer   => None,
            AskKind::Release  => None,
            AskKind::Hold     => Some(Refusal::WrongState),
            AskKind::Retrieve => Some(Refusal::NotHeld),
            AskKind::Current  => Some(Refusal::WrongState),
            AskKind::HeldOne  => Some(Refusal::NotHeld),
            AskKind::Redirect => None,
            AskKind::Begin    => Some(Refusal::CannotTransfer),
            AskKind::Talk     => Some(Refusal::WrongState),
        },
        LegState::Connected => match kind {
            AskKind::Answer   => Some(Refusal::NotRinging),
            AskKind::Release  => None,
            AskKind::Hold     => None,
            AskKind::Retrieve => Some(Refusal::NotHeld),
            AskKind::Current  => None,
            AskKind::HeldOne  => Some(Refusal::NotHeld),
            AskKind::Redirect => Some(Refusal::NotRinging),
            AskKind::Begin    => None,
            AskKind::Talk     => None,
        },
        LegState::Held => match kind {
            AskKind::Answer   => Some(Refusal::NotRinging),
            AskKind::Release  => None,
            AskKind::Hold     => Some(Refusal::WrongState),
            AskKind::Retrieve => None,
            AskKind::Current  => Some(Refusal::WrongState),
            AskKind::HeldOne  => None,
            AskKind::Redirect => Some(Refusal::NotRinging),
            AskKind::Begin    => None,
            AskKind::Talk     => None,
        },
        LegState::Parked => match kind {
            AskKind::Answer   => Some(Refusal::NotRinging),
            AskKind::Release  => None,
            AskKind::Hold     => Some(Refusal::WrongState),
            AskKind::Retrieve => Some(Refusal::NotHeld),
            AskKind::Current  => Some(Refusal::WrongState),
            AskKind::HeldOne  => Some(Refusal::NotHeld),
            AskKind::Redirect => Some(Refusal::NotRinging),
            AskKind::Begin    => Some(Refusal::CannotTransfer),
            AskKind::Talk     => Some(Refusal::WrongState),
        },
        LegState::Bridged => match kind {
            AskKind::Answer   => None,
            AskKind::Release  => None,
            AskKind::Hold     => Some(Refusal::WrongState),
            AskKind::Retrieve => Some(Refusal::NotHeld),
            AskKind::Current  => Some(Refusal::WrongState),
            AskKind::HeldOne  => Some(Refusal::NotHeld),
            AskKind::Redirect => Some(Refusal::NotRinging),
            AskKind::Begin    => Some(Refusal::CannotTransfer),
            AskKind::Talk     => Some(Refusal::WrongState),
        },
        LegState::Ended => match kind {
            AskKind::Answer   => Some(Refusal::NoSuchCall),
            AskKind::Release  => Some(Refusal::NoSuchCall),
            AskKind::Hold     => Some(Refusal::NoSuchCall),
            AskKind::Retrieve => Some(Refusal::NoSuchCall),
            AskKind::Current  => Some(Refusal::NoSuchCall),
            AskKind::HeldOne  => Some(Refusal::NoSuchCall),
            AskKind::Redirect => Some(Refusal::NoSuchCall),
            AskKind::Begin    => Some(Refusal::NoSuchCall),
            AskKind::Talk     => Some(Refusal::NoSuchCall),
        },
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
        )
    }

    /// Whether it is about a directory number.
    #[must_use]
    pub const fn is_about_device(&self) -> bool {
        !matches!(self, Self::QueryServer | Self::SetReference { .. } | Self::SetMask { .. })
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
            | Self::Unpark { .. } => [None, None],
        }
    }
}
