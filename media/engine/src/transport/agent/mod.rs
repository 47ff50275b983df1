//! The ICE-lite agent of one peer: answers checks and follows the client's nomination.
//!
//! A check that authenticates makes its path known, and so does the answer to one of ours, which it sends only where
//! a missing client's stream comes from; nothing else does: an address proves nothing. One that also carries USE-CANDIDATE moves the media there at once, which is how a
//! client survives a change of network. Not every client repeats its nomination when only its router's mapping
//! changed, so a plain check moves the media too once the path in use is stale. Consent (RFC 7675) is read from
//! the checks that arrive.

use std::time::{Duration, Instant};

use super::credentials::Credentials;
use super::path::Path;
use crate::counters::DropReason;
use crate::wire::stun::{
    BINDING, Class, IntegrityKey, StunMessage, StunWriter, TransactionId, attribute,
};

/// Paths remembered for one peer; the one unheard for longest goes first. A client has a few interfaces,
/// each over IPv4 and IPv6, towards a few of our addresses.
pub(crate) const PATHS_MAX: usize = 32;

/// How long the credentials from before an ICE restart still answer: make before break.
const RESTART_OVERLAP: Duration = Duration::from_secs(30);

/// Without a check for this long the path in use is stale: clients check it every two seconds or so.
const STALE_AFTER: Duration = Duration::from_secs(4);

/// A path that was checked this long ago may be used when the one in use is lost (RFC 7675 section 5.1:
/// consent lasts thirty seconds).
pub(crate) const CONSENT_LASTS: Duration = Duration::from_secs(30);

/// Longest question: our 8 characters and the client's up to 256 (RFC 8839 section 5.4), and the attributes.
const QUESTION_LEN_MAX: usize = 384;

/// Of a peer-reflexive candidate, as every check must say (RFC 8445 section 7.1.1). Nothing comes of it here.
const QUESTION_PRIORITY: u32 = 1_862_270_975;

/// Longest answer: a success with an IPv6 address, integrity and fingerprint.
const ANSWER_LEN_MAX: usize = 128;

struct Local {
    credentials: Credentials,
    key: IntegrityKey,
}

impl Local {
    fn new(credentials: Credentials) -> Self {
        let key = IntegrityKey::new(credentials.password.as_bytes());
        Self { credentials, key }
    }
}

struct Known {
    path: Path,
    heard_at: Instant,
}

/// See the module's description.
pub(crate) struct Agent {
    current: Local,
    previous: Option<(Local, Instant)>,
    remote: Credentials,
    known: Vec<Known>,
    selected: Option<Path>,
    nominated: bool,
    restarts: u32,
    /// Nothing authentic came of late on the path in use: it may be dead before its checks stop.
    pub(super) is_quiet: bool,
}

/// What a check did.
pub(crate) struct Checked {
    /// Bytes of the answer; the buffer's start holds it.
    pub(crate) answer: [u8; ANSWER_LEN_MAX],
    pub(crate) answer_len: usize,
    /// The path that had to go for it.
    pub(crate) evicted: Option<Path>,
    /// Whether the check was accepted, or only answered with an error.
    pub(crate) accepted: bool,
}

impl Agent {
    pub(crate) fn new(local: Credentials, remote: Credentials) -> Self {
        Self {
            current: Local::new(local),
            previous: None,
            remote,
            known: Vec::new(),
            selected: None,
            nominated: false,
            restarts: 0,
            is_quiet: false,
        }
    }

    pub(crate) fn local(&self) -> &Credentials {
        &self.current.credentials
    }

    pub(crate) fn remote(&self) -> &Credentials {
        &self.remote
    }

    /// Where media goes.
    pub(crate) fn selected(&self) -> Option<Path> {
        self.selected
    }

    /// All known paths, to be forgotten with the peer.
    pub(crate) fn paths(&self) -> impl Iterator<Item = Path> {
        self.known.iter().map(|known| known.path)
    }

    /// Every ufrag that still answers.
    pub(crate) fn ufrags(&self) -> impl Iterator<Item = &str> {
        let previous = self.previous.as_ref().map(|(local, _)| local);
        [Some(&self.current), previous]
            .into_iter()
            .flatten()
            .map(|local| local.credentials.ufrag.as_str())
    }

    /// New credentials on both sides. The old ones answer a while longer, and media stays on the old path
    /// until a check under the new ones nominates another. Returns a ufrag that stops answering at once,
    /// when a restart follows another.
    pub(crate) fn restart(
        &mut self,
        now: Instant,
        local: Credentials,
        remote: Credentials,
    ) -> Option<String> {
        let old = std::mem::replace(&mut self.current, Local::new(local));
        self.remote = remote;
        self.nominated = false;
        self.restarts = self.restarts.saturating_add(1);
        let retired = self.previous.replace((old, now + RESTART_OVERLAP));
        retired.map(|(local, _)| local.credentials.ufrag.clone())
    }

    /// How often ICE was restarted.
    pub(crate) const fn restarts(&self) -> u32 {
        self.restarts
    }

    /// When the credentials from before a restart stop answering.
    pub(crate) fn retires_at(&self) -> Option<Instant> {
        self.previous.as_ref().map(|(_, until)| *until)
    }

    /// Retires them if it is time; returns their ufrag.
    pub(crate) fn retire(&mut self, now: Instant) -> Option<String> {
        self.retires_at().filter(|until| *until <= now)?;
        self.previous
            .take()
            .map(|(local, _)| local.credentials.ufrag.clone())
    }

    /// Checks a binding request and writes its answer.
    pub(crate) fn check(
        &mut self,
        now: Instant,
        path: Path,
        request: &StunMessage<'_>,
    ) -> Result<Checked, DropReason> {
        if request.class() != Class::Request || request.method() != BINDING {
            return Err(DropReason::StunUnexpected);
        }
        if request.verify_fingerprint() == Some(false) {
            return Err(DropReason::StunMalformed);
        }
        let (ours, _theirs) = request.ufrags().ok_or(DropReason::StunUnknownUser)?;
        let local = self
            .find_local(now, ours)
            .ok_or(DropReason::StunUnknownUser)?;
        if !request.verify_integrity(&local.key) {
            return Err(DropReason::StunUnauthentic);
        }
        let is_current = std::ptr::eq(local, &self.current);
        let unknown: Vec<u16> = request.unknown_required().take(4).collect();
        let refusal = if !unknown.is_empty() {
            Some(420)
        } else if request.ice_controlled().is_some() {
            // We never control: the client must (RFC 8445 section 7.3.1.1).
            Some(487)
        } else {
            None
        };
        let (answer, answer_len) =
            write_answer(request.transaction(), path, &local.key, refusal, &unknown)
                .ok_or(DropReason::StunMalformed)?;
        let accepted = refusal.is_none();
        let mut evicted = None;
        if accepted {
            evicted = self.learn(now, path);
            self.select(now, path, request.use_candidate(), is_current);
        }
        Ok(Checked {
            answer,
            answer_len,
            evicted,
            accepted,
        })
    }

    /// A check of our own, for a path on which packets of the client seem to come. A lite agent makes no others:
    /// this one neither forms pairs nor nominates, it only asks who is there.
    pub(crate) fn question(
        &self,
        transaction: TransactionId,
    ) -> Option<([u8; QUESTION_LEN_MAX], usize)> {
        let mut out = [0; QUESTION_LEN_MAX];
        let mut writer = StunWriter::new(&mut out, Class::Request, BINDING, transaction).ok()?;
        let (theirs, ours) = (&self.remote.ufrag, &self.current.credentials.ufrag);
        writer.username(&format!("{theirs}:{ours}")).ok()?;
        writer.priority(QUESTION_PRIORITY).ok()?;
        // The client controls, always; ties can't arise.
        writer.ice_controlled(0).ok()?;
        let key = IntegrityKey::new(self.remote.password.as_bytes());
        let len = writer.finish(Some(&key)).ok()?;
        Some((out, len))
    }

    /// Takes the answer to [`Self::question`], and moves there if that is wanted. Returns the path that had to go for it.
    pub(super) fn answered(
        &mut self,
        now: Instant,
        path: Path,
        answer: &StunMessage<'_>,
        moves: bool,
    ) -> Result<Option<Path>, DropReason> {
        let key = IntegrityKey::new(self.remote.password.as_bytes());
        if answer.class() != Class::Success || !answer.verify_integrity(&key) {
            return Err(DropReason::StunUnauthentic);
        }
        let evicted = self.learn(now, path);
        if moves {
            self.selected = Some(path);
        }
        Ok(evicted)
    }

    fn find_local(&self, now: Instant, ufrag: &str) -> Option<&Local> {
        let previous = self.previous.as_ref().filter(|(_, until)| *until > now);
        [Some(&self.current), previous.map(|(local, _)| local)]
            .into_iter()
            .flatten()
            .find(|local| local.credentials.ufrag == ufrag)
    }

    /// Remembers the path; returns the one that had to go for it.
    fn learn(&mut self, now: Instant, path: Path) -> Option<Path> {
        if let Some(known) = self.known.iter_mut().find(|known| known.path == path) {
            known.heard_at = now;
            return None;
        }
        let mut evicted = None;
        if self.known.len() == PATHS_MAX {
            let candidates = self.known.iter().enumerate();
            let oldest = candidates
                .filter(|(_, known)| Some(known.path) != self.selected)
                .min_by_key(|(_, known)| known.heard_at)
                .map(|(at, _)| at);
            evicted = oldest.map(|at| self.known.swap_remove(at).path);
        }
        self.known.push(Known {
            path,
            heard_at: now,
        });
        evicted
    }

    /// Until something is nominated the first path carries the handshake. A nomination under the
    /// credentials from before a restart no longer counts once a newer one came.
    fn select(&mut self, now: Instant, path: Path, nominates: bool, is_current: bool) {
        if nominates && (is_current || !self.nominated) {
            self.selected = Some(path);
            self.nominated |= is_current;
        } else if self.selected.is_none() || is_current && self.is_stale(now) {
            self.selected = Some(path);
        }
    }

    fn is_stale(&self, now: Instant) -> bool {
        let mut known = self.known.iter();
        let used = known.find(|known| Some(known.path) == self.selected);
        self.is_quiet || used.is_none_or(|used| used.heard_at + STALE_AFTER <= now)
    }

    /// A connection was closed: its path carries nothing any more. When it was the one in use, media goes on
    /// along the path that was checked last; without one it waits for the next check.
    pub(crate) fn lose(&mut self, now: Instant, path: Path) {
        self.known.retain(|known| known.path != path);
        if self.selected == Some(path) {
            let known = self.known.iter();
            let fresh = known.filter(|known| known.heard_at + CONSENT_LASTS > now);
            let latest = fresh.max_by_key(|known| known.heard_at);
            self.selected = latest.map(|known| known.path);
        }
    }
}

fn write_answer(
    transaction: TransactionId,
    path: Path,
    key: &IntegrityKey,
    refusal: Option<u16>,
    unknown: &[u16],
) -> Option<([u8; ANSWER_LEN_MAX], usize)> {
    let mut out = [0; ANSWER_LEN_MAX];
    let class = if refusal.is_some() {
        Class::Error
    } else {
        Class::Success
    };
    let mut writer = StunWriter::new(&mut out, class, BINDING, transaction).ok()?;
    match refusal {
        None => writer.xor_mapped_address(path.remote).ok()?,
        Some(420) => {
            writer.error_code(420, "Unknown Attribute").ok()?;
            let list: Vec<u8> = unknown.iter().flat_map(|kind| kind.to_be_bytes()).collect();
            writer
                .attribute(attribute::UNKNOWN_ATTRIBUTES, &list)
                .ok()?;
        }
        Some(code) => writer.error_code(code, "Role Conflict").ok()?,
    }
    let len = writer.finish(Some(key)).ok()?;
    Some((out, len))
}
