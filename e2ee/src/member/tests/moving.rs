//! A device in another's place in one commit, and households that a member vouches for.

use super::*;

fn replacing(net: &Net, who: DeviceId, old: DeviceId) -> Input {
    let offer = net.members[&who].key_package(net.now).unwrap();
    Input::Replace {
        device: old,
        key_package: offer.key_package,
        statement: offer.statement,
    }
}

#[test]
fn a_call_moves_to_another_device_with_one_commit() {
    let mut scene = two_in_a_call();
    let (anna, ben, speaker) = (scene.anna, scene.ben, scene.speaker);
    let net = &mut scene.net;
    let old_key = net.send(ben).unwrap();
    let input = replacing(net, speaker, ben);
    net.give(anna, input);
    assert_eq!(net.epoch, 2, "one commit");
    assert!(net.saw(ben, &Output::Left(LeftReason::Removed)));
    assert_eq!(net.send(ben), Err(NoKey));
    assert_eq!(net.phase(anna), Phase::Active { epoch: 2 });
    assert_eq!(net.phase(speaker), Phase::Active { epoch: 2 });
    assert_eq!(net.code(anna), net.code(speaker));
    net.assert_hears(anna, speaker);
    net.assert_hears(speaker, anna);
    // What was sent before the switch is of the old device, though the new one has its leaf.
    assert!(net.hear(anna, ben, &old_key).is_ok());
    let left = net
        .outputs(anna)
        .into_iter()
        .filter_map(|output| match output {
            Output::MemberLeft(member) => Some(member.identity.device),
            _ => None,
        });
    assert_eq!(left.collect::<Vec<_>>(), [ben]);
    net.pass(60_000);
    assert!(!net.saw(anna, &Output::Warn(Warning::Fork)));
    assert!(!net.saw(anna, &Output::Warn(Warning::RemoveWithheld)));
}

#[test]
fn only_a_device_of_the_same_household_takes_anothers_place() {
    let mut scene = two_in_a_call();
    let (anna, ben) = (scene.anna, scene.ben);
    let expect =
        Expect::own_household(scene.ann_house.roster.clone()).and(scene.ben_house.genesis.public());
    let tablet_chain = scene.ann_house.add_home_device(&key(60));
    let tablet = scene.net.member(key(60), tablet_chain, expect);
    scene.net.give(
        anna,
        Input::Expect(Box::new(
            Expect::own_household(scene.ann_house.roster.clone())
                .and(scene.ben_house.genesis.public()),
        )),
    );
    let input = replacing(&scene.net, tablet, ben);
    scene.net.give(anna, input);
    assert_eq!(scene.net.epoch, 1);
    assert!(
        scene
            .net
            .saw(anna, &Output::Refused(Refusal::BadKeyPackage))
    );
}

#[test]
fn a_device_that_the_server_does_not_take_is_forgotten() {
    let mut scene = two_in_a_call();
    let (anna, ben, speaker) = (scene.anna, scene.ben, scene.speaker);
    let net = &mut scene.net;
    net.echoes = false;
    let input = replacing(net, speaker, ben);
    net.give(anna, input);
    net.give(anna, Input::Forget { device: speaker });
    net.echoes = true;
    net.pass(30_000);
    assert_eq!(net.epoch, 1);
    assert!(!net.saw(anna, &Output::Warn(Warning::RemoveWithheld)));
    net.assert_hears(anna, ben);
}

/// Carla's household is known to Anna, who invited her, and to nobody else.
fn with_carla(scene: &mut Scene) -> DeviceId {
    let carla_house = House::new(70);
    let of_carla = Expect::own_household(carla_house.roster.clone())
        .and(scene.ann_house.genesis.public())
        .and(scene.ben_house.genesis.public());
    let (app, chain) = (carla_house.app.clone(), carla_house.app_chain());
    let carla = scene.net.member(app, chain, of_carla);
    let of_anna = Expect::own_household(scene.ann_house.roster.clone())
        .and(scene.ben_house.genesis.public())
        .and(carla_house.genesis.public());
    scene.net.give(scene.anna, Input::Expect(Box::new(of_anna)));
    carla
}

#[test]
fn a_member_vouches_for_the_household_that_it_brings_in() {
    let mut scene = two_in_a_call();
    let carla = with_carla(&mut scene);
    let (anna, ben) = (scene.anna, scene.ben);
    scene.net.add(anna, carla);
    assert_eq!(scene.net.code(anna), scene.net.code(carla));
    assert_eq!(scene.net.code(ben), scene.net.code(carla));
    scene.net.assert_hears(ben, carla);
    scene.net.assert_hears(carla, ben);
    // What was vouched for stays when the owner's own expectations change.
    let own =
        Expect::own_household(scene.ben_house.roster.clone()).and(scene.ann_house.genesis.public());
    scene.net.give(ben, Input::Expect(Box::new(own)));
    assert_eq!(scene.net.members[&ben].members().count(), 3);
}
