//! Takes connections: so many at once, and so many from one address.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;

use super::Broker;
use super::connection::Connection;
use super::hush::Hush;
use crate::config;

/// How long requests under way may take when the server stops.
const DRAIN_MAX: Duration = Duration::from_secs(3);
/// How long to wait when the system has no more sockets.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// An address that is listened on.
#[derive(Debug)]
pub struct KafkaListener {
    listener: TcpListener,
    address: SocketAddr,
}

impl KafkaListener {
    /// Listens as configured; nobody is answered yet.
    ///
    /// # Errors
    /// What the system says where the address cannot be used.
    pub async fn bind(settings: &config::KafkaListener) -> io::Result<Self> {
        let listener = TcpListener::bind(settings.listen).await?;
        let address = listener.local_addr()?;
        Ok(Self { listener, address })
    }

    /// The address, with the port that was found where it was left open.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Answers connections until `stop` is true.
    pub async fn serve(self, broker: Arc<Broker>, mut stop: watch::Receiver<bool>) {
        let (seats, full) = (Arc::new(Seats::new(&broker.settings)), Hush::default());
        // No more can be asked for at once than a number of 32 bits says.
        let large = Arc::new(Semaphore::new(broker.settings.requests_bytes_max));
        let mut connections = JoinSet::new();
        let for_connections = stop.clone();
        loop {
            tokio::select! {
                () = stopped(&mut stop) => break,
                accepted = self.listener.accept() => match accepted {
                    Ok((stream, address)) => match Seats::take(&seats, address.ip()) {
                        Ok(seat) => {
                            let connection = Connection::new(
                                Arc::clone(&broker),
                                (stream, address),
                                Arc::clone(&large),
                                for_connections.clone(),
                            );
                            connections.spawn(seated(connection, seat, broker.metrics.connections.clone()));
                        }
                        Err(reason) => refuse(&broker, stream, address, (reason, &full)),
                    },
                    Err(error) => {
                        tracing::warn!(%error, "a connection of a Kafka client cannot be accepted");
                        tokio::time::sleep(ACCEPT_PAUSE).await;
                    }
                },
                Some(_) = connections.join_next() => {}
            }
        }
        let drained = async { while connections.join_next().await.is_some() {} };
        if tokio::time::timeout(DRAIN_MAX, drained).await.is_err() {
            tracing::info!("some connections of Kafka clients did not end in time");
        }
    }
}

/// Waits until it is time to stop.
pub(super) async fn stopped(stop: &mut watch::Receiver<bool>) {
    // Nobody who could say it any more says it, too.
    drop(stop.wait_for(|stop| *stop).await);
}

async fn seated(connection: io::Result<Connection>, seat: Seat, open: prometheus_client::metrics::gauge::Gauge) {
    let _seat = seat;
    // One that broke before it was looked at is over.
    if let Ok(connection) = connection {
        let _open = Open::new(open);
        connection.run().await;
    }
}

/// There is no answer to a connection: it is closed, and whoever meant it comes back by itself.
fn refuse(broker: &Broker, stream: TcpStream, address: SocketAddr, (reason, full): (&'static str, &Hush)) {
    drop(stream);
    broker.metrics.closed(reason);
    if let Some(left_out) = full.may_speak(Instant::now()) {
        tracing::warn!(%address, reason, left_out, "a connection of a Kafka client is one too many and closed");
    }
}

/// Who is connected: so many, and from where.
struct Seats {
    all_max: usize,
    address_max: usize,
    taken: Mutex<Taken>,
}

#[derive(Default)]
struct Taken {
    all: usize,
    by_address: HashMap<IpAddr, usize>,
}

impl Seats {
    fn new(settings: &config::KafkaListener) -> Self {
        Self {
            all_max: settings.connections_max,
            address_max: settings.address_connections_max,
            taken: Mutex::default(),
        }
    }

    /// A seat for somebody from this address, or why there is none.
    fn take(this: &Arc<Self>, address: IpAddr) -> Result<Seat, &'static str> {
        let mut taken = this.taken();
        if taken.all >= this.all_max {
            return Err("connections_max");
        }
        let theirs = taken.by_address.entry(address).or_default();
        if *theirs >= this.address_max {
            return Err("address_connections_max");
        }
        *theirs += 1;
        taken.all += 1;
        drop(taken);
        Ok(Seat { seats: Arc::clone(this), address })
    }

    /// The lock is held for moments.
    fn taken(&self) -> MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The place of a connection, until it is dropped.
struct Seat {
    seats: Arc<Seats>,
    address: IpAddr,
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut taken = self.seats.taken();
        taken.all = taken.all.saturating_sub(1);
        if let Entry::Occupied(mut theirs) = taken.by_address.entry(self.address) {
            *theirs.get_mut() -= 1;
            if *theirs.get() == 0 {
                theirs.remove();
            }
        }
    }
}

/// Counts a connection while it is open.
struct Open(prometheus_client::metrics::gauge::Gauge);

impl Open {
    fn new(gauge: prometheus_client::metrics::gauge::Gauge) -> Self {
        gauge.inc();
        Self(gauge)
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.dec();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seats_are_given_back_and_nobody_is_remembered() {
        let settings = config::KafkaListener { connections_max: 3, address_connections_max: 2, ..Default::default() };
        let seats = Arc::new(Seats::new(&settings));
        let (a, b) = (IpAddr::from([10, 0, 0, 1]), IpAddr::from([10, 0, 0, 2]));
        let first = Seats::take(&seats, a).unwrap_or_else(|why| panic!("{why}"));
        let _second = Seats::take(&seats, a).unwrap_or_else(|why| panic!("{why}"));
        assert_eq!(Seats::take(&seats, a).err(), Some("address_connections_max"));
        let _third = Seats::take(&seats, b).unwrap_or_else(|why| panic!("{why}"));
        assert_eq!(Seats::take(&seats, b).err(), Some("connections_max"));
        drop(first);
        drop(Seats::take(&seats, b).unwrap_or_else(|why| panic!("{why}")));
        drop((_second, _third));
        assert!(seats.taken().by_address.is_empty());
        assert_eq!(seats.taken().all, 0);
    }
}
