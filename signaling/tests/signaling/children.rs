//! Parents and children: consent and its mail, what a child did, and its deletion. Mail goes through a
//! real mail server (Debian's Exim), over STARTTLS, signed in.

use std::time::Duration;

use homeline_e2ee::certificate::Kind;
use homeline_e2ee::invitation::JoinSecret;
use homeline_protocol::http::{ConsentLink, ConsentReview, SignedIn};
use homeline_protocol::id::{AccountId, CallId};
use homeline_protocol::session::{
    Callee, ConsentRecord, ConsentText, ErrorCode, Event, MailState, MediaState, PastCall, Reply,
    Request, Role,
};
use homeline_protocol::{Blob, Secret};

use crate::support::{Person, PostOffice, Server, Session};

const SECRET: JoinSecret = JoinSecret([7; 32]);
const EMAIL: &str = "anna@example.org";
/// No word of a mail has these letters by chance.
pub(crate) const CHILD: &str = "zebedee";

/// A household with two adults and a child, and somebody of another one.
pub(crate) struct Family {
    pub(crate) anna: Person,
    pub(crate) annas: Session,
    pub(crate) bens: Session,
    pub(crate) ben: Person,
    pub(crate) zeb: Person,
    pub(crate) zebs: Session,
    pub(crate) carls: Session,
}

impl Family {
    pub(crate) async fn at(server: &Server) -> Self {
        let mut anna = Person::founder(server, "anna").await;
        let mut annas = anna.session(server).await;
        let ben = join(server, &mut anna, &mut annas, "ben", Role::Adult).await;
        let zeb = join(server, &mut anna, &mut annas, CHILD, Role::Child).await;
        let carl = Person::founder(server, "carl").await;
        Self {
            bens: ben.session(server).await,
            zebs: zeb.session(server).await,
            carls: carl.session(server).await,
            anna,
            annas,
            ben,
            zeb,
        }
    }

    pub(crate) async fn consent(&mut self) -> ConsentRecord {
        let given = give(self.zeb.account, EMAIL, 1);
        record(self.annas.request(given).await).1.unwrap()
    }
}

async fn join(
    server: &Server,
    host: &mut Person,
    hosts: &mut Session,
    handle: &str,
    role: Role,
) -> Person {
    let Ok(Reply::Invitation(invitation)) = hosts.request(Request::CreateInvitation).await else {
        panic!("no invitation");
    };
    let (mut guest, request) = Person::joining(host, handle, invitation.id, &SECRET);
    let signed_in: SignedIn = server.post("/v1/sign-up", &request).await.ok();
    let adult = role != Role::Child;
    let (entry, chain) = host.take_in(
        server.now(),
        &guest.app,
        Kind::App,
        (guest.account, adult),
        &guest.label,
    );
    hosts
        .done(Request::AdmitMember {
            invitation: invitation.id,
            account: guest.account,
            device: guest.device(),
            adult,
            entry: entry.encode().into(),
            chain: chain.encode().into(),
            role: Some(role),
        })
        .await;
    host.roster.push(entry);
    guest.token = signed_in.token;
    guest
}

fn give(account: AccountId, email: &str, version: u16) -> Request {
    Request::GiveConsent {
        account,
        name: "Anna B.".to_owned(),
        email: email.parse().unwrap(),
        version,
    }
}

fn record(
    reply: Result<Reply, homeline_protocol::session::ApiError>,
) -> (ConsentText, Option<ConsentRecord>) {
    match reply {
        Ok(Reply::Consent { text, record }) => (text, record.map(|record| *record)),
        other => panic!("{other:?}"),
    }
}

pub(crate) fn call(id: u8, to: &str) -> Request {
    Request::StartCall {
        call: CallId([id; 16]),
        to: Callee::Person {
            handle: to.parse().unwrap(),
        },
        video: false,
        invitation: Blob(vec![id]),
    }
}

pub(crate) fn rings(event: &Event) -> Option<CallId> {
    match event {
        Event::IncomingCall { call, .. } => Some(*call),
        _ => None,
    }
}

fn ended(event: &Event) -> Option<CallId> {
    match event {
        Event::CallEnded { call, .. } => Some(*call),
        _ => None,
    }
}

fn settled(event: &Event) -> Option<bool> {
    match event {
        Event::MailSettled { sent, .. } => Some(*sent),
        _ => None,
    }
}

/// The secret in a consent's mail.
pub(crate) fn link(mail: &str) -> ConsentLink {
    let secret = mail.split("https://home.example:8443/consent#").nth(1);
    let secret = secret.and_then(|rest| rest.split_whitespace().next());
    ConsentLink {
        secret: Secret::new(secret.expect("the mail has a link")),
    }
}

async fn calls_of(session: &mut Session, request: Request) -> Vec<PastCall> {
    match session.request(request).await {
        Ok(Reply::History { calls }) => calls,
        other => panic!("{other:?}"),
    }
}

fn child_calls(account: AccountId, before_ms: Option<u64>, limit: u16) -> Request {
    Request::ListChildCalls {
        account,
        before_ms,
        limit,
    }
}

fn own_calls() -> Request {
    Request::ListHistory {
        before_ms: None,
        limit: 50,
    }
}

/// A call that the callee declines: history for both.
async fn declined(caller: &mut Session, callee: &mut Session, id: u8, to: &str) {
    caller.done(call(id, to)).await;
    let call = callee.event(rings).await;
    callee.done(Request::Decline { call }).await;
    caller.event(ended).await;
}

// req: KID-4, KID-5, KID-9
#[tokio::test]
async fn a_child_calls_once_an_adult_consented_and_a_mail_confirms_it_without_naming_the_child() {
    let mut office = PostOffice::opened().await;
    let server = Server::start_with(|config| office.configure(config)).await;
    let mut family = Family::at(&server).await;
    let refused = family.zebs.refused(call(1, "anna")).await;
    assert_eq!(refused, ErrorCode::Forbidden, "the child asks an adult");
    let refused = family.annas.refused(call(2, CHILD)).await;
    assert_eq!(refused, ErrorCode::NotAvailable, "the family hears why");
    family.carls.done(call(3, CHILD)).await;
    assert!(!family.zebs.has_seen(|event| rings(event).is_some()).await);

    let asked = Request::GetConsent {
        account: family.zeb.account,
    };
    let (text, none) = record(family.annas.request(asked.clone()).await);
    assert_eq!((text.version, none), (1, None));
    assert!(text.text.contains("Until you consent"));
    let given = family.consent().await;
    assert_eq!((given.by, given.version), (family.anna.account, 1));
    assert_eq!(given.given_at_ms, server.clock.now().0);
    let mail = office.mail().await;
    assert!(mail.contains("To: anna@example.org\n"), "{mail}");
    let reference = &given.consent.to_string()[..8];
    assert!(mail.contains(&format!("Reference: {reference}")), "{mail}");
    assert!(family.annas.event(settled).await);
    let (_, stored) = record(family.annas.request(asked).await);
    let sent = ConsentRecord {
        mail_state: MailState::Sent,
        ..given
    };
    assert_eq!(stored, Some(sent));

    family.zebs.done(call(4, "anna")).await;
    assert_eq!(family.annas.event(rings).await, CallId([4; 16]));
    let all = office.everything().to_lowercase();
    assert!(all.contains("consent") && !all.contains(CHILD), "{all}");
}

// req: KID-4
#[tokio::test]
async fn a_consent_that_is_none_is_refused_and_a_server_without_mail_says_that_it_sends_none() {
    let server = Server::start().await;
    let mut family = Family::at(&server).await;
    let (zeb, ben) = (family.zeb.account, family.ben.account);
    let by_child = family.zebs.refused(give(zeb, EMAIL, 1)).await;
    let by_stranger = family.carls.refused(give(zeb, EMAIL, 1)).await;
    let for_adult = family.annas.refused(give(ben, EMAIL, 1)).await;
    let to_another_text = family.annas.refused(give(zeb, EMAIL, 2)).await;
    assert_eq!(
        (by_child, by_stranger, for_adult, to_another_text),
        (
            ErrorCode::Forbidden,
            ErrorCode::NotFound,
            ErrorCode::NotFound,
            ErrorCode::Conflict
        )
    );
    let nameless = Request::GiveConsent {
        account: zeb,
        name: " ".to_owned(),
        email: EMAIL.parse().unwrap(),
        version: 1,
    };
    assert_eq!(family.annas.refused(nameless).await, ErrorCode::BadRequest);
    assert_eq!(
        family.zebs.refused(call(1, "anna")).await,
        ErrorCode::Forbidden
    );
    let asked = Request::GetConsent { account: zeb };
    assert_eq!(
        family.zebs.refused(asked.clone()).await,
        ErrorCode::Forbidden
    );
    assert_eq!(family.carls.refused(asked).await, ErrorCode::NotFound);

    let given = family.consent().await;
    assert_eq!((given.mail, given.mail_state), (None, MailState::Off));
    family.zebs.done(call(2, "anna")).await;
    for _ in 0..9 {
        family.consent().await;
    }
    let too_often = family.annas.refused(give(zeb, EMAIL, 1)).await;
    assert_eq!(too_often, ErrorCode::RateLimited);
}

// req: KID-6
#[tokio::test]
async fn a_consent_is_reviewed_and_withdrawn_by_its_link_or_in_the_app() {
    let mut office = PostOffice::opened().await;
    let server = Server::start_with(|config| office.configure(config)).await;
    let mut family = Family::at(&server).await;
    family.consent().await;
    let first = link(&office.mail().await);
    let review: ConsentReview = server.post("/v1/consent/review", &first).await.ok();
    assert_eq!((review.version, review.withdrawn_at_ms), (1, None));
    assert!(review.text.contains("Until you consent"));

    // Changed in the app: another address. The first link ends nothing any more.
    server.clock.advance(Duration::from_secs(60));
    let given = give(family.zeb.account, "anna@home.example", 1);
    record(family.bens.request(given).await);
    let second = link(&office.mail().await);
    let replaced: ConsentReview = server.post("/v1/consent/withdraw", &first).await.ok();
    assert_eq!(replaced.withdrawn_at_ms, Some(server.clock.now().0));
    family.zebs.done(call(1, "anna")).await;
    let cancel = Request::Cancel {
        call: CallId([1; 16]),
    };
    family.zebs.done(cancel).await;

    for _ in 0..2 {
        let review: ConsentReview = server.post("/v1/consent/withdraw", &second).await.ok();
        assert_eq!(review.withdrawn_at_ms, Some(server.clock.now().0));
    }
    let consent_gone = |event: &Event| match event {
        Event::ChildChanged(child) => child.consent.is_none().then_some(child.account),
        _ => None,
    };
    assert_eq!(
        family.annas.event(consent_gone).await,
        family.zeb.account,
        "the family's apps are told"
    );
    assert_eq!(
        family.zebs.refused(call(2, "anna")).await,
        ErrorCode::Forbidden
    );

    family.consent().await;
    family.zebs.done(call(3, "anna")).await;
    let withdraw = Request::WithdrawConsent {
        account: family.zeb.account,
    };
    assert_eq!(
        family.zebs.refused(withdraw.clone()).await,
        ErrorCode::Forbidden
    );
    for _ in 0..2 {
        family.annas.done(withdraw.clone()).await;
    }
    let asked = Request::GetConsent {
        account: family.zeb.account,
    };
    let (_, record) = record(family.bens.request(asked).await);
    assert!(record.unwrap().withdrawn_at_ms.is_some());
}

// req: KID-6
#[tokio::test]
async fn the_mailed_link_ends_the_childs_running_call_at_once_and_a_replaced_one_does_not() {
    let mut office = PostOffice::opened().await;
    let server = Server::start_with(|config| office.configure(config)).await;
    let mut family = Family::at(&server).await;
    family.consent().await;
    let replaced = link(&office.mail().await);
    family.consent().await;
    let counts = link(&office.mail().await);
    family.annas.done(call(9, CHILD)).await;
    let id = family.zebs.event(rings).await;
    let (key_package, statement) = (Blob(vec![1]), Blob(vec![1]));
    let ringing = Request::Ringing {
        call: id,
        key_package,
        statement,
    };
    family.zebs.done(ringing).await;
    let media = MediaState {
        microphone: true,
        camera: false,
    };
    family.zebs.done(Request::Answer { call: id, media }).await;

    let review: ConsentReview = server.post("/v1/consent/withdraw", &replaced).await.ok();
    assert!(review.withdrawn_at_ms.is_some());
    assert!(!family.annas.has_seen(|event| ended(event).is_some()).await);
    let review: ConsentReview = server.post("/v1/consent/withdraw", &counts).await.ok();
    assert!(review.withdrawn_at_ms.is_some());
    assert_eq!(family.annas.event(ended).await, id);
    assert_eq!(family.zebs.event(ended).await, id);
}

// req: KID-6
#[tokio::test]
async fn a_link_that_nobody_was_sent_reviews_and_withdraws_nothing() {
    let server = Server::start().await;
    let mut family = Family::at(&server).await;
    family.consent().await;
    let guess = ConsentLink {
        secret: Secret::new("A".repeat(43)),
    };
    for path in ["/v1/consent/review", "/v1/consent/withdraw"] {
        let refused = server.post(path, &guess).await;
        assert_eq!(refused.error().code, ErrorCode::NotFound);
    }
    family.zebs.done(call(1, "anna")).await;
    for _ in 0..28 {
        server.post("/v1/consent/review", &guess).await;
    }
    let refused = server.post("/v1/consent/withdraw", &guess).await;
    assert_eq!(refused.error().code, ErrorCode::RateLimited);
}

// req: KID-5
#[tokio::test]
async fn a_confirmation_outlives_a_mail_server_that_is_away_and_a_restart_of_ours() {
    let mut office = PostOffice::closed();
    let db = homeline_signaling::store::Db::open_in_memory()
        .await
        .unwrap();
    let clock = homeline_signaling::model::Clock::fixed(homeline_signaling::model::UnixMillis(
        1_795_305_600_000,
    ));
    let (first, second) = (db.clone(), clock.clone());
    let server = Server::start_on(first, second, |config| office.configure(config)).await;
    let mut family = Family::at(&server).await;
    let given = family.consent().await;
    assert_eq!(
        given.mail_state,
        MailState::Waiting,
        "stored, so acknowledged"
    );
    server.signaling.sweep().await.unwrap();
    drop(server);

    let server = Server::start_on(db, clock.clone(), |config| office.configure(config)).await;
    let mut annas = family.anna.session(&server).await;
    office.open().await;
    server.signaling.sweep().await.unwrap();
    assert!(
        office.everything().is_empty(),
        "it waits before it tries again"
    );
    clock.advance(Duration::from_secs(60));
    server.signaling.sweep().await.unwrap();
    assert!(office.mail().await.contains("Homeline: your consent"));
    assert!(annas.event(settled).await);
}

// req: KID-5
#[tokio::test]
async fn a_confirmation_that_can_not_be_sent_for_a_day_is_given_up_and_the_app_is_told() {
    let office = PostOffice::closed();
    let server = Server::start_with(|config| office.configure(config)).await;
    let mut family = Family::at(&server).await;
    family.consent().await;
    server.clock.advance(Duration::from_secs(24 * 60 * 60));
    server.signaling.sweep().await.unwrap();
    assert!(!family.annas.event(settled).await);
    let asked = Request::GetConsent {
        account: family.zeb.account,
    };
    let (_, stored) = record(family.annas.request(asked).await);
    assert_eq!(stored.unwrap().mail_state, MailState::GivenUp);
}

#[tokio::test]
async fn adults_read_a_childs_calls_by_the_page_and_nobody_elses() {
    let server = Server::start().await;
    let mut family = Family::at(&server).await;
    family.consent().await;
    for id in 1..=3 {
        server.clock.advance(Duration::from_secs(60));
        declined(&mut family.zebs, &mut family.annas, id, "anna").await;
    }
    let zeb = family.zeb.account;
    let newest = calls_of(&mut family.bens, child_calls(zeb, None, 2)).await;
    let ids: Vec<_> = newest.iter().map(|past| past.call).collect();
    assert_eq!(ids, [CallId([3; 16]), CallId([2; 16])]);
    assert_eq!(newest[0].party.handle, family.anna.handle);
    assert_eq!(
        newest[0].reason,
        homeline_protocol::session::EndReason::Declined
    );
    let before = Some(newest[1].started_at_ms);
    let rest = calls_of(&mut family.bens, child_calls(zeb, before, 2)).await;
    assert_eq!(rest.len(), 1);

    let adult = family.anna.account;
    for request in [
        child_calls(adult, None, 10),
        child_calls(AccountId([9; 16]), None, 10),
    ] {
        assert_eq!(family.bens.refused(request).await, ErrorCode::NotFound);
    }
    let too_many = child_calls(zeb, None, 201);
    assert_eq!(family.bens.refused(too_many).await, ErrorCode::BadRequest);
    let refused = family.zebs.refused(child_calls(zeb, None, 10)).await;
    assert_eq!(refused, ErrorCode::Forbidden);
    let refused = family.carls.refused(child_calls(zeb, None, 10)).await;
    assert_eq!(refused, ErrorCode::NotFound);
}

// req: KID-7, KID-9
#[tokio::test]
async fn everything_kept_about_a_child_is_deleted_when_an_adult_asks_and_a_mail_says_so() {
    let mut office = PostOffice::opened().await;
    let server = Server::start_with(|config| office.configure(config)).await;
    let mut family = Family::at(&server).await;
    family.consent().await;
    office.mail().await;
    declined(&mut family.zebs, &mut family.annas, 1, "anna").await;
    declined(&mut family.annas, &mut family.zebs, 2, CHILD).await;
    declined(&mut family.annas, &mut family.bens, 3, "ben").await;

    let zeb = family.zeb.account;
    family
        .annas
        .done(Request::DeleteChildData { account: zeb })
        .await;
    let mail = office.mail().await;
    assert!(
        mail.contains("Subject: Homeline: deleted, consent"),
        "{mail}"
    );
    assert!(mail.contains("To: anna@example.org\n"), "{mail}");
    assert_eq!(calls_of(&mut family.zebs, own_calls()).await, []);
    let seen = calls_of(&mut family.bens, child_calls(zeb, None, 10)).await;
    assert_eq!(seen, []);
    let annas = calls_of(&mut family.annas, own_calls()).await;
    let mut parties: Vec<_> = annas
        .iter()
        .map(|past| (past.party.handle.as_str(), past.party.display_name.as_str()))
        .collect();
    parties.sort_unstable();
    let removed = ("removed-person", "Removed person");
    let kept = ("ben", "ben");
    assert_eq!(parties, [kept, removed, removed], "an adult's name stays");
    assert!(!office.everything().to_lowercase().contains(CHILD));
    // The consent stands: the child goes on, and is remembered anew.
    declined(&mut family.zebs, &mut family.annas, 4, "anna").await;
    assert_eq!(calls_of(&mut family.zebs, own_calls()).await.len(), 1);
}

// req: KID-7
#[tokio::test]
async fn only_an_adult_of_the_household_has_a_childs_data_deleted_and_never_an_adults() {
    let server = Server::start().await;
    let mut family = Family::at(&server).await;
    family.consent().await;
    declined(&mut family.zebs, &mut family.annas, 1, "anna").await;
    let account = family.zeb.account;
    let delete = Request::DeleteChildData { account };
    assert_eq!(
        family.zebs.refused(delete.clone()).await,
        ErrorCode::Forbidden
    );
    assert_eq!(family.carls.refused(delete).await, ErrorCode::NotFound);
    let adults = Request::DeleteChildData {
        account: family.ben.account,
    };
    assert_eq!(family.annas.refused(adults).await, ErrorCode::NotFound);
    assert_eq!(calls_of(&mut family.zebs, own_calls()).await.len(), 1);
    assert_eq!(calls_of(&mut family.annas, own_calls()).await.len(), 1);
}
