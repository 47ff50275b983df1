//! Processor time of the calling thread.

use std::time::Duration;

/// Processor time that this thread has used; zero where the system does not tell.
pub(crate) fn of_this_thread() -> Duration {
    #[cfg(target_os = "linux")]
    {
        let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
        Duration::try_from(time).unwrap_or_default()
    }
    #[cfg(not(target_os = "linux"))]
    {
        Duration::ZERO
    }
}
