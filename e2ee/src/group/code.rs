//! The 30-digit call code that people compare.

/// Six groups of five digits from the epoch authenticator: each five bytes, big-endian, modulo
/// 100,000.
pub fn call_code(epoch_authenticator: &[u8; 32]) -> String {
    let group = |bytes: &[u8]| {
        let number = bytes
            .iter()
            .fold(0_u64, |sum, byte| (sum << 8) | u64::from(*byte));
        format!("{:05}", number % 100_000)
    };
    let groups: Vec<String> = epoch_authenticator[..30]
        .chunks_exact(5)
        .map(group)
        .collect();
    groups.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_six_groups_of_five_digits() {
        assert_eq!(call_code(&[0; 32]), "00000 00000 00000 00000 00000 00000");
        let counting = std::array::from_fn(|i| i as u8);
        // 0x0001020304 = 16909060; 0x0506070809 = 21575960585; and so on.
        assert!(call_code(&counting).starts_with("09060 60585 "));
    }
}
