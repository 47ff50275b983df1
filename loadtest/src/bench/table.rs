//! The table at the end: each load beside its floor, with what was aimed at and whether it was met.

use std::fmt;

use super::saturation::{self, Saturated};
use super::setting::Setting;
use super::turns::{Cost, Turned};
use crate::measure::Spread;
use crate::report::words;

/// Packets a second that one worker should carry.
const SATURATION_AIM: f64 = 600_000.0;

/// Memory for each further participant, bytes.
const MEMORY_AIM: f64 = 50_000.0;

/// One line.
#[derive(Clone, Debug, Default)]
pub struct Row {
    /// What was measured, with its unit.
    what: String,
    setting: String,
    floor: String,
    ours: String,
    ratio: String,
    aim: String,
    met: Option<bool>,
    lost: String,
    other: String,
    other_ratio: String,
}

/// All lines.
#[derive(Debug, Default)]
pub struct Table {
    rows: Vec<Row>,
    /// Another server stands beside.
    beside: bool,
    notes: Vec<String>,
}

impl Table {
    /// Without lines; `beside` has columns for another server.
    pub fn new(beside: bool) -> Self {
        Self {
            beside,
            ..Self::default()
        }
    }

    /// What a reader must know beside the figures, once.
    pub fn note(&mut self, note: impl Into<String>) {
        let note = note.into();
        if !self.notes.contains(&note) {
            self.notes.push(note);
        }
    }

    /// A load at its fixed rate, in units of processor time; the aim is a ratio, and counts without features only.
    pub fn turned(&mut self, shape: &str, setting: Setting, aim: f64, turned: &Turned) {
        let aims = setting == Setting::PLAIN;
        let janus = turned.janus;
        self.rows.push(Row {
            what: format!("{shape}, µs a packet"),
            setting: setting.to_string(),
            floor: spread(turned.floor.micros, two),
            ours: spread(turned.node.micros, two),
            ratio: spread(turned.node.ratio, two),
            aim: when(aims, || format!("{aim:.2}")),
            met: aims.then_some(turned.node.ratio.middle <= aim),
            lost: lost(turned),
            other: janus.map_or_else(String::new, |cost| spread(cost.micros, two)),
            other_ratio: janus.map_or_else(String::new, |cost| {
                format!("{:.1}", cost.micros.middle / turned.node.micros.middle)
            }),
        });
        if !turned.trains {
            self.note("This system sends no trains (GSO): both programs sent packet by packet.");
        }
    }

    /// How long packets were inside the node, half and ninety-nine of a hundred of them; aims where there are some.
    pub fn inside(&mut self, shape: &str, setting: Setting, aims: [Option<u64>; 2], at: &Turned) {
        let [p50, p99] = at.inside;
        let bound = |bound: Option<u64>| bound.map_or("more".to_owned(), |at| format!("≤ {at}"));
        let shown = |[p50, p99]: [Option<u64>; 2]| format!("{} / {}", bound(p50), bound(p99));
        let holds = |bound: Option<u64>, aim: Option<u64>| {
            aim.map(|aim| bound.is_some_and(|bound| bound <= aim))
        };
        let points = [holds(p50, aims[0]), holds(p99, aims[1])];
        let aim = |aim: Option<u64>| aim.map_or("-".to_owned(), |aim| aim.to_string());
        let has_aim = aims.iter().any(Option::is_some);
        self.rows.push(Row {
            what: format!("{shape}, time inside, p50 / p99 µs"),
            setting: setting.to_string(),
            floor: shown(at.floor_inside),
            ours: shown(at.inside),
            aim: when(has_aim, || format!("{} / {}", aim(aims[0]), aim(aims[1]))),
            met: has_aim.then(|| points.into_iter().flatten().all(|met| met)),
            ..Row::default()
        });
        self.note(
            "Time inside runs from the kernel's arrival of a packet until a copy of it was sent, for each copy, by \
             the program's own histogram: figures are the upper bounds of its buckets.",
        );
    }

    /// What one worker carried.
    pub fn saturated(&mut self, setting: Setting, saturated: &Saturated) {
        let aims = setting == Setting::PLAIN;
        let Saturated { floor, node } = *saturated;
        self.rows.push(Row {
            what: format!("saturation 1->{}, packets/s", saturation::RECEIVERS),
            setting: setting.to_string(),
            floor: spread(floor, whole),
            ours: spread(node, whole),
            ratio: format!("{:.2}", node.middle / floor.middle),
            aim: when(aims, || whole(SATURATION_AIM)),
            met: aims.then_some(node.middle >= SATURATION_AIM),
            ..Row::default()
        });
        self.note(
            "Saturation: the bit rate is raised until 0.1 % is lost; most receivers drop in the kernel, since no \
             reader on one core could take all. The generator may end first: then both figures are its own.",
        );
    }

    /// Memory for each further participant, bytes, and another server's.
    pub fn memory(&mut self, setting: Setting, bytes: f64, other: Option<f64>) {
        let aims = setting == Setting::PLAIN;
        self.rows.push(Row {
            what: "memory for each further receiver, 50 to 500, kB".to_owned(),
            setting: setting.to_string(),
            ours: format!("{:.1}", bytes / 1e3),
            aim: when(aims, || format!("{:.0}", MEMORY_AIM / 1e3)),
            met: aims.then_some(bytes <= MEMORY_AIM),
            other: other.map_or_else(String::new, |bytes| format!("{:.1}", bytes / 1e3)),
            other_ratio: other.map_or_else(String::new, |other| {
                format!("{:.1}", other / bytes.max(1.0))
            }),
            ..Row::default()
        });
    }

    /// Something could not be measured here.
    pub fn missing(&mut self, what: &str, setting: Setting, why: &str) {
        self.rows.push(Row {
            what: what.to_owned(),
            setting: setting.to_string(),
            ours: format!("not taken: {why}"),
            ..Row::default()
        });
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut heads = vec![
            "shape", "with", "floor", "ours", "ratio", "aim", "met", "lost",
        ];
        if self.beside {
            heads.extend(["Janus", "Janus / ours"]);
        }
        let lines = self.rows.iter().map(|row| {
            let met = match row.met {
                Some(true) => "yes",
                Some(false) => "NO",
                None => "",
            };
            let mut cells = vec![
                row.what.as_str(),
                &row.setting,
                &row.floor,
                &row.ours,
                &row.ratio,
                &row.aim,
                met,
                &row.lost,
            ];
            if self.beside {
                cells.extend([row.other.as_str(), &row.other_ratio]);
            }
            cells
        });
        let lines: Vec<Vec<&str>> = std::iter::once(heads).chain(lines).collect();
        let columns = lines[0].len();
        let width = |column: usize| lines.iter().map(|line| line[column].chars().count()).max();
        let widths: Vec<usize> = (0..columns).map(|at| width(at).unwrap_or(0)).collect();
        for (number, line) in lines.iter().enumerate() {
            for (cell, width) in line.iter().zip(&widths) {
                write!(f, "| {cell:width$} ")?;
            }
            writeln!(f, "|")?;
            if number == 0 {
                let rules = widths
                    .iter()
                    .map(|width| format!("|{}", "-".repeat(width + 2)));
                writeln!(f, "{}|", rules.collect::<String>())?;
            }
        }
        self.notes
            .iter()
            .try_for_each(|note| writeln!(f, "- {note}"))
    }
}

/// An empty cell otherwise.
fn when(there_is: bool, text: impl FnOnce() -> String) -> String {
    if there_is { text() } else { String::new() }
}

/// The middle, and the least and the most.
fn spread(spread: Spread, number: fn(f64) -> String) -> String {
    let Spread {
        least,
        middle,
        most,
    } = spread;
    format!("{} ({}-{})", number(middle), number(least), number(most))
}

fn two(value: f64) -> String {
    format!("{value:.2}")
}

fn whole(value: f64) -> String {
    words::count(value.round() as u64)
}

/// What did not arrive from the node, and from the others where that is more than a little.
fn lost(turned: &Turned) -> String {
    let percent = |cost: Cost| format!("{:.2} %", cost.lost * 100.0);
    let mut text = percent(turned.node);
    let others = [("floor", Some(turned.floor)), ("Janus", turned.janus)];
    for (name, cost) in others {
        if let Some(cost) = cost.filter(|cost| cost.lost > 0.001) {
            text += &format!(", {name} {}", percent(cost));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cost(micros: f64, ratio: f64) -> Cost {
        let around = |middle: f64| Spread {
            least: middle * 0.9,
            middle,
            most: middle * 1.1,
        };
        Cost {
            micros: around(micros),
            ratio: around(ratio),
            lost: 0.0,
        }
    }

    #[test]
    fn aims_count_without_features_and_say_whether_they_are_met() {
        let turned = Turned {
            floor: cost(1.0, 1.0),
            node: cost(1.3, 1.3),
            janus: Some(cost(26.0, 26.0)),
            inside: [Some(25), Some(200)],
            floor_inside: [Some(15), None],
            trains: false,
        };
        let mut table = Table::new(true);
        table.turned("audio-room 10", Setting::PLAIN, 1.25, &turned);
        table.turned("audio-room 10", Setting::EVERYTHING, 1.25, &turned);
        table.inside(
            "audio-room 10",
            Setting::PLAIN,
            [Some(25), Some(140)],
            &turned,
        );
        table.inside(
            "audio-room 10",
            Setting::ECONOMY,
            [None, Some(700)],
            &turned,
        );
        table.memory(Setting::PLAIN, 40_000.0, Some(200_000.0));
        table.missing("saturation", Setting::PLAIN, "one processor");
        let text = table.to_string();
        let lines: Vec<&str> = text.lines().collect();
        assert!(lines[2].contains("| 1.25 ") && lines[2].contains("| NO "));
        assert!(lines[2].contains("| 26.00 (23.40-28.60) | 20.0"));
        assert!(lines[3].contains("everything, latency") && !lines[3].contains("1.25"));
        assert!(lines[4].contains("≤ 25 / ≤ 200") && lines[4].contains("| NO "));
        assert!(lines[4].contains("≤ 15 / more"));
        assert!(lines[5].contains("- / 700") && lines[5].contains("| yes "));
        assert!(lines[6].contains("| 40.0 ") && lines[6].contains("| 5.0 "));
        assert!(lines[7].contains("not taken: one processor"));
        assert!(text.contains("no trains (GSO)"));
        // All lines are of one width.
        let width = lines[0].chars().count();
        assert!(lines[..8].iter().all(|line| line.chars().count() == width));
    }
}
