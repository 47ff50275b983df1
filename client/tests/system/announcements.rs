//! Announcements between devices of one household, through a whole server.

use homeline_client::ClientEvent;
use homeline_client::announcements::{
    AnnounceError, Content, IncomingAnnouncement, NotTaken, SteadyClock, decode, encode,
};
use homeline_client::session::RequestError;
use homeline_client::sound::level_at;
use homeline_e2ee::announcement::HeardError;
use homeline_protocol::id::{AnnouncementId, DeviceId};
use homeline_protocol::session::{
    AnnounceTo, Announced, AnnouncementFate, AnnouncementHeard, DoNotDisturb, ErrorCode, Event,
    Outcome, QuietSchedule, QuietWindow, Reply, Request, ServerFrame, Weekday,
};

use crate::house::{Person, soon};
use crate::proxy::{Lie, Proxy};
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
                Reply::SealingKeys { keys } => {
                    if keys.len() >= devices {
                        return;
                    }
                }
                other => panic!("{other:?}"),
            }
            // The server tells nobody of a new one; a session may ask 20 times a second.
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
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

/// Every day until this minute, for ten.
fn times_until(minute: u64) -> DoNotDisturb {
    let of_day = |minute: u64| u16::try_from(minute % 1440).unwrap();
    let window = QuietWindow {
        days: vec![
            Weekday::Monday,
            Weekday::Tuesday,
            Weekday::Wednesday,
            Weekday::Thursday,
            Weekday::Friday,
            Weekday::Saturday,
            Weekday::Sunday,
        ],
        from_minute: of_day(minute - 10),
        to_minute: of_day(minute),
    };
    let schedule = QuietSchedule {
        time_zone: "UTC".to_owned(),
        windows: vec![window],
    };
    DoNotDisturb {
        schedule: Some(schedule),
        ..DoNotDisturb::default()
    }
}

// req: ANN-4
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn when_the_weekly_times_end_it_is_offered_without_anything_else_happening() {
    let server = TestServer::start().await;
    let anna = Person::found(&server.server(), "anna").await;
    let mut kitchen = anna.pair(&server.server(), "anna", "Kitchen").await;
    ready(&anna, 1).await;
    anna.client.refresh().await.unwrap();
    // By its own clock the times end in four seconds.
    let now_ms = crate::drop_in::now().0;
    let end_ms = now_ms.next_multiple_of(60_000);
    let ahead_ms = i64::try_from(end_ms - now_ms).unwrap() - 4_000;
    let clock = SteadyClock::wrong_by(ahead_ms, 0);
    kitchen.client.set_clock(clock);
    let do_not_disturb = times_until(end_ms / 60_000);
    let set = Request::SetDoNotDisturb { do_not_disturb };
    anna.client.session().done(set).await.unwrap();
    kitchen.client.set_do_not_disturb(true).await.unwrap();
    let announcing = anna.client.announce(AnnounceTo::Home, recorded(), None);
    let announcing = announcing.await.unwrap();
    assert_eq!(announcing.receivers[0].fate, AnnouncementFate::Quiet);
    // Its own switch is off again, and the times go on.
    kitchen.client.set_do_not_disturb(false).await.unwrap();
    let offered = announced(&mut kitchen).await;
    assert!(clock.time_of_day().0 >= end_ms);
    assert!(!offered.play && offered.content == recorded());
}

/// Shows what it has told once again, whenever a device asks what waits.
struct Again {
    told: Vec<Announced>,
}

impl Lie for Again {
    fn says(&mut self, frame: &mut ServerFrame) {
        match frame {
            ServerFrame::Event { body, .. } => {
                if let Event::Announced(told) = &**body {
                    self.told.push(told.clone());
                }
            }
            ServerFrame::Reply {
                result: Outcome::Ok(reply),
                ..
            } => {
                if let Reply::Announcements { announcements } = &mut **reply {
                    announcements.clone_from(&self.told);
                }
            }
            _ => {}
        }
    }
}

// req: ANN-1
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_heard_is_not_played_again_after_a_restart_and_what_was_not_still_is() {
    let server = TestServer::start().await;
    let anna = Person::found(&server.server(), "anna").await;
    let identity = anna
        .pair(&server.server(), "anna", "Kitchen")
        .await
        .identity;
    let proxy = Proxy::start(&server.address, Again { told: vec![] }).await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("identity.json");
    let begin = async || Person::connect_at(&proxy.server(), identity.clone(), &path).await;
    let mut kitchen = begin().await;
    ready(&anna, 1).await;
    anna.client.refresh().await.unwrap();
    let mut ids = Vec::new();
    for said in ["Dinner's ready", "Wash your hands"] {
        let announcing = anna.client.announce(AnnounceTo::Home, text(said), None);
        ids.push(announcing.await.unwrap().id);
    }
    let came = [announced(&mut kitchen).await, announced(&mut kitchen).await];
    let first = came.iter().find(|one| one.id == ids[0]).unwrap();
    first.heard(AnnouncementHeard::Played).await.unwrap();
    drop((came, kitchen));

    let mut kitchen = begin().await;
    let refused = soon("the refusal", async {
        loop {
            match kitchen.events.recv().await.expect("the client lives") {
                ClientEvent::AnnouncementRefused { id, because } => return (id, because),
                ClientEvent::Announcement(incoming) => assert_ne!(incoming.id, ids[0]),
                _ => {}
            }
        }
    })
    .await;
    assert_eq!(refused.0, ids[0]);
    assert!(matches!(refused.1, NotTaken::Heard(HeardError::Before)));
    let still = announced(&mut kitchen).await;
    assert!(still.id == ids[1] && still.content == text("Wash your hands"));
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
