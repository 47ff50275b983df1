//! Laws of what a caller outside the household can tell: whatever keeps a call from being answered,
//! their session receives the same bytes at the same times.

use std::time::{Duration, Instant};

use homeline_protocol::Blob;
use homeline_protocol::id::DeviceId;
use proptest::prelude::*;

use super::super::input::{Act, Adding, Effect, Input, Invite, Moment};
use super::super::machine::Call;
use super::{
    APP, BEN, CALLER, CallsConfig, KITCHEN, PHONE, TABLET, UnixMillis, adding, input, invite,
};

/// What the other side and the caller do meanwhile. No answer, and no decline: those are the
/// callee's own word.
const UNSEEN: [&str; 12] = [
    "app refuses-invitation",
    "kitchen refuses-invitation",
    "app refuses-keys",
    "kitchen has-no-media",
    "app lost",
    "app back",
    "kitchen revoked",
    "kitchen microphone off",
    "pushed",
    "anna mutes",
    "anna lost",
    "anna back",
];
/// Besides, where it rings.
const SEEN: [&str; 3] = ["app rings", "kitchen rings", "late online"];

/// Things that happen, each some tenths of a second after the one before.
fn script(also: &'static [&'static str]) -> impl Strategy<Value = Vec<(u64, &'static str)>> {
    let all = UNSEEN.iter().chain(also).copied().collect::<Vec<_>>();
    prop::collection::vec((0..40_u64, prop::sample::select(all)), 0..30)
}

/// All that the caller's device is told, and when.
fn heard(
    (mut call, first): (Call, Vec<Effect>),
    start: Instant,
    from: Duration,
    script: &[(u64, &'static str)],
) -> Vec<String> {
    let mut heard = Vec::new();
    let mut elapsed = from;
    let mut hear = |effects: Vec<Effect>, elapsed: Duration| {
        for effect in effects {
            if let Effect::Tell(CALLER, event) = effect {
                let bytes = serde_json::to_string(&event).unwrap();
                heard.push(format!("{elapsed:?} {bytes}"));
            }
        }
    };
    hear(first, elapsed);
    let whole = script.iter().copied().chain([(100, ""); 12]);
    for (tenths, what) in whole {
        let until = elapsed + Duration::from_millis(tenths * 100);
        while let Some(due) = call.deadline().filter(|due| *due <= start + until) {
            elapsed = due - start;
            hear(call.step(at(start, elapsed), Input::Tick).unwrap(), elapsed);
        }
        elapsed = until;
        if what.is_empty() {
            continue;
        }
        let words: Vec<_> = what.split_whitespace().collect();
        // What the call refuses is told to the one who asked, alone.
        let effects = call.step(at(start, elapsed), input(&words));
        hear(effects.unwrap_or_default(), elapsed);
    }
    heard
}

fn at(start: Instant, elapsed: Duration) -> Moment {
    Moment {
        at: start + elapsed,
        unix: UnixMillis(1_000_000).plus(elapsed),
    }
}

fn calling(invite: Invite, script: &[(u64, &'static str)]) -> Vec<String> {
    let start = Instant::now();
    let began = Call::start(
        &CallsConfig::default(),
        invite,
        false,
        at(start, Duration::ZERO),
    );
    heard(began, start, Duration::ZERO, script)
}

/// Somebody whose devices are all in another call.
fn engaged() -> Invite {
    Invite {
        engaged: [APP, KITCHEN].into(),
        ..invite(&[])
    }
}

/// Anna, who talks with Ben, adds somebody from outside.
fn adds(whom: Adding, script: &[(u64, &'static str)]) -> Vec<String> {
    let start = Instant::now();
    let now = at(start, Duration::ZERO);
    let third = Invite {
        ring: super::all_on(&[DORAS_SEAT]),
        ..invite(&[])
    };
    let (mut call, _) = Call::start(&CallsConfig::default(), third, false, now);
    let rings = Act::Ringing {
        key_package: Blob(vec![2]),
        statement: Blob(vec![3]),
    };
    let answers = Act::Answer {
        media: super::SWITCHES,
    };
    for act in [rings, answers] {
        call.step(now, Input::Act(DORAS_SEAT, BEN, act)).unwrap();
    }
    let lets_in = super::commit("0", Some(DORAS_SEAT));
    call.step(now, Input::Act(CALLER, super::ANNA, lets_in))
        .unwrap();
    let add = Act::Add(Box::new(whom));
    let effects = call
        .step(now, Input::Act(CALLER, super::ANNA, add))
        .unwrap();
    heard((call, effects), start, Duration::ZERO, script)
}

/// Where Ben talks with Anna; his app and kitchen belong to whoever is added.
const DORAS_SEAT: DeviceId = DeviceId([51; 16]);

/// Cleo from outside, with the devices that the scripts speak of.
fn outsider() -> Adding {
    let Act::Add(adding) = adding(&["cleo", "stranger"]) else {
        unreachable!()
    };
    Adding {
        ring: super::all_on(&[PHONE, TABLET]),
        ..*adding
    }
}

/// The same scripts, said of Cleo's devices.
fn of_cleo(script: &[(u64, &'static str)]) -> Vec<(u64, &'static str)> {
    let renamed = |what: &'static str| match what {
        "app refuses-invitation" => "phone refuses-invitation",
        "kitchen refuses-invitation" => "tablet refuses-invitation",
        "app refuses-keys" => "phone refuses-keys",
        "kitchen has-no-media" => "tablet has-no-media",
        "app lost" => "phone lost",
        "app back" => "phone back",
        "kitchen revoked" => "tablet revoked",
        "kitchen microphone off" => "tablet microphone off",
        "app rings" => "phone rings",
        "kitchen rings" => "tablet rings",
        other => other,
    };
    script
        .iter()
        .map(|(after, what)| (*after, renamed(what)))
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 1_024,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn nobody_blocked_away_and_busy_are_one_and_the_same(script in script(&[])) {
        // Who has blocked the caller is planned like a handle that nobody has: reach's own law.
        let nobody = calling(invite(&["nobody"]), &script);
        prop_assert_eq!(calling(invite(&[]), &script), nobody.clone(), "away");
        prop_assert_eq!(calling(engaged(), &script), nobody.clone(), "in a call");
        prop_assert_eq!(calling(invite(&[]).silenced(), &script), nobody.clone(), "full");
        let ends = nobody.iter().filter(|line| line.contains("call_ended"));
        let ends: Vec<_> = ends.collect();
        prop_assert_eq!(ends.len(), 1);
        let given_up = ends[0].contains("cancelled");
        prop_assert!(given_up || ends[0].starts_with("45s ") && ends[0].contains("no_answer"));
    }

    #[test]
    fn a_device_in_a_call_rings_like_any_other(script in script(&SEEN)) {
        prop_assert_eq!(calling(engaged(), &script), calling(invite(&[]), &script));
    }

    #[test]
    fn who_is_added_from_outside_looks_away_when_busy(script in script(&[])) {
        let script = of_cleo(&script);
        let away = adds(outsider(), &script);
        let engaged = Adding { engaged: [PHONE, TABLET].into(), ..outsider() };
        prop_assert_eq!(adds(engaged, &script), away.clone(), "in a call");
        let full = Adding { ring: vec![], full: true, ..outsider() };
        prop_assert_eq!(adds(full, &script), away.clone(), "full");
        let nobody = Adding { ring: vec![], account: None, ..outsider() };
        prop_assert_eq!(adds(nobody, &script), away, "nobody");
    }

    #[test]
    fn a_device_in_a_call_rings_like_any_other_for_who_is_added(script in script(&SEEN)) {
        let script = of_cleo(&script);
        let engaged = Adding { engaged: [PHONE, TABLET].into(), ..outsider() };
        prop_assert_eq!(adds(engaged, &script), adds(outsider(), &script));
    }
}

#[test]
fn a_decline_is_the_callees_own_word_and_told_at_once() {
    let seen = calling(
        engaged(),
        &[(10, "kitchen rings"), (10, "kitchen declines")],
    );
    let last = seen.last().unwrap();
    assert!(
        last.starts_with("2s ") && last.contains("declined"),
        "{last}"
    );
}
