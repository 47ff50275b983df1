//! One peer's agent, handshake and SRTP contexts, and whether the peer is there.

use std::time::{Duration, Instant};

use super::DATAGRAM_MAX;
use super::agent::{Agent, CONSENT_LASTS, Checked};
use super::credentials::Credentials;
use super::handshake::{Handshake, HandshakeEvent, Identity};
use super::path::{Path, Protocol};
use super::sdp::Fingerprint;
use crate::counters::DropReason;
use crate::outbox::Outbox;
use crate::srtp::{Inbound, Outbound, Profile, UnprotectError};
use crate::wire::stun::{StunMessage, TransactionId};

/// Nothing authentic for this long, and the next path that the client checks is taken. A client with media
/// sends sound fifty times a second or feedback on what it receives ten times; one that changed its network checks
/// its new path long before it gives the old one up.
const QUIET_AFTER: Duration = Duration::from_millis(600);

/// Nothing authentic for this long, and a packet of the client's from an address that nobody has checked is worth a
/// question: it sends sound every 20 ms, or feedback every 100.
const MISSING_AFTER: Duration = Duration::from_millis(150);

/// Nothing authentic for this long, or no check for [`CONSENT_LASTS`], and the peer counts as silent. Browsers check their path every 2.5 s
/// at the most, so one lost check is forgiven.
pub(crate) const SILENT_AFTER: Duration = Duration::from_secs(5);

/// Where a connection is in its life.
enum State {
    /// ICE or DTLS are not through yet.
    Connecting,
    /// Media may flow.
    Up(Box<Keys>),
    /// Nothing was heard for [`SILENT_AFTER`], or consent has run out; media is not sent into the void.
    Silent(Box<Keys>),
    /// Closed by the client or failed; only a new connection helps.
    Over,
}

struct Keys {
    inbound: Inbound,
    outbound: Outbound,
}

/// A change that signaling should know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Progress {
    Connected,
    Silent,
    Closed,
}

/// See the module's description.
pub(crate) struct Connection {
    pub(crate) agent: Agent,
    handshake: Handshake,
    state: State,
    heard_at: Option<Instant>,
    /// When the client last checked a path, which says that it wants what we send (RFC 7675).
    checked_at: Option<Instant>,
}

impl Connection {
    pub(crate) fn new(
        now: Instant,
        identity: &Identity,
        local: Credentials,
        remote: Credentials,
        fingerprint: Fingerprint,
    ) -> Self {
        Self {
            agent: Agent::new(local, remote),
            handshake: Handshake::new(now, identity, fingerprint),
            state: State::Connecting,
            heard_at: None,
            checked_at: None,
        }
    }

    /// Whether what it gets may leave as trains: a connection takes its packets one by one.
    pub(crate) fn takes_trains(&self) -> bool {
        let selected = self.agent.selected();
        selected.is_none_or(|path| path.protocol == Protocol::Udp)
    }

    pub(crate) fn fingerprint(&self) -> &Fingerprint {
        self.handshake.expected()
    }

    /// Whether media can be sent and received right now.
    pub(crate) fn is_up(&self) -> bool {
        matches!(self.state, State::Up(_))
    }

    /// How media is protected, once it may flow.
    pub(crate) fn profile(&self) -> Option<Profile> {
        match &self.state {
            State::Up(keys) | State::Silent(keys) => Some(keys.outbound.profile()),
            State::Connecting | State::Over => None,
        }
    }

    /// Whether only a new connection helps.
    pub(crate) fn is_over(&self) -> bool {
        matches!(self.state, State::Over)
    }

    /// The next moment at which [`Self::handle_timeout`] has something to do.
    pub(crate) fn wake_at(&self) -> Option<Instant> {
        let silence = match self.state {
            State::Up(_) => self.silent_at(),
            _ => None,
        };
        [silence, self.handshake.wake_at(), self.agent.retires_at()]
            .into_iter()
            .flatten()
            .min()
    }

    pub(crate) fn handle_check(
        &mut self,
        now: Instant,
        path: Path,
        request: &StunMessage<'_>,
        outbox: &mut Outbox,
    ) -> Result<(Checked, Option<Progress>), DropReason> {
        let quiet = |at: Instant| now.saturating_duration_since(at) >= QUIET_AFTER;
        self.agent.is_quiet = self.heard_at.is_some_and(quiet);
        let checked = self.agent.check(now, path, request)?;
        outbox.push(path, &checked.answer[..checked.answer_len]);
        let progress = if checked.accepted {
            self.checked_at = Some(now);
            self.heard(now)
        } else {
            None
        };
        Ok((checked, progress))
    }

    /// Whether the client was not heard for a moment while it should be.
    pub(crate) fn is_missing(&self, now: Instant) -> bool {
        let missing = |at: Instant| now.saturating_duration_since(at) >= MISSING_AFTER;
        self.profile().is_some() && self.heard_at.is_some_and(missing)
    }

    /// Asks whether the client is at the other end of a path.
    pub(crate) fn ask_at(&mut self, path: Path, transaction: TransactionId, outbox: &mut Outbox) {
        if let Some((question, len)) = self.agent.question(transaction) {
            outbox.push(path, &question[..len]);
        }
    }

    /// Takes the answer. It says as much as a check of the client: that it is there, and wants what we send
    /// (RFC 7675). Returns the path that had to go for the new one.
    pub(crate) fn handle_answer(
        &mut self,
        now: Instant,
        path: Path,
        answer: &StunMessage<'_>,
    ) -> Result<(Option<Path>, Option<Progress>), DropReason> {
        let moves = self.is_missing(now);
        let evicted = self.agent.answered(now, path, answer, moves)?;
        self.checked_at = Some(now);
        Ok((evicted, self.heard(now)))
    }

    pub(crate) fn handle_dtls(
        &mut self,
        now: Instant,
        path: Path,
        datagram: &[u8],
        outbox: &mut Outbox,
    ) -> Option<Progress> {
        let event = self
            .handshake
            .handle_datagram(now, path, datagram, outbox)?;
        self.apply(now, event)
    }

    /// Opens a sealed RTP packet in place; returns the clear length and whether the peer came back.
    pub(crate) fn open_rtp(
        &mut self,
        now: Instant,
        packet: &mut [u8],
    ) -> Result<(usize, Option<Progress>), DropReason> {
        let keys = self.keys().ok_or(DropReason::NotConnected)?;
        let len = keys.inbound.unprotect_rtp(packet).map_err(srtp_reason)?;
        Ok((len, self.heard(now)))
    }

    /// Opens a sealed RTCP packet in place, like [`Self::open_rtp`].
    pub(crate) fn open_rtcp(
        &mut self,
        now: Instant,
        packet: &mut [u8],
    ) -> Result<(usize, Option<Progress>), DropReason> {
        let keys = self.keys().ok_or(DropReason::NotConnected)?;
        let len = keys.inbound.unprotect_rtcp(packet).map_err(srtp_reason)?;
        Ok((len, self.heard(now)))
    }

    /// Seals and queues the RTP packet that `write` makes in a buffer of `room` bytes. Returns the bytes
    /// that leave, or `None` when nothing can be sent now.
    pub(crate) fn send_rtp(
        &mut self,
        outbox: &mut Outbox,
        room: usize,
        write: impl FnOnce(&mut [u8]) -> Option<usize>,
    ) -> Option<usize> {
        let (Some(path), State::Up(keys)) = (self.agent.selected(), &mut self.state) else {
            // What was said of this packet must not be taken for the next.
            outbox.unmark();
            return None;
        };
        outbox.write(path, room, |buffer| {
            let len = write(buffer)?;
            keys.outbound.protect_rtp(buffer, len).ok()
        })
    }

    /// Like [`Self::send_rtp`] for a compound RTCP packet; nothing leaves when `write` makes it empty.
    pub(crate) fn send_rtcp(
        &mut self,
        outbox: &mut Outbox,
        write: impl FnOnce(&mut [u8]) -> Option<usize>,
    ) -> Option<usize> {
        let path = self.agent.selected()?;
        let State::Up(keys) = &mut self.state else {
            return None;
        };
        let overhead = keys.outbound.profile().rtcp_overhead();
        outbox.write(path, RTCP_LEN_MAX + overhead, |buffer| {
            let len = write(&mut buffer[..RTCP_LEN_MAX]).filter(|len| *len > 0)?;
            keys.outbound.protect_rtcp(buffer, len).ok()
        })
    }

    /// Runs the DTLS timers and watches for silence.
    pub(crate) fn handle_timeout(&mut self, now: Instant, outbox: &mut Outbox) -> Option<Progress> {
        if let Some(path) = self.agent.selected()
            && let Some(event) = self.handshake.handle_timeout(now, path, outbox)
        {
            return self.apply(now, event);
        }
        let silent = self.silent_at().is_some_and(|at| at <= now);
        if !silent || !self.is_up() {
            return None;
        }
        if let State::Up(keys) = std::mem::replace(&mut self.state, State::Over) {
            self.state = State::Silent(keys);
        }
        Some(Progress::Silent)
    }

    /// Tells the client that it is over.
    pub(crate) fn close(&mut self, outbox: &mut Outbox) {
        if let Some(path) = self.agent.selected() {
            self.handshake.close(path, outbox);
        }
        self.state = State::Over;
    }

    fn keys(&mut self) -> Option<&mut Keys> {
        match &mut self.state {
            State::Up(keys) | State::Silent(keys) => Some(keys),
            State::Connecting | State::Over => None,
        }
    }

    /// When the peer counts as silent, if nothing comes before.
    fn silent_at(&self) -> Option<Instant> {
        let consent = self.checked_at.map(|at| at + CONSENT_LASTS);
        let heard = self.heard_at.map(|at| at + SILENT_AFTER);
        [consent, heard].into_iter().flatten().min()
    }

    fn heard(&mut self, now: Instant) -> Option<Progress> {
        self.heard_at = Some(now);
        // Media alone does not bring consent back.
        if !matches!(self.state, State::Silent(_)) || self.silent_at() <= Some(now) {
            return None;
        }
        if let State::Silent(keys) = std::mem::replace(&mut self.state, State::Over) {
            self.state = State::Up(keys);
        }
        Some(Progress::Connected)
    }

    fn apply(&mut self, now: Instant, event: HandshakeEvent) -> Option<Progress> {
        match event {
            HandshakeEvent::Established(keys) => {
                let (inbound, outbound) = *keys;
                self.state = State::Up(Box::new(Keys { inbound, outbound }));
                self.heard_at = Some(now);
                Some(Progress::Connected)
            }
            HandshakeEvent::Closed | HandshakeEvent::Failed => {
                self.state = State::Over;
                Some(Progress::Closed)
            }
        }
    }
}

/// Largest compound RTCP packet that is written: fits every path's MTU with its seal.
pub(crate) const RTCP_LEN_MAX: usize = 1_150;

/// The longest seal: an authentication tag of 16 bytes and an index of 4.
const _: () = assert!(RTCP_LEN_MAX + 16 + 4 <= DATAGRAM_MAX);

fn srtp_reason(error: UnprotectError) -> DropReason {
    match error {
        UnprotectError::Rtp(_) | UnprotectError::Truncated => DropReason::RtpMalformed,
        UnprotectError::Replayed => DropReason::Replayed,
        UnprotectError::TooOld => DropReason::TooOld,
        UnprotectError::BadTag | UnprotectError::NotEncrypted => DropReason::Unauthentic,
        UnprotectError::TooManyStreams => DropReason::TooManyStreams,
    }
}
