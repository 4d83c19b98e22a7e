//! Power cuts, kill -9, full and failing disks: what was acknowledged stays.

use std::collections::BTreeMap;

use super::house::{Owner, beat, commit, committed, config, fetched, join, open, sync};
use crate::config::KafkaGroups;
use crate::log::faulty_disk::{Faults, FaultyDisk, SplitMix64, Tearing};

const ME: Owner = Owner("acme");
const SEEDS: u64 = 60;

/// The code by which clients are told to try again.
const NOT_AVAILABLE: i16 = 15;

/// Of each place: the last offset that was acknowledged, and the last that was tried.
type Tried = BTreeMap<(u64, i32), (i64, i64)>;

#[tokio::test]
async fn what_was_acknowledged_survives_every_crash() {
    let mut acknowledged = 0;
    for seed in 0..SEEDS {
        let (disk, mut chance) = (FaultyDisk::new(seed), SplitMix64::new(seed));
        let mut tried = Tried::new();
        for life in 0..4 {
            let groups = open(&disk, &config()).unwrap();
            check(&groups, &mut tried, seed).await;
            disk.set_faults(Faults {
                power_off_after: Some(chance.below(120)),
                short_writes_per_256: 40,
                ..Faults::default()
            });
            for offset in 0..40 {
                let (group, partition) = (chance.below(3), chance.below(4) as i32);
                let place = tried.entry((group, partition)).or_insert((-1, -1));
                place.1 = life * 1_000 + offset;
                if committed(&groups, &ME, commit(&format!("g{group}"), partition, place.1)).await == 0 {
                    place.0 = place.1;
                    acknowledged += 1;
                }
                if chance.below(8) == 0 {
                    groups.keep_house().await;
                }
            }
            let tearing =
                [Tearing::Nothing, Tearing::Prefix, Tearing::Sectors, Tearing::Garbage][chance.below(4) as usize];
            if chance.below(3) == 0 {
                disk.kill()
            } else {
                disk.crash(tearing)
            }
            // It cannot be closed well any more, and need not be.
            _ = groups.stop().await;
        }
    }
    assert!(acknowledged > SEEDS * 40, "only {acknowledged} were acknowledged at all");
}

/// What is there is what was acknowledged, or something later that was tried.
async fn check(groups: &super::super::Groups, tried: &mut Tried, seed: u64) {
    for ((group, partition), (kept, last)) in tried {
        let found = fetched(groups, &ME, &format!("g{group}"), *partition).await;
        assert!((*kept..=*last).contains(&found), "seed {seed}: {found} is not in {kept}..={last}");
        // From now on it is known.
        *kept = found;
    }
}

#[tokio::test]
async fn a_full_disk_delays_commits_and_loses_none() {
    let disk = FaultyDisk::new(1);
    let groups = open(&disk, &KafkaGroups { commit_ms_max: 50, ..config() }).unwrap();
    assert_eq!(committed(&groups, &ME, commit("g", 0, 1)).await, 0);
    disk.set_faults(Faults { space_bytes_max: Some(0), ..Faults::default() });
    assert_eq!(committed(&groups, &ME, commit("g", 0, 2)).await, NOT_AVAILABLE);
    while groups.metrics().writable.get() == 1 {
        tokio::task::yield_now().await;
    }
    disk.set_faults(Faults::default());
    while committed(&groups, &ME, commit("g", 0, 3)).await != 0 {}
    while groups.metrics().writable.get() == 0 {
        tokio::task::yield_now().await;
    }
    assert_eq!(fetched(&groups, &ME, "g", 0).await, 3);
    groups.stop().await.unwrap();
}

#[tokio::test]
async fn after_a_failed_sync_nothing_is_acknowledged() {
    let disk = FaultyDisk::new(1);
    let groups = open(&disk, &config()).unwrap();
    disk.set_faults(Faults { fail_sync_after: Some(0), ..Faults::default() });
    assert_eq!(committed(&groups, &ME, commit("g", 0, 2)).await, NOT_AVAILABLE);
    assert_eq!(committed(&groups, &ME, commit("g", 0, 3)).await, NOT_AVAILABLE);
    disk.crash(Tearing::Nothing);
    let groups = open(&disk, &config()).unwrap();
    assert_eq!(fetched(&groups, &ME, "g", 0).await, -1);
}

#[tokio::test]
async fn members_of_before_a_restart_are_unknown_and_generations_go_on() {
    let disk = FaultyDisk::new(1);
    let mut before = Vec::new();
    for life in 0..3 {
        let groups = open(&disk, &config()).unwrap();
        for joined in &before {
            assert_eq!(beat(&groups, &ME, "g", joined).await, 25, "UNKNOWN_MEMBER_ID");
            let late = commit("g", 0, 999)
                .with_generation_id_or_member_epoch(joined.generation_id)
                .with_member_id(joined.member_id.clone());
            let told = committed(&groups, &ME, late).await;
            assert!([22, 25].contains(&told), "{told}: ILLEGAL_GENERATION or UNKNOWN_MEMBER_ID");
        }
        let joined = join(&groups, &ME, "g").await;
        assert!(before.iter().all(|it: &kafka_protocol::messages::JoinGroupResponse| {
            it.generation_id < joined.generation_id && it.member_id != joined.member_id
        }));
        assert_eq!(sync(&groups, &ME, "g", &joined).await.error_code, 0);
        let mine = commit("g", 0, life)
            .with_generation_id_or_member_epoch(joined.generation_id)
            .with_member_id(joined.member_id.clone());
        assert_eq!(committed(&groups, &ME, mine).await, 0);
        assert_eq!(committed(&groups, &ME, commit("g", 0, 999)).await, 25, "the group has members");
        assert_eq!(fetched(&groups, &ME, "g", 0).await, life);
        before.push(joined);
        if life == 0 { groups.stop().await.unwrap() } else { disk.kill() }
    }
}

#[tokio::test]
async fn what_is_old_goes_from_the_disk_as_well() {
    let disk = FaultyDisk::new(1);
    let groups = open(&disk, &config()).unwrap();
    assert_eq!(committed(&groups, &ME, commit("g", 0, 7)).await, 0);
    groups.keep_house().await;
    assert_eq!(fetched(&groups, &ME, "g", 0).await, 7);
    groups.stop().await.unwrap();
    let at_once = KafkaGroups { offsets_age_s_max: 0, ..config() };
    let groups = open(&disk, &at_once).unwrap();
    groups.keep_house().await;
    assert_eq!(fetched(&groups, &ME, "g", 0).await, -1);
    groups.stop().await.unwrap();
    let groups = open(&disk, &config()).unwrap();
    assert_eq!(fetched(&groups, &ME, "g", 0).await, -1);
}
