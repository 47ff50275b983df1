//! A test's view of every packet that the server sees without SRTP.
//!
//! It exists only with the feature `tap`, which no shipped build has: a test uses it to show that what the
//! server could see is ciphertext. Without the feature it is nothing and does nothing.

/// Where clear packets go.
#[derive(Default)]
pub(crate) struct Tap {
    #[cfg(feature = "tap")]
    sender: Option<std::sync::mpsc::Sender<Vec<u8>>>,
}

impl Tap {
    #[cfg(feature = "tap")]
    pub(crate) fn open(&mut self, sender: std::sync::mpsc::Sender<Vec<u8>>) {
        self.sender = Some(sender);
    }

    #[cfg(feature = "tap")]
    pub(crate) fn packet(&mut self, packet: &[u8]) {
        if let Some(sender) = &self.sender
            && sender.send(packet.to_vec()).is_err()
        {
            self.sender = None;
        }
    }

    #[cfg(not(feature = "tap"))]
    #[expect(
        clippy::unused_self,
        reason = "the same call with and without the feature"
    )]
    pub(crate) const fn packet(&self, _packet: &[u8]) {}
}
