//! TURN's requests: who asks is checked, then what they ask for.

use std::net::SocketAddr;
use std::time::Duration;

use homeline_media_engine::wire::stun::attribute as stun;
use homeline_media_engine::wire::stun::{
    BINDING, Class, IntegrityKey, NoRoom, StunMessage, StunWriter,
};

use super::allocation::{Allocation, BindError, New};
use super::attribute;
use super::credentials::REALM;
use super::relay::{Client, Now, OUT_LEN, Relay, Verdict};

/// Lifetime of an allocation whose client asks for none, and the least (RFC 8656 section 7.2).
const LIFETIME_MIN: Duration = Duration::from_secs(600);

/// The most that one request brings.
const LIFETIME_MAX: Duration = Duration::from_secs(3_600);

/// The most that all its refreshes bring: they count beyond the credential's expiry, since a call that runs
/// must not end by it, and so they need an end of their own. An ICE restart begins anew.
const REFRESHED_MAX: Duration = Duration::from_secs(24 * 60 * 60);

/// UDP's protocol number: the only one that is relayed.
const UDP: u8 = 17;

/// Ports that relayed addresses have (RFC 8656 section 7.2 recommends the dynamic ones).
const FIRST_PORT: u16 = 49_152;

/// Why a request is refused.
struct Refusal {
    code: u16,
    reason: &'static str,
    /// Whether the client is told how to sign.
    challenge: bool,
    /// Of the one who asked, when that is known: the refusal is signed too.
    key: Option<Box<IntegrityKey>>,
    unknown: Vec<u16>,
}

impl Refusal {
    const fn new(code: u16, reason: &'static str) -> Self {
        Self {
            code,
            reason,
            challenge: false,
            key: None,
            unknown: Vec::new(),
        }
    }

    const fn challenge(code: u16, reason: &'static str) -> Self {
        Self {
            code,
            reason,
            challenge: true,
            key: None,
            unknown: Vec::new(),
        }
    }
}

const BAD_REQUEST: Refusal = Refusal::new(400, "Bad Request");
const UNAUTHORIZED: Refusal = Refusal::challenge(401, "Unauthorized");
const FORBIDDEN: Refusal = Refusal::new(403, "Forbidden");
const NO_ALLOCATION: Refusal = Refusal::new(437, "Allocation Mismatch");
const NO_CAPACITY: Refusal = Refusal::new(508, "Insufficient Capacity");
const OTHER_FAMILY: Refusal = Refusal::new(443, "Peer Address Family Mismatch");

/// What a success says.
enum Grant {
    Mapped,
    Allocated {
        relayed: SocketAddr,
        lifetime: Duration,
    },
    Refreshed {
        lifetime: Duration,
    },
    Done,
}

struct Signed {
    username: String,
    key: IntegrityKey,
}

impl<P> Relay<P> {
    pub(super) fn request(
        &mut self,
        now: Now,
        client: Client,
        message: &StunMessage<'_>,
        out: &mut [u8; OUT_LEN],
    ) -> Verdict {
        let written = match self.carry_out(now, client, message) {
            Ok((grant, key)) => grant_to(&grant, client, message, key.as_ref(), out),
            Err(refusal) => {
                // The first request of every client comes without a signature.
                if message.has_integrity() {
                    self.figures.refused.note(refusal.code);
                }
                let nonce = refusal
                    .challenge
                    .then(|| self.nonces.make(now.at, client.address()));
                refuse(&refusal, nonce.as_deref(), message, out)
            }
        };
        written.map_or(Verdict::Drop, Verdict::Reply)
    }

    fn carry_out(
        &mut self,
        now: Now,
        client: Client,
        message: &StunMessage<'_>,
    ) -> Result<(Grant, Option<IntegrityKey>), Refusal> {
        if message.method() == BINDING {
            return Ok((Grant::Mapped, None));
        }
        let signed = self.authenticate(now, client, message)?;
        let key = signed.key.clone();
        let unknown = |kind: &u16| !attribute::is_known(*kind);
        let unknown: Vec<u16> = message.unknown_required().filter(unknown).collect();
        let granted = if unknown.is_empty() {
            match message.method() {
                attribute::ALLOCATE => self.allocate(now, client, signed, message),
                attribute::REFRESH => self.refresh(now, client, message),
                attribute::CREATE_PERMISSION => self.permit(now, client, message),
                attribute::CHANNEL_BIND => self.bind(now, client, message),
                _ => Err(BAD_REQUEST),
            }
        } else {
            Err(Refusal {
                unknown,
                ..Refusal::new(420, "Unknown Attribute")
            })
        };
        match granted {
            Ok(grant) => Ok((grant, Some(key))),
            Err(refusal) => Err(Refusal {
                key: Some(Box::new(key)),
                ..refusal
            }),
        }
    }

    /// RFC 8489 section 9.2.4. Whoever has an allocation signs with what they made it with (RFC 8656
    /// section 5), also after that has expired.
    fn authenticate(
        &self,
        now: Now,
        client: Client,
        message: &StunMessage<'_>,
    ) -> Result<Signed, Refusal> {
        if !message.has_integrity() {
            return Err(UNAUTHORIZED);
        }
        let (Some(username), Some(_), Some(nonce)) = (
            message.username(),
            message.attribute(stun::REALM),
            message.attribute(stun::NONCE),
        ) else {
            return Err(BAD_REQUEST);
        };
        if !self.nonces.is_fresh(nonce, now.at, client.address()) {
            return Err(Refusal::challenge(438, "Stale Nonce"));
        }
        let key = match self.live(now.at, client) {
            Some(own) if own.username != username => {
                return Err(Refusal::new(441, "Wrong Credentials"));
            }
            Some(own) => own.key.clone(),
            None => self
                .credentials
                .key(username, now.unix_secs)
                .ok_or(UNAUTHORIZED)?,
        };
        if !message.verify_integrity(&key) {
            return Err(UNAUTHORIZED);
        }
        let username = username.to_owned();
        Ok(Signed { username, key })
    }

    fn allocate(
        &mut self,
        now: Now,
        client: Client,
        signed: Signed,
        message: &StunMessage<'_>,
    ) -> Result<Grant, Refusal> {
        if let Some(own) = self.live(now.at, client) {
            // The answer was lost, and the client asks again.
            return if own.transaction == message.transaction() {
                Ok(Grant::Allocated {
                    relayed: own.relayed,
                    lifetime: own.expires - now.at,
                })
            } else {
                Err(NO_ALLOCATION)
            };
        }
        let ipv4 = self.wanted_family(message)?;
        self.sweep(now.at);
        let same = |own: &&Allocation<P>| own.username == signed.username;
        if self.allocations.values().filter(same).count() >= self.allocations_per_credential_max {
            return Err(Refusal::new(486, "Allocation Quota Reached"));
        }
        if self.allocations.len() >= self.allocations_max {
            return Err(NO_CAPACITY);
        }
        let relayed = self.relayed_address(ipv4)?;
        let lifetime = lifetime(message).clamp(LIFETIME_MIN, LIFETIME_MAX);
        let new = New {
            username: signed.username,
            key: signed.key,
            transaction: message.transaction(),
            relayed,
            expires: now.at + lifetime,
            latest: now.at + REFRESHED_MAX,
            bytes_per_second_max: self.bytes_per_second_max,
        };
        let allocation = Allocation::new(new, now.at);
        self.allocations.insert(client, allocation);
        Ok(Grant::Allocated { relayed, lifetime })
    }

    /// Whether IPv4 is wanted, as without a word of it (RFC 8656 section 7.2). A node that has IPv6 only
    /// gives that then, which clients take.
    fn wanted_family(&self, message: &StunMessage<'_>) -> Result<bool, Refusal> {
        let transport = message.attribute(attribute::REQUESTED_TRANSPORT);
        match transport.map(<[u8]>::first) {
            None | Some(None) => return Err(BAD_REQUEST),
            Some(Some(&UDP)) => {}
            Some(_) => return Err(Refusal::new(442, "Unsupported Transport Protocol")),
        }
        // A relayed port has no neighbour to be kept, and nobody has kept one before.
        let keeps = message.attribute(attribute::EVEN_PORT);
        if keeps.is_some_and(|value| value.first().is_some_and(|first| first & 0x80 != 0))
            || message.attribute(attribute::RESERVATION_TOKEN).is_some()
        {
            return Err(NO_CAPACITY);
        }
        let wanted = message.attribute(attribute::REQUESTED_ADDRESS_FAMILY);
        let ipv4 = match wanted.map(<[u8]>::first) {
            None => self.doors.relayed(true).is_some(),
            Some(Some(1)) => true,
            Some(Some(2)) => false,
            Some(_) => return Err(Refusal::new(440, "Address Family not Supported")),
        };
        Ok(ipv4)
    }

    /// An address that no other allocation has. It is even, as some clients want it.
    fn relayed_address(&mut self, ipv4: bool) -> Result<SocketAddr, Refusal> {
        let Some(ip) = self.doors.relayed(ipv4) else {
            return Err(Refusal::new(440, "Address Family not Supported"));
        };
        for _ in 0..=(u16::MAX - FIRST_PORT) / 2 {
            let next = self.last_port.checked_add(2).unwrap_or(FIRST_PORT);
            self.last_port = next.max(FIRST_PORT);
            let address = SocketAddr::new(ip, self.last_port);
            let mut taken = self.allocations.values();
            if taken.all(|allocation| allocation.relayed != address) {
                return Ok(address);
            }
        }
        Err(NO_CAPACITY)
    }

    fn refresh(
        &mut self,
        now: Now,
        client: Client,
        message: &StunMessage<'_>,
    ) -> Result<Grant, Refusal> {
        let own = self.live_mut(now.at, client).ok_or(NO_ALLOCATION)?;
        let wanted = lifetime(message);
        if wanted.is_zero() {
            self.forget(client);
            return Ok(Grant::Refreshed { lifetime: wanted });
        }
        let wanted = wanted.clamp(LIFETIME_MIN, LIFETIME_MAX);
        own.expires = (now.at + wanted).min(own.latest);
        let lifetime = own.expires - now.at;
        Ok(Grant::Refreshed { lifetime })
    }

    /// Permits nobody but our own media: all addresses in the request, or none.
    fn permit(
        &mut self,
        now: Now,
        client: Client,
        message: &StunMessage<'_>,
    ) -> Result<Grant, Refusal> {
        let peers: Option<Vec<SocketAddr>> = message
            .attributes()
            .filter(|(kind, _)| *kind == attribute::XOR_PEER_ADDRESS)
            .map(|(_, value)| message.unmask(value))
            .collect();
        let peers = peers.filter(|peers| !peers.is_empty());
        let peers = peers.ok_or(BAD_REQUEST)?;
        let are_ours = peers.iter().all(|peer| self.doors.are_at(peer.ip()));
        let own = self.live_mut(now.at, client).ok_or(NO_ALLOCATION)?;
        let family = own.relayed.is_ipv4();
        if peers.iter().any(|peer| peer.is_ipv4() != family) {
            return Err(OTHER_FAMILY);
        }
        if !are_ours {
            return Err(FORBIDDEN);
        }
        for peer in peers {
            if !own.permit(now.at, peer.ip()) {
                return Err(NO_CAPACITY);
            }
        }
        Ok(Grant::Done)
    }

    fn bind(
        &mut self,
        now: Now,
        client: Client,
        message: &StunMessage<'_>,
    ) -> Result<Grant, Refusal> {
        let number = message.attribute(attribute::CHANNEL_NUMBER);
        let number = number.and_then(|value| Some(u16::from_be_bytes(*value.first_chunk()?)));
        let peer = message.attribute(attribute::XOR_PEER_ADDRESS);
        let peer = peer.and_then(|value| message.unmask(value));
        let (Some(number), Some(peer)) = (number, peer) else {
            return Err(BAD_REQUEST);
        };
        let is_ours = self.doors.behind(peer).is_some();
        let own = self.live_mut(now.at, client).ok_or(NO_ALLOCATION)?;
        if peer.is_ipv4() != own.relayed.is_ipv4() {
            return Err(OTHER_FAMILY);
        }
        if !is_ours {
            return Err(FORBIDDEN);
        }
        match own.bind(now.at, number, peer) {
            Ok(()) => Ok(Grant::Done),
            Err(BindError::Mismatch) => Err(BAD_REQUEST),
            Err(BindError::TooMany) => Err(NO_CAPACITY),
        }
    }
}

/// LIFETIME, or what counts without it.
fn lifetime(message: &StunMessage<'_>) -> Duration {
    let value = message.attribute(attribute::LIFETIME);
    let secs = value.and_then(|value| Some(u32::from_be_bytes(*value.first_chunk()?)));
    secs.map_or(LIFETIME_MIN, |secs| Duration::from_secs(secs.into()))
}

fn grant_to(
    grant: &Grant,
    client: Client,
    message: &StunMessage<'_>,
    key: Option<&IntegrityKey>,
    out: &mut [u8; OUT_LEN],
) -> Result<usize, NoRoom> {
    let (method, transaction) = (message.method(), message.transaction());
    let mut writer = StunWriter::new(out, Class::Success, method, transaction)?;
    let secs = |lifetime: &Duration| (lifetime.as_secs() as u32).to_be_bytes();
    match grant {
        Grant::Mapped => writer.xor_mapped_address(client.address())?,
        Grant::Allocated { relayed, lifetime } => {
            writer.xor_address(attribute::XOR_RELAYED_ADDRESS, *relayed)?;
            writer.attribute(attribute::LIFETIME, &secs(lifetime))?;
            writer.xor_mapped_address(client.address())?;
        }
        Grant::Refreshed { lifetime } => {
            writer.attribute(attribute::LIFETIME, &secs(lifetime))?;
        }
        Grant::Done => {}
    }
    writer.finish(key)
}

fn refuse(
    refusal: &Refusal,
    nonce: Option<&str>,
    message: &StunMessage<'_>,
    out: &mut [u8; OUT_LEN],
) -> Result<usize, NoRoom> {
    let (method, transaction) = (message.method(), message.transaction());
    let mut writer = StunWriter::new(out, Class::Error, method, transaction)?;
    writer.error_code(refusal.code, refusal.reason)?;
    if let Some(nonce) = nonce {
        writer.attribute(stun::REALM, REALM.as_bytes())?;
        writer.attribute(stun::NONCE, nonce.as_bytes())?;
    }
    if !refusal.unknown.is_empty() {
        let kinds: Vec<u8> = refusal
            .unknown
            .iter()
            .flat_map(|kind| kind.to_be_bytes())
            .collect();
        writer.attribute(stun::UNKNOWN_ATTRIBUTES, &kinds)?;
    }
    writer.finish(refusal.key.as_deref())
}
