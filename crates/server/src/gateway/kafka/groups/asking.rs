//! What tools ask of groups: who coordinates one, which there are, who is in them; and deleting them.

use cordboard_kafka::groups::wire::{code, described, text};
use cordboard_kafka::groups::{Change, Described, State, Text};
use kafka_protocol::ResponseError;
use kafka_protocol::messages::delete_groups_response::DeletableGroupResult;
use kafka_protocol::messages::find_coordinator_response::Coordinator;
use kafka_protocol::messages::list_groups_response::ListedGroup;
use kafka_protocol::messages::{
    BrokerId, DeleteGroupsRequest, DeleteGroupsResponse, DescribeGroupsRequest, DescribeGroupsResponse,
    FindCoordinatorRequest, FindCoordinatorResponse, GroupId, ListGroupsRequest, ListGroupsResponse,
};
use kafka_protocol::protocol::StrBytes;

use super::{Caller, Groups, Inner};
use crate::log::Position;

/// The kind of key that is the name of a group.
const GROUP_KEY: i8 = 0;
/// The kind of key that is the name of a series of transactions.
const TRANSACTION_KEY: i8 = 1;
/// From this version on, one request asks for several.
const SEVERAL_KEYS_FROM: i16 = 4;
/// What all groups here are, as newer tools call it.
const CLASSIC: &str = "classic";

/// The broker that clients are told of.
#[derive(Debug, Clone, Copy)]
pub struct Node<'a> {
    /// Its number.
    pub id: i32,
    /// Its name, as clients reach it.
    pub host: &'a str,
    /// Its port.
    pub port: u16,
}

/// Says who coordinates groups: this one broker. Nobody coordinates transactions, as nobody may write.
#[must_use]
pub fn find_coordinator(version: i16, request: FindCoordinatorRequest, broker: Node<'_>) -> FindCoordinatorResponse {
    let result = match request.key_type {
        GROUP_KEY => Ok(()),
        // Any other code would make producers ask again and again.
        TRANSACTION_KEY => Err(ResponseError::TransactionalIdAuthorizationFailed),
        _ => Err(ResponseError::InvalidRequest),
    };
    let (id, host, port) = match result {
        Ok(()) => (broker.id, broker.host, i32::from(broker.port)),
        Err(_) => (-1, "", -1),
    };
    let why = match result {
        Ok(()) => None,
        Err(_) => Some(text("this server coordinates groups of consumers only; records cannot be written to it")),
    };
    if version < SEVERAL_KEYS_FROM {
        return FindCoordinatorResponse::default()
            .with_error_code(code(&result))
            .with_error_message(why.filter(|_| version >= 1))
            .with_node_id(BrokerId(id))
            .with_host(text(host))
            .with_port(port);
    }
    let coordinators = request.coordinator_keys.into_iter().map(|key| {
        Coordinator::default()
            .with_key(key)
            .with_node_id(BrokerId(id))
            .with_host(text(host))
            .with_port(port)
            .with_error_code(code(&result))
            .with_error_message(why.clone())
    });
    FindCoordinatorResponse::default().with_coordinators(coordinators.collect())
}

impl Groups {
    /// Says who is in groups.
    pub async fn describe_groups(
        &self,
        caller: &impl Caller,
        version: i16,
        request: DescribeGroupsRequest,
    ) -> DescribeGroupsResponse {
        let told = self.act(|inner| {
            let describe = |id: &GroupId| described(version, id, &inner.describe(caller.owner(), id));
            request.groups.iter().map(describe).collect()
        });
        DescribeGroupsResponse::default().with_groups(told)
    }

    /// Says which groups there are.
    pub async fn list_groups(
        &self,
        caller: &impl Caller,
        version: i16,
        request: ListGroupsRequest,
    ) -> ListGroupsResponse {
        let is_wanted = |filter: &[StrBytes], word: &str| {
            filter.is_empty() || filter.iter().any(|wanted| wanted.eq_ignore_ascii_case(word))
        };
        if !is_wanted(&request.types_filter, CLASSIC) {
            return ListGroupsResponse::default();
        }
        let all = self.act(|inner| inner.list(caller.owner()));
        let wanted = all.into_iter().filter(|(_, state, _)| is_wanted(&request.states_filter, state.name()));
        let told = wanted.map(|(name, state, kind)| {
            let told = ListedGroup::default().with_group_id(GroupId(text(&name))).with_protocol_type(text(&kind));
            let told = if version >= 4 { told.with_group_state(text(state.name())) } else { told };
            if version >= 5 { told.with_group_type(text(CLASSIC)) } else { told }
        });
        ListGroupsResponse::default().with_groups(told.collect())
    }

    /// Deletes groups that have no members, with what they have committed.
    pub async fn delete_groups(&self, caller: &impl Caller, request: DeleteGroupsRequest) -> DeleteGroupsResponse {
        let mut results = Vec::with_capacity(request.groups_names.len());
        for group in request.groups_names {
            let deleted = self.act(|inner| inner.delete(self, caller.owner(), &group));
            let result = match deleted {
                Ok(position) => self.durable(position).await,
                Err(error) => Err(error),
            };
            results.push(DeletableGroupResult::default().with_group_id(group).with_error_code(code(&result)));
        }
        DeleteGroupsResponse::default().with_results(results)
    }
}

impl Inner {
    /// A group that has only committed is empty; one that nobody knows is dead.
    fn describe(&self, owner: &str, group: &str) -> Described {
        let of_offsets = || {
            let kind = self.store.offsets().kind(owner, group);
            Described {
                state: if kind.is_some() { State::Empty } else { State::Dead },
                protocol_type: kind.cloned().unwrap_or_else(|| Text::from("")),
                protocol: Text::from(""),
                members: Vec::new(),
            }
        };
        self.coordinator.describe(owner, group).unwrap_or_else(of_offsets)
    }

    fn list(&self, owner: &str) -> Vec<(Text, State, Text)> {
        let mut all = self.coordinator.list(owner);
        let known = |name: &Text| self.coordinator.describe(owner, name).is_some();
        let others = self.store.offsets().groups(owner).filter(|(name, _, _)| !known(name));
        all.extend(others.map(|(name, _, kind)| (Text::clone(name), State::Empty, Text::clone(kind))));
        all.sort();
        all
    }

    fn delete(&mut self, groups: &Groups, owner: &str, group: &str) -> Result<Position, ResponseError> {
        groups.check_group(group)?;
        let was_there = match self.coordinator.handle_delete(groups.now_ms(), owner, group) {
            Some(result) => result.map(|()| true)?,
            None => false,
        };
        if self.store.offsets().kind(owner, group).is_some() {
            return self.write(groups, vec![Change::Deleted { owner: owner.to_owned(), group: group.to_owned() }]);
        }
        if was_there { Ok(self.store.appended()) } else { Err(ResponseError::GroupIdNotFound) }
    }
}
