//! A ledger holds what was written; whatever somebody does to it is noticed, by its name.

use homeline_protocol::id::{CallId, DeviceId, GrantId};
use homeline_protocol::session::DropInRefusal;
use proptest::collection::vec;
use proptest::prelude::*;

use super::entry::refusal_number;
use super::*;
use crate::drop_in::Opening;
use crate::ids::device_id;
use crate::key::{PrivateKey, PublicKey};
use crate::signed::{Context, Signed};
use crate::testkit::{NOW, key};

const CALL: CallId = CallId([9; 16]);

fn home() -> PublicKey {
    key(10).public()
}

fn kitchen() -> PrivateKey {
    key(20)
}

fn kitchen_id() -> DeviceId {
    device_id(kitchen().public())
}

fn who(device: u8) -> Who {
    Who {
        genesis: key(40).public(),
        device: key(device).public(),
        person: "ben".to_owned(),
        label: "Phone".to_owned(),
    }
}

fn opened() -> What {
    What::Opened {
        call: CALL,
        who: who(41),
        grant: GrantId([5; 16]),
        revision: 7,
        picture: true,
        opening: Opening::KnockUntilYes,
    }
}

fn ended() -> What {
    What::Ended {
        call: CALL,
        lasted_ms: 90_000,
        by: EndedBy::Target,
    }
}

fn refused(device: u8, refusal: DropInRefusal) -> What {
    What::Refused {
        call: CALL,
        who: who(device),
        refusal,
    }
}

fn written(what: impl IntoIterator<Item = What>) -> (OwnLedger, Vec<Signed>) {
    let mut ledger = OwnLedger::default();
    let mut entries = vec![];
    for one in what {
        ledger.write(NOW, home(), &kitchen(), one).unwrap();
        let (index, entry) = ledger.next().unwrap();
        entries.push(entry.clone());
        ledger.stored(index);
    }
    (ledger, entries)
}

fn read(entries: &[Signed], remembered: Head) -> Result<(Head, Vec<Entry>), LedgerFault> {
    let mut reader = LedgerReader::new(home(), kitchen_id(), remembered);
    let entries: Result<Vec<Entry>, LedgerFault> =
        entries.iter().map(|entry| reader.read(entry)).collect();
    let entries = entries?;
    Ok((reader.finish()?, entries))
}

#[test]
fn what_was_written_is_read_and_the_end_is_remembered() {
    let happened = [
        opened(),
        ended(),
        What::PutOut,
        What::Switched { on: false },
    ];
    let (ledger, entries) = written(happened.clone());
    let (head, found) = read(&entries, Head::default()).unwrap();
    assert_eq!(head, ledger.head());
    let found: Vec<What> = found.into_iter().map(|entry| entry.what).collect();
    assert!(found == happened);
    // Afterwards only what is new is read.
    let (longer, all) = written(happened.into_iter().chain([opened()]));
    let mut reader = LedgerReader::after(home(), kitchen_id(), head);
    reader.read(&all[4]).unwrap();
    assert_eq!(reader.finish(), Ok(longer.head()));
}

#[test]
fn each_thing_that_is_wrong_has_its_name() {
    let (ledger, entries) = written([opened(), ended(), What::PutOut]);
    let (nothing, head) = (Head::default(), ledger.head());
    let told = |entries: &[Signed], remembered| read(entries, remembered).map(drop).unwrap_err();
    let broken = |index| LedgerFault::Broken { index };

    let mut damaged = entries.clone();
    damaged[1].signature[3] ^= 1;
    assert_eq!(told(&damaged, nothing), broken(1));
    let dropped = [entries[0].clone(), entries[2].clone()];
    assert_eq!(told(&dropped, nothing), broken(1));
    assert_eq!(told(&entries[1..], nothing), broken(0));
    let elsewhere = Entry {
        genesis: key(40).public(),
        ..Entry::read(&entries[0].body).unwrap()
    };
    assert_eq!(told(&[elsewhere.sign(&kitchen())], nothing), broken(0));
    let other_purpose = Signed::sign(Context::DropInGrant, entries[0].body.clone(), &kitchen());
    assert_eq!(told(&[other_purpose], nothing), broken(0));

    let by_another = Entry::read(&entries[0].body).unwrap().sign(&key(21));
    let wrong = LedgerFault::WrongSigner { index: 0 };
    assert_eq!(told(&[by_another], nothing), wrong);

    let shorter = LedgerFault::Shorter {
        found: 2,
        remembered: 3,
    };
    assert_eq!(told(&entries[..2], head), shorter);

    let (_, another) = written([opened(), ended(), opened(), ended()]);
    assert_eq!(told(&another, head), LedgerFault::AnotherOne);
    let mut after = LedgerReader::after(home(), kitchen_id(), head);
    assert_eq!(
        after.read(&another[3]).map(drop),
        Err(LedgerFault::AnotherOne)
    );
}

#[test]
fn who_asks_without_right_does_not_fill_it() {
    let mut ledger = OwnLedger::default();
    let mut write = |now, what| ledger.write(now, home(), &kitchen(), what).unwrap();
    for _ in 0..5 {
        write(NOW, refused(41, DropInRefusal::NoGrant));
    }
    write(NOW, refused(41, DropInRefusal::Busy));
    write(NOW, refused(42, DropInRefusal::NoGrant));
    write(NOW.plus(59_999), refused(41, DropInRefusal::NoGrant));
    assert_eq!(ledger.head().length, 3);
    let mut write = |now, what| ledger.write(now, home(), &kitchen(), what).unwrap();
    write(NOW.plus(60_000), refused(41, DropInRefusal::NoGrant));
    for number in 0..100 {
        write(
            NOW.plus(60_001),
            refused(number, DropInRefusal::OutsideHours),
        );
    }
    // A grant that is none counts among them.
    let statement = [1; 32];
    let refusal = DropInRefusal::Forged;
    write(NOW.plus(60_002), What::GrantRefused { statement, refusal });
    let most = 3 + REFUSALS_A_MINUTE_MAX as u64;
    assert_eq!(ledger.head().length, most);
}

#[test]
fn a_full_ledger_lets_nothing_open_and_keeps_room_for_the_end_of_what_runs() {
    let mut ledger = OwnLedger::default();
    let write = |ledger: &mut OwnLedger, what| ledger.write(NOW, home(), &kitchen(), what);
    for _ in 0..UNSENT_MAX - 2 {
        write(&mut ledger, What::PutOut).unwrap();
    }
    assert!(ledger.has_room());
    write(&mut ledger, opened()).unwrap();
    assert!(!ledger.has_room());
    for what in [opened(), What::PutOut, refused(41, DropInRefusal::Busy)] {
        assert_eq!(write(&mut ledger, what), Err(LedgerFull));
    }
    write(&mut ledger, ended()).unwrap();
    assert_eq!(write(&mut ledger, ended()), Err(LedgerFull));
    ledger.stored(0);
    ledger.stored(0);
    write(&mut ledger, opened()).unwrap_err();
    ledger.stored(1);
    write(&mut ledger, opened()).unwrap();
    assert_eq!(ledger.next().unwrap().0, 2);
}

#[test]
fn it_outlives_a_restart_and_an_answer_that_got_lost() {
    let (_, mut server) = written([opened()]);
    let mut ledger = OwnLedger::default();
    for what in [opened(), ended(), What::PutOut] {
        ledger.write(NOW, home(), &kitchen(), what).unwrap();
    }
    let again = OwnLedger::decode(&ledger.encode()).unwrap();
    assert!(again.encode() == ledger.encode());
    assert!(OwnLedger::decode(&ledger.encode()[1..]).is_err());
    // The server has the first one, and the device does not know.
    let mut again = again;
    again.meet(1, server.last()).unwrap();
    assert_eq!(again.stored_length(), 1);
    while let Some((index, entry)) = again.next() {
        assert_eq!(index, server.len() as u64);
        server.push(entry.clone());
        again.stored(index);
    }
    again.meet(3, server.last()).unwrap();
    assert_eq!(read(&server, ledger.head()).unwrap().0, ledger.head());
}

#[test]
fn a_device_notices_that_the_server_has_another_end_and_goes_on_from_it_in_writing() {
    let (mut ledger, entries) = written([opened(), ended(), What::PutOut]);
    let before = ledger.head();
    ledger.write(NOW, home(), &kitchen(), opened()).unwrap();
    let remembered = ledger.head();
    let shorter = LedgerFault::Shorter {
        found: 2,
        remembered: 3,
    };
    assert_eq!(ledger.meet(2, Some(&entries[1])), Err(shorter));
    assert_eq!(
        ledger.meet(3, Some(&entries[1])),
        Err(LedgerFault::AnotherOne)
    );
    assert_eq!(
        ledger.meet(5, Some(&entries[1])),
        Err(LedgerFault::AnotherOne)
    );

    let mut server = entries[..2].to_vec();
    let (found, _) = read(&server, Head::default()).unwrap();
    ledger.resume(NOW, home(), &kitchen(), found).unwrap();
    while let Some((index, entry)) = ledger.next() {
        server.push(entry.clone());
        ledger.stored(index);
    }
    let (head, all) = read(&server, Head::default()).unwrap();
    assert_eq!(head, ledger.head());
    let Head { length, hash } = remembered;
    assert!(all[2].what == What::Resumed { length, hash });
    assert!(all[3].what == opened());
    // Whoever remembers how it was sees that it is another one.
    assert!(read(&server, before).map(drop) == Err(LedgerFault::AnotherOne));

    // A device that forgot all of it says that too.
    let mut forgetful = OwnLedger::default();
    let fault = forgetful.meet(4, server.last());
    assert_eq!(fault, Err(LedgerFault::AnotherOne));
    forgetful.resume(NOW, home(), &kitchen(), head).unwrap();
    let (index, entry) = forgetful.next().unwrap();
    assert_eq!(index, 4);
    server.push(entry.clone());
    assert_eq!(read(&server, head).unwrap().0, forgetful.head());
}

#[test]
fn every_refusal_has_its_number_and_the_words_of_others_have_their_bounds() {
    for (number, refusal) in [
        (1, DropInRefusal::Off),
        (5, DropInRefusal::Forged),
        (16, DropInRefusal::SoundOnly),
        (21, DropInRefusal::Unavailable),
        (22, DropInRefusal::NewMember),
    ] {
        assert_eq!(refusal_number(refusal), number);
    }
    let mut long = who(41);
    long.label = "ü".repeat(LABEL_BYTES_MAX);
    let refusal = DropInRefusal::Busy;
    let (call, at, who) = (CALL, NOW, long);
    let what = What::Refused { call, who, refusal };
    let (_, entries) = written([what]);
    let What::Refused { who, .. } = Entry::read(&entries[0].body).unwrap().what else {
        panic!("another entry");
    };
    assert_eq!(who.label, "ü".repeat(LABEL_BYTES_MAX / 2));
    // No number that JavaScript does not hold.
    let late = Entry {
        genesis: home(),
        index: 1 << 53,
        prev: [0; 32],
        at,
        what: What::PutOut,
    };
    assert!(Entry::read(&late.body()).is_err());
}

fn any_what() -> impl Strategy<Value = What> {
    let refusal = prop_oneof![Just(DropInRefusal::Busy), Just(DropInRefusal::NewMember)];
    prop_oneof![
        Just(opened()),
        Just(ended()),
        Just(What::PutOut),
        any::<bool>().prop_map(|on| What::Switched { on }),
        (0_u8..9, refusal).prop_map(|(device, refusal)| refused(device, refusal)),
        (0_u64..9, 1_u8..4).prop_map(|(revision, number)| What::GrantTaken {
            grant: GrantId([number; 16]),
            revision,
            statement: [number; 32],
            change: Change::Changed,
        }),
    ]
}

/// What a server that lies does to a ledger.
#[derive(Debug, Clone)]
enum Harm {
    Drop(prop::sample::Index),
    Swap(prop::sample::Index, prop::sample::Index),
    Repeat(prop::sample::Index),
    Truncate(prop::sample::Index),
    Flip(prop::sample::Index, prop::sample::Index),
    /// Another entry that the device signed too, in another history.
    Replace(prop::sample::Index),
}

fn any_harm() -> impl Strategy<Value = Harm> {
    let at = any::<prop::sample::Index>;
    prop_oneof![
        at().prop_map(Harm::Drop),
        (at(), at()).prop_map(|(one, other)| Harm::Swap(one, other)),
        at().prop_map(Harm::Repeat),
        at().prop_map(Harm::Truncate),
        (at(), at()).prop_map(|(entry, bit)| Harm::Flip(entry, bit)),
        at().prop_map(Harm::Replace),
    ]
}

fn harmed(mut entries: Vec<Signed>, other: &[Signed], harm: &Harm) -> Vec<Signed> {
    let count = entries.len();
    if count == 0 {
        return entries;
    }
    match harm {
        Harm::Drop(at) => {
            entries.remove(at.index(count));
        }
        Harm::Swap(one, other) => entries.swap(one.index(count), other.index(count)),
        Harm::Repeat(at) => {
            let again = entries[at.index(count)].clone();
            entries.insert(at.index(count), again);
        }
        Harm::Truncate(at) => entries.truncate(at.index(count)),
        Harm::Flip(entry, bit) => {
            let entry = &mut entries[entry.index(count)];
            let mut bytes = entry.encode();
            let bit = bit.index(bytes.len() * 8);
            bytes[bit / 8] ^= 1 << (bit % 8);
            // A length that fits no more is no entry at all.
            match Signed::decode(&bytes) {
                Ok(changed) => *entry = changed,
                Err(_) => entries.clear(),
            }
        }
        Harm::Replace(at) => {
            let at = at.index(count);
            if let Some(one) = other.get(at) {
                entries[at] = one.clone();
            }
        }
    }
    entries
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn every_entry_comes_back_from_its_one_encoding(what in any_what()) {
        let (_, entries) = written([what]);
        let entry = Entry::read(&entries[0].body).unwrap();
        prop_assert!(entry.sign(&kitchen()) == entries[0]);
    }

    /// Whatever was done to a ledger: whoever remembers its head is shown exactly what was written up to
    /// there, or told what is wrong. So it is for whoever reads only what is new since an earlier look.
    #[test]
    fn no_change_drop_reorder_or_truncation_passes_whoever_remembers_the_head(
        happened in vec(any_what(), 1..12),
        others in vec(any_what(), 1..12),
        looked in any::<prop::sample::Index>(),
        harms in vec(any_harm(), 1..4),
    ) {
        // Refusals of one minute are one entry, so the ledger may be shorter than what happened.
        let mut ledger = OwnLedger::default();
        let mut entries = vec![];
        for (minute, what) in (1..).zip(happened) {
            ledger.write(NOW.plus(minute * 60_000), home(), &kitchen(), what).unwrap();
            let (index, entry) = ledger.next().unwrap();
            entries.push(entry.clone());
            ledger.stored(index);
        }
        let (_, other) = written(others.into_iter().map(|what| match what {
            What::Refused { .. } | What::GrantRefused { .. } => What::PutOut,
            what => what,
        }));
        let shown = harms.iter().fold(entries.clone(), |shown, harm| harmed(shown, &other, harm));
        let passes = read(&shown, ledger.head()).is_ok();
        prop_assert_eq!(passes, shown == entries);

        let earlier = looked.index(entries.len() + 1);
        let remembered = read(&entries[..earlier], Head::default()).unwrap().0;
        let (full, mut tail) = (
            read(&shown, remembered),
            LedgerReader::after(home(), kitchen_id(), remembered),
        );
        if let Ok((head, _)) = full {
            prop_assert!(shown.starts_with(&entries[..earlier]));
            // What is new was signed by the device, in this order.
            let mut new = shown[earlier..].iter();
            prop_assert!(new.all(|entry| tail.read(entry).is_ok()));
            prop_assert_eq!(tail.finish(), Ok(head));
        }
    }
}
