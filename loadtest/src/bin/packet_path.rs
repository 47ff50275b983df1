//! The packet path's figures: processor time for each forwarded packet beside the floor in the same run, what one
//! worker carries, and memory for each participant, as one table.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::Result;
use clap::{Parser, ValueEnum};
use loadtest::bench::setting::Setting;
use loadtest::bench::table::Table;
use loadtest::bench::turns::{self, Turns};
use loadtest::bench::{saturation, slope};
use loadtest::machine::{self, Processors};
use loadtest::shape::Shape;

/// From which share of the machine on others count as noise.
const OTHERS_HARMLESS: f64 = 0.05;

#[derive(Parser)]
#[command(about = "What the media node costs for each packet, beside a floor in the same run")]
struct Arguments {
    /// What to measure; all of it when nothing is named.
    #[arg(value_enum)]
    parts: Vec<Part>,
    /// Only with this switched on.
    #[arg(long, value_enum)]
    with: Vec<With>,
    /// Turns of each program; medians are taken, and the least and the most are shown.
    #[arg(long, default_value_t = 5)]
    turns: usize,
    /// Seconds of a turn.
    #[arg(long, default_value_t = 2.0)]
    seconds: f64,
    /// Beside Janus on the same load, with nothing but media.
    #[arg(long)]
    peers: bool,
    /// The program `homeline`, whose memory is measured. Without it, the one beside this program.
    #[arg(long)]
    server_binary: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Part {
    /// One room of ten in which everybody talks.
    AudioRoom,
    /// One picture of 1.5 Mbit/s for fifty.
    FanOut,
    /// Fifty calls of two.
    Pairs,
    /// One picture for five hundred, as large as it goes.
    Saturation,
    /// Memory for each further participant.
    Memory,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum With {
    /// Nothing but media.
    Plain,
    /// The same at the node's economy point.
    Economy,
    /// Header extensions, descriptors, feedback and estimation.
    Everything,
}

impl Arguments {
    fn settings(&self) -> Vec<Setting> {
        if self.peers {
            return vec![Setting::PLAIN];
        }
        let with = |setting: &Setting| match *setting {
            Setting::PLAIN => With::Plain,
            Setting::ECONOMY => With::Economy,
            _ => With::Everything,
        };
        let all = Setting::ALL.into_iter();
        all.filter(|setting| self.with.is_empty() || self.with.contains(&with(setting)))
            .collect()
    }

    fn has(&self, part: Part) -> bool {
        self.parts.is_empty() || self.parts.contains(&part)
    }
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    machine::open_files();
    let mut table = Table::new(arguments.peers);
    let noise = Noise::now();
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    if cores < 2 {
        table.note(
            "This machine has one processor, which the generator took from what was measured: the figures mean \
             little, and saturation is not taken.",
        );
    }
    fixed_rates(&arguments, &mut table)?;
    if arguments.has(Part::Saturation) && !arguments.peers {
        saturate(&arguments, cores, &mut table)?;
    }
    if arguments.has(Part::Memory) {
        memory(&arguments, &mut table);
    }
    explain(&arguments, &mut table);
    noise.tell(&mut table);
    println!("{table}");
    Ok(())
}

/// The loads at their fixed rates.
fn fixed_rates(arguments: &Arguments, table: &mut Table) -> Result<()> {
    let turns = Turns {
        count: arguments.turns.max(1),
        length: Duration::from_secs_f64(arguments.seconds.max(0.5)),
    };
    // The aims, as ratios to the floor.
    let shapes = [
        (Part::AudioRoom, Shape::audio_room(10), 1.25),
        (Part::FanOut, Shape::fan_out(50), 1.5),
        (Part::Pairs, Shape::pairs(50), 1.25),
    ];
    for (part, shape, aim) in shapes {
        if !arguments.has(part) {
            continue;
        }
        let mut inside = Vec::new();
        for setting in arguments.settings() {
            progress(&format!("{}, {setting}", shape.name));
            let turned = match turns::measure(&shape, setting, turns, arguments.peers) {
                // Ours is worth measuring whatever becomes of the other.
                Err(error) if arguments.peers => {
                    table.note(format!(
                        "{} could not be made on Janus: {error:#}.",
                        shape.name
                    ));
                    turns::measure(&shape, setting, turns, false)?
                }
                turned => turned?,
            };
            table.turned(&shape.name, setting, aim, &turned);
            inside.push((setting, turned));
        }
        // Where packets come one by one; in bursts they wait for each other.
        for (setting, turned) in inside.into_iter().filter(|_| part == Part::AudioRoom) {
            let aims = match setting {
                Setting::PLAIN => [Some(25), Some(140)],
                Setting::ECONOMY => [None, Some(700)],
                _ => [None, None],
            };
            table.inside(&shape.name, setting, aims, &turned);
        }
    }
    Ok(())
}

fn saturate(arguments: &Arguments, cores: usize, table: &mut Table) -> Result<()> {
    let settings = arguments.settings().into_iter();
    for setting in settings.filter(|setting| !setting.everything) {
        progress(&format!("saturation, {setting}"));
        if cores < 2 {
            table.missing("saturation", setting, "one processor");
            continue;
        }
        table.saturated(setting, &saturation::measure(setting)?);
    }
    table.note(
        "Saturation is not taken with everything on: what a receiver's connection is estimated to carry bounds it \
         then, not the worker.",
    );
    Ok(())
}

fn memory(arguments: &Arguments, table: &mut Table) {
    let what = "memory for each further receiver";
    let settings = arguments.settings().into_iter();
    for setting in settings.filter(|setting| *setting != Setting::ECONOMY) {
        progress(&format!("memory, {setting}"));
        let binary = arguments.server_binary.as_deref();
        let other = arguments.peers.then(|| slope::of_janus(setting));
        let other = match other.transpose() {
            Ok(other) => other,
            Err(error) => {
                table.note(format!("Janus's memory was not taken: {error:#}."));
                None
            }
        };
        match slope::of_node(binary, setting) {
            Ok(bytes) => table.memory(setting, bytes, other),
            Err(error) => table.missing(what, setting, &format!("{error:#}")),
        }
    }
}

fn explain(arguments: &Arguments, table: &mut Table) {
    table.note(format!(
        "Medians of {} turns of {} s (least-most). The floor takes a packet, seals each receiver's copy and \
         sends it, nothing else, in turns with what is measured; aims are ratios to it, and hold for `plain, latency`.",
        arguments.turns, arguments.seconds
    ));
    table.note(
        "plain: AES-128-GCM, no header extension, no feedback, no estimation, receivers count. everything: header \
         extensions, dependency descriptors, transport-wide feedback, reports and estimation, and receivers decrypt \
         (the floor's do not).",
    );
    if arguments.peers {
        table.note(
            "Janus: Debian's package as it is installed, plugin videoroom, all threads of its process on the \
             measured core; each participant who sends and receives has two connections there. Its time inside \
             can't be read from outside, and it is not driven to saturation. Its idle threads disturb the turns of \
             the others on that core a little: whether aims are met is for the run without it.",
        );
    }
}

/// What else runs on the machine.
struct Noise {
    began: Instant,
    processors: Processors,
    own: Duration,
}

impl Noise {
    fn now() -> Self {
        Self {
            began: Instant::now(),
            processors: Processors::now(),
            own: machine::cpu_with_children(),
        }
    }

    fn tell(&self, table: &mut Table) {
        let now = Self::now();
        let Some(busy) = now.processors.busy_since(&self.processors) else {
            return;
        };
        let cores = machine::facts().cores.max(1) as f64;
        let seconds = (now.began - self.began).as_secs_f64().max(1e-9);
        let own = now.own.saturating_sub(self.own).as_secs_f64() / seconds / cores;
        let others = busy - own;
        if others > OTHERS_HARMLESS {
            table.note(format!(
                "Others used {:.0} % of this machine meanwhile: only ratios of one run count, and loss and time \
                 inside are worse than they are.",
                others * 100.0
            ));
        }
    }
}

fn progress(what: &str) {
    eprintln!("measuring {what}");
}
