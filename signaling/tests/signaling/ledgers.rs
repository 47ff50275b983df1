//! What happened at a home device: written by it, kept in order, and read by the household's adults alone.
//!
//! The device writes and the adults check as clients do, from nothing but what the server handed them.

use homeline_e2ee::certificate::Kind;
use homeline_e2ee::drop_in::Opening;
use homeline_e2ee::drop_in::ledger::{
    EndedBy, Entry, Head, LedgerFault, LedgerReader, OwnLedger, What, Who,
};
use homeline_e2ee::key::PrivateKey;
use homeline_e2ee::signed::Signed;
use homeline_protocol::Blob;
use homeline_protocol::id::{CallId, DeviceId, GrantId};
use homeline_protocol::session::{
    DropInRefusal, ErrorCode, Event, LedgerHead, Reply, Request, Role,
};

use crate::drop_in::Scene;
use crate::leaving::{joins, removals, roster_of};
use crate::pairing::pair;
use crate::support::{Session, device_id, fresh_key};

const CALL: CallId = CallId([7; 16]);

/// The kitchen's ledger, as the kitchen keeps it.
struct Kitchen {
    ledger: OwnLedger,
}

impl Kitchen {
    fn write(&mut self, scene: &Scene, what: What) {
        let key = &scene.kitchen.key;
        let now = scene.server.now();
        self.ledger
            .write(now, scene.anna.genesis, key, what)
            .unwrap();
    }

    /// Sends what the server has not stored.
    async fn send(&mut self, scene: &mut Scene) {
        while let Some((index, entry)) = self.ledger.next() {
            let request = append(index, entry);
            scene.kitchen.session.done(request).await;
            self.ledger.stored(index);
        }
    }
}

fn append(index: u64, entry: &Signed) -> Request {
    let entry = entry.encode().into();
    Request::AppendLedger { index, entry }
}

fn opened(scene: &Scene) -> What {
    What::Opened {
        call: CALL,
        who: Who {
            genesis: scene.ben.genesis,
            device: scene.ben.app.public(),
            person: scene.ben.account.to_string(),
            label: "Phone".to_owned(),
        },
        grant: GrantId([5; 16]),
        revision: 1,
        picture: false,
        opening: Opening::AtOnce,
    }
}

fn ended() -> What {
    What::Ended {
        call: CALL,
        lasted_ms: 61_000,
        by: EndedBy::Target,
    }
}

async fn written() -> (Scene, Kitchen) {
    let mut scene = Scene::new().await;
    let ledger = OwnLedger::default();
    let mut kitchen = Kitchen { ledger };
    for what in [opened(&scene), ended(), What::PutOut] {
        kitchen.write(&scene, what);
    }
    kitchen.send(&mut scene).await;
    (scene, kitchen)
}

async fn heads(session: &mut Session) -> Vec<LedgerHead> {
    match session.request(Request::GetLedgerHeads).await {
        Ok(Reply::LedgerHeads { heads }) => heads,
        other => panic!("{other:?}"),
    }
}

async fn page(session: &mut Session, of: &PrivateKey, from: u64, limit: u16) -> (Vec<Blob>, bool) {
    match session.request(list(of, from, limit)).await {
        Ok(Reply::Ledger { entries, more }) => (entries, more),
        other => panic!("{other:?}"),
    }
}

fn list(of: &PrivateKey, from: u64, limit: u16) -> Request {
    let device = device_id(of);
    Request::ListLedger {
        device,
        from,
        limit,
    }
}

/// As an adult's app checks a ledger from its first entry.
fn check(scene: &Scene, entries: &[Blob], remembered: Head) -> Result<Vec<What>, LedgerFault> {
    let device = device_id(&scene.kitchen.key);
    let mut reader = LedgerReader::new(scene.anna.genesis, device, remembered);
    let mut found = vec![];
    for entry in entries {
        found.push(reader.read(&Signed::decode(&entry.0).unwrap())?.what);
    }
    reader.finish()?;
    Ok(found)
}

fn grew(event: &Event) -> Option<(DeviceId, u64, Blob)> {
    match event {
        Event::LedgerGrew {
            device,
            index,
            entry,
        } => Some((*device, *index, entry.clone())),
        _ => None,
    }
}

#[tokio::test]
async fn what_a_device_wrote_is_told_to_adults_and_read_by_them_from_the_first_entry() {
    let (mut scene, mut kitchen) = written().await;
    let device = device_id(&scene.kitchen.key);
    let whole = vec![LedgerHead { device, length: 3 }];
    assert_eq!(heads(&mut scene.phone).await, whole);
    assert_eq!(heads(&mut scene.kitchen.session).await, whole);
    let mut told = vec![];
    for place in 0..3 {
        let (whose, index, entry) = scene.phone.event(grew).await;
        assert_eq!((whose, index), (device, place));
        told.push(entry);
    }

    let key = scene.kitchen.key.clone();
    let (mut entries, more) = page(&mut scene.phone, &key, 0, 2).await;
    assert!(more);
    let (rest, more) = page(&mut scene.phone, &key, 2, 200).await;
    assert!(!more);
    entries.extend(rest);
    assert_eq!(entries, told);
    let found = check(&scene, &entries, kitchen.ledger.head()).unwrap();
    assert!(found == [opened(&scene), ended(), What::PutOut]);
    // The device reads its own, and finds that it is its own.
    let (last, _) = page(&mut scene.kitchen.session, &key, 2, 1).await;
    let last = Signed::decode(&last[0].0).unwrap();
    kitchen.ledger.meet(3, Some(&last)).unwrap();
    // What is not there is no entry.
    assert_eq!(page(&mut scene.phone, &key, 3, 9).await, (vec![], false));
    assert_eq!(
        page(&mut scene.phone, &key, u64::MAX, 9).await,
        (vec![], false)
    );
}

#[tokio::test]
async fn an_entry_sent_again_changes_nothing_and_is_told_once() {
    let (mut scene, mut kitchen) = written().await;
    kitchen.write(&scene, opened(&scene));
    let (index, entry) = kitchen.ledger.next().unwrap();
    let request = append(index, entry);
    for _ in 0..3 {
        scene.kitchen.session.done(request.clone()).await;
    }
    for place in 0..4 {
        assert_eq!(scene.phone.event(grew).await.1, place);
    }
    assert!(
        !scene
            .phone
            .has_seen(|event| matches!(event, Event::LedgerGrew { .. }))
            .await
    );
    assert_eq!(heads(&mut scene.phone).await[0].length, 4);
}

#[tokio::test]
async fn the_ledger_of_a_device_that_was_removed_stays_readable_and_grows_no_more() {
    let (mut scene, kitchen) = written().await;
    let key = scene.kitchen.key.clone();
    scene.anna.roster = roster_of(&mut scene.phone).await;
    let [entry] = removals(&scene.server, &scene.anna, &[&key])
        .try_into()
        .unwrap();
    let device = device_id(&key);
    let remove = Request::RemoveDevice { device, entry };
    scene.phone.done(remove).await;
    let whole = vec![LedgerHead { device, length: 3 }];
    assert_eq!(heads(&mut scene.phone).await, whole);
    let (entries, _) = page(&mut scene.phone, &key, 0, 200).await;
    check(&scene, &entries, kitchen.ledger.head()).unwrap();
    let end = scene.kitchen.session.goodbye().await;
    assert_eq!(end, ErrorCode::DeviceRevoked);
}

#[tokio::test]
async fn a_childs_app_another_household_and_another_device_read_nothing() {
    let (mut scene, mut kitchen) = written().await;
    let key = scene.kitchen.key.clone();
    scene.anna.roster = roster_of(&mut scene.phone).await;
    let parent = (&mut scene.anna, &mut scene.phone);
    let (_, mut mias) = joins(&scene.server, parent, "mia", (false, Some(Role::Child))).await;
    let refused = mias.refused(Request::GetLedgerHeads).await;
    assert_eq!(refused, ErrorCode::Forbidden);
    assert_eq!(mias.refused(list(&key, 0, 9)).await, ErrorCode::Forbidden);

    assert_eq!(heads(&mut scene.bens).await, vec![]);
    let refused = scene.bens.refused(list(&key, 0, 9)).await;
    assert_eq!(refused, ErrorCode::NotFound);

    scene.anna.roster = roster_of(&mut scene.phone).await;
    let bedroom = pair(
        &scene.server,
        &scene.anna,
        &mut scene.phone,
        Kind::HomeDevice,
    )
    .await;
    let mut bedrooms = scene.server.session(&bedroom.token).await;
    assert_eq!(heads(&mut bedrooms).await, vec![]);
    let refused = bedrooms.refused(list(&key, 0, 9)).await;
    assert_eq!(refused, ErrorCode::Forbidden);
    // Nor do they hear of it.
    kitchen.write(&scene, opened(&scene));
    kitchen.send(&mut scene).await;
    scene
        .phone
        .event(|event| grew(event).filter(|one| one.1 == 3))
        .await;
    let grows = |event: &Event| matches!(event, Event::LedgerGrew { .. });
    for session in [&mut mias, &mut scene.bens, &mut bedrooms] {
        assert!(!session.has_seen(grows).await);
    }
    for limit in [0, 201] {
        let refused = scene.phone.refused(list(&key, 0, limit)).await;
        assert_eq!(refused, ErrorCode::BadRequest);
    }
}

#[tokio::test]
async fn only_the_device_itself_adds_to_its_ledger_in_order() {
    let (mut scene, kitchen) = written().await;
    let (genesis, key) = (scene.anna.genesis, scene.kitchen.key.clone());
    let next = Entry {
        genesis,
        index: 3,
        prev: kitchen.ledger.head().hash,
        at: scene.server.now(),
        what: What::Switched { on: true },
    };
    let with = |change: fn(&mut Entry)| {
        let mut entry = next.clone();
        change(&mut entry);
        entry
    };
    let good = append(3, &next.sign(&key));
    let elsewhere = Entry {
        genesis: scene.ben.genesis,
        ..next.clone()
    };
    let mut damaged = next.sign(&key);
    damaged.signature[9] ^= 1;
    let cases = [
        (
            "signed by another",
            next.sign(&fresh_key()),
            3,
            ErrorCode::Forbidden,
        ),
        (
            "of another household",
            elsewhere.sign(&key),
            3,
            ErrorCode::BadRequest,
        ),
        (
            "at another place than it says",
            next.sign(&key),
            4,
            ErrorCode::BadRequest,
        ),
        (
            "with a hole",
            with(|one| one.index = 4).sign(&key),
            4,
            ErrorCode::Conflict,
        ),
        (
            "after another one",
            with(|one| one.prev[0] ^= 1).sign(&key),
            3,
            ErrorCode::Conflict,
        ),
        (
            "in the place of another",
            with(|one| one.index = 1).sign(&key),
            1,
            ErrorCode::Conflict,
        ),
        ("damaged", damaged, 3, ErrorCode::BadRequest),
    ];
    for (what, entry, index, code) in cases {
        let refused = scene.kitchen.session.refused(append(index, &entry)).await;
        assert_eq!(refused, code, "{what}");
    }
    assert_eq!(heads(&mut scene.phone).await[0].length, 3);
    scene.kitchen.session.done(good).await;
    assert_eq!(heads(&mut scene.phone).await[0].length, 4);
}

#[tokio::test]
async fn no_app_writes_a_ledger_and_no_entry_is_endless() {
    let (mut scene, mut kitchen) = written().await;
    kitchen.write(&scene, opened(&scene));
    let (index, entry) = kitchen.ledger.next().unwrap();
    let good = append(index, entry);
    for session in [&mut scene.phone, &mut scene.bens] {
        assert_eq!(session.refused(good.clone()).await, ErrorCode::Forbidden);
    }
    let endless = Request::AppendLedger {
        index: 3,
        entry: Blob(vec![7; 1025]),
    };
    let refused = scene.kitchen.session.refused(endless).await;
    assert_eq!(refused, ErrorCode::TooLarge);
    assert_eq!(heads(&mut scene.phone).await[0].length, 3);
}

#[tokio::test]
async fn whoever_remembers_a_longer_ledger_notices_what_is_held_back() {
    let (mut scene, mut kitchen) = written().await;
    let who = Who::unverified();
    let refusal = DropInRefusal::Initiator;
    let what = What::Refused {
        call: CALL,
        who,
        refusal,
    };
    kitchen.write(&scene, what);
    kitchen.send(&mut scene).await;
    let key = scene.kitchen.key.clone();
    let (entries, _) = page(&mut scene.phone, &key, 0, 200).await;
    let head = kitchen.ledger.head();
    check(&scene, &entries, head).unwrap();
    let shorter = LedgerFault::Shorter {
        found: 3,
        remembered: 4,
    };
    assert_eq!(check(&scene, &entries[..3], head).map(drop), Err(shorter));
    let mut dropped = entries.clone();
    dropped.remove(1);
    let broken = LedgerFault::Broken { index: 1 };
    assert_eq!(check(&scene, &dropped, head).map(drop), Err(broken));
}
