//! The recovery code: twenty random bytes on paper that bring account and household back.

use hkdf::Hkdf;
use sha2::Sha256;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::key::PrivateKey;

/// Crockford's base32: no I, L, O, U.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// The code itself. It never leaves the app; no `Debug`, no `Display`.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct RecoveryCode([u8; 20]);

/// What was typed is not a recovery code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a recovery code is 8 groups of 4 letters and digits")]
pub struct NotACode;

impl RecoveryCode {
    pub fn from_bytes(random: [u8; 20]) -> Self {
        Self(random)
    }

    /// Eight groups of four, joined by hyphens: shown once.
    pub fn text(&self) -> Zeroizing<String> {
        let mut text = String::with_capacity(39);
        let (mut window, mut bits) = (0_u32, 0);
        for byte in self.0 {
            window = (window << 8) | u32::from(byte);
            bits += 8;
            while bits >= 5 {
                bits -= 5;
                if text.len() % 5 == 4 {
                    text.push('-');
                }
                text.push(char::from(ALPHABET[(window >> bits) as usize & 31]));
            }
        }
        Zeroizing::new(text)
    }

    /// Reads what a person typed: either case, O for 0, I and L for 1, spaces and hyphens anywhere.
    pub fn parse(typed: &str) -> Result<Self, NotACode> {
        let mut bytes = [0; 20];
        let (mut window, mut bits, mut filled) = (0_u32, 0, 0);
        for letter in typed.chars().filter(|letter| !matches!(letter, '-' | ' ')) {
            window = (window << 5) | value(letter).ok_or(NotACode)?;
            bits += 5;
            if bits >= 8 {
                bits -= 8;
                *bytes.get_mut(filled).ok_or(NotACode)? = (window >> bits) as u8;
                filled += 1;
            }
        }
        match filled == bytes.len() && bits == 0 {
            true => Ok(Self(bytes)),
            false => Err(NotACode),
        }
    }

    /// The household's second genesis key.
    pub fn signing_key(&self) -> PrivateKey {
        PrivateKey::from_seed(&self.derive(b"sign"))
    }

    /// What the server keeps under argon2id, to know the account's owner again.
    pub fn server_secret(&self) -> Zeroizing<[u8; 32]> {
        self.derive(b"auth")
    }

    fn derive(&self, info: &[u8]) -> Zeroizing<[u8; 32]> {
        let mut derived = Zeroizing::new([0; 32]);
        Hkdf::<Sha256>::new(Some(b"homeline recovery v1"), &self.0)
            .expand(info, derived.as_mut())
            .expect("32 bytes are one block of HKDF-SHA256");
        derived
    }
}

fn value(letter: char) -> Option<u32> {
    let letter = match letter.to_ascii_uppercase() {
        'O' => '0',
        'I' | 'L' => '1',
        other => other,
    };
    let position = ALPHABET
        .iter()
        .position(|known| char::from(*known) == letter)?;
    u32::try_from(position).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_survives_being_written_down_and_typed_sloppily() {
        let code = RecoveryCode::from_bytes(std::array::from_fn(|i| (i * 37 + 5) as u8));
        let text = code.text();
        assert_eq!(text.len(), 39);
        assert!(RecoveryCode::parse(&text).unwrap() == code);
        let sloppy = text
            .to_lowercase()
            .replace('0', "o")
            .replace('1', "l")
            .replace('-', " ");
        assert!(RecoveryCode::parse(&sloppy).unwrap() == code);
    }

    #[test]
    fn what_is_not_a_code_is_refused() {
        let code = RecoveryCode::from_bytes([9; 20]);
        let text = code.text();
        for typed in [
            "",
            "ABCD",
            &text[..38],
            &format!("{}0", *text),
            &text.replace('1', "U"),
        ] {
            if typed != text.as_str() {
                assert!(RecoveryCode::parse(typed).is_err(), "{typed}");
            }
        }
    }

    #[test]
    fn the_two_secrets_of_a_code_differ() {
        let code = RecoveryCode::from_bytes([3; 20]);
        assert_ne!(*code.signing_key().seed(), *code.server_secret());
    }
}
