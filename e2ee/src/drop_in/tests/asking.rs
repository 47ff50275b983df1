//! An asking is for one call, one household, one key package and a few minutes, by the device of its chain.

use homeline_protocol::id::CallId;

use super::*;

const CALL: CallId = CallId([9; 16]);
const PACKAGE: &[u8] = b"key package";

#[test]
fn an_asking_counts_only_for_what_it_says() {
    let scene = Scene::new();
    let genesis = scene.house.genesis.public();
    let chain = scene.friends.app_chain();
    let asking = Asking::new(CALL, NOW, genesis, true, PACKAGE, &chain);
    let signed = Signed::decode(&asking.sign(&scene.friends.app).encode()).unwrap();
    let fits = Expected {
        call: CALL,
        genesis,
        key_package: PACKAGE,
        picture: true,
    };
    let open = |expected, now| Asking::open(&signed, expected, now);
    assert!(open(fits, NOW) == Ok(asking.clone()));
    let refused = |expected| open(expected, NOW).err();
    let call = CallId([8; 16]);
    assert_eq!(
        refused(Expected { call, ..fits }),
        Some(AskingError::OtherCall)
    );
    let genesis = scene.friends.genesis.public();
    let elsewhere = Expected { genesis, ..fits };
    assert_eq!(refused(elsewhere), Some(AskingError::OtherHousehold));
    let key_package = b"another".as_slice();
    let swapped = Expected {
        key_package,
        ..fits
    };
    assert_eq!(refused(swapped), Some(AskingError::OtherKeyPackage));
    let picture = false;
    assert_eq!(
        refused(Expected { picture, ..fits }),
        Some(AskingError::OtherPicture)
    );
    let last = NOW.plus(ASKING_AGE_MS_MAX + CLOCK_SKEW_MS);
    assert_eq!(open(fits, last).err(), None);
    assert_eq!(open(fits, last.plus(1)).err(), Some(AskingError::Stale));
    let early = NOW.minus(CLOCK_SKEW_MS + 1);
    assert_eq!(open(fits, early).err(), Some(AskingError::Stale));
}

#[test]
fn an_asking_is_signed_by_the_device_of_its_chain_for_this_purpose() {
    let scene = Scene::new();
    let genesis = scene.house.genesis.public();
    let fits = Expected {
        call: CALL,
        genesis,
        key_package: PACKAGE,
        picture: false,
    };
    let asking = |chain: &Chain| Asking::new(CALL, NOW, genesis, false, PACKAGE, chain);
    let theirs = asking(&scene.friends.app_chain());
    let borrowed = theirs.sign(&scene.house.app);
    let opened = Asking::open(&borrowed, fits, NOW);
    assert_eq!(opened.err(), Some(AskingError::WrongSigner));
    let nobody = asking(&Chain(vec![])).sign(&scene.friends.app);
    assert!(Asking::open(&nobody, fits, NOW).is_err());
    let ringing = Signed::sign(Context::Ringing, theirs.body(), &scene.friends.app);
    assert!(matches!(
        Asking::open(&ringing, fits, NOW),
        Err(AskingError::Signature(_))
    ));
}

#[test]
fn a_call_is_asked_for_once_and_memory_has_an_end() {
    let mut asked = Asked::default();
    assert!(asked.note(CALL, NOW));
    assert!(!asked.note(CALL, NOW.plus(ASKED_FOR_MS)));
    assert!(asked.note(CALL, NOW.plus(ASKED_FOR_MS + 1)));
    let mut full = Asked::default();
    let id = |number: usize| CallId((number as u128).to_be_bytes());
    assert!((0..ASKED_MAX).all(|number| full.note(id(number), NOW)));
    assert!(!full.note(id(ASKED_MAX), NOW));
    assert!(full.note(id(ASKED_MAX), NOW.plus(ASKED_FOR_MS + 1)));
}
