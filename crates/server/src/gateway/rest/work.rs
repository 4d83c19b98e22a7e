//! After-call work, and what outside services report of calls.

use axum::http::StatusCode;
use cordboard_core::change::Change;
use cordboard_core::event::{Converted, Phrase, WithoutCall, WrapUpWish};
use cordboard_core::request::Ask;

use super::super::access::Refusal;
use super::availability::person;
use super::call::{Call, Reply, id, new_id};
use super::names;
use super::route::Outcome;
use super::shapes::{NewPhrase, NewRecording, NewWrapUp};
use crate::identity::Identity;
use crate::mirror::View;

/// In a path, the after-call work under way, whatever its id.
const CURRENT: &str = "current";
/// What the event says of after-call work that somebody ends.
const REASON: &str = "manual";
/// Longest phrase, in bytes.
const PHRASE_BYTES_MAX: usize = 4_096;

pub(super) async fn begin_wrapup(mut call: Call) -> Outcome {
    let given: NewWrapUp = call.body()?;
    let without_call = match given.allow_without_call {
        0 => WithoutCall::No,
        1 => WithoutCall::Yes,
        2 => WithoutCall::Only,
        _ => return Err(Refusal::wrong("AllowWithoutCall: right would be 0, 1 or 2")),
    };
    let text = call.part("user");
    let (called, queue, list) = (given.call_id, given.queue_id, given.call_list_id);
    let look = move |world: &View<'_>, caller: &Identity| {
        let user = names::user(world, caller, &text)?;
        let conn = called.map(|guid| names::call(world, guid)).transpose()?;
        let queue = names::maybe(names::queue, (world, caller), queue.as_deref())?;
        Ok((user, conn, queue, names::maybe(names::list, (world, caller), list.as_deref())?))
    };
    let (user, conn, queue, list) = call.look(look).await?;
    let id = new_id()?;
    let (max_s, callback) = (given.max_wrap_up_time_sec, given.call_back_id);
    let wish = WrapUpWish { id, max_s, without_call, call: conn, queue, list, callback };
    call.make(id, Change::BeginWrapUp { user, wish }).await
}

pub(super) async fn end_wrapup(call: Call) -> Outcome {
    let text = call.part("wrapup");
    let wrapup = if text.eq_ignore_ascii_case(CURRENT) { None } else { Some(id("wrapup", &text)?) };
    let user = person(&call).await?;
    call.change(wrapup, Change::EndWrapUp { user, wrapup, reason: REASON.to_owned() }).await
}

pub(super) async fn recording(mut call: Call) -> Outcome {
    let called = call.id("call")?;
    let NewRecording { user_id, outbound, recording_id, conversion_id, user_channel } = call.body()?;
    let user = call.look(move |world, caller| names::user(world, caller, &user_id)).await?;
    let converted =
        Converted { call: called, outbound, recording: recording_id, conversion: conversion_id, channel: user_channel };
    call.make(recording_id, Change::ReportRecording { user, converted }).await
}

pub(super) async fn phrase(mut call: Call) -> Outcome {
    let (given, called): (NewPhrase, _) = (call.body()?, call.id("call")?);
    if !(0.0..=1.0).contains(&given.confidence) {
        return Err(Refusal::wrong("Confidence: right would be from 0 to 1"));
    }
    if given.phrase.len() > PHRASE_BYTES_MAX {
        return Err(Refusal::wrong(format!("Phrase: right would be {PHRASE_BYTES_MAX} bytes at most")));
    }
    let (user, queue, list) = (given.user_id, given.queue_id, given.call_list_id);
    let look = move |world: &View<'_>, caller: &Identity| {
        let queue = names::maybe(names::queue, (world, caller), queue.as_deref())?;
        let list = names::maybe(names::list, (world, caller), list.as_deref())?;
        Ok((names::user(world, caller, &user)?, queue, list))
    };
    let (user, queue, list) = call.look(look).await?;
    let phrase = Phrase {
        call: called,
        leg: given.leg_id,
        queue,
        list,
        speaker: given.speaker_role,
        text: given.phrase,
        // Between 0 and a million, so nothing is cut off.
        confidence_ppm: (given.confidence * 1e6).round() as u32,
        duration_ms: given.duration,
        offset_ms: given.offset_milliseconds,
        interim: given.is_intermediate,
        kind: given.realtime_type,
    };
    let position = call.ask(String::new(), Ask::Change(Box::new(Change::ReportPhrase { user, phrase }))).await?;
    Reply::done(StatusCode::CREATED, None, position)
}
