//! Verifying an own number by a code, and being found by it.

use std::net::Ipv4Addr;
use std::time::Duration;

use axum::Router;
use axum::extract::Request as HttpRequest;
use axum::http::{StatusCode, header};
use axum::routing::any;
use homeline_e2ee::certificate::Kind;
use homeline_protocol::session::{ErrorCode, Event, NumberKind, Reply, Request};
use homeline_protocol::{PhoneText, Secret};
use homeline_signaling::SignalingConfig;
use homeline_signaling::gateway::{Masked, SmsBody};
use tokio::net::TcpListener;
use tokio::sync::mpsc;

use crate::address_book::{allow, brought, import, imported, settings, written};
use crate::support::{Person, Server, Session};

pub(crate) const NUMBER: &str = "+12015550123";

/// A message service: keeps what it is sent, and answers as the test wants.
pub(crate) struct Service {
    url: String,
    pub(crate) messages: mpsc::UnboundedReceiver<Message>,
}

/// What was sent.
#[derive(Debug)]
pub(crate) struct Message {
    method: String,
    authorization: String,
    content: String,
    pub(crate) body: String,
}

impl Service {
    async fn start(status: StatusCode, answer: &'static str) -> Self {
        let (sender, messages) = mpsc::unbounded_channel();
        let handler = move |request: HttpRequest| {
            let sender = sender.clone();
            async move {
                let (head, body) = request.into_parts();
                let body = axum::body::to_bytes(body, 10_000).await.unwrap();
                let text = |name| match head.headers.get(name) {
                    Some(value) => value.to_str().unwrap().to_owned(),
                    None => String::new(),
                };
                let message = Message {
                    method: head.method.to_string(),
                    authorization: text(header::AUTHORIZATION),
                    content: text(header::CONTENT_TYPE),
                    body: String::from_utf8(body.to_vec()).unwrap(),
                };
                sender.send(message).unwrap();
                (status, answer)
            }
        };
        let router = Router::new().route("/messages", any(handler));
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let url = format!("http://{}/messages", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url, messages }
    }

    pub(crate) async fn good() -> Self {
        Self::start(StatusCode::CREATED, r#"{"status":"queued"}"#).await
    }

    pub(crate) fn configure(&self, config: &mut SignalingConfig) {
        config.sms.url = Masked::new(self.url.clone());
        config.sms.headers = vec![Masked::new("Authorization: Bearer hush")];
        config.sms.success_contains = "queued".to_owned();
    }

    /// The code in the next message.
    pub(crate) async fn code(&mut self) -> Secret {
        let message = self.messages.recv().await.unwrap();
        let body: serde_json::Value = serde_json::from_str(&message.body).unwrap();
        Secret::new(&body["text"].as_str().unwrap()[..6])
    }
}

pub(crate) fn start(number: &str) -> Request {
    Request::StartNumberVerification {
        number: PhoneText(number.to_owned()),
    }
}

pub(crate) fn confirm(code: &Secret) -> Request {
    Request::ConfirmNumber { code: code.clone() }
}

/// Any code but the right one.
fn wrong(code: &Secret) -> Request {
    let other = if code.expose() == "000000" {
        "000001"
    } else {
        "000000"
    };
    confirm(&Secret::new(other))
}

async fn sent(session: &mut Session, number: &str) -> String {
    match session.request(start(number)).await {
        Ok(Reply::NumberVerification { number, .. }) => number.as_str().to_owned(),
        other => panic!("{other:?}"),
    }
}

pub(crate) async fn own(session: &mut Session) -> Option<(String, bool)> {
    let number = settings(session).await.number?;
    Some((number.number.as_str().to_owned(), number.discoverable))
}

pub(crate) async fn verify(session: &mut Session, service: &mut Service, number: &str) {
    sent(session, number).await;
    let code = service.code().await;
    session.done(confirm(&code)).await;
}

#[tokio::test]
async fn a_code_by_message_makes_a_number_the_accounts_own() {
    let mut service = Service::good().await;
    let server = Server::start_with(|config| service.configure(config)).await;
    let anna = Person::founder(&server, "anna").await;
    let mut phone = anna.session(&server).await;
    assert!(settings(&mut phone).await.verification);
    assert_eq!(sent(&mut phone, "(201) 555-0123").await, NUMBER);
    let message = service.messages.recv().await.unwrap();
    assert_eq!(message.method, "POST");
    assert_eq!(message.authorization, "Bearer hush");
    assert_eq!(message.content, "application/json");
    let body: serde_json::Value = serde_json::from_str(&message.body).unwrap();
    assert_eq!(body["to"], NUMBER);
    let text = body["text"].as_str().unwrap();
    assert!(text.len() <= 160, "one message");
    let code = Secret::new(&text[..6]);
    assert_eq!(own(&mut phone).await, None, "not before it is confirmed");
    phone.done(confirm(&code)).await;
    assert_eq!(own(&mut phone).await, Some((NUMBER.to_owned(), true)));
    // A code counts once.
    assert_eq!(phone.refused(confirm(&code)).await, ErrorCode::NotFound);
    phone.done(Request::ForgetNumber).await;
    phone.done(Request::ForgetNumber).await;
    assert_eq!(own(&mut phone).await, None);
    let found = Request::SetDiscoverable { on: true };
    assert_eq!(phone.refused(found).await, ErrorCode::NotFound);
}

#[tokio::test]
async fn a_form_is_written_as_the_provider_wants_it() {
    let mut service = Service::good().await;
    let server = Server::start_with(|config| {
        service.configure(config);
        config.sms.body_format = SmsBody::Form;
        config.sms.body = Masked::new("To={to}&From=%2B12015550100&Body={text}");
    })
    .await;
    let anna = Person::founder(&server, "anna").await;
    let mut phone = anna.session(&server).await;
    sent(&mut phone, NUMBER).await;
    let message = service.messages.recv().await.unwrap();
    assert_eq!(message.content, "application/x-www-form-urlencoded");
    assert!(
        message
            .body
            .starts_with("To=%2B12015550123&From=%2B12015550100&Body=")
    );
    assert!(message.body.contains("%20is%20your%20Homeline%20code."));
}

#[tokio::test]
async fn a_wrong_code_is_refused_and_the_right_one_still_counts() {
    let mut service = Service::good().await;
    let server = Server::start_with(|config| service.configure(config)).await;
    let anna = Person::founder(&server, "anna").await;
    let mut phone = anna.session(&server).await;
    sent(&mut phone, NUMBER).await;
    let code = service.code().await;
    for _ in 0..4 {
        let refused = phone.refused(wrong(&code)).await;
        assert_eq!(refused, ErrorCode::WrongCredentials);
    }
    phone.done(confirm(&code)).await;
}

#[tokio::test]
async fn after_five_wrong_codes_the_right_one_counts_no_more() {
    let mut service = Service::good().await;
    let server = Server::start_with(|config| service.configure(config)).await;
    let anna = Person::founder(&server, "anna").await;
    let mut phone = anna.session(&server).await;
    sent(&mut phone, NUMBER).await;
    let code = service.code().await;
    for _ in 0..4 {
        phone.refused(wrong(&code)).await;
    }
    assert_eq!(phone.refused(wrong(&code)).await, ErrorCode::LimitReached);
    assert_eq!(phone.refused(confirm(&code)).await, ErrorCode::LimitReached);
    assert_eq!(own(&mut phone).await, None);
    // A new one does.
    verify(&mut phone, &mut service, NUMBER).await;
}

#[tokio::test]
async fn a_code_expires_after_ten_minutes() {
    let mut service = Service::good().await;
    let server = Server::start_with(|config| service.configure(config)).await;
    let anna = Person::founder(&server, "anna").await;
    let mut phone = anna.session(&server).await;
    sent(&mut phone, NUMBER).await;
    let code = service.code().await;
    server.clock.advance(Duration::from_mins(10));
    assert_eq!(phone.refused(confirm(&code)).await, ErrorCode::NotFound);
    assert_eq!(own(&mut phone).await, None);
    server.signaling.sweep().await.unwrap();
    assert_eq!(phone.refused(confirm(&code)).await, ErrorCode::NotFound);
}

#[tokio::test]
async fn without_a_way_to_send_messages_verifying_is_refused_in_words() {
    let server = Server::start().await;
    let anna = Person::founder(&server, "anna").await;
    let mut phone = anna.session(&server).await;
    assert!(!settings(&mut phone).await.verification);
    let refused = phone.request(start(NUMBER)).await.unwrap_err();
    assert_eq!(refused.code, ErrorCode::NotFound);
    assert!(refused.message.contains("no way to send text messages"));
    let code = Secret::new("123456");
    assert_eq!(phone.refused(confirm(&code)).await, ErrorCode::NotFound);
}

#[tokio::test]
async fn what_is_no_mobile_number_or_no_app_gets_no_code() {
    let mut service = Service::good().await;
    let server = Server::start_with(|config| service.configure(config)).await;
    let anna = Person::founder(&server, "anna").await;
    let mut phone = anna.session(&server).await;
    for number in [
        "",
        "911",
        "five",
        "844 582 5392",
        "+49 30 901820",
        "900 555 1234",
    ] {
        assert_eq!(
            phone.refused(start(number)).await,
            ErrorCode::BadRequest,
            "{number}"
        );
    }
    let kitchen = crate::pairing::pair(&server, &anna, &mut phone, Kind::HomeDevice).await;
    let mut kitchen = server.session(&kitchen.token).await;
    assert_eq!(kitchen.refused(start(NUMBER)).await, ErrorCode::Forbidden);
    assert!(service.messages.try_recv().is_err(), "nothing was sent");
}

#[tokio::test]
async fn a_message_that_the_service_refuses_leaves_no_code_behind() {
    for (status, answer) in [
        (StatusCode::UNAUTHORIZED, "queued"),
        (StatusCode::OK, r#"{"status":"failed"}"#),
        (StatusCode::TEMPORARY_REDIRECT, "queued"),
    ] {
        let mut service = Service::start(status, answer).await;
        let server = Server::start_with(|config| service.configure(config)).await;
        let anna = Person::founder(&server, "anna").await;
        let mut phone = anna.session(&server).await;
        assert_eq!(
            phone.refused(start(NUMBER)).await,
            ErrorCode::Internal,
            "{status}"
        );
        let code = service.code().await;
        assert_eq!(phone.refused(confirm(&code)).await, ErrorCode::NotFound);
    }
    // Nobody listens there any more.
    let gone = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let url = format!("http://{}/", gone.local_addr().unwrap());
    drop(gone);
    let server = Server::start_with(|config| config.sms.url = Masked::new(url)).await;
    let anna = Person::founder(&server, "anna").await;
    let mut phone = anna.session(&server).await;
    assert_eq!(phone.refused(start(NUMBER)).await, ErrorCode::Internal);
}

#[tokio::test]
async fn codes_are_limited_for_each_account_number_and_address() {
    let service = Service::good().await;
    let server = Server::start_with(|config| {
        service.configure(config);
        config.numbers.codes_per_account.burst = 2;
        config.numbers.codes_per_number.burst = 3;
        config.numbers.codes_per_address.burst = 5;
    })
    .await;
    let mut sessions = Vec::new();
    for name in ["anna", "ben", "carl"] {
        sessions.push(Person::founder(&server, name).await.session(&server).await);
    }
    let [anna, ben, carl] = &mut sessions[..] else {
        panic!("three people");
    };
    sent(anna, NUMBER).await;
    sent(anna, "+12015550124").await;
    let refused = anna.request(start("+12015550125")).await.unwrap_err();
    assert_eq!(refused.code, ErrorCode::RateLimited, "the account");
    assert_eq!(refused.retry_after_secs, Some(600));
    // Hers counted for the address, and not for the number that she did not get a code to.
    sent(ben, NUMBER).await;
    assert_eq!(sent(ben, NUMBER).await, NUMBER);
    let refused = carl.refused(start("+12015550129")).await;
    assert_eq!(refused, ErrorCode::RateLimited, "the address");
    server.clock.advance(Duration::from_secs(300));
    let refused = carl.refused(start(NUMBER)).await;
    assert_eq!(refused, ErrorCode::RateLimited, "the number");
}

#[tokio::test]
async fn a_number_has_one_account_and_the_newer_proof_takes_it() {
    let mut service = Service::good().await;
    let server = Server::start_with(|config| service.configure(config)).await;
    let anna = Person::founder(&server, "anna").await;
    let ben = Person::founder(&server, "ben").await;
    let (mut anna, mut ben) = (anna.session(&server).await, ben.session(&server).await);
    verify(&mut anna, &mut service, NUMBER).await;
    let told = |event: &Event| matches!(event, Event::AddressBookChanged).then_some(());
    anna.event(told).await;
    sent(&mut ben, NUMBER).await;
    let code = service.code().await;
    assert_eq!(
        own(&mut anna).await,
        Some((NUMBER.to_owned(), true)),
        "not before"
    );
    ben.done(confirm(&code)).await;
    anna.event(told).await;
    assert_eq!(own(&mut anna).await, None);
    assert_eq!(own(&mut ben).await, Some((NUMBER.to_owned(), true)));
    // A further number takes the place of the first.
    verify(&mut ben, &mut service, "+12015550124").await;
    assert_eq!(own(&mut ben).await, Some(("+12015550124".to_owned(), true)));
}

#[tokio::test]
async fn who_has_a_number_finds_its_owner_only_if_they_may_be_found() {
    let mut service = Service::good().await;
    let server = Server::start_with(|config| service.configure(config)).await;
    let anna = Person::founder(&server, "anna").await;
    let ben = Person::founder(&server, "ben").await;
    let (mut anna, mut ben) = (anna.session(&server).await, ben.session(&server).await);
    allow(&mut anna).await;
    let known = brought(
        "1",
        "Ben",
        vec![written(NumberKind::Mobile, "(201) 555-0123")],
    );
    let unknown = brought(
        "2",
        "Zoe",
        vec![written(NumberKind::Mobile, "(201) 555-0124")],
    );
    import(&mut anna, 1, vec![known, unknown]).await;
    let registered = async |session: &mut Session| -> Vec<Option<String>> {
        let entries = imported(session).await.into_iter();
        let handle = |entry: homeline_protocol::session::ImportedEntry| {
            entry.registered.map(|handle| handle.as_str().to_owned())
        };
        entries.map(handle).collect()
    };
    assert_eq!(registered(&mut anna).await, [None, None]);
    verify(&mut ben, &mut service, NUMBER).await;
    assert_eq!(registered(&mut anna).await, [Some("ben".to_owned()), None]);
    ben.done(Request::SetDiscoverable { on: false }).await;
    assert_eq!(registered(&mut anna).await, [None, None]);
    assert_eq!(own(&mut ben).await, Some((NUMBER.to_owned(), false)));
    ben.done(Request::SetDiscoverable { on: true }).await;
    // Nobody is shown to themselves, and nobody learns who has their number.
    let before = ben.has_seen(|_| false).await;
    assert!(!before);
    allow(&mut ben).await;
    let me = brought("1", "Me", vec![written(NumberKind::Mobile, NUMBER)]);
    import(&mut ben, 1, vec![me]).await;
    assert_eq!(registered(&mut ben).await, [None]);
}

#[tokio::test]
async fn beyond_the_daily_budget_numbers_wait_for_another_day() {
    let mut service = Service::good().await;
    let server = Server::start_with(|config| service.configure(config)).await;
    let anna = Person::founder(&server, "anna").await;
    let ben = Person::founder(&server, "ben").await;
    let (mut anna, mut ben) = (anna.session(&server).await, ben.session(&server).await);
    // The last one of all that are tried out.
    verify(&mut ben, &mut service, "+12015559999").await;
    allow(&mut anna).await;
    let numbers: Vec<_> = (7_900..10_000_u32)
        .map(|number| written(NumberKind::Other, &format!("+1201555{number:04}")))
        .collect();
    let entries: Vec<_> = numbers
        .chunks(10)
        .enumerate()
        .map(|(at, numbers)| brought(&at.to_string(), &format!("Trial {at:03}"), numbers.to_vec()))
        .collect();
    let (first, second) = entries.split_at(200);
    import(&mut anna, 1, first.to_vec()).await;
    let found = async |session: &mut Session| -> usize {
        let entries = imported(session).await;
        let registered = entries.iter().filter(|entry| entry.registered.is_some());
        registered.count()
    };
    // The next import brings other numbers; deleting the first ones gives nothing back.
    import(&mut anna, 2, second.to_vec()).await;
    assert_eq!(found(&mut anna).await, 0);
    settings(&mut anna).await;
    assert_eq!(found(&mut anna).await, 0, "the same day");
    server.clock.advance(Duration::from_hours(24));
    settings(&mut anna).await;
    assert_eq!(found(&mut anna).await, 1, "the next");
}
