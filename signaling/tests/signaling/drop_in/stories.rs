//! Where it works: given, told, narrowed, renewed, taken back.

use homeline_e2ee::drop_in::{Grant, Grantee, Hours, Refusal, Window};
use homeline_protocol::session::{ErrorCode, Event, Request};

use super::{BEN, Scene, ended_event, may, on, on_device, put, put_ben, put_event};
use crate::home::{admit, invite, join};
use crate::support::{Person, device_id, fresh_key};
use homeline_e2ee::contact::Pin;

// req: DROP-1, DROP-2, HH-2
#[tokio::test]
async fn nobody_may_drop_in_until_it_is_granted_then_the_contact_and_their_household_may() {
    let mut scene = Scene::new().await;
    let bens_chain = scene.ben.chain.clone();
    // Kim is of Ben's household.
    let invitation = invite(&mut scene.bens).await;
    let kim = join(&scene.server, &scene.ben, "kim", &invitation).await;
    let taken_in = admit(&scene.server, &scene.ben, &kim, &invitation);
    let Request::AdmitMember { chain, .. } = &taken_in else {
        panic!("{taken_in:?}")
    };
    let kims_chain = homeline_e2ee::chain::Chain::decode(&chain.0).unwrap();
    scene.bens.done(taken_in).await;
    let mut kims = kim.session(&scene.server).await;
    let zoe = Person::founder(&scene.server, "zoe").await;
    let mut zoes = zoe.session(&scene.server).await;

    assert_eq!(scene.bens.refused(on("anna")).await, ErrorCode::Forbidden);
    assert_eq!(scene.kitchen_says(&bens_chain).await, Err(Refusal::NoGrant));

    let first = scene.to_bens_household(7);
    scene.give(&first).await;
    let told = scene.kitchen.session.event(put_event).await;
    assert_eq!(told.id, first.id);
    assert_eq!(told.statement.0, first.sign(&scene.anna.app).encode());
    assert!(scene.ben_may().await);
    assert_eq!(scene.kitchen_says(&bens_chain).await, Ok(()));
    // Kim came to Ben's household after that: she may ask, and the device wants an adult's word first.
    assert!(may(&mut kims, "anna").await);
    let asked = scene.kitchen_says(&kims_chain).await;
    assert_eq!(asked, Err(Refusal::NewMember));
    let Grantee::Household { mut people, .. } = first.to.clone() else {
        panic!("to a household")
    };
    people.push(kim.account.to_string());
    people.sort();
    let granted = Grant {
        to: Grantee::Household {
            contact: BEN,
            their_genesis: scene.ben.genesis,
            people,
        },
        ..first.renewed(scene.server.now())
    };
    scene.give(&granted).await;
    assert_eq!(scene.kitchen_says(&kims_chain).await, Ok(()));
    // Nobody else, in the words that are said of a handle that nobody has; and it is no mutual thing.
    let nobody = scene.bens.request(on("nobody")).await.unwrap_err();
    assert_eq!(zoes.request(on("anna")).await.unwrap_err(), nobody);
    assert_eq!(scene.kitchen_says(&zoe.chain).await, Err(Refusal::NoGrant));
    assert_eq!(scene.phone.refused(on("ben")).await, ErrorCode::Forbidden);
}

// req: DROP-3, DROP-5, HH-1
#[tokio::test]
async fn the_own_household_may_until_it_is_taken_back_and_contacts_are_not_touched_by_it() {
    let mut scene = Scene::new().await;
    let (own_chain, bens_chain) = (scene.anna.chain.clone(), scene.ben.chain.clone());
    let kitchen = scene.kitchen.key.clone();
    assert_eq!(
        scene.phone.refused(on_device(&kitchen)).await,
        ErrorCode::Forbidden
    );
    let (own, bens) = (scene.to_own_household(1), scene.to_bens_household(2));
    scene.give(&own).await;
    assert!(!scene.ben_may().await);
    scene.give(&bens).await;
    scene.phone.done(on_device(&kitchen)).await;
    assert_eq!(scene.kitchen_says(&own_chain).await, Ok(()));

    scene.give(&own.ended(scene.server.now())).await;
    assert_eq!(
        scene.phone.refused(on_device(&kitchen)).await,
        ErrorCode::Forbidden
    );
    assert_eq!(scene.kitchen_says(&own_chain).await, Err(Refusal::Revoked));
    assert!(scene.ben_may().await);
    assert_eq!(scene.kitchen_says(&bens_chain).await, Ok(()));
}

// req: DROP-6
#[tokio::test]
async fn what_is_taken_back_from_a_contact_counts_no_more_and_is_final() {
    let mut scene = Scene::new().await;
    let bens_chain = scene.ben.chain.clone();
    let granted = scene.to_bens_household(7);
    scene.give(&granted).await;
    assert_eq!(scene.kitchen_says(&bens_chain).await, Ok(()));

    scene.give(&granted.ended(scene.server.now())).await;
    assert!(!scene.ben_may().await);
    assert_eq!(scene.kitchen_says(&bens_chain).await, Err(Refusal::Revoked));
    // Neither the old one again, nor an app that renews it and has not heard.
    let replayed = put(&granted, &scene.anna.app);
    assert_eq!(scene.phone.refused(replayed).await, ErrorCode::Conflict);
    let renewed = put(
        &granted.renewed(scene.server.now().plus(9)),
        &scene.anna.app,
    );
    assert_eq!(scene.phone.refused(renewed).await, ErrorCode::Conflict);
    assert!(!scene.ben_may().await);
    scene.give(&scene.to_bens_household(8)).await;
    assert!(scene.ben_may().await);
}

// req: DROP-6
#[tokio::test]
async fn whoever_leaves_the_contacts_or_has_another_key_loses_what_was_granted() {
    let mut scene = Scene::new().await;
    let bens_chain = scene.ben.chain.clone();
    scene.give(&scene.to_bens_household(7)).await;
    let renamed = put_ben(&scene.anna, 2, Pin::Unverified(scene.ben.genesis));
    scene.phone.done(renamed).await;
    assert!(scene.ben_may().await);
    let other = fresh_key().public();
    scene
        .phone
        .done(put_ben(&scene.anna, 3, Pin::Verified(other)))
        .await;
    let ended = scene.kitchen.session.event(ended_event).await;
    assert_eq!(ended.0, [7; 16]);
    assert!(!scene.ben_may().await);

    scene
        .phone
        .done(put_ben(&scene.anna, 4, Pin::Verified(scene.ben.genesis)))
        .await;
    scene.give(&scene.to_bens_household(8)).await;
    assert_eq!(scene.kitchen_says(&bens_chain).await, Ok(()));
    let delete = Request::DeleteContact {
        contact: BEN,
        card: scene.anna.card(1, 5, "Ben", "ben", Pin::Deleted),
    };
    scene.phone.done(delete).await;
    assert_eq!(scene.kitchen.session.event(ended_event).await.0, [8; 16]);
    assert!(!scene.ben_may().await);
    assert_eq!(
        scene.kitchen_says(&bens_chain).await,
        Err(Refusal::NotAContact)
    );
}

// req: DROP-7
#[tokio::test]
async fn drop_in_is_switched_off_at_one_device_whatever_the_grants() {
    let mut scene = Scene::new().await;
    let own_chain = scene.anna.chain.clone();
    let kitchen = scene.kitchen.key.clone();
    let device = device_id(&kitchen);
    scene.give(&scene.to_own_household(1)).await;
    scene.phone.done(on_device(&kitchen)).await;

    let switch = |on| Request::SetDropIn { device, on };
    scene.phone.done(switch(false)).await;
    let off = |event: &Event| match event {
        Event::DeviceSettingsChanged { settings, .. } => Some(!settings.drop_in),
        _ => None,
    };
    assert!(scene.kitchen.session.event(off).await);
    assert_eq!(
        scene.phone.refused(on_device(&kitchen)).await,
        ErrorCode::NotAvailable
    );
    assert_eq!(scene.kitchen_says(&own_chain).await, Err(Refusal::Off));
    // The device itself may switch it too.
    scene.kitchen.session.done(switch(true)).await;
    scene.phone.done(on_device(&kitchen)).await;
    assert_eq!(scene.kitchen_says(&own_chain).await, Ok(()));
    assert_eq!(scene.bens.refused(switch(false)).await, ErrorCode::NotFound);
}

#[tokio::test]
async fn a_grant_is_narrowed_to_a_person_to_devices_and_to_hours() {
    let mut scene = Scene::new().await;
    let bens_chain = scene.ben.chain.clone();
    let whole = scene.to_bens_household(7);
    let person = |account: String| Grantee::Person {
        contact: BEN,
        their_genesis: scene.ben.genesis,
        person: account,
    };
    let to_ben = Grant {
        to: person(scene.ben.account.to_string()),
        devices: vec![scene.kitchen.key.public()],
        ..whole.renewed(scene.server.now())
    };
    let to_kim = Grant {
        to: person(homeline_protocol::id::AccountId([0xee; 16]).to_string()),
        ..to_ben.renewed(scene.server.now())
    };
    // An hour that is never now.
    let minute = u16::try_from(scene.server.now().0 / 60_000 % 1440).unwrap();
    let window = Window {
        days: 127,
        from_minute: (minute + 120) % 1440,
        to_minute: (minute + 180) % 1440,
    };
    let later = Grant {
        hours: Some(Hours::new("UTC".to_owned(), vec![window]).unwrap()),
        to: to_ben.to.clone(),
        ..to_kim.renewed(scene.server.now())
    };
    let steps = [
        (whole, Ok(())),
        (to_ben, Ok(())),
        (to_kim, Err(Refusal::NoGrant)),
        (later, Err(Refusal::OutsideHours)),
    ];
    for (grant, expected) in steps {
        scene.give(&grant).await;
        assert_eq!(scene.ben_may().await, expected.is_ok());
        assert_eq!(scene.kitchen_says(&bens_chain).await, expected);
    }
}

#[tokio::test]
async fn co_residents_are_told_and_what_somebody_signed_who_left_counts_no_more() {
    let mut scene = Scene::new().await;
    let bens_chain = scene.ben.chain.clone();
    // The kitchen is in the roster already, and Cara comes as a second adult.
    let known = scene.phone.home().await.household.unwrap().roster;
    let decode = |entry: &homeline_protocol::Blob| homeline_e2ee::signed::Signed::decode(&entry.0);
    scene.anna.roster = known.iter().map(|entry| decode(entry).unwrap()).collect();
    let invitation = invite(&mut scene.phone).await;
    let cara = join(&scene.server, &scene.anna, "cara", &invitation).await;
    let taken_in = admit(&scene.server, &scene.anna, &cara, &invitation);
    let Request::AdmitMember { entry, .. } = &taken_in else {
        panic!("{taken_in:?}")
    };
    scene.anna.roster.push(decode(entry).unwrap());
    scene.phone.done(taken_in).await;
    let mut caras = cara.session(&scene.server).await;

    let granted = scene.to_bens_household(7);
    caras.done(put(&granted, &cara.app)).await;
    assert_eq!(scene.phone.event(put_event).await.id, granted.id);
    assert_eq!(caras.event(put_event).await.id, granted.id);
    assert!(scene.ben_may().await);
    assert_eq!(scene.kitchen_says(&bens_chain).await, Ok(()));

    let gone = homeline_e2ee::roster::Change::RemoveDevice {
        device: cara.app.public(),
    };
    let entry = scene.anna.entry(gone, scene.server.now());
    let remove = Request::RemoveDevice {
        device: cara.device(),
        entry: entry.encode().into(),
    };
    scene.phone.done(remove).await;
    assert!(!scene.ben_may().await);
    assert_eq!(
        scene.kitchen_says(&bens_chain).await,
        Err(Refusal::SignerMayNot)
    );
    // Anna signs it anew.
    scene.give(&granted.renewed(scene.server.now())).await;
    assert!(scene.ben_may().await);
    assert_eq!(scene.kitchen_says(&bens_chain).await, Ok(()));
}

#[tokio::test]
async fn a_device_that_was_away_is_handed_the_revocation_when_it_connects() {
    let mut scene = Scene::new().await;
    let bens_chain = scene.ben.chain.clone();
    let granted = scene.to_bens_household(7);
    scene.give(&granted).await;
    assert_eq!(scene.kitchen_says(&bens_chain).await, Ok(()));
    scene.give(&granted.ended(scene.server.now())).await;
    // It heard nothing of it, and asks anew when it comes.
    scene.kitchen.session = scene.server.session(&scene.kitchen.token).await;
    let [shown] = scene
        .kitchen
        .session
        .home()
        .await
        .drop_in_grants
        .try_into()
        .unwrap();
    let ended = granted.ended(scene.server.now());
    assert_eq!(shown.statement.0, ended.sign(&scene.anna.app).encode());
    assert_eq!(scene.kitchen_says(&bens_chain).await, Err(Refusal::Revoked));
}
