//! Commands to a media node, over its control interface (docs/media-node.md).

use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use homeline_protocol::id::{PeerId, RoomId, TrackId};
use homeline_protocol::media_http::{
    MakeRoom, NodeFigures, PeerAnswer, PeerOffer, RoomFigures, SectionTrack, ViewSize,
};
use homeline_protocol::session::ApiError;
use reqwest::{Client, Method, StatusCode};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// How long the node may take for a command.
const ANSWER_MAX: Duration = Duration::from_secs(20);

/// A media node. Cheap to clone.
#[derive(Clone)]
pub struct Control {
    http: Client,
    base: String,
    token: String,
}

/// The node said no.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct Refused {
    /// The stable code, or the status where there is none.
    pub code: String,
    message: String,
}

/// An HTTP client that gives up after so long.
///
/// # Errors
/// When HTTP can't be set up.
pub fn client(answer_max: Duration) -> Result<Client> {
    // Only for servers behind a proxy with TLS. Another part may have chosen the same one before.
    rustls::crypto::ring::default_provider()
        .install_default()
        .ok();
    Ok(Client::builder().timeout(answer_max).build()?)
}

impl Control {
    /// A node at this address.
    ///
    /// # Errors
    /// When HTTP can't be set up.
    pub fn new(base: &str, token: &str) -> Result<Self> {
        Ok(Self {
            http: client(ANSWER_MAX)?,
            base: base.trim_end_matches('/').to_owned(),
            token: token.to_owned(),
        })
    }

    /// The node's figures.
    ///
    /// # Errors
    /// When it does not answer or refuses.
    pub async fn figures(&self) -> Result<NodeFigures> {
        self.ask(Method::GET, "/v1/node", None::<&()>).await
    }

    /// Makes a room.
    ///
    /// # Errors
    /// When it does not answer or refuses.
    pub async fn make_room(&self, room: RoomId) -> Result<()> {
        let body = MakeRoom { room: Some(room) };
        self.tell(Method::POST, "/v1/rooms", Some(&body)).await
    }

    /// Ends a room.
    ///
    /// # Errors
    /// When it does not answer or refuses.
    pub async fn close_room(&self, room: RoomId) -> Result<()> {
        self.tell(Method::DELETE, &format!("/v1/rooms/{room}"), None::<&()>)
            .await
    }

    /// A room's figures.
    ///
    /// # Errors
    /// When it does not answer or refuses.
    pub async fn room(&self, room: RoomId) -> Result<RoomFigures> {
        self.ask(Method::GET, &format!("/v1/rooms/{room}"), None::<&()>)
            .await
    }

    /// Brings a peer's offer; its answer.
    ///
    /// # Errors
    /// When it does not answer or refuses.
    pub async fn offer(
        &self,
        (room, peer): (RoomId, PeerId),
        offer: String,
        publish: Vec<SectionTrack>,
        subscribe: Vec<SectionTrack>,
    ) -> Result<String> {
        let body = PeerOffer {
            offer,
            publish,
            subscribe,
            forwarding: Some(true),
        };
        let path = format!("/v1/rooms/{room}/peers/{peer}");
        let answer: PeerAnswer = self.ask(Method::PUT, &path, Some(&body)).await?;
        Ok(answer.answer)
    }

    /// Says how large a receiver shows a picture.
    ///
    /// # Errors
    /// When it does not answer or refuses.
    pub async fn view(
        &self,
        (room, peer): (RoomId, PeerId),
        track: TrackId,
        (width, height): (u16, u16),
    ) -> Result<()> {
        let path = format!("/v1/rooms/{room}/peers/{peer}/views/{track}");
        self.tell(Method::PUT, &path, Some(&ViewSize { width, height }))
            .await
    }

    async fn ask<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: Option<&impl Serialize>,
    ) -> Result<T> {
        let bytes = self.exchange(method, path, body).await?;
        serde_json::from_slice(&bytes).with_context(|| {
            format!("{path} was answered in a way that this version does not know")
        })
    }

    async fn tell(&self, method: Method, path: &str, body: Option<&impl Serialize>) -> Result<()> {
        self.exchange(method, path, body).await.map(drop)
    }

    async fn exchange(
        &self,
        method: Method,
        path: &str,
        body: Option<&impl Serialize>,
    ) -> Result<Vec<u8>> {
        let url = format!("{}{path}", self.base);
        let mut request = self.http.request(method, &url).bearer_auth(&self.token);
        if let Some(body) = body {
            request = request
                .header("content-type", "application/json")
                .body(serde_json::to_vec(body)?);
        }
        let response = request.send().await;
        let response = response.with_context(|| format!("the media node at {}", self.base))?;
        let status = response.status();
        let bytes = response.bytes().await?;
        if status == StatusCode::UNAUTHORIZED {
            bail!(
                "the media node does not know this token; it prints at its start where its own is"
            );
        }
        if !status.is_success() {
            let error: Option<ApiError> = serde_json::from_slice(&bytes).ok();
            let code = error.as_ref().map(|error| &error.code);
            let code = code.and_then(|code| serde_json::to_value(code).ok());
            let code = code.and_then(|code| code.as_str().map(str::to_owned));
            bail!(Refused {
                code: code.unwrap_or_else(|| status.as_u16().to_string()),
                message: error.map_or_else(|| status.to_string(), |error| error.message),
            });
        }
        Ok(bytes.to_vec())
    }
}

/// The kind of an error, for counting.
pub fn kind(error: &anyhow::Error) -> String {
    match error.downcast_ref::<Refused>() {
        Some(refused) => format!("node: {}", refused.code),
        None => "node: no answer".to_owned(),
    }
}
