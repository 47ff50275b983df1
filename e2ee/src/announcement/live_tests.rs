//! Who is heard while they speak, and at which devices.

use homeline_protocol::id::CallId;

use super::{
    AnnouncementError, HEARD_MAX, Heard, HeardError, LIVE_DEVICES_MAX, LIVE_MS_MAX,
    LiveAnnouncement, LiveError, LiveSayError,
};
use crate::chain::Chain;
use crate::key::{PrivateKey, PublicKey};
use crate::roster::Change;
use crate::signed::{BadSignature, Context, Signed};
use crate::testkit::{House, NOW, key};
use crate::time::{CLOCK_SKEW_MS, UnixMs};

const CALL: CallId = CallId([6; 16]);

struct Scene {
    house: House,
    kitchen: PrivateKey,
    kitchen_chain: Chain,
    bath: PrivateKey,
}

impl Scene {
    fn new() -> Self {
        let (mut house, kitchen, bath) = (House::new(10), key(20), key(21));
        let kitchen_chain = house.add_home_device(&kitchen);
        house.add_home_device(&bath);
        Self {
            house,
            kitchen,
            kitchen_chain,
            bath,
        }
    }

    /// From the kitchen to the bath.
    fn said(&self, call: CallId, at: UnixMs) -> LiveAnnouncement {
        let who = (
            self.kitchen.public(),
            &self.kitchen_chain,
            self.house.genesis.public(),
        );
        LiveAnnouncement::new(who, call, at, [self.bath.public()]).unwrap()
    }

    /// Heard in the bath.
    fn hear(&self, signed: &Signed) -> Result<(), LiveError> {
        self.hear_with(signed, &mut Heard::default(), NOW)
    }

    fn hear_with(
        &self,
        signed: &Signed,
        heard: &mut Heard<CallId>,
        now: UnixMs,
    ) -> Result<(), LiveError> {
        let own = (CALL, self.bath.public());
        LiveAnnouncement::hear(signed, own, &self.house.roster, heard, now).map(drop)
    }
}

#[test]
fn it_is_heard_by_the_devices_that_it_names_and_nobody_else() {
    let scene = Scene::new();
    let signed = scene.said(CALL, NOW).sign(&scene.kitchen);
    assert_eq!(scene.hear(&signed), Ok(()));
    for other in [key(22).public(), scene.kitchen.public()] {
        let heard = LiveAnnouncement::hear(
            &signed,
            (CALL, other),
            &scene.house.roster,
            &mut Heard::default(),
            NOW,
        );
        assert_eq!(heard.map(drop), Err(LiveError::NotForUs));
    }
    // The server shows it beside another call.
    let other = scene.said(CallId([7; 16]), NOW).sign(&scene.kitchen);
    assert_eq!(scene.hear(&other), Err(LiveError::OtherCall));
}

#[test]
fn what_a_stranger_another_household_or_a_removed_device_signs_is_not_heard() {
    let mut scene = Scene::new();
    let said = scene.said(CALL, NOW);
    assert_eq!(
        scene.hear(&said.sign(&scene.bath)),
        Err(LiveError::Statement(AnnouncementError::WrongSigner))
    );
    let strange = House::new(40);
    let foreign = LiveAnnouncement {
        chain: strange.app_chain().encode(),
        ..said.clone()
    };
    assert_eq!(
        scene.hear(&foreign.sign(&strange.app)),
        Err(LiveError::Statement(AnnouncementError::NotInRoster))
    );
    let theirs = LiveAnnouncement {
        genesis: strange.genesis.public(),
        ..foreign
    };
    assert_eq!(
        scene.hear(&theirs.sign(&strange.app)),
        Err(LiveError::Statement(AnnouncementError::OtherHousehold))
    );
    let recorded = Signed::sign(Context::Announcement, said.body(), &scene.kitchen);
    assert_eq!(
        scene.hear(&recorded),
        Err(AnnouncementError::from(BadSignature).into())
    );
    let mut forged = said.sign(&scene.kitchen);
    forged.body[1 + 32] ^= 1;
    assert_eq!(
        scene.hear(&forged),
        Err(AnnouncementError::from(BadSignature).into())
    );
    let gone = Change::RemoveDevice {
        device: scene.kitchen.public(),
    };
    let by = scene.house.app.clone();
    scene.house.change(gone, &by);
    assert_eq!(
        scene.hear(&said.sign(&scene.kitchen)),
        Err(LiveError::Statement(AnnouncementError::NotInRoster))
    );
}

#[test]
fn an_old_or_repeated_one_is_not_heard_and_a_full_memory_hears_none() {
    let scene = Scene::new();
    let at = |at| scene.hear(&scene.said(CALL, at).sign(&scene.kitchen));
    let most = LIVE_MS_MAX + CLOCK_SKEW_MS;
    assert_eq!(at(NOW.minus(most)), Ok(()));
    assert_eq!(at(NOW.plus(CLOCK_SKEW_MS)), Ok(()));
    for wrong in [NOW.minus(most + 1), NOW.plus(CLOCK_SKEW_MS + 1)] {
        assert_eq!(
            at(wrong),
            Err(LiveError::Statement(AnnouncementError::NotFresh))
        );
    }

    let take = |heard: &mut Heard<_>, said: &LiveAnnouncement| {
        heard.take(said.call, said.counts_until(), NOW)
    };
    let mut heard = Heard::default();
    let said = |number: u16| {
        let mut id = [0; 16];
        id[..2].copy_from_slice(&number.to_be_bytes());
        scene.said(CallId(id), NOW)
    };
    let count = u16::try_from(HEARD_MAX).unwrap();
    for number in 0..count {
        assert_eq!(take(&mut heard, &said(number)), Ok(()));
    }
    assert_eq!(take(&mut heard, &said(0)), Err(HeardError::Before));
    let signed = scene.said(CALL, NOW).sign(&scene.kitchen);
    let full = scene.hear_with(&signed, &mut heard, NOW);
    assert_eq!(full, Err(HeardError::Full.into()));
    // When those can't count any more, there is room again, and this one is heard once.
    let later = said(0).counts_until().plus(1);
    let signed = scene.said(CALL, later).sign(&scene.kitchen);
    assert_eq!(scene.hear_with(&signed, &mut heard, later), Ok(()));
    let again = scene.hear_with(&signed, &mut heard, later);
    assert_eq!(again, Err(HeardError::Before.into()));
}

#[test]
fn it_is_for_somebody_and_never_for_whoever_makes_it() {
    let scene = Scene::new();
    let (own, genesis) = (scene.kitchen.public(), scene.house.genesis.public());
    let say = |to: &[PublicKey]| {
        let who = (own, &scene.kitchen_chain, genesis);
        LiveAnnouncement::new(who, CALL, NOW, to.iter().copied())
    };
    assert_eq!(say(&[own]).map(drop), Err(LiveSayError::NoDevices));
    let many: Vec<_> = (100..).map(|seed| key(seed).public()).take(32).collect();
    assert_eq!(say(&many).map(drop), Err(LiveSayError::TooManyDevices));
    let most = say(&many[..LIVE_DEVICES_MAX]).unwrap();
    assert!(LiveAnnouncement::read(&most.body()) == Ok(most));
    let itself = LiveAnnouncement {
        devices: vec![own],
        ..scene.said(CALL, NOW)
    };
    assert_eq!(
        scene.hear(&itself.sign(&scene.kitchen)),
        Err(LiveError::ForItself)
    );
}
