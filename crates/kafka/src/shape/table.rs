//! The shapes of all requests that we read, field by field, as Kafka's documentation has them.

use super::Kind::{Array, Data, Fixed, Struct, Tagged, Text};
use super::{Field, Kind, Shape};

const LAST: i16 = i16::MAX;

const BOOL: Kind = Fixed(1);
const I8: Kind = Fixed(1);
const I16: Kind = Fixed(2);
const I32: Kind = Fixed(4);
const I64: Kind = Fixed(8);
const UUID: Kind = Fixed(16);
const NUMBERS: Kind = Array(&I32);
const NAMES: Kind = Array(&Text);

/// A field of all versions.
const fn is(kind: Kind) -> Field {
    Field { from: 0, to: LAST, kind }
}

/// A field since a version.
const fn since(from: i16, kind: Kind) -> Field {
    Field { from, to: LAST, kind }
}

/// A field of some versions.
const fn within(from: i16, to: i16, kind: Kind) -> Field {
    Field { from, to, kind }
}

/// `ApiVersions`
pub const API_VERSIONS: Shape = &[since(3, Text), since(3, Text)];

/// `SaslHandshake`
pub const SASL_HANDSHAKE: Shape = &[is(Text)];

/// `SaslAuthenticate`
pub const SASL_AUTHENTICATE: Shape = &[is(Data)];

/// `Metadata`
pub const METADATA: Shape =
    &[is(Array(&Struct(&[since(10, UUID), is(Text)]))), since(4, BOOL), within(8, 10, BOOL), since(8, BOOL)];

/// `DescribeCluster`
pub const DESCRIBE_CLUSTER: Shape = &[is(BOOL), since(1, I8), since(2, BOOL)];

/// `DescribeConfigs`
pub const DESCRIBE_CONFIGS: Shape = &[is(Array(&Struct(&[is(I8), is(Text), is(NAMES)]))), is(BOOL), since(3, BOOL)];

/// `Fetch`, without the versions that name topics by their ids
pub const FETCH: Shape = &[
    is(I32),
    is(I32),
    is(I32),
    is(I32),
    is(I8),
    since(7, I32),
    since(7, I32),
    is(Array(&Struct(&[
        is(Text),
        is(Array(&Struct(&[is(I32), since(9, I32), is(I64), since(12, I32), since(5, I64), is(I32)]))),
    ]))),
    since(7, Array(&Struct(&[is(Text), is(NUMBERS)]))),
    since(11, Text),
    since(12, Tagged(0, &Text)),
];

/// `ListOffsets`
pub const LIST_OFFSETS: Shape = &[
    is(I32),
    since(2, I8),
    is(Array(&Struct(&[is(Text), is(Array(&Struct(&[is(I32), since(4, I32), is(I64)])))]))),
    since(10, I32),
];

/// `OffsetForLeaderEpoch`
pub const OFFSET_FOR_LEADER_EPOCH: Shape =
    &[since(3, I32), is(Array(&Struct(&[is(Text), is(Array(&Struct(&[is(I32), is(I32), is(I32)])))])))];

/// `FindCoordinator`
pub const FIND_COORDINATOR: Shape = &[within(0, 3, Text), since(1, I8), since(4, NAMES)];

/// `JoinGroup`
pub const JOIN_GROUP: Shape = &[
    is(Text),
    is(I32),
    since(1, I32),
    is(Text),
    since(5, Text),
    is(Text),
    is(Array(&Struct(&[is(Text), is(Data)]))),
    since(8, Text),
];

/// `SyncGroup`
pub const SYNC_GROUP: Shape = &[
    is(Text),
    is(I32),
    is(Text),
    since(3, Text),
    since(5, Text),
    since(5, Text),
    is(Array(&Struct(&[is(Text), is(Data)]))),
];

/// `Heartbeat`
pub const HEARTBEAT: Shape = &[is(Text), is(I32), is(Text), since(3, Text)];

/// `LeaveGroup`
pub const LEAVE_GROUP: Shape =
    &[is(Text), within(0, 2, Text), since(3, Array(&Struct(&[is(Text), is(Text), since(5, Text)])))];

/// `OffsetCommit`
pub const OFFSET_COMMIT: Shape = &[
    is(Text),
    is(I32),
    is(Text),
    since(7, Text),
    within(2, 4, I64),
    is(Array(&Struct(&[is(Text), is(Array(&Struct(&[is(I32), is(I64), since(6, I32), is(Text)])))]))),
];

/// `OffsetFetch`
pub const OFFSET_FETCH: Shape = &[
    within(0, 7, Text),
    within(0, 7, Array(&Struct(&[is(Text), is(NUMBERS)]))),
    since(8, Array(&Struct(&[is(Text), since(9, Text), since(9, I32), is(Array(&Struct(&[is(Text), is(NUMBERS)])))]))),
    since(7, BOOL),
];

/// `DescribeGroups`
pub const DESCRIBE_GROUPS: Shape = &[is(NAMES), since(3, BOOL)];

/// `ListGroups`
pub const LIST_GROUPS: Shape = &[since(4, NAMES), since(5, NAMES)];

/// `DeleteGroups`
pub const DELETE_GROUPS: Shape = &[is(NAMES)];

/// `OffsetDelete`
pub const OFFSET_DELETE: Shape = &[is(Text), is(Array(&Struct(&[is(Text), is(Array(&Struct(&[is(I32)])))])))];

/// `ListPartitionReassignments`
pub const LIST_PARTITION_REASSIGNMENTS: Shape = &[is(I32), is(Array(&Struct(&[is(Text), is(NUMBERS)])))];

/// `Produce`, without the versions that name topics by their ids
pub const PRODUCE: Shape =
    &[is(Text), is(I16), is(I32), is(Array(&Struct(&[is(Text), is(Array(&Struct(&[is(I32), is(Data)])))])))];

/// `InitProducerId`
pub const INIT_PRODUCER_ID: Shape = &[is(Text), is(I32), since(3, I64), since(3, I16)];

/// `AddPartitionsToTxn`, without the versions that brokers use
pub const ADD_PARTITIONS_TO_TXN: Shape = &[is(Text), is(I64), is(I16), is(Array(&Struct(&[is(Text), is(NUMBERS)])))];

/// `AddOffsetsToTxn`
pub const ADD_OFFSETS_TO_TXN: Shape = &[is(Text), is(I64), is(I16), is(Text)];

/// `EndTxn`
pub const END_TXN: Shape = &[is(Text), is(I64), is(I16), is(BOOL)];

/// `TxnOffsetCommit`
pub const TXN_OFFSET_COMMIT: Shape = &[
    is(Text),
    is(Text),
    is(I64),
    is(I16),
    since(3, I32),
    since(3, Text),
    since(3, Text),
    is(Array(&Struct(&[is(Text), is(Array(&Struct(&[is(I32), is(I64), since(2, I32), is(Text)])))]))),
];

/// `CreateTopics`
pub const CREATE_TOPICS: Shape = &[
    is(Array(&Struct(&[
        is(Text),
        is(I32),
        is(I16),
        is(Array(&Struct(&[is(I32), is(NUMBERS)]))),
        is(Array(&Struct(&[is(Text), is(Text)]))),
    ]))),
    is(I32),
    is(BOOL),
];

/// `DeleteTopics`
pub const DELETE_TOPICS: Shape = &[since(6, Array(&Struct(&[is(Text), is(UUID)]))), within(0, 5, NAMES), is(I32)];

/// `DeleteRecords`
pub const DELETE_RECORDS: Shape = &[is(Array(&Struct(&[is(Text), is(Array(&Struct(&[is(I32), is(I64)])))]))), is(I32)];

/// `CreatePartitions`
pub const CREATE_PARTITIONS: Shape =
    &[is(Array(&Struct(&[is(Text), is(I32), is(Array(&Struct(&[is(NUMBERS)])))]))), is(I32), is(BOOL)];

/// `AlterConfigs`
pub const ALTER_CONFIGS: Shape =
    &[is(Array(&Struct(&[is(I8), is(Text), is(Array(&Struct(&[is(Text), is(Text)])))]))), is(BOOL)];

/// `IncrementalAlterConfigs`
pub const INCREMENTAL_ALTER_CONFIGS: Shape =
    &[is(Array(&Struct(&[is(I8), is(Text), is(Array(&Struct(&[is(Text), is(I8), is(Text)])))]))), is(BOOL)];
