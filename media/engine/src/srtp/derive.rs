//! Session keys from a master key (RFC 3711 section 4.3), with a key derivation rate of zero.

use aes::Aes128Enc;
use aes::cipher::{BlockEncrypt, KeyInit};

use super::profile::MasterKey;

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
    let aes = Aes128Enc::new(&master.key.into());
    let mut input = [0; 16];
    input[..14].copy_from_slice(&master.salt);
    // The label stands above the 48-bit index, which is zero: byte 7 of the 14.
    input[7] ^= label as u8;
    for (count, chunk) in (0_u16..).zip(out.chunks_mut(16)) {
        input[14..].copy_from_slice(&count.to_be_bytes());
        let mut block = input.into();
        aes.encrypt_block(&mut block);
        chunk.copy_from_slice(&block[..chunk.len()]);
    }
}
