//! What a router does to addresses: its side of a packet's address is another than the one behind it.

use std::net::Ipv4Addr;

/// Replaces an IPv4 packet's source or destination and brings its checksums up to date (RFC 1624). Packets that do
/// not have the address, or are none, stay as they are.
pub fn rewrite(packet: &mut [u8], end: End, from: Ipv4Addr, to: Ipv4Addr) {
    let at = match end {
        End::Source => 12,
        End::Destination => 16,
    };
    if packet.len() < 20 || packet[0] >> 4 != 4 || packet[at..at + 4] != from.octets() {
        return;
    }
    packet[at..at + 4].copy_from_slice(&to.octets());
    let header = usize::from(packet[0] & 0x0f) * 4;
    correct(packet, 10, from, to);
    match packet[9] {
        6 => correct(packet, header + 16, from, to),
        // A UDP checksum of 0 is none.
        17 if packet.get(header + 6..header + 8) != Some(&[0, 0]) => {
            correct(packet, header + 6, from, to);
        }
        _ => {}
    }
}

/// Which of a packet's addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// Where it comes from.
    Source,
    /// Where it goes.
    Destination,
}

fn correct(packet: &mut [u8], at: usize, from: Ipv4Addr, to: Ipv4Addr) {
    let Some(&[high, low]) = packet.get(at..at + 2).and_then(<[u8]>::first_chunk) else {
        return;
    };
    let mut sum = u32::from(!u16::from_be_bytes([high, low]));
    for (old, new) in from.octets().chunks(2).zip(to.octets().chunks(2)) {
        sum += u32::from(!u16::from_be_bytes([old[0], old[1]]));
        sum += u32::from(u16::from_be_bytes([new[0], new[1]]));
    }
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    packet[at..at + 2].copy_from_slice(&(!(sum as u16)).to_be_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sum(bytes: &[u8]) -> u16 {
        let mut sum: u32 = bytes
            .chunks(2)
            .map(|pair| u32::from(u16::from_be_bytes([pair[0], *pair.get(1).unwrap_or(&0)])))
            .sum();
        while sum > 0xffff {
            sum = (sum & 0xffff) + (sum >> 16);
        }
        !(sum as u16)
    }

    fn checksum_of_udp(packet: &[u8]) -> u16 {
        let mut pseudo = packet[12..20].to_vec();
        pseudo.extend([0, 17]);
        pseudo.extend(((packet.len() - 20) as u16).to_be_bytes());
        pseudo.extend(&packet[20..]);
        sum(&pseudo)
    }

    #[test]
    fn checksums_stay_right_there_and_back() {
        let (inside, outside) = (Ipv4Addr::new(10, 77, 1, 2), Ipv4Addr::new(10, 77, 1, 254));
        let mut packet = vec![0x45, 0, 0, 33, 1, 2, 0x40, 0, 64, 17, 0, 0];
        packet.extend(inside.octets());
        packet.extend([
            10, 77, 1, 1, 0x90, 0, 0x20, 1, 0, 13, 0, 0, b'h', b'e', b'l', b'l', b'o',
        ]);
        let header = sum(&packet[..20]);
        packet[10..12].copy_from_slice(&header.to_be_bytes());
        let udp = checksum_of_udp(&packet);
        packet[26..28].copy_from_slice(&udp.to_be_bytes());
        let before = packet.clone();
        rewrite(&mut packet, End::Source, inside, outside);
        assert_eq!(packet[12..16], outside.octets());
        assert_eq!((sum(&packet[..20]), checksum_of_udp(&packet)), (0, 0));
        rewrite(&mut packet, End::Destination, outside, inside);
        rewrite(&mut packet, End::Source, outside, inside);
        assert_eq!(packet, before);
    }
}
