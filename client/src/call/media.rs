//! A call's media as its task sees it: what happens on the connection, and what is offered to the media node.

use homeline_protocol::session::{EndReason, ErrorCode, Reply, Request, Track};

use super::event::CallEvent;
use super::run::{Replied, Run};
use crate::media::{PeerError, PeerEvent};
use crate::session::RequestError;

impl Run {
    pub(super) async fn peer(&mut self, event: PeerEvent) {
        match event {
            PeerEvent::Connected => {
                if let Err(error) = self.transport.connected().await {
                    return self.media_failed(&error).await;
                }
                self.say(CallEvent::Media { connected: true });
            }
            PeerEvent::Disconnected => self.lost().await,
            PeerEvent::Failed => {
                self.say(CallEvent::Media { connected: false });
                self.transport.restart();
                self.offer().await;
            }
            PeerEvent::NoWay(troubles) => self.say(CallEvent::NoWay { troubles }),
            PeerEvent::Track(remote) => self.transport.begin(remote).await,
        }
    }

    /// Nothing is heard of media. ICE would wait half a minute for what may be blocked for good; but while the
    /// server can't be asked either, there is no network, and whatever comes back is as it was.
    async fn lost(&mut self) {
        self.say(CallEvent::Media { connected: false });
        self.transport.lost();
        let generation = self.transport.generation();
        self.ask(Request::GetRelays, move |result| Replied::Reached {
            generation,
            result,
        })
        .await;
    }

    pub(super) async fn reached(&mut self, result: Result<Reply, RequestError>) {
        match result {
            Ok(Reply::Relays(relays)) => self.transport.reached(Some(relays)),
            Ok(_) | Err(RequestError::Refused(_)) => self.transport.reached(None),
            // A new session, or the end, is told by itself.
            Err(_) => return,
        }
        self.offer().await;
    }

    pub(super) async fn tracks(&mut self, tracks: Vec<Track>) {
        let tracks = self.allowed(tracks);
        self.transport.set_tracks(tracks);
        self.offer().await;
    }

    pub(super) async fn offer(&mut self) {
        match self.transport.offer().await {
            Ok(Some(offer)) => {
                let generation = self.transport.generation();
                let request = Request::OfferMedia {
                    call: self.id,
                    sdp: offer.sdp,
                    publish: offer.publish,
                    subscribe: offer.subscribe,
                };
                self.ask(request, move |result| Replied::Offered {
                    generation,
                    result,
                })
                .await;
            }
            Ok(None) => {}
            Err(error) => self.media_failed(&error).await,
        }
    }

    pub(super) async fn offered(&mut self, result: Result<Reply, RequestError>) {
        match result {
            Ok(Reply::MediaAnswer { sdp, tracks }) => {
                if let Err(error) = self.transport.answered(sdp).await {
                    return self.media_failed(&error).await;
                }
                let tracks = self.allowed(tracks);
                self.transport.answer_tracks(tracks);
                self.offer().await;
            }
            Ok(_) => {}
            Err(error) if error.code() == Some(ErrorCode::BadOffer) => {
                tracing::error!(%error, "the media node refused the offer");
                self.hang_up(EndReason::MediaFailed).await;
            }
            // The call's end, or a new session, is told by itself.
            Err(error) => tracing::info!(%error, "no answer to a media offer"),
        }
    }

    pub(super) async fn renew(&mut self) {
        match self.transport.renew().await {
            Ok(()) => self.offer().await,
            Err(error) => self.media_failed(&error).await,
        }
    }

    async fn media_failed(&mut self, error: &PeerError) {
        tracing::error!(%error, "no media path");
        self.hang_up(EndReason::MediaFailed).await;
    }
}
