//! Encrypts a message for one device: RFC 8291 (keys) over RFC 8188 (`aes128gcm`), one record.
//!
//! Our own on `ring`, which is in the binary already: `web-push` needs OpenSSL through `ece`, and
//! `web-push-native` brings a second set of ciphers and neither pads nor sets topics. It is told its
//! randomness. The tests hold the RFCs' own examples, and a scenario decrypts with another
//! implementation.

use ring::aead::{AES_128_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use ring::agreement::{ECDH_P256, EphemeralPrivateKey, UnparsedPublicKey, agree_ephemeral};
use ring::hkdf::{HKDF_SHA256, KeyType, Salt};
use ring::rand::SystemRandom;

/// An uncompressed point on P-256.
pub(super) const PUBLIC_KEY_BYTES: usize = 65;
/// RFC 8291, section 3.2.
pub(super) const AUTH_BYTES: usize = 16;
const SALT_BYTES: usize = 16;
const TAG_BYTES: usize = 16;
/// Every content is as long as this after padding, so that its length tells a push service nothing.
const PADDED_BYTES: usize = 512;
/// The record size in the header: a single record is never longer than services take (RFC 8291, 4).
const RECORD_BYTES: u32 = 4_096;
/// Marks the last record (RFC 8188, section 2).
const LAST_RECORD: u8 = 2;

/// The receiver's public half.
#[derive(Debug, Clone, Copy)]
pub(super) struct Receiver<'a> {
    pub(super) public_key: &'a [u8],
    pub(super) auth: &'a [u8],
}

/// Keys that are not usable, a message that is too long, or a random source that failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Unusable;

impl From<ring::error::Unspecified> for Unusable {
    fn from(_: ring::error::Unspecified) -> Self {
        Self
    }
}

/// Encrypts for the receiver with a fresh key and salt: the body of a push request.
pub(super) fn encrypt(to: Receiver<'_>, plaintext: &[u8]) -> Result<Vec<u8>, Unusable> {
    if plaintext.len() >= PADDED_BYTES {
        return Err(Unusable);
    }
    let random = SystemRandom::new();
    let own = EphemeralPrivateKey::generate(&ECDH_P256, &random)?;
    let sender = own.compute_public_key()?;
    let peer = UnparsedPublicKey::new(&ECDH_P256, to.public_key);
    let salt: [u8; SALT_BYTES] = ring::rand::generate(&random)?.expose();
    let input_key = agree_ephemeral(own, &peer, |shared| input_key(to, sender.as_ref(), shared))??;
    let mut padded = plaintext.to_vec();
    padded.push(LAST_RECORD);
    padded.resize(PADDED_BYTES, 0);
    seal(&input_key, &salt, sender.as_ref(), padded)
}

/// Whether a message could be encrypted with these keys at all.
pub(super) fn is_usable(to: Receiver<'_>) -> bool {
    to.public_key.len() == PUBLIC_KEY_BYTES
        && to.auth.len() == AUTH_BYTES
        && encrypt(to, b"").is_ok()
}

/// RFC 8291, section 3.4: the input keying material of RFC 8188 from the shared secret.
fn input_key(to: Receiver<'_>, sender: &[u8], shared: &[u8]) -> Result<[u8; 32], Unusable> {
    let info = [b"WebPush: info\0".as_slice(), to.public_key, sender].concat();
    derive(to.auth, shared, &info)
}

/// RFC 8188: header and the one record, whose padding and delimiter are in `record` already.
fn seal(
    input_key: &[u8],
    salt: &[u8; SALT_BYTES],
    key_id: &[u8],
    mut record: Vec<u8>,
) -> Result<Vec<u8>, Unusable> {
    let key: [u8; 16] = derive(salt, input_key, b"Content-Encoding: aes128gcm\0")?;
    let nonce: [u8; 12] = derive(salt, input_key, b"Content-Encoding: nonce\0")?;
    let key = LessSafeKey::new(UnboundKey::new(&AES_128_GCM, &key)?);
    // The first record's sequence number is zero, so the nonce is the derived one.
    let nonce = Nonce::assume_unique_for_key(nonce);
    key.seal_in_place_append_tag(nonce, Aad::empty(), &mut record)?;
    let id_length = u8::try_from(key_id.len()).map_err(|_| Unusable)?;
    let mut body = Vec::with_capacity(SALT_BYTES + 5 + key_id.len() + record.len() + TAG_BYTES);
    body.extend_from_slice(salt);
    body.extend_from_slice(&RECORD_BYTES.to_be_bytes());
    body.push(id_length);
    body.extend_from_slice(key_id);
    body.extend_from_slice(&record);
    Ok(body)
}

fn derive<const N: usize>(salt: &[u8], secret: &[u8], info: &[u8]) -> Result<[u8; N], Unusable> {
    let mut key = [0; N];
    Salt::new(HKDF_SHA256, salt)
        .extract(secret)
        .expand(&[info], Length(N))?
        .fill(&mut key)?;
    Ok(key)
}

struct Length(usize);

impl KeyType for Length {
    fn len(&self) -> usize {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;

    use super::*;

    fn bytes(text: &str) -> Vec<u8> {
        URL_SAFE_NO_PAD.decode(text).unwrap()
    }

    fn record(plaintext: &[u8]) -> Vec<u8> {
        [plaintext, &[LAST_RECORD]].concat()
    }

    /// RFC 8291, Appendix A: from the shared secret to the whole body.
    #[test]
    fn the_example_of_rfc_8291_comes_out_byte_for_byte() {
        let public_key = bytes(
            "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4",
        );
        let auth = bytes("BTBZMqHH6r4Tts7J_aSIgg");
        let to = Receiver {
            public_key: &public_key,
            auth: &auth,
        };
        let sender = bytes(
            "BP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A8",
        );
        let shared = bytes("kyrL1jIIOHEzg3sM2ZWRHDRB62YACZhhSlknJ672kSs");
        let key = input_key(to, &sender, &shared).unwrap();
        assert_eq!(
            key.to_vec(),
            bytes("S4lYMb_L0FxCeq0WhDx813KgSYqU26kOyzWUdsXYyrg")
        );
        let salt = bytes("DGv6ra1nlYgDCS1FRnbzlw").try_into().unwrap();
        let plaintext = b"When I grow up, I want to be a watermelon";
        let body = seal(&key, &salt, &sender, record(plaintext)).unwrap();
        let expected = bytes(
            "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmY\
             WAmS6TlzAC8wEqKK6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSg\
             Sxsj_Qulcy4a-fN",
        );
        assert_eq!(body, expected);
    }

    /// RFC 8188, section 3.1.
    #[test]
    fn the_example_of_rfc_8188_comes_out_byte_for_byte() {
        let salt = bytes("I1BsxtFttlv3u_Oo94xnmw").try_into().unwrap();
        let key = bytes("yqdlZ-tYemfogSmv7Ws5PQ");
        let body = seal(&key, &salt, b"", record(b"I am the walrus")).unwrap();
        let expected =
            bytes("I1BsxtFttlv3u_Oo94xnmwAAEAAA-NAVub2qFgBEuQKRapoZu-IxkIva3MEB1PD-ly8Thjg");
        assert_eq!(body, expected);
    }

    #[test]
    fn all_messages_are_equally_long_and_none_is_like_another() {
        let public_key = bytes(
            "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4",
        );
        let to = Receiver {
            public_key: &public_key,
            auth: &[7; AUTH_BYTES],
        };
        let (short, long) = (
            encrypt(to, b"a").unwrap(),
            encrypt(to, &[b'a'; 400]).unwrap(),
        );
        assert_eq!(short.len(), long.len());
        assert_ne!(encrypt(to, b"a").unwrap(), short);
        assert_eq!(encrypt(to, &[0; PADDED_BYTES]), Err(Unusable));
    }

    #[test]
    fn keys_that_are_no_keys_are_refused() {
        let auth = [7; AUTH_BYTES];
        let off_the_curve = [4; PUBLIC_KEY_BYTES];
        for public_key in [&[][..], &[4; 64], &off_the_curve] {
            let public_key = Receiver {
                public_key,
                auth: &auth,
            };
            assert!(!is_usable(public_key));
        }
    }
}
