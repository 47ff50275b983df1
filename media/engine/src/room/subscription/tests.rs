//! The numbers that one receiver sees.

use std::time::Duration;

use super::*;
use crate::room::track::Source;
use crate::transport::sdp::Offer;

fn source() -> Source {
    let offer = include_str!("../../transport/sdp/fixtures/chromium-156.sdp");
    let offer = Offer::parse(offer, 8).unwrap();
    Source::new(PeerSlot(0), &offer.sections[1]).unwrap()
}

fn subscription(kind: Kind) -> Subscription {
    Subscription::new(Terms {
        peer: PeerSlot(0),
        mid: "1".to_owned(),
        kind,
        codecs: Vec::new(),
        ids: ExtensionIds::default(),
        ssrc: Ssrc(1),
        rtx_ssrc: None,
        stream: "a".to_owned(),
        first_sequence: 100,
        first_timestamp: 5_000,
    })
}

fn start() -> Instant {
    #[expect(
        clippy::disallowed_methods,
        reason = "an arbitrary start of the test's clock"
    )]
    Instant::now()
}

fn number(
    stream: &mut Subscription,
    now: Instant,
    index: u64,
    timestamp: u32,
    begins: bool,
) -> Option<(u16, u32)> {
    let queued = Queued {
        encoding: 0,
        index,
        len: 1_000,
        begins,
        place: None,
        taken: None,
    };
    let numbers = stream.number(now, &queued, timestamp, &source())?;
    Some((numbers.sequence, numbers.timestamp))
}

#[test]
fn video_begins_at_a_key_frame_and_takes_nothing_from_before_it() {
    let (mut stream, now) = (subscription(Kind::Video), start());
    assert_eq!(number(&mut stream, now, 70_000, 1, false), None);
    let first = number(&mut stream, now, 70_001, 9_000, true);
    assert_eq!(first, Some((100, 5_000)));
    assert_eq!(number(&mut stream, now, 70_000, 1, false), None);
    let third = number(&mut stream, now, 70_003, 12_000, false);
    assert_eq!(third, Some((102, 8_000)));
    let late = number(&mut stream, now, 70_002, 9_000, false);
    assert_eq!(late, Some((101, 5_000)), "a late packet fills its own gap");
}

#[test]
fn numbers_go_on_seamlessly_after_a_pause_and_time_passes() {
    let (mut stream, now) = (subscription(Kind::Audio), start());
    let first = number(&mut stream, now, 70_000, 960, true);
    assert_eq!(first, Some((100, 5_000)));
    stream.wait();
    let later = now + Duration::from_secs(2);
    let second = number(&mut stream, later, 200_000, 77, true);
    assert_eq!(second, Some((101, 5_000 + 96_000)));
    assert_eq!(stream.missed(101).unwrap().index, 200_000);
    let before = stream.missed(100).unwrap();
    assert_eq!(before.index, 70_000, "from before the pause");
    assert_eq!(
        stream.missed(102).map(|missed| missed.index),
        None,
        "not sent yet"
    );
}

#[test]
fn what_was_sent_of_a_stream_that_began_anew_is_not_repaired_with_other_packets() {
    let (mut stream, now) = (subscription(Kind::Video), start());
    number(&mut stream, now, 70_000, 960, true);
    stream.wait();
    assert_eq!(stream.missed(100).unwrap().index, 70_000, "only held");
    number(&mut stream, now, 70_001, 1_000, true);
    stream.begin_anew(0);
    number(&mut stream, now, 70_000, 77, true);
    assert_eq!(stream.missed(101).map(|missed| missed.index), None);
    assert_eq!(stream.missed(102).unwrap().index, 70_000);
}
