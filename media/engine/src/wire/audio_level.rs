//! How loud a packet's audio is, told by its sender beside the encrypted frame (RFC 6464).

/// The audio level header extension.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AudioLevel {
    /// The sender's own guess that somebody speaks.
    pub voice: bool,
    /// Loudness as the negated dBov: 0 is the loudest, 127 is silence.
    pub below_overload_db: u8,
}

impl AudioLevel {
    /// The level that means digital silence.
    pub const SILENCE_DB: u8 = 127;

    /// Reads the extension's value; `None` when it is empty. More than one byte is the two-byte form's
    /// padding (RFC 6464 section 3) and ignored.
    pub fn parse(value: &[u8]) -> Option<Self> {
        let byte = *value.first()?;
        Some(Self {
            voice: byte & 0x80 != 0,
            below_overload_db: byte & 0x7f,
        })
    }

    /// The extension's value.
    pub const fn write(self) -> [u8; 1] {
        [(self.voice as u8) << 7 | (self.below_overload_db & 0x7f)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // RFC 6464 section 3.
    #[test]
    fn voice_and_level_share_one_byte() {
        let level = AudioLevel::parse(&[0x80 | 30]).expect("one byte is enough");
        assert_eq!(
            level,
            AudioLevel {
                voice: true,
                below_overload_db: 30
            }
        );
        assert_eq!(level.write(), [0x80 | 30]);
        let silent = AudioLevel::parse(&[127, 0]).expect("padding is ignored");
        assert!(!silent.voice);
        assert_eq!(silent.below_overload_db, AudioLevel::SILENCE_DB);
        assert_eq!(AudioLevel::parse(&[]), None);
    }
}
