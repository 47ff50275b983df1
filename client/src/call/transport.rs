//! The media side of a call: one peer connection at a time, offered anew whenever what is wanted changes.

use homeline_protocol::id::TrackId;
use homeline_protocol::session::{RelayServers, Source, Track};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use webrtc::media_stream::track_remote::TrackRemote;

use std::sync::Arc;

use crate::media::{
    Camera, Frames, Heard, Line, Offer, Owner, Pcm, Peer, PeerError, PeerEvent, PictureReceiver,
    PictureSender, Seen, Sound, SoundReceiver, SoundSender,
};
use crate::session::Session;

use super::relays::relays;

/// Tracks of others taken at once; what comes beyond is not subscribed to.
const TRACKS_MAX: usize = 64;

/// Late frames that may wait for a track's receiver: as many as can be held for a key.
const LATE_MAX: usize = homeline_e2ee::sframe::HELD_FRAMES_MAX;

pub(super) struct Transport {
    peer: Peer,
    events: mpsc::Receiver<PeerEvent>,
    session: Session,
    sources: Vec<Source>,
    frames: Frames,
    tracks: Vec<Track>,
    /// What the last offer wanted; `None` when the connection must be offered whatever it wants.
    offered: Option<Vec<Track>>,
    offering: bool,
    /// An event told the tracks since the last offer: what the answer says of them may be older, since
    /// events and replies do not come in one order.
    tracks_told: bool,
    restart: bool,
    /// ICE and DTLS are up: packets written before would only be thrown away, with a complaint.
    connected: bool,
    /// Nothing has been heard for seconds.
    lost: bool,
    /// Grows with each new connection, so that an answer to the one before is known as such.
    generation: u32,
    microphone: watch::Sender<Option<Line>>,
    camera: watch::Sender<Option<Line>>,
    has_camera: bool,
    speaker: Option<mpsc::Sender<Heard>>,
    screen: Option<mpsc::Sender<Seen>>,
    receivers: Vec<(TrackId, mpsc::Sender<Vec<u8>>)>,
    senders: JoinSet<()>,
    listeners: JoinSet<()>,
    /// False: nothing of others is played.
    plays: watch::Sender<bool>,
}

impl Transport {
    pub(super) async fn new(
        sources: Vec<Source>,
        frames: Frames,
        session: Session,
    ) -> Result<Self, PeerError> {
        let (peer, events) =
            Peer::new(&sources, session.server().clone(), relays(&session).await).await?;
        Ok(Self {
            peer,
            events,
            session,
            sources,
            frames,
            tracks: Vec::new(),
            offered: None,
            offering: false,
            tracks_told: false,
            restart: false,
            connected: false,
            lost: false,
            generation: 0,
            microphone: watch::Sender::new(None),
            camera: watch::Sender::new(None),
            has_camera: false,
            speaker: None,
            screen: None,
            receivers: Vec::new(),
            senders: JoinSet::new(),
            listeners: JoinSet::new(),
            plays: watch::Sender::new(true),
        })
    }

    pub(super) fn generation(&self) -> u32 {
        self.generation
    }

    /// Gives the call its sound; tracks of others are taken from now on.
    pub(super) fn sound(&mut self, sound: Sound, on: watch::Receiver<bool>) {
        self.listen(sound.speaker);
        self.speak(sound.microphone, on);
    }

    /// Tracks of others are taken from now on, and nothing is sent by this.
    pub(super) fn listen(&mut self, speaker: mpsc::Sender<Heard>) {
        self.speaker = Some(speaker);
    }

    /// Sends a microphone's sound, and takes nothing by this.
    pub(super) fn speak(&mut self, microphone: mpsc::Receiver<Pcm>, on: watch::Receiver<bool>) {
        let sender = SoundSender {
            microphone,
            on,
            frames: self.frames.clone(),
            line: self.microphone.subscribe(),
        };
        self.senders.spawn(async move {
            if let Err(error) = sender.run().await {
                tracing::error!(%error, "the sound encoder failed");
            }
        });
    }

    pub(super) fn pictures(
        &mut self,
        camera: Option<Camera>,
        screen: Option<mpsc::Sender<Seen>>,
        on: watch::Receiver<bool>,
    ) {
        self.screen = screen;
        // A call of sound has no section for pictures.
        let may = self.sources.contains(&Source::Camera);
        let Some(camera) = camera.filter(|_| may) else {
            return;
        };
        self.has_camera = true;
        let line = self.camera.subscribe();
        let sender = PictureSender {
            camera,
            on,
            frames: self.frames.clone(),
            line,
        };
        self.senders.spawn(async move {
            sender.run().await;
        });
    }

    /// The tracks of others, all of them, as an event tells.
    pub(super) fn set_tracks(&mut self, tracks: Vec<Track>) {
        self.tracks_told = true;
        self.take_tracks(tracks);
    }

    /// The same as an answer to an offer tells.
    pub(super) fn answer_tracks(&mut self, tracks: Vec<Track>) {
        if !self.tracks_told {
            self.take_tracks(tracks);
        }
    }

    fn take_tracks(&mut self, mut tracks: Vec<Track>) {
        tracks.truncate(TRACKS_MAX);
        self.tracks = tracks;
    }

    /// Nothing is heard at the moment.
    pub(super) fn lost(&mut self) {
        self.lost = true;
    }

    /// The server answered a question about relays that was asked when nothing was heard: so there is a network,
    /// and media is to look for its way anew, unless it is back.
    pub(super) fn reached(&mut self, relays: Option<RelayServers>) {
        if self.lost {
            if relays.is_some() {
                self.peer.set_relays(relays);
            }
            self.restart = true;
        }
    }

    /// ICE gave up: the next offer restarts it.
    pub(super) fn restart(&mut self) {
        self.restart = true;
    }

    /// An offer, if one is due and none is under way.
    pub(super) async fn offer(&mut self) -> Result<Option<Offer>, PeerError> {
        let wanted: Vec<Track> = self
            .tracks
            .iter()
            .filter(|track| self.takes(track.source))
            .cloned()
            .collect();
        // Where nothing is sent there is nothing to offer before there is something to take.
        if self.sources.is_empty() && wanted.is_empty() {
            return Ok(None);
        }
        let due = self.restart || self.offered.as_ref() != Some(&wanted);
        if self.offering || !due {
            return Ok(None);
        }
        if self.restart && self.peer.wants_relays() {
            self.peer.set_relays(relays(&self.session).await);
        }
        let offer = self.peer.offer(&wanted, self.restart).await?;
        self.offered = Some(wanted);
        if std::mem::take(&mut self.restart) {
            // That is the answer to whatever was lost.
            self.lost = false;
        }
        self.offering = true;
        self.tracks_told = false;
        Ok(Some(offer))
    }

    /// Whether the sound of others is played.
    pub(super) fn set_plays(&mut self, plays: bool) {
        self.plays.send_replace(plays);
    }

    /// Whether there is anything to switch on as a camera.
    pub(super) fn has_camera(&self) -> bool {
        self.has_camera
    }

    fn takes(&self, source: Source) -> bool {
        match source {
            Source::Microphone => self.speaker.is_some(),
            Source::Camera => self.screen.is_some(),
        }
    }

    pub(super) async fn answered(&mut self, sdp: String) -> Result<(), PeerError> {
        self.offering = false;
        self.peer.answer(sdp).await?;
        self.open_lines().await
    }

    /// The connection is up.
    pub(super) async fn connected(&mut self) -> Result<(), PeerError> {
        self.connected = true;
        self.lost = false;
        self.open_lines().await
    }

    async fn open_lines(&mut self) -> Result<(), PeerError> {
        if !self.connected {
            return Ok(());
        }
        self.microphone
            .send_replace(self.peer.line(Source::Microphone).await?);
        self.camera
            .send_replace(self.peer.line(Source::Camera).await?);
        Ok(())
    }

    /// The server's side is gone, or nobody knows what became of an offer: a new connection.
    pub(super) async fn renew(&mut self) -> Result<(), PeerError> {
        let relays = relays(&self.session).await;
        let server = self.session.server().clone();
        let (peer, events) = Peer::new(&self.sources, server, relays).await?;
        let mut old = std::mem::replace(&mut self.peer, peer);
        self.events = events;
        self.offered = None;
        self.offering = false;
        self.restart = false;
        self.connected = false;
        self.lost = false;
        self.microphone.send_replace(None);
        self.camera.send_replace(None);
        self.generation += 1;
        self.receivers.clear();
        self.listeners.abort_all();
        // Its end is told to a server that may not be there; nobody need wait for that.
        tokio::spawn(async move { old.close().await });
        Ok(())
    }

    pub(super) async fn next_event(&mut self) -> PeerEvent {
        match self.events.recv().await {
            Some(event) => event,
            // The connection was closed, by us.
            None => std::future::pending().await,
        }
    }

    /// A track begins: it is received, if it is one that was asked for.
    pub(super) async fn begin(&mut self, remote: Arc<dyn TrackRemote>) {
        let Some(track) = self.peer.identify(&remote).await else {
            tracing::warn!("a track that nobody asked for");
            return;
        };
        let slot = self.receivers.len() as u64;
        let (late, waiting) = mpsc::channel(LATE_MAX);
        let owner = Owner {
            device: track.device,
            track: track.track,
            slot,
        };
        let frames = self.frames.clone();
        match (track.source, &self.speaker, &self.screen) {
            (Source::Microphone, Some(speaker), _) => {
                let speaker = speaker.clone();
                let receiver = SoundReceiver {
                    remote,
                    owner,
                    frames,
                    late: waiting,
                    speaker,
                    plays: self.plays.subscribe(),
                };
                self.listeners.spawn(async move {
                    if let Err(error) = receiver.run().await {
                        tracing::error!(%error, "the sound decoder failed");
                    }
                });
            }
            (Source::Camera, _, Some(screen)) => {
                let screen = screen.clone();
                let descriptor_id = self.peer.descriptor_id(track.track).await;
                let receiver = PictureReceiver {
                    remote,
                    owner,
                    frames,
                    late: waiting,
                    screen,
                    descriptor_id,
                };
                self.listeners.spawn(receiver.run());
            }
            _ => return,
        }
        self.receivers.push((track.track, late));
    }

    /// A frame whose key came after it, to the track it is of.
    pub(super) fn late(&self, slot: u64, frame: Vec<u8>) {
        let receiver = usize::try_from(slot)
            .ok()
            .and_then(|slot| self.receivers.get(slot));
        if let Some((_, late)) = receiver {
            // A full queue drops it: it is late already.
            late.try_send(frame).ok();
        }
    }

    pub(super) async fn close(&mut self) {
        self.senders.abort_all();
        self.listeners.abort_all();
        self.peer.close().await;
    }
}
