//! What the control interface holds: the way to the node, its events, and who may ask.

use std::sync::Arc;
use std::time::{Duration, Instant};

use homeline_protocol::media_control::{MediaCommand, MediaError, MediaEvent, MediaReply};
use tokio::sync::{Mutex, Semaphore, broadcast, mpsc, oneshot, watch};

use super::reachability::ReachabilityQuestions;
use super::token::AdminToken;
use crate::link::{EVENTS_MAX, Link, MediaExchange};
use crate::node::Node;

/// How long the node may take to answer a command. Negotiation is its slowest and takes milliseconds.
const REPLY_TIMEOUT: Duration = Duration::from_secs(5);

/// Events kept for readers of the event stream; a reader that is further behind loses the oldest.
const READER_EVENTS_MAX: usize = 1_024;

/// Readers of the event stream at the same time; another one is refused.
const READERS_MAX: usize = 16;

/// The control interface of a node. Clones are the same one.
#[derive(Clone)]
pub struct Control {
    pub(super) inner: Arc<Inner>,
}

pub(super) struct Inner {
    pub(super) node: Node,
    pub(super) admin: AdminToken,
    pub(super) started: Instant,
    pub(super) events: broadcast::Sender<MediaEvent>,
    pub(super) readers: Arc<Semaphore>,
    pub(super) closing: watch::Sender<bool>,
    /// Held while a room is looked for and made, so that of two who make one only the first is told so.
    pub(super) making: Mutex<()>,
    pub(super) reachability: ReachabilityQuestions,
    commands: mpsc::Sender<MediaExchange>,
}

impl Control {
    /// An interface to a node, and the link by which signaling still speaks with it. Events go both ways; a
    /// node that stands alone drops the link. Whether the home can be reached is asked of whoever takes
    /// `reachability`'s questions.
    ///
    /// Must be called inside a tokio runtime.
    #[must_use]
    pub fn new(
        node: Node,
        link: Link,
        admin: AdminToken,
        reachability: ReachabilityQuestions,
    ) -> (Self, Link) {
        let (events, _) = broadcast::channel(READER_EVENTS_MAX);
        let (onward, onward_events) = mpsc::channel(EVENTS_MAX);
        tokio::spawn(copy_events(link.events, events.clone(), onward));
        let inner = Inner {
            node,
            admin,
            started: Instant::now(),
            events,
            readers: Arc::new(Semaphore::new(READERS_MAX)),
            closing: watch::Sender::new(false),
            making: Mutex::new(()),
            reachability,
            commands: link.commands.clone(),
        };
        let link = Link {
            commands: link.commands,
            events: onward_events,
        };
        let inner = Arc::new(inner);
        (Self { inner }, link)
    }

    /// Ends the event streams, so that a shutdown need not wait for their readers.
    pub fn close(&self) {
        self.inner.closing.send_replace(true);
    }

    /// Sends a command and waits for its reply, at most five seconds.
    pub(super) async fn send(&self, command: MediaCommand) -> Result<MediaReply, MediaError> {
        let exchange = async {
            let (reply, pending) = oneshot::channel();
            let sent = self.inner.commands.send((command, reply)).await;
            sent.map_err(|_| MediaError::Gone)?;
            pending.await.map_err(|_| MediaError::Gone)?
        };
        tokio::time::timeout(REPLY_TIMEOUT, exchange)
            .await
            .unwrap_or(Err(MediaError::Gone))
    }
}

async fn copy_events(
    mut events: mpsc::Receiver<MediaEvent>,
    readers: broadcast::Sender<MediaEvent>,
    onward: mpsc::Sender<MediaEvent>,
) {
    while let Some(event) = events.recv().await {
        // Nobody may be reading, on either side.
        readers.send(event.clone()).ok();
        onward.send(event).await.ok();
    }
}
