//! Calling a device, or the whole home, and whom one press calls.

use homeline_protocol::id::CallId;
use homeline_protocol::session::{
    CallDirection, Callee, Capabilities, EndReason, ErrorCode, Event, Place, Reply, Request,
    TopContact,
};

use super::{a_call, hears_of, quick, refused, silent};
use crate::harness::{Client, Server, blob, ringing};

fn call(call: CallId, to: Callee) -> Request {
    Request::StartCall {
        call,
        to,
        video: false,
        invitation: blob("invitation"),
    }
}

async fn rings_for(client: &mut Client) -> (CallId, String) {
    client
        .event_of(|event| match event {
            Event::IncomingCall { call, to, .. } => Some((*call, to.handle.to_string())),
            _ => None,
        })
        .await
}

#[tokio::test]
async fn a_device_of_the_own_household_is_called_by_itself() {
    let server = Server::with(quick()).await;
    let anna = server.person("anna").await;
    let ben = server.member("ben", anna.household).await;
    let (mut phone, mut bens) = (server.app(&anna).await, server.app(&ben).await);
    let (mut kitchen, mut hall) = (
        server.home_device(&anna).await,
        server.home_device(&anna).await,
    );
    let device = kitchen.seat.device;

    // From another's app, and from an app of its own person.
    for caller in [&mut bens, &mut phone] {
        let id = a_call();
        caller.ok(call(id, Callee::Device { device })).await;
        assert_eq!(rings_for(&mut kitchen).await, (id, "anna".to_owned()));
        kitchen.ok(ringing(id)).await;
        kitchen.answer(id).await;
        assert!(!hears_of(&mut hall, id).await);
        let Reply::Calls { calls } = kitchen.ok(Request::ListCalls).await else {
            panic!()
        };
        assert_eq!(calls[0].direction, CallDirection::Incoming);
        let reason = EndReason::HungUp;
        caller.ok(Request::HangUp { call: id, reason }).await;
        assert_eq!(kitchen.ended(id).await, EndReason::HungUp);
        assert_eq!(caller.ended(id).await, EndReason::HungUp);
    }

    kitchen.ok(silent(device, true)).await;
    let error = refused(&mut bens, call(a_call(), Callee::Device { device })).await;
    assert_eq!(error.code, ErrorCode::NotAvailable);
    assert_eq!(error.message, "Kitchen is on do not disturb.");
    let itself = call(a_call(), Callee::Device { device });
    assert_eq!(kitchen.err(itself.clone()).await, ErrorCode::BadRequest);
    let zoe = server.person("zoe").await;
    let mut zoes = server.app(&zoe).await;
    assert_eq!(zoes.err(itself).await, ErrorCode::NotFound);
}

#[tokio::test]
async fn home_is_every_home_device_but_the_asking_one() {
    let server = Server::with(quick()).await;
    let anna = server.person("anna").await;
    let ben = server.member("ben", anna.household).await;
    let mut bens = server.app(&ben).await;
    let (mut kitchen, mut hall) = (
        server.home_device(&anna).await,
        server.home_device(&ben).await,
    );
    let mut attic = server.home_device(&ben).await;
    attic.ok(silent(attic.seat.device, true)).await;

    let id = a_call();
    let home = Callee::Place { place: Place::Home };
    kitchen.ok(call(id, home.clone())).await;
    // It rings for whoever asks, who signed for the whole household.
    assert_eq!(rings_for(&mut hall).await, (id, "anna".to_owned()));
    assert!(!hears_of(&mut bens, id).await && !hears_of(&mut attic, id).await);
    hall.ok(ringing(id)).await;
    hall.answer(id).await;
    let reason = EndReason::HungUp;
    hall.ok(Request::HangUp { call: id, reason }).await;
    assert_eq!(kitchen.ended(id).await, EndReason::HungUp);
    // Whoever answered has it in their history.
    let history = Request::ListHistory {
        before_ms: None,
        limit: 10,
    };
    let Reply::History { calls } = bens.ok(history).await else {
        panic!()
    };
    assert_eq!(calls[0].party.handle, anna.handle);

    hall.ok(silent(hall.seat.device, true)).await;
    let error = refused(&mut kitchen, call(a_call(), home)).await;
    assert_eq!(error.code, ErrorCode::NotAvailable);
}

// req: REG-9
#[tokio::test]
async fn a_device_without_a_loudspeaker_is_not_rung_and_the_others_of_its_person_are() {
    let server = Server::with(quick()).await;
    let (anna, zoe) = (server.person("anna").await, server.person("zoe").await);
    let (mut phone, mut zoes) = (server.app(&anna).await, server.app(&zoe).await);
    let (mut sensor, mut hall) = (
        server.home_device(&anna).await,
        server.home_device(&anna).await,
    );
    let ear = Capabilities {
        microphone: true,
        speaker: false,
        screen: false,
        camera: false,
    };
    sensor
        .ok(Request::SetCapabilities { capabilities: ear })
        .await;
    // A voice-only device rings for a call with a picture, like one that could show it.
    let id = a_call();
    let to = Callee::Person {
        handle: anna.handle.clone(),
    };
    let with_picture = Request::StartCall {
        call: id,
        to,
        video: true,
        invitation: blob("invitation"),
    };
    zoes.ok(with_picture).await;
    assert!(hears_of(&mut phone, id).await && hears_of(&mut hall, id).await);
    assert!(!hears_of(&mut sensor, id).await);
    zoes.ok(Request::Cancel { call: id }).await;
    zoes.ended(id).await;

    // To the household it is said.
    let device = sensor.seat.device;
    let error = refused(&mut phone, call(a_call(), Callee::Device { device })).await;
    assert_eq!(error.code, ErrorCode::NotAvailable);
    assert!(error.message.contains("lacks what is needed"));
    // It can call, and tells what it has again when that changes.
    let speaks = Capabilities {
        speaker: true,
        ..ear
    };
    let able = Request::SetCapabilities {
        capabilities: speaks,
    };
    sensor.ok(able).await;
    let id = a_call();
    phone.ok(call(id, Callee::Device { device })).await;
    assert!(hears_of(&mut sensor, id).await);
}

// req: TOP-1
#[tokio::test]
async fn a_person_has_one_top_contact_which_their_devices_know() {
    let server = Server::start().await;
    let (anna, ben) = (server.person("anna").await, server.person("ben").await);
    let mut phone = server.app(&anna).await;
    let mut kitchen = server.home_device(&anna).await;
    let contact = server.contact(&anna, &ben.handle).await;
    let set = |top_contact| Request::SetTopContact { top_contact };
    let told = async |client: &mut Client| {
        client
            .event_of(|event| match event {
                Event::TopContactChanged { top_contact } => Some(top_contact.clone()),
                _ => None,
            })
            .await
    };
    let bens = Some(TopContact::Contact { contact });
    phone.ok(set(bens.clone())).await;
    assert_eq!(told(&mut kitchen).await, bens);
    let Reply::Home(home) = kitchen.ok(Request::GetHome).await else {
        panic!()
    };
    assert_eq!(home.settings.top_contact, bens);
    let by_handle = Some(TopContact::Person { handle: ben.handle });
    phone.ok(set(by_handle.clone())).await;
    assert_eq!(told(&mut kitchen).await, by_handle);
    phone.ok(set(None)).await;
    assert_eq!(told(&mut kitchen).await, None);

    assert_eq!(kitchen.err(set(bens)).await, ErrorCode::Forbidden);
    let unknown = Some(TopContact::Contact {
        contact: homeline_protocol::id::ContactId([9; 16]),
    });
    assert_eq!(phone.err(set(unknown)).await, ErrorCode::BadRequest);
}
