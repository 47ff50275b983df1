//! A guest in a call: let in by one member, vouched for to the others, and nothing but a guest.

use super::*;
use crate::guest::guest_chain;
use crate::member::message::Refusal;

/// Bob, as his own page sees the call that he was let into.
fn guest(scene: &mut Scene) -> DeviceId {
    let bob = key(80);
    let expect = Expect::own_guest(bob.public())
        .and(scene.ann_house.genesis.public())
        .and_whoever(scene.ben_house.genesis.public());
    let chain = guest_chain(&bob, "Bob", NOW);
    scene.net.member(bob, chain, expect)
}

/// Anna lets him in.
fn let_in(scene: &mut Scene) -> DeviceId {
    let bob = guest(scene);
    let expect = Expect::own_household(scene.ann_house.roster.clone())
        .and(scene.ben_house.genesis.public())
        .and_guest(key(80).public());
    let anna = scene.anna;
    scene.net.give(anna, Input::Expect(Box::new(expect)));
    scene.net.add(anna, bob);
    bob
}

#[test]
fn a_guest_talks_with_everybody_in_the_call_and_hears_nothing_more_once_gone() {
    let mut scene = two_in_a_call();
    let bob = let_in(&mut scene);
    let (anna, ben, net) = (scene.anna, scene.ben, &mut scene.net);
    assert_eq!(net.code(anna), net.code(bob));
    assert_eq!(net.code(ben), net.code(bob));
    for (from, to) in [(bob, anna), (bob, ben), (anna, bob), (ben, bob)] {
        net.assert_hears(from, to);
    }
    net.give(anna, Input::Remove { device: bob });
    assert!(net.saw(bob, &Output::Left(LeftReason::Removed)));
    assert_eq!(net.code(anna), net.code(ben));
    assert_ne!(net.code(anna), net.code(bob));
}

#[test]
fn nobody_lets_a_guest_in_whom_they_do_not_expect() {
    let mut scene = two_in_a_call();
    let bob = guest(&mut scene);
    let anna = scene.anna;
    scene.net.add(anna, bob);
    let refused = |output: &&Output| matches!(output, Output::Refused(Refusal::NotInvited(who)) if who.device == bob);
    assert_eq!(
        scene.net.outputs(anna).into_iter().filter(refused).count(),
        1
    );
    // Expected as a household, as at a first contact by handle: refused as well.
    let expect = Expect::own_household(scene.ann_house.roster.clone())
        .and(scene.ben_house.genesis.public())
        .and(key(80).public());
    scene.net.give(anna, Input::Expect(Box::new(expect)));
    scene.net.add(anna, bob);
    assert_eq!(
        scene.net.outputs(anna).into_iter().filter(refused).count(),
        2
    );
}

#[test]
fn who_came_as_a_guest_is_nothing_else_in_this_call() {
    let mut scene = two_in_a_call();
    let bob = let_in(&mut scene);
    let (anna, ben) = (scene.anna, scene.ben);
    scene.net.give(anna, Input::Remove { device: bob });
    // The guest's key certifies an app of "its household"; the word for the guest is not one for it.
    let house_of_bob = House::new(80);
    let expect = Expect::own_household(house_of_bob.roster.clone())
        .and(scene.ann_house.genesis.public())
        .and(scene.ben_house.genesis.public());
    let app = (house_of_bob.app.clone(), house_of_bob.app_chain());
    let net = &mut scene.net;
    let app = net.member(app.0, app.1, expect);
    net.add(ben, app);
    let refused = |output: &&Output| matches!(output, Output::Refused(Refusal::NotInvited(who)) if who.device == app);
    assert_eq!(net.outputs(ben).into_iter().filter(refused).count(), 1);
}

#[test]
fn a_guests_call_moves_to_no_other_device() {
    let mut scene = two_in_a_call();
    let bob = let_in(&mut scene);
    let anna = scene.anna;
    let offer = scene.net.members[&bob].key_package(NOW).unwrap();
    scene.net.give(
        anna,
        Input::Replace {
            device: bob,
            key_package: offer.key_package,
            statement: offer.statement,
        },
    );
    assert!(
        scene
            .net
            .saw(anna, &Output::Refused(Refusal::BadKeyPackage))
    );
}
