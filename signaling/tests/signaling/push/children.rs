//! What goes out about a child: to a message service, a push service, and to people who have a number.

use homeline_protocol::session::{ErrorCode, NumberKind, Request};

use super::service::{Device, PushService};
use super::stories::{call, ended, nearby};
use crate::address_book::{allow, brought, import, imported, written};
use crate::children::{CHILD, Family};
use crate::numbers::{NUMBER, Service, own, start, verify};
use crate::support::Server;

const MOTHERS: &str = "+12015550124";

// req: KID-9
#[tokio::test]
async fn nothing_of_a_child_goes_to_others_without_consent_and_no_name_with_it() {
    let mut sms = Service::good().await;
    let (mut pushes, device) = (PushService::start().await, Device::new(7));
    let server = Server::start_with_calls(|config| {
        nearby(config);
        sms.configure(config);
        config.calls.ring_timeout_secs = 1;
    })
    .await;
    let mut family = Family::at(&server).await;
    family.zebs.done(pushes.subscribe(&device, "zeb")).await;

    // Without consent: no message with the child's number, no push, nobody told.
    let refused = family.zebs.request(start(NUMBER)).await.unwrap_err();
    assert_eq!(refused.code, ErrorCode::Forbidden);
    assert!(refused.message.contains("adult of your household"));
    let again = family.zeb.session(&server).await;
    drop(std::mem::replace(&mut family.zebs, again));
    let unheard = call(&mut family.carls, CHILD).await;
    ended(&mut family.carls, unheard).await;
    assert!(sms.messages.is_empty() && pushes.is_empty());

    // With it: a number and six digits, and a sealed push. Neither names anybody.
    family.consent().await;
    family.zebs.request(start(NUMBER)).await.unwrap();
    let message = sms.messages.recv().await.unwrap();
    assert!(message.body.contains(NUMBER));
    assert!(!message.body.to_lowercase().contains(CHILD));
    drop(family.zebs);
    let rung = call(&mut family.annas, CHILD).await;
    let pushed = pushes.message().await;
    let inside = String::from_utf8(device.decrypt(&pushed)).unwrap();
    let outside = format!("{} {:?}", pushed.path, pushed.headers);
    for name in [CHILD, "anna", NUMBER] {
        let named = inside.to_lowercase().contains(name) || outside.contains(name);
        assert!(!named, "{name} in {inside} {outside}");
    }
    family.annas.done(Request::Cancel { call: rung }).await;
    pushes.message().await;

    // Withdrawn: as before.
    let account = family.zeb.account;
    let withdraw = Request::WithdrawConsent { account };
    family.annas.done(withdraw).await;
    let mut zebs = family.zeb.session(&server).await;
    assert_eq!(zebs.refused(start(NUMBER)).await, ErrorCode::Forbidden);
    drop(zebs);
    let unheard = call(&mut family.carls, CHILD).await;
    ended(&mut family.carls, unheard).await;
    assert!(sms.messages.is_empty() && pushes.is_empty());
}

// req: KID-9
#[tokio::test]
async fn who_has_a_childs_number_is_not_shown_the_child_and_is_shown_the_mother() {
    let mut sms = Service::good().await;
    let server = Server::start_with(|config| sms.configure(config)).await;
    let mut family = Family::at(&server).await;
    family.consent().await;
    verify(&mut family.zebs, &mut sms, NUMBER).await;
    verify(&mut family.annas, &mut sms, MOTHERS).await;
    assert_eq!(
        own(&mut family.zebs).await,
        Some((NUMBER.to_owned(), false))
    );

    allow(&mut family.carls).await;
    let mobile = |number| vec![written(NumberKind::Mobile, number)];
    let entries = vec![
        brought("1", "Anna", mobile(MOTHERS)),
        brought("2", "Her son", mobile(NUMBER)),
    ];
    import(&mut family.carls, 1, entries).await;
    let shown = imported(&mut family.carls).await;
    let shown: Vec<_> = shown.iter().map(|one| one.registered.clone()).collect();
    assert_eq!(shown, [Some("anna".parse().unwrap()), None]);

    let on = Request::SetDiscoverable { on: true };
    let refused = family.zebs.refused(on.clone()).await;
    assert_eq!(refused, ErrorCode::Forbidden);
    family.annas.done(on).await;
}
