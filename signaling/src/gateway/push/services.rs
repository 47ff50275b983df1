//! Keeps push services apart: each has its own places in the queue and its own pause, so that a slow
//! one delays nobody else.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, sleep_until};

/// Services remembered. Those that nobody waits for are forgotten first; when all are busy, a new
/// one's message is dropped.
const SERVICES_MAX: usize = 1_024;

/// The services that messages are on their way to. Clones share them.
#[derive(Debug, Clone)]
pub(super) struct Services {
    table: Arc<Mutex<HashMap<String, Arc<Service>>>>,
    sending_max: usize,
    waiting_max: usize,
}

/// One push service.
#[derive(Debug)]
pub(super) struct Service {
    waiting: Arc<Semaphore>,
    sending: Arc<Semaphore>,
    paused_until: Mutex<Option<Instant>>,
}

/// A message's place in a service's queue.
#[derive(Debug)]
pub(super) struct Place {
    service: Arc<Service>,
    _waiting: OwnedSemaphorePermit,
}

impl Services {
    pub(super) fn new(sending_max: u32, waiting_max: u32) -> Self {
        Self {
            table: Arc::default(),
            sending_max: sending_max.max(1) as usize,
            waiting_max: waiting_max.max(1) as usize,
        }
    }

    /// A place in the queue of the service at this origin; none when it is full.
    pub(super) fn enter(&self, origin: &str) -> Option<Place> {
        let mut table = self.table.lock().unwrap_or_else(PoisonError::into_inner);
        if !table.contains_key(origin) && table.len() >= SERVICES_MAX {
            let now = Instant::now();
            table.retain(|_, service| Arc::strong_count(service) > 1 || service.is_paused(now));
            if table.len() >= SERVICES_MAX {
                return None;
            }
        }
        let service = table.entry(origin.to_owned()).or_insert_with(|| {
            Arc::new(Service {
                waiting: Arc::new(Semaphore::new(self.waiting_max)),
                sending: Arc::new(Semaphore::new(self.sending_max)),
                paused_until: Mutex::new(None),
            })
        });
        let waiting = Arc::clone(&service.waiting).try_acquire_owned().ok()?;
        Some(Place {
            service: Arc::clone(service),
            _waiting: waiting,
        })
    }
}

impl Place {
    /// Waits for the service's pause to end, and then for its turn to send.
    pub(super) async fn turn(&self) -> Option<OwnedSemaphorePermit> {
        while let Some(until) = self.service.paused_until() {
            if until <= Instant::now() {
                break;
            }
            sleep_until(until).await;
        }
        Arc::clone(&self.service.sending).acquire_owned().await.ok()
    }

    /// The service asked to be left alone until then: holds for every message to it.
    pub(super) fn pause(&self, until: Instant) {
        let mut paused = self.service.lock();
        *paused = Some(paused.map_or(until, |before| before.max(until)));
    }
}

impl Service {
    fn paused_until(&self) -> Option<Instant> {
        *self.lock()
    }

    fn is_paused(&self, now: Instant) -> bool {
        self.paused_until().is_some_and(|until| until > now)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Instant>> {
        self.paused_until
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_full_or_paused_service_holds_up_nobody_else() {
        let services = Services::new(1, 2);
        let slow = services.enter("https://slow.example").unwrap();
        let behind = services.enter("https://slow.example").unwrap();
        assert!(services.enter("https://slow.example").is_none(), "full");
        let other = services.enter("https://other.example").unwrap();
        let begun = Instant::now();
        slow.pause(begun + Duration::from_secs(5));
        assert!(other.turn().await.is_some());
        assert_eq!(Instant::now(), begun);
        let turn = behind.turn().await.unwrap();
        assert_eq!(Instant::now(), begun + Duration::from_secs(5));
        let next = tokio::time::timeout(Duration::from_secs(1), slow.turn()).await;
        assert!(next.is_err(), "one at a time");
        drop((turn, behind));
        assert!(slow.turn().await.is_some());
        assert!(services.enter("https://slow.example").is_some());
    }

    #[tokio::test]
    async fn idle_services_are_forgotten_for_new_ones() {
        let services = Services::new(1, 1);
        let held = services.enter("https://held.example").unwrap();
        for number in 0..2 * SERVICES_MAX {
            assert!(
                services
                    .enter(&format!("https://{number}.example"))
                    .is_some()
            );
        }
        assert!(services.enter("https://held.example").is_none(), "kept");
        drop(held);
    }
}
