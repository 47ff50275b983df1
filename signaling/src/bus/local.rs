//! The bus within one process: a table of subscribers with a bounded queue each.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use homeline_protocol::id::{AccountId, DeviceId, HouseholdId};
use homeline_protocol::session::{ErrorCode, Event};
use tokio::sync::{mpsc, watch};

use super::subscription::{Subscriber, Subscription};
use super::{Audience, Notice};

/// Events that wait for one session's task. It only moves them into its outbox, so more than a few
/// means that it hangs; when full, the subscriber is dropped and its session ends.
const QUEUE_MAX: usize = 1024;

/// Notices that wait for the domain. Removing devices is rare; when full, a notice is dropped and
/// logged, and the device's sessions end all the same.
const NOTICES_MAX: usize = 4096;

/// The bus within one process.
#[derive(Clone, Debug, Default)]
pub struct LocalBus(Arc<Mutex<Table>>);

#[derive(Debug, Default)]
struct Table {
    last_number: u64,
    subscribers: HashMap<u64, Entry>,
    by_account: Index<AccountId>,
    by_device: Index<DeviceId>,
    by_household: Index<HouseholdId>,
    notices: Vec<mpsc::Sender<Notice>>,
}

#[derive(Debug)]
struct Entry {
    who: Subscriber,
    events: mpsc::Sender<Arc<Event>>,
    end: watch::Sender<Option<ErrorCode>>,
}

impl LocalBus {
    pub(super) fn publish(&self, audience: Audience, event: &Event) {
        let mut table = self.lock();
        let (numbers, except) = match audience {
            Audience::Device(device) => (table.by_device.of(&device), None),
            Audience::Account(account) => (table.by_account.of(&account), None),
            Audience::Household(household) => (table.by_household.of(&household), None),
            Audience::HouseholdExcept(household, device) => {
                (table.by_household.of(&household), Some(device))
            }
        };
        let event = Arc::new(event.clone());
        for number in numbers {
            let Some(entry) = table.subscribers.get(&number) else {
                continue;
            };
            if except.is_some() && entry.who.device == except {
                continue;
            }
            if entry.events.try_send(Arc::clone(&event)).is_err() {
                table.remove(number);
            }
        }
    }

    pub(super) fn end_sessions(&self, device: DeviceId, code: ErrorCode) {
        let mut table = self.lock();
        for number in table.by_device.of(&device) {
            if let Some(entry) = table.subscribers.get(&number) {
                entry.end.send_replace(Some(code));
            }
        }
        table.notify(&Notice::SessionsEnded { device, code });
    }

    pub(super) fn end_account(&self, account: AccountId, code: ErrorCode) {
        let table = self.lock();
        for number in table.by_account.of(&account) {
            if let Some(entry) = table.subscribers.get(&number) {
                entry.end.send_replace(Some(code));
            }
        }
    }

    pub(super) fn notify(&self, notice: Notice) {
        self.lock().notify(&notice);
    }

    pub(super) fn subscribe(&self, who: Subscriber) -> Subscription {
        let (events, events_out) = mpsc::channel(QUEUE_MAX);
        let (end, end_out) = watch::channel(None);
        let mut table = self.lock();
        table.last_number += 1;
        let number = table.last_number;
        table.by_account.add(who.account, number);
        if let Some(device) = who.device {
            table.by_device.add(device, number);
        }
        if let Some(household) = who.household {
            table.by_household.add(household, number);
        }
        table.subscribers.insert(number, Entry { who, events, end });
        Subscription {
            bus: self.clone(),
            number,
            events: events_out,
            end: end_out,
        }
    }

    pub(super) fn join_household(&self, number: u64, household: HouseholdId) {
        let mut table = self.lock();
        let Some(entry) = table.subscribers.get_mut(&number) else {
            return;
        };
        let before = entry.who.household.replace(household);
        if let Some(before) = before {
            table.by_household.remove(&before, number);
        }
        table.by_household.add(household, number);
    }

    pub(super) fn unsubscribe(&self, number: u64) {
        self.lock().remove(number);
    }

    pub(super) fn notices(&self) -> mpsc::Receiver<Notice> {
        let (sender, receiver) = mpsc::channel(NOTICES_MAX);
        self.lock().notices.push(sender);
        receiver
    }

    fn lock(&self) -> MutexGuard<'_, Table> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Table {
    fn notify(&mut self, notice: &Notice) {
        self.notices
            .retain(|notices| match notices.try_send(notice.clone()) {
                Ok(()) => true,
                Err(mpsc::error::TrySendError::Closed(_)) => false,
                Err(mpsc::error::TrySendError::Full(_)) => {
                    tracing::error!("a notice was dropped: the domain is too far behind");
                    true
                }
            });
    }

    fn remove(&mut self, number: u64) {
        let Some(entry) = self.subscribers.remove(&number) else {
            return;
        };
        self.by_account.remove(&entry.who.account, number);
        if let Some(device) = entry.who.device {
            self.by_device.remove(&device, number);
        }
        if let Some(household) = entry.who.household {
            self.by_household.remove(&household, number);
        }
    }
}

/// Which subscribers belong to a key.
#[derive(Debug)]
struct Index<K>(HashMap<K, Vec<u64>>);

impl<K> Default for Index<K> {
    fn default() -> Self {
        Self(HashMap::new())
    }
}

impl<K: Eq + Hash> Index<K> {
    fn of(&self, key: &K) -> Vec<u64> {
        self.0.get(key).cloned().unwrap_or_default()
    }

    fn add(&mut self, key: K, number: u64) {
        self.0.entry(key).or_default().push(number);
    }

    fn remove(&mut self, key: &K, number: u64) {
        if let Some(numbers) = self.0.get_mut(key) {
            numbers.retain(|one| *one != number);
            if numbers.is_empty() {
                self.0.remove(key);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::subscription::Delivery;
    use super::*;

    const ANNA: AccountId = AccountId([1; 16]);
    const PHONE: DeviceId = DeviceId([2; 16]);
    const KITCHEN: DeviceId = DeviceId([3; 16]);
    const HOME: HouseholdId = HouseholdId([4; 16]);

    fn who(device: DeviceId) -> Subscriber {
        Subscriber {
            account: ANNA,
            device: Some(device),
            household: Some(HOME),
        }
    }

    async fn next_is_event(subscription: &mut Subscription) -> bool {
        matches!(subscription.next().await, Delivery::Event(_))
    }

    fn waiting(subscription: &mut Subscription) -> usize {
        subscription.events.len()
    }

    #[test]
    fn an_event_reaches_its_audience_and_nobody_else() {
        let bus = LocalBus::default();
        let mut phone = bus.subscribe(who(PHONE));
        let mut kitchen = bus.subscribe(who(KITCHEN));
        let mut waiting_room = bus.subscribe(Subscriber {
            household: None,
            ..who(PHONE)
        });
        let mut expect = |audience, counts: [usize; 3]| {
            bus.publish(audience, &Event::JoinRefused);
            let got = [&mut phone, &mut kitchen, &mut waiting_room].map(|one| {
                let count = waiting(one);
                while one.events.try_recv().is_ok() {}
                count
            });
            assert_eq!(got, counts, "{audience:?}");
        };
        expect(Audience::Device(PHONE), [1, 0, 1]);
        expect(Audience::Account(ANNA), [1, 1, 1]);
        expect(Audience::Household(HOME), [1, 1, 0]);
        expect(Audience::HouseholdExcept(HOME, KITCHEN), [1, 0, 0]);
        expect(Audience::Account(AccountId([9; 16])), [0, 0, 0]);
    }

    #[tokio::test]
    async fn an_end_overtakes_events_and_is_noticed() {
        let bus = LocalBus::default();
        let mut notices = bus.notices();
        let mut phone = bus.subscribe(who(PHONE));
        bus.publish(Audience::Device(PHONE), &Event::JoinRefused);
        bus.end_sessions(PHONE, ErrorCode::DeviceRevoked);
        assert_eq!(phone.next().await, Delivery::End(ErrorCode::DeviceRevoked));
        assert_eq!(
            notices.recv().await,
            Some(Notice::SessionsEnded {
                device: PHONE,
                code: ErrorCode::DeviceRevoked
            })
        );
    }

    #[tokio::test]
    async fn a_subscriber_that_hangs_is_dropped_and_told() {
        let bus = LocalBus::default();
        let mut phone = bus.subscribe(who(PHONE));
        for _ in 0..=QUEUE_MAX {
            bus.publish(Audience::Device(PHONE), &Event::JoinRefused);
        }
        for _ in 0..QUEUE_MAX {
            assert!(next_is_event(&mut phone).await);
        }
        assert_eq!(phone.next().await, Delivery::End(ErrorCode::OutboxFull));
    }

    #[test]
    fn nothing_of_a_subscription_stays_behind() {
        let bus = LocalBus::default();
        let waiting = bus.subscribe(Subscriber {
            household: None,
            ..who(PHONE)
        });
        waiting.join_household(HOME);
        assert_eq!(bus.lock().by_household.of(&HOME).len(), 1);
        drop(waiting);
        let table = bus.lock();
        assert!(table.subscribers.is_empty() && table.by_household.0.is_empty());
        assert!(table.by_account.0.is_empty() && table.by_device.0.is_empty());
    }
}
