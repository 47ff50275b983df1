//! The two transforms: they seal and open a packet whose index is already known.

use aes::Aes128Enc;
use aes::cipher::{InnerIvInit, KeyInit, StreamCipher, StreamCipherCoreWrapper};
use ctr::CtrCore;
use ctr::flavors::Ctr128BE;
use hmac::{Hmac, Mac};
use ring::aead::{AES_128_GCM, AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use sha1::Sha1;
use zeroize::Zeroize;

use super::derive::{Label, derive};
use super::profile::{KEY_LEN_MAX, MasterKey, Profile};
use crate::wire::ids::Ssrc;

/// Bytes of an RTCP packet that stay clear: its first header and the sender's SSRC.
pub(super) const RTCP_CLEAR_LEN: usize = 8;

/// The E flag in front of the SRTCP index.
pub(super) const RTCP_ENCRYPTED: u32 = 1 << 31;

const GCM_TAG_LEN: usize = 16;
const SHA1_80_TAG_LEN: usize = 10;

/// The tag did not match.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct BadTag;

/// Session keys of one direction, for RTP or for RTCP.
#[expect(
    clippy::large_enum_variant,
    reason = "four of them in a transport; a box would cost every packet a cache miss"
)]
pub(super) enum Cipher {
    Gcm { key: LessSafeKey, salt: [u8; 12] },
    CounterMode(CounterMode),
}

pub(super) struct CounterMode {
    aes: Aes128Enc,
    salt: [u8; 14],
    mac: Hmac<Sha1>,
}

impl Cipher {
    /// The RTP session keys.
    pub(super) fn rtp(master: &MasterKey) -> Self {
        Self::derived(
            master,
            Label::RtpEncryption,
            Label::RtpSalt,
            Label::RtpAuthentication,
        )
    }

    /// The RTCP session keys.
    pub(super) fn rtcp(master: &MasterKey) -> Self {
        Self::derived(
            master,
            Label::RtcpEncryption,
            Label::RtcpSalt,
            Label::RtcpAuthentication,
        )
    }

    fn derived(
        master: &MasterKey,
        encryption: Label,
        salting: Label,
        authentication: Label,
    ) -> Self {
        let mut key = [0; KEY_LEN_MAX];
        let key_len = master.profile.key_len();
        let mut salt = [0; 14];
        let mut auth = [0; 20];
        derive(master, encryption, &mut key[..key_len]);
        derive(master, salting, &mut salt[..master.profile.salt_len()]);
        derive(master, authentication, &mut auth);
        let cipher = Self::from_session(master.profile, &key[..key_len], salt, &auth);
        key.zeroize();
        auth.zeroize();
        cipher
    }

    /// From session keys, as the RFCs' vectors give them.
    pub(super) fn from_session(
        profile: Profile,
        key: &[u8],
        salt: [u8; 14],
        auth: &[u8; 20],
    ) -> Self {
        match profile {
            Profile::AeadAes128Gcm | Profile::AeadAes256Gcm => {
                let algorithm = match profile {
                    Profile::AeadAes256Gcm => &AES_256_GCM,
                    _ => &AES_128_GCM,
                };
                let key =
                    UnboundKey::new(algorithm, key).expect("the key has the profile's length");
                let mut short = [0; 12];
                short.copy_from_slice(&salt[..12]);
                Self::Gcm {
                    key: LessSafeKey::new(key),
                    salt: short,
                }
            }
            Profile::Aes128CmHmacSha1_80 => Self::CounterMode(CounterMode {
                aes: Aes128Enc::new_from_slice(key).expect("the key has the profile's length"),
                salt,
                mac: <Hmac<Sha1> as Mac>::new_from_slice(auth).expect("HMAC takes any length"),
            }),
        }
    }

    /// Bytes that sealing adds to an RTP packet.
    pub(super) const fn tag_len(&self) -> usize {
        match self {
            Self::Gcm { .. } => GCM_TAG_LEN,
            Self::CounterMode(_) => SHA1_80_TAG_LEN,
        }
    }

    /// Seals the packet at the start of `buffer`; the caller checked that `tag_len` bytes follow it.
    pub(super) fn seal_rtp(
        &self,
        buffer: &mut [u8],
        packet_len: usize,
        header_len: usize,
        ssrc: Ssrc,
        index: u64,
    ) {
        let (packet, rest) = buffer.split_at_mut(packet_len);
        let (header, body) = packet.split_at_mut(header_len);
        match self {
            Self::Gcm { key, salt } => {
                let tag = key
                    .seal_in_place_separate_tag(
                        rtp_nonce(salt, ssrc, index),
                        Aad::from(header),
                        body,
                    )
                    .expect("a datagram is far below GCM's limit");
                rest[..GCM_TAG_LEN].copy_from_slice(tag.as_ref());
            }
            Self::CounterMode(keys) => {
                keys.apply_keystream(ssrc, index, body);
                let tag = keys.tag(packet, &rollover_bytes(index));
                rest[..SHA1_80_TAG_LEN].copy_from_slice(&tag.finalize().into_bytes()[..10]);
            }
        }
    }

    /// Opens a sealed RTP packet of at least `header_len + tag_len` bytes.
    pub(super) fn open_rtp(
        &self,
        packet: &mut [u8],
        header_len: usize,
        ssrc: Ssrc,
        index: u64,
    ) -> Result<(), BadTag> {
        match self {
            Self::Gcm { key, salt } => {
                let (header, body) = packet.split_at_mut(header_len);
                key.open_in_place(rtp_nonce(salt, ssrc, index), Aad::from(header), body)
                    .map(|_| ())
                    .map_err(|_| BadTag)
            }
            Self::CounterMode(keys) => {
                let (sealed, tag) = packet.split_at_mut(packet.len() - SHA1_80_TAG_LEN);
                keys.tag(sealed, &rollover_bytes(index))
                    .verify_truncated_left(tag)
                    .map_err(|_| BadTag)?;
                keys.apply_keystream(ssrc, index, &mut sealed[header_len..]);
                Ok(())
            }
        }
    }

    /// Seals the RTCP packet at the start of `buffer` and writes tag and index behind it; the caller
    /// checked that there is room. The two transforms order tag and index differently.
    pub(super) fn seal_rtcp(&self, buffer: &mut [u8], packet_len: usize, ssrc: Ssrc, index: u32) {
        let word = (RTCP_ENCRYPTED | index).to_be_bytes();
        match self {
            Self::Gcm { key, salt } => {
                let (packet, rest) = buffer.split_at_mut(packet_len);
                let (clear, body) = packet.split_at_mut(RTCP_CLEAR_LEN);
                let tag = key
                    .seal_in_place_separate_tag(
                        rtcp_nonce(salt, ssrc, index),
                        Aad::from(rtcp_aad(clear, word)),
                        body,
                    )
                    .expect("a datagram is far below GCM's limit");
                rest[..GCM_TAG_LEN].copy_from_slice(tag.as_ref());
                rest[GCM_TAG_LEN..GCM_TAG_LEN + 4].copy_from_slice(&word);
            }
            Self::CounterMode(keys) => {
                let body = &mut buffer[RTCP_CLEAR_LEN..packet_len];
                keys.apply_keystream(ssrc, u64::from(index), body);
                buffer[packet_len..packet_len + 4].copy_from_slice(&word);
                let (signed, rest) = buffer.split_at_mut(packet_len + 4);
                let tag = keys.tag(signed, &[]);
                rest[..SHA1_80_TAG_LEN].copy_from_slice(&tag.finalize().into_bytes()[..10]);
            }
        }
    }

    /// The E flag and index of a sealed RTCP packet of at least `RTCP_CLEAR_LEN + tag_len + 4` bytes.
    pub(super) fn rtcp_word(&self, packet: &[u8]) -> u32 {
        let end = match self {
            Self::Gcm { .. } => packet.len(),
            Self::CounterMode(_) => packet.len() - SHA1_80_TAG_LEN,
        };
        let word = &packet[end - 4..end];
        u32::from_be_bytes([word[0], word[1], word[2], word[3]])
    }

    /// Opens a sealed RTCP packet whose word the caller has read and found to be encrypted.
    pub(super) fn open_rtcp(
        &self,
        packet: &mut [u8],
        ssrc: Ssrc,
        index: u32,
    ) -> Result<(), BadTag> {
        match self {
            Self::Gcm { key, salt } => {
                let word = (RTCP_ENCRYPTED | index).to_be_bytes();
                let end = packet.len() - 4;
                let (clear, body) = packet[..end].split_at_mut(RTCP_CLEAR_LEN);
                let aad = Aad::from(rtcp_aad(clear, word));
                key.open_in_place(rtcp_nonce(salt, ssrc, index), aad, body)
                    .map(|_| ())
                    .map_err(|_| BadTag)
            }
            Self::CounterMode(keys) => {
                let (signed, tag) = packet.split_at_mut(packet.len() - SHA1_80_TAG_LEN);
                keys.tag(signed, &[])
                    .verify_truncated_left(tag)
                    .map_err(|_| BadTag)?;
                let end = signed.len() - 4;
                keys.apply_keystream(ssrc, u64::from(index), &mut signed[RTCP_CLEAR_LEN..end]);
                Ok(())
            }
        }
    }
}

impl CounterMode {
    /// RFC 3711 section 4.1.1. The low 16 bits count blocks; a datagram has fewer than 65,536.
    fn apply_keystream(&self, ssrc: Ssrc, index: u64, body: &mut [u8]) {
        let mut iv = [0; 16];
        iv[..14].copy_from_slice(&self.salt);
        xor(&mut iv[4..8], &ssrc.0.to_be_bytes());
        xor(&mut iv[8..14], &index.to_be_bytes()[2..]);
        let core = CtrCore::<_, Ctr128BE>::inner_iv_init(&self.aes, &iv.into());
        StreamCipherCoreWrapper::from_core(core).apply_keystream(body);
    }

    /// RFC 3711 section 4.2: the rollover counter is signed, not sent.
    fn tag(&self, signed: &[u8], rollover: &[u8]) -> Hmac<Sha1> {
        let mut mac = self.mac.clone();
        mac.update(signed);
        mac.update(rollover);
        mac
    }
}

/// RFC 7714 section 8.1.
fn rtp_nonce(salt: &[u8; 12], ssrc: Ssrc, index: u64) -> Nonce {
    let mut nonce = *salt;
    xor(&mut nonce[2..6], &ssrc.0.to_be_bytes());
    xor(&mut nonce[6..12], &index.to_be_bytes()[2..]);
    Nonce::assume_unique_for_key(nonce)
}

/// RFC 7714 section 9.1.
fn rtcp_nonce(salt: &[u8; 12], ssrc: Ssrc, index: u32) -> Nonce {
    let mut nonce = *salt;
    xor(&mut nonce[2..6], &ssrc.0.to_be_bytes());
    xor(&mut nonce[8..12], &index.to_be_bytes());
    Nonce::assume_unique_for_key(nonce)
}

/// RFC 7714 section 9.2: the clear header and the index word.
fn rtcp_aad(clear: &[u8], word: [u8; 4]) -> [u8; RTCP_CLEAR_LEN + 4] {
    let mut aad = [0; RTCP_CLEAR_LEN + 4];
    aad[..RTCP_CLEAR_LEN].copy_from_slice(clear);
    aad[RTCP_CLEAR_LEN..].copy_from_slice(&word);
    aad
}

const fn rollover_bytes(index: u64) -> [u8; 4] {
    ((index >> 16) as u32).to_be_bytes()
}

fn xor(target: &mut [u8], with: &[u8]) {
    for (byte, other) in target.iter_mut().zip(with) {
        *byte ^= other;
    }
}
