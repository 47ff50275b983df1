//! What a member holds while it is in the group: wishes, the commit on its way, and its peers.

use homeline_protocol::id::DeviceId;

use crate::group::{AcceptedKeyPackage, Applied, CallGroup, GroupError, Member};
use crate::key::PublicKey;
use crate::member::comparison::{COMPARE_EVERY_MS, Comparison, Peers};
use crate::member::message::{Output, Phase, Refusal, Warning};
use crate::member::vouching;
use crate::member::wishes::Wishes;
use crate::time::UnixMs;

/// A removal that the server does not echo in this time is being withheld.
pub const REMOVE_ECHO_MS_MAX: u64 = 2_000;

/// A commit that the server could not take is made again after a moment.
pub(super) const RETRY_AFTER_MS: u64 = 1_000;

/// What there is while in a group.
pub(super) struct Session {
    pub(super) group: CallGroup,
    pub(super) wishes: Wishes,
    pub(super) pending: Option<Pending>,
    pub(super) retry_at: UnixMs,
    pub(super) withheld: bool,
    pub(super) peers: Peers,
    pub(super) compare_at: UnixMs,
    /// When the next tick was due, as last told.
    pub(super) due: Option<UnixMs>,
}

/// A commit of ours on its way.
#[derive(Clone, Copy)]
pub(super) struct Pending {
    pub(super) epoch: u64,
    pub(super) adding: Option<DeviceId>,
}

impl Session {
    pub(super) fn new(group: CallGroup, now: UnixMs) -> Self {
        Self {
            group,
            wishes: Wishes::default(),
            pending: None,
            retry_at: now,
            withheld: false,
            peers: Peers::default(),
            compare_at: now.plus(COMPARE_EVERY_MS),
            due: None,
        }
    }

    pub(super) fn others(&self) -> impl Iterator<Item = &Member> {
        self.group
            .members()
            .filter(|member| member.leaf != self.group.own_leaf())
    }

    pub(super) fn next_timeout(&self, phase: Phase) -> Option<UnixMs> {
        let withheld_at = self.wishes.removing_since.filter(|_| !self.withheld);
        let withheld_at = withheld_at.map(|since| since.plus(REMOVE_ECHO_MS_MAX));
        let idle = self.pending.is_none() && self.wishes.plan(&self.group).is_some();
        let retry = (idle && !matches!(phase, Phase::Preparing { .. })).then_some(self.retry_at);
        let compare = (phase != Phase::Lone).then_some(self.compare_at);
        let silence = self.peers.next_silence();
        [withheld_at, retry, compare, silence]
            .into_iter()
            .flatten()
            .min()
    }

    pub(super) fn meet(&mut self, now: UnixMs, members: Vec<Member>, out: &mut Vec<Output>) {
        for member in members {
            self.peers.joined(now, member.identity.device);
            out.push(Output::MemberJoined(member));
        }
    }

    /// An applied commit, one's own or another's: what changed, and which wishes it fulfilled.
    pub(super) fn fulfil(&mut self, applied: Applied, now: UnixMs, out: &mut Vec<Output>) {
        let own = self.group.own_leaf();
        for member in applied.left {
            self.peers.left(member.identity.device);
            out.push(Output::MemberLeft(member));
        }
        let joined: Vec<Member> = applied
            .joined
            .into_iter()
            .filter(|member| member.leaf != own)
            .collect();
        let came: Vec<DeviceId> = joined.iter().map(|member| member.identity.device).collect();
        self.meet(now, joined, out);
        self.wishes.settle(&self.group, &came);
        self.withheld &= self.wishes.removing_since.is_some();
        let pending = self.pending.take();
        // A commit that only adds leaves the committer's own keys as they are.
        if applied.own && pending.is_some_and(|pending| pending.adding.is_none()) {
            self.wishes.updated();
        }
    }

    pub(super) fn show_code(&self, out: &mut Vec<Output>) {
        if let Ok(code) = self.group.call_code() {
            out.push(Output::CallCode {
                epoch: self.group.epoch(),
                code,
            });
        }
    }

    /// `old`: whose place it takes, which only another device of the same household can.
    pub(super) fn wish_add(
        &mut self,
        accepted: Result<AcceptedKeyPackage, GroupError>,
        key_package: &[u8],
        old: Option<DeviceId>,
        out: &mut Vec<Output>,
    ) {
        let same_home = |accepted: &AcceptedKeyPackage| {
            let new = &accepted.identity;
            old.is_none_or(|old| {
                let old = self.group.member_of(old).map(|old| &old.identity);
                // A guest has one device, and a call of theirs goes nowhere else.
                old.is_some_and(|old| {
                    old.genesis == new.genesis && !old.is_guest() && !new.is_guest()
                })
            })
        };
        match accepted {
            Ok(accepted) if same_home(&accepted) && self.wishes.first_use(key_package) => match old
            {
                Some(old) => self.wishes.replace(accepted, old),
                None => self.wishes.add(accepted),
            },
            Ok(_) => out.push(Output::Refused(Refusal::BadKeyPackage)),
            Err(error) => out.push(Output::Refused(error.into())),
        }
    }

    /// The commit on its way that adds it is not taken either.
    pub(super) fn forget(&mut self, now: UnixMs, device: DeviceId) {
        self.wishes.forget(device);
        if self
            .pending
            .is_some_and(|pending| pending.adding == Some(device))
        {
            self.pending = None;
            self.retry_at = now;
        }
        self.withheld &= self.wishes.removing_since.is_some();
    }

    pub(super) fn wish_remove(&mut self, device: DeviceId) {
        self.wishes.no_longer_add(device);
        let coming = self
            .pending
            .is_some_and(|pending| pending.adding == Some(device));
        if coming || self.others().any(|member| member.identity.device == device) {
            self.wishes.remove(device);
        }
    }

    pub(super) fn make_again(&mut self, now: UnixMs, epoch: u64) {
        if self.pending.is_some_and(|pending| pending.epoch == epoch) {
            self.pending = None;
            self.retry_at = now.plus(RETRY_AFTER_MS);
        }
    }

    pub(super) fn say_epoch(&mut self, now: UnixMs, out: &mut Vec<Output>) {
        self.compare_at = now.plus(COMPARE_EVERY_MS);
        let said = self
            .comparison()
            .and_then(|own| self.group.encrypt_message(&own.encode()));
        out.extend(said.ok().map(|message| Output::SendMessage { message }));
    }

    pub(super) fn comparison(&self) -> Result<Comparison, GroupError> {
        Ok(Comparison::new(
            self.group.epoch(),
            &self.group.epoch_authenticator()?,
        ))
    }

    /// Of an epoch that is over or not here yet, or garbage: nothing. A member that is never
    /// understood is noticed by its silence. Says for which household the message vouches.
    pub(super) fn hear(
        &mut self,
        now: UnixMs,
        message: &[u8],
        out: &mut Vec<Output>,
    ) -> Option<PublicKey> {
        let (sender, data) = self.group.decrypt_message(now, message).ok()?;
        if let Ok(Some(genesis)) = vouching::decode(&data) {
            return Some(genesis);
        }
        self.compare(now, &sender, &data, out);
        None
    }

    /// A household that no member belongs to yet is vouched for before its first device is added.
    pub(super) fn vouch(&mut self, genesis: PublicKey, out: &mut Vec<Output>) {
        let known = self
            .group
            .members()
            .any(|one| one.identity.genesis == genesis);
        if known || self.others().next().is_none() {
            return;
        }
        let said = self.group.encrypt_message(&vouching::encode(genesis));
        out.extend(said.ok().map(|message| Output::SendMessage { message }));
    }

    fn compare(&mut self, now: UnixMs, sender: &Member, data: &[u8], out: &mut Vec<Output>) {
        let (Ok(said), Ok(own)) = (Comparison::decode(data), self.comparison()) else {
            return;
        };
        if said.epoch != own.epoch {
            return;
        }
        match said.hash == own.hash {
            true => self.peers.heard(now, sender.identity.device),
            false => out.push(Output::Warn(Warning::Fork)),
        }
    }

    pub(super) fn removal_withheld(&self, now: UnixMs) -> bool {
        let since = self.wishes.removing_since.filter(|_| !self.withheld);
        since.is_some_and(|since| now.since(since) >= REMOVE_ECHO_MS_MAX)
    }
}
