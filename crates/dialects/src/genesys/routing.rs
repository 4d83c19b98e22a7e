//! Calls that wait for a routing instruction, and what they hear meanwhile, as events of the topic `voice-callthread`.

use alloc::borrow::Cow;

use cordboard_core::CallId;
use cordboard_core::event::{DeviceKind, Pairs, TreatmentKind};
use cordboard_core::request::Refusal;
use cordboard_core::world::Call;

use super::attributes::{Datum, PartyFrame, pairs};
use super::calls::queue_frame;
use super::enums::TreatmentType;
use super::messages::{
    EventAbandoned, EventRouteRequest, EventRouteUsed, EventTreatmentApplied, EventTreatmentEnd,
    EventTreatmentNotApplied,
};
use super::party::some;
use super::requests::terr;
use super::scene::Scene;

/// Says that the switch asks where a call is to go.
pub(super) fn requested<'w>(scene: &mut Scene<'w, '_>, id: CallId, call: &'w Call, at: &'w str) {
    let mut frame = queue_frame(scene, id, call, at);
    digits(&mut frame, call.digits.as_deref());
    let thread = frame.CallThreadID.clone();
    scene.tell_call(&thread, EventRouteRequest::of(frame, Cow::Borrowed(at)));
}

/// Says that a call was told where to go.
pub(super) fn routed<'w>(scene: &mut Scene<'w, '_>, id: CallId, call: &'w Call, at: &'w str, to: Option<&'w str>) {
    let mut frame = queue_frame(scene, id, call, at);
    frame.ThirdPartyDN = to.and_then(some).map(Cow::Borrowed);
    // Whoever gets the call takes the part of the route point in it.
    frame.ThirdPartyDNRole = frame.ThirdPartyDN.as_ref().map(|_| frame.ThisDNRole);
    let thread = frame.CallThreadID.clone();
    scene.tell_call(&thread, EventRouteUsed::of(frame, Cow::Borrowed(at)));
}

/// A call is over that still waited for an instruction. Where it waited in a queue as well, the queue tells it.
pub(super) fn given_up<'w>(scene: &mut Scene<'w, '_>, id: CallId, call: &'w Call) {
    for at in call.routing.keys().filter(|at| scene.kind(at) == Some(DeviceKind::RoutePoint)).collect::<Vec<_>>() {
        let mut frame = queue_frame(scene, id, call, at);
        frame.ThisQueue = Some(Cow::Borrowed(at));
        let thread = frame.CallThreadID.clone();
        scene.tell_call(&thread, EventAbandoned::of(frame));
    }
}

/// Says that a call is given something to hear, or asked something.
pub(super) fn applied<'w>(
    scene: &mut Scene<'w, '_>,
    id: CallId,
    call: &'w Call,
    (at, kind): (&'w str, TreatmentKind),
    parameters: &'w Pairs,
) {
    let mut frame = queue_frame(scene, id, call, at);
    frame.TreatmentParms = parms(parameters);
    let thread = frame.CallThreadID.clone();
    let extensions = frame.Extensions.clone().unwrap_or_default();
    let event = EventTreatmentApplied::of(frame, customer(scene), extensions, treatment(kind));
    scene.tell_call(&thread, event);
}

/// Says that it came to its end; some have none.
pub(super) fn ended<'w>(
    scene: &mut Scene<'w, '_>,
    id: CallId,
    call: &'w Call,
    (at, kind): (&'w str, TreatmentKind),
    (keyed, interrupted): (Option<&'w str>, bool),
) {
    if !has_end(kind) {
        return;
    }
    let mut frame = queue_frame(scene, id, call, at);
    digits(&mut frame, keyed);
    let extensions = frame.Extensions.get_or_insert_default();
    let cut_short = if interrupted { "KEYPAD" } else { "NO" };
    extensions.insert(Cow::Borrowed("INTERRUPTED"), Datum::from(cut_short));
    extensions.insert(Cow::Borrowed("COMPLETION_STATUS"), Datum::from("NORMAL"));
    let thread = frame.CallThreadID.clone();
    scene.tell_call(&thread, EventTreatmentEnd::of(frame, customer(scene), treatment(kind)));
}

/// Says that the switch cannot do it.
pub(super) fn refused<'w>(
    scene: &mut Scene<'w, '_>,
    id: CallId,
    call: &'w Call,
    (at, kind): (&'w str, TreatmentKind),
    parameters: &'w Pairs,
) {
    let mut frame = queue_frame(scene, id, call, at);
    frame.TreatmentParms = parms(parameters);
    frame.ErrorCode = Some(terr::of(Refusal::Unsupported, None).code);
    frame.ErrorMessage = Some(Cow::Borrowed("the switch cannot carry out the treatment"));
    let thread = frame.CallThreadID.clone();
    scene.tell_call(&thread, EventTreatmentNotApplied::of(frame, customer(scene), treatment(kind)));
}

/// The tenant the call entered by.
fn customer<'w>(scene: &Scene<'w, '_>) -> Cow<'w, str> {
    Cow::Borrowed(&scene.world.tenant)
}

fn parms(parameters: &Pairs) -> Option<super::attributes::Pairs<'_>> {
    (!parameters.is_empty()).then(|| pairs(parameters))
}

fn digits<'w>(frame: &mut PartyFrame<'w>, keyed: Option<&'w str>) {
    frame.CollectedDigits = keyed.and_then(some).map(Cow::Borrowed);
    let last = keyed.and_then(|keyed| keyed.char_indices().next_back().and_then(|(at, _)| keyed.get(at..)));
    frame.LastCollectedDigit = last.map(Cow::Borrowed);
}

/// Whether it ends by itself: the published list of those that do not.
fn has_end(kind: TreatmentKind) -> bool {
    !matches!(
        kind,
        TreatmentKind::Silence
            | TreatmentKind::RingBack
            | TreatmentKind::Music
            | TreatmentKind::Busy
            | TreatmentKind::FastBusy
    )
}

fn treatment(kind: TreatmentKind) -> TreatmentType {
    match kind {
        TreatmentKind::Unknown => TreatmentType::Unknown,
        TreatmentKind::Ivr => TreatmentType::IVR,
        TreatmentKind::Music => TreatmentType::Music,
        TreatmentKind::RingBack => TreatmentType::RingBack,
        TreatmentKind::Silence => TreatmentType::Silence,
        TreatmentKind::Busy => TreatmentType::Busy,
        TreatmentKind::CollectDigits => TreatmentType::CollectDigits,
        TreatmentKind::PlayAnnouncement => TreatmentType::PlayAnnouncement,
        TreatmentKind::PlayAnnouncementAndDigits => TreatmentType::PlayAnnouncementAndDigits,
        TreatmentKind::VerifyDigits => TreatmentType::VerifyDigits,
        TreatmentKind::RecordAnnouncement => TreatmentType::RecordUserAnnouncement,
        TreatmentKind::DeleteAnnouncement => TreatmentType::DeleteUserAnnouncement,
        TreatmentKind::CancelCall => TreatmentType::CancelCall,
        TreatmentKind::PlayApplication => TreatmentType::PlayApplication,
        TreatmentKind::SetDefaultRoute => TreatmentType::SetDefaultRoute,
        TreatmentKind::TextToSpeech => TreatmentType::TextToSpeech,
        TreatmentKind::TextToSpeechAndDigits => TreatmentType::TextToSpeechAndDigits,
        TreatmentKind::FastBusy => TreatmentType::FastBusy,
        TreatmentKind::RecordedAnnouncement => TreatmentType::RAN,
    }
}
