//! When a packet was meant to leave, written into its payload and read where it arrives.

use std::time::{Duration, Instant};

/// What marks a stamped payload.
const MARK: [u8; 4] = *b"hlt1";

/// Bytes that a stamp takes.
pub const STAMP_LEN: usize = 12;

/// Writes the intended time, as nanoseconds since `epoch`. A payload without room stays as it is.
pub fn write(payload: &mut [u8], epoch: Instant, intended: Instant) {
    let nanos = intended.saturating_duration_since(epoch).as_nanos() as u64;
    if let Some(room) = payload.get_mut(..STAMP_LEN) {
        room[..4].copy_from_slice(&MARK);
        room[4..].copy_from_slice(&nanos.to_be_bytes());
    }
}

/// How long ago that was; `None` for a payload that is not ours.
pub fn age(payload: &[u8], epoch: Instant, now: Instant) -> Option<Duration> {
    let nanos = payload.get(..STAMP_LEN)?.strip_prefix(&MARK)?;
    let intended = Duration::from_nanos(u64::from_be_bytes(nanos.try_into().ok()?));
    now.saturating_duration_since(epoch).checked_sub(intended)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stamp_tells_the_age_from_the_intended_time() {
        let epoch = Instant::now();
        let intended = epoch + Duration::from_millis(70);
        let mut payload = vec![0; 100];
        assert_eq!(age(&payload, epoch, intended), None);
        write(&mut payload, epoch, intended);
        let now = intended + Duration::from_millis(5);
        assert_eq!(age(&payload, epoch, now), Some(Duration::from_millis(5)));
        assert_eq!(age(&payload, epoch, epoch), None);
        write(&mut payload[..4], epoch, now);
        assert_eq!(age(&payload[..4], epoch, now), None);
    }
}
