//! Sender against receiver: every way a frame can be refused, and none in which it comes through plain.

use super::*;
use crate::testkit::NOW;

const ANNA: DeviceId = DeviceId([1; 16]);
const BEN: DeviceId = DeviceId([2; 16]);

fn epoch_key(epoch: u64) -> EpochKey {
    let leaves = BTreeMap::from([(0, ANNA), (1, BEN)]);
    EpochKey {
        epoch,
        base_key: Zeroizing::new([epoch as u8; 16]),
        leaves,
    }
}

fn sender(leaf: u32, epoch: u64) -> FrameSender {
    let mut sender = FrameSender::default();
    sender
        .switch(epoch, &epoch_key(epoch).base_key, leaf)
        .unwrap();
    sender
}

fn receiver(epochs: &[u64]) -> FrameReceiver {
    let mut receiver = FrameReceiver::default();
    for epoch in epochs {
        assert!(receiver.install(NOW, epoch_key(*epoch)).is_empty());
    }
    receiver
}

fn from(owner: DeviceId) -> FrameSource {
    FrameSource { owner, tag: 7 }
}

#[test]
fn frames_of_all_tracks_draw_from_one_counter_and_decrypt() {
    let (mut anna, mut ben) = (sender(0, 1), receiver(&[1]));
    for (counter, plain) in [&b"sound"[..], b"picture", b""].iter().enumerate() {
        let frame = anna.encrypt(plain).unwrap();
        let header = sframe::header::SframeHeader::deserialize(&frame).unwrap();
        assert_eq!((header.key_id(), header.counter()), (1, counter as u64));
        assert!(plain.is_empty() || !frame.windows(plain.len()).any(|part| part == *plain));
        assert_eq!(ben.decrypt(NOW, from(ANNA), &frame).as_deref(), Ok(*plain));
    }
    assert_eq!(
        ben.counts(),
        FrameCounts {
            decrypted: 3,
            ..FrameCounts::default()
        }
    );
}

#[test]
fn without_a_key_nothing_is_sent_and_no_key_is_taken_up_twice() {
    let mut anna = FrameSender::default();
    assert_eq!(anna.encrypt(b"sound"), Err(NoKey));
    anna.switch(1, &[1; 16], 0).unwrap();
    let first = anna.encrypt(b"sound").unwrap();
    anna.switch(1, &[1; 16], 0).unwrap();
    assert_ne!(anna.encrypt(b"sound").unwrap(), first);
    anna.stop();
    assert_eq!(anna.encrypt(b"sound"), Err(NoKey));
    anna.switch(1, &[1; 16], 0).unwrap();
    assert_eq!(anna.encrypt(b"sound"), Err(NoKey));
    anna.switch(2, &[2; 16], 0).unwrap();
    assert_eq!(anna.epoch(), Some(2));
    assert!(anna.encrypt(b"sound").is_ok());
    assert_eq!(sender(0, 1).switch(2, &[2; 16], 4096), Err(NoKey));
}

#[test]
fn a_frame_of_another_member_than_the_tracks_owner_is_refused() {
    let mut ben = receiver(&[1]);
    let frame = sender(0, 1).encrypt(b"sound").unwrap();
    assert_eq!(
        ben.decrypt(NOW, from(BEN), &frame),
        Err(FrameError::WrongSender)
    );
    let nobody = sender(5, 1).encrypt(b"sound").unwrap();
    assert_eq!(
        ben.decrypt(NOW, from(ANNA), &nobody),
        Err(FrameError::WrongSender)
    );
    assert_eq!(ben.counts().wrong_sender, 2);
}

#[test]
fn a_replayed_or_tampered_frame_is_refused_and_a_forged_header_moves_nothing() {
    let (mut anna, mut ben) = (sender(0, 1), receiver(&[1]));
    let frame = anna.encrypt(b"sound").unwrap();
    let next = anna.encrypt(b"sound").unwrap();
    let mut forged = frame.clone();
    forged[0] = 0x17; // KID 1, counter 7
    assert_eq!(
        ben.decrypt(NOW, from(ANNA), &forged),
        Err(FrameError::Failed)
    );
    for position in 1..frame.len() {
        let mut tampered = frame.clone();
        tampered[position] ^= 1;
        assert_eq!(
            ben.decrypt(NOW, from(ANNA), &tampered),
            Err(FrameError::Failed)
        );
    }
    assert!(ben.decrypt(NOW, from(ANNA), &next).is_ok());
    assert!(ben.decrypt(NOW, from(ANNA), &frame).is_ok());
    assert_eq!(
        ben.decrypt(NOW, from(ANNA), &frame),
        Err(FrameError::Replayed)
    );
}

#[test]
fn what_is_no_ciphertext_is_malformed() {
    let mut ben = receiver(&[1]);
    let long_key_id = [0xf1; 40];
    for frame in [&b"x"[..], &[0x10; 16], &[0xff; 9], &long_key_id] {
        let refused = ben.decrypt(NOW, from(ANNA), frame);
        assert_eq!(refused, Err(FrameError::Malformed), "{frame:?}");
    }
    assert_eq!(ben.decrypt(NOW, from(ANNA), b""), Ok(vec![]));
}

#[test]
fn a_frame_whose_key_is_on_its_way_waits_for_it() {
    let (mut anna, mut ben) = (sender(0, 2), receiver(&[1]));
    let frame = anna.encrypt(b"sound").unwrap();
    assert_eq!(ben.decrypt(NOW, from(ANNA), &frame), Err(FrameError::Held));
    let late = ben.install(NOW.plus(HELD_MS_MAX), epoch_key(2));
    assert_eq!(
        late,
        [LateFrame {
            source: from(ANNA),
            frame: b"sound".to_vec()
        }]
    );
    assert_eq!(
        ben.decrypt(NOW, from(ANNA), &frame),
        Err(FrameError::Replayed)
    );
}

#[test]
fn what_waits_is_bounded_in_time_and_number() {
    let (mut anna, mut ben) = (sender(0, 2), receiver(&[]));
    for _ in 0..HELD_FRAMES_MAX + 3 {
        let frame = anna.encrypt(b"sound").unwrap();
        assert_eq!(ben.decrypt(NOW, from(ANNA), &frame), Err(FrameError::Held));
    }
    assert_eq!(ben.counts().key_never_came, 3);
    assert_eq!(ben.install(NOW.plus(HELD_MS_MAX + 1), epoch_key(2)), []);
    assert_eq!(ben.counts().key_never_came, 3 + HELD_FRAMES_MAX as u64);
}

#[test]
fn when_the_epoch_bits_wrap_the_older_key_goes() {
    let mut ben = receiver(&[1, 17]);
    let old = sender(0, 1).encrypt(b"sound").unwrap();
    assert_eq!(ben.decrypt(NOW, from(ANNA), &old), Err(FrameError::Failed));
    let new = sender(0, 17).encrypt(b"sound").unwrap();
    assert!(ben.decrypt(NOW, from(ANNA), &new).is_ok());
    ben.install(NOW, epoch_key(1));
    let new = sender(1, 17).encrypt(b"sound").unwrap();
    assert!(ben.decrypt(NOW, from(BEN), &new).is_ok());
}

#[test]
fn a_forgotten_epoch_decrypts_nothing_more() {
    let (mut anna, mut ben) = (sender(0, 1), receiver(&[1]));
    ben.forget(17);
    assert!(
        ben.decrypt(NOW, from(ANNA), &anna.encrypt(b"a").unwrap())
            .is_ok()
    );
    ben.forget(1);
    let frame = anna.encrypt(b"b").unwrap();
    assert_eq!(ben.decrypt(NOW, from(ANNA), &frame), Err(FrameError::Held));
}
