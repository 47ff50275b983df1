//! Session keys from a master key (RFC 3711 section 4.3), with a key derivation rate of zero.

use aes::cipher::{BlockEncrypt, BlockSizeUser, KeyInit, consts::U16};
use aes::{Aes128Enc, Aes256Enc};

use super::profile::{MasterKey, SALT_LEN_MAX};

/// What a derived key is for (RFC 3711 section 4.3.2).
#[derive(Clone, Copy)]
pub(super) enum Label {
    RtpEncryption = 0,
    RtpAuthentication = 1,
    RtpSalt = 2,
    RtcpEncryption = 3,
    RtcpAuthentication = 4,
    RtcpSalt = 5,
}

/// Fills `out` with the key for `label`. At most 65,536 blocks, far more than any key.
pub(super) fn derive(master: &MasterKey, label: Label, out: &mut [u8]) {
    const LENGTHS: &str = "master keys have 16 or 32 bytes";
    match master.key().len() {
        16 => fill(
            &Aes128Enc::new_from_slice(master.key()).expect(LENGTHS),
            &master.salt,
            label,
            out,
        ),
        // RFC 7714 section 11: 256-bit keys are derived with AES-256 (RFC 6188).
        _ => fill(
            &Aes256Enc::new_from_slice(master.key()).expect(LENGTHS),
            &master.salt,
            label,
            out,
        ),
    }
}

fn fill<A>(aes: &A, salt: &[u8; SALT_LEN_MAX], label: Label, out: &mut [u8])
where
    A: BlockEncrypt + BlockSizeUser<BlockSize = U16>,
{
    let mut input = [0; 16];
    input[..14].copy_from_slice(salt);
    // The label stands above the 48-bit index, which is zero: byte 7 of the 14.
    input[7] ^= label as u8;
    for (count, chunk) in (0_u16..).zip(out.chunks_mut(16)) {
        input[14..].copy_from_slice(&count.to_be_bytes());
        let mut block = input.into();
        aes.encrypt_block(&mut block);
        chunk.copy_from_slice(&block[..chunk.len()]);
    }
}
