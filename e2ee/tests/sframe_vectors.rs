//! The test vectors of RFC 9605, appendix C: headers, and the two suites that the backend has.

use serde::Deserialize;
use sframe::CipherSuite;
use sframe::frame::{EncryptedFrameView, MediaFrameView, SingleUseCounter};
use sframe::header::SframeHeader;
use sframe::key::{DecryptionKey, EncryptionKey};

#[derive(Deserialize)]
struct Vectors {
    header: Vec<Header>,
    sframe: Vec<Frame>,
}

#[derive(Deserialize)]
struct Header {
    kid: u64,
    ctr: u64,
    encoded: String,
}

#[derive(Deserialize)]
struct Frame {
    cipher_suite: u16,
    kid: u64,
    ctr: u64,
    base_key: String,
    metadata: String,
    pt: String,
    ct: String,
}

fn vectors() -> Vectors {
    serde_json::from_str(include_str!("data/sframe-rfc9605-vectors.json"))
        .expect("the vectors file is JSON")
}

fn bytes(hex: &str) -> Vec<u8> {
    hex::decode(hex).expect("the vectors are hexadecimal")
}

/// RFC 9605, appendix C.1.
#[test]
fn headers() {
    let vectors = vectors().header;
    assert_eq!(vectors.len(), 289);
    for vector in vectors {
        let header = SframeHeader::new(vector.kid, vector.ctr);
        assert_eq!(hex::encode(Vec::from(&header)), vector.encoded);
        let read = SframeHeader::deserialize(bytes(&vector.encoded)).unwrap();
        assert_eq!((read.key_id(), read.counter()), (vector.kid, vector.ctr));
    }
}

/// RFC 9605, appendix C.3, suites 0x0004 and 0x0005. The CTR suites 0x0001 to 0x0003 are not in
/// the ring backend; the profile uses 0x0004 alone.
#[test]
fn frames() {
    let mut tried = 0;
    for vector in vectors().sframe {
        let suite = match vector.cipher_suite {
            4 => CipherSuite::AesGcm128Sha256,
            5 => CipherSuite::AesGcm256Sha512,
            _ => continue,
        };
        tried += 1;
        let (base_key, metadata) = (bytes(&vector.base_key), bytes(&vector.metadata));
        let (plain, cipher) = (bytes(&vector.pt), bytes(&vector.ct));
        let key = EncryptionKey::derive_from(suite, vector.kid, &base_key).unwrap();
        let mut counter = SingleUseCounter::new(vector.ctr);
        let frame = MediaFrameView::try_with_meta_data(&mut counter, &plain, &metadata).unwrap();
        let encrypted = frame.encrypt(&key).unwrap();
        assert_eq!(encrypted.sframe_cipher_text(), cipher);
        let key = DecryptionKey::derive_from(suite, vector.kid, &base_key).unwrap();
        let view = EncryptedFrameView::try_with_meta_data(&cipher, &metadata).unwrap();
        assert_eq!(view.decrypt(&key).unwrap().payload(), plain);
    }
    assert_eq!(tried, 2);
}
