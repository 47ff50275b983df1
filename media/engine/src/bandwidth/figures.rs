//! What statistics say of the path to a receiver.

/// The path to one receiver now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// What the path is thought to carry, in bits a second.
    pub estimate: u64,
    /// What is sent over it, repair and probes included, in bits a second.
    pub sent: u64,
    /// Tracks that wait because the path does not carry them.
    pub paused: u32,
}
