//! How many files and connections this process may have open: as many as the system allows, and a word when
//! that is less than the configuration lets in.

use rustix::process::{Resource, getrlimit, setrlimit};
use tracing::{info, warn};

use crate::config::{Config, Parts};

/// What is open besides what the bounds count: listeners, the database and its connections, threads' own
/// queues, log and standard streams, connections to push services and mail servers.
const BESIDES: u64 = 256;

/// Raises the limit to what the system allows, and warns when a full house would not fit into it.
pub(crate) fn open_as_many_as_needed(config: &Config, parts: Parts) {
    let needed = needed(config, parts);
    let allowed = raise();
    if allowed < needed {
        warn!(
            allowed,
            needed,
            "fewer files may be open than the configured bounds can need; beyond that, connections are \
             refused. Raise the limit (LimitNOFILE of a service, ulimit -n) or lower the bounds"
        );
    } else {
        info!(allowed, needed, "files that may be open");
    }
}

/// The limit after raising it; where raising is refused, as it was.
fn raise() -> u64 {
    let mut limit = getrlimit(Resource::Nofile);
    let before = limit.current;
    limit.current = limit.maximum;
    let raised = setrlimit(Resource::Nofile, limit).is_ok();
    let now = if raised { limit.current } else { before };
    // Absent is unlimited.
    now.unwrap_or(u64::MAX)
}

/// What a full house has open: a file for each connection that the bounds let in.
fn needed(config: &Config, parts: Parts) -> u64 {
    let media = &config.media;
    let count = |bound: usize| u64::try_from(bound).unwrap_or(u64::MAX);
    let mut needed = BESIDES;
    if media.tcp {
        let each = count(media.tcp_connections_max);
        needed = needed.saturating_add(each.saturating_mul(media.workers.get().into()));
    }
    if media.turn.enabled {
        // The relay has a socket of its own for each connection that it relays.
        needed = needed
            .saturating_add(count(media.turn.allocations_max))
            .saturating_add(count(media.turn.connections_max));
    }
    if parts == Parts::Whole {
        let session = &config.signaling.session;
        needed = needed
            .saturating_add(session.sessions_max.into())
            .saturating_add(session.greeting_max.into());
    }
    needed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_connection_that_a_bound_lets_in_counts() {
        let mut config = Config::default();
        let whole = needed(&config, Parts::Whole);
        config.signaling.session.sessions_max += 7;
        config.media.tcp_connections_max += 10;
        config.media.turn.allocations_max += 100;
        config.media.turn.connections_max += 1_000;
        assert_eq!(needed(&config, Parts::Whole), whole + 1_117);
        let alone = needed(&config, Parts::MediaAlone);
        assert!(alone + u64::from(config.signaling.session.sessions_max) < whole + 1_117);
        config.media.tcp = false;
        config.media.turn.enabled = false;
        assert_eq!(needed(&config, Parts::MediaAlone), BESIDES);
        config.media.tcp = true;
        config.media.tcp_connections_max = usize::MAX;
        assert_eq!(needed(&config, Parts::Whole), u64::MAX);
    }

    #[test]
    fn the_limit_becomes_what_the_system_allows() {
        let allowed = getrlimit(Resource::Nofile).maximum.unwrap_or(u64::MAX);
        assert_eq!(raise(), allowed);
        assert_eq!(
            getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX),
            allowed
        );
    }
}
