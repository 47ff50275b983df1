//! The stand-in push service, and a device that subscribed at it.

use std::collections::VecDeque;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::IntoResponse;
use axum::routing::post;
use homeline_protocol::http::PushKey;
use homeline_protocol::session::{PushAddress, PushKind, PushNotice, Request};
use homeline_protocol::{Blob, Secret};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use web_push_native::Auth;
use web_push_native::p256::ecdsa::signature::Verifier as _;
use web_push_native::p256::ecdsa::{Signature, VerifyingKey};
use web_push_native::p256::{PublicKey, SecretKey};

use crate::support::Server;

/// Far longer than anything takes.
const PATIENCE: Duration = Duration::from_secs(20);

/// What the service does with a message.
#[derive(Debug, Clone, Copy)]
pub(super) enum Answer {
    /// Answers with this status.
    Status(u16),
    /// Asks to be left alone for so many seconds.
    Later(u64),
    /// Never answers.
    Silence,
}

/// A push service.
pub(super) struct PushService {
    address: SocketAddr,
    answers: Arc<Mutex<VecDeque<Answer>>>,
    inbox: mpsc::UnboundedReceiver<Pushed>,
}

/// A message as it arrived.
#[derive(Debug)]
pub(super) struct Pushed {
    pub(super) path: String,
    pub(super) headers: HeaderMap,
    pub(super) body: Vec<u8>,
}

/// The private half of a subscription.
pub(super) struct Device {
    key: SecretKey,
    auth: [u8; 16],
}

#[derive(Clone)]
struct Taking {
    answers: Arc<Mutex<VecDeque<Answer>>>,
    inbox: mpsc::UnboundedSender<Pushed>,
}

impl PushService {
    pub(super) async fn start() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let (sender, inbox) = mpsc::unbounded_channel();
        let answers = Arc::<Mutex<VecDeque<Answer>>>::default();
        let taking = Taking {
            answers: Arc::clone(&answers),
            inbox: sender,
        };
        let router = Router::new()
            .route("/{*path}", post(take))
            .with_state(taking);
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self {
            address,
            answers,
            inbox,
        }
    }

    /// How the next message is answered; beyond those told, all are accepted.
    pub(super) fn next(&self, answer: Answer) {
        self.answers.lock().unwrap().push_back(answer);
    }

    pub(super) fn origin(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(super) async fn message(&mut self) -> Pushed {
        let next = tokio::time::timeout(PATIENCE, self.inbox.recv()).await;
        next.expect("a push in time").unwrap()
    }

    /// What has arrived and was not looked at.
    pub(super) fn is_empty(&self) -> bool {
        self.inbox.is_empty()
    }

    pub(super) fn subscribe(&self, device: &Device, path: &str) -> Request {
        Request::PutPushAddress(device.address(&format!("{}/{path}", self.origin())))
    }
}

async fn take(
    State(taking): State<Taking>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> impl IntoResponse {
    let answer = taking.answers.lock().unwrap().pop_front();
    let pushed = Pushed {
        path: uri.path().trim_start_matches('/').to_owned(),
        headers,
        body: body.to_vec(),
    };
    taking.inbox.send(pushed).unwrap();
    match answer.unwrap_or(Answer::Status(201)) {
        Answer::Status(status) => StatusCode::from_u16(status).unwrap().into_response(),
        Answer::Later(secs) => {
            let after = [("retry-after", secs.to_string())];
            (StatusCode::SERVICE_UNAVAILABLE, after).into_response()
        }
        Answer::Silence => std::future::pending().await,
    }
}

impl Device {
    pub(super) fn new(number: u8) -> Self {
        Self {
            key: SecretKey::from_slice(&[number; 32]).unwrap(),
            auth: [number; 16],
        }
    }

    pub(super) fn address(&self, endpoint: &str) -> PushAddress {
        PushAddress {
            endpoint: Secret::new(endpoint),
            p256dh: Blob(self.key.public_key().to_sec1_bytes().to_vec()),
            auth: Blob(self.auth.to_vec()),
            kind: PushKind::WebPush,
        }
    }

    pub(super) fn decrypt(&self, pushed: &Pushed) -> Vec<u8> {
        let auth = Auth::from(self.auth);
        web_push_native::decrypt(pushed.body.clone(), &self.key, &auth).unwrap()
    }

    pub(super) fn read(&self, pushed: &Pushed) -> PushNotice {
        serde_json::from_slice(&self.decrypt(pushed)).unwrap()
    }
}

impl Pushed {
    pub(super) fn header(&self, name: &str) -> &str {
        self.headers[name].to_str().unwrap()
    }

    /// Checks that the server itself signed for this service, as a push service does. Returns what
    /// the token claims.
    pub(super) async fn verify(&self, server: &Server, service: &PushService) -> Value {
        let text = self.header("authorization");
        let (token, key) = text
            .strip_prefix("vapid t=")
            .unwrap()
            .split_once(", k=")
            .unwrap();
        let key = Blob::from_base64url(key).unwrap();
        let published: PushKey = server.get("/v1/push/key").await.ok();
        assert_eq!(key, published.key);
        let key = VerifyingKey::from(PublicKey::from_sec1_bytes(&key.0).unwrap());
        let (signed, signature) = token.rsplit_once('.').unwrap();
        let signature = Blob::from_base64url(signature).unwrap();
        let signature = Signature::from_slice(&signature.0).unwrap();
        key.verify(signed.as_bytes(), &signature).unwrap();
        let (header, claims) = signed.split_once('.').unwrap();
        let json = |part: &str| -> Value {
            serde_json::from_slice(&Blob::from_base64url(part).unwrap().0).unwrap()
        };
        assert_eq!(json(header)["alg"], "ES256");
        let claims = json(claims);
        assert_eq!(claims["aud"], service.origin());
        let lives_for = claims["exp"].as_u64().unwrap() - server.now().0 / 1_000;
        assert!((1..=24 * 60 * 60).contains(&lives_for), "{lives_for}");
        claims
    }
}
