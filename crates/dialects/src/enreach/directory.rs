//! Facts about the directory: availability, settings, alerts, callbacks, and what outside services report of calls.

use alloc::borrow::Cow;

use cordboard_core::directory::CallbackState;
use cordboard_core::event::{
    AlertFact, Availability, CallbackFact, CallbackKind, Converted, Phrase, Setting, SettingLevel, UserFact,
    WithoutCall, WrapUpWish,
};
use cordboard_core::listed::Listed;
use cordboard_core::{Guid, Time};

use super::messages::{
    CallbackAttempt, CallbackChanged, CallbackExtra, CallbackRelatedItem, UserAlert, UserAvailability,
    UserCallInCallbackCreated, UserCallInRecordingConverted, UserCallOutRecordingConverted,
    UserRealTimeTranscriptPhrase, UserSetting, UserWrapUpRequestInitiate, UserWrapUpRequestTerminate,
};
use super::names::EventName;
use super::person;
use super::scene::{Scene, ttl};
use super::status::availability;
use super::values::{Moment, Stamp, Text, UserSettingLevelEnum, Values};

/// Says a fact about a person.
pub(super) fn user<'w>(scene: &mut Scene<'w, '_>, name: &'w str, fact: &'w UserFact) {
    match fact {
        // One that is planned is told when its time has come; one that another covers, not at all.
        UserFact::AvailabilitySet(_) | UserFact::AvailabilityBegan { .. } | UserFact::AvailabilityEnded { .. } => {
            if scene.world.directory.turned.as_deref() == Some(name) {
                availability_now(scene, name);
            }
        }
        UserFact::SettingChanged(setting) => setting_changed(scene, name, setting),
        UserFact::SettingRemoved { keyword } => setting_removed(scene, name, keyword),
        UserFact::WrapUpWanted(wish) => wrapup_wanted(scene, name, wish),
        UserFact::WrapUpUnwanted { wrapup, reason } => wrapup_unwanted(scene, name, *wrapup, reason),
        UserFact::RecordingConverted(converted) => recording_converted(scene, name, converted),
        UserFact::PhraseHeard(phrase) => phrase_heard(scene, name, phrase),
        // Who is in the directory, and who watches whom, is configuration here; the rest is told by the status.
        UserFact::Described(_)
        | UserFact::Removed
        | UserFact::WatchBegan { .. }
        | UserFact::WatchEnded { .. }
        | UserFact::ServesCallbacks { .. }
        | UserFact::PicksCalls { .. } => {}
    }
}

/// Says which availability is in force.
pub(super) fn availability_now<'w>(scene: &mut Scene<'w, '_>, name: &'w str) {
    let known = scene.world.directory.users.get(name);
    let now: Option<&'w Availability> = known.and_then(|user| user.availability_now(scene.world.now));
    let user = scene.user(name);
    scene.tell(user, |scene, head, tail| UserAvailability {
        head,
        userId: user,
        organizationId: scene.organisation(),
        userName: person::login(scene.world, name),
        profileId: now.map_or(Guid::default(), |now| now.id),
        availability: Cow::Borrowed(availability(now.map(|now| now.reach).unwrap_or_default()).name()),
        // Where none is set, people can be reached, and always could be.
        startTime: now.map_or(Moment::Unset, |now| Moment::At(now.from)),
        endTime: Moment::or_never(now.and_then(|now| now.until)),
        note: text(now.map(|now| now.note.as_str())),
        eventSource: text(now.map(|now| now.source.as_str())),
        transferNumber: text(now.map(|now| now.transfer_to.as_str())),
        tail,
    });
}

fn setting_changed<'w>(scene: &mut Scene<'w, '_>, name: &'w str, setting: &'w Setting) {
    let user = scene.user(name);
    scene.tell(user, |scene, head, tail| UserSetting {
        head,
        userId: user,
        organizationId: scene.organisation(),
        keyword: Cow::Borrowed(&setting.keyword),
        value: Cow::Borrowed(&setting.value),
        values: values(setting.values.as_ref()),
        allowedValues: values(setting.allowed.as_ref()),
        deleted: false,
        level: match setting.level {
            SettingLevel::Undefined => UserSettingLevelEnum::Undefined,
            SettingLevel::User => UserSettingLevelEnum::User,
            SettingLevel::Administrator => UserSettingLevelEnum::Administrator,
        },
        tail,
    });
}

fn setting_removed<'w>(scene: &mut Scene<'w, '_>, name: &'w str, keyword: &'w str) {
    let user = scene.user(name);
    scene.tell(user, |scene, head, tail| UserSetting {
        head,
        userId: user,
        organizationId: scene.organisation(),
        keyword: Cow::Borrowed(keyword),
        value: text(None),
        values: None,
        allowedValues: None,
        deleted: true,
        level: UserSettingLevelEnum::Undefined,
        tail,
    });
}

fn wrapup_wanted<'w>(scene: &mut Scene<'w, '_>, name: &'w str, wish: &'w WrapUpWish) {
    let user = scene.user(name);
    scene.tell(user, |scene, head, tail| UserWrapUpRequestInitiate {
        head,
        allowWithoutCall: match wish.without_call {
            WithoutCall::No => 0,
            WithoutCall::Yes => 1,
            WithoutCall::Only => 2,
        },
        callBackId: wish.callback,
        callBackListId: wish.list.as_ref().map(|list| scene.list(list)),
        callId: wish.call.map(|call| scene.call(call)),
        legId: text(None),
        maxWrapUpTimeSec: seconds(wish.max_s),
        organizationId: scene.organisation(),
        queueId: wish.queue.as_ref().map(|queue| scene.queue(queue)),
        userId: user,
        wrapUpId: wish.id,
        tail,
    });
}

fn wrapup_unwanted<'w>(scene: &mut Scene<'w, '_>, name: &'w str, wrapup: Option<Guid>, reason: &'w str) {
    let user = scene.user(name);
    scene.tell(user, |scene, head, tail| UserWrapUpRequestTerminate {
        head,
        userId: user,
        organizationId: scene.organisation(),
        reason: Cow::Borrowed(reason),
        wrapUpId: wrapup,
        tail,
    });
}

fn recording_converted<'w>(scene: &mut Scene<'w, '_>, name: &'w str, converted: &'w Converted) {
    let user = scene.user(name);
    let Converted { call, recording, conversion, channel, outbound } = *converted;
    if outbound {
        scene.tell(user, |scene, head, tail| UserCallOutRecordingConverted {
            head,
            callId: call,
            organizationId: scene.organisation(),
            userId: user,
            recordingId: recording,
            conversionId: conversion,
            userChannel: channel,
            tail,
        });
        return;
    }
    scene.tell(user, |scene, head, tail| UserCallInRecordingConverted {
        head,
        callId: call,
        organizationId: scene.organisation(),
        userId: user,
        recordingId: recording,
        conversionId: conversion,
        userChannel: channel,
        tail,
    });
}

/// What a transcript is called whose kind nobody said.
const KIND_UNKNOWN: &str = "Unknown";
/// Parts of the whole that confidence is stored in.
const MILLION: f64 = 1_000_000.0;

fn phrase_heard<'w>(scene: &mut Scene<'w, '_>, name: &'w str, phrase: &'w Phrase) {
    let user = scene.user(name);
    scene.tell(user, |scene, head, tail| UserRealTimeTranscriptPhrase {
        head,
        callId: phrase.call,
        legId: Cow::Borrowed(&phrase.leg),
        userId: user,
        organizationId: scene.organisation(),
        queueId: phrase.queue.as_ref().map(|queue| scene.queue(queue)),
        callListId: phrase.list.as_ref().map(|list| scene.list(list)),
        speakerRole: phrase.speaker,
        phrase: Cow::Borrowed(&phrase.text),
        confidence: f64::from(phrase.confidence_ppm) / MILLION,
        duration: phrase.duration_ms,
        offsetMilliseconds: phrase.offset_ms,
        isIntermediate: phrase.interim,
        realtimeType: Cow::Borrowed(if phrase.kind.is_empty() { KIND_UNKNOWN } else { &phrase.kind }),
        tail,
    });
}

/// Says a fact about an alert.
pub(super) fn alert(scene: &mut Scene<'_, '_>, id: Guid, fact: &AlertFact) {
    let AlertFact::Fired { value } = fact else { return };
    let Some(alert) = scene.world.directory.alerts.get(&id) else { return };
    let (rule, user) = (&alert.rule, scene.user(&alert.rule.user));
    scene.tell(user, |scene, head, tail| UserAlert {
        head,
        alertId: id,
        userId: user,
        organizationId: scene.organisation(),
        conditionName: Cow::Borrowed(&rule.name),
        conditionValue: Cow::Borrowed(&rule.threshold),
        conditionExpression: Cow::Borrowed(&rule.text),
        value: Cow::Owned(value.to_string()),
        tail,
    });
    scene.also(scene.queue(&rule.queue));
}

/// Says a fact about a callback: all of it, and the person it is addressed to where it is new.
pub(super) fn callback(scene: &mut Scene<'_, '_>, id: Guid, fact: &CallbackFact) {
    let created = matches!(fact, CallbackFact::Created(_));
    let Some(state) = scene.world.directory.callbacks.get(&id) else { return };
    if let (true, Some(personal)) = (created, &state.callback.personal) {
        personal_callback(scene, id, state, personal);
    }
    changed(scene, id, state, created);
}

fn personal_callback<'w>(scene: &mut Scene<'w, '_>, id: Guid, state: &'w CallbackState, personal: &'w str) {
    let (user, callback) = (scene.user(personal), &state.callback);
    scene.tell(user, |scene, head, tail| UserCallInCallbackCreated {
        head,
        userId: user,
        callBackId: id,
        callListId: scene.list(&callback.list),
        organizationId: scene.organisation(),
        callId: callback.call.map(|call| scene.call(call)),
        legId: text(None),
        recordingId: callback.details.recording,
        contactNumber: Cow::Borrowed(&callback.details.contact_number),
        targetNumber: Cow::Borrowed(&callback.target_number),
        contactMessage: Cow::Borrowed(&callback.details.contact_message),
        creationTime: Moment::At(state.created),
        tail,
    });
}

/// Says all of a callback.
pub(super) fn changed<'w>(scene: &mut Scene<'w, '_>, id: Guid, state: &'w CallbackState, created: bool) {
    let (callback, details) = (&state.callback, &state.callback.details);
    let list = scene.list(&callback.list);
    let last = state.attempts.last();
    let event = EventName::CallbackChanged;
    let user = |scene: &Scene<'w, '_>, name: Option<&String>| name.map(|name| scene.user(name));
    let moment = |time: Option<Time>| time.map(Moment::At);
    let message = CallbackChanged {
        head: scene.head(event, list),
        messageTTLSeconds: ttl(event),
        callBackId: id,
        callListId: list,
        organizationId: scene.organisation(),
        modified: Moment::At(state.modified),
        assignedUserId: user(scene, state.assigned.as_ref()),
        lastAttemptUserId: user(scene, last.and_then(|last| last.by.as_ref())),
        lastModifiedUserId: user(scene, state.modified_by.as_ref()).filter(|_| !created),
        lastAttemptTypeId: last.and_then(|last| last.result),
        contactName: Cow::Borrowed(&details.contact_name),
        contactNumber: Cow::Borrowed(&details.contact_number),
        contactMessage: Cow::Borrowed(&details.contact_message),
        note: Cow::Borrowed(&details.note),
        queueId: callback.queue.as_ref().map(|queue| scene.queue(queue)),
        channelIn: Cow::Borrowed(&details.channel),
        creationTime: Moment::At(state.created),
        created,
        isClosed: state.closed.is_some(),
        recordingId: details.recording,
        typeId: match callback.kind {
            CallbackKind::Requested => 1,
            CallbackKind::Overflown => 2,
            CallbackKind::Manual => 3,
        },
        dueDate: moment(details.due),
        callId: callback.call.map(|call| scene.call(call)),
        transcriptId: details.transcript,
        classificationId: details.classification,
        expiryDate: moment(details.expires),
        lastAttemptTimestamp: last.map(|last| Moment::At(last.at)),
        lastAttemptNote: text(last.map(|last| last.note.as_str())),
        calculatedPriority: Cow::Owned(details.priority.to_string()),
        notBefore: moment(details.not_before),
        callbackAttempts: attempts(scene, state),
        callbackExtras: extras(state),
        callbackRelatedItems: related(scene, state),
        mark: scene.mark(event, list),
    };
    scene.push(list, &message);
}

fn attempts<'w>(scene: &Scene<'w, '_>, state: &'w CallbackState) -> Option<Vec<CallbackAttempt<'w>>> {
    let attempts = state.attempts.iter().map(|attempt| CallbackAttempt {
        id: attempt.id,
        userId: attempt.by.as_ref().map(|by| scene.user(by)),
        timestamp: Some(Stamp(attempt.at)),
        callbackAttemptTypeId: attempt.result,
        note: Cow::Borrowed(&attempt.note),
        recordingId: attempt.recording,
        callId: attempt.call.map(|call| scene.call(call)),
    });
    some(attempts.collect())
}

fn extras(state: &CallbackState) -> Option<Vec<CallbackExtra<'_>>> {
    let extras = (1..).zip(&state.callback.details.extras).map(|(id, (name, value))| CallbackExtra {
        id,
        name: Cow::Borrowed(name),
        value: Cow::Borrowed(value),
    });
    some(extras.collect())
}

fn related(scene: &Scene<'_, '_>, state: &CallbackState) -> Option<Vec<CallbackRelatedItem>> {
    let related = state.callback.details.related.iter().map(|id| {
        let other = scene.world.directory.callbacks.get(id);
        CallbackRelatedItem {
            id: *id,
            listId: other.map(|other| scene.list(&other.callback.list)),
            isClosed: other.is_some_and(|other| other.closed.is_some()),
            statusId: other.and_then(|other| other.attempts.last()?.result),
        }
    });
    some(related.collect())
}

/// A list with nothing in it is none.
fn some<T>(list: Vec<T>) -> Option<Vec<T>> {
    Some(list).filter(|list| !list.is_empty())
}

fn text(text: Option<&str>) -> Text<'_> {
    Cow::Borrowed(text.unwrap_or_default())
}

fn values(values: Option<&alloc::collections::BTreeMap<String, String>>) -> Option<Values<'_>> {
    let pair = |(name, value)| (text(Some(name)), text(Some(value)));
    values.map(|values| values.iter().map(|(name, value)| (name.as_str(), value.as_str())).map(pair).collect())
}

fn seconds(seconds: u64) -> i32 {
    i32::try_from(seconds).unwrap_or(i32::MAX)
}
