//! A group of three devices through add, update and remove, and who does not get in.

use homeline_protocol::id::CallId;

use super::*;
use crate::chain::{Chain, verify_chain};
use crate::key::PrivateKey;
use crate::testkit::{House, NOW, key};

const CALL: CallId = CallId([9; 16]);

fn party(key: PrivateKey, chain: Chain, expect: Expect) -> CallParty {
    CallParty::new(Credential::new(key, chain, NOW).unwrap(), CALL, expect, NOW)
}

/// Anna's app calls Ben's app; Ben's household has a speaker too.
struct Scene {
    anna: CallParty,
    ben: CallParty,
    speaker: CallParty,
    ann_house: House,
    ben_house: House,
}

fn scene() -> Scene {
    let ann_house = House::new(10);
    let mut ben_house = House::new(40);
    let speaker_chain = ben_house.add_home_device(&key(50));
    let expect_ben =
        Expect::own_household(ann_house.roster.clone()).and(ben_house.genesis.public());
    let expect_ann =
        Expect::own_household(ben_house.roster.clone()).and(ann_house.genesis.public());
    Scene {
        anna: party(ann_house.app.clone(), ann_house.app_chain(), expect_ben),
        ben: party(
            ben_house.app.clone(),
            ben_house.app_chain(),
            expect_ann.clone(),
        ),
        speaker: party(key(50), speaker_chain, expect_ann),
        ann_house,
        ben_house,
    }
}

fn add(by: &CallParty, who: &CallParty) -> CommitPlan {
    let offer = who.key_package(NOW).unwrap();
    let add = by
        .accept_key_package(NOW, &offer.key_package, &offer.statement)
        .unwrap();
    CommitPlan {
        add: Some(add),
        remove: vec![],
    }
}

/// Commits, applies the own echo, and hands out what goes to others.
fn commit(group: &mut CallGroup, plan: &CommitPlan) -> Committed {
    let committed = group.commit(NOW, plan).unwrap();
    group.apply(NOW, &committed.commit).unwrap();
    committed
}

fn assert_agree(groups: &[&CallGroup]) {
    let first = groups[0];
    for other in &groups[1..] {
        assert_eq!(first.epoch(), other.epoch());
        assert_eq!(
            *first.sframe_base_key().unwrap(),
            *other.sframe_base_key().unwrap()
        );
        assert_eq!(first.call_code().unwrap(), other.call_code().unwrap());
        assert!(first.members().eq(other.members()));
    }
}

#[test]
fn three_devices_agree_through_add_update_and_remove() {
    let scene = scene();
    let mut anna = scene.anna.create(NOW).unwrap();
    let added = commit(&mut anna, &add(&scene.anna, &scene.ben));
    // Ben's package was made inside `add`; his party holds the private half.
    let (device, welcome) = added.welcome.unwrap();
    assert_eq!(device, scene.ben.device());
    let mut ben = scene.ben.join(NOW, &welcome).unwrap();
    assert_agree(&[&anna, &ben]);

    let added = commit(&mut ben, &add(&scene.ben, &scene.speaker));
    let applied = anna.apply(NOW, &added.commit).unwrap();
    assert_eq!(applied.joined.len(), 1);
    let mut speaker = scene.speaker.join(NOW, &added.welcome.unwrap().1).unwrap();
    assert_agree(&[&anna, &ben, &speaker]);

    let update = commit(&mut speaker, &CommitPlan::default());
    anna.apply(NOW, &update.commit).unwrap();
    ben.apply(NOW, &update.commit).unwrap();
    assert_agree(&[&anna, &ben, &speaker]);

    let code = anna.call_code().unwrap();
    let remove = CommitPlan {
        add: None,
        remove: vec![scene.ben.device()],
    };
    let removed = commit(&mut anna, &remove);
    assert_eq!(removed.removed, [scene.ben.device()]);
    assert!(ben.apply(NOW, &removed.commit).unwrap().removed_self);
    assert_eq!(speaker.apply(NOW, &removed.commit).unwrap().left.len(), 1);
    assert_agree(&[&anna, &speaker]);
    assert_ne!(anna.call_code().unwrap(), code);
    assert_eq!(ben.call_code().unwrap(), code);
}

#[test]
fn a_reloaded_device_comes_back_after_its_old_leaf_is_removed() {
    let scene = scene();
    let mut anna = scene.anna.create(NOW).unwrap();
    let added = commit(&mut anna, &add(&scene.anna, &scene.ben));
    scene.ben.join(NOW, &added.welcome.unwrap().1).unwrap();
    let twice = add(&scene.anna, &scene.ben);
    assert!(anna.commit(NOW, &twice).is_err());
    commit(
        &mut anna,
        &CommitPlan {
            add: None,
            remove: vec![scene.ben.device()],
        },
    );
    let again = commit(&mut anna, &twice);
    let ben = scene.ben.join(NOW, &again.welcome.unwrap().1).unwrap();
    assert_agree(&[&anna, &ben]);
    assert_eq!(anna.members().count(), 2);
}

#[test]
fn a_genuine_device_of_an_uninvited_household_is_refused_on_both_sides() {
    let scene = scene();
    let carla_house = House::new(70);
    let expect_both = Expect::own_household(carla_house.roster.clone())
        .and(scene.ann_house.genesis.public())
        .and(scene.ben_house.genesis.public());
    let carla = party(
        carla_house.app.clone(),
        carla_house.app_chain(),
        expect_both,
    );
    let offer = carla.key_package(NOW).unwrap();
    let refused = scene
        .anna
        .accept_key_package(NOW, &offer.key_package, &offer.statement);
    assert!(matches!(
        refused.err(),
        Some(GroupError::Member(MemberError::Refused(_)))
    ));

    // Ben expects nobody but Anna: a commit or a Welcome with Carla in it is refused by him.
    let wide = Expect::own_household(scene.ann_house.roster.clone())
        .and(scene.ben_house.genesis.public())
        .and(carla_house.genesis.public());
    scene.anna.expect(wide);
    let mut anna = scene.anna.create(NOW).unwrap();
    let added = commit(&mut anna, &add(&scene.anna, &scene.ben));
    let mut ben = scene.ben.join(NOW, &added.welcome.unwrap().1).unwrap();
    let added = commit(&mut anna, &add(&scene.anna, &carla));
    let refused = ben.apply(NOW, &added.commit);
    assert!(
        matches!(refused, Err(GroupError::Member(MemberError::Refused(_)))),
        "{refused:?}"
    );
    let added = commit(&mut anna, &add(&scene.anna, &scene.speaker));
    let refused = scene.speaker.join(NOW, &added.welcome.unwrap().1);
    assert!(matches!(
        refused.err(),
        Some(GroupError::Member(MemberError::Refused(_)))
    ));
}

#[test]
fn a_device_removed_from_the_own_roster_is_refused() {
    let mut scene = scene();
    let app = scene.ben_house.app.clone();
    let remove = crate::roster::Change::RemoveDevice {
        device: key(50).public(),
    };
    scene.ben_house.change(remove, &app);
    scene
        .ben
        .expect(Expect::own_household(scene.ben_house.roster.clone()));
    let offer = scene.speaker.key_package(NOW).unwrap();
    let refused = scene
        .ben
        .accept_key_package(NOW, &offer.key_package, &offer.statement);
    assert!(matches!(
        refused.err(),
        Some(GroupError::Member(MemberError::Refused(_)))
    ));
}

#[test]
fn a_key_package_without_its_own_statement_or_of_another_call_is_refused() {
    let scene = scene();
    let (first, second) = (
        scene.ben.key_package(NOW).unwrap(),
        scene.ben.key_package(NOW).unwrap(),
    );
    let swapped = scene
        .anna
        .accept_key_package(NOW, &first.key_package, &second.statement);
    assert!(matches!(swapped.err(), Some(GroupError::Ringing(_))));
    let speaker = scene.speaker.key_package(NOW).unwrap();
    let mixed = scene
        .anna
        .accept_key_package(NOW, &first.key_package, &speaker.statement);
    assert!(mixed.is_err());
    let chain = scene.ben_house.app_chain();
    let credential = Credential::new(scene.ben_house.app.clone(), chain, NOW).unwrap();
    let expect = Expect::own_household(scene.ben_house.roster.clone());
    let elsewhere = CallParty::new(credential, CallId([8; 16]), expect, NOW);
    let offer = elsewhere.key_package(NOW).unwrap();
    let other_call = scene
        .anna
        .accept_key_package(NOW, &offer.key_package, &offer.statement);
    assert!(matches!(other_call.err(), Some(GroupError::Ringing(_))));
}

#[test]
fn a_welcome_serves_once_and_tampered_messages_change_nothing() {
    let scene = scene();
    let mut anna = scene.anna.create(NOW).unwrap();
    let added = commit(&mut anna, &add(&scene.anna, &scene.ben));
    let welcome = added.welcome.unwrap().1;
    let mut tampered = welcome.clone();
    *tampered.last_mut().unwrap() ^= 1;
    assert!(scene.ben.join(NOW, &tampered).is_err());
    let mut ben = scene.ben.join(NOW, &welcome).unwrap();
    assert!(scene.ben.join(NOW, &welcome).is_err());

    let committed = anna.commit(NOW, &CommitPlan::default()).unwrap();
    let mut bad = committed.commit.clone();
    *bad.last_mut().unwrap() ^= 1;
    assert!(ben.apply(NOW, &bad).is_err());
    assert_eq!(ben.epoch(), 1);
    assert!(ben.apply(NOW, b"").is_err());
}

#[test]
fn the_loser_of_an_epoch_applies_the_winner() {
    let scene = scene();
    let mut anna = scene.anna.create(NOW).unwrap();
    let added = commit(&mut anna, &add(&scene.anna, &scene.ben));
    let mut ben = scene.ben.join(NOW, &added.welcome.unwrap().1).unwrap();
    let lost = ben.commit(NOW, &CommitPlan::default()).unwrap();
    let won = anna.commit(NOW, &CommitPlan::default()).unwrap();
    assert_eq!((lost.epoch, won.epoch), (1, 1));
    anna.apply(NOW, &won.commit).unwrap();
    ben.apply(NOW, &won.commit).unwrap();
    assert_agree(&[&anna, &ben]);
    let late = anna.apply(NOW, &lost.commit);
    assert!(matches!(
        late,
        Err(GroupError::OtherEpoch {
            current: 2,
            found: 1
        })
    ));
}

#[test]
fn application_messages_name_their_sender() {
    let scene = scene();
    let mut anna = scene.anna.create(NOW).unwrap();
    let added = commit(&mut anna, &add(&scene.anna, &scene.ben));
    let mut ben = scene.ben.join(NOW, &added.welcome.unwrap().1).unwrap();
    let message = anna.encrypt_message(b"hello").unwrap();
    let (sender, data) = ben.decrypt_message(NOW, &message).unwrap();
    assert_eq!(
        (sender.identity.device, data.as_slice()),
        (scene.anna.device(), &b"hello"[..])
    );
    assert!(ben.decrypt_message(NOW, &message).is_err());
}

/// A drop-in is between two: a genuine device of an expected household is refused all the same.
#[test]
fn a_drop_in_holds_the_one_who_asked_and_a_home_device_of_whom_they_meant() {
    let (mut house, friends) = (House::new(10), House::new(40));
    let kitchen = key(20);
    let device = verify_chain(&house.add_home_device(&kitchen), NOW).unwrap();
    let app = verify_chain(&house.app_chain(), NOW).unwrap();
    let friend = verify_chain(&friends.app_chain(), NOW).unwrap();
    let (home, other) = (house.genesis.public(), friends.genesis.public());
    let at_target = Expect::own_household(house.roster.clone())
        .and(other)
        .only(kitchen.public(), friends.app.public());
    assert!(at_target.allows(&device).is_ok() && at_target.allows(&friend).is_ok());
    assert!(at_target.allows(&app).is_err());
    let at_friend = Expect::own_household(friends.roster.clone())
        .and(home)
        .only_target(friends.app.public(), home);
    assert!(at_friend.allows(&device).is_ok() && at_friend.allows(&friend).is_ok());
    assert!(at_friend.allows(&app).is_err());
    let at_app = Expect::own_household(house.roster.clone()).only_target(house.app.public(), home);
    assert!(at_app.allows(&device).is_ok() && at_app.allows(&app).is_ok());
    assert!(at_app.allows(&friend).is_err());
}

/// A live announcement is among those that it names: another device of the household is refused.
#[test]
fn a_live_announcement_holds_those_that_it_names_and_nobody_else() {
    let (mut house, strangers) = (House::new(10), House::new(40));
    let [kitchen, bath, garage] =
        [20, 21, 22].map(|seed| verify_chain(&house.add_home_device(&key(seed)), NOW).unwrap());
    let stranger = verify_chain(&strangers.app_chain(), NOW).unwrap();
    let own = house.app.public();
    let named = [own, kitchen.device_key, bath.device_key];
    let expect = Expect::own_household(house.roster.clone())
        .and_whoever(strangers.genesis.public())
        .only_among(own, named);
    let app = verify_chain(&house.app_chain(), NOW).unwrap();
    assert!(
        [&app, &kitchen, &bath]
            .iter()
            .all(|one| expect.allows(one).is_ok())
    );
    assert!(expect.allows(&garage).is_err() && expect.allows(&stranger).is_err());
}
