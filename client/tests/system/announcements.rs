//! Announcements between devices of one household, through a whole server.

use std::time::Duration;

use homeline_client::ClientEvent;
use homeline_client::announcements::{
    AnnounceError, Content, IncomingAnnouncement, SteadyClock, decode, encode,
};
use homeline_client::session::RequestError;
use homeline_client::sound::level_at;
use homeline_protocol::id::{AnnouncementId, DeviceId};
use homeline_protocol::session::{
    AnnounceTo, AnnouncementFate, AnnouncementHeard, ErrorCode, Request,
};

use crate::house::{Person, soon};
use crate::server::TestServer;

/// Half a second of a voice, as far as a test has one.
fn voice() -> Vec<i16> {
    let at = |index: i32| {
        let turns = f64::from(index) * 1_000.0 / 48_000.0;
        (9_000.0 * (std::f64::consts::TAU * turns).sin()) as i16
    };
    (0..24_000).map(at).collect()
}

fn recorded() -> Content {
    let (ogg, length_ms) = encode(&voice()).unwrap();
    Content::Sound { ogg, length_ms }
}

fn text(text: &str) -> Content {
    Content::Text(text.to_owned())
}

async fn announced(device: &mut Person) -> IncomingAnnouncement {
    soon("an announcement", async {
        loop {
            match device.events.recv().await.expect("the client lives") {
                ClientEvent::Announcement(incoming) => return *incoming,
                ClientEvent::AnnouncementRefused { because, .. } => panic!("refused: {because}"),
                _ => {}
            }
        }
    })
    .await
}

async fn heard(person: &mut Person) -> (AnnouncementId, DeviceId, AnnouncementHeard) {
    soon("an acknowledgement", async {
        loop {
            let event = person.events.recv().await.expect("the client lives");
            if let ClientEvent::AnnouncementHeard { id, device, heard } = event {
                return (id, device, heard);
            }
        }
    })
    .await
}

/// Waits until each of these devices can be sealed to.
async fn ready(person: &Person, devices: usize) {
    soon("the sealing keys", async {
        loop {
            let asked = person.client.session().request(Request::GetSealingKeys);
            match asked.await.unwrap() {
                homeline_protocol::session::Reply::SealingKeys { keys } => {
                    if keys.len() >= devices {
                        return;
                    }
                }
                other => panic!("{other:?}"),
            }
            // The server tells nobody of a new one; a session may ask 20 times a second.
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    })
    .await;
}

// req: ANN-1, ANN-2, ANN-3, A-40, A-41, V18
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_announcement_is_heard_in_the_speakers_own_voice_at_all_other_devices_at_one_moment() {
    let server = TestServer::start().await;
    let anna = Person::found(&server.server(), "anna").await;
    let mut devices = Vec::new();
    for label in ["Kitchen", "Bath", "Garage"] {
        devices.push(anna.pair(&server.server(), "anna", label).await);
    }
    ready(&anna, 3).await;
    anna.client.refresh().await.unwrap();
    let (mut kitchen, mut rest) = (devices.remove(0), devices);
    kitchen.client.refresh().await.unwrap();
    // One clock is five seconds behind and slow, the other ahead and fast.
    rest[0].client.set_clock(SteadyClock::wrong_by(-5_000, -50));
    rest[1].client.set_clock(SteadyClock::wrong_by(5_000, 50));

    let announcing = kitchen.client.announce(AnnounceTo::Home, recorded(), None);
    let announcing = soon("announcing", announcing).await.unwrap();
    assert_eq!(announcing.receivers.len(), 2);
    let told =
        |one: &homeline_protocol::session::AnnouncementReceiver| one.fate == AnnouncementFate::Told;
    assert!(announcing.receivers.iter().all(told));
    let mut begins = Vec::new();
    for device in &mut rest {
        let incoming = announced(device).await;
        assert_eq!(incoming.from, "Kitchen");
        assert!(incoming.play);
        let Content::Sound { ogg, length_ms } = &incoming.content else {
            panic!("sound")
        };
        assert_eq!(*length_ms, 500);
        let played = decode(ogg).unwrap();
        assert!(level_at(1_000.0, &played[2_400..21_600]) > 0.9);
        begins.push(incoming.begin);
        incoming.heard(AnnouncementHeard::Played).await.unwrap();
    }
    let apart = begins[0].max(begins[1]) - begins[0].min(begins[1]);
    assert!(apart.as_millis() < 40, "{apart:?}");
    for _ in &rest {
        let (id, device, how) = heard(&mut kitchen).await;
        assert_eq!((id, how), (announcing.id, AnnouncementHeard::Played));
        assert!(rest.iter().any(|one| one.client.device() == device));
    }
}

// req: ANN-5
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_typed_arrives_as_text_and_is_answered_by_an_announcement() {
    let server = TestServer::start().await;
    let anna = Person::found(&server.server(), "anna").await;
    let mut kitchen = anna.pair(&server.server(), "anna", "Kitchen").await;
    let mut bath = anna.pair(&server.server(), "anna", "Bath").await;
    ready(&anna, 2).await;
    kitchen.client.refresh().await.unwrap();

    let device = bath.client.device();
    let to = AnnounceTo::Device { device };
    let asked = kitchen.client.announce(to, text("Are you there?"), None);
    let asked = asked.await.unwrap();
    let incoming = announced(&mut bath).await;
    assert!(incoming.content == text("Are you there?"));
    incoming.reply(text("Coming")).await.unwrap();
    let answer = announced(&mut kitchen).await;
    assert!(answer.content == text("Coming"));
    assert_eq!(answer.reply_to, Some(asked.id));
    assert_eq!(answer.from, "Bath");
}

// req: ANN-4, DND-6
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_device_on_do_not_disturb_gets_it_to_offer_when_that_ends() {
    let server = TestServer::start().await;
    let anna = Person::found(&server.server(), "anna").await;
    let mut kitchen = anna.pair(&server.server(), "anna", "Kitchen").await;
    ready(&anna, 1).await;
    anna.client.refresh().await.unwrap();
    kitchen.client.set_do_not_disturb(true).await.unwrap();
    let announcing = anna.client.announce(AnnounceTo::Home, recorded(), None);
    let announcing = announcing.await.unwrap();
    assert_eq!(announcing.receivers[0].fate, AnnouncementFate::Quiet);
    kitchen.client.set_do_not_disturb(false).await.unwrap();
    let offered = announced(&mut kitchen).await;
    assert!(!offered.play);
    assert!(offered.content == recorded());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_nothing_can_be_heard_nothing_is_announced() {
    let server = TestServer::start().await;
    let anna = Person::found(&server.server(), "anna").await;
    let nobody = anna.client.announce(AnnounceTo::Home, text("Hello"), None);
    assert!(matches!(nobody.await, Err(AnnounceError::Seal(_))));
    let mut kitchen = anna.pair(&server.server(), "anna", "Kitchen").await;
    ready(&anna, 1).await;
    anna.client.refresh().await.unwrap();
    // Only the device itself is there: it does not hear itself.
    kitchen.client.refresh().await.unwrap();
    let alone = kitchen
        .client
        .announce(AnnounceTo::Home, text("Hello"), None);
    assert!(matches!(alone.await, Err(AnnounceError::Seal(_))));
    let long = "a".repeat(homeline_client::announcements::TEXT_BYTES_MAX + 1);
    let long = anna.client.announce(AnnounceTo::Home, text(&long), None);
    assert!(matches!(long.await, Err(AnnounceError::Seal(_))));

    // A device of another household announces nothing here, and hears nothing.
    let ben = Person::found(&server.server(), "ben").await;
    let device = kitchen.client.device();
    let to = AnnounceTo::Device { device };
    let refused = ben.client.announce(to, text("Hello"), None).await;
    assert!(matches!(refused, Err(AnnounceError::Seal(_))));
    let fetched = Request::GetAnnouncement {
        announcement: AnnouncementId([1; 16]),
    };
    let refused = ben.client.session().request(fetched).await;
    assert!(
        matches!(refused, Err(RequestError::Refused(error)) if error.code == ErrorCode::NotFound)
    );
    anna.client
        .announce(AnnounceTo::Home, text("Hello"), None)
        .await
        .unwrap();
    assert!(announced(&mut kitchen).await.content == text("Hello"));
}
