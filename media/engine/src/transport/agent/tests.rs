//! Checks and the paths that they make.

use super::*;

fn credentials(letter: &str) -> Credentials {
    Credentials {
        ufrag: letter.repeat(4),
        password: letter.repeat(22),
    }
}

fn path(port: u16) -> Path {
    Path::new(([127, 0, 0, 1], 9).into(), ([127, 0, 0, 1], port).into())
}

fn request(user: &str, password: &str, nominate: bool, controlling: bool) -> Vec<u8> {
    let mut out = vec![0; 256];
    let mut writer =
        StunWriter::new(&mut out, Class::Request, BINDING, TransactionId([7; 12])).unwrap();
    writer.username(user).unwrap();
    writer.priority(1).unwrap();
    if controlling {
        writer.ice_controlling(5).unwrap();
    } else {
        writer.ice_controlled(5).unwrap();
    }
    if nominate {
        writer.use_candidate().unwrap();
    }
    let len = writer
        .finish(Some(&IntegrityKey::new(password.as_bytes())))
        .unwrap();
    out.truncate(len);
    out
}

struct Bench {
    agent: Agent,
    now: Instant,
}

impl Bench {
    fn new() -> Self {
        #[expect(
            clippy::disallowed_methods,
            reason = "an arbitrary start of the test's clock"
        )]
        let now = Instant::now();
        Self {
            agent: Agent::new(credentials("a"), credentials("c")),
            now,
        }
    }

    fn check(&mut self, port: u16, bytes: &[u8]) -> Result<Checked, DropReason> {
        let message = StunMessage::parse(bytes).unwrap();
        self.agent.check(self.now, path(port), &message)
    }
}

#[test]
fn a_check_is_answered_with_the_address_it_came_from() {
    let mut bench = Bench::new();
    let checked = bench
        .check(1, &request("aaaa:cccc", &"a".repeat(22), false, true))
        .ok()
        .unwrap();
    let answer = StunMessage::parse(&checked.answer[..checked.answer_len]).unwrap();
    assert_eq!(answer.class(), Class::Success);
    assert_eq!(answer.xor_mapped_address(), Some(path(1).remote));
    assert!(answer.verify_integrity(&IntegrityKey::new("a".repeat(22).as_bytes())));
    assert!(checked.accepted);
    assert_eq!(bench.agent.selected(), Some(path(1)));
}

#[test]
fn a_nomination_moves_the_path_and_a_plain_check_does_not() {
    let mut bench = Bench::new();
    let password = "a".repeat(22);
    let plain = request("aaaa:cccc", &password, false, true);
    let nominating = request("aaaa:cccc", &password, true, true);
    for (port, bytes, selected) in [
        (1, &plain, 1),
        (2, &plain, 1),
        (2, &nominating, 2),
        (1, &plain, 2),
        (3, &nominating, 3),
    ] {
        assert!(bench.check(port, bytes).is_ok());
        assert_eq!(bench.agent.selected(), Some(path(selected)));
    }
}

#[test]
fn a_plain_check_moves_the_path_once_the_one_in_use_is_stale() {
    let mut bench = Bench::new();
    let password = "a".repeat(22);
    let plain = request("aaaa:cccc", &password, false, true);
    assert!(
        bench
            .check(1, &request("aaaa:cccc", &password, true, true))
            .is_ok()
    );
    bench.now += STALE_AFTER - Duration::from_millis(1);
    assert!(bench.check(2, &plain).is_ok());
    assert_eq!(bench.agent.selected(), Some(path(1)));
    bench.now += Duration::from_millis(1);
    assert!(bench.check(2, &plain).is_ok());
    assert_eq!(bench.agent.selected(), Some(path(2)));
    bench.agent.is_quiet = true;
    assert!(bench.check(1, &plain).is_ok());
    assert_eq!(
        bench.agent.selected(),
        Some(path(1)),
        "nothing comes there any more"
    );
    bench.agent.is_quiet = false;
    assert!(bench.check(2, &plain).is_ok());
    assert_eq!(bench.agent.selected(), Some(path(1)));
    bench.now += STALE_AFTER;
    assert!(bench.check(2, &plain).is_ok());
    // Nor do the credentials from before a restart move anything.
    bench
        .agent
        .restart(bench.now, credentials("b"), credentials("d"));
    bench.now += STALE_AFTER;
    assert!(bench.check(3, &plain).is_ok());
    assert_eq!(bench.agent.selected(), Some(path(2)));
}

#[test]
fn when_the_path_in_use_is_lost_the_one_checked_last_takes_over() {
    let mut bench = Bench::new();
    let nominating = request("aaaa:cccc", &"a".repeat(22), true, true);
    let plain = request("aaaa:cccc", &"a".repeat(22), false, true);
    for (port, bytes) in [(2, &plain), (3, &plain), (1, &nominating)] {
        bench.now += Duration::from_millis(1);
        assert!(bench.check(port, bytes).is_ok());
    }
    bench.agent.lose(bench.now, path(2));
    assert_eq!(bench.agent.selected(), Some(path(1)));
    bench.agent.lose(bench.now, path(1));
    assert_eq!(bench.agent.selected(), Some(path(3)));
    bench.agent.lose(bench.now, path(3));
    assert_eq!(bench.agent.selected(), None);
    assert!(bench.check(4, &nominating).is_ok());
    assert!(bench.check(5, &plain).is_ok());
    bench.now += CONSENT_LASTS;
    bench.agent.lose(bench.now, path(4));
    assert_eq!(bench.agent.selected(), None, "consent has run out");
    assert!(bench.check(6, &plain).is_ok());
    assert_eq!(bench.agent.selected(), Some(path(6)));
}

#[test]
fn strangers_and_forgers_are_refused_and_learn_nothing() {
    let mut bench = Bench::new();
    let wrong_key = request("aaaa:cccc", &"x".repeat(22), true, true);
    assert_eq!(
        bench.check(1, &wrong_key).err(),
        Some(DropReason::StunUnauthentic)
    );
    let wrong_user = request("zzzz:cccc", &"a".repeat(22), true, true);
    assert_eq!(
        bench.check(1, &wrong_user).err(),
        Some(DropReason::StunUnknownUser)
    );
    assert_eq!(bench.agent.selected(), None);
}

// RFC 8445 section 7.3.1.1.
#[test]
fn a_client_that_wants_to_be_controlled_is_told_of_the_conflict() {
    let mut bench = Bench::new();
    let checked = bench
        .check(1, &request("aaaa:cccc", &"a".repeat(22), false, false))
        .ok()
        .unwrap();
    let answer = StunMessage::parse(&checked.answer[..checked.answer_len]).unwrap();
    assert_eq!(answer.error_code(), Some(487));
    assert!(!checked.accepted);
}

#[test]
fn a_restart_keeps_the_old_path_until_the_new_one_is_nominated() {
    let mut bench = Bench::new();
    let old = request("aaaa:cccc", &"a".repeat(22), true, true);
    assert!(bench.check(1, &old).is_ok());
    assert_eq!(
        bench
            .agent
            .restart(bench.now, credentials("b"), credentials("d")),
        None
    );
    assert_eq!(bench.agent.ufrags().collect::<Vec<_>>(), ["bbbb", "aaaa"]);
    assert_eq!(bench.agent.selected(), Some(path(1)));
    assert!(
        bench
            .check(2, &request("bbbb:dddd", &"b".repeat(22), true, true))
            .is_ok()
    );
    assert_eq!(bench.agent.selected(), Some(path(2)));
    assert!(bench.check(1, &old).is_ok());
    assert_eq!(
        bench.agent.selected(),
        Some(path(2)),
        "the newer nomination stands"
    );
    bench.now += RESTART_OVERLAP;
    assert_eq!(bench.agent.retire(bench.now), Some("aaaa".to_owned()));
    assert_eq!(
        bench.check(1, &old).err(),
        Some(DropReason::StunUnknownUser)
    );
}

#[test]
fn paths_are_bounded_and_the_selected_one_stays() {
    let mut bench = Bench::new();
    let nominating = request("aaaa:cccc", &"a".repeat(22), true, true);
    assert!(bench.check(1, &nominating).is_ok());
    let plain = request("aaaa:cccc", &"a".repeat(22), false, true);
    for port in 2..=PATHS_MAX as u16 {
        bench.now += Duration::from_millis(1);
        assert_eq!(bench.check(port, &plain).ok().unwrap().evicted, None);
    }
    bench.now += Duration::from_millis(1);
    assert_eq!(
        bench.check(900, &plain).ok().unwrap().evicted,
        Some(path(2))
    );
    assert_eq!(bench.agent.paths().count(), PATHS_MAX);
}
