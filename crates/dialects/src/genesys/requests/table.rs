//! Every request: its parameters, what it does, and why it may be refused.

use cordboard_core::request::{Ask, Refusal};

use super::super::enums::{AgentWorkMode, Enumeration, ForwardMode, MonitorNextCallType, TreatmentType};
use super::asks;
use super::read::{Fault, Members};
use super::words::{
    ADDRESS_TYPE, AGENT_TYPE, CALL_INFO_TYPE, CONTROL_MODE, INFO_TYPE, MAKE_CALL_TYPE, MERGE_TYPE, REGISTER_MODE,
    ROUTE_TYPE, SERVICE,
};

/// A request as data.
pub struct RequestSpec {
    /// Its name.
    pub name: &'static str,
    /// What it does.
    pub summary: &'static str,
    /// What it is about, and who answers it.
    pub about: About,
    /// Its parameters, apart from `ThisDN` and `ReferenceID`.
    pub parameters: &'static [Parameter],
    /// Why it may be refused, apart from what [`RequestSpec::refusals`] adds for all of its kind.
    refusals: &'static [Refusal],
    pub(super) ask: fn(&Members<'_>) -> Result<Ask, Fault>,
}

/// What a request is about, and who answers it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum About {
    /// The client itself; the server answers.
    Client,
    /// A number; the server answers.
    Number,
    /// A number; its switch carries it out.
    Switch,
}

/// A parameter of a request.
pub struct Parameter {
    /// Its name on the wire.
    pub name: &'static str,
    /// What it can be.
    pub kind: Kind,
    /// Whether it must be there.
    pub mandatory: bool,
    /// What it says.
    pub summary: &'static str,
}

/// What a parameter can be.
#[derive(Clone, Copy)]
pub enum Kind {
    /// A text.
    Text,
    /// A number that can be called.
    Number,
    /// A call.
    Call,
    /// A whole number.
    Whole {
        /// The smallest.
        from: u64,
        /// The greatest.
        to: u64,
    },
    /// A word of an enumeration, or its number.
    Word(&'static Enumeration),
    /// One word of an enumeration only; the others cannot be honoured.
    Only {
        /// The enumeration.
        of: &'static Enumeration,
        /// That word.
        only: &'static str,
        /// Why the others cannot be honoured, and what would be right.
        why: &'static str,
    },
    /// Nothing but the empty text: it cannot be honoured.
    Nothing {
        /// Why, and what would be right.
        why: &'static str,
    },
    /// Keys with texts, whole numbers, or such pairs again.
    Pairs,
    /// Certain keys, each with what it says.
    Extensions(&'static [(&'static str, &'static str)]),
    /// A list of texts, or one.
    Names,
}

impl RequestSpec {
    /// Every reason for which it may be refused.
    pub fn refusals(&self) -> Vec<Refusal> {
        let all = [Refusal::NotAllowed, Refusal::WrongAttribute, Refusal::Unsupported, Refusal::Busy];
        let number: &[Refusal] = &[Refusal::NoSuchDevice, Refusal::OutOfService, Refusal::NotRegistered];
        let switch: &[Refusal] = &[Refusal::SwitchGone, Refusal::SwitchRefused, Refusal::TimedOut];
        let (number, switch) = match self.about {
            About::Client => (&[] as &[Refusal], &[] as &[Refusal]),
            About::Number => (number, &[] as &[Refusal]),
            About::Switch => (number, switch),
        };
        let mut found: Vec<Refusal> = self.refusals.iter().chain(number).chain(switch).chain(&all).copied().collect();
        found.sort_unstable();
        found.dedup();
        found
    }
}

const fn must(name: &'static str, kind: Kind, summary: &'static str) -> Parameter {
    Parameter { name, kind, mandatory: true, summary }
}

const fn may(name: &'static str, kind: Kind, summary: &'static str) -> Parameter {
    Parameter { name, kind, mandatory: false, summary }
}

/// A day: what nobody waits for, nobody meant.
const DAY_S: u64 = 86_400;

const CALL: Parameter = must("ConnID", Kind::Call, "The call.");
const CURRENT: Parameter = must("ConnID", Kind::Call, "The current call.");
const HELD: Parameter = must("HeldConnID", Kind::Call, "The held call.");
const TO: Parameter = must("OtherDN", Kind::Number, "The number to call.");
const DATA: Parameter = may("UserData", Kind::Pairs, "Business data for the call.");
const REASONS: Parameter = may("Reasons", Kind::Pairs, "Why, by key.");
const LOCATION: Parameter = may(
    "Location",
    Kind::Nothing { why: "calls stay on this site; leave Location out" },
    "Another site; only the empty text is understood.",
);
const REASON_CODE: (&str, &str) = ("ReasonCode", "Why, in one word.");
const AGENT_EXTENSIONS: Parameter = may("Extensions", Kind::Extensions(&[REASON_CODE]), "Further parameters.");
const QUEUE: Parameter = may("ThisQueue", Kind::Text, "The queue; all of the agent's, where it is left out.");
const MODE: Parameter =
    may("AgentWorkMode", Kind::Word(&AgentWorkMode::VALUES), "What the agent does within ready or not ready.");
const CONSULT_EXTENSIONS: Parameter = may(
    "Extensions",
    Kind::Extensions(&[("ConsultUserData", "Which data the consultation has; `separate` (its own) only.")]),
    "Further parameters.",
);
const MUTE_EXTENSIONS: Parameter = may(
    "Extensions",
    Kind::Extensions(&[("MonitorMode", "For a supervisor: `mute` with TSetMuteOn, `connect` with TSetMuteOff.")]),
    "Further parameters.",
);
const CONTROL: Parameter = may(
    "ControlMode",
    Kind::Only {
        of: &CONTROL_MODE,
        only: "Default",
        why: "a registration is always made with the server; leave it out",
    },
    "How the registration is made with the switch.",
);
const PLACE: Parameter = may(
    "Place",
    Kind::Nothing { why: "an agent is reserved by the number; leave Place out" },
    "The agent's place; only the empty text is understood.",
);

const INITIATE: &[Parameter] = &[CALL, TO, DATA, LOCATION, CONSULT_EXTENSIONS];
const SINGLE_STEP: &[Parameter] = &[CALL, TO, DATA, LOCATION];
const TWO: &[Parameter] = &[CURRENT, HELD];
const ONE: &[Parameter] = &[CALL];
const NONE: &[Parameter] = &[];

const NO_CALL: Refusal = Refusal::NoSuchCall;
const STATE: Refusal = Refusal::WrongState;
const NUMBER: Refusal = Refusal::InvalidNumber;

/// Every request, in the order of the vendor's documentation.
#[rustfmt::skip]
pub const REQUESTS: &[RequestSpec] = &[
    RequestSpec {
        name: "TRegisterAddress", about: About::Number, ask: asks::register, refusals: &[],
        summary: "To be told what concerns a number. The answer is EventRegistered, with its calls and its agent.",
        parameters: &[
            may("RegisterMode", Kind::Only { of: &REGISTER_MODE, only: "Share", why: "a number is told to every client that registers for it; leave it out" }, "With whom the registration is shared."),
            CONTROL,
            may("AddressType", Kind::Word(&ADDRESS_TYPE), "What kind of number it is."),
        ],
    },
    RequestSpec {
        name: "TUnregisterAddress", about: About::Number, ask: asks::unregister, refusals: &[],
        summary: "To be told so no longer.",
        parameters: &[CONTROL],
    },
    RequestSpec {
        name: "TQueryAddress", about: About::Number, ask: asks::query_address, refusals: &[],
        summary: "What is known of a number or queue. The answer is EventAddressInfo.",
        parameters: &[
            may("ThisQueue", Kind::Text, "The queue; instead of ThisDN."),
            may("AddressType", Kind::Word(&ADDRESS_TYPE), "What kind of number it is."),
            may("InfoType", Kind::Word(&INFO_TYPE), "What is wanted; everything, where it is left out."),
        ],
    },
    RequestSpec {
        name: "TQueryCall", about: About::Number, ask: asks::query_call, refusals: &[NO_CALL],
        summary: "The parties of a call, and where they stand. The answer is EventPartyInfo.",
        parameters: &[CALL, may("InfoType", Kind::Word(&CALL_INFO_TYPE), "What is wanted; the answer holds both.")],
    },
    RequestSpec {
        name: "TQueryServer", about: About::Client, ask: asks::query_server, refusals: &[],
        summary: "What the server is. The answer is EventServerInfo.",
        parameters: NONE,
    },
    RequestSpec {
        name: "TSetReferenceID", about: About::Client, ask: asks::set_reference, refusals: &[],
        summary: "The reference of the next request that brings none.",
        parameters: &[must("NextReferenceID", Kind::Whole { from: 1, to: i64::MAX.unsigned_abs() }, "That reference.")],
    },
    RequestSpec {
        name: "TSetInputMask", about: About::Client, ask: asks::set_mask, refusals: &[],
        summary: "To be told these events only.",
        parameters: &[must("Mask", Kind::Names, "Names of events; an empty list is all of them.")],
    },
    RequestSpec {
        name: "TAgentLogin", about: About::Switch, ask: asks::login,
        refusals: &[Refusal::NoSuchAgent, Refusal::AgentElsewhere, Refusal::WrongPassword, Refusal::LoggedInAlready, Refusal::SameState],
        summary: "To log an agent in at a number. EventAgentLogin follows, then EventAgentReady or EventAgentNotReady.",
        parameters: &[
            must("AgentID", Kind::Text, "The agent."),
            QUEUE,
            may("AgentWorkMode", Kind::Word(&AgentWorkMode::VALUES), "Ready or not after the login; not ready, where it is left out."),
            may("Password", Kind::Text, "The agent's password."),
            may("AgentType", Kind::Only { of: &AGENT_TYPE, only: "Agent", why: "supervisors log in as agents; leave it out" }, "What the agent logs in as."),
            REASONS,
            may("Extensions", Kind::Extensions(&[REASON_CODE, ("WrapUpTime", "After-call work from now on: seconds, or `untimed`.")]), "Further parameters."),
        ],
    },
    RequestSpec {
        name: "TAgentLogout", about: About::Switch, ask: asks::logout, refusals: &[Refusal::NotLoggedIn],
        summary: "To log the agent out. EventQueueLogout follows where other queues remain, else EventAgentLogout.",
        parameters: &[QUEUE, REASONS, AGENT_EXTENSIONS],
    },
    RequestSpec {
        name: "TAgentSetReady", about: About::Switch, ask: asks::ready, refusals: &[Refusal::NotLoggedIn, Refusal::SameState],
        summary: "To make the agent ready. EventAgentReady follows.",
        parameters: &[QUEUE, MODE, REASONS, AGENT_EXTENSIONS],
    },
    RequestSpec {
        name: "TAgentSetNotReady", about: About::Switch, ask: asks::not_ready, refusals: &[Refusal::NotLoggedIn, Refusal::SameState],
        summary: "To make the agent not ready, or not ready in another way. EventAgentNotReady follows.",
        parameters: &[QUEUE, MODE, REASONS, AGENT_EXTENSIONS],
    },
    RequestSpec {
        name: "TReserveAgent", about: About::Number, ask: asks::reserve,
        refusals: &[Refusal::NotLoggedIn, Refusal::NoSuchAgent, Refusal::AgentReserved],
        summary: "That nobody else gets the agent for a while. The answer is EventAgentReserved.",
        parameters: &[
            must("Duration", Kind::Whole { from: 1, to: DAY_S * 1_000 }, "For how long, in milliseconds."),
            may("Priority", Kind::Whole { from: 0, to: 0xffff_ffff }, "The higher wins; 0, where it is left out."),
            may("AgentID", Kind::Text, "The agent who must be logged in at the number; whoever is, where it is left out."),
            PLACE,
        ],
    },
    RequestSpec {
        name: "TSetDNDOn", about: About::Switch, ask: asks::dnd_on, refusals: &[Refusal::SameState],
        summary: "Do-not-disturb on. EventDNDOn follows.",
        parameters: NONE,
    },
    RequestSpec {
        name: "TSetDNDOff", about: About::Switch, ask: asks::dnd_off, refusals: &[Refusal::SameState],
        summary: "Do-not-disturb off. EventDNDOff follows.",
        parameters: NONE,
    },
    RequestSpec {
        name: "TCallSetForward", about: About::Switch, ask: asks::forward, refusals: &[NUMBER, Refusal::SameState],
        summary: "To forward calls. EventForwardSet follows.",
        parameters: &[
            must("OtherDN", Kind::Number, "Where to."),
            may("ForwardMode", Kind::Word(&ForwardMode::VALUES), "When; always, where it is left out."),
        ],
    },
    RequestSpec {
        name: "TCallCancelForward", about: About::Switch, ask: asks::cancel_forward, refusals: &[Refusal::SameState],
        summary: "To forward calls no longer. EventForwardCancel follows.",
        parameters: &[may("ForwardMode", Kind::Word(&ForwardMode::VALUES), "Which forwarding; the unconditional one, where it is left out.")],
    },
    RequestSpec {
        name: "TSetMessageWaitingOn", about: About::Switch, ask: asks::messages_on, refusals: &[Refusal::SameState],
        summary: "That the number shows waiting messages. EventMessageWaitingOn follows.",
        parameters: NONE,
    },
    RequestSpec {
        name: "TSetMessageWaitingOff", about: About::Switch, ask: asks::messages_off, refusals: &[Refusal::SameState],
        summary: "That the number shows none. EventMessageWaitingOff follows.",
        parameters: NONE,
    },
    RequestSpec {
        name: "TSetMuteOn", about: About::Switch, ask: asks::mute_on, refusals: &[NO_CALL, STATE, Refusal::SameState],
        summary: "Not to be heard in a call. EventMuteOn follows.",
        parameters: &[CALL, MUTE_EXTENSIONS],
    },
    RequestSpec {
        name: "TSetMuteOff", about: About::Switch, ask: asks::mute_off, refusals: &[NO_CALL, STATE, Refusal::SameState],
        summary: "To be heard again. EventMuteOff follows.",
        parameters: &[CALL, MUTE_EXTENSIONS],
    },
    RequestSpec {
        name: "TMakeCall", about: About::Switch, ask: asks::make_call, refusals: &[NUMBER, STATE],
        summary: "To call somebody. EventDialing follows.",
        parameters: &[
            TO, DATA, LOCATION,
            may("MakeCallType", Kind::Only { of: &MAKE_CALL_TYPE, only: "Regular", why: "every call is an ordinary one; leave it out" }, "What kind of call."),
        ],
    },
    RequestSpec {
        name: "TMakePredictiveCall", about: About::Switch, ask: asks::predictive, refusals: &[NUMBER],
        summary: "To call somebody for a queue or routing point; on answer the call is given to it, or by what answered.",
        parameters: &[
            TO,
            must("Timeout", Kind::Whole { from: 1, to: DAY_S }, "How long it may ring, in seconds."),
            DATA,
            may("Extensions", Kind::Extensions(&[
                ("VoiceDest", "Where to with a person; the queue's agents, where it is left out."),
                ("AnsMachine", "Where to with an answering machine; the call is ended, where it is left out."),
                ("FaxDest", "Where to with a fax; the call is ended, where it is left out."),
            ]), "Further parameters."),
        ],
    },
    RequestSpec {
        name: "TAnswerCall", about: About::Switch, ask: asks::answer, refusals: &[NO_CALL, Refusal::NotRinging],
        summary: "To answer. EventEstablished follows on every connected party.",
        parameters: ONE,
    },
    RequestSpec {
        name: "TReleaseCall", about: About::Switch, ask: asks::release, refusals: &[NO_CALL, STATE],
        summary: "To hang up. EventReleased follows, in a conference EventPartyDeleted for the others.",
        parameters: ONE,
    },
    RequestSpec {
        name: "TClearCall", about: About::Switch, ask: asks::clear, refusals: &[NO_CALL],
        summary: "To end the whole call. EventReleased follows for all.",
        parameters: ONE,
    },
    RequestSpec {
        name: "THoldCall", about: About::Switch, ask: asks::hold, refusals: &[NO_CALL, STATE],
        summary: "To put on hold. EventHeld follows.",
        parameters: ONE,
    },
    RequestSpec {
        name: "TRetrieveCall", about: About::Switch, ask: asks::retrieve, refusals: &[NO_CALL, Refusal::NotHeld],
        summary: "To come back to a held call. EventRetrieved follows.",
        parameters: ONE,
    },
    RequestSpec {
        name: "TAlternateCall", about: About::Switch, ask: asks::alternate, refusals: &[NO_CALL, STATE, Refusal::NotHeld],
        summary: "To hold the current call and come back to the held one.",
        parameters: TWO,
    },
    RequestSpec {
        name: "TReconnectCall", about: About::Switch, ask: asks::reconnect, refusals: &[NO_CALL, STATE, Refusal::NotHeld],
        summary: "To leave the current call and come back to the held one.",
        parameters: TWO,
    },
    RequestSpec {
        name: "TRedirectCall", about: About::Switch, ask: asks::redirect, refusals: &[NO_CALL, Refusal::NotRinging, NUMBER],
        summary: "To send a ringing call to somebody else. EventReleased follows, and EventRinging there.",
        parameters: &[CALL, TO],
    },
    RequestSpec {
        name: "TInitiateTransfer", about: About::Switch, ask: asks::initiate_transfer, refusals: &[NO_CALL, Refusal::CannotTransfer, NUMBER],
        summary: "To hold the call and consult somebody about it, in order to hand it on.",
        parameters: INITIATE,
    },
    RequestSpec {
        name: "TCompleteTransfer", about: About::Switch, ask: asks::complete_transfer,
        refusals: &[NO_CALL, STATE, Refusal::NotHeld, Refusal::CannotCompleteTransfer],
        summary: "To hand the held call on to who is consulted, answered or not. The held call's ConnID remains.",
        parameters: TWO,
    },
    RequestSpec {
        name: "TMuteTransfer", about: About::Switch, ask: asks::mute_transfer,
        refusals: &[NO_CALL, Refusal::CannotTransfer, Refusal::CannotCompleteTransfer, NUMBER],
        summary: "To consult and hand on at once, without waiting for an answer.",
        parameters: INITIATE,
    },
    RequestSpec {
        name: "TSingleStepTransfer", about: About::Switch, ask: asks::single_step_transfer, refusals: &[NO_CALL, Refusal::CannotTransfer, NUMBER],
        summary: "To hand the call on without consulting. Its ConnID remains.",
        parameters: SINGLE_STEP,
    },
    RequestSpec {
        name: "TInitiateConference", about: About::Switch, ask: asks::initiate_conference, refusals: &[NO_CALL, Refusal::CannotTransfer, NUMBER],
        summary: "To hold the call and consult somebody about it, in order to bring them in.",
        parameters: INITIATE,
    },
    RequestSpec {
        name: "TCompleteConference", about: About::Switch, ask: asks::complete_conference,
        refusals: &[NO_CALL, STATE, Refusal::NotHeld, Refusal::CannotCompleteConference],
        summary: "To bring who is consulted into the held call. The held call's ConnID remains.",
        parameters: TWO,
    },
    RequestSpec {
        name: "TSingleStepConference", about: About::Switch, ask: asks::single_step_conference, refusals: &[NO_CALL, Refusal::CannotTransfer, NUMBER],
        summary: "To bring somebody into the call without consulting. Its ConnID remains.",
        parameters: SINGLE_STEP,
    },
    RequestSpec {
        name: "TDeleteFromConference", about: About::Switch, ask: asks::drop_party, refusals: &[NO_CALL, STATE, NUMBER],
        summary: "To take somebody out of a conference. EventReleased follows there, EventPartyDeleted for the others.",
        parameters: &[CALL, must("OtherDN", Kind::Number, "Who is taken out.")],
    },
    RequestSpec {
        name: "TMergeCalls", about: About::Switch, ask: asks::merge,
        refusals: &[NO_CALL, STATE, Refusal::NotHeld, Refusal::CannotCompleteTransfer, Refusal::CannotCompleteConference],
        summary: "To join two calls that came independently. The held call's ConnID remains.",
        parameters: &[CURRENT, HELD, must("MergeType", Kind::Word(&MERGE_TYPE), "Whether who joins them leaves or stays.")],
    },
    RequestSpec {
        name: "TListenDisconnect", about: About::Switch, ask: asks::listen_off, refusals: &[NO_CALL, STATE, NUMBER, Refusal::SameState],
        summary: "That somebody in a conference does not hear the others. EventListenDisconnected follows.",
        parameters: &[CALL, must("OtherDN", Kind::Number, "Who is not to hear.")],
    },
    RequestSpec {
        name: "TListenReconnect", about: About::Switch, ask: asks::listen_on, refusals: &[NO_CALL, STATE, NUMBER, Refusal::SameState],
        summary: "That somebody hears the others again. EventListenReconnected follows.",
        parameters: &[CALL, must("OtherDN", Kind::Number, "Who is to hear.")],
    },
    RequestSpec {
        name: "TRouteCall", about: About::Switch, ask: asks::route, refusals: &[NO_CALL, NUMBER, STATE],
        summary: "Where a call is to go that waits at ThisDN for a routing instruction. EventRouteUsed follows.",
        parameters: &[
            CALL,
            may("RouteType", Kind::Word(&ROUTE_TYPE), "How: Default, Direct, or CallDisconnect to refuse the call."),
            may("OtherDN", Kind::Number, "Where to; with Default and without it, to the switch's default target."),
            LOCATION,
            may("DNIS", Kind::Nothing { why: "the dialled number stays what it was; leave DNIS out" }, "Another dialled number; only the empty text is understood."),
        ],
    },
    RequestSpec {
        name: "TApplyTreatment", about: About::Switch, ask: asks::treat, refusals: &[NO_CALL, STATE],
        summary: "To give a call something to hear, or ask it something, while it waits at ThisDN. EventTreatmentApplied or EventTreatmentNotApplied follows.",
        parameters: &[
            CALL,
            must("TreatmentType", Kind::Word(&TreatmentType::VALUES), "What."),
            may("TreatmentParms", Kind::Pairs, "The parameters of the treatment."),
        ],
    },
    RequestSpec {
        name: "TAttachUserData", about: About::Number, ask: asks::update_data, refusals: &[NO_CALL],
        summary: "To attach business data to a call; a key that is there already gets the new value. EventAttachedDataChanged follows.",
        parameters: &[CALL, must("UserData", Kind::Pairs, "The data.")],
    },
    RequestSpec {
        name: "TUpdateUserData", about: About::Number, ask: asks::update_data, refusals: &[NO_CALL],
        summary: "To add or replace business data of a call. EventAttachedDataChanged follows.",
        parameters: &[CALL, must("UserData", Kind::Pairs, "The data.")],
    },
    RequestSpec {
        name: "TDeleteUserData", about: About::Number, ask: asks::delete_data, refusals: &[NO_CALL],
        summary: "To remove business data from a call. EventAttachedDataChanged follows.",
        parameters: &[CALL, must("Key", Kind::Names, "The key, or a list of keys.")],
    },
    RequestSpec {
        name: "TDeleteAllUserData", about: About::Number, ask: asks::delete_all_data, refusals: &[NO_CALL],
        summary: "To remove all business data from a call. EventAttachedDataChanged follows.",
        parameters: ONE,
    },
    RequestSpec {
        name: "TMonitorNextCall", about: About::Switch, ask: asks::monitor, refusals: &[NUMBER, Refusal::SameState, Refusal::NotLoggedIn, STATE],
        summary: "To take part, as a supervisor, in calls of an agent. EventMonitoringNextCall follows on both numbers.",
        parameters: &[
            must("OtherDN", Kind::Number, "The agent's number."),
            may("MonitorNextCallType", Kind::Word(&MonitorNextCallType::VALUES), "The next call or all; the next one, where it is left out."),
            may("Extensions", Kind::Extensions(&[
                ("MonitorMode", "How: `mute` or `normal` (hear only), `coach` (heard by the agent only), `connect` (heard by all)."),
                ("MonitorScope", "`agent`: as long as the agent is in the call; nothing else."),
            ]), "Further parameters."),
        ],
    },
    RequestSpec {
        name: "TCancelMonitoring", about: About::Switch, ask: asks::monitor_end, refusals: &[NUMBER, Refusal::SameState],
        summary: "To take part no longer. EventMonitoringCancelled follows on both numbers.",
        parameters: &[must("OtherDN", Kind::Number, "The agent's number.")],
    },
    RequestSpec {
        name: "TSendDTMF", about: About::Switch, ask: asks::tones, refusals: &[NO_CALL, STATE],
        summary: "To send tones into a call.",
        parameters: &[CALL, must("DTMFDigits", Kind::Text, "Digits, `*`, `#`, `A` to `D`.")],
    },
    RequestSpec {
        name: "TPrivateService", about: About::Switch, ask: asks::private_service, refusals: &[NO_CALL, STATE, NUMBER, Refusal::SameState],
        summary: "What the vocabulary has no request for: parking, picking up, recording, variables of the switch, supervision.",
        parameters: &[
            must("ServiceID", Kind::Word(&SERVICE), "What."),
            may("ConnID", Kind::Call, "The call: for Park, StartRecording, StopRecording and SetVariable."),
            may("OtherDN", Kind::Number, "Park and Unpark: the place. Pickup: the ringing number. Supervise: the agent's number."),
            may("Extensions", Kind::Extensions(&[
                ("File", "StartRecording: a name for the recording."),
                ("Name", "SetVariable: the variable."),
                ("Value", "SetVariable: its value."),
                ("MonitorMode", "Supervise: how, as in TMonitorNextCall."),
            ]), "Further parameters."),
        ],
    },
];
