//! Orders on their way from the loop to the links: each waits until the request it comes from is durable.

use std::collections::BTreeMap;
use std::sync::Arc;

use cordboard_core::request::Refusal;
use cordboard_core::{Order, Time};
use tokio::sync::{mpsc, watch};

use crate::log::{Log, Position, Status};
use crate::metrics::TenantMetrics;

/// An order, and when it may be carried out.
struct Ordered {
    order: Order,
    /// The event that the request is in.
    position: Position,
    /// Nobody waits for it any longer than this.
    deadline: Time,
}

/// The loop's side: a bounded queue a link.
pub struct Orders {
    queues: BTreeMap<String, mpsc::Sender<Ordered>>,
    metrics: Arc<TenantMetrics>,
}

impl Orders {
    /// Queues for these switches, and the other end of each for its link.
    #[must_use]
    pub fn new(
        switches: impl Iterator<Item = String>,
        orders_max: usize,
        log: &Log,
        metrics: &Arc<TenantMetrics>,
    ) -> (Self, BTreeMap<String, Inbox>) {
        let (mut queues, mut inboxes) = (BTreeMap::new(), BTreeMap::new());
        for switch in switches {
            let (queue, orders) = mpsc::channel(orders_max);
            let inbox = Inbox { orders, status: log.status(), waiting: None, metrics: Arc::clone(metrics) };
            inboxes.insert(switch.clone(), inbox);
            queues.insert(switch, queue);
        }
        (Self { queues, metrics: Arc::clone(metrics) }, inboxes)
    }

    /// Gives an order to a link.
    ///
    /// # Errors
    /// Why it cannot be given: the link is gone, or has too much to do.
    pub fn give(&self, switch: &str, order: Order, position: Position, deadline: Time) -> Result<(), NotGiven> {
        let gone = || {
            let why = format!("nobody listens to the switch {switch} at the moment; try again later");
            NotGiven { refusal: Refusal::SwitchGone, why }
        };
        let queue = self.queues.get(switch).ok_or_else(gone)?;
        match queue.try_send(Ordered { order, position, deadline }) {
            Ok(()) => {
                self.metrics.orders_waiting.inc();
                Ok(())
            }
            Err(mpsc::error::TrySendError::Closed(_)) => Err(gone()),
            Err(mpsc::error::TrySendError::Full(_)) => {
                let why = format!("the switch {switch} has as much to do as may wait for it; ask again in a moment");
                Err(NotGiven { refusal: Refusal::Busy, why })
            }
        }
    }
}

/// Why a link did not get an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotGiven {
    /// As a word for programs.
    pub refusal: Refusal,
    /// In words for people.
    pub why: String,
}

/// A link's side.
pub struct Inbox {
    orders: mpsc::Receiver<Ordered>,
    status: watch::Receiver<Status>,
    waiting: Option<Ordered>,
    metrics: Arc<TenantMetrics>,
}

impl Inbox {
    /// The next order that may be carried out, and how long it makes sense to. Never, where the loop has ended or the
    /// log takes nothing more. May be cancelled: nothing is lost.
    pub async fn next(&mut self) -> (Order, Time) {
        if self.waiting.is_none() {
            self.waiting = self.orders.recv().await;
        }
        let Some(position) = self.waiting.as_ref().map(|it| it.position) else { return std::future::pending().await };
        let durable = self.status.wait_for(|status| status.durable >= position).await.is_ok();
        match self.waiting.take() {
            Some(ordered) if durable => {
                self.metrics.orders_waiting.dec();
                (ordered.order, ordered.deadline)
            }
            Some(_) | None => std::future::pending().await,
        }
    }
}

impl Drop for Inbox {
    fn drop(&mut self) {
        self.orders.close();
        let left = std::iter::from_fn(|| self.orders.try_recv().ok()).count() + usize::from(self.waiting.is_some());
        for _ in 0..left {
            self.metrics.orders_waiting.dec();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use cordboard_core::RequestId;
    use cordboard_core::request::Ask;

    use super::*;
    use crate::log::disk::RealDisk;
    use crate::log::{LogConfig, Writer, open};
    use crate::metrics::ServerMetrics;

    fn order(number: u64) -> Order {
        let (device, ask) = ("1001".to_owned(), Ask::Dnd { on: true });
        Order { request: RequestId(number), device, ask, call: None, held: None, agent: None }
    }

    fn queue(orders_max: usize) -> (Orders, Inbox, Writer, Arc<TenantMetrics>, tempfile::TempDir) {
        let dir = tempfile::tempdir().unwrap();
        let opened = open(Arc::new(RealDisk), dir.path(), LogConfig::default(), 1).unwrap();
        let metrics = Arc::new(TenantMetrics::new(&ServerMetrics::default(), "acme"));
        let (orders, mut inboxes) = Orders::new(["box".to_owned()].into_iter(), orders_max, &opened.log, &metrics);
        (orders, inboxes.remove("box").unwrap(), opened.writer, metrics, dir)
    }

    #[tokio::test]
    async fn an_order_is_given_when_its_request_is_durable_and_not_before() {
        let (orders, mut inbox, mut writer, metrics, _dir) = queue(4);
        let position = writer.append(1, b"{}").unwrap();
        orders.give("box", order(1), position, Time(9)).unwrap();
        assert_eq!(metrics.orders_waiting.get(), 1);
        let early = tokio::time::timeout(Duration::from_millis(50), inbox.next()).await;
        assert!(early.is_err(), "it was given before it was durable");
        writer.commit().unwrap();
        assert_eq!(inbox.next().await, (order(1), Time(9)));
        assert_eq!(metrics.orders_waiting.get(), 0);
    }

    #[tokio::test]
    async fn what_cannot_be_given_is_refused_at_once() {
        let (orders, inbox, mut writer, metrics, _dir) = queue(1);
        let position = writer.append(1, b"{}").unwrap();
        let give = |switch: &str, number| orders.give(switch, order(number), position, Time(9));
        assert_eq!(give("pbx", 1).unwrap_err().refusal, Refusal::SwitchGone);
        give("box", 1).unwrap();
        assert_eq!(give("box", 2).unwrap_err().refusal, Refusal::Busy);
        drop(inbox);
        assert_eq!(metrics.orders_waiting.get(), 0);
        assert_eq!(give("box", 3).unwrap_err().refusal, Refusal::SwitchGone);
    }
}
