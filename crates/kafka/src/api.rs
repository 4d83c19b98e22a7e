//! Every request that is known here: its number, its versions, its shape, and what becomes of it. What clients are told by
//! `ApiVersions` is made of this table, and so is the table in `docs/kafka.md`.

use bytes::Bytes;
use kafka_protocol::messages::api_versions_response::ApiVersion;
use kafka_protocol::messages::*;
use kafka_protocol::protocol::Decodable;

use crate::shape::{self, Shape};

/// What becomes of requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Use {
    /// They are answered to everybody who connects.
    Open,
    /// They are answered to whoever has logged in.
    Answered,
    /// They would write, and are refused.
    Refused,
}

/// One row of the table.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// What the protocol calls it.
    pub name: &'static str,
    /// Its number.
    pub key: i16,
    /// The oldest version that is read.
    pub min: i16,
    /// The newest version that is read.
    pub max: i16,
    /// The oldest version that clients are told.
    pub told_min: i16,
    /// The first version that is flexible: compact lengths, tagged fields.
    pub flexible: i16,
    /// What becomes of it.
    pub used: Use,
    /// What it looks like.
    pub shape: Shape,
}

macro_rules! apis {
    ($( $(#[doc = $doc:literal])+ $name:ident = $key:literal, $min:literal..=$max:literal $(told from $told:literal)?,
        flexible $flexible:expr, $used:ident, $request:ident, $shape:ident; )+) => {
        /// A request that is known, by name.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Api { $( $(#[doc = $doc])+ $name, )+ }

        /// A request that was decoded.
        #[derive(Clone, Debug, PartialEq)]
        pub enum Request { $( $(#[doc = $doc])+ $name($request), )+ }

        impl Api {
            /// All of them, by their numbers.
            pub const ALL: &'static [Self] = &[$( Self::$name, )+];

            /// Its row in the table.
            #[must_use]
            pub const fn row(self) -> Row {
                match self { $(
                    Self::$name => {
                        let row = Row {
                            name: stringify!($name),
                            key: $key,
                            min: $min,
                            max: $max,
                            told_min: $min,
                            flexible: $flexible,
                            used: Use::$used,
                            shape: shape::$shape,
                        };
                        $( let row = Row { told_min: $told, ..row }; )?
                        row
                    }
                )+ }
            }

            /// The one with this number.
            #[must_use]
            pub const fn of(key: i16) -> Option<Self> {
                match key {
                    $( $key => Some(Self::$name), )+
                    _ => None,
                }
            }

            /// Decodes what was found to be of its shape.
            pub(crate) fn decode(self, version: i16, body: &mut Bytes) -> Option<Request> {
                match self { $(
                    Self::$name => $request::decode(body, version).ok().map(Request::$name),
                )+ }
            }
        }

        impl Request {
            /// Which it is.
            #[must_use]
            pub const fn api(&self) -> Api {
                match self { $( Self::$name(_) => Api::$name, )+ }
            }
        }
    };
}

/// No version is flexible.
const NEVER: i16 = i16::MAX;

apis! {
    /// Writes records. Versions that clients are told and that are not read are those by which librdkafka tells what else a
    /// broker can do; no client that lives sends them.
    Produce = 0, 3..=11 told from 0, flexible 9, Refused, ProduceRequest, PRODUCE;
    /// Reads records. Version 13 would name topics by ids.
    Fetch = 1, 4..=12, flexible 12, Answered, FetchRequest, FETCH;
    /// Asks for offsets by time.
    ListOffsets = 2, 1..=7, flexible 6, Answered, ListOffsetsRequest, LIST_OFFSETS;
    /// Asks for topics and brokers.
    Metadata = 3, 0..=12, flexible 9, Answered, MetadataRequest, METADATA;
    /// Keeps how far a group has read.
    OffsetCommit = 8, 2..=8, flexible 8, Answered, OffsetCommitRequest, OFFSET_COMMIT;
    /// Asks how far a group has read.
    OffsetFetch = 9, 1..=8, flexible 6, Answered, OffsetFetchRequest, OFFSET_FETCH;
    /// Asks who coordinates a group.
    FindCoordinator = 10, 0..=4, flexible 3, Answered, FindCoordinatorRequest, FIND_COORDINATOR;
    /// Joins a group.
    JoinGroup = 11, 0..=9, flexible 6, Answered, JoinGroupRequest, JOIN_GROUP;
    /// Shows that a member of a group lives.
    Heartbeat = 12, 0..=4, flexible 4, Answered, HeartbeatRequest, HEARTBEAT;
    /// Leaves a group.
    LeaveGroup = 13, 0..=5, flexible 4, Answered, LeaveGroupRequest, LEAVE_GROUP;
    /// Shares out the partitions in a group.
    SyncGroup = 14, 0..=5, flexible 4, Answered, SyncGroupRequest, SYNC_GROUP;
    /// Asks for the members of groups.
    DescribeGroups = 15, 0..=5, flexible 5, Answered, DescribeGroupsRequest, DESCRIBE_GROUPS;
    /// Asks which groups there are.
    ListGroups = 16, 0..=5, flexible 3, Answered, ListGroupsRequest, LIST_GROUPS;
    /// Begins to log in.
    SaslHandshake = 17, 0..=1, flexible NEVER, Open, SaslHandshakeRequest, SASL_HANDSHAKE;
    /// Asks for this table.
    ApiVersions = 18, 0..=4, flexible 3, Open, ApiVersionsRequest, API_VERSIONS;
    /// Makes topics.
    CreateTopics = 19, 2..=7, flexible 5, Refused, CreateTopicsRequest, CREATE_TOPICS;
    /// Deletes topics.
    DeleteTopics = 20, 1..=6, flexible 4, Refused, DeleteTopicsRequest, DELETE_TOPICS;
    /// Deletes records.
    DeleteRecords = 21, 0..=2, flexible 2, Refused, DeleteRecordsRequest, DELETE_RECORDS;
    /// Begins to write, once and in order.
    InitProducerId = 22, 0..=4, flexible 2, Refused, InitProducerIdRequest, INIT_PRODUCER_ID;
    /// Asks where an epoch ended.
    OffsetForLeaderEpoch = 23, 2..=4, flexible 4, Answered, OffsetForLeaderEpochRequest, OFFSET_FOR_LEADER_EPOCH;
    /// Takes partitions into a transaction. Versions after 3 are those of brokers.
    AddPartitionsToTxn = 24, 0..=3, flexible 3, Refused, AddPartitionsToTxnRequest, ADD_PARTITIONS_TO_TXN;
    /// Takes a group into a transaction.
    AddOffsetsToTxn = 25, 0..=3, flexible 3, Refused, AddOffsetsToTxnRequest, ADD_OFFSETS_TO_TXN;
    /// Ends a transaction.
    EndTxn = 26, 0..=3, flexible 3, Refused, EndTxnRequest, END_TXN;
    /// Keeps how far a group has read, in a transaction.
    TxnOffsetCommit = 28, 0..=3, flexible 3, Refused, TxnOffsetCommitRequest, TXN_OFFSET_COMMIT;
    /// Asks for settings of topics and brokers.
    DescribeConfigs = 32, 1..=4, flexible 4, Answered, DescribeConfigsRequest, DESCRIBE_CONFIGS;
    /// Changes settings.
    AlterConfigs = 33, 0..=2, flexible 2, Refused, AlterConfigsRequest, ALTER_CONFIGS;
    /// Logs in.
    SaslAuthenticate = 36, 0..=2, flexible 2, Open, SaslAuthenticateRequest, SASL_AUTHENTICATE;
    /// Makes partitions.
    CreatePartitions = 37, 0..=3, flexible 2, Refused, CreatePartitionsRequest, CREATE_PARTITIONS;
    /// Deletes groups.
    DeleteGroups = 42, 0..=2, flexible 2, Answered, DeleteGroupsRequest, DELETE_GROUPS;
    /// Changes some settings.
    IncrementalAlterConfigs = 44, 0..=1, flexible 1, Refused, IncrementalAlterConfigsRequest, INCREMENTAL_ALTER_CONFIGS;
    /// Asks which partitions move between brokers.
    ListPartitionReassignments = 46, 0..=0, flexible 0, Answered, ListPartitionReassignmentsRequest, LIST_PARTITION_REASSIGNMENTS;
    /// Forgets how far a group has read.
    OffsetDelete = 47, 0..=0, flexible NEVER, Answered, OffsetDeleteRequest, OFFSET_DELETE;
    /// Asks for the brokers.
    DescribeCluster = 60, 0..=1, flexible 0, Answered, DescribeClusterRequest, DESCRIBE_CLUSTER;
}

impl Api {
    /// Whether this version is read.
    #[must_use]
    pub const fn reads(self, version: i16) -> bool {
        let row = self.row();
        row.min <= version && version <= row.max
    }

    /// Whether this version has compact lengths and tagged fields.
    #[must_use]
    pub const fn is_flexible(self, version: i16) -> bool {
        version >= self.row().flexible
    }
}

/// The table as clients are told it.
#[must_use]
pub fn told() -> Vec<ApiVersion> {
    let row = |api: &Api| {
        let Row { key, told_min, max, .. } = api.row();
        ApiVersion::default().with_api_key(key).with_min_version(told_min).with_max_version(max)
    };
    Api::ALL.iter().map(row).collect()
}
