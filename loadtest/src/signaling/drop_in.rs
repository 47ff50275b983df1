//! Drop-ins at a rate: half of a household's home devices drop in on the other half, where nobody answers.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use homeline_client::{Call, CallEvent, Client, ClientEvent, Visit, VisitEvent};
use tokio::sync::mpsc;

use super::rooms::{connect, drain, label, pair};
use super::stage::Stage;
use super::talk::sound;
use super::tally::{Kind, PATIENCE, Tally};
use super::watch::Words;
use crate::result::RunResult;

/// How long a home device's tone lasts at least (docs/drop-in.md): nothing opens before its end.
const TONE: Duration = Duration::from_millis(700);
/// How long a drop-in takes beside what it lasts, with room for a slow server, seconds.
const SET_UP_S: f64 = 3.0;

const KINDS: &[Kind] = &[
    (
        "latency",
        "Until the room is heard",
        "From the moment at which somebody was meant to drop in until they heard the room: asked, judged by the \
         device, its tone of 0.7 s played to the end, keys agreed on, media connected, sound decrypted.",
    ),
    (
        "opened",
        "Until it opens",
        "From that moment until they were told that the device has opened, its tone included.",
    ),
];

/// Runs it.
pub(super) async fn run(stage: &Stage<'_>, rate: f64, hold: f64) -> Result<RunResult> {
    let person = stage.people(1).await?.pop().context("somebody signed up")?;
    let pairs = (rate * (hold + SET_UP_S) * 1.5).ceil() as usize + 1;
    stage
        .progress
        .phase(format!("{} devices are paired", 2 * pairs));
    let (app, told) = connect(&stage.server, &person).await?;
    tokio::spawn(drain(told));
    app.let_household_drop_in(false).await?;
    let mut free = Vec::new();
    let mut rooms = Vec::new();
    for number in 0..pairs {
        let (at, told) = pair(&stage.server, &app, &person.handle, 2 * number).await?;
        tokio::spawn(drain(told));
        let (target, asked) = pair(&stage.server, &app, &person.handle, 2 * number + 1).await?;
        tokio::spawn(be_dropped_in_on(asked, stage.tally.clone()));
        rooms.push(target);
        free.push((at, label(2 * number + 1)));
    }
    // Whoever was paired first does not know the others yet.
    for (at, _) in &free {
        at.refresh().await?;
    }
    let free = Arc::new(Mutex::new(free));
    let hold_for = Duration::from_secs_f64(hold.max(0.0));
    let begin = |_, intended| {
        let (free, tally) = (Arc::clone(&free), stage.tally.clone());
        async move {
            let pair = free.lock().unwrap_or_else(PoisonError::into_inner).pop();
            let Some((at, room)) = pair else {
                return tally.skipped();
            };
            // A pair whose drop-in failed may still be in it, and is not used again.
            match drop_in(&at, &room, intended, hold_for, &tally).await {
                Ok(()) => free
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .push((at, room)),
                Err(kind) => tally.error(kind),
            }
        }
    };
    let load = stage.open_loop(rate, begin);
    let seen = stage.during("drop-ins", load).await;
    drop(rooms);
    let words = Words {
        title: format!("drop-ins, {rate} a second"),
        story: format!(
            "{rate} times a second one of {} home devices of a household drops in on another; each lasts {hold} s once \
             it is heard.",
            2 * pairs
        ),
        participants: 2 * pairs as u64,
        participant: "device",
        counted: ("drop-in", "drop-ins"),
        kinds: KINDS,
    };
    let note = "Both ends of every drop-in run in this process, with their keys and codecs: they need far more \
                processor time than the server.";
    Ok(stage.result(words, seen, None, vec![note.to_owned()]))
}

/// One drop-in. The kind of the error where it fails.
async fn drop_in(
    at: &Client,
    room: &str,
    intended: Instant,
    hold: Duration,
    tally: &Tally,
) -> Result<(), String> {
    let (with, mut heard) = sound(1_000.0);
    let asked = at.drop_in(room, with).await;
    let mut call = asked.map_err(|error| format!("drop-in: {error}"))?;
    let opening = async {
        loop {
            let event = tokio::select! {
                // What led to the sound is told before it.
                biased;
                event = call.next() => event,
                Some(_) = heard.recv() => return Ok(()),
            };
            match event {
                Some(CallEvent::DropInOpened { .. }) => tally.took("opened", false, intended),
                Some(CallEvent::DropInRefused(refusal)) => {
                    return Err(format!("drop-in refused: {refusal:?}"));
                }
                Some(CallEvent::Ended(reason)) => return Err(format!("drop-in ended: {reason:?}")),
                Some(_) => {}
                None => return Err("drop-in: gone".to_owned()),
            }
        }
    };
    let opened = tokio::time::timeout(PATIENCE, opening).await;
    opened.unwrap_or_else(|_| Err("drop-in: not heard in time".to_owned()))?;
    tally.took("latency", true, intended);
    tally.done();
    let listening = async { while heard.recv().await.is_some() {} };
    tokio::time::timeout(hold, listening).await.ok();
    end(call).await;
    Ok(())
}

async fn end(mut call: Call) {
    call.hang_up().await;
    call.ended().await;
}

/// A home device that gives its tone and its light to whoever may, and then a sound.
async fn be_dropped_in_on(mut asked: mpsc::Receiver<ClientEvent>, tally: Tally) {
    while let Some(event) = asked.recv().await {
        match event {
            ClientEvent::DropIn(visit) => {
                tokio::spawn(visit_of(visit));
            }
            ClientEvent::DropInRefused { because, .. } => {
                tally.error(format!("device refused: {because:?}"));
            }
            _ => {}
        }
    }
}

async fn visit_of(mut visit: Box<Visit>) {
    tokio::time::sleep(TONE).await;
    let (with, mut heard) = sound(1_500.0);
    visit.signalled(with).await;
    loop {
        tokio::select! {
            Some(_) = heard.recv() => {}
            event = visit.next() => if matches!(event, None | Some(VisitEvent::Over(_))) { return },
        }
    }
}
