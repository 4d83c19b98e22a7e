//! Calls that wait, in real time.

use std::time::Duration;

use kafka_protocol::messages::{GroupId, JoinGroupResponse, LeaveGroupRequest};

use super::super::{ClientInfo, Groups, wire::text};
use super::house::{CLIENT, JOIN, Owner, beat, config, join, joining, open, sync};
use crate::config::KafkaGroups;
use crate::log::faulty_disk::FaultyDisk;

const ME: Owner = Owner("acme");
/// A session that tests can wait for. Milliseconds.
const SESSION_MS: i32 = 400;

/// Beats until it is told something else than that all is well.
async fn told(groups: &Groups, joined: &JoinGroupResponse) -> i16 {
    loop {
        tokio::time::sleep(Duration::from_millis(50)).await;
        let code = beat(groups, &ME, "g", joined).await;
        if code != 0 {
            return code;
        }
    }
}

#[tokio::test]
async fn two_members_share_and_one_that_is_silent_is_left_out() {
    let disk = FaultyDisk::new(1);
    let groups = open(&disk, &KafkaGroups { initial_delay_ms: 300, ..config() }).unwrap();
    let brief = || joining("g", "").with_session_timeout_ms(SESSION_MS);
    let joins = || groups.join_group(&ME, CLIENT, 3, brief());
    let (first, second) = tokio::join!(joins(), joins());
    assert_eq!((first.generation_id, first.leader.clone()), (second.generation_id, second.leader.clone()));
    let (one, two) = tokio::join!(sync(&groups, &ME, "g", &first), sync(&groups, &ME, "g", &second));
    assert_eq!(one.assignment, first.member_id.as_bytes());
    assert_eq!(two.assignment, second.member_id.as_bytes());
    assert_eq!(told(&groups, &first).await, 27, "REBALANCE_IN_PROGRESS");
    assert_eq!(beat(&groups, &ME, "g", &second).await, 25, "the other one was silent for longer than its session");
    let again = groups.join_group(&ME, CLIENT, JOIN, joining("g", &first.member_id)).await;
    assert_eq!((again.error_code, again.members.len()), (0, 1));
    assert!(again.generation_id > first.generation_id);
}

#[tokio::test]
async fn who_waits_when_the_server_ends_is_answered() {
    let disk = FaultyDisk::new(1);
    let groups = open(&disk, &KafkaGroups { initial_delay_ms: 60_000, ..config() }).unwrap();
    let waiting = groups.join_group(&ME, CLIENT, 3, joining("g", ""));
    let ending = async {
        while groups.metrics().members.get() == 0 {
            tokio::task::yield_now().await;
        }
        groups.stop().await.unwrap();
    };
    let (told, ()) = tokio::join!(waiting, ending);
    assert_eq!(told.error_code, 15, "COORDINATOR_NOT_AVAILABLE");
    let late = groups.join_group(&ME, CLIENT, 3, joining("g", "")).await;
    assert_eq!(late.error_code, 15);
}

#[tokio::test]
async fn a_call_that_is_given_up_harms_nobody() {
    let disk = FaultyDisk::new(1);
    let groups = open(&disk, &config()).unwrap();
    let first = join(&groups, &ME, "g").await;
    sync(&groups, &ME, "g", &first).await;
    // Its connection ends while it waits for the first one, which hears of it by its heartbeat.
    let gone = ClientInfo { id: "gone", host: "" };
    let given_up = groups.join_group(&ME, gone, 3, joining("g", "").with_session_timeout_ms(SESSION_MS));
    assert!(tokio::time::timeout(Duration::from_millis(20), given_up).await.is_err());
    assert_eq!(told(&groups, &first).await, 27);
    let again = groups.join_group(&ME, CLIENT, JOIN, joining("g", &first.member_id)).await;
    assert_eq!((again.error_code, again.members.len()), (0, 2));
    // It never heard of its member id; it is left out when its session is over.
    assert_eq!(sync(&groups, &ME, "g", &again).await.error_code, 0);
    assert_eq!(told(&groups, &again).await, 27);
    let alone = groups.join_group(&ME, CLIENT, JOIN, joining("g", &first.member_id)).await;
    assert_eq!((alone.error_code, alone.members.len()), (0, 1));
    let leaving = LeaveGroupRequest::default().with_group_id(GroupId(text("g"))).with_member_id(alone.member_id);
    assert_eq!(groups.leave_group(&ME, 2, leaving).await.error_code, 0);
    assert_eq!(groups.metrics().members.get(), 0);
}
