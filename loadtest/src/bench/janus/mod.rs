//! Janus from Debian's package, on the same load: a program of another house to compare with.
//!
//! `process` starts it with a configuration of its own on free ports, `api` speaks its HTTP interface, and here the
//! peers of a shape join its rooms (plugin videoroom). Whoever sends and receives has two connections there, since
//! that plugin keeps the two apart.

mod api;
mod process;

use std::collections::HashMap;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use serde_json::{Value, json};
use str0m::media::{Direction, Mid};

use self::api::Api;
use self::process::Process;
use super::endpoint::{Endpoint, Target};
use super::generator::{Generator, Source};
use super::stage::wait_connected;
use crate::machine;
use crate::peer::{Features, Peer};
use crate::shape::{Member, Shape};
use crate::sockets::peer_socket_at;

/// A running Janus.
pub struct Janus {
    process: Process,
    api: Api,
    /// Rooms so far.
    rooms: u64,
}

/// A room in which its publishers are.
pub struct Room {
    number: u64,
    /// Each publisher's number and the sections that it sends, by its place.
    feeds: HashMap<usize, (u64, Vec<Mid>)>,
}

impl Janus {
    /// Starts it on the measured core.
    ///
    /// # Errors
    /// When it is not installed or does not start.
    pub fn start() -> Result<Self> {
        let mut process = Process::start()?;
        match Api::open(process.url()) {
            Ok(api) => Ok(Self {
                process,
                api,
                rooms: 0,
            }),
            Err(error) => Err(error.context(process.last_words())),
        }
    }

    /// Processor time of all its threads so far.
    ///
    /// # Errors
    /// When it is gone.
    pub fn cpu(&self) -> Result<Duration> {
        machine::cpu_of_threads(self.process.id()).context("Janus has ended")
    }

    /// Its resident memory, bytes.
    ///
    /// # Errors
    /// When it is gone.
    pub fn resident(&self) -> Result<u64> {
        machine::resident_of(self.process.id()).context("Janus has ended")
    }

    /// Brings the peers of a shape in, and adds them and their flows to the generator.
    ///
    /// # Errors
    /// When it refuses somebody, or not all are connected in a minute.
    pub fn join(
        &mut self,
        shape: &Shape,
        features: Features,
        generator: &mut Generator,
    ) -> Result<()> {
        for members in &shape.rooms {
            let room = self.open_room(members, features, generator)?;
            for member in members.iter().filter(|member| !member.takes.is_empty()) {
                self.subscribe(&room, member, features, generator)?;
            }
        }
        wait_connected(generator)
    }

    /// Makes a room and lets everybody who sends anything come in.
    ///
    /// # Errors
    /// When it refuses somebody, or not all are connected in a minute.
    pub fn open_room(
        &mut self,
        members: &[Member],
        features: Features,
        generator: &mut Generator,
    ) -> Result<Room> {
        self.rooms += 1;
        let number = self.rooms;
        self.make_room(number, members.len(), features)?;
        let mut feeds = HashMap::new();
        for (at, member) in members.iter().enumerate() {
            if !member.sends.is_empty() {
                let feed = 1 + at as u64;
                let mids = self.publish((number, feed), member, features, generator)?;
                feeds.insert(at, (feed, mids));
            }
        }
        // A track can be taken once its sender is connected.
        wait_connected(generator)?;
        Ok(Room { number, feeds })
    }

    /// Makes a room in which nothing beside media is spoken, unless everything is.
    fn make_room(&mut self, room: u64, members: usize, features: Features) -> Result<()> {
        let handle = self.api.attach()?;
        let on = features.reports();
        let body = json!({
            "request": "create", "room": room, "publishers": members + 1,
            "audiocodec": "opus", "videocodec": "vp8", "bitrate": 0, "fir_freq": 0,
            "audiolevel_ext": on, "transport_wide_cc_ext": on,
            "videoorient_ext": false, "playoutdelay_ext": false, "notify_joining": false,
        });
        let made = self.api.ask(handle, body, None)?;
        match made.plugin["videoroom"].as_str() {
            Some("created") => Ok(()),
            _ => bail!("Janus made no room: {}", made.plugin),
        }
    }

    /// Lets a member send; the sections in which it does.
    fn publish(
        &mut self,
        (room, feed): (u64, u64),
        member: &Member,
        features: Features,
        generator: &mut Generator,
    ) -> Result<Vec<Mid>> {
        let (socket, address) = peer_socket_at(self.process.address())?;
        let mut peer = Peer::new(Instant::now(), address, features)?;
        let sends = member.sends.iter();
        let wanted = sends.map(|flow| (flow.kind, Direction::SendOnly, Vec::new()));
        let (offer, mids) = peer.offer(wanted.collect())?;
        let handle = self.api.attach()?;
        let body = json!({
            "request": "joinandconfigure", "ptype": "publisher", "room": room, "id": feed,
        });
        let joined = self.api.ask(handle, body, Some(("offer", &offer)))?;
        peer.accept(&joined.description("answer")?)?;
        let endpoint = Endpoint::joined(Target::Janus, socket, peer, features);
        let endpoint = generator.add_endpoint(endpoint)?;
        for (flow, mid) in member.sends.iter().zip(&mids) {
            generator.add_flow(endpoint, flow, Source::Peer(*mid));
        }
        Ok(mids)
    }

    /// Lets a member receive what it takes of others.
    ///
    /// # Errors
    /// When it is refused.
    pub fn subscribe(
        &mut self,
        room: &Room,
        member: &Member,
        features: Features,
        generator: &mut Generator,
    ) -> Result<()> {
        let (socket, address) = peer_socket_at(self.process.address())?;
        let mut peer = Peer::new(Instant::now(), address, features)?;
        let stream = |(other, track): &(usize, usize)| {
            let (feed, mids) = room.feeds.get(other)?;
            Some(json!({"feed": feed, "mid": mids.get(*track)?.to_string()}))
        };
        let streams: Option<Vec<Value>> = member.takes.iter().map(stream).collect();
        let streams = streams.context("a track that nobody sends")?;
        let handle = self.api.attach()?;
        let body = json!({
            "request": "join", "ptype": "subscriber", "room": room.number, "streams": streams,
        });
        // It offers to whoever receives.
        let attached = self.api.ask(handle, body, None)?;
        let answer = peer.answer(&attached.description("offer")?)?;
        let started = self.api.ask(
            handle,
            json!({"request": "start"}),
            Some(("answer", &answer)),
        )?;
        if started.plugin["started"] != "ok" {
            bail!("Janus started nothing: {}", started.plugin);
        }
        generator.add_endpoint(Endpoint::joined(Target::Janus, socket, peer, features))?;
        Ok(())
    }
}
