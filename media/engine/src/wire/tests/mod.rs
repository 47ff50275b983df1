//! Tests of the packet formats through their public surface.

mod arbitrary;
mod descriptor;
mod forward;
mod rtcp;
mod rtp;
mod stun;

/// Bytes from the RFCs' hexadecimal, white space ignored.
pub(crate) fn unhex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text
        .chars()
        .filter(|c| !c.is_whitespace())
        .map(|c| c.to_digit(16).expect("hexadecimal") as u8)
        .collect();
    digits
        .chunks(2)
        .map(|pair| pair[0] << 4 | pair[1])
        .collect()
}
