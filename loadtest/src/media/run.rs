//! A media scenario from start to result: the population grows in steps, load warms up, then it is measured.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use homeline_protocol::media_http::NodeFigures;
use tokio::task::JoinSet;

use super::control;
use super::driver::{Driver, Play};
use super::join::{Entrance, Joined};
use super::outcome;
use super::plan::{self, Participant};
use super::recorder::{Measured, Totals};
use super::views;
use super::watch::{self, Target};
use crate::arguments::MediaOptions;
use crate::machine;
use crate::peer::Features;
use crate::result::Times;
use crate::result::model::{FORMAT, Pictures, RunResult, Sample, Scenario};
use crate::run::interval::{Reading, bottlenecks};
use crate::run::memory::memory;
use crate::run::{Stop, progress::Progress};
use crate::schedule::Arrivals;
use crate::shape::Shape;

/// How long memory settles after a step of the population.
const SETTLE: Duration = Duration::from_millis(600);

/// How long packets may be under way after the last was sent.
const DRAIN: Duration = Duration::from_millis(300);

/// Intervals of a run: a second each, and in short runs no less than the node renews its figures.
const INTERVAL_MAX: f64 = 1.0;
const INTERVAL_MIN: f64 = 0.5;

/// What is run.
pub struct MediaRun<'a> {
    /// Who sends what to whom.
    pub shape: Shape,
    /// The scenario's words.
    pub scenario: Scenario,
    /// How.
    pub options: &'a MediaOptions,
    /// The options that the result keeps.
    pub kept: BTreeMap<String, String>,
    /// Whether each receiver says how large it shows each picture.
    pub views: bool,
    /// Whether to stop.
    pub stop: Stop,
    /// What is shown meanwhile.
    pub progress: &'a Progress,
}

/// What came together on the way.
#[derive(Default)]
struct Found {
    errors: BTreeMap<String, u64>,
    notes: Vec<String>,
    joins: Times,
    /// How late participants came.
    late: Times,
    steps: Vec<(u64, u64)>,
    pictures: Vec<Pictures>,
}

/// What was measured between two moments.
struct Window {
    before: (Reading, NodeFigures, Totals),
    after: (Reading, NodeFigures, Totals),
    measured: Measured,
    series: Vec<Sample>,
}

impl MediaRun<'_> {
    /// Runs it.
    ///
    /// # Errors
    /// When there is no node, or it can't be measured at all. What goes wrong with participants is counted.
    pub async fn run(self) -> Result<RunResult> {
        let began_at = crate::run::rfc3339_now();
        self.progress.phase("starting the media node");
        let target = Target::open(self.options, &self.shape).await?;
        let entrance = Arc::new(self.entrance(&target)?);
        let rooms = plan::rooms(&self.shape, self.options.common.seed);
        for room in &rooms {
            target.control.make_room(*room).await?;
        }
        let mut found = Found::default();
        self.populate(&target, &entrance, &mut found).await?;
        if self.views && !self.stop.asked() {
            self.progress
                .phase("everybody says how large they show whom");
            let all = plan::participants(&self.shape, self.options.common.seed);
            for kind in views::tell(&target.control, &all).await {
                *found.errors.entry(kind).or_default() += 1;
            }
        }
        self.progress.phase("warming up");
        let warm_up = Duration::from_secs_f64(self.options.common.warm_up.max(0.0));
        self.stop.sleep(warm_up).await;
        let window = self.measure(&target, &entrance.drivers, &mut found).await?;
        for room in rooms {
            // A node that is gone has no rooms either.
            target.control.close_room(room).await.ok();
        }
        Ok(self.result(began_at, &target, found, window))
    }

    fn entrance(&self, target: &Target) -> Result<Entrance> {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let threads = self.options.threads.unwrap_or(cores - 1).max(1);
        let play = Play {
            epoch: Instant::now(),
            spin: self.options.spin,
        };
        let drivers: std::io::Result<Vec<Driver>> = (0..threads)
            .map(|number| Driver::start(number, play))
            .collect();
        let features = match (self.views, self.options.everything) {
            (false, false) => Features::Plain,
            (false, true) => Features::All,
            (true, false) => Features::Layers,
            (true, true) => Features::AllLayers,
        };
        // Rooms are alike, but for the smallest of them.
        let kinds = self.shape.rooms.first().context("a room")?.iter();
        Ok(Entrance {
            control: target.control.clone(),
            own_address: target.own_address,
            drivers: drivers.context("threads that play peers")?,
            features,
            decrypt_one_in: self.options.decrypt_one_in,
            kinds: kinds
                .map(|member| member.sends.iter().map(|flow| flow.kind).collect())
                .collect(),
        })
    }

    /// Lets everybody come in, step by step, and reads memory after each.
    async fn populate(
        &self,
        target: &Target,
        entrance: &Arc<Entrance>,
        found: &mut Found,
    ) -> Result<()> {
        let seed = self.options.common.seed;
        let all = plan::participants(&self.shape, seed);
        let sizes = plan::population_steps(all.len(), self.options.steps);
        let (reading, _) = target.read().await?;
        found.steps.push((0, reading.resident.unwrap_or(0)));
        let mut numbered = all.into_iter().enumerate();
        let mut inside = 0;
        for (step, size) in sizes.iter().enumerate() {
            if self.stop.asked() {
                break;
            }
            self.progress.phase(format!("{size} participants come in"));
            let coming = numbered.by_ref().take(size - inside).collect();
            self.come(entrance, coming, seed + step as u64, found).await;
            inside = *size;
            self.stop.sleep(SETTLE).await;
            let (reading, figures) = target.read().await?;
            found
                .steps
                .push((figures.peers, reading.resident.unwrap_or(0)));
        }
        Ok(())
    }

    async fn come(
        &self,
        entrance: &Arc<Entrance>,
        coming: Vec<(usize, Participant)>,
        seed: u64,
        found: &mut Found,
    ) {
        let start = Instant::now();
        let times = Arrivals::new(self.options.common.arrivals, self.options.joins, seed);
        let mut joining = JoinSet::new();
        for ((number, participant), after) in coming.into_iter().zip(times) {
            let intended = start + after;
            self.stop.sleep_until(intended).await;
            if self.stop.asked() {
                break;
            }
            found
                .late
                .record(Instant::now().saturating_duration_since(intended));
            let entrance = Arc::clone(entrance);
            joining.spawn(entrance.join(number, participant, intended));
        }
        // Those who still come when the run is ended are left out.
        while let Some(Some(joined)) = self.stop.unless(joining.join_next()).await {
            match joined {
                Ok(Ok(joined)) => found.joined(&joined),
                Ok(Err(kind)) => *found.errors.entry(kind).or_default() += 1,
                Err(error) => found.notes.push(format!("A participant failed: {error}.")),
            }
        }
    }

    async fn measure(
        &self,
        target: &Target,
        drivers: &[Driver],
        found: &mut Found,
    ) -> Result<Window> {
        let seconds = self.options.common.seconds.max(INTERVAL_MIN);
        let interval = (seconds / 10.0).clamp(INTERVAL_MIN, INTERVAL_MAX);
        drop(watch::take(drivers));
        let (server, figures) = target.read().await?;
        let before = (Reading::now(server), figures, watch::take(drivers).totals);
        let mut last = (before.0, before.2);
        let mut after = (before.0, before.1.clone(), before.2);
        let mut measured = Measured::default();
        let mut series = Vec::new();
        let began = before.0.at;
        let mut number = 0_u32;
        // Once measuring has begun, something is measured.
        let mut on = !self.stop.asked();
        if on {
            self.progress.phase("measuring");
        }
        while on {
            number += 1;
            let end = (f64::from(number) * interval).min(seconds);
            self.stop
                .sleep_until(began + Duration::from_secs_f64(end))
                .await;
            let (server, figures) = match target.read().await {
                Ok(read) => read,
                Err(error) if series.is_empty() => return Err(error),
                // What was measured until then is worth a report.
                Err(_) => break,
            };
            let taken = watch::take(drivers);
            let now = Reading::now(server);
            let mut sample = now.sample(&last.0, began, &taken.all());
            let (lost, received) = taken.totals.lost_since(&last.1);
            sample.loss_per_mille = outcome::per_mille(lost, received);
            self.progress.measured(seconds, &sample, "packets");
            series.push(sample);
            last = (now, taken.totals);
            after = (now, figures, taken.totals);
            measured.add(&taken);
            on = now.at < began + Duration::from_secs_f64(seconds) && !self.stop.asked();
        }
        if self.views && !series.is_empty() {
            self.look_at_pictures(target, found).await;
        }
        drivers.iter().for_each(Driver::quiet);
        tokio::time::sleep(DRAIN).await;
        let drained = watch::take(drivers);
        measured.add(&drained);
        after.2.counts = drained.totals.counts;
        Ok(Window {
            before,
            after,
            measured,
            series,
        })
    }

    /// Which size everybody is sent, while it flows.
    async fn look_at_pictures(&self, target: &Target, found: &mut Found) {
        let all = plan::participants(&self.shape, self.options.common.seed);
        match views::sent(&target.control, &all).await {
            Ok(pictures) => {
                found.notes.extend(views::note(&pictures));
                found.pictures = pictures;
            }
            Err(error) => *found.errors.entry(control::kind(&error)).or_default() += 1,
        }
    }

    fn result(
        self,
        began_at: String,
        target: &Target,
        mut found: Found,
        window: Window,
    ) -> RunResult {
        let (before, after) = (&window.before, &window.after);
        let transit = (&before.1.transit, &after.1.transit);
        let latencies = outcome::latencies(&window.measured, transit, &found.joins);
        let mut late = window.measured.late.clone();
        late.add(&found.late);
        let skipped = after.2.skipped - before.2.skipped;
        let mut generator = after.0.generator(&before.0, &late, skipped);
        let seconds = (after.0.at - before.0.at).as_secs_f64().max(1e-9);
        let busiest = after
            .2
            .busiest
            .saturating_sub(before.2.busiest)
            .as_secs_f64()
            / seconds;
        generator.busiest_thread = (!self.options.spin).then_some(busiest);
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        generator.threads = self.options.threads.unwrap_or(cores - 1).max(1) as u64;
        generator.bottlenecks = bottlenecks(
            &generator,
            latencies.first(),
            after.0.busy_since(&before.0).filter(|_| !self.options.spin),
            target.server.same_machine,
        );
        self.count_errors(&mut found, &window);
        RunResult {
            format: FORMAT,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            began_at,
            loss: Some(outcome::loss(&self.shape, before.2, after.2)),
            pictures: found.pictures,
            memory: memory(&found.steps, after.0.server.resident),
            scenario: self.scenario,
            options: self.kept,
            machine: machine::facts(),
            server: target.server.clone(),
            measured_s: seconds,
            ended_early: self.stop.asked(),
            latencies,
            work: after
                .0
                .work(&before.0, ("forwarded packet", "forwarded packets")),
            generator,
            errors: found.errors,
            notes: found.notes,
            series: window.series,
        }
    }

    fn count_errors(&self, found: &mut Found, window: &Window) {
        let (before, after) = (&window.before, &window.after);
        let mut count = |kind: String, count: u64| {
            if count > 0 {
                *found.errors.entry(kind).or_default() += count;
            }
        };
        count("peer: connection broke".to_owned(), after.2.broken);
        count(
            "peer: datagram not sent".to_owned(),
            after.2.unsent - before.2.unsent,
        );
        for (reason, dropped) in &after.1.dropped {
            let earlier = before.1.dropped.get(reason).copied().unwrap_or(0);
            count(
                format!("node dropped: {reason}"),
                dropped.saturating_sub(earlier),
            );
        }
        if window.series.is_empty() {
            found.notes.push("Nothing was measured.".to_owned());
        }
        let silent = after.2.streams < self.shape.subscriptions() as u64;
        // Whoever had not come yet when the run was ended got nothing either.
        if silent && !self.stop.asked() {
            let text = "Some receivers got nothing of some tracks. In a large room that is the node's choice of \
                 the loudest; elsewhere it is a fault.";
            found.notes.push(text.to_owned());
        }
    }
}

impl Found {
    fn joined(&mut self, joined: &Joined) {
        self.joins.record(joined.took);
        let note =
            "The node took each picture in one size only, and so the largest was sent alone.";
        if joined.without_simulcast && !self.notes.iter().any(|known| known == note) {
            self.notes.push(note.to_owned());
        }
    }
}
