//! Offers as clients write them, and offers as nobody should.

use super::offer::OfferError;
use super::section::Direction;
use super::*;
use crate::transport::Credentials;
use crate::wire::ids::{ExtensionId, PayloadType, Ssrc};

/// Chromium 156: microphone and camera published, one of each received, the dependency descriptor on.
const CHROMIUM: &str = include_str!("fixtures/chromium-156.sdp");

fn chromium() -> Offer {
    Offer::parse(CHROMIUM, 16).unwrap()
}

fn payload_type(number: u8) -> PayloadType {
    PayloadType::new(number).unwrap()
}

#[test]
fn a_browsers_offer_is_read() {
    let offer = chromium();
    assert_eq!(offer.origin, "- 4224324424757610360");
    assert_eq!(offer.ice.ufrag, "dB8S");
    assert_eq!(offer.fingerprint.hash, FingerprintHash::Sha256);
    assert_eq!(offer.fingerprint.bytes[..3], [0x46, 0x13, 0x98]);
    let mids: Vec<&str> = offer
        .sections
        .iter()
        .map(|section| section.mid.as_str())
        .collect();
    assert_eq!(mids, ["0", "1", "2", "3"]);

    let audio = &offer.sections[0];
    let codec = audio.codec().unwrap();
    assert_eq!(
        (audio.kind, codec.payload_type, codec.rtx),
        (Some(Kind::Audio), payload_type(111), None)
    );
    assert_eq!(
        codec.parameters.as_deref(),
        Some("minptime=10;useinbandfec=1")
    );
    assert!(codec.feedback.transport_wide && !codec.feedback.nack);
    assert_eq!(audio.ssrc, Some(Ssrc(1_763_537_797)));
    assert_eq!(
        audio.extensions.id(HeaderExtension::AudioLevel),
        ExtensionId::new(1)
    );

    let video = &offer.sections[1];
    let codec = video.codec().unwrap();
    assert_eq!(
        (codec.payload_type, codec.rtx),
        (payload_type(96), Some(payload_type(97)))
    );
    assert!(codec.feedback.nack && codec.feedback.picture_loss && codec.feedback.full_intra);
    assert_eq!(
        (video.ssrc, video.rtx_ssrc),
        (Some(Ssrc(2_798_310_060)), Some(Ssrc(2_524_021_103)))
    );
    assert_eq!(
        video.extensions.id(HeaderExtension::DependencyDescriptor),
        ExtensionId::new(12)
    );
    assert!(video.extensions.mixed);
    assert_eq!(
        video.direction,
        Direction {
            sends: true,
            receives: false
        }
    );
    assert_eq!(
        offer.sections[3].direction,
        Direction {
            sends: false,
            receives: true
        }
    );
}

fn answer(offer: &Offer, decisions: &[Accepted]) -> String {
    answer_after(0, offer, decisions)
}

fn answer_after(generation: u32, offer: &Offer, decisions: &[Accepted]) -> String {
    let ice = Credentials {
        ufrag: "ours".to_owned(),
        password: "p".repeat(24),
    };
    let parameters = AnswerParameters {
        session_id: 7,
        version: 2,
        ice: &ice,
        fingerprint: &[0xab; 32],
        candidates: &[
            "192.0.2.1:5000".parse().unwrap(),
            "[2001:db8::1]:5000".parse().unwrap(),
        ],
        tcp_candidates: &["192.0.2.1:5001".parse().unwrap()],
        generation,
    };
    write_answer(offer, decisions, &parameters)
}

#[test]
fn candidates_after_a_restart_are_preferred_to_all_before_it() {
    let priorities = |restarts: u32| -> Vec<u32> {
        let decisions = [const { Accepted::No }; 4];
        let mut decisions = Vec::from(decisions);
        decisions[0] = Accepted::Yes {
            receives: true,
            sends: None,
        };
        let text = answer_after(restarts, &chromium(), &decisions);
        let lines = text.lines().filter(|line| line.starts_with("a=candidate:"));
        let fields = lines.map(|line| line.split(' ').nth(3).unwrap());
        fields.map(|priority| priority.parse().unwrap()).collect()
    };
    let all: Vec<Vec<u32>> = (0..40).map(priorities).collect();
    for (before, after) in all.iter().zip(&all[1..]).take(28) {
        assert!(before.iter().max() < after.iter().min());
    }
    // Never so high that a client's own side of a connection, of 90, would count instead.
    assert!(all.iter().flatten().all(|priority| priority >> 24 < 90));
    assert!(all.iter().all(|one| one.is_sorted_by(|a, b| a > b)));
}

#[test]
fn the_answer_takes_what_is_known_and_nothing_else() {
    let sending = Sending {
        ssrc: Ssrc(10),
        rtx_ssrc: Some(Ssrc(11)),
        stream: "alice".to_owned(),
        track: "camera".to_owned(),
    };
    let decisions = [
        Accepted::Yes {
            receives: true,
            sends: None,
        },
        Accepted::Yes {
            receives: true,
            sends: None,
        },
        Accepted::No,
        Accepted::Yes {
            receives: false,
            sends: Some(sending),
        },
    ];
    let text = answer(&chromium(), &decisions);
    assert!(text.lines().all(|line| !line.is_empty()) && text.ends_with("\r\n"));
    let sections: Vec<&str> = text.split("m=").collect();
    let has = |at: usize, line: &str| sections[at].lines().any(|found| found == line);

    assert!(has(0, "a=ice-lite") && has(0, "a=group:BUNDLE 0 1 3"));
    assert!(has(1, "audio 9 UDP/TLS/RTP/SAVPF 111") && has(1, "a=recvonly"));
    assert!(has(1, "a=setup:passive") && has(1, "a=rtcp-mux") && has(1, "a=mid:0"));
    assert!(has(1, "a=fmtp:111 minptime=10;useinbandfec=1"));
    assert!(has(
        1,
        "a=candidate:0 1 udp 536870911 192.0.2.1 5000 typ host"
    ));
    assert!(has(
        1,
        "a=candidate:1 1 udp 536870655 2001:db8::1 5000 typ host"
    ));
    assert!(has(
        1,
        "a=candidate:2 1 tcp 513802239 192.0.2.1 5001 typ host tcptype passive"
    ));
    assert!(has(2, "video 9 UDP/TLS/RTP/SAVPF 96 97") && has(2, "a=fmtp:97 apt=96"));
    assert!(has(2, "a=rtcp-fb:96 nack pli") && !sections[2].contains("goog-remb"));
    assert!(sections[2].contains("a=extmap:12 https://aomediacodec"));
    assert!(!sections[2].contains("abs-send-time"));
    assert!(sections[3].starts_with("audio 0 UDP/TLS/RTP/SAVPF 111 63") && has(3, "a=inactive"));
    assert!(has(4, "a=sendonly") && has(4, "a=msid:alice camera"));
    assert!(has(4, "a=ssrc-group:FID 10 11") && has(4, "a=ssrc:11 cname:alice"));
    assert!(!text.contains("H264") && !text.contains("red/48000"));
}

#[test]
fn dtx_and_other_parameters_of_opus_are_kept() {
    let text = CHROMIUM.replace("useinbandfec=1", "useinbandfec=1;usedtx=1");
    let offer = Offer::parse(&text, 16).unwrap();
    let decisions: Vec<Accepted> = offer
        .sections
        .iter()
        .map(|_| Accepted::Yes {
            receives: true,
            sends: None,
        })
        .collect();
    assert!(
        answer(&offer, &decisions).contains("a=fmtp:111 minptime=10;useinbandfec=1;usedtx=1\r\n")
    );
}

#[test]
fn stopped_sections_may_stand_outside_the_bundle() {
    let text = CHROMIUM
        .replace("a=group:BUNDLE 0 1 2 3", "a=group:BUNDLE 0 2 3")
        .replacen("m=video 9", "m=video 0", 1);
    let offer = Offer::parse(&text, 16).unwrap();
    assert!(offer.sections[1].stopped && !offer.sections[0].stopped);
    let bundle_only = CHROMIUM.replacen("m=video 9", "m=video 0", 1).replacen(
        "a=mid:1",
        "a=mid:1\r\na=bundle-only",
        1,
    );
    assert!(!Offer::parse(&bundle_only, 16).unwrap().sections[1].stopped);
}

#[test]
fn offers_that_cannot_be_used_are_refused_with_the_reason() {
    let cases: [(String, OfferError); 13] = [
        (String::new(), OfferError::Empty),
        ("x".repeat(100), OfferError::Syntax),
        ("=\n".to_owned(), OfferError::Syntax),
        (CHROMIUM.replace("o=", "x="), OfferError::Origin),
        (CHROMIUM.replace("a=mid:1", "a=mid:0"), OfferError::Mid),
        (CHROMIUM.replace("a=mid:1", "a=mid:"), OfferError::Mid),
        (
            CHROMIUM.replace("a=group:BUNDLE 0 1 2 3", "a=group:BUNDLE 0 1"),
            OfferError::NotBundled,
        ),
        (
            CHROMIUM.replacen("a=rtcp-mux", "a=x", 1),
            OfferError::NoRtcpMux,
        ),
        (
            CHROMIUM.replace("a=ice-ufrag:dB8S", "a=ice-ufrag:a"),
            OfferError::Ice,
        ),
        (
            CHROMIUM.replace("a=ice-ufrag:dB8S", "a=ice-ufrag:a b c d"),
            OfferError::Ice,
        ),
        (
            CHROMIUM.replace("a=ice-pwd:", "a=ice-pwd:$"),
            OfferError::Ice,
        ),
        (
            CHROMIUM.replace("sha-256", "sha-1"),
            OfferError::Fingerprint,
        ),
        (
            CHROMIUM.replace("a=setup:actpass", "a=setup:passive"),
            OfferError::Setup,
        ),
    ];
    for (text, expected) in cases {
        assert_eq!(Offer::parse(&text, 16).err(), Some(expected));
    }
    assert_eq!(
        Offer::parse(CHROMIUM, 3).err(),
        Some(OfferError::TooManySections(3))
    );
    let long = "a=x\n".repeat(1 << 19);
    assert_eq!(Offer::parse(&long, 16).err(), Some(OfferError::TooLong));
}

#[test]
fn damaged_offers_never_panic() {
    let mut state = 1_u64;
    let mut random = move || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize
    };
    for _ in 0..2_000 {
        let mut bytes = CHROMIUM.as_bytes().to_vec();
        for _ in 0..=random() % 8 {
            let at = random() % bytes.len().max(2);
            bytes.resize(bytes.len().max(2), b'a');
            match random() % 3 {
                0 => bytes[at] = random() as u8,
                1 => drop(bytes.remove(at)),
                _ => bytes.truncate(at.max(1)),
            }
        }
        let text = String::from_utf8_lossy(&bytes);
        if let Ok(offer) = Offer::parse(&text, 16) {
            let decisions: Vec<Accepted> = offer
                .sections
                .iter()
                .map(|_| Accepted::Yes {
                    receives: true,
                    sends: None,
                })
                .collect();
            assert!(answer(&offer, &decisions).starts_with("v=0"));
        }
    }
}

#[test]
fn a_data_channel_is_read_over_and_refused() {
    let data = "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\nc=IN IP4 0.0.0.0\r\na=mid:4\r\n\
                a=sctp-port:5000\r\n";
    let text = CHROMIUM.replace("a=group:BUNDLE 0 1 2 3", "a=group:BUNDLE 0 1 2 3 4") + data;
    let offer = Offer::parse(&text, 16).unwrap();
    assert!(offer.sections[4].kind.is_none() && offer.sections[4].codecs.is_empty());
    let decisions: Vec<Accepted> = offer
        .sections
        .iter()
        .map(|section| match section.kind {
            Some(_) => Accepted::Yes {
                receives: false,
                sends: None,
            },
            None => Accepted::No,
        })
        .collect();
    let answer = answer(&offer, &decisions);
    assert!(answer.contains("a=group:BUNDLE 0 1 2 3\r\n"));
    assert!(answer.contains("m=application 0 UDP/DTLS/SCTP webrtc-datachannel\r\n"));
    assert_eq!(answer.matches("a=inactive").count(), 5);
}
