//! The rules, as tables.

use std::time::Duration;

use homeline_protocol::PhoneText;
use homeline_protocol::id::{ContactId, EntryId};
use homeline_protocol::session::{BroughtEntry, Choice, Found, NumberKind, PhoneNumber};

use super::rules::{Candidate, Fit, check_batch, choose, fit, fold, refill, unasked};
use crate::model::UnixMillis;

const TODAY: UnixMillis = UnixMillis(1_795_305_600_000);

#[test]
fn lookups_are_many_at_first_and_few_on_later_days() {
    let mut choice = unasked(TODAY);
    assert_eq!(choice.lookups_left, 2_000);
    refill(&mut choice, TODAY);
    assert_eq!(choice.lookups_left, 2_000);
    choice.lookups_left = 0;
    refill(&mut choice, TODAY.plus(Duration::from_hours(1)));
    assert_eq!(choice.lookups_left, 0, "the same day");
    refill(&mut choice, TODAY.plus(Duration::from_hours(24)));
    assert_eq!(choice.lookups_left, 100, "the next day");
    refill(&mut choice, TODAY.plus(Duration::from_hours(24 * 30)));
    assert_eq!(choice.lookups_left, 100, "a quiet month saves nothing up");
    choice.lookups_left = 1_500;
    refill(&mut choice, TODAY.plus(Duration::from_hours(24 * 31)));
    assert_eq!(choice.lookups_left, 1_500, "the rest of the first import");
    choice.lookups_left = 0;
    refill(&mut choice, TODAY);
    assert_eq!(choice.lookups_left, 0, "a clock that was set back");
}

#[test]
fn batches_have_bounds() {
    let entry = |source_id: &str, name: &str| BroughtEntry {
        source_id: source_id.to_owned(),
        name: name.to_owned(),
        numbers: vec![],
    };
    assert_eq!(check_batch(&[]), Ok(()));
    assert_eq!(check_batch(&vec![entry("1", "Anna"); 200]), Ok(()));
    assert!(check_batch(&vec![entry("1", "Anna"); 201]).is_err());
    for (source_id, name) in [("", "Anna"), ("1", ""), ("1", " "), ("1", "a\nb")] {
        assert!(check_batch(&[entry(source_id, name)]).is_err());
    }
    assert!(check_batch(&[entry(&"x".repeat(129), "Anna")]).is_err());
    assert!(check_batch(&[entry("1", &"x".repeat(65))]).is_err());
}

#[test]
fn names_fit_as_people_say_them() {
    let cases = [
        ("grandma", "Grandma", Some(Fit::Whole)),
        ("Grandma's", "Grandma", Some(Fit::Whole)),
        ("Grandma\u{2019}s", "Grandma", Some(Fit::Whole)),
        ("  anna   MILLER ", "Anna Miller", Some(Fit::Whole)),
        ("anna", "Anna Miller", Some(Fit::Part)),
        ("miller anna", "Anna Miller", Some(Fit::Part)),
        ("ann", "Anna Miller", None),
        ("anna smith", "Anna Miller", None),
        ("ÄNNE", "Änne", Some(Fit::Whole)),
        ("", "Anna", None),
        ("  ", "Anna", None),
    ];
    for (said, name, expected) in cases {
        assert_eq!(fit(&fold(said), name), expected, "{said} / {name}");
    }
}

fn number(kind: NumberKind, digits: u32) -> PhoneNumber {
    let e164 = format!("+1201555{digits:04}");
    PhoneNumber {
        kind,
        text: PhoneText(e164.clone()),
        e164: Some(e164.parse().unwrap()),
    }
}

fn contact(name: &str, handle: &str, numbers: Vec<PhoneNumber>) -> Candidate {
    let choice = Choice {
        name: name.to_owned(),
        contact: Some(ContactId([1; 16])),
        entry: None,
        handle: handle.parse().ok(),
        number: None,
    };
    Candidate {
        choice,
        numbers,
        last: None,
    }
}

fn entry(name: &str, numbers: Vec<PhoneNumber>) -> Candidate {
    let choice = Choice {
        name: name.to_owned(),
        contact: None,
        entry: Some(EntryId([2; 16])),
        handle: None,
        number: None,
    };
    Candidate {
        choice,
        numbers,
        last: None,
    }
}

/// What was chosen, each by the last digits of its number or by its handle.
fn chosen(found: Found) -> Vec<String> {
    let choices = match found {
        Found::Unique { choice } => vec![choice],
        Found::Ambiguous { choices, .. } => choices,
        Found::Nobody => vec![],
    };
    let way = |choice: Choice| match (choice.number, choice.handle) {
        (Some(number), _) => number.text.0[8..].to_owned(),
        (None, Some(handle)) => handle.as_str().to_owned(),
        (None, None) => "nothing".to_owned(),
    };
    choices.into_iter().map(way).collect()
}

#[test]
fn of_one_person_the_asked_way_is_taken_else_all_in_order() {
    use NumberKind::{Home, Mobile, Other, Work};
    let oma = || {
        let numbers = vec![number(Work, 3), number(Home, 2), number(Mobile, 1)];
        entry("Oma", numbers)
    };
    let mom = || contact("Mom", "mom", vec![number(Home, 5)]);
    let one = || entry("Oma", vec![number(Work, 7)]);
    let cases: [(&str, Candidate, Option<NumberKind>, &[&str]); 7] = [
        ("no number", entry("Oma", vec![]), None, &[]),
        ("one number", one(), None, &["0007"]),
        (
            "several: mobile first",
            oma(),
            None,
            &["0001", "0002", "0003"],
        ),
        ("that sort", oma(), Some(Home), &["0002"]),
        ("none of that sort", oma(), Some(Other), &[]),
        ("registered", mom(), None, &["mom"]),
        ("their number", mom(), Some(Home), &["0005"]),
    ];
    for (what, candidate, kind, expected) in cases {
        assert_eq!(chosen(choose(vec![candidate], kind)), expected, "{what}");
    }
}

#[test]
fn the_number_called_last_comes_first_and_a_sort_that_was_asked_for_before_it() {
    use NumberKind::{Home, Mobile, Work};
    let numbers = || vec![number(Work, 3), number(Home, 2), number(Mobile, 1)];
    let last = |at| Candidate {
        last: Some(number(Home, at).text),
        ..entry("Oma", numbers())
    };
    let expected = ["0002", "0001", "0003"];
    assert_eq!(chosen(choose(vec![last(2)], None)), expected);
    assert_eq!(chosen(choose(vec![last(2)], Some(Work))), ["0003"]);
    // It is written there no more.
    let expected = ["0001", "0002", "0003"];
    assert_eq!(chosen(choose(vec![last(9)], None)), expected);
}

#[test]
fn the_same_person_counts_once_and_people_of_one_name_are_asked_about() {
    use NumberKind::Home;
    assert_eq!(choose(vec![], None), Found::Nobody);
    let twice = vec![
        contact("Oma", "oma", vec![number(Home, 2)]),
        entry("Oma", vec![number(Home, 2)]),
    ];
    assert_eq!(chosen(choose(twice, Some(Home))), ["0002"]);
    let namesakes = vec![
        entry("Anna", vec![number(Home, 1)]),
        entry("Anna", vec![number(Home, 2)]),
    ];
    assert_eq!(chosen(choose(namesakes, None)), ["0001", "0002"]);
    let crowd = (0..25).map(|at| entry("Anna", vec![number(Home, at)]));
    let Found::Ambiguous { choices, more } = choose(crowd.collect(), None) else {
        panic!("a crowd is ambiguous");
    };
    assert_eq!((choices.len(), more), (20, true));
}
