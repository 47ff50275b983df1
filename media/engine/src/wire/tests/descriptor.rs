//! Dependency descriptors captured from Chromium, and damaged ones.

use super::unhex;
use crate::wire::descriptor::{
    Descriptor, DescriptorError, Indication, Mandatory, Resolution, Structure, starts_key_frame,
};

/// A capture of Chromium's L3T3 stream that LiveKit's tests publish: its key frame and what follows it.
const KEY_FRAME: &str = "c1017280081485214eafffaaaa863cf0430c10c302afc0aaa0063c00430010c002a000a80006000040001d
    954926e082b04a0941b820ac1282503157f974000ca864330e222222eca8655304224230eca877530077004200ef008601df010d";

fn structure() -> Structure {
    Descriptor::parse(&unhex(KEY_FRAME), None)
        .unwrap()
        .structure
        .unwrap()
}

// AV1 RTP specification, A.8.2.
#[test]
fn a_key_frame_brings_the_structure() {
    let bytes = unhex(KEY_FRAME);
    assert!(starts_key_frame(&bytes));
    let descriptor = Descriptor::parse(&bytes, None).unwrap();
    assert_eq!(
        descriptor.mandatory,
        Mandatory {
            start_of_frame: true,
            end_of_frame: true,
            template_id: 1,
            frame_number: 0x0172,
        }
    );
    assert_eq!(
        (
            descriptor.frame.spatial_layer,
            descriptor.frame.temporal_layer
        ),
        (0, 0)
    );
    assert_eq!(descriptor.frame.references, 0);
    assert_eq!(descriptor.active_targets, Some(0x1ff));
    let structure = descriptor.structure.unwrap();
    assert_eq!((structure.decode_targets(), structure.chains()), (9, 3));
    assert_eq!(
        structure.resolution(0),
        Some(Resolution {
            width: 120,
            height: 67
        })
    );
    assert_eq!(
        structure.resolution(1),
        Some(Resolution {
            width: 240,
            height: 135
        })
    );
    assert_eq!(
        structure.resolution(2),
        Some(Resolution {
            width: 480,
            height: 270
        })
    );
    assert_eq!(structure.resolution(3), None);
    assert_eq!(structure.resolution(9), None);
    let mut layers: Vec<_> = (0..9)
        .map(|target| structure.layers_of(target).unwrap())
        .collect();
    layers.sort_unstable();
    let expected: Vec<_> = (0..3).flat_map(|s| (0..3).map(move |t| (s, t))).collect();
    assert_eq!(layers, expected);
    assert_eq!(structure.layers_of(9), None);
    for target in 0..9 {
        let chain = structure.protecting_chain(target).unwrap();
        assert_eq!(chain, usize::from(structure.layers_of(target).unwrap().0));
    }
    assert_eq!(structure.protecting_chain(9), None);
}

#[test]
fn frames_between_key_frames_are_read_by_the_structure() {
    let structure = structure();
    // From the same capture: frames of the layers above, then of the next moments.
    for (text, layers) in [("860173", (1, 0)), ("460173", (1, 0)), ("c30175", (0, 2))] {
        let bytes = unhex(text);
        assert!(!starts_key_frame(&bytes));
        let descriptor = Descriptor::parse(&bytes, Some(&structure)).unwrap();
        let frame = descriptor.frame;
        assert_eq!(
            (frame.spatial_layer, frame.temporal_layer),
            layers,
            "{text}"
        );
        assert_eq!(descriptor.structure, None);
        assert!(frame.references > 0);
    }
    // The long form of the same frame: flags 01000, then nine bits 000111111.
    let descriptor = Descriptor::parse(&unhex("86017340fc"), Some(&structure)).unwrap();
    assert_eq!(descriptor.active_targets, Some(0x03f));
    assert!(!starts_key_frame(&unhex("86017340fc")));
}

#[test]
fn droppable_frames_are_told_by_their_indications() {
    let structure = structure();
    let top = structure
        .templates()
        .iter()
        .find(|f| (f.spatial_layer, f.temporal_layer) == (2, 2));
    let base = structure.templates()[0];
    let all = (0..9)
        .position(|t| structure.layers_of(t) == Some((2, 2)))
        .unwrap();
    let low = (0..9)
        .position(|t| structure.layers_of(t) == Some((0, 0)))
        .unwrap();
    let top = top.unwrap();
    assert_eq!(top.indications.of(low), Indication::NotPresent);
    assert_eq!(top.indications.of(all), Indication::Discardable);
    assert_ne!(base.indications.of(low), Indication::NotPresent);
    assert_eq!(base.indications.of(32), Indication::NotPresent);
    assert_eq!(base.chains.of(99), 0);
}

/// Written by hand: one template, one target, no chain, custom everything.
#[test]
fn a_frame_may_describe_itself() {
    // Mandatory: start, template 0, frame 5. Flags 10111; offset 0; one target; layers end (11);
    // indication 10; no differences (0); no chains ns(2)=0; no resolutions 0; then custom indication 11,
    // custom differences of four bits 01 0000, twelve bits 11 and zeros, end 00; no custom chain.
    let bits = "10111 000000 00000 11 10 0 0 0 11 010000 11000000000000 00";
    let mut bytes = vec![0x80, 0, 5];
    let digits: Vec<u8> = bits
        .bytes()
        .filter(|b| *b != b' ')
        .map(|b| b - b'0')
        .collect();
    for chunk in digits.chunks(8) {
        let byte = chunk.iter().fold(0, |value, bit| value << 1 | bit);
        bytes.push(byte << (8 - chunk.len()));
    }
    let descriptor = Descriptor::parse(&bytes, None).unwrap();
    assert_eq!(descriptor.frame.indications.of(0), Indication::Required);
    assert_eq!(descriptor.frame.references, 2);
    let structure = descriptor.structure.unwrap();
    assert_eq!(
        structure.templates()[0].indications.of(0),
        Indication::Switch
    );
    assert_eq!((structure.chains(), structure.resolution(0)), (0, None));
}

#[test]
fn without_its_structure_a_frame_is_unknown() {
    let unknown = Err(DescriptorError::UnknownTemplate);
    assert_eq!(Descriptor::parse(&unhex("860173"), None), unknown);
    assert_eq!(Descriptor::parse(&unhex("86017340fc"), None), unknown);
    assert_eq!(
        Descriptor::parse(&unhex("bf0173"), Some(&structure())),
        unknown
    );
}

#[test]
fn truncated_and_endless_structures_are_refused() {
    let bytes = unhex(KEY_FRAME);
    for len in 0..bytes.len() {
        let found = Descriptor::parse(&bytes[..len], None);
        assert!(found.is_err(), "{len} bytes");
    }
    // Templates without an end mark, and one spatial layer too many.
    let endless = [&[0x80, 0, 0, 0x80, 0][..], &[0; 40]].concat();
    assert_eq!(
        Descriptor::parse(&endless, None),
        Err(DescriptorError::OutOfBounds)
    );
    let tall = [&[0x80, 0, 0, 0x80, 0][..], &[0xaa; 40]].concat();
    assert_eq!(
        Descriptor::parse(&tall, None),
        Err(DescriptorError::OutOfBounds)
    );
    assert_eq!(Mandatory::parse(&[0, 1]), None);
    assert!(!starts_key_frame(&[]));
    assert!(!starts_key_frame(&[0x40, 0, 0, 0x80]));
}
