//! Packets in a stream, each after its length in two bytes (RFC 4571 section 2).

/// Longest packet that is taken: more than any path's MTU, and less than the first bytes of other protocols
/// read as a length (`GET ` is 18,245, a TLS hello 5,635).
pub(crate) const PACKET_MAX: usize = 2_048;

/// The length before a packet.
pub(crate) const HEAD: usize = 2;

/// A length beyond [`PACKET_MAX`]: not a stream of packets, or none that we serve.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct TooLong;

/// Gives every whole packet to `take`. Returns the bytes that are done with.
pub(crate) fn whole_packets(
    bytes: &mut [u8],
    mut take: impl FnMut(&mut [u8]),
) -> Result<usize, TooLong> {
    let mut done = 0;
    while let Some((head, rest)) = bytes[done..].split_first_chunk_mut::<HEAD>() {
        let len = usize::from(u16::from_be_bytes(*head));
        if len > PACKET_MAX {
            return Err(TooLong);
        }
        let Some(packet) = rest.get_mut(..len) else {
            break;
        };
        done += HEAD + len;
        // An empty packet keeps a router's mapping alive and says nothing.
        if len > 0 {
            take(packet);
        }
    }
    Ok(done)
}

/// Framed packets that wait to be written, the first of which may be half written.
pub(crate) struct Pending {
    bytes: Vec<u8>,
    written: usize,
}

/// Space that a connection without anything to write keeps.
const IDLE_SPACE: usize = 4_096;

impl Pending {
    pub(crate) const fn new() -> Self {
        Self {
            bytes: Vec::new(),
            written: 0,
        }
    }

    /// Bytes that wait, heads included.
    pub(crate) const fn len(&self) -> usize {
        self.bytes.len() - self.written
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.bytes[self.written..]
    }

    /// Appends a packet of at most 65,535 bytes.
    pub(crate) fn push(&mut self, packet: &[u8]) {
        debug_assert!(packet.len() <= usize::from(u16::MAX));
        // What is written makes room once it is the greater part, so that bytes are moved once at most.
        if self.written * 2 > self.bytes.len() {
            self.bytes.drain(..self.written);
            self.written = 0;
        }
        self.bytes
            .extend_from_slice(&(packet.len() as u16).to_be_bytes());
        self.bytes.extend_from_slice(packet);
    }

    /// So many more bytes were written.
    pub(crate) fn advance(&mut self, count: usize) {
        self.written = (self.written + count).min(self.bytes.len());
        if self.is_empty() {
            self.bytes.clear();
            self.written = 0;
        }
    }

    /// Gives back space that a burst needed.
    pub(crate) fn shrink(&mut self) {
        if self.is_empty() {
            self.bytes.shrink_to(IDLE_SPACE);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn framed(packets: &[&[u8]]) -> Vec<u8> {
        let mut pending = Pending::new();
        packets.iter().for_each(|packet| pending.push(packet));
        pending.as_bytes().to_vec()
    }

    #[test]
    fn packets_are_found_however_the_stream_was_cut() {
        let packets: [&[u8]; 4] = [b"one", b"", b"three", &[4; PACKET_MAX]];
        let stream = framed(&packets);
        for size in [1, 2, 3, 7, 1_000, stream.len()] {
            let (mut held, mut found) = (Vec::new(), Vec::new());
            for part in stream.chunks(size) {
                held.extend_from_slice(part);
                let done = whole_packets(&mut held, |packet| found.push(packet.to_vec()));
                held.drain(..done.unwrap());
                assert!(held.len() < HEAD + PACKET_MAX);
            }
            let expected = packets.into_iter().filter(|packet| !packet.is_empty());
            assert!(held.is_empty() && found.iter().eq(expected), "by {size}");
        }
    }

    #[test]
    fn other_protocols_are_too_long_to_be_packets() {
        for first in [&b"GET / HTTP/1.1"[..], &[22, 3, 1, 2, 0], &[8, 1, 0]] {
            assert_eq!(whole_packets(&mut first.to_vec(), |_| {}), Err(TooLong));
        }
    }

    #[test]
    fn half_written_packets_are_gone_on_with() {
        let mut pending = Pending::new();
        let mut written = Vec::new();
        for count in 1..=100_u8 {
            pending.push(&[count; 50]);
            let some = &pending.as_bytes()[..pending.len().min(51)];
            written.extend_from_slice(some);
            pending.advance(some.len());
            assert!(pending.bytes.len() <= 2 * (pending.len() + 52));
        }
        written.extend_from_slice(pending.as_bytes());
        pending.advance(pending.len());
        let mut next = 1;
        let done = whole_packets(&mut written, |packet| {
            assert_eq!(packet, [next; 50]);
            next += 1;
        });
        assert_eq!((done, next), (Ok(100 * 52), 101));
        pending.shrink();
        assert!(pending.is_empty() && pending.bytes.capacity() <= IDLE_SPACE);
    }
}
