//! Transport-wide congestion feedback: when each packet of a transport arrived.
//!
//! draft-holmer-rmcat-transport-wide-cc-extensions-01 section 3.1. A message covers a run of transport-wide
//! sequence numbers; each is missing or has an arrival time in ticks of 250 microseconds.

use std::time::Duration;

use super::compound::{RtcpNoRoom, TRANSPORT_FEEDBACK, Writer, format, read_u16, read_u32};
use super::feedback::write_sources;
use crate::wire::ids::Ssrc;

/// Resolution of arrival times.
pub const TICK: Duration = Duration::from_micros(250);

/// Most packets that one written message covers: 100 ms at 5,000 packets a second. The caller writes
/// another message for the rest.
pub const STATUSES_MAX: usize = 512;

const TICK_MICROS: i64 = 250;
/// The reference time counts units of 64 ms in 24 bits.
const REFERENCE_MICROS: i64 = 64_000;
const TICKS_PER_REFERENCE: i64 = REFERENCE_MICROS / TICK_MICROS;
/// Sources, base and count, reference time and feedback count.
const FIXED_LEN: usize = 16;

const MISSING: u8 = 0;
const SMALL: u8 = 1;
const LARGE: u8 = 2;

/// Packets that one message may tell of. A run of 8,191 takes two bytes, so that a datagram full of small messages
/// could claim millions; whoever reports ten times a second never comes near.
const STATUSES_READ_MAX: u16 = 2_048;

/// A received message, checked to hold a delta for every packet that it reports as received.
#[derive(Clone, Copy, Debug)]
pub struct TransportFeedback<'a> {
    /// Who reports.
    pub sender: Ssrc,
    /// Any stream of the transport.
    pub media: Ssrc,
    /// Counts messages, so that a lost one is noticed.
    pub count: u8,
    base_sequence: u16,
    statuses: u16,
    reference: i32,
    chunks: &'a [u8],
    deltas: &'a [u8],
}

/// The fate of one packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PacketStatus {
    /// Transport-wide sequence number.
    pub sequence: u16,
    /// Microseconds on the receiver's clock, whose start is arbitrary and which wraps with the 24-bit
    /// reference after twelve days; `None` when it did not arrive.
    pub arrival_micros: Option<i64>,
}

impl<'a> TransportFeedback<'a> {
    pub(super) fn read(body: &'a [u8]) -> Option<Self> {
        let statuses = read_u16(body, 10)?;
        if statuses > STATUSES_READ_MAX {
            return None;
        }
        let word = read_u32(body, 12)?;
        let rest = body.get(FIXED_LEN..)?;
        let mut symbols = Symbols::new(rest, statuses);
        let mut deltas_len = 0;
        for symbol in &mut symbols {
            deltas_len += match symbol? {
                MISSING => 0,
                SMALL => 1,
                LARGE => 2,
                _ => return None,
            };
        }
        let (chunks, deltas) = rest.split_at_checked(symbols.at)?;
        Some(Self {
            sender: Ssrc(read_u32(body, 0)?),
            media: Ssrc(read_u32(body, 4)?),
            count: word as u8,
            base_sequence: read_u16(body, 8)?,
            statuses,
            reference: word as i32 >> 8,
            chunks,
            deltas: deltas.get(..deltas_len)?,
        })
    }

    /// The first sequence number that the message covers.
    pub const fn base_sequence(&self) -> u16 {
        self.base_sequence
    }

    /// How many sequence numbers it covers.
    pub const fn statuses(&self) -> u16 {
        self.statuses
    }

    /// Every covered packet, in order of sequence numbers.
    pub fn packets(&self) -> Arrivals<'a> {
        Arrivals {
            symbols: Symbols::new(self.chunks, self.statuses),
            deltas: self.deltas,
            sequence: self.base_sequence,
            clock_micros: i64::from(self.reference) * REFERENCE_MICROS,
        }
    }
}

/// Iterator over the packets of a feedback message.
#[derive(Clone)]
pub struct Arrivals<'a> {
    symbols: Symbols<'a>,
    deltas: &'a [u8],
    sequence: u16,
    clock_micros: i64,
}

impl Iterator for Arrivals<'_> {
    type Item = PacketStatus;

    fn next(&mut self) -> Option<PacketStatus> {
        let delta = match self.symbols.next()?? {
            SMALL => {
                let (byte, rest) = self.deltas.split_first()?;
                self.deltas = rest;
                Some(i64::from(*byte))
            }
            LARGE => {
                let (bytes, rest) = self.deltas.split_first_chunk()?;
                self.deltas = rest;
                Some(i64::from(i16::from_be_bytes(*bytes)))
            }
            _ => None,
        };
        let sequence = self.sequence;
        self.sequence = sequence.wrapping_add(1);
        let arrival_micros = delta.map(|ticks| {
            self.clock_micros += ticks * TICK_MICROS;
            self.clock_micros
        });
        Some(PacketStatus {
            sequence,
            arrival_micros,
        })
    }
}

/// Iterator over status symbols: `Some(None)` when the chunks end before the last status.
#[derive(Clone)]
struct Symbols<'a> {
    bytes: &'a [u8],
    at: usize,
    /// Statuses still to come.
    left: u16,
    chunk: u16,
    /// Symbols left in the current chunk.
    in_chunk: u16,
}

impl<'a> Symbols<'a> {
    const fn new(bytes: &'a [u8], statuses: u16) -> Self {
        Self {
            bytes,
            at: 0,
            left: statuses,
            chunk: 0,
            in_chunk: 0,
        }
    }
}

impl Iterator for Symbols<'_> {
    type Item = Option<u8>;

    fn next(&mut self) -> Option<Option<u8>> {
        if self.left == 0 {
            return None;
        }
        while self.in_chunk == 0 {
            let Some(chunk) = read_u16(self.bytes, self.at) else {
                self.left = 0;
                return Some(None);
            };
            self.at += 2;
            self.chunk = chunk;
            self.in_chunk = match chunk >> 14 {
                0 | 1 => chunk & 0x1fff,
                2 => 14,
                _ => 7,
            };
        }
        self.left -= 1;
        self.in_chunk -= 1;
        let symbol = match self.chunk >> 14 {
            0 | 1 => self.chunk >> 13 & 3,
            2 => self.chunk >> self.in_chunk & 1,
            _ => self.chunk >> (2 * self.in_chunk) & 3,
        };
        Some(Some(symbol as u8))
    }
}

/// What a written message says besides the arrivals.
#[derive(Clone, Copy, Debug)]
pub struct FeedbackHeader {
    /// Who reports.
    pub sender: Ssrc,
    /// Any stream of the transport.
    pub media: Ssrc,
    /// Counts messages, wrapping.
    pub count: u8,
    /// The sequence number of the first arrival in the list.
    pub base_sequence: u16,
}

impl Writer<'_> {
    /// Appends feedback for the packets from `header.base_sequence` on: for each its arrival time since
    /// any fixed moment, or `None`. Returns how many packets the message covers, at most
    /// [`STATUSES_MAX`]; fewer when an arrival is more than eight seconds from the one before it. The
    /// caller goes on from there with another message. Nothing is written for an empty list.
    pub fn transport_feedback(
        &mut self,
        header: &FeedbackHeader,
        arrivals: &[Option<Duration>],
    ) -> Result<usize, RtcpNoRoom> {
        let plan = Plan::of(&arrivals[..arrivals.len().min(STATUSES_MAX)]);
        if plan.statuses == 0 {
            return Ok(0);
        }
        let symbols = &plan.symbols[..plan.statuses];
        let mut chunks_len = 0;
        for_each_chunk(symbols, |_| chunks_len += 2);
        let deltas_len: usize = symbols.iter().map(|symbol| usize::from(*symbol)).sum();
        let len = FIXED_LEN + chunks_len + deltas_len;
        let body = self.packet(TRANSPORT_FEEDBACK, format::TRANSPORT_WIDE, len)?;
        write_sources(body, header.sender, header.media);
        body[8..10].copy_from_slice(&header.base_sequence.to_be_bytes());
        body[10..12].copy_from_slice(&(plan.statuses as u16).to_be_bytes());
        let word = (plan.reference as u32) << 8 | u32::from(header.count);
        body[12..16].copy_from_slice(&word.to_be_bytes());
        let (chunks, deltas) = body[FIXED_LEN..].split_at_mut(chunks_len);
        let mut spaces = chunks.chunks_exact_mut(2);
        for_each_chunk(symbols, |chunk| {
            if let Some(space) = spaces.next() {
                space.copy_from_slice(&chunk.to_be_bytes());
            }
        });
        write_deltas(deltas, symbols, &plan.deltas[..plan.statuses]);
        Ok(plan.statuses)
    }
}

/// Symbols and deltas of a message to be written.
struct Plan {
    statuses: usize,
    reference: i64,
    symbols: [u8; STATUSES_MAX],
    deltas: [i16; STATUSES_MAX],
}

impl Plan {
    fn of(arrivals: &[Option<Duration>]) -> Self {
        let first = arrivals
            .iter()
            .find_map(|arrival| arrival.map(ticks))
            .unwrap_or(0);
        let reference = first / TICKS_PER_REFERENCE;
        let mut plan = Self {
            statuses: 0,
            reference,
            symbols: [0; STATUSES_MAX],
            deltas: [0; STATUSES_MAX],
        };
        let mut clock = reference * TICKS_PER_REFERENCE;
        for (index, arrival) in arrivals.iter().enumerate() {
            if let Some(arrival) = arrival {
                let Ok(delta) = i16::try_from(ticks(*arrival) - clock) else {
                    break;
                };
                clock += i64::from(delta);
                plan.symbols[index] = if (0..256).contains(&delta) {
                    SMALL
                } else {
                    LARGE
                };
                plan.deltas[index] = delta;
            }
            plan.statuses = index + 1;
        }
        plan
    }
}

/// Whole ticks; a clock that has run for 73 million years saturates.
fn ticks(arrival: Duration) -> i64 {
    i64::try_from(arrival.as_micros()).unwrap_or(i64::MAX) / TICK_MICROS
}

/// Calls `write` with every packet chunk for `symbols`: a run where one pays, else a vector of one or two
/// bits. The last vector's spare symbols are zero and not counted.
fn for_each_chunk(symbols: &[u8], mut write: impl FnMut(u16)) {
    let mut rest = symbols;
    while let Some(first) = rest.first() {
        let run = rest.iter().take_while(|symbol| *symbol == first).count();
        let small = rest
            .iter()
            .take(14)
            .take_while(|symbol| **symbol < LARGE)
            .count();
        let taken = if run >= 14 || run == rest.len() || (run >= 7 && *first == LARGE) {
            write(u16::from(*first) << 13 | run as u16);
            run
        } else if small >= 14 || small == rest.len() {
            write(vector(&rest[..small], 1, 14) | 0x8000);
            small
        } else {
            let taken = rest.len().min(7);
            write(vector(&rest[..taken], 2, 7) | 0xc000);
            taken
        };
        rest = &rest[taken..];
    }
}

fn vector(symbols: &[u8], width: u32, capacity: usize) -> u16 {
    let packed = symbols
        .iter()
        .fold(0, |bits, symbol| bits << width | u16::from(*symbol));
    packed << (width as usize * (capacity - symbols.len()))
}

fn write_deltas(mut out: &mut [u8], symbols: &[u8], deltas: &[i16]) {
    for (symbol, delta) in symbols.iter().zip(deltas) {
        let (space, rest) = out.split_at_mut(usize::from(*symbol));
        match *symbol {
            SMALL => space[0] = *delta as u8,
            LARGE => space.copy_from_slice(&delta.to_be_bytes()),
            _ => {}
        }
        out = rest;
    }
}
