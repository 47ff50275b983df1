//! The ways between workers that share rooms: from each to each a ring for packets and a box for news.
//!
//! A ring has one writer and one reader, and a packet is copied into it and read where it lies: a copy of a packet's
//! length costs less than counting references would across two processors' caches. What finds it full is lost and
//! counted, as a network would, and repaired like any loss. News may not be lost, but a newer one of the same room
//! replaces it, so that a box never holds more than one for each room. A worker is woken once for all that a turn
//! brought it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use homeline_media_engine::{EngineId, RoomNews};
use rtrb::{Consumer, Producer, RingBuffer};

/// Bytes that one ring holds: about 400 packets of video, or 50 ms of 80 Mbit/s. Its memory is touched only once
/// rooms are shared.
const RING_BYTES: usize = 512 * 1_024;

/// The length before every message.
const LENGTH_BYTES: usize = 2;

/// Wakes a worker, if that was not done since it last looked.
struct Bell {
    waker: Arc<mio::Waker>,
    rung: AtomicBool,
}

impl Bell {
    fn ring(&self) {
        if !self.rung.swap(true, Ordering::AcqRel)
            && let Err(error) = self.waker.wake()
        {
            tracing::warn!(%error, "a media thread can't be woken");
        }
    }
}

/// News on their way, the latest of each room.
#[derive(Default)]
struct NewsBox {
    fresh: AtomicBool,
    news: Mutex<Vec<RoomNews>>,
}

impl NewsBox {
    fn put(&self, news: RoomNews) {
        let mut waiting = self.news.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.retain(|older| older.room() != news.room());
        waiting.push(news);
        self.fresh.store(true, Ordering::Release);
    }

    /// What came since the last time; looks at it without a lock.
    fn take(&self) -> Vec<RoomNews> {
        if !self.fresh.swap(false, Ordering::AcqRel) {
            return Vec::new();
        }
        let mut waiting = self.news.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *waiting)
    }
}

struct To {
    ring: Producer<u8>,
    news: Arc<NewsBox>,
    bell: Arc<Bell>,
    /// Something was put there since its bell was rung.
    put: bool,
}

struct From {
    id: EngineId,
    ring: Consumer<u8>,
    news: Arc<NewsBox>,
}

/// One worker's ends of the ways to and from all others.
#[derive(Default)]
pub(crate) struct Links {
    own: Option<Arc<Bell>>,
    /// By the number of the worker; none to itself.
    to: Vec<Option<To>>,
    from: Vec<From>,
    /// A message that lies around the ring's end.
    whole: Vec<u8>,
    /// Messages that found their ring full.
    pub(crate) lost: u64,
}

/// What comes from another worker.
pub(crate) enum Told<'a> {
    News(RoomNews),
    Message(&'a [u8]),
}

impl Links {
    /// Connects each worker with each.
    pub(crate) fn between(workers: &[Arc<mio::Waker>]) -> Vec<Self> {
        let bells: Vec<Arc<Bell>> = workers
            .iter()
            .map(|waker| {
                Arc::new(Bell {
                    waker: Arc::clone(waker),
                    rung: AtomicBool::new(false),
                })
            })
            .collect();
        let mut all: Vec<Self> = bells
            .iter()
            .map(|bell| Self {
                own: Some(Arc::clone(bell)),
                ..Self::default()
            })
            .collect();
        for writer in 0..all.len() {
            for (reader, bell) in bells.iter().enumerate() {
                if writer == reader {
                    all[writer].to.push(None);
                    continue;
                }
                let (ring, end) = RingBuffer::new(RING_BYTES);
                let news = Arc::<NewsBox>::default();
                all[reader].from.push(From {
                    id: EngineId(writer as u16),
                    ring: end,
                    news: Arc::clone(&news),
                });
                all[writer].to.push(Some(To {
                    ring,
                    news,
                    bell: Arc::clone(bell),
                    put: false,
                }));
            }
        }
        all
    }

    pub(crate) fn tell(&mut self, to: EngineId, news: RoomNews) {
        if let Some(Some(to)) = self.to.get_mut(usize::from(to.0)) {
            to.news.put(news);
            to.put = true;
        }
    }

    pub(crate) fn send(&mut self, to: EngineId, message: &[u8]) {
        let Some(Some(to)) = self.to.get_mut(usize::from(to.0)) else {
            return;
        };
        to.put = true;
        let Ok(len) = u16::try_from(message.len()) else {
            self.lost += 1;
            return;
        };
        let sent = to.ring.slots() >= LENGTH_BYTES + message.len()
            && to.ring.push_entire_slice(&len.to_be_bytes()).is_ok()
            && to.ring.push_entire_slice(message).is_ok();
        self.lost += u64::from(!sent);
    }

    /// Wakes those for whom there is something.
    pub(crate) fn ring(&mut self) {
        for to in self.to.iter_mut().flatten().filter(|to| to.put) {
            to.put = false;
            to.bell.ring();
        }
    }

    /// Hands out all that has come. What comes meanwhile rings again.
    pub(crate) fn take(&mut self, mut told: impl FnMut(EngineId, Told<'_>)) {
        if let Some(bell) = &self.own {
            bell.rung.swap(false, Ordering::AcqRel);
        }
        for from in &mut self.from {
            // News come before the messages that were sent after them, so those are counted first.
            let mut bytes = from.ring.slots();
            for news in from.news.take() {
                told(from.id, Told::News(news));
            }
            while let Some(len) = next_len(&mut from.ring, bytes) {
                bytes -= LENGTH_BYTES + len;
                let Ok(message) = from.ring.read_chunk(len) else {
                    break;
                };
                match message.as_slices() {
                    (whole, []) => told(from.id, Told::Message(whole)),
                    (one, other) => {
                        self.whole.clear();
                        self.whole.extend_from_slice(one);
                        self.whole.extend_from_slice(other);
                        told(from.id, Told::Message(&self.whole));
                    }
                }
                message.commit_all();
            }
        }
    }
}

/// The length of the next message, if all of it lies within so many bytes.
fn next_len(ring: &mut Consumer<u8>, bytes: usize) -> Option<usize> {
    let chunk = ring.read_chunk(LENGTH_BYTES).ok()?;
    let (one, other) = chunk.as_slices();
    let mut length = one.iter().chain(other);
    let len = u16::from_be_bytes([*length.next()?, *length.next()?]);
    let len = usize::from(len);
    if bytes < LENGTH_BYTES + len {
        return None;
    }
    chunk.commit_all();
    Some(len)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair() -> (Links, Links, mio::Poll) {
        let poll = mio::Poll::new().unwrap();
        let waker = Arc::new(mio::Waker::new(poll.registry(), mio::Token(0)).unwrap());
        let mut links = Links::between(&[Arc::clone(&waker), waker]);
        let second = links.pop().unwrap();
        (links.pop().unwrap(), second, poll)
    }

    fn messages(links: &mut Links) -> Vec<Vec<u8>> {
        let mut messages = Vec::new();
        links.take(|from, told| {
            assert_eq!(from, EngineId(0));
            if let Told::Message(message) = told {
                messages.push(message.to_vec());
            }
        });
        messages
    }

    #[test]
    fn messages_arrive_in_order_also_around_the_end_of_the_ring() {
        let (mut one, mut other, _poll) = pair();
        let mut sent = 0_u32;
        // Lengths that do not divide the ring's, for several times its length.
        for _ in 0..300 {
            let batch: Vec<Vec<u8>> = (0..7)
                .map(|_| {
                    sent += 1;
                    let mut message = vec![sent as u8; 900 + sent as usize % 211];
                    message[..4].copy_from_slice(&sent.to_be_bytes());
                    message
                })
                .collect();
            for message in &batch {
                one.send(EngineId(1), message);
            }
            assert_eq!(messages(&mut other), batch);
        }
        assert_eq!(one.lost, 0);
    }

    #[test]
    fn what_finds_the_ring_full_is_lost_and_counted_and_the_next_arrives() {
        let (mut one, mut other, _poll) = pair();
        for _ in 0..1_000 {
            one.send(EngineId(1), &[1; 1_000]);
        }
        let arrived = messages(&mut other).len() as u64;
        assert_eq!(arrived, (RING_BYTES / 1_002) as u64);
        assert_eq!(one.lost, 1_000 - arrived);
        one.send(EngineId(1), &[2; 9]);
        assert_eq!(messages(&mut other), [[2; 9]]);
        one.send(EngineId(0), &[3; 9]);
        one.send(EngineId(7), &[3; 9]);
        assert!(messages(&mut other).is_empty(), "there is no such way");
    }

    #[test]
    fn a_worker_is_woken_once_until_it_looks() {
        let (mut one, mut other, mut poll) = pair();
        let mut events = mio::Events::with_capacity(4);
        let mut woken = || {
            poll.poll(&mut events, Some(std::time::Duration::ZERO))
                .unwrap();
            !events.is_empty()
        };
        one.ring();
        assert!(!woken(), "there is nothing to tell");
        one.send(EngineId(1), &[1; 9]);
        one.ring();
        assert!(woken());
        one.send(EngineId(1), &[2; 9]);
        one.ring();
        assert!(!woken(), "it has not looked yet");
        assert_eq!(messages(&mut other).len(), 2);
        one.send(EngineId(1), &[3; 9]);
        one.ring();
        assert!(woken());
    }
}
