//! The channels between signaling and a node in the same process.

use homeline_protocol::media_control::{MediaCommand, MediaError, MediaEvent, MediaReply};
use tokio::sync::{mpsc, oneshot};

/// A command and the place for its reply.
pub type MediaExchange = (
    MediaCommand,
    oneshot::Sender<Result<MediaReply, MediaError>>,
);

/// Commands that may wait for the router, which waits for nobody; who sends more waits.
pub(crate) const COMMANDS_MAX: usize = 1_024;

/// Events that may wait for signaling; beyond it they wait inside the node, in order.
pub(crate) const EVENTS_MAX: usize = 1_024;

/// Signaling's ends of the channels.
#[derive(Debug)]
pub struct Link {
    /// Commands to the node.
    pub commands: mpsc::Sender<MediaExchange>,
    /// Events from it.
    pub events: mpsc::Receiver<MediaEvent>,
}

impl Link {
    /// Sends one command and waits for its reply.
    ///
    /// # Errors
    /// What the node says, or [`MediaError::Gone`] when it is not there.
    pub async fn send(&self, command: MediaCommand) -> Result<MediaReply, MediaError> {
        let (reply, pending) = oneshot::channel();
        self.commands
            .send((command, reply))
            .await
            .map_err(|_| MediaError::Gone)?;
        pending.await.map_err(|_| MediaError::Gone)?
    }
}
