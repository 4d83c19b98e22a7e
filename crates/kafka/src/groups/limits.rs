//! How much groups and their offsets may be.

/// How much groups may be, and how long things may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GroupLimits {
    /// Groups of all owners together.
    pub groups_max: usize,
    /// Groups of one owner.
    pub owner_groups_max: usize,
    /// Members of one group; as many more may have asked for a member id and not have joined yet.
    pub members_max: usize,
    /// What members say of themselves and what leaders give them, of all owners together. Bytes.
    pub bytes_max: usize,
    /// The same of one owner. Bytes.
    pub owner_bytes_max: usize,
    /// The same of one member, all protocols together, and the longest assignment. Bytes.
    pub member_bytes_max: usize,
    /// Ways of dividing the work that one member may offer.
    pub protocols_max: usize,
    /// Longest name of a group, an instance or a protocol. Bytes.
    pub name_bytes_max: usize,
    /// Shortest time of silence a member may ask for, after which it is left out. Milliseconds.
    pub session_ms_min: u64,
    /// Longest such time. Milliseconds.
    pub session_ms_max: u64,
    /// Longest time that members may take to join again; who asks for more gets this. Milliseconds.
    pub rebalance_ms_max: u64,
    /// How long a new group waits for more members before the work is divided for the first time. Milliseconds.
    pub initial_delay_ms: u64,
    /// How long a new member may wait for the others before it has to ask again. Milliseconds.
    pub new_member_ms_max: u64,
}

impl Default for GroupLimits {
    fn default() -> Self {
        Self {
            groups_max: 10_000,
            owner_groups_max: 1_000,
            members_max: 500,
            bytes_max: 128 << 20,
            owner_bytes_max: 16 << 20,
            member_bytes_max: 256 << 10,
            protocols_max: 32,
            name_bytes_max: 255,
            session_ms_min: 6_000,
            session_ms_max: 1_800_000,
            rebalance_ms_max: 1_800_000,
            initial_delay_ms: 500,
            new_member_ms_max: 300_000,
        }
    }
}

/// How much may be committed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OffsetLimits {
    /// Committed offsets of all owners together.
    pub offsets_max: usize,
    /// Committed offsets of one owner.
    pub owner_offsets_max: usize,
    /// Names and metadata of all owners together. Bytes.
    pub bytes_max: usize,
    /// The same of one owner. Bytes.
    pub owner_bytes_max: usize,
    /// Groups of one owner that have committed something.
    pub owner_groups_max: usize,
    /// Longest metadata of one offset. Bytes.
    pub metadata_bytes_max: usize,
    /// Offsets of a group without members are dropped after this time. Milliseconds.
    pub age_ms_max: u64,
}

impl Default for OffsetLimits {
    fn default() -> Self {
        Self {
            offsets_max: 200_000,
            owner_offsets_max: 50_000,
            bytes_max: 64 << 20,
            owner_bytes_max: 16 << 20,
            owner_groups_max: 1_000,
            metadata_bytes_max: 4_096,
            age_ms_max: 7 * 24 * 3_600 * 1_000,
        }
    }
}
