//! One peer connection to the media node: always offers, sends a microphone and a camera, receives what it wants.

use std::net::UdpSocket;
use std::sync::Arc;

use bytes::Bytes;
use homeline_protocol::id::TrackId;
use homeline_protocol::session::{PublishSection, RelayServers, Source, SubscribeSection, Track};
use rtc::ice::mdns::MulticastDnsMode;
use rtc::media_stream::MediaStreamTrack;
use rtc::rtp::Header;
use rtc::rtp_transceiver::rtp_sender::{
    RTCRtpCodec, RTCRtpCodingParameters, RTCRtpEncodingParameters, RtpCodecKind,
};
use rtc::rtp_transceiver::{RTCRtpTransceiverDirection, RTCRtpTransceiverInit};
use tokio::sync::{mpsc, watch};
use webrtc::error::Error;
use webrtc::media_stream::track_local::TrackLocal;
use webrtc::media_stream::track_local::static_rtp::TrackLocalStaticRTP;
use webrtc::media_stream::track_remote::TrackRemote;
use webrtc::peer_connection::{
    PeerConnection, PeerConnectionBuilder, RTCSessionDescription, SettingEngineBuilder,
};
use webrtc::rtp_transceiver::RtpTransceiver;

use super::config::{self, AUDIO_LEVEL_URI, DESCRIPTOR_URI, MID_URI};
use super::happens::{Handler, PeerEvent};
use super::ways::{Approach, Carrier, Carrying, Surroundings};
use crate::server::Server;
use crate::time::now;

/// Events of a connection that may wait; lifecycle only, so a few.
const EVENTS_MAX: usize = 64;

/// Packets that name their section: enough for one to arrive on a bad line.
const MID_PACKETS: u32 = 25;

/// Why media can't be set up.
#[derive(Debug, thiserror::Error)]
pub enum PeerError {
    #[error("the media connection failed: {0}")]
    WebRtc(#[from] Error),
    #[error("a media section has no name yet")]
    NoMid,
}

/// What an offer says.
#[derive(Debug, Clone)]
pub(crate) struct Offer {
    pub sdp: String,
    pub publish: Vec<PublishSection>,
    pub subscribe: Vec<SubscribeSection>,
}

/// Where packets of one source are written: the sending section after negotiation.
#[derive(Clone)]
pub(crate) struct Line {
    pub(super) track: Arc<TrackLocalStaticRTP>,
    pub(super) ssrc: u32,
    pub(super) payload_type: u8,
    mid: Bytes,
    mid_id: Option<u8>,
    level_id: Option<u8>,
    descriptor_id: Option<u8>,
}

impl Line {
    /// Adds the section's name to the first packets, and the level of a sound.
    pub(super) fn mark(&self, header: &mut Header, sent: u32, level: Option<u8>) {
        if let Some(id) = self.mid_id.filter(|_| sent < MID_PACKETS) {
            header.set_extension(id, self.mid.clone()).ok();
        }
        if let (Some(id), Some(level)) = (self.level_id, level) {
            header
                .set_extension(id, Bytes::copy_from_slice(&[level]))
                .ok();
        }
    }

    pub(super) fn describe(&self, header: &mut Header, descriptor: Vec<u8>) {
        if let Some(id) = self.descriptor_id {
            header.set_extension(id, descriptor.into()).ok();
        }
    }
}

/// The connection.
pub(crate) struct Peer {
    connection: Arc<dyn PeerConnection>,
    sending: Vec<Sending>,
    wanted: Vec<Wanted>,
    server: Server,
    relays: Option<RelayServers>,
    carrier: Arc<Carrier>,
    /// Whether ICE has decided for a way.
    decided: watch::Sender<bool>,
    events: mpsc::Sender<PeerEvent>,
    /// What was begun with the first answer, and anew with each that answers a restart.
    approach: Option<Approach>,
    /// Whether the next answer begins one.
    begins_anew: bool,
}

struct Sending {
    source: Source,
    track: Arc<TrackLocalStaticRTP>,
    ssrc: u32,
    transceiver: Arc<dyn RtpTransceiver>,
}

struct Wanted {
    track: Track,
    transceiver: Arc<dyn RtpTransceiver>,
}

impl Peer {
    /// Makes a connection that will send these sources.
    ///
    /// # Errors
    /// When no socket can be opened.
    pub(crate) async fn new(
        sources: &[Source],
        server: Server,
        relays: Option<RelayServers>,
    ) -> Result<(Self, mpsc::Receiver<PeerEvent>), PeerError> {
        let (events, incoming) = mpsc::channel(EVENTS_MAX);
        let (engine, registry) = config::media_engine()?;
        // A server on this machine is reached by the loopback interface.
        let local = server.is_local();
        let carrier = Arc::new(Carrier::default());
        let decided = watch::Sender::new(false);
        let handler = Handler {
            events: events.clone(),
            decided: decided.clone(),
        };
        let settings = SettingEngineBuilder::new()
            .with_include_loopback_candidate(local)
            .with_discard_local_candidates_during_ice_restart(true)
            // The server's candidates are addresses; a machine without a default route has no multicast.
            .with_multicast_dns_mode(MulticastDnsMode::Disabled)
            .build();
        let connection = PeerConnectionBuilder::new()
            .with_runtime(Arc::new(Carrying::new(
                Arc::clone(&carrier),
                server.media_ways(),
            )))
            .with_media_engine(engine)
            .with_interceptor_registry(registry)
            .with_setting_engine(settings)
            .with_handler(Arc::new(handler))
            .with_udp_addrs(addresses(local))
            .build()
            .await?;
        let mut peer = Self {
            connection: Arc::new(connection),
            sending: Vec::new(),
            wanted: Vec::new(),
            server,
            relays,
            carrier,
            decided,
            events,
            approach: None,
            begins_anew: true,
        };
        for source in sources {
            peer.add_source(*source).await?;
        }
        Ok((peer, incoming))
    }

    async fn add_source(&mut self, source: Source) -> Result<(), PeerError> {
        let (kind, codec, name) = match source {
            Source::Microphone => (RtpCodecKind::Audio, config::opus(), "microphone"),
            Source::Camera => (RtpCodecKind::Video, config::vp8(), "camera"),
        };
        let ssrc = rand::random();
        let track = Arc::new(TrackLocalStaticRTP::new(stream(name, kind, codec, ssrc)));
        let init = direction(RTCRtpTransceiverDirection::Sendonly);
        let local: Arc<dyn TrackLocal> = track.clone();
        let transceiver = self
            .connection
            .add_transceiver_from_track(local, Some(init))
            .await?;
        self.sending.push(Sending {
            source,
            track,
            ssrc,
            transceiver,
        });
        Ok(())
    }

    /// An offer that sends the sources and receives these tracks, those of before included.
    ///
    /// # Errors
    /// When the connection is closed.
    pub(crate) async fn offer(
        &mut self,
        tracks: &[Track],
        restart: bool,
    ) -> Result<Offer, PeerError> {
        self.want(tracks).await?;
        if restart {
            self.connection.restart_ice().await?;
        }
        let offer = self.connection.create_offer(None).await?;
        let sdp = offer.sdp.clone();
        self.connection.set_local_description(offer).await?;
        if restart {
            self.begins_anew = true;
            self.decided.send_replace(false);
            self.carrier.forget_use();
        }
        let mut publish = Vec::new();
        for sending in &self.sending {
            let mid = mid(&sending.transceiver).await?;
            publish.push(PublishSection {
                mid,
                source: sending.source,
            });
        }
        let mut subscribe = Vec::new();
        for wanted in &self.wanted {
            let mid = mid(&wanted.transceiver).await?;
            subscribe.push(SubscribeSection {
                mid,
                track: wanted.track.track,
            });
        }
        Ok(Offer {
            sdp,
            publish,
            subscribe,
        })
    }

    async fn want(&mut self, tracks: &[Track]) -> Result<(), PeerError> {
        let (kept, gone): (Vec<_>, Vec<_>) = std::mem::take(&mut self.wanted)
            .into_iter()
            .partition(|wanted| tracks.contains(&wanted.track));
        self.wanted = kept;
        for wanted in gone {
            wanted
                .transceiver
                .set_direction(RTCRtpTransceiverDirection::Inactive)
                .await?;
        }
        for track in tracks {
            if self.wanted.iter().any(|wanted| wanted.track == *track) {
                continue;
            }
            let kind = match track.source {
                Source::Microphone => RtpCodecKind::Audio,
                Source::Camera => RtpCodecKind::Video,
            };
            let init = direction(RTCRtpTransceiverDirection::Recvonly);
            let transceiver = self
                .connection
                .add_transceiver_from_kind(kind, Some(init))
                .await?;
            self.wanted.push(Wanted {
                track: track.clone(),
                transceiver,
            });
        }
        Ok(())
    }

    /// Takes the server's answer to the last offer.
    ///
    /// # Errors
    /// When it does not fit the offer.
    pub(crate) async fn answer(&mut self, sdp: String) -> Result<(), PeerError> {
        let answer = RTCSessionDescription::answer(sdp.clone())?;
        self.connection.set_remote_description(answer).await?;
        if std::mem::take(&mut self.begins_anew) {
            let around = Surroundings {
                server: self.server.clone(),
                carrier: Arc::clone(&self.carrier),
                connection: Arc::clone(&self.connection),
                relays: self.relays.clone(),
                decided: self.decided.subscribe(),
                events: self.events.clone(),
            };
            // ICE knows nothing of the connections before any more. Nobody need wait for their end.
            if let Some(old) = self.approach.replace(Approach::begin(around, &sdp)) {
                tokio::spawn(old.close());
            }
        }
        Ok(())
    }

    /// Whether relays have to be asked for before a restart: there were none, or they take nothing new.
    pub(crate) fn wants_relays(&self) -> bool {
        let mut known = self.relays.iter();
        known.all(|relays| relays.expires_at_ms <= now().0)
    }

    pub(crate) fn set_relays(&mut self, relays: Option<RelayServers>) {
        self.relays = relays;
    }

    /// Where packets of a source go, once it is negotiated.
    pub(crate) async fn line(&self, source: Source) -> Result<Option<Line>, PeerError> {
        let Some(sending) = self.sending.iter().find(|sending| sending.source == source) else {
            return Ok(None);
        };
        let Some(sender) = sending.transceiver.sender().await? else {
            return Ok(None);
        };
        let parameters = sender.get_parameters().await?.rtp_parameters;
        let Some(codec) = parameters.codecs.first() else {
            return Ok(None);
        };
        let id = |uri: &str| {
            let extension = parameters
                .header_extensions
                .iter()
                .find(|known| known.uri == uri)?;
            u8::try_from(extension.id).ok()
        };
        Ok(Some(Line {
            track: sending.track.clone(),
            ssrc: sending.ssrc,
            payload_type: codec.payload_type,
            mid: mid(&sending.transceiver).await?.into_bytes().into(),
            mid_id: id(MID_URI),
            level_id: id(AUDIO_LEVEL_URI),
            descriptor_id: id(DESCRIPTOR_URI),
        }))
    }

    /// Which of the wanted tracks a remote one is.
    pub(crate) async fn identify(&self, remote: &Arc<dyn TrackRemote>) -> Option<Track> {
        for wanted in &self.wanted {
            if let Ok(Some(receiver)) = wanted.transceiver.receiver().await
                && Arc::ptr_eq(receiver.track(), remote)
            {
                return Some(wanted.track.clone());
            }
        }
        None
    }

    /// The descriptor's extension id on a received track.
    pub(crate) async fn descriptor_id(&self, track: TrackId) -> Option<u8> {
        let wanted = self
            .wanted
            .iter()
            .find(|wanted| wanted.track.track == track)?;
        let receiver = wanted.transceiver.receiver().await.ok()??;
        let parameters = receiver.get_parameters().await.ok()?.rtp_parameters;
        let extension = parameters
            .header_extensions
            .iter()
            .find(|known| known.uri == DESCRIPTOR_URI)?;
        u8::try_from(extension.id).ok()
    }

    /// Closes the connection; the other side is told by DTLS.
    pub(crate) async fn close(&mut self) {
        if let Some(approach) = self.approach.take() {
            approach.close().await;
        }
        // Closed already is as good.
        self.connection.close().await.ok();
    }
}

async fn mid(transceiver: &Arc<dyn RtpTransceiver>) -> Result<String, PeerError> {
    transceiver.mid().await?.ok_or(PeerError::NoMid)
}

fn direction(direction: RTCRtpTransceiverDirection) -> RTCRtpTransceiverInit {
    RTCRtpTransceiverInit {
        direction,
        streams: vec![],
        send_encodings: vec![],
    }
}

fn stream(name: &str, kind: RtpCodecKind, codec: RTCRtpCodec, ssrc: u32) -> MediaStreamTrack {
    let coding = RTCRtpCodingParameters {
        ssrc: Some(ssrc),
        ..Default::default()
    };
    let encoding = RTCRtpEncodingParameters {
        rtp_coding_parameters: coding,
        active: true,
        codec,
        ..Default::default()
    };
    let (stream, name) = ("homeline".to_owned(), name.to_owned());
    MediaStreamTrack::new(stream, name.clone(), name, kind, vec![encoding])
}

/// A wildcard stands for every interface but loopback, which only a server on this machine needs.
fn addresses(local: bool) -> Vec<String> {
    let mut addresses = vec!["0.0.0.0:0", "[::]:0"];
    if local {
        addresses.extend(["127.0.0.1:0", "[::1]:0"]);
    }
    // A machine without IPv6, or without IPv4, is no error.
    addresses.retain(|address| UdpSocket::bind(address).is_ok());
    addresses.into_iter().map(str::to_owned).collect()
}
