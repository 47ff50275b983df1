//! A server of one test: database in memory, a clock that the test moves, cheap password hashing.

use std::any::Any;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::ConnectInfo;
use axum::http::{HeaderMap, Method, Request, StatusCode, header};
use homeline_protocol::Secret;
use homeline_protocol::media_control::MediaEvent;
use homeline_protocol::session::{ApiError, ErrorCode};
use homeline_signaling::gateway::{Media, MediaExchange};
use homeline_signaling::model::{Clock, UnixMillis};
use homeline_signaling::store::Db;
use homeline_signaling::{MediaLink, Signaling, SignalingConfig};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tower::ServiceExt as _;

use super::Session;
use crate::harness::Node;

/// 2026-11-22.
const TODAY: UnixMillis = UnixMillis(1_795_305_600_000);

pub(crate) struct Server {
    pub(crate) signaling: Signaling,
    pub(crate) clock: Clock,
    pub(crate) address: SocketAddr,
    router: Router,
    // Kept, so that the media node seems to be there.
    _media: Box<dyn Any + Send + Sync>,
}

/// An HTTP answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Server {
    pub(crate) async fn start() -> Self {
        Self::start_with(|_| {}).await
    }

    pub(crate) async fn start_with(change: impl FnOnce(&mut SignalingConfig)) -> Self {
        Self::start_on(
            Db::open_in_memory().await.unwrap(),
            Clock::fixed(TODAY),
            change,
        )
        .await
    }

    pub(crate) async fn start_on(
        db: Db,
        clock: Clock,
        change: impl FnOnce(&mut SignalingConfig),
    ) -> Self {
        let (commands, commands_out) = mpsc::channel::<MediaExchange>(64);
        let (events_in, events) = mpsc::channel::<MediaEvent>(64);
        let link = MediaLink {
            media: Media::Local(commands),
            events,
        };
        let kept = Box::new((commands_out, events_in));
        Self::start_beside(db, clock, (link, kept), change).await
    }

    /// With a media node that answers, so that calls run.
    pub(crate) async fn start_with_calls(change: impl FnOnce(&mut SignalingConfig)) -> Self {
        let (node, media, events) = Node::start();
        let (db, clock) = (Db::open_in_memory().await.unwrap(), Clock::fixed(TODAY));
        let link = MediaLink { media, events };
        Self::start_beside(db, clock, (link, Box::new(node)), change).await
    }

    async fn start_beside(
        db: Db,
        clock: Clock,
        (link, kept): (MediaLink, Box<dyn Any + Send + Sync>),
        change: impl FnOnce(&mut SignalingConfig),
    ) -> Self {
        let mut config = SignalingConfig::default();
        config.passwords.memory_kib = 64;
        config.passwords.passes = 1;
        change(&mut config);
        let signaling = Signaling::start_on(config, db, clock.clone(), link, "0123abcd")
            .await
            .unwrap();
        let router = signaling.router();
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let service = router
            .clone()
            .into_make_service_with_connect_info::<SocketAddr>();
        tokio::spawn(async move { axum::serve(listener, service).await });
        Self {
            signaling,
            clock,
            address,
            router,
            _media: kept,
        }
    }

    pub(crate) fn now(&self) -> homeline_e2ee::time::UnixMs {
        homeline_e2ee::time::UnixMs(self.clock.now().0)
    }

    pub(crate) async fn post(&self, path: &str, body: &impl Serialize) -> Answer {
        self.post_from(Ipv4Addr::LOCALHOST.into(), path, None, body)
            .await
    }

    pub(crate) async fn post_as(
        &self,
        token: &Secret,
        path: &str,
        body: &impl Serialize,
    ) -> Answer {
        self.post_from(Ipv4Addr::LOCALHOST.into(), path, Some(token), body)
            .await
    }

    pub(crate) async fn post_from(
        &self,
        from: IpAddr,
        path: &str,
        token: Option<&Secret>,
        body: &impl Serialize,
    ) -> Answer {
        let mut request = Request::post(path).header(header::CONTENT_TYPE, "application/json");
        if let Some(token) = token {
            request = request.header(header::AUTHORIZATION, format!("Bearer {}", token.expose()));
        }
        let body = Body::from(serde_json::to_vec(body).unwrap());
        self.send(from, request.body(body).unwrap()).await
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.request(Method::GET, path, None).await
    }

    pub(crate) async fn request(
        &self,
        method: Method,
        path: &str,
        token: Option<&Secret>,
    ) -> Answer {
        let mut request = Request::builder().method(method).uri(path);
        if let Some(token) = token {
            request = request.header(header::AUTHORIZATION, format!("Bearer {}", token.expose()));
        }
        self.send(
            Ipv4Addr::LOCALHOST.into(),
            request.body(Body::empty()).unwrap(),
        )
        .await
    }

    pub(crate) async fn send(&self, from: IpAddr, mut request: Request<Body>) -> Answer {
        request
            .extensions_mut()
            .insert(ConnectInfo(SocketAddr::new(from, 1)));
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (status, headers) = (response.status(), response.headers().clone());
        let body = to_bytes(response.into_body(), usize::MAX)
            .await
            .unwrap()
            .to_vec();
        Answer {
            status,
            headers,
            body,
        }
    }

    /// Opens a session that the server welcomes.
    pub(crate) async fn session(&self, token: &Secret) -> Session {
        Session::open(self.address, token)
            .await
            .expect("the server welcomes this token")
    }
}

impl Answer {
    #[track_caller]
    pub(crate) fn ok<T: DeserializeOwned>(&self) -> T {
        let text = String::from_utf8_lossy(&self.body);
        assert!(self.status.is_success(), "{} {text}", self.status);
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {text}"))
    }

    #[track_caller]
    pub(crate) fn error(&self) -> ApiError {
        let text = String::from_utf8_lossy(&self.body);
        assert!(!self.status.is_success(), "{} {text}", self.status);
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {text}"))
    }

    #[track_caller]
    pub(crate) fn code(&self) -> ErrorCode {
        self.error().code
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.body.clone()).unwrap()
    }
}
