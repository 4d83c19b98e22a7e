//! Requests under way, with who waits for them, and the newest answers, so that a request that comes again is answered
//! again and not carried out again.

use std::collections::BTreeMap;
use std::sync::Arc;

use cordboard_core::event::RequestFact;
use cordboard_core::request::Ask;
use cordboard_core::{Event, Fact, Request, RequestId, World};
use cordboard_dialects::{Dialect, Message, Settings, is_private};
use sha2::{Digest, Sha256};
use tokio::sync::oneshot;

use super::work::{Answer, NotTaken, Refused};
use crate::history::place;
use crate::log::Position;
use crate::metrics::{Outcome, TenantMetrics};

/// What an answer needs besides its messages, about, in bytes.
const ANSWER_BYTES: usize = 256;

/// How much there may be of it all.
#[derive(Debug, Clone, Copy)]
pub struct DeskLimits {
    /// Requests under way.
    pub open_max: usize,
    /// Connections of one token.
    pub connections_max: usize,
    /// Numbers that all connections of one token are registered for.
    pub registrations_max: usize,
    /// Messages of one answer, in bytes.
    pub answer_bytes_max: usize,
    /// Answers that are kept for requests that come again, in bytes.
    pub answers_bytes_max: usize,
}

type Reply = oneshot::Sender<Result<Arc<Answer>, NotTaken>>;
/// Tells one request from another.
type Print = [u8; 32];

/// See the module.
pub(super) struct Desk {
    limits: DeskLimits,
    open: BTreeMap<RequestId, Open>,
    kept: BTreeMap<RequestId, Kept>,
    kept_bytes: usize,
    metrics: Arc<TenantMetrics>,
    messages: Vec<Message>,
}

struct Open {
    client: String,
    reference: u64,
    print: Print,
    forbidden: bool,
    dialect: &'static Dialect,
    said: Vec<Message>,
    said_bytes: usize,
    cut: bool,
    waiting: Vec<Reply>,
}

struct Kept {
    print: Print,
    answer: Arc<Answer>,
    bytes: usize,
}

impl Desk {
    pub(super) fn new(limits: DeskLimits, metrics: Arc<TenantMetrics>) -> Self {
        let (open, kept) = (BTreeMap::new(), BTreeMap::new());
        Self { limits, open, kept, kept_bytes: 0, metrics, messages: Vec::new() }
    }

    /// Whether one more request of this client can be taken.
    pub(super) fn admit(&self, world: &World, request: &Request) -> Result<(), NotTaken> {
        let DeskLimits { open_max, connections_max, .. } = self.limits;
        if self.open.len() >= open_max {
            return Err(NotTaken::Busy { open_max });
        }
        if !world.clients.contains_key(&request.client) && siblings(world, &request.client).count() >= connections_max {
            return Err(NotTaken::Connections { connections_max });
        }
        Ok(())
    }

    /// Why a client may not be registered for more.
    pub(super) fn too_many_registrations(&self, world: &World, request: &Request) -> Option<String> {
        let registrations_max = self.limits.registrations_max;
        let counts = request.ask == Ask::Register
            && !world.clients.get(&request.client).is_some_and(|it| it.registered.contains(&request.device));
        let registered = || siblings(world, &request.client).map(|client| client.registered.len()).sum::<usize>();
        (counts && registered() >= registrations_max).then(|| {
            format!("this token is registered for {registrations_max} numbers, which is as many as it may be; unregister some")
        })
    }

    /// A request is about to be told.
    pub(super) fn begin(
        &mut self,
        id: RequestId,
        reference: u64,
        request: &Request,
        forbidden: bool,
        dialect: &'static Dialect,
        reply: Reply,
    ) {
        let open = Open {
            client: request.client.clone(),
            reference,
            print: print(request, dialect),
            forbidden,
            dialect,
            said: Vec::new(),
            said_bytes: 0,
            cut: false,
            waiting: vec![reply],
        };
        self.open.insert(id, open);
        self.metrics.requests_open.inc();
    }

    /// A request that came before comes again.
    pub(super) fn again(
        &mut self,
        (id, reference, last): (RequestId, u64, Position),
        request: &Request,
        dialect: &'static Dialect,
        reply: Reply,
    ) {
        let print = print(request, dialect);
        self.metrics.request(Outcome::Repeated);
        // Who went away meanwhile needs no answer.
        _ = match (self.open.get_mut(&id), self.kept.get(&id)) {
            (Some(open), _) if open.print == print => {
                open.waiting.retain(|waiting| !waiting.is_closed());
                open.waiting.push(reply);
                return;
            }
            (None, Some(kept)) if kept.print == print => reply.send(Ok(Arc::clone(&kept.answer))),
            (Some(_), _) | (None, Some(_)) => reply.send(Err(NotTaken::Reused { reference })),
            (None, None) => {
                let (said, refused) = (Vec::new(), None);
                let answer =
                    Answer { request: id, reference, position: last, said, cut: false, refused, repeated: true };
                reply.send(Ok(Arc::new(answer)))
            }
        };
    }

    /// An event was told that a request caused.
    pub(super) fn hear(&mut self, settings: &Settings, world: &World, position: Position, event: &Event) {
        let Some(id) = event.request else { return };
        let Self { open, messages, limits, .. } = self;
        let Some(asked) = open.get_mut(&id) else { return };
        messages.clear();
        (asked.dialect.project)(settings, world, place(position), event, messages);
        messages.retain(|message| !is_private(message.channel) || message.key == asked.client);
        let refused = match &event.fact {
            Fact::Request { request, fact } if *request == id => match fact {
                RequestFact::Asked(_) => None,
                RequestFact::Done => Some(None),
                RequestFact::Refused { refusal, why } => Some(Some(Refused {
                    refusal: *refusal,
                    why: why.clone(),
                    forbidden: asked.forbidden,
                    said: std::mem::take(messages),
                })),
            },
            Fact::Request { .. }
            | Fact::Founded { .. }
            | Fact::Switch { .. }
            | Fact::Device { .. }
            | Fact::Agent { .. }
            | Fact::Queue { .. }
            | Fact::Client { .. }
            | Fact::Call { .. }
            | Fact::Leg { .. }
            | Fact::User { .. }
            | Fact::List { .. }
            | Fact::Callback { .. }
            | Fact::Alert { .. } => None,
        };
        for message in messages.drain(..) {
            asked.said_bytes += bytes(&message);
            if asked.said_bytes <= limits.answer_bytes_max {
                asked.said.push(message);
            } else {
                asked.cut = true;
            }
        }
        if let Some(refused) = refused {
            self.end(id, position, refused);
        }
    }

    fn end(&mut self, id: RequestId, position: Position, refused: Option<Refused>) {
        let Some(open) = self.open.remove(&id) else { return };
        self.metrics.requests_open.dec();
        self.metrics.request(match &refused {
            None => Outcome::Done,
            Some(refused) if refused.forbidden => Outcome::Forbidden,
            Some(_) => Outcome::Refused,
        });
        let Open { reference, said, cut, print, waiting, .. } = open;
        let answer = Arc::new(Answer { request: id, reference, position, said, cut, refused, repeated: false });
        for reply in waiting {
            _ = reply.send(Ok(Arc::clone(&answer)));
        }
        self.keep(print, answer);
    }

    fn keep(&mut self, print: Print, answer: Arc<Answer>) {
        let refused = answer.refused.iter().flat_map(|refused| &refused.said);
        let bytes = ANSWER_BYTES + answer.said.iter().chain(refused).map(bytes).sum::<usize>();
        self.kept_bytes += bytes;
        self.kept.insert(answer.request, Kept { print, answer, bytes });
        while self.kept_bytes > self.limits.answers_bytes_max {
            let Some((_, oldest)) = self.kept.pop_first() else { break };
            self.kept_bytes -= oldest.bytes;
        }
    }

    /// A request that the log did not take is no request.
    pub(super) fn was_not_told(&mut self, id: RequestId) {
        let Some(open) = self.open.remove(&id) else { return };
        self.metrics.requests_open.dec();
        self.metrics.request(Outcome::NotTaken);
        for reply in open.waiting {
            _ = reply.send(Err(NotTaken::TooLarge));
        }
    }
}

/// The clients of the same token: its connections.
fn siblings<'w>(world: &'w World, client: &'w str) -> impl Iterator<Item = &'w cordboard_core::world::Client> {
    let token = client.split_once('/').map_or(client, |(token, _)| token);
    let first = format!("{token}/");
    let of_token = move |name: &str| name.strip_prefix(token).is_some_and(|rest| rest.starts_with('/'));
    world.clients.range(first..).take_while(move |(name, _)| of_token(name)).map(|(_, client)| client)
}

fn bytes(message: &Message) -> usize {
    size_of::<Message>() + message.key.len() + message.value.len()
}

fn print(request: &Request, dialect: &Dialect) -> Print {
    // What can be asked for can be written down: it is, in the log.
    let ask = serde_json::to_vec(&request.ask).unwrap_or_default();
    let mut print = Sha256::new();
    for part in [dialect.name.as_bytes(), request.device.as_bytes(), &ask] {
        print.update(part.len().to_le_bytes());
        print.update(part);
    }
    print.finalize().into()
}
