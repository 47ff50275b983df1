//! A drop-in, once through, as it should go.

use homeline_e2ee::certificate::Kind;
use homeline_e2ee::contact::Pin;
use homeline_protocol::Blob;
use homeline_protocol::id::DeviceId;
use homeline_protocol::session::{
    Activity, Callee, DropInRefusal, DropInStage, EndReason, ErrorCode, Event, Reply, Request,
    WelcomeFor,
};

use super::asked::{
    CALL, SECOND, call_ended, drop_in, goes_on, hang_up, has_opened, is_asked, is_over, on_device,
    on_person, open, refuse, was_asked, was_refused,
};
use super::{Scene, put_ben};
use crate::pairing::pair;
use crate::support::{Session, device_id};

impl Scene {
    fn kitchen_id(&self) -> DeviceId {
        device_id(&self.kitchen.key)
    }

    /// Ben may drop in, and has asked to.
    async fn ben_asks(&mut self) {
        let granted = self.to_bens_household(7);
        self.give(&granted).await;
        self.bens.done(on_person(CALL, "anna")).await;
        is_asked(&mut self.kitchen.session, CALL).await;
    }

    pub(super) async fn ben_is_in(&mut self, stage: DropInStage) {
        self.ben_asks().await;
        self.kitchen.session.done(open(CALL, stage)).await;
        let opened = has_opened(&mut self.bens, CALL).await;
        assert_eq!(opened, (self.kitchen_id(), stage));
    }
}

async fn history(session: &mut Session) -> usize {
    let listing = Request::ListHistory {
        before_ms: None,
        limit: 10,
    };
    match session.request(listing).await {
        Ok(Reply::History { calls }) => calls.len(),
        other => panic!("{other:?}"),
    }
}

async fn calls(session: &mut Session) -> Vec<bool> {
    match session.request(Request::ListCalls).await {
        Ok(Reply::Calls { calls }) => calls.iter().map(|one| one.here).collect(),
        other => panic!("{other:?}"),
    }
}

// req: DROP-2, DROP-8, DROP-11, A-24
#[tokio::test]
async fn a_permitted_contact_drops_in_without_anybody_answering_and_the_target_hangs_up() {
    let mut scene = Scene::with_calls().await;
    let granted = scene.to_bens_household(7);
    scene.give(&granted).await;
    scene.bens.done(on_person(CALL, "anna")).await;
    // Said twice it is asked once, and the phone is not asked at all.
    scene.bens.done(on_person(CALL, "anna")).await;
    let shown = is_asked(&mut scene.kitchen.session, CALL).await;
    assert_eq!(shown.id, granted.id);
    assert_eq!(shown.statement.0, granted.sign(&scene.anna.app).encode());
    assert!(!was_asked(&mut scene.kitchen.session, CALL).await);
    assert!(!was_asked(&mut scene.phone, CALL).await);

    let opens = open(CALL, DropInStage::Frosted);
    scene.kitchen.session.done(opens.clone()).await;
    scene.kitchen.session.done(opens).await;
    let opened = has_opened(&mut scene.bens, CALL).await;
    assert_eq!(opened, (scene.kitchen_id(), DropInStage::Frosted));
    let answered = scene.kitchen.session.event(|event| match event {
        Event::CallAnswered {
            device,
            key_package,
            statement,
            ..
        } => Some((*device, key_package.clone(), statement.clone())),
        _ => None,
    });
    let (device, key_package, statement) = answered.await;
    assert_eq!(device, scene.ben.device());
    assert_eq!(key_package, Blob(b"key package".to_vec()));
    assert_eq!(statement, Blob(b"asking".to_vec()));

    // The target makes the group and lets the initiator in, nobody else does.
    let commit = |device| Request::SendCommit {
        call: CALL,
        epoch: 0,
        commit: Blob(vec![5]),
        welcome: Some(WelcomeFor {
            device,
            welcome: Blob(vec![6]),
        }),
        removed: vec![],
    };
    let kitchens = scene.kitchen_id();
    scene.bens.refused(commit(kitchens)).await;
    scene.kitchen.session.done(commit(device)).await;
    let welcome = |event: &Event| matches!(event, Event::GroupWelcome { .. }).then_some(());
    scene.bens.event(welcome).await;

    for stage in [DropInStage::Clear, DropInStage::Hushed, DropInStage::Clear] {
        let set = Request::SetDropInStage { call: CALL, stage };
        scene.kitchen.session.done(set.clone()).await;
        assert_eq!(scene.bens.refused(set).await, ErrorCode::NotFound);
        assert_eq!(goes_on(&mut scene.bens, CALL).await, stage);
    }
    scene.kitchen.session.done(hang_up(CALL)).await;
    assert_eq!(call_ended(&mut scene.bens, CALL).await, EndReason::HungUp);
    let there = call_ended(&mut scene.kitchen.session, CALL).await;
    assert_eq!(there, EndReason::HungUp);
    // It is in nobody's history, and nobody missed anything.
    assert_eq!(history(&mut scene.bens).await, 0);
    assert_eq!(history(&mut scene.phone).await, 0);
    assert_eq!(calls(&mut scene.phone).await, Vec::<bool>::new());
    assert_eq!(
        scene.bens.refused(on_person(CALL, "anna")).await,
        ErrorCode::CallEnded
    );
}

// req: DROP-3
#[tokio::test]
async fn the_own_household_drops_in_on_its_own_devices_and_is_told_by_name() {
    let mut scene = Scene::with_calls().await;
    let kitchen = scene.kitchen_id();
    let refused = scene.phone.refused(on_device(CALL, kitchen)).await;
    assert_eq!(refused, ErrorCode::Forbidden);
    let granted = scene.to_own_household(7);
    scene.give(&granted).await;
    scene.phone.done(on_device(CALL, kitchen)).await;
    is_asked(&mut scene.kitchen.session, CALL).await;
    let no = refuse(CALL, DropInRefusal::NoSignal);
    // Only the target refuses.
    assert_eq!(scene.bens.refused(no.clone()).await, ErrorCode::NotFound);
    assert_eq!(scene.phone.refused(no.clone()).await, ErrorCode::NotFound);
    scene.kitchen.session.done(no.clone()).await;
    let told = was_refused(&mut scene.phone, CALL).await;
    assert_eq!(told, DropInRefusal::NoSignal);
    // Late words change nothing.
    scene.kitchen.session.done(no).await;
    let late = open(CALL, DropInStage::Clear);
    assert_eq!(
        scene.kitchen.session.refused(late).await,
        ErrorCode::CallEnded
    );

    scene.phone.done(on_device(SECOND, kitchen)).await;
    is_asked(&mut scene.kitchen.session, SECOND).await;
    scene
        .kitchen
        .session
        .done(open(SECOND, DropInStage::Clear))
        .await;
    has_opened(&mut scene.phone, SECOND).await;
    scene.phone.done(hang_up(SECOND)).await;
    let there = call_ended(&mut scene.kitchen.session, SECOND).await;
    assert_eq!(there, EndReason::HungUp);
}

// req: A-26
#[tokio::test]
async fn of_several_devices_it_is_the_one_that_was_active_last_and_no_other() {
    let mut scene = Scene::with_calls().await;
    let known = scene.phone.home().await.household.unwrap().roster;
    let decode = |entry: &Blob| homeline_e2ee::signed::Signed::decode(&entry.0).unwrap();
    scene.anna.roster = known.iter().map(decode).collect();
    let paired = pair(
        &scene.server,
        &scene.anna,
        &mut scene.phone,
        Kind::HomeDevice,
    )
    .await;
    let mut hall = scene.server.session(&paired.token).await;
    let granted = scene.to_bens_household(7);
    scene.give(&granted).await;
    // Nobody was near: the one that came last.
    scene.bens.done(on_person(CALL, "anna")).await;
    is_asked(&mut hall, CALL).await;
    scene.bens.done(hang_up(CALL)).await;
    is_over(&mut hall, CALL).await;
    // Somebody speaks to the kitchen.
    let activity = Activity::Interaction;
    let kitchen = &mut scene.kitchen.session;
    kitchen.done(Request::ReportActivity { activity }).await;
    scene.bens.done(on_person(SECOND, "anna")).await;
    is_asked(kitchen, SECOND).await;
    assert!(!was_asked(&mut hall, SECOND).await);
    // Never all of them.
    let home = Callee::Place {
        place: homeline_protocol::session::Place::Home,
    };
    let third = homeline_protocol::id::CallId([0x53; 16]);
    let refused = scene.phone.refused(drop_in(third, home)).await;
    assert_eq!(refused, ErrorCode::BadRequest);
}

#[tokio::test]
async fn a_knock_opens_when_somebody_says_yes_and_ends_when_somebody_says_no() {
    let mut scene = Scene::with_calls().await;
    scene.ben_is_in(DropInStage::Knocking).await;
    let yes = Request::SetDropInStage {
        call: CALL,
        stage: DropInStage::Clear,
    };
    scene.kitchen.session.done(yes).await;
    assert_eq!(goes_on(&mut scene.bens, CALL).await, DropInStage::Clear);
    // It does not knock again, and is not turned away any more.
    let again = Request::SetDropInStage {
        call: CALL,
        stage: DropInStage::Knocking,
    };
    let kitchen = &mut scene.kitchen.session;
    assert_eq!(kitchen.refused(again).await, ErrorCode::Conflict);
    let no = refuse(CALL, DropInRefusal::TurnedAway);
    assert_eq!(kitchen.refused(no).await, ErrorCode::Conflict);
    scene.bens.done(hang_up(CALL)).await;
    assert_eq!(call_ended(kitchen, CALL).await, EndReason::HungUp);
    call_ended(&mut scene.bens, CALL).await;

    scene.bens.done(on_person(SECOND, "anna")).await;
    is_asked(kitchen, SECOND).await;
    kitchen.done(open(SECOND, DropInStage::Knocking)).await;
    has_opened(&mut scene.bens, SECOND).await;
    let no = refuse(SECOND, DropInRefusal::TurnedAway);
    kitchen.done(no).await;
    // Somebody outside hears this one word.
    let told = was_refused(&mut scene.bens, SECOND).await;
    assert_eq!(told, DropInRefusal::TurnedAway);
    assert_eq!(
        call_ended(&mut scene.bens, SECOND).await,
        EndReason::Declined
    );
}

// req: A-25
#[tokio::test]
async fn a_drop_in_counts_as_the_call_of_both_and_takes_nobody_else_in() {
    let mut scene = Scene::with_calls().await;
    scene.ben_is_in(DropInStage::Clear).await;
    assert_eq!(calls(&mut scene.bens).await, [true]);
    assert_eq!(calls(&mut scene.kitchen.session).await, [true]);
    let invitation = Blob(vec![1]);
    let add = Request::AddToCall {
        call: CALL,
        to: Callee::Person {
            handle: "nobody".parse().unwrap(),
        },
        invitation: invitation.clone(),
    };
    assert_eq!(scene.bens.refused(add).await, ErrorCode::Forbidden);
    // Nobody takes it over, with an invitation or without.
    let here = Request::MoveCall {
        call: CALL,
        to: scene.anna.device(),
        invitation: None,
    };
    assert_eq!(scene.phone.refused(here).await, ErrorCode::NotFound);
    let there = Request::MoveCall {
        call: CALL,
        to: scene.anna.device(),
        invitation: Some(invitation),
    };
    let refused = scene.kitchen.session.refused(there).await;
    assert_eq!(refused, ErrorCode::Forbidden);
    let rejoin = Request::Ringing {
        call: CALL,
        key_package: Blob(vec![2]),
        statement: Blob(vec![3]),
    };
    assert_eq!(scene.bens.refused(rejoin).await, ErrorCode::Conflict);
    // The one who drops in is in a call.
    let second = scene.bens.refused(on_person(SECOND, "anna")).await;
    assert_eq!(second, ErrorCode::AlreadyInCall);
    // The target says so of itself to whoever comes next; a lying one is held to it.
    scene.give(&scene.to_own_household(8)).await;
    let kitchen = scene.kitchen_id();
    scene.phone.done(on_device(SECOND, kitchen)).await;
    is_asked(&mut scene.kitchen.session, SECOND).await;
    let opens = open(SECOND, DropInStage::Clear);
    let refused = scene.kitchen.session.refused(opens).await;
    assert_eq!(refused, ErrorCode::AlreadyInCall);
    let told = was_refused(&mut scene.phone, SECOND).await;
    assert_eq!(told, DropInRefusal::Busy);
    scene.kitchen.session.done(hang_up(CALL)).await;
    call_ended(&mut scene.bens, CALL).await;
}

#[tokio::test]
async fn a_contacts_people_are_named_to_whoever_pinned_their_key_and_to_nobody_else() {
    let mut scene = Scene::new().await;
    let people = Request::ContactPeople {
        contact: super::BEN,
    };
    let answer = scene.phone.request(people.clone()).await.unwrap();
    let (person, household) = (scene.ben.account, vec![scene.ben.account]);
    assert_eq!(answer, Reply::ContactPeople { person, household });
    let by_device = scene.kitchen.session.refused(people.clone()).await;
    assert_eq!(by_device, ErrorCode::Forbidden);
    assert_eq!(
        scene.bens.refused(people.clone()).await,
        ErrorCode::NotFound
    );
    for pin in [
        Pin::NoneYet,
        Pin::Verified(crate::support::fresh_key().public()),
    ] {
        let revision = 2 + u64::from(pin != Pin::NoneYet);
        scene.phone.done(put_ben(&scene.anna, revision, pin)).await;
        let refused = scene.phone.refused(people.clone()).await;
        assert_eq!(refused, ErrorCode::NotFound);
    }
}

#[tokio::test]
async fn a_call_between_the_same_two_is_another_matter_and_whoever_answers_it_leaves() {
    let mut scene = Scene::with_calls().await;
    let paired = pair(&scene.server, &scene.ben, &mut scene.bens, Kind::HomeDevice).await;
    let mut study = scene.server.session(&paired.token).await;
    scene.ben_is_in(DropInStage::Clear).await;
    let call = Request::StartCall {
        call: SECOND,
        to: Callee::Person {
            handle: "anna".parse().unwrap(),
        },
        video: false,
        invitation: Blob(vec![1]),
    };
    study.done(call).await;
    // It rings at the phone, and waits at the device that is dropped in on.
    let rings = |event: &Event| matches!(event, Event::IncomingCall { .. }).then_some(());
    scene.phone.event(rings).await;
    let waits = |event: &Event| matches!(event, Event::CallWaiting { .. }).then_some(());
    scene.kitchen.session.event(waits).await;
    let ringing = Request::Ringing {
        call: SECOND,
        key_package: Blob(vec![2]),
        statement: Blob(vec![3]),
    };
    let answer = Request::Answer {
        call: SECOND,
        media: homeline_protocol::session::MediaState {
            microphone: true,
            camera: false,
        },
    };
    scene.kitchen.session.done(ringing).await;
    scene.kitchen.session.done(answer).await;
    assert_eq!(call_ended(&mut scene.bens, CALL).await, EndReason::HungUp);
    assert_eq!(calls(&mut study).await, [true]);
    assert_eq!(history(&mut scene.bens).await, 0);
}
