//! One function a request: its parameters, found right one by one, become what is asked of the core.

use cordboard_core::event::{ForwardMode, MonitorScope, Pairs, RouteKind, SuperviseMode, TreatmentKind, WorkMode};
use cordboard_core::request::{Ask, Joining, PredictiveTargets, Refusal};

use super::super::client::CLIENT_EVENTS;
use super::super::enums;
use super::super::messages::EVENTS;
use super::read::{Fault, Members, shown};
use super::words::{ADDRESS_TYPE, INFO_TYPE, MERGE_TYPE, ROUTE_TYPE, SERVICE};
use crate::near::close;

type Made = Result<Ask, Fault>;

/// The most tones at once.
const MAX_TONES: usize = 64;

/// What of a number can be asked and is not known.
const UNKNOWN_INFO: [&str; 6] = [
    "SendAllCallsStatus",
    "NumberOfIdleClassifiers",
    "NumberOfClassifiersInUse",
    "NumberOfIdleTrunks",
    "NumberOfTrunksInUse",
    "DatabaseValue",
];

pub(super) fn register(_: &Members<'_>) -> Made {
    Ok(Ask::Register)
}

pub(super) fn unregister(_: &Members<'_>) -> Made {
    Ok(Ask::Unregister)
}

pub(super) fn query_address(members: &Members<'_>) -> Made {
    let kind = members.word("AddressType", &ADDRESS_TYPE).unwrap_or_default().to_owned();
    let info = members.word("InfoType", &INFO_TYPE).unwrap_or_default().to_owned();
    if UNKNOWN_INFO.contains(&info.as_str()) {
        let message = format!("InfoType {info} cannot be answered; nothing of the kind is known here");
        return Err(Fault::unsupported(message));
    }
    Ok(Ask::QueryAddress { kind, info })
}

pub(super) fn query_call(members: &Members<'_>) -> Made {
    Ok(Ask::QueryCall { call: members.call("ConnID")? })
}

pub(super) fn query_server(_: &Members<'_>) -> Made {
    Ok(Ask::QueryServer)
}

pub(super) fn set_reference(members: &Members<'_>) -> Made {
    Ok(Ask::SetReference { next: members.whole("NextReferenceID").unwrap_or(1) })
}

pub(super) fn set_mask(members: &Members<'_>) -> Made {
    let events = members.list("Mask");
    let known = || EVENTS.iter().map(|spec| spec.name).chain(CLIENT_EVENTS.iter().map(|spec| spec.name));
    for event in &events {
        if !known().any(|name| name == event) {
            let right = match close(event, known()).as_slice() {
                [] => "`cordboard catalogue genesys` lists them all".to_owned(),
                near => format!("right could be {}", near.join(", ")),
            };
            return Err(Fault::new(format!("Mask names {}, which is no event; {right}", shown(event))));
        }
    }
    Ok(Ask::SetMask { events })
}

pub(super) fn login(members: &Members<'_>) -> Made {
    let wrapup_s = match members.extension("WrapUpTime").as_deref() {
        None => None,
        Some("untimed") => Some(u64::MAX),
        Some(text) => Some(text.parse().map_err(|_| {
            let found = shown(text);
            Fault::new(format!("Extensions.WrapUpTime is {found}; right would be a number of seconds, or \"untimed\""))
        })?),
    };
    Ok(Ask::Login {
        agent: members.text("AgentID"),
        queue: members.maybe("ThisQueue"),
        mode: mode(members),
        reasons: reasons(members)?,
        wrapup_s,
    })
}

pub(super) fn logout(members: &Members<'_>) -> Made {
    Ok(Ask::Logout { queue: members.maybe("ThisQueue"), reasons: reasons(members)? })
}

pub(super) fn ready(members: &Members<'_>) -> Made {
    let mode = mode(members);
    match mode {
        WorkMode::Unknown | WorkMode::ManualIn | WorkMode::AutoIn | WorkMode::ReturnBack => {
            Ok(Ask::Ready { queue: members.maybe("ThisQueue"), mode, reasons: reasons(members)? })
        }
        WorkMode::LegalGuard
        | WorkMode::AfterCallWork
        | WorkMode::AuxWork
        | WorkMode::NoCallDisconnect
        | WorkMode::WalkAway => Err(Fault::new(
            "AgentWorkMode is one of an agent who is not ready; right would be ManualIn, AutoIn, ReturnBack or Unknown, or TAgentSetNotReady".to_owned(),
        )),
    }
}

pub(super) fn not_ready(members: &Members<'_>) -> Made {
    let mode = mode(members);
    match mode {
        WorkMode::ManualIn | WorkMode::AutoIn | WorkMode::ReturnBack => Err(Fault::new(
            "AgentWorkMode is one of an agent who is ready; right would be AuxWork, AfterCallWork, LegalGuard, NoCallDisconnect, WalkAway or Unknown, or TAgentSetReady".to_owned(),
        )),
        WorkMode::Unknown
        | WorkMode::LegalGuard
        | WorkMode::AfterCallWork
        | WorkMode::AuxWork
        | WorkMode::NoCallDisconnect
        | WorkMode::WalkAway => {
            Ok(Ask::NotReady { queue: members.maybe("ThisQueue"), mode, reasons: reasons(members)? })
        }
    }
}

pub(super) fn reserve(members: &Members<'_>) -> Made {
    let priority = members.whole("Priority").and_then(|number| u32::try_from(number).ok()).unwrap_or_default();
    Ok(Ask::Reserve { ms: members.whole("Duration").unwrap_or_default(), priority, agent: members.maybe("AgentID") })
}

pub(super) fn dnd_on(_: &Members<'_>) -> Made {
    Ok(Ask::Dnd { on: true })
}

pub(super) fn dnd_off(_: &Members<'_>) -> Made {
    Ok(Ask::Dnd { on: false })
}

pub(super) fn forward(members: &Members<'_>) -> Made {
    Ok(Ask::Forward { mode: forward_mode(members)?, to: Some(members.text("OtherDN")) })
}

pub(super) fn cancel_forward(members: &Members<'_>) -> Made {
    Ok(Ask::Forward { mode: forward_mode(members)?, to: None })
}

pub(super) fn messages_on(_: &Members<'_>) -> Made {
    Ok(Ask::Messages { on: true })
}

pub(super) fn messages_off(_: &Members<'_>) -> Made {
    Ok(Ask::Messages { on: false })
}

pub(super) fn mute_on(members: &Members<'_>) -> Made {
    mute(members, true)
}

pub(super) fn mute_off(members: &Members<'_>) -> Made {
    mute(members, false)
}

pub(super) fn make_call(members: &Members<'_>) -> Made {
    Ok(Ask::MakeCall { to: members.text("OtherDN"), user_data: members.pairs("UserData")? })
}

pub(super) fn predictive(members: &Members<'_>) -> Made {
    let targets = PredictiveTargets {
        person: members.extension("VoiceDest"),
        machine: members.extension("AnsMachine"),
        fax: members.extension("FaxDest"),
    };
    let ring_ms = members.whole("Timeout").unwrap_or_default().saturating_mul(1_000);
    Ok(Ask::MakePredictiveCall { to: members.text("OtherDN"), ring_ms, user_data: members.pairs("UserData")?, targets })
}

pub(super) fn answer(members: &Members<'_>) -> Made {
    Ok(Ask::Answer { call: members.call("ConnID")? })
}

pub(super) fn release(members: &Members<'_>) -> Made {
    Ok(Ask::Release { call: members.call("ConnID")? })
}

pub(super) fn clear(members: &Members<'_>) -> Made {
    Ok(Ask::Clear { call: members.call("ConnID")? })
}

pub(super) fn hold(members: &Members<'_>) -> Made {
    Ok(Ask::Hold { call: members.call("ConnID")? })
}

pub(super) fn retrieve(members: &Members<'_>) -> Made {
    Ok(Ask::Retrieve { call: members.call("ConnID")? })
}

pub(super) fn alternate(members: &Members<'_>) -> Made {
    let (call, held) = two(members)?;
    Ok(Ask::Alternate { call, held })
}

pub(super) fn reconnect(members: &Members<'_>) -> Made {
    let (call, held) = two(members)?;
    Ok(Ask::Reconnect { call, held })
}

pub(super) fn redirect(members: &Members<'_>) -> Made {
    Ok(Ask::Redirect { call: members.call("ConnID")?, to: members.text("OtherDN") })
}

pub(super) fn initiate_transfer(members: &Members<'_>) -> Made {
    initiate(members, Joining::Transfer)
}

pub(super) fn initiate_conference(members: &Members<'_>) -> Made {
    initiate(members, Joining::Conference)
}

pub(super) fn complete_transfer(members: &Members<'_>) -> Made {
    let (call, held) = two(members)?;
    Ok(Ask::Complete { call, held, purpose: Joining::Transfer })
}

pub(super) fn complete_conference(members: &Members<'_>) -> Made {
    let (call, held) = two(members)?;
    Ok(Ask::Complete { call, held, purpose: Joining::Conference })
}

pub(super) fn mute_transfer(members: &Members<'_>) -> Made {
    separate_data(members)?;
    let (call, to) = (members.call("ConnID")?, members.text("OtherDN"));
    Ok(Ask::MuteTransfer { call, to, user_data: members.pairs("UserData")? })
}

pub(super) fn single_step_transfer(members: &Members<'_>) -> Made {
    single_step(members, Joining::Transfer)
}

pub(super) fn single_step_conference(members: &Members<'_>) -> Made {
    single_step(members, Joining::Conference)
}

pub(super) fn drop_party(members: &Members<'_>) -> Made {
    Ok(Ask::DropParty { call: members.call("ConnID")?, who: members.text("OtherDN") })
}

pub(super) fn merge(members: &Members<'_>) -> Made {
    let (call, held) = two(members)?;
    let purpose = match members.word("MergeType", &MERGE_TYPE) {
        Some("ForConference") => Joining::Conference,
        Some(_) | None => Joining::Transfer,
    };
    Ok(Ask::Merge { call, held, purpose })
}

pub(super) fn listen_off(members: &Members<'_>) -> Made {
    Ok(Ask::Listen { call: members.call("ConnID")?, who: members.text("OtherDN"), on: false })
}

pub(super) fn listen_on(members: &Members<'_>) -> Made {
    Ok(Ask::Listen { call: members.call("ConnID")?, who: members.text("OtherDN"), on: true })
}

pub(super) fn route(members: &Members<'_>) -> Made {
    let (call, to) = (members.call("ConnID")?, members.maybe("OtherDN"));
    match (members.word("RouteType", &ROUTE_TYPE), to) {
        (None | Some("Unknown" | "Default"), to) => Ok(Ask::Route { call, to, kind: RouteKind::Default }),
        (Some("Direct"), Some(to)) => Ok(Ask::Route { call, to: Some(to), kind: RouteKind::Target }),
        (Some("Direct"), None) => Err(Fault::new("RouteType Direct needs the member OtherDN: where to".to_owned())),
        (Some("Reject" | "CallDisconnect"), None) => Ok(Ask::Route { call, to: None, kind: RouteKind::Reject }),
        (Some("Reject" | "CallDisconnect"), Some(_)) => {
            Err(Fault::new("a refused call goes nowhere; leave OtherDN out, or use RouteType Default".to_owned()))
        }
        (Some(other), _) => {
            let right = "right would be Default, Direct or CallDisconnect";
            Err(Fault::unsupported(format!("RouteType {other} cannot be honoured; {right}")))
        }
    }
}

pub(super) fn treat(members: &Members<'_>) -> Made {
    use TreatmentKind as Kind;
    let kind = match members.word("TreatmentType", &enums::TreatmentType::VALUES) {
        Some("IVR") => Kind::Ivr,
        Some("Music") => Kind::Music,
        Some("RingBack") => Kind::RingBack,
        Some("Silence") => Kind::Silence,
        Some("Busy") => Kind::Busy,
        Some("CollectDigits") => Kind::CollectDigits,
        Some("PlayAnnouncement") => Kind::PlayAnnouncement,
        Some("PlayAnnouncementAndDigits") => Kind::PlayAnnouncementAndDigits,
        Some("VerifyDigits") => Kind::VerifyDigits,
        Some("RecordUserAnnouncement") => Kind::RecordAnnouncement,
        Some("DeleteUserAnnouncement") => Kind::DeleteAnnouncement,
        Some("CancelCall") => Kind::CancelCall,
        Some("PlayApplication") => Kind::PlayApplication,
        Some("SetDefaultRoute") => Kind::SetDefaultRoute,
        Some("TextToSpeech") => Kind::TextToSpeech,
        Some("TextToSpeechAndDigits") => Kind::TextToSpeechAndDigits,
        Some("FastBusy") => Kind::FastBusy,
        Some("RAN") => Kind::RecordedAnnouncement,
        Some(_) | None => {
            return Err(Fault::new("TreatmentType Unknown says nothing; right would be for example Music".to_owned()));
        }
    };
    Ok(Ask::Treat { call: members.call("ConnID")?, kind, parameters: members.pairs("TreatmentParms")? })
}

pub(super) fn update_data(members: &Members<'_>) -> Made {
    let set = members.pairs("UserData")?;
    if set.is_empty() {
        return Err(Fault::new("UserData is empty; right would be at least one key with its value".to_owned()));
    }
    Ok(Ask::ChangeData { call: members.call("ConnID")?, set, removed: Vec::new(), all: false })
}

pub(super) fn delete_data(members: &Members<'_>) -> Made {
    let removed = members.list("Key");
    if removed.is_empty() {
        return Err(Fault::new("Key is empty; right would be at least one key, or TDeleteAllUserData".to_owned()));
    }
    Ok(Ask::ChangeData { call: members.call("ConnID")?, set: Pairs::new(), removed, all: false })
}

pub(super) fn delete_all_data(members: &Members<'_>) -> Made {
    Ok(Ask::ChangeData { call: members.call("ConnID")?, set: Pairs::new(), removed: Vec::new(), all: true })
}

pub(super) fn monitor(members: &Members<'_>) -> Made {
    if let Some(other) = members.extension("MonitorScope").filter(|scope| scope != "agent") {
        let message = format!("Extensions.MonitorScope {} cannot be honoured; right would be \"agent\"", shown(&other));
        return Err(Fault::unsupported(message));
    }
    let scope = match members.word("MonitorNextCallType", &enums::MonitorNextCallType::VALUES) {
        Some("MonitorAllCalls") => MonitorScope::AllCalls,
        Some(_) | None => MonitorScope::OneCall,
    };
    Ok(Ask::Monitor { target: members.text("OtherDN"), scope, mode: monitor_mode(members)? })
}

pub(super) fn monitor_end(members: &Members<'_>) -> Made {
    Ok(Ask::MonitorEnd { target: members.text("OtherDN") })
}

pub(super) fn tones(members: &Members<'_>) -> Made {
    let digits = members.text("DTMFDigits").to_ascii_uppercase();
    let right = |tone: char| tone.is_ascii_digit() || matches!(tone, '*' | '#' | 'A'..='D');
    if digits.len() > MAX_TONES || !digits.chars().all(right) {
        let message = format!("DTMFDigits must be at most {MAX_TONES} of the digits, *, # and A to D");
        return Err(Fault::new(message));
    }
    Ok(Ask::Tones { call: members.call("ConnID")?, digits })
}

pub(super) fn private_service(members: &Members<'_>) -> Made {
    let service = members.word("ServiceID", &SERVICE).unwrap_or_default();
    let call = || {
        let needed = || Fault::new(format!("the service {service} needs the member ConnID: the call"));
        if members.0.contains_key("ConnID") { members.call("ConnID") } else { Err(needed()) }
    };
    let number = |what: &str| {
        members
            .maybe("OtherDN")
            .ok_or_else(|| Fault::new(format!("the service {service} needs the member OtherDN: {what}")))
    };
    let extension = |key: &str, what: &str| {
        members
            .extension(key)
            .ok_or_else(|| Fault::new(format!("the service {service} needs Extensions.{key}: {what}")))
    };
    let uses: (&[&str], &[&str]) = match service {
        "Park" => (&["ConnID", "OtherDN"], &[]),
        "StartRecording" => (&["ConnID"], &["File"]),
        "StopRecording" => (&["ConnID"], &[]),
        "SetVariable" => (&["ConnID"], &["Name", "Value"]),
        "Supervise" => (&["OtherDN"], &["MonitorMode"]),
        _ => (&["OtherDN"], &[]),
    };
    no_more_than(members, service, uses)?;
    Ok(match service {
        "Park" => Ask::Park { call: call()?, space: members.maybe("OtherDN") },
        "Unpark" => Ask::Unpark { space: number("the place")? },
        "Pickup" => Ask::Pickup { target: number("where it rings")? },
        "StartRecording" => Ask::Record { call: call()?, on: true, file: members.extension("File") },
        "StopRecording" => Ask::Record { call: call()?, on: false, file: None },
        "SetVariable" => {
            let name = extension("Name", "the variable")?;
            Ask::SetVariable { call: call()?, name, value: extension("Value", "its value")? }
        }
        _ => Ask::Supervise { target: number("the agent's number")?, mode: monitor_mode(members)? },
    })
}

/// A service uses some of the parameters only; the others would be lost.
fn no_more_than(members: &Members<'_>, service: &str, (uses, keys): (&[&str], &[&str])) -> Result<(), Fault> {
    let extensions = members.0.get("Extensions").and_then(serde_json::Value::as_object);
    let member = ["ConnID", "OtherDN"].into_iter().find(|name| members.0.contains_key(*name) && !uses.contains(name));
    let key = extensions.and_then(|given| given.keys().find(|key| !keys.contains(&key.as_str())));
    let lost = member.map(str::to_owned).or_else(|| key.map(|key| format!("Extensions.{key}")));
    lost.map_or(Ok(()), |lost| Err(Fault::new(format!("the service {service} has no use for {lost}; leave it out"))))
}

fn two(members: &Members<'_>) -> Result<(cordboard_core::ids::ConnId, cordboard_core::ids::ConnId), Fault> {
    let (call, held) = (members.call("ConnID")?, members.call("HeldConnID")?);
    if call == held {
        return Err(Fault::new("ConnID and HeldConnID are the same call; right would be two".to_owned()));
    }
    Ok((call, held))
}

fn initiate(members: &Members<'_>, purpose: Joining) -> Made {
    separate_data(members)?;
    let (call, to) = (members.call("ConnID")?, members.text("OtherDN"));
    Ok(Ask::Consult { call, to, purpose, user_data: members.pairs("UserData")? })
}

/// A consultation has its own data; what the other ways of it would promise is not done.
fn separate_data(members: &Members<'_>) -> Result<(), Fault> {
    match members.extension("ConsultUserData").as_deref() {
        None | Some("separate") => Ok(()),
        Some(other) => {
            let message =
                format!("Extensions.ConsultUserData {} cannot be honoured; right would be \"separate\"", shown(other));
            Err(Fault::unsupported(message))
        }
    }
}

fn single_step(members: &Members<'_>, purpose: Joining) -> Made {
    let (call, to) = (members.call("ConnID")?, members.text("OtherDN"));
    Ok(Ask::SingleStep { call, to, purpose, user_data: members.pairs("UserData")? })
}

fn mute(members: &Members<'_>, on: bool) -> Made {
    let right: &[&str] = if on { &["mute", "normal"] } else { &["connect"] };
    if let Some(other) = members.extension("MonitorMode").filter(|mode| !right.contains(&mode.as_str())) {
        let right = right.join(" or ");
        let message = format!(
            "Extensions.MonitorMode {} cannot be reached so; right would be {right}, or TPrivateService with the service Supervise",
            shown(&other)
        );
        return Err(Fault::unsupported(message));
    }
    Ok(Ask::Mute { call: members.call("ConnID")?, on })
}

fn monitor_mode(members: &Members<'_>) -> Result<SuperviseMode, Fault> {
    match members.extension("MonitorMode").as_deref() {
        None | Some("mute" | "normal") => Ok(SuperviseMode::Listen),
        Some("coach") => Ok(SuperviseMode::Whisper),
        Some("connect") => Ok(SuperviseMode::Barge),
        Some(other) => {
            let right = "right would be mute, normal, coach or connect";
            Err(Fault::new(format!("Extensions.MonitorMode is {}; {right}", shown(other))))
        }
    }
}

fn mode(members: &Members<'_>) -> WorkMode {
    match members.word("AgentWorkMode", &enums::AgentWorkMode::VALUES) {
        Some("ManualIn") => WorkMode::ManualIn,
        Some("AutoIn") => WorkMode::AutoIn,
        Some("LegalGuard") => WorkMode::LegalGuard,
        Some("AfterCallWork") => WorkMode::AfterCallWork,
        Some("AuxWork") => WorkMode::AuxWork,
        Some("NoCallDisconnect") => WorkMode::NoCallDisconnect,
        Some("WalkAway") => WorkMode::WalkAway,
        Some("ReturnBack") => WorkMode::ReturnBack,
        Some(_) | None => WorkMode::Unknown,
    }
}

/// Reasons by key; the one word that older programs send is one of them.
fn reasons(members: &Members<'_>) -> Result<Pairs, Fault> {
    let mut reasons = members.pairs("Reasons")?;
    if let Some(code) = members.extension("ReasonCode") {
        reasons.entry("ReasonCode".to_owned()).or_insert(code.into());
    }
    Ok(reasons)
}

fn forward_mode(members: &Members<'_>) -> Result<ForwardMode, Fault> {
    match members.word("ForwardMode", &enums::ForwardMode::VALUES) {
        None | Some("Unconditional") => Ok(ForwardMode::Unconditional),
        Some("OnBusy") => Ok(ForwardMode::OnBusy),
        Some("OnNoAnswer") => Ok(ForwardMode::OnNoAnswer),
        Some("OnBusyAndNoAnswer") => Ok(ForwardMode::OnBusyAndNoAnswer),
        Some(other) => {
            let right = "right would be Unconditional, OnBusy, OnNoAnswer or OnBusyAndNoAnswer";
            Err(Fault { message: format!("ForwardMode {other} cannot be set; {right}"), refusal: Refusal::Unsupported })
        }
    }
}
