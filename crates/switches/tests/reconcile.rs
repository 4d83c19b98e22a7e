//! A comparison of the whole state on a living connection: what it does not show may just be on its way.

use cordboard_core::event::{Cause, Origin};
use cordboard_core::observation::LegSeen;
use cordboard_core::{Observation, Seen, Time};
use cordboard_switches::asterisk::ami::Message;
use cordboard_switches::asterisk::snapshot::{SnapshotPart, Tagged};
use cordboard_switches::asterisk::{Picture, PictureSettings};

const UID: &str = "1795174286.0";

/// A call is under way, and then a snapshot does not show it. Gives what was seen of its leg's end after `then`.
fn end_after(then: impl FnOnce(&mut Picture)) -> Vec<(Cause, Origin)> {
    let mut picture = Picture::new(PictureSettings::default());
    let at = Time(1_000_000);
    // The state was read before: a connection that was never lost.
    snapshot(&mut picture, at);
    picture.handle_tagged(at, &Tagged::Live(event("Newchannel", &[("ChannelState", "4"), ("Exten", "100")])));
    snapshot(&mut picture, at.plus_ms(5_000));
    then(&mut picture);
    let seen = std::iter::from_fn(|| picture.poll());
    seen.filter_map(|Observation { origin, seen, .. }| {
        let Seen::Leg { seen: LegSeen::Hangup { cause, .. }, .. } = seen else { return None };
        Some((cause, origin))
    })
    .collect()
}

fn snapshot(picture: &mut Picture, at: Time) {
    picture.handle_tagged(at, &Tagged::SnapshotStarted);
    for part in [SnapshotPart::Status, SnapshotPart::Queues] {
        picture.handle_tagged(at, &Tagged::SnapshotDone { part, known: true });
    }
    picture.handle_tagged(at, &Tagged::SnapshotComplete);
}

fn event(name: &str, more: &[(&str, &str)]) -> Message {
    let own = [
        ("Event", name),
        ("Channel", "PJSIP/trunk-00000000"),
        ("Uniqueid", UID),
        ("Linkedid", UID),
        ("CallerIDNum", "+47"),
    ];
    Message::from_headers(own.into_iter().chain(more.iter().copied()))
}

#[test]
fn a_hangup_that_a_snapshot_overtook_is_no_loss() {
    let seen = end_after(|picture| {
        let at = Time(1_000_000).plus_ms(5_010);
        picture.handle_tagged(at, &Tagged::Live(event("HangupRequest", &[])));
        picture.handle_tagged(at, &Tagged::Live(event("Hangup", &[("Cause", "17")])));
        picture.handle_timeout(at.plus_ms(60_000));
    });
    assert_eq!(seen, [(Cause::Busy, Origin::Live)]);
}

#[test]
fn a_channel_that_stays_missing_is_lost() {
    assert_eq!(end_after(|picture| picture.handle_timeout(Time(1_000_000).plus_ms(6_500))), [], "it has two seconds");
    assert_eq!(
        end_after(|picture| picture.handle_timeout(Time(1_000_000).plus_ms(7_000))),
        [(Cause::Lost, Origin::Synthesised)]
    );
}

#[test]
fn after_a_lost_connection_what_is_missing_is_lost_at_once() {
    let seen = end_after(|picture| {
        picture.handle_closed(Time(1_000_000).plus_ms(5_500), "cut");
        picture.handle_tagged(
            Time(1_000_000).plus_ms(6_000),
            &Tagged::Live(event("Newchannel", &[("ChannelState", "4"), ("Exten", "100")])),
        );
        snapshot(picture, Time(1_000_000).plus_ms(8_000));
    });
    assert_eq!(seen.first(), Some(&(Cause::Lost, Origin::Synthesised)));
}
