//! Committed offsets: what is kept, what it may be, what grows old, and who sees it.

use std::collections::BTreeMap;

use kafka_protocol::ResponseError;
use proptest::prelude::*;

use crate::groups::{Change, Committed, Life, OffsetLimits, Offsets, Place, Stored};

fn committed(owner: &str, group: &str, topic: &str, partition: i32, offset: i64, at_ms: u64) -> Change {
    let offsets = vec![(Place::new(topic, partition), offset, 3, "m".to_owned(), at_ms)];
    Change::Committed { owner: owner.to_owned(), group: group.to_owned(), offsets }
}

fn change() -> impl Strategy<Value = Change> {
    let owner = || prop_oneof![Just("a".to_owned()), Just("b".to_owned())];
    let group = || prop_oneof![Just("g".to_owned()), Just("h".to_owned())];
    let place = || (prop_oneof![Just("t"), Just("u")], 0..3).prop_map(|(topic, index)| Place::new(topic, index));
    let offset = (place(), -1..1_000_i64, -1..3, "[a-c]{0,4}", 0..1_000_u64);
    prop_oneof![
        8 => (owner(), group(), proptest::collection::vec(offset, 0..4))
            .prop_map(|(owner, group, offsets)| Change::Committed { owner, group, offsets }),
        2 => (owner(), group(), proptest::collection::vec(place(), 0..4))
            .prop_map(|(owner, group, places)| Change::Forgotten { owner, group, places }),
        1 => (owner(), group()).prop_map(|(owner, group)| Change::Deleted { owner, group }),
        1 => (owner(), group())
            .prop_map(|(owner, group)| Change::Peopled { owner, group, protocol_type: "consumer".to_owned() }),
        1 => (owner(), group(), 0..1_000_u64).prop_map(|(owner, group, at_ms)| {
            Change::Vacated { owner, group, protocol_type: "consumer".to_owned(), at_ms }
        }),
        1 => (0..9).prop_map(|max| Change::Generations { max }),
    ]
}

/// The same, by the simplest means.
#[derive(Default)]
struct Model(BTreeMap<(String, String, Place), Kept>);

type Kept = (i64, i32, String, u64);

impl Model {
    fn apply(&mut self, change: &Change) {
        match change.clone() {
            Change::Committed { owner, group, offsets } => {
                for (place, offset, epoch, metadata, at_ms) in offsets {
                    self.0.insert((owner.clone(), group.clone(), place), (offset, epoch, metadata, at_ms));
                }
            }
            Change::Forgotten { owner, group, places } => {
                places.into_iter().for_each(|place| _ = self.0.remove(&(owner.clone(), group.clone(), place)));
            }
            Change::Deleted { owner, group } => self.0.retain(|key, _| (&key.0, &key.1) != (&owner, &group)),
            Change::Peopled { .. } | Change::Vacated { .. } | Change::Generations { .. } => {}
        }
    }
}

proptest! {
    #[test]
    fn offsets_are_what_was_committed_last(changes in proptest::collection::vec(change(), 0..60)) {
        let (mut offsets, mut model) = (Offsets::default(), Model::default());
        for change in &changes {
            offsets.apply(change);
            model.apply(change);
            prop_assert_eq!(offsets.len(), model.0.len());
        }
        for owner in ["a", "b"] {
            for group in ["g", "h"] {
                let found: Vec<_> = offsets.of_group(owner, group).map(|(topic, index, it)| {
                    (Place::new(topic, index), (it.offset, it.leader_epoch, it.metadata.to_string(), it.at_ms))
                }).collect();
                let of_model = model.0.iter().filter(|(key, _)| key.0 == owner && key.1 == group);
                let right: Vec<_> = of_model.map(|(key, it)| (key.2.clone(), it.clone())).collect();
                prop_assert_eq!(found, right);
            }
        }
    }

    #[test]
    fn a_sum_is_worth_all_its_changes(
        before in proptest::collection::vec(change(), 0..40),
        after in proptest::collection::vec(change(), 0..20),
    ) {
        let (mut offsets, mut again) = (Offsets::default(), Offsets::default());
        before.iter().for_each(|change| offsets.apply(change));
        let bytes = Stored::encode(offsets.changes()).unwrap();
        Stored::decode(&bytes).unwrap().iter().for_each(|change| again.apply(change));
        prop_assert_eq!(&offsets, &again);
        after.iter().for_each(|change| { offsets.apply(change); again.apply(change); });
        prop_assert_eq!(&offsets, &again);
        for owner in ["a", "b"] {
            for group in ["g", "h"] {
                let gone = Change::Deleted { owner: owner.to_owned(), group: group.to_owned() };
                offsets.apply(&gone);
            }
        }
        prop_assert_eq!((offsets.len(), offsets.bytes()), (0, 0), "nothing is left of what is gone");
    }
}

#[test]
fn other_forms_are_refused_in_words() {
    let later = br#"{"version":2,"changes":[]}"#;
    assert!(Stored::decode(later).unwrap_err().to_string().contains("start the later program"));
    assert!(Stored::decode(b"{}").is_err());
    let written = Stored::encode(vec![committed("a", "g", "t", 0, 7, 1_000)]).unwrap();
    let right = r#"{"version":1,"changes":[{"committed":{"owner":"a","group":"g","offsets":[[{"topic":"t","partition":0},7,3,"m",1000]]}}]}"#;
    assert_eq!(String::from_utf8(written).unwrap(), right, "what is on disk already must stay readable");
}

#[test]
fn an_owner_sees_its_own_offsets_only() {
    let mut offsets = Offsets::default();
    offsets.apply(&committed("a", "g", "t", 0, 7, 1));
    offsets.apply(&committed("b", "g", "t", 0, 8, 1));
    let get = |owner: &str| offsets.get(owner, "g", &Place::new("t", 0)).map(|it| it.offset);
    assert_eq!((get("a"), get("b"), get("c")), (Some(7), Some(8), None));
    assert_eq!(offsets.groups("c").count(), 0);
    offsets.apply(&Change::Deleted { owner: "a".to_owned(), group: "g".to_owned() });
    assert_eq!(offsets.get("b", "g", &Place::new("t", 0)).map(|it| it.offset), Some(8));
}

#[test]
fn everything_has_its_limit() {
    let limits = OffsetLimits {
        offsets_max: 3,
        owner_offsets_max: 2,
        owner_groups_max: 1,
        metadata_bytes_max: 4,
        ..OffsetLimits::default()
    };
    let mut offsets = Offsets::default();
    let admit = |offsets: &Offsets, owner: &str, group: &str, wanted: &[(i32, &str)]| {
        let wanted: Vec<_> = wanted.iter().map(|(index, metadata)| (Place::new("t", *index), *metadata)).collect();
        offsets.admit(&limits, owner, group, &wanted)
    };
    let (large, full) = (Err(ResponseError::OffsetMetadataTooLarge), Err(ResponseError::PolicyViolation));
    // Each by itself, and the same place twice is one.
    let told = admit(&offsets, "a", "g", &[(0, ""), (0, ""), (1, "12345"), (1, "1234"), (2, "")]);
    assert_eq!(told, [Ok(()), Ok(()), large, Ok(()), full]);
    offsets.apply(&committed("a", "g", "t", 0, 1, 0));
    offsets.apply(&committed("a", "g", "t", 1, 1, 0));
    assert_eq!(admit(&offsets, "a", "g", &[(0, ""), (2, "")]), [Ok(()), full], "what is there may go on");
    assert_eq!(admit(&offsets, "a", "h", &[(0, "")]), [full], "one group more than allowed");
    assert_eq!(admit(&offsets, "b", "g", &[(0, ""), (1, "")]), [Ok(()), full], "all together");
    let small = OffsetLimits { owner_bytes_max: offsets.bytes() + 10, ..OffsetLimits::default() };
    assert_eq!(offsets.admit(&small, "a", "g", &[(Place::new("t", 2), "")]), [full]);
    assert_eq!(offsets.admit(&small, "a", "g", &[(Place::new("t", 1), "123")]), [Ok(())]);
}

#[test]
fn what_is_old_is_forgotten_where_nobody_needs_it() {
    let limits = OffsetLimits { age_ms_max: 100, ..OffsetLimits::default() };
    let of = |life: Life| {
        let mut offsets = Offsets::default();
        let (owner, group) = ("a".to_owned(), "g".to_owned());
        let protocol_type = "consumer".to_owned();
        offsets.apply(&committed("a", "g", "t", 0, 7, 1_000));
        match life {
            Life::Simple => {}
            Life::Peopled => offsets.apply(&Change::Peopled { owner, group, protocol_type }),
            Life::Vacated { at_ms } => offsets.apply(&Change::Vacated { owner, group, protocol_type, at_ms }),
        }
        offsets
    };
    let is_old = |life: Life, now_ms: u64, given_up: bool| {
        let mut offsets = of(life);
        let changes = offsets.expired(now_ms, &limits, |_, _, _| given_up);
        changes.iter().for_each(|change| offsets.apply(change));
        assert!(life == Life::Peopled || offsets.is_empty() == (offsets.groups("a").count() == 0));
        offsets.is_empty()
    };
    // A program that reads without a group: since it committed.
    assert!(!is_old(Life::Simple, 1_099, false) && is_old(Life::Simple, 1_100, false));
    // A group: as long as it has members, unless they read something else now.
    assert!(!is_old(Life::Peopled, 9_999, false));
    assert!(!is_old(Life::Peopled, 1_099, true) && is_old(Life::Peopled, 1_100, true));
    // And since it has none, or since the last commit all the same.
    assert!(
        !is_old(Life::Vacated { at_ms: 5_000 }, 5_099, false) && is_old(Life::Vacated { at_ms: 5_000 }, 5_100, false)
    );
    assert!(!is_old(Life::Vacated { at_ms: 500 }, 1_099, false) && is_old(Life::Vacated { at_ms: 500 }, 1_100, false));
}

#[test]
fn after_a_restart_groups_have_no_members_and_their_offsets_stay() {
    let mut offsets = Offsets::default();
    let peopled = |group: &str| Change::Peopled {
        owner: "a".to_owned(),
        group: group.to_owned(),
        protocol_type: "consumer".to_owned(),
    };
    offsets.apply(&peopled("g"));
    offsets.apply(&peopled("nothing committed"));
    offsets.apply(&committed("a", "g", "t", 0, 7, 1_000));
    let changes = offsets.restarted(2_000);
    assert_eq!(changes.len(), 2);
    changes.iter().for_each(|change| offsets.apply(change));
    let groups: Vec<_> =
        offsets.groups("a").map(|(name, life, kind)| (name.to_string(), life, kind.to_string())).collect();
    assert_eq!(groups, [("g".to_owned(), Life::Vacated { at_ms: 2_000 }, "consumer".to_owned())]);
    let place = Place::new("t", 0);
    let right = Committed { offset: 7, leader_epoch: 3, metadata: "m".into(), at_ms: 1_000 };
    assert_eq!(offsets.get("a", "g", &place), Some(&right));
}
