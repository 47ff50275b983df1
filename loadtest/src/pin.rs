//! Keeps the measured and the measuring threads on cores of their own.

use rustix::thread::{CpuSet, sched_setaffinity};

/// The measured threads' core, and the generator's.
pub const MEASURED: usize = 0;
/// See [`MEASURED`].
pub const GENERATOR: usize = 1;

/// Keeps this thread, and those it starts from now on, on one core. A machine with a single core keeps both
/// there, and its figures mean little.
pub fn this_thread(core: usize) {
    let mut set = CpuSet::new();
    set.set(core);
    if sched_setaffinity(None, &set).is_err() {
        eprintln!("this thread could not be kept on core {core}");
    }
}
