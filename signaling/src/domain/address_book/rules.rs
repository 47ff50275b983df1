//! What may be imported, how many numbers may be looked up, and what a spoken name stands for.

use homeline_protocol::PhoneText;
use homeline_protocol::session::{BroughtEntry, Choice, Found, NumberKind, PhoneNumber};

use crate::model::{UnixMillis, is_name};
use crate::store::address_book::ChoiceRow;

/// Entries of one account, over all its sources: a large phone's address book. More are refused.
pub(super) const ENTRIES_MAX: i64 = 5_000;
/// Entries in one batch; more are refused. It keeps a request short.
pub(super) const BATCH_MAX: usize = 200;
/// Phones, tablets and files that one account imports from; a further one is refused.
pub(super) const SOURCES_MAX: usize = 8;
/// A source's own id of an entry is longer nowhere.
const SOURCE_ID_BYTES_MAX: usize = 128;
/// Distinct numbers that an account may look up among registered people when it first imports: a
/// large address book, and too few to try out a country's numbers.
const LOOKUPS_FIRST: i64 = 2_000;
/// Distinct new numbers on each later day. Those beyond wait for the next.
const LOOKUPS_DAILY: i64 = 100;
/// Ways to reach somebody in one answer; more could not be read out.
pub(super) const CHOICES_MAX: usize = 20;

const DAY_MS: u64 = 24 * 60 * 60 * 1_000;

/// What an account has that never chose anything.
pub(super) fn unasked(now: UnixMillis) -> ChoiceRow {
    ChoiceRow {
        import: None,
        region: None,
        lookups_left: LOOKUPS_FIRST,
        lookups_day: day(now),
    }
}

/// The lookups that are left now. A new day brings them up to its share; what is left of the first
/// import stays.
pub(super) fn refill(choice: &mut ChoiceRow, now: UnixMillis) {
    let today = day(now);
    if today > choice.lookups_day {
        choice.lookups_left = choice.lookups_left.max(LOOKUPS_DAILY);
        choice.lookups_day = today;
    }
}

fn day(now: UnixMillis) -> i64 {
    i64::try_from(now.0 / DAY_MS).unwrap_or(i64::MAX)
}

/// Refuses a batch in words. Numbers are checked where they are read.
pub(super) fn check_batch(entries: &[BroughtEntry]) -> Result<(), &'static str> {
    if entries.len() > BATCH_MAX {
        return Err("A batch has at most 200 entries.");
    }
    for entry in entries {
        if !(1..=SOURCE_ID_BYTES_MAX).contains(&entry.source_id.len()) {
            return Err("An entry's own id has 1 to 128 bytes.");
        }
        if !is_name(&entry.name) {
            return Err("An entry's name has 1 to 64 characters.");
        }
    }
    Ok(())
}

/// Somebody in reach of a name.
#[derive(Clone)]
pub(super) struct Candidate {
    pub(super) choice: Choice,
    pub(super) numbers: Vec<PhoneNumber>,
    /// Which of them was called last.
    pub(super) last: Option<PhoneText>,
}

/// How well a name fits what was said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Fit {
    /// All that was said is part of it: "anna" of "Anna Miller".
    Part,
    /// It is the very name.
    Whole,
}

/// A name as it is compared: small letters, single spaces, and no "'s" of "grandma's mobile".
pub(super) fn fold(name: &str) -> String {
    let small = name.to_lowercase();
    let words: Vec<_> = small.split_whitespace().collect();
    let folded = words.join(" ");
    let bare = folded
        .strip_suffix("'s")
        .or_else(|| folded.strip_suffix("\u{2019}s"));
    bare.map_or(folded.clone(), str::to_owned)
}

/// How well a name fits; `said` is folded already.
pub(super) fn fit(said: &str, name: &str) -> Option<Fit> {
    let name = fold(name);
    if said.is_empty() {
        return None;
    }
    if name == said {
        return Some(Fit::Whole);
    }
    let words: Vec<_> = name.split(' ').collect();
    let part = said.split(' ').all(|word| words.contains(&word));
    part.then_some(Fit::Part)
}

/// The ways to reach the candidates. Who is registered is called by their handle, unless a
/// sort of number was asked for; of several numbers the one called last comes first, then mobile, home,
/// work, other.
pub(super) fn choose(candidates: Vec<Candidate>, kind: Option<NumberKind>) -> Found {
    let mut choices: Vec<Choice> = Vec::new();
    for candidate in candidates {
        for choice in ways(candidate, kind) {
            // The same person in the household's contacts and in an import is one person.
            if !choices.iter().any(|known| same_way(known, &choice)) {
                choices.push(choice);
            }
        }
    }
    match choices.len() {
        0 => Found::Nobody,
        1 => Found::Unique {
            choice: choices.remove(0),
        },
        many => {
            choices.truncate(CHOICES_MAX);
            let more = many > CHOICES_MAX;
            Found::Ambiguous { choices, more }
        }
    }
}

fn ways(candidate: Candidate, kind: Option<NumberKind>) -> Vec<Choice> {
    let Candidate {
        choice,
        numbers,
        last,
    } = candidate;
    if kind.is_none() && choice.handle.is_some() {
        return vec![choice];
    }
    let mut numbers: Vec<_> = numbers
        .into_iter()
        .filter(|number| kind.is_none_or(|kind| number.kind == kind))
        .collect();
    // The order of the sorts is that of the enum.
    numbers.sort_by_key(|number| (last.as_ref() != Some(&number.text), number.kind));
    let by_number = numbers.into_iter().map(|number| Choice {
        handle: None,
        number: Some(number),
        ..choice.clone()
    });
    by_number.collect()
}

fn same_way(one: &Choice, other: &Choice) -> bool {
    let e164 = |choice: &Choice| {
        choice
            .number
            .as_ref()
            .and_then(|number| number.e164.clone())
    };
    let same_handle = one.handle.is_some() && one.handle == other.handle;
    let same_number = e164(one).is_some() && e164(one) == e164(other);
    same_handle || (same_number && fold(&one.name) == fold(&other.name))
}
