//! Who can open an announcement, and what no device takes.

use homeline_protocol::id::AnnouncementId;

use super::{
    Announcement, AnnouncementError, Content, Draft, FRESH_MS, HEARD_MAX, Heard, HeardError,
    LENGTH_MS_MAX, OpenError, SOUND_BYTES_MAX, SealError, Sealed, SealingKey, SealingKeyError,
    SealingPublic, SealingStatement, TEXT_BYTES_MAX, open,
};
use crate::key::{PrivateKey, PublicKey};
use crate::signed::Signed;
use crate::testkit::{House, NOW, key};
use crate::time::CLOCK_SKEW_MS;

struct Scene {
    house: House,
    kitchen: PrivateKey,
    bath: PrivateKey,
}

impl Scene {
    fn new() -> Self {
        let (mut house, kitchen, bath) = (House::new(10), key(20), key(21));
        house.add_home_device(&kitchen);
        house.add_home_device(&bath);
        Self {
            house,
            kitchen,
            bath,
        }
    }

    fn to(&self) -> Vec<(PublicKey, SealingPublic)> {
        [&self.kitchen, &self.bath]
            .iter()
            .map(|device| (device.public(), SealingKey::of(device).public()))
            .collect()
    }

    fn seal(&self, draft: &Draft) -> Result<Sealed, SealError> {
        let who = (
            &self.house.app,
            &self.house.app_chain(),
            self.house.genesis.public(),
        );
        draft.seal(who, &self.to(), &[7; 16])
    }

    fn hear(&self, sealed: &Sealed) -> Result<Announcement, AnnouncementError> {
        Announcement::open(&sealed.statement, &self.house.roster, NOW).map(|(said, _)| said)
    }
}

fn draft(content: Content) -> Draft {
    Draft {
        id: AnnouncementId([5; 16]),
        content,
        reply_to: None,
        at: NOW,
    }
}

fn dinner() -> Draft {
    draft(Content::Sound {
        ogg: b"OggS dinner's ready".to_vec(),
        length_ms: 1_200,
    })
}

#[test]
fn each_device_that_it_is_for_opens_it_and_nobody_else() {
    let scene = Scene::new();
    let sealed = scene.seal(&dinner()).unwrap();
    assert!(!sealed.ciphertext.windows(6).any(|part| part == b"dinner"));
    let said = scene.hear(&sealed).unwrap();
    let from = scene.house.app.public();
    for device in [&scene.kitchen, &scene.bath] {
        let opened = open(&said, from, device, &sealed.ciphertext).unwrap();
        assert!(opened == dinner().content);
    }
    // A device that it is not for, and one that puts its own name in another's place.
    let other = key(22);
    assert_eq!(
        open(&said, from, &other, &sealed.ciphertext).err(),
        Some(OpenError::NotForUs)
    );
    let mut swapped = said.clone();
    swapped.keys[0].device = other.public();
    assert_eq!(
        open(&swapped, from, &other, &sealed.ciphertext).err(),
        Some(OpenError::Sealed)
    );
    // Nor does a key sealed by one device open as another's.
    assert_eq!(
        open(&said, other.public(), &scene.kitchen, &sealed.ciphertext).err(),
        Some(OpenError::Sealed)
    );
}

#[test]
fn the_content_is_the_one_that_was_signed() {
    let scene = Scene::new();
    let sealed = scene.seal(&dinner()).unwrap();
    let said = scene.hear(&sealed).unwrap();
    let from = scene.house.app.public();
    for at in 0..sealed.ciphertext.len() {
        let mut changed = sealed.ciphertext.clone();
        changed[at] ^= 1;
        let opened = open(&said, from, &scene.kitchen, &changed);
        assert_eq!(opened.err(), Some(OpenError::OtherContent));
    }
}

#[test]
fn what_another_household_a_stranger_or_a_removed_device_signs_is_not_taken() {
    let mut scene = Scene::new();
    let sealed = scene.seal(&dinner()).unwrap();
    let said = scene.hear(&sealed).unwrap();
    let open = |signed: &Signed, house: &House| {
        Announcement::open(signed, &house.roster, NOW)
            .map(drop)
            .err()
    };
    assert_eq!(
        open(&sealed.statement, &House::new(40)),
        Some(AnnouncementError::OtherHousehold)
    );
    assert_eq!(
        open(&said.sign(&scene.kitchen), &scene.house),
        Some(AnnouncementError::WrongSigner)
    );
    let strange = House::new(40);
    let foreign = Announcement {
        chain: strange.app_chain().encode(),
        ..said.clone()
    };
    assert_eq!(
        open(&foreign.sign(&strange.app), &scene.house),
        Some(AnnouncementError::NotInRoster)
    );
    let app = scene.house.app.clone();
    let phone = key(30);
    let chain = scene.house.add_home_device(&phone);
    let announced = Announcement {
        chain: chain.encode(),
        ..said
    };
    assert_eq!(open(&announced.sign(&phone), &scene.house), None);
    let gone = crate::roster::Change::RemoveDevice {
        device: phone.public(),
    };
    scene.house.change(gone, &app);
    assert_eq!(
        open(&announced.sign(&phone), &scene.house),
        Some(AnnouncementError::NotInRoster)
    );
}

#[test]
fn an_old_or_repeated_one_is_not_taken_and_a_full_memory_takes_none() {
    let scene = Scene::new();
    let at = |at| scene.seal(&Draft { at, ..dinner() }).unwrap();
    let fresh = |sealed: Sealed| scene.hear(&sealed).map(drop);
    let most = FRESH_MS + CLOCK_SKEW_MS;
    assert_eq!(fresh(at(NOW.minus(most))), Ok(()));
    assert_eq!(fresh(at(NOW.plus(CLOCK_SKEW_MS))), Ok(()));
    for wrong in [NOW.minus(most + 1), NOW.plus(CLOCK_SKEW_MS + 1)] {
        assert_eq!(fresh(at(wrong)), Err(AnnouncementError::NotFresh));
    }

    let take = |heard: &mut Heard<_>, said: &Announcement, now| {
        heard.take(said.id, said.counts_until(), now)
    };
    let mut heard = Heard::default();
    let said = |number: u16| {
        let mut id = [0; 16];
        id[..2].copy_from_slice(&number.to_be_bytes());
        let mut said = scene.hear(&scene.seal(&dinner()).unwrap()).unwrap();
        said.id = AnnouncementId(id);
        said
    };
    let count = u16::try_from(HEARD_MAX).unwrap();
    for number in 0..count {
        assert_eq!(take(&mut heard, &said(number), NOW), Ok(()));
    }
    assert_eq!(take(&mut heard, &said(0), NOW), Err(HeardError::Before));
    assert_eq!(take(&mut heard, &said(count), NOW), Err(HeardError::Full));
    // When those can't count any more, there is room again.
    let later = said(0).counts_until().plus(1);
    assert_eq!(take(&mut heard, &said(count), later), Ok(()));
}

#[test]
fn content_has_bounds_and_somebody_to_hear_it() {
    let scene = Scene::new();
    let sound = |bytes, length_ms| {
        draft(Content::Sound {
            ogg: vec![1; bytes],
            length_ms,
        })
    };
    let text = |length| draft(Content::Text("ä".repeat(length)));
    let sealed = |draft: &Draft| scene.seal(draft).map(drop);
    assert_eq!(sealed(&sound(SOUND_BYTES_MAX, LENGTH_MS_MAX)), Ok(()));
    assert_eq!(sealed(&text(TEXT_BYTES_MAX / 2)), Ok(()));
    for long in [
        sound(SOUND_BYTES_MAX + 1, 1),
        sound(1, LENGTH_MS_MAX + 1),
        text(TEXT_BYTES_MAX / 2 + 1),
    ] {
        assert_eq!(sealed(&long), Err(SealError::TooLong));
    }
    for empty in [sound(0, 1), sound(1, 0), text(0)] {
        assert_eq!(sealed(&empty), Err(SealError::Empty));
    }
    let who = (
        &scene.house.app,
        &scene.house.app_chain(),
        scene.house.genesis.public(),
    );
    let own = [(
        scene.house.app.public(),
        SealingKey::of(&scene.house.app).public(),
    )];
    let nobody = dinner().seal(who, &own, &[7; 16]);
    assert_eq!(nobody.err(), Some(SealError::NoDevices));
}

#[test]
fn a_sealing_key_is_a_devices_own_word() {
    let scene = Scene::new();
    let genesis = scene.house.genesis.public();
    let signed = SealingStatement::sign(genesis, &scene.kitchen);
    let opened = SealingStatement::open(&signed, &scene.house.roster).unwrap();
    assert_eq!(opened.key, SealingKey::of(&scene.kitchen).public());
    assert_eq!(opened.device, scene.kitchen.public());

    let open = |signed: &Signed| SealingStatement::open(signed, &scene.house.roster).err();
    let elsewhere = SealingStatement::sign(House::new(40).genesis.public(), &scene.kitchen);
    assert_eq!(open(&elsewhere), Some(SealingKeyError::OtherHousehold));
    let stranger = SealingStatement::sign(genesis, &key(33));
    assert_eq!(open(&stranger), Some(SealingKeyError::NotInRoster));
    let context = crate::signed::Context::SealingKey;
    let for_another = Signed::sign(context, opened.body(), &scene.bath);
    assert_eq!(open(&for_another), Some(SealingKeyError::WrongSigner));
}
