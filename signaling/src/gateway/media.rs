//! The link to a media node: commands in the order given, each with a deadline for its reply.
//!
//! Knows nothing of calls. A node that does not answer in time counts as gone.

use std::time::Duration;

use homeline_protocol::media_control::{MediaCommand, MediaError, MediaReply};
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

/// How long a node may take to answer. Negotiation is its slowest command (a certificate at most),
/// and takes milliseconds; a call that waits longer than this is better told so.
const REPLY_TIMEOUT: Duration = Duration::from_secs(5);

/// How long a full command queue may hold up one call before the node counts as gone. The node takes commands at once,
/// so that only a process that stands still fills it.
const QUEUE_TIMEOUT: Duration = Duration::from_secs(2);

/// A command and the place for its reply.
pub type MediaExchange = (
    MediaCommand,
    oneshot::Sender<Result<MediaReply, MediaError>>,
);

/// The way to a media node.
#[derive(Clone, Debug)]
pub enum Media {
    /// The node runs in this process; the channel's capacity bounds what may wait.
    Local(mpsc::Sender<MediaExchange>),
}

/// A reply on its way.
#[derive(Debug)]
pub struct PendingReply(Result<oneshot::Receiver<Result<MediaReply, MediaError>>, MediaError>);

impl Media {
    /// Hands over a command. The commands of one caller arrive in the order in which these futures
    /// complete; the reply may be awaited elsewhere.
    pub async fn send(&self, command: MediaCommand) -> PendingReply {
        let Self::Local(node) = self;
        let (reply, pending) = oneshot::channel();
        PendingReply(
            match timeout(QUEUE_TIMEOUT, node.send((command, reply))).await {
                Ok(Ok(())) => Ok(pending),
                Ok(Err(_)) | Err(_) => Err(MediaError::Gone),
            },
        )
    }
}

impl PendingReply {
    /// Waits for the reply, at most five seconds.
    ///
    /// # Errors
    /// What the node says, or [`MediaError::Gone`] when it says nothing.
    pub async fn wait(self) -> Result<MediaReply, MediaError> {
        match timeout(REPLY_TIMEOUT, self.0?).await {
            Ok(Ok(result)) => result,
            Ok(Err(_)) | Err(_) => Err(MediaError::Gone),
        }
    }
}

#[cfg(test)]
mod tests {
    use homeline_protocol::id::RoomId;

    use super::*;

    const COMMAND: MediaCommand = MediaCommand::CreateRoom {
        room: RoomId([1; 16]),
    };

    #[tokio::test]
    async fn a_reply_finds_its_command() {
        let (sender, mut node) = mpsc::channel(1);
        let pending = Media::Local(sender).send(COMMAND).await;
        let (command, reply) = node.recv().await.unwrap();
        assert_eq!(command, COMMAND);
        reply.send(Ok(MediaReply::Done)).unwrap();
        assert_eq!(pending.wait().await, Ok(MediaReply::Done));
    }

    #[tokio::test(start_paused = true)]
    async fn a_node_that_is_gone_full_or_silent_is_gone() {
        let (sender, node) = mpsc::channel(1);
        let media = Media::Local(sender);
        let silent = media.send(COMMAND).await;
        assert_eq!(silent.wait().await, Err(MediaError::Gone), "silent");
        assert_eq!(
            media.send(COMMAND).await.wait().await,
            Err(MediaError::Gone),
            "full"
        );
        drop(node);
        assert_eq!(
            media.send(COMMAND).await.wait().await,
            Err(MediaError::Gone),
            "closed"
        );
    }
}
