//! What the machine is, and the clocks and memory of processes on it, as `/proc` tells.

use std::fs;
use std::time::Duration;

use rustix::process::{Resource, getrlimit, setrlimit};

use crate::result::model::Machine;

/// What this machine is.
pub fn facts() -> Machine {
    let processors = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    // Intel and AMD say `model name`; ARM often only `Hardware` or nothing.
    let processor = field(&processors, "model name").or_else(|| field(&processors, "Hardware"));
    let memory = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let kib = field(&memory, "MemTotal").and_then(|text| first_number(&text));
    let name = rustix::system::uname();
    let (system, release) = (name.sysname(), name.release());
    Machine {
        processor: processor.unwrap_or_else(|| name.machine().to_string_lossy().into_owned()),
        cores: std::thread::available_parallelism().map_or(1, usize::from) as u64,
        memory_bytes: kib.unwrap_or(0) * 1_024,
        system: format!("{} {}", system.to_string_lossy(), release.to_string_lossy()),
    }
}

/// Lets this process, and the servers that it starts, open as many sockets as the system allows.
pub fn open_files() {
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    // Where that is refused, what can't be opened says so.
    setrlimit(Resource::Nofile, limit).ok();
}

/// Processor time of a process; `None` when it is gone.
pub fn cpu_of(process: u32) -> Option<Duration> {
    cpu_fields(process, 2)
}

/// The sum of this many fields from its own user time on: system time, then both of its ended children.
fn cpu_fields(process: u32, count: usize) -> Option<Duration> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // The name stands in parentheses and may hold anything.
    let fields = stat.rsplit(')').next()?;
    let ticks = fields.split_whitespace().skip(11).take(count);
    let ticks: u64 = ticks.filter_map(|field| field.parse::<u64>().ok()).sum();
    let second = rustix::param::clock_ticks_per_second().max(1);
    Some(Duration::from_secs_f64(ticks as f64 / second as f64))
}

/// Processor time of a process's threads that live, to the nanosecond: for short turns, in which no thread ends.
pub fn cpu_of_threads(process: u32) -> Option<Duration> {
    let threads = fs::read_dir(format!("/proc/{process}/task")).ok()?;
    let times = threads.filter_map(Result::ok).map(|thread| {
        // A thread that has just ended is no more.
        let stat = fs::read_to_string(thread.path().join("schedstat")).unwrap_or_default();
        first_number(&stat).unwrap_or(0)
    });
    Some(Duration::from_nanos(times.sum()))
}

/// Processor time of this process and of the ended ones that it had started.
pub fn cpu_with_children() -> Duration {
    cpu_fields(std::process::id(), 4).unwrap_or_default()
}

/// Processor time of this process.
pub fn own_cpu() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    Duration::try_from(time).unwrap_or_default()
}

/// Resident memory of a process, bytes; `None` when it is gone.
pub fn resident_of(process: u32) -> Option<u64> {
    let statm = fs::read_to_string(format!("/proc/{process}/statm")).ok()?;
    let pages: u64 = statm.split_whitespace().nth(1)?.parse().ok()?;
    Some(pages * rustix::param::page_size() as u64)
}

/// Ticks of all processors since the start of the system.
#[derive(Clone, Copy, Debug, Default)]
pub struct Processors {
    busy: u64,
    all: u64,
}

impl Processors {
    /// As they are now.
    pub fn now() -> Self {
        let stat = fs::read_to_string("/proc/stat").unwrap_or_default();
        Self::parse(&stat)
    }

    fn parse(stat: &str) -> Self {
        let line = stat.lines().next().unwrap_or_default();
        let ticks: Vec<u64> = line
            .split_whitespace()
            .skip(1)
            .take(8)
            .filter_map(|field| field.parse().ok())
            .collect();
        let all: u64 = ticks.iter().sum();
        // The fourth and fifth: idle, and waiting for a disk.
        let idle: u64 = ticks.iter().skip(3).take(2).sum();
        Self {
            busy: all - idle,
            all,
        }
    }

    /// The share that was busy since then, 0 to 1.
    pub fn busy_since(&self, earlier: &Self) -> Option<f64> {
        let all = self
            .all
            .checked_sub(earlier.all)
            .filter(|ticks| *ticks > 0)?;
        Some(self.busy.saturating_sub(earlier.busy) as f64 / all as f64)
    }
}

fn field(text: &str, name: &str) -> Option<String> {
    let line = text.lines().find(|line| line.starts_with(name))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}

fn first_number(text: &str) -> Option<u64> {
    text.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_machine_and_this_process_are_known() {
        let facts = facts();
        assert!(facts.cores > 0 && facts.memory_bytes > 1 << 20, "{facts:?}");
        assert!(!facts.processor.is_empty() && facts.system.starts_with("Linux"));
        let own = std::process::id();
        assert!(resident_of(own).unwrap() > 1 << 20);
        assert!(cpu_of(own).is_some() && own_cpu() > Duration::ZERO);
        assert!(cpu_of_threads(own).unwrap() > Duration::ZERO);
    }

    #[test]
    fn the_busy_share_leaves_idle_and_waiting_out() {
        let earlier = Processors::parse("cpu  10 0 10 80 0 0 0 0 0 0\n");
        let later = Processors::parse("cpu  20 0 20 150 10 0 0 0 0 0\n");
        assert_eq!(later.busy_since(&earlier), Some(0.2));
        assert_eq!(later.busy_since(&later), None);
    }
}
