//! Who answers what. Each request has one function; the table of `cordboard_kafka::api` and this `match` name the same.

use std::time::Instant;

use bytes::Bytes;
use cordboard_kafka::answer;
use cordboard_kafka::api::{Api, Request, Use};
use cordboard_kafka::request::Head;
use kafka_protocol::protocol::{Encodable, HeaderVersion};

use super::connection::End;
use super::fetch::{Fetched, Held};
use super::groups::{self, ClientInfo, Node};
use super::principal::{Judged, Login, Principal};
use super::{Broker, Client, NODE, leader_epoch, list_offsets, metadata, refusal, resource};

/// An answer, ready to be written.
pub(super) struct Reply {
    /// Its bytes.
    pub(super) parts: Vec<Bytes>,
    /// Why the connection is to be closed after it, if it is.
    pub(super) then: Option<End>,
    /// To be dropped when it is written.
    pub(super) held: Held,
}

/// Answers a request. Whoever asks may be gone before it is answered: then this is dropped where it waits.
pub(super) async fn answer(
    broker: &Broker,
    login: &mut Login,
    client: &Client,
    head: &Head,
    request: Request,
) -> Result<Reply, End> {
    let (version, known) = (head.version, login.principal().cloned());
    let who = || known.as_ref().ok_or(End::NotLoggedIn(head.api));
    if head.api.row().used == Use::Refused {
        note_writer(broker, who()?, client, head.api);
    }
    match request {
        Request::ApiVersions(_) => plain(head, &metadata::versions(head)),
        Request::SaslHandshake(request) => judged(head, login.handshake(version, &request)),
        Request::SaslAuthenticate(request) => judged(head, login.authenticate(&request)),
        Request::Metadata(request) => plain(head, &metadata::metadata(broker, who()?, client, version, &request)),
        Request::DescribeCluster(request) => {
            who().and_then(|_| plain(head, &metadata::describe_cluster(broker, client, &request)))
        }
        Request::DescribeConfigs(request) => plain(head, &resource::describe(broker, who()?, client, &request)),
        Request::ListPartitionReassignments(_) => who().and_then(|_| plain(head, &metadata::reassignments())),
        Request::Fetch(request) => {
            let who = who()?;
            fetched(head, broker.reading.fetch(who.owner(), who.view(), &request).await)
        }
        Request::ListOffsets(request) => {
            plain(head, &list_offsets::answer(&broker.reading, who()?.view(), version, &request).await)
        }
        Request::OffsetForLeaderEpoch(request) => plain(head, &leader_epoch::answer(who()?.view(), &request)),
        Request::FindCoordinator(request) => {
            who()?;
            let this = Node { id: NODE.0, host: &client.host, port: client.port };
            plain(head, &groups::find_coordinator(version, request, this))
        }
        Request::JoinGroup(request) => {
            let host = client.address.ip().to_string();
            let info = ClientInfo { id: &client.id, host: &host };
            plain(head, &broker.groups.join_group(who()?, info, version, request).await)
        }
        Request::SyncGroup(request) => plain(head, &broker.groups.sync_group(who()?, request).await),
        Request::Heartbeat(request) => plain(head, &broker.groups.heartbeat(who()?, request).await),
        Request::LeaveGroup(request) => plain(head, &broker.groups.leave_group(who()?, version, request).await),
        Request::OffsetCommit(request) => plain(head, &broker.groups.offset_commit(who()?, version, request).await),
        Request::OffsetFetch(request) => plain(head, &broker.groups.offset_fetch(who()?, version, request).await),
        Request::DescribeGroups(request) => plain(head, &broker.groups.describe_groups(who()?, version, request).await),
        Request::ListGroups(request) => plain(head, &broker.groups.list_groups(who()?, version, request).await),
        Request::DeleteGroups(request) => plain(head, &broker.groups.delete_groups(who()?, request).await),
        Request::OffsetDelete(request) => plain(head, &broker.groups.offset_delete(who()?, request).await),
        // There is no answer to this one, and so no other way to say that nothing was written.
        Request::Produce(request) if request.acks == 0 => Err(End::Unacknowledged),
        Request::Produce(request) => plain(head, &refusal::produce(version, &request)),
        Request::InitProducerId(request) => plain(head, &refusal::init_producer_id(&request)),
        Request::AddPartitionsToTxn(request) => plain(head, &refusal::add_partitions_to_txn(&request)),
        Request::AddOffsetsToTxn(_) => plain(head, &refusal::add_offsets_to_txn()),
        Request::EndTxn(_) => plain(head, &refusal::end_txn()),
        Request::TxnOffsetCommit(request) => plain(head, &refusal::txn_offset_commit(&request)),
        Request::CreateTopics(request) => plain(head, &refusal::create_topics(&request)),
        Request::DeleteTopics(request) => plain(head, &refusal::delete_topics(version, &request)),
        Request::DeleteRecords(request) => plain(head, &refusal::delete_records(&request)),
        Request::CreatePartitions(request) => plain(head, &refusal::create_partitions(&request)),
        Request::AlterConfigs(request) => plain(head, &refusal::alter_configs(&request)),
        Request::IncrementalAlterConfigs(request) => plain(head, &refusal::incremental_alter_configs(&request)),
    }
}

/// An answer after which the connection goes on.
fn plain<A: Encodable + HeaderVersion>(head: &Head, answer: &A) -> Result<Reply, End> {
    let bytes = answer::encode(head.correlation_id, head.answer_version(), answer)
        .map_err(|error| End::Answer(head.api, error))?;
    Ok(Reply { parts: vec![bytes], then: None, held: Held::default() })
}

/// Records, which are not copied.
fn fetched(head: &Head, Fetched { answer, held }: Fetched) -> Result<Reply, End> {
    let parts = answer::encode_fetch(head.correlation_id, head.answer_version(), &answer)
        .map_err(|error| End::Answer(head.api, error))?;
    Ok(Reply { parts, then: None, held })
}

/// An answer of the login, which may be the last.
fn judged<A: Encodable + HeaderVersion>(head: &Head, judged: Judged<A>) -> Result<Reply, End> {
    let then = judged.is_over.then_some(End::LoginRefused);
    plain(head, &judged.answer).map(|reply| Reply { then, ..reply })
}

/// Somebody would write.
fn note_writer(broker: &Broker, who: &Principal, client: &Client, api: Api) {
    broker.metrics.write_refused(api);
    if let Some(left_out) = broker.writers.may_speak(Instant::now()) {
        let (address, client, api) = (client.address, printable(&client.id), api.row().name);
        tracing::warn!(%address, owner = %who.owner(), client, api, left_out, "a Kafka client would write and is refused");
    }
}

/// What a client calls itself, as it can stand in a log.
fn printable(id: &str) -> String {
    /// Longest name that is written down, in characters.
    const CHARS_MAX: usize = 64;
    id.chars().take(CHARS_MAX).map(|c| if c.is_control() { '?' } else { c }).collect()
}
