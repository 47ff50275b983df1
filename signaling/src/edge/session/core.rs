//! A session's numbers: which requests were answered how, which events its client has taken in.
//!
//! Pure: `step(now, input) -> outputs`. It survives its connection; whether one is there is part of
//! its state. Nothing here knows what requests do.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use homeline_protocol::session::{ApiError, ErrorCode, Event, Outcome, Request, ServerFrame};

use super::config::SessionConfig;
use super::words;

/// One session.
#[derive(Debug)]
pub(super) struct Core {
    config: SessionConfig,
    link: Link,
    outbox: Outbox,
    /// The next id that a new request must have.
    next_request: u64,
    waiting: VecDeque<(u64, Request)>,
    running: Option<u64>,
    replies: BTreeMap<u64, (Outcome, usize)>,
    reply_bytes: usize,
    allowance: Allowance,
}

/// Whether the session has a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Link {
    Attached { heard_at: Instant },
    Detached { since: Instant },
}

/// What happens to a session.
#[derive(Debug)]
pub(super) enum Input {
    /// A connection was attached whose client has taken in events up to this number.
    Attached { last_event: u64 },
    /// The connection is gone.
    Detached,
    /// A request, or why it does not parse.
    Request {
        id: u64,
        body: Result<Request, ApiError>,
    },
    /// The client has taken in events and replies up to these numbers.
    Ack { event: u64, reply: u64 },
    /// A heartbeat.
    Ping,
    /// The client's end of the connection answers, if not the client itself.
    Alive,
    /// The running request was answered.
    Replied { id: u64, outcome: Outcome },
    /// Something for this client happened.
    Event(Arc<Event>),
    /// Look at the time.
    Tick,
}

/// What is to be done, in this order.
#[derive(Debug, PartialEq)]
pub(super) enum Output {
    /// Send a frame over the connection there is.
    Send(ServerFrame),
    /// Carry out a request; `Replied` is to follow.
    Run(u64, Request),
    /// The connection was silent for too long: drop it. The session is detached already.
    DropLink,
    /// The session is over. With a reason, the client is told.
    End(Option<ApiError>),
}

impl Core {
    /// A new session with a connection.
    pub(super) fn new(config: SessionConfig, now: Instant) -> Self {
        Self {
            link: Link::Attached { heard_at: now },
            outbox: Outbox::default(),
            next_request: 1,
            waiting: VecDeque::new(),
            running: None,
            replies: BTreeMap::new(),
            reply_bytes: 0,
            allowance: Allowance::new(&config, now),
            config,
        }
    }

    /// Whether a client that has taken in events up to `last_event` can go on from there.
    pub(super) fn can_resume(&self, last_event: u64) -> bool {
        (self.outbox.acknowledged..=self.outbox.last).contains(&last_event)
    }

    pub(super) fn is_attached(&self) -> bool {
        matches!(self.link, Link::Attached { .. })
    }

    /// When to `step` with `Input::Tick` at the latest.
    pub(super) fn deadline(&self) -> Instant {
        match self.link {
            Link::Attached { heard_at } => heard_at + self.config.silence_max(),
            Link::Detached { since } => since + self.config.resume_window(),
        }
    }

    pub(super) fn step(&mut self, now: Instant, input: Input) -> Vec<Output> {
        if let (
            Input::Request { .. } | Input::Ack { .. } | Input::Ping | Input::Alive,
            Link::Attached { heard_at },
        ) = (&input, &mut self.link)
        {
            *heard_at = now;
        }
        match input {
            Input::Attached { last_event } => self.attached(now, last_event),
            Input::Detached => {
                if self.is_attached() {
                    self.link = Link::Detached { since: now };
                }
                Vec::new()
            }
            Input::Request { id, body } => self.request(now, id, body),
            Input::Ack { event, reply } => self.acknowledged(event, reply),
            Input::Ping => vec![Output::Send(ServerFrame::Pong)],
            Input::Alive => Vec::new(),
            Input::Replied { id, outcome } => {
                if self.running == Some(id) {
                    self.running = None;
                }
                let mut outputs = self.answer(id, outcome);
                outputs.extend(self.run_next());
                outputs
            }
            Input::Event(event) => self.event(event),
            Input::Tick => self.tick(now),
        }
    }

    fn attached(&mut self, now: Instant, last_event: u64) -> Vec<Output> {
        self.link = Link::Attached { heard_at: now };
        self.outbox.acknowledge(last_event);
        self.outbox
            .waiting
            .iter()
            .map(|one| Output::Send(one.frame()))
            .collect()
    }

    /// Each id is carried out once. One that comes again gets the same answer, or the one that is
    /// still to come.
    fn request(&mut self, now: Instant, id: u64, body: Result<Request, ApiError>) -> Vec<Output> {
        if id < self.next_request {
            let known = self.replies.get(&id).map(|(outcome, _)| outcome.clone());
            let again = known.map(|result| self.send(ServerFrame::Reply { id, result }));
            return again.unwrap_or_default();
        }
        if id > self.next_request {
            return self.end(words::request_ids());
        }
        self.next_request += 1;
        if self.replies.len() + self.waiting.len() >= self.config.replies_max as usize {
            return self.end(words::outbox_full());
        }
        if let Err(retry_after) = self.allowance.take(now) {
            return self.answer(id, Outcome::Error(words::rate_limited(retry_after)));
        }
        let body = match body {
            Ok(body) => body,
            Err(error) => return self.answer(id, Outcome::Error(error)),
        };
        if self.waiting.len() >= self.config.requests_waiting_max as usize {
            return self.answer(id, Outcome::Error(words::requests_waiting()));
        }
        self.waiting.push_back((id, body));
        self.run_next()
    }

    fn run_next(&mut self) -> Vec<Output> {
        if self.running.is_some() {
            return Vec::new();
        }
        let Some((id, body)) = self.waiting.pop_front() else {
            return Vec::new();
        };
        self.running = Some(id);
        vec![Output::Run(id, body)]
    }

    fn answer(&mut self, id: u64, outcome: Outcome) -> Vec<Output> {
        let bytes = json_bytes(&outcome);
        self.reply_bytes += bytes;
        self.replies.insert(id, (outcome.clone(), bytes));
        let mut outputs = self.send(ServerFrame::Reply {
            id,
            result: outcome,
        });
        // One reply may be longer than the bound; it is those that pile up which count.
        if self.replies.len() > 1 && self.reply_bytes > self.config.outbox_bytes_max as usize {
            outputs.extend(self.end(words::outbox_full()));
        }
        outputs
    }

    fn acknowledged(&mut self, event: u64, reply: u64) -> Vec<Output> {
        if event > self.outbox.last {
            return self.end(words::acknowledged_too_much());
        }
        self.outbox.acknowledge(event);
        while let Some(first) = self
            .replies
            .first_entry()
            .filter(|first| *first.key() <= reply)
        {
            let (_, bytes) = first.remove();
            self.reply_bytes -= bytes;
        }
        Vec::new()
    }

    fn event(&mut self, event: Arc<Event>) -> Vec<Output> {
        let Some(entry) = self.outbox.push(event, &self.config) else {
            return self.end(words::outbox_full());
        };
        self.send(entry)
    }

    fn tick(&mut self, now: Instant) -> Vec<Output> {
        if now < self.deadline() {
            return Vec::new();
        }
        if self.is_attached() {
            self.link = Link::Detached { since: now };
            vec![Output::DropLink]
        } else {
            vec![Output::End(None)]
        }
    }

    fn send(&self, frame: ServerFrame) -> Vec<Output> {
        if self.is_attached() {
            vec![Output::Send(frame)]
        } else {
            Vec::new()
        }
    }

    fn end(&self, error: ApiError) -> Vec<Output> {
        vec![Output::End(Some(error))]
    }
}

/// Events that the client has not acknowledged.
#[derive(Debug, Default)]
struct Outbox {
    waiting: VecDeque<Entry>,
    bytes: usize,
    last: u64,
    acknowledged: u64,
}

#[derive(Debug)]
struct Entry {
    seq: u64,
    event: Arc<Event>,
    bytes: usize,
}

impl Entry {
    fn frame(&self) -> ServerFrame {
        ServerFrame::Event {
            seq: self.seq,
            body: Box::new((*self.event).clone()),
        }
    }
}

impl Outbox {
    /// None when it is full.
    fn push(&mut self, event: Arc<Event>, config: &SessionConfig) -> Option<ServerFrame> {
        let bytes = json_bytes(&*event);
        let full = self.waiting.len() >= config.outbox_events_max as usize
            || self.bytes + bytes > config.outbox_bytes_max as usize;
        if full {
            return None;
        }
        self.last += 1;
        self.bytes += bytes;
        let entry = Entry {
            seq: self.last,
            event,
            bytes,
        };
        let frame = entry.frame();
        self.waiting.push_back(entry);
        Some(frame)
    }

    fn acknowledge(&mut self, up_to: u64) {
        while let Some(entry) = self.waiting.front().filter(|entry| entry.seq <= up_to) {
            self.bytes -= entry.bytes;
            self.acknowledged = entry.seq;
            self.waiting.pop_front();
        }
    }
}

/// A token bucket for requests.
#[derive(Debug)]
struct Allowance {
    burst: Duration,
    each: Duration,
    /// When the bucket is full again.
    full_at: Instant,
}

impl Allowance {
    fn new(config: &SessionConfig, now: Instant) -> Self {
        let each = Duration::from_secs(1) / config.requests_per_second_max.max(1);
        Self {
            burst: each * config.request_burst_max.max(1),
            each,
            full_at: now,
        }
    }

    fn take(&mut self, now: Instant) -> Result<(), Duration> {
        let full_at = self.full_at.max(now) + self.each;
        let beyond = full_at.saturating_duration_since(now + self.burst);
        if beyond.is_zero() {
            self.full_at = full_at;
            Ok(())
        } else {
            Err(beyond)
        }
    }
}

fn json_bytes(content: &impl serde::Serialize) -> usize {
    let mut counter = Counter(0);
    match serde_json::to_writer(&mut counter, content) {
        Ok(()) => counter.0,
        // Events and replies have only string keys and in-memory data, so this does not come; if it
        // did, it would count as something that fills the outbox.
        Err(_) => usize::MAX / 2,
    }
}

struct Counter(usize);

impl std::io::Write for Counter {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Whether a session that ended so is replaced by another of the same device at once.
pub(super) fn is_replaced(error: Option<&ApiError>) -> bool {
    error.is_some_and(|error| error.code == ErrorCode::SessionReplaced)
}
