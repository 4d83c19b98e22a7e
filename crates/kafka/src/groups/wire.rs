//! Requests and answers about groups, as each version of the protocol has them.

use bytes::Bytes;
use kafka_protocol::ResponseError;
use kafka_protocol::messages::describe_groups_response::{DescribedGroup, DescribedGroupMember};
use kafka_protocol::messages::join_group_response::JoinGroupResponseMember;
use kafka_protocol::messages::leave_group_response::MemberResponse;
use kafka_protocol::messages::{
    GroupId, HeartbeatRequest, JoinGroupRequest, JoinGroupResponse, LeaveGroupRequest, LeaveGroupResponse,
    OffsetCommitRequest, SyncGroupRequest, SyncGroupResponse,
};
use kafka_protocol::protocol::StrBytes;

use super::{Described, DescribedMember, Join, Joined, JoinedMember, Leaver, NotJoined, Sync, Synced, Who};

/// From this version on, a member without a name is sent away for its member id first.
const MEMBER_ID_REQUIRED_FROM: i16 = 4;
/// From this version on, leaders can be told to divide nothing.
const SKIP_ASSIGNMENT_FROM: i16 = 9;
/// From this version on, no way of dividing can be said as such.
const NO_PROTOCOL_FROM: i16 = 7;
/// From this version on, several may leave at once.
const LEAVERS_FROM: i16 = 3;

/// A request to join. `new_member` is the member id for somebody new, unique for ever.
#[must_use]
pub fn join(version: i16, request: &JoinGroupRequest, new_member: String, client_id: &str, client_host: &str) -> Join {
    let instance = request.group_instance_id.as_ref().map(|it| it.as_str().to_owned());
    Join {
        who: Who { member: request.member_id.as_str().to_owned(), instance, generation: -1 },
        new_member,
        member_id_required: version >= MEMBER_ID_REQUIRED_FROM,
        may_skip_assignment: version >= SKIP_ASSIGNMENT_FROM,
        client_id: client_id.to_owned(),
        client_host: client_host.to_owned(),
        session_ms: request.session_timeout_ms,
        // The oldest version has one time for both.
        rebalance_ms: if version == 0 { request.session_timeout_ms } else { request.rebalance_timeout_ms },
        protocol_type: request.protocol_type.as_str().to_owned(),
        protocols: request.protocols.iter().map(|it| (it.name.as_str().to_owned(), it.metadata.clone())).collect(),
    }
}

/// The answer to a request to join.
#[must_use]
pub fn joined(version: i16, result: Result<Joined, NotJoined>) -> JoinGroupResponse {
    match result {
        Ok(it) => JoinGroupResponse::default()
            .with_generation_id(it.generation)
            .with_protocol_type(Some(text(&it.protocol_type)))
            .with_protocol_name(Some(text(&it.protocol)))
            .with_leader(text(&it.leader))
            .with_skip_assignment(it.skip_assignment)
            .with_member_id(text(&it.member))
            .with_members(it.members.iter().map(|member| joined_member(version, member)).collect()),
        Err(NotJoined { error, member }) => JoinGroupResponse::default()
            .with_error_code(error.code())
            .with_protocol_name((version < NO_PROTOCOL_FROM).then(StrBytes::default))
            .with_member_id(text(&member)),
    }
}

/// A request for one's part.
#[must_use]
pub fn sync(request: &SyncGroupRequest) -> Sync {
    let assignments = request.assignments.iter();
    Sync {
        who: Who {
            member: request.member_id.as_str().to_owned(),
            instance: owned(request.group_instance_id.as_ref()),
            generation: request.generation_id,
        },
        protocol_type: owned(request.protocol_type.as_ref()),
        protocol: owned(request.protocol_name.as_ref()),
        assignments: assignments.map(|it| (it.member_id.as_str().to_owned(), it.assignment.clone())).collect(),
    }
}

/// The answer to a request for one's part.
#[must_use]
pub fn synced(result: Result<Synced, ResponseError>) -> SyncGroupResponse {
    match result {
        Ok(it) => SyncGroupResponse::default()
            .with_protocol_type(Some(text(&it.protocol_type)))
            .with_protocol_name(Some(text(&it.protocol)))
            .with_assignment(it.assignment),
        Err(error) => SyncGroupResponse::default().with_error_code(error.code()),
    }
}

/// Who lives.
#[must_use]
pub fn who_beats(request: &HeartbeatRequest) -> Who {
    Who {
        member: request.member_id.as_str().to_owned(),
        instance: owned(request.group_instance_id.as_ref()),
        generation: request.generation_id,
    }
}

/// Who commits.
#[must_use]
pub fn who_commits(request: &OffsetCommitRequest) -> Who {
    Who {
        member: request.member_id.as_str().to_owned(),
        instance: owned(request.group_instance_id.as_ref()),
        generation: request.generation_id_or_member_epoch,
    }
}

/// Who leaves.
#[must_use]
pub fn leavers(version: i16, request: &LeaveGroupRequest) -> Vec<Leaver> {
    if version < LEAVERS_FROM {
        return vec![Leaver { member: request.member_id.as_str().to_owned(), instance: None }];
    }
    let leaver = |member: &StrBytes, instance: Option<&StrBytes>| Leaver {
        member: member.as_str().to_owned(),
        instance: owned(instance),
    };
    request.members.iter().map(|it| leaver(&it.member_id, it.group_instance_id.as_ref())).collect()
}

/// The answer to those who leave.
#[must_use]
pub fn left(
    version: i16,
    leavers: &[Leaver],
    result: Result<Vec<Result<(), ResponseError>>, ResponseError>,
) -> LeaveGroupResponse {
    let results = match result {
        Ok(results) => results,
        Err(error) => return LeaveGroupResponse::default().with_error_code(error.code()),
    };
    if version < LEAVERS_FROM {
        return LeaveGroupResponse::default().with_error_code(results.first().map_or(0, code));
    }
    let members = leavers.iter().zip(&results).map(|(leaver, result)| {
        MemberResponse::default()
            .with_member_id(text(&leaver.member))
            .with_group_instance_id(leaver.instance.as_deref().map(text))
            .with_error_code(code(result))
    });
    LeaveGroupResponse::default().with_members(members.collect())
}

/// A group as administrators see it.
#[must_use]
pub fn described(version: i16, group: &str, described: &Described) -> DescribedGroup {
    DescribedGroup::default()
        .with_group_id(GroupId(text(group)))
        .with_group_state(StrBytes::from_static_str(described.state.name()))
        .with_protocol_type(text(&described.protocol_type))
        .with_protocol_data(text(&described.protocol))
        .with_members(described.members.iter().map(|member| described_member(version, member)).collect())
}

/// The code of a result; 0 is well.
#[must_use]
pub fn code(result: &Result<(), ResponseError>) -> i16 {
    match result {
        Ok(()) => 0,
        Err(error) => error.code(),
    }
}

/// A text as the protocol's types hold it.
#[must_use]
pub fn text(text: &str) -> StrBytes {
    StrBytes::from_string(text.to_owned())
}

fn joined_member(version: i16, it: &JoinedMember) -> JoinGroupResponseMember {
    let instance = it.instance.as_deref().filter(|_| version >= 5).map(text);
    JoinGroupResponseMember::default()
        .with_member_id(text(&it.member))
        .with_group_instance_id(instance)
        .with_metadata(it.metadata.clone())
}

fn described_member(version: i16, it: &DescribedMember) -> DescribedGroupMember {
    let instance = it.instance.as_deref().filter(|_| version >= 4).map(text);
    DescribedGroupMember::default()
        .with_member_id(text(&it.member))
        .with_group_instance_id(instance)
        .with_client_id(text(&it.client_id))
        .with_client_host(text(&it.client_host))
        .with_member_metadata(Bytes::clone(&it.metadata))
        .with_member_assignment(Bytes::clone(&it.assignment))
}

fn owned(text: Option<&StrBytes>) -> Option<String> {
    text.map(|it| it.as_str().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::groups::State;
    use bytes::BytesMut;
    use kafka_protocol::messages::DescribeGroupsResponse;
    use kafka_protocol::protocol::{Decodable, Encodable};

    fn through<T: Encodable + Decodable>(answer: &T, version: i16) -> T {
        let mut bytes = BytesMut::new();
        answer.encode(&mut bytes, version).unwrap();
        T::decode(&mut bytes.freeze(), version).unwrap()
    }

    #[test]
    fn every_version_can_say_every_answer() {
        let member =
            JoinedMember { member: "m".into(), instance: Some("i".into()), metadata: Bytes::from_static(b"d") };
        let good = Joined {
            generation: 7,
            protocol_type: "consumer".into(),
            protocol: "range".into(),
            leader: "m".into(),
            member: "m".into(),
            skip_assignment: false,
            members: vec![member],
        };
        for version in 0..=9 {
            let answer = through(&joined(version, Ok(good.clone())), version);
            assert_eq!((answer.generation_id, answer.members.len(), answer.error_code), (7, 1, 0), "{version}");
            let refused = NotJoined { error: ResponseError::MemberIdRequired, member: "new".to_owned() };
            let answer = through(&joined(version, Err(refused)), version);
            assert_eq!((answer.error_code, answer.member_id.as_str(), answer.generation_id), (79, "new", -1));
        }
        for version in 0..=5 {
            let part = Synced { protocol_type: "consumer".into(), protocol: "range".into(), assignment: "p".into() };
            assert_eq!(through(&synced(Ok(part)), version).assignment, "p");
            assert_eq!(through(&synced(Err(ResponseError::IllegalGeneration)), version).error_code, 22);
            let leavers = [Leaver { member: "m".into(), instance: Some("i".into()) }];
            let answer = left(version, &leavers, Ok(vec![Err(ResponseError::UnknownMemberId)]));
            let answer = through(&answer, version);
            let told = answer.members.first().map_or(answer.error_code, |member| member.error_code);
            assert_eq!(told, 25, "{version}");
            let it = DescribedMember {
                member: "m".into(),
                instance: Some("i".into()),
                client_id: "c".into(),
                client_host: "h".into(),
                metadata: Bytes::new(),
                assignment: Bytes::new(),
            };
            let group = Described {
                state: State::Stable,
                protocol_type: "consumer".into(),
                protocol: "range".into(),
                members: vec![it],
            };
            let answer = DescribeGroupsResponse::default().with_groups(vec![described(version, "g", &group)]);
            assert_eq!(through(&answer, version).groups[0].group_state.as_str(), "Stable");
        }
    }

    #[test]
    fn the_oldest_join_has_one_time_for_both() {
        let request = JoinGroupRequest::default().with_session_timeout_ms(6_000).with_rebalance_timeout_ms(-1);
        assert_eq!(join(0, &request, "n".to_owned(), "", "").rebalance_ms, 6_000);
        let request = request.with_rebalance_timeout_ms(9_000);
        let new = join(4, &request, "n".to_owned(), "", "");
        assert_eq!((new.rebalance_ms, new.member_id_required, new.may_skip_assignment), (9_000, true, false));
    }
}
