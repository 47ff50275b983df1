//! Waits grow, end with a day, and the queue keeps its promises.

use std::time::Duration;

use homeline_protocol::id::HouseholdId;
use homeline_protocol::session::MailState;

use super::rules::{GIVE_UP_AFTER, next_try};
use super::{Mailer, NewMail, PromiseMailError};
use crate::bus::Bus;
use crate::gateway::{Mail, MailConfig, MailWay};
use crate::model::{Clock, UnixMillis};
use crate::store::households::{self, HouseholdRow};
use crate::store::{Db, mail};

const START: UnixMillis = UnixMillis(1_795_305_600_000);
const HOUSEHOLD: HouseholdId = HouseholdId([4; 16]);

#[test]
fn waits_double_up_to_an_hour_and_end_with_the_day() {
    let (mut now, mut tries, mut waits) = (START, 0, vec![]);
    loop {
        tries += 1;
        let Some(at) = next_try(START, tries, now) else {
            break;
        };
        waits.push(at.since(now).as_secs());
        now = at;
    }
    assert_eq!(waits[..8], [60, 120, 240, 480, 960, 1920, 3600, 3600]);
    assert!(waits.iter().all(|wait| *wait <= 3600));
    assert_eq!(now, START.plus(GIVE_UP_AFTER), "the last try");
    assert_eq!(
        next_try(START, u32::MAX, now.minus(Duration::from_millis(1))),
        Some(now)
    );
}

async fn mailer(mail: Mail) -> (Mailer, Db, Clock) {
    let (db, clock) = (Db::open_in_memory().await.unwrap(), Clock::fixed(START));
    let mut tx = db.write().await.unwrap();
    let row = HouseholdRow {
        id: HOUSEHOLD,
        genesis: vec![],
        recovery_certificate: vec![],
        recovery_hash: String::new(),
    };
    households::insert(&mut tx, &row, START).await.unwrap();
    tx.commit().await.unwrap();
    let mailer = Mailer::new((db.clone(), Bus::default(), clock.clone()), mail);
    (mailer, db, clock)
}

fn new_mail() -> NewMail {
    NewMail {
        household: HOUSEHOLD,
        to: "anna@example.org".parse().unwrap(),
        subject: "Subject".to_owned(),
        text: "Text\n".to_owned(),
    }
}

/// A way out that leads nowhere: nothing listens on port 1.
fn nowhere() -> Mail {
    let mut config = MailConfig {
        way: MailWay::Smtp,
        ..MailConfig::default()
    };
    config.smtp.security = crate::gateway::Security::None;
    config.smtp.server = "127.0.0.1".to_owned();
    config.smtp.port = 1;
    Mail::new(&config).unwrap()
}

#[tokio::test]
async fn a_mail_that_can_not_be_sent_is_given_up_after_a_day_and_forgotten_but_for_that() {
    let (mailer, db, clock) = mailer(nowhere()).await;
    let mut tx = db.write().await.unwrap();
    let id = mailer.promise(&mut tx, new_mail()).await.unwrap();
    tx.commit().await.unwrap();
    mailer.deliver_due().await.unwrap();
    let mut tx = db.read().await.unwrap();
    assert_eq!(mailer.state(&mut tx, id).await.unwrap(), MailState::Waiting);
    assert_eq!(
        mail::next_due(&mut tx).await.unwrap(),
        Some(START.plus(Duration::from_secs(60)))
    );
    drop(tx);
    clock.advance(GIVE_UP_AFTER);
    mailer.deliver_due().await.unwrap();
    let mut tx = db.read().await.unwrap();
    assert_eq!(mailer.state(&mut tx, id).await.unwrap(), MailState::GivenUp);
    assert_eq!(mail::waiting(&mut tx).await.unwrap(), 0);
}

#[tokio::test]
async fn a_full_queue_refuses_and_a_server_without_mail_promises_none() {
    let (mailer, db, _) = mailer(nowhere()).await;
    let mut tx = db.write().await.unwrap();
    for _ in 0..2_000 {
        mailer.promise(&mut tx, new_mail()).await.unwrap();
    }
    let refused = mailer.promise(&mut tx, new_mail()).await;
    assert!(matches!(refused, Err(PromiseMailError::Full)));
    let silent = Mailer::new((db, Bus::default(), Clock::fixed(START)), Mail::Off);
    assert!(matches!(
        silent.promise(&mut tx, new_mail()).await,
        Ok(None)
    ));
}
