//! Fixed grants for the other implementation, a part of tests/data/identity-vectors.json.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use homeline_protocol::id::{CallId, ContactId, GrantId};
use serde_json::{Value, json};

use super::{
    ASKING_AGE_MS_MAX, Asking, Expected, Grant, Grantee, Hours, LIFETIME_MS_MAX, Opening, Window,
};
use crate::key::PublicKey;
use crate::signed::{Context, Signed};
use crate::testkit::{House, NOW, key};
use crate::time::CLOCK_SKEW_MS;

pub(crate) fn vectors() -> Value {
    let house = House::new(10);
    let [own, person, household] = grants(&house);
    json!({
        "entries": house.entries.iter().map(|entry| blob(entry.encode())).collect::<Vec<_>>(),
        "grants": [
            case("the own household", &house, &own),
            case("a person, narrowed in every way", &house, &person),
            case("a contact's household, revoked", &house, &household),
        ],
        "refused": refused(&house, [&own, &person, &household]),
        "asking": asking_case(&house),
        "refused_askings": refused_askings(&house),
    })
}

const KEY_PACKAGE: &[u8] = b"package";
const CALL: CallId = CallId([9; 16]);

/// The app of `house` asks a household whose genesis key is `key(60)`.
fn asking(house: &House) -> Asking {
    let target = key(60).public();
    Asking::new(CALL, NOW, target, true, KEY_PACKAGE, &house.app_chain())
}

fn asking_case(house: &House) -> Value {
    let asking = asking(house);
    json!({
        "seed": blob(*house.app.seed()),
        "call": CALL.to_string(),
        "at_ms": asking.at.0,
        "target_genesis": key_text(asking.target_genesis),
        "picture": asking.picture,
        "key_package": blob(KEY_PACKAGE),
        "chain": blob(asking.chain.encode()),
        "signed": blob(asking.sign(&house.app).encode()),
        "initiator": key_text(house.app.public()),
    })
}

/// Askings for the same call, key package, household and time as the one above, which do not hold.
fn refused_askings(house: &House) -> Vec<Value> {
    let asking = asking(house);
    let by = |name: &str, signed: Signed| json!({ "name": name, "signed": blob(signed.encode()) });
    let changed = |name: &str, at: usize, byte: u8| {
        let mut body = asking.body();
        body[at] = byte;
        by(name, Signed::sign(Context::DropInAsking, body, &house.app))
    };
    let with = |name: &str, change: &dyn Fn(&mut Asking)| {
        let mut asking = asking.clone();
        change(&mut asking);
        by(name, asking.sign(&house.app))
    };
    vec![
        changed("another version", 0, 2),
        changed("picture neither on nor off", 1 + 16 + 8 + 32, 2),
        with("for another call", &|one| one.call = CallId([8; 16])),
        with("for another household", &|one| {
            one.target_genesis = key(61).public();
        }),
        with("about another key package", &|one| {
            one.key_package_hash = [0; 32];
        }),
        with("too old", &|one| {
            one.at = NOW.minus(ASKING_AGE_MS_MAX + CLOCK_SKEW_MS + 1);
        }),
        with("from the future", &|one| {
            one.at = NOW.plus(CLOCK_SKEW_MS + 1);
        }),
        by("with a borrowed chain", asking.sign(&key(90))),
        by(
            "for another purpose",
            Signed::sign(Context::Ringing, asking.body(), &house.app),
        ),
    ]
}

/// Real bodies, to be damaged.
pub(crate) fn sample_bodies() -> Vec<Vec<u8>> {
    let house = House::new(10);
    let bodies = grants(&house);
    let bodies = bodies.iter().map(Grant::body);
    bodies.chain([asking(&house).body()]).collect()
}

fn grants(house: &House) -> [Grant; 3] {
    let (contact, their_genesis) = (ContactId([3; 16]), key(60).public());
    let own = Grant {
        genesis: house.genesis.public(),
        id: GrantId([5; 16]),
        revision: 1,
        to: Grantee::OwnHousehold,
        devices: vec![],
        hours: None,
        picture: true,
        opening: Opening::AtOnce,
        signed_at: NOW,
        expires_at: NOW.plus(LIFETIME_MS_MAX),
        revoked: false,
    };
    let window = |days, from_minute, to_minute| Window {
        days,
        from_minute,
        to_minute,
    };
    let windows = vec![
        window(0b001_1111, 8 * 60, 18 * 60),
        window(0b110_0000, 1439, 0),
    ];
    let mut devices = vec![key(20).public(), key(21).public()];
    devices.sort();
    let person = Grant {
        id: GrantId([6; 16]),
        revision: NOW.0,
        to: Grantee::Person {
            contact,
            their_genesis,
            person: "ben".to_owned(),
        },
        devices,
        hours: Some(Hours::new("Europe/Berlin".to_owned(), windows).unwrap()),
        picture: false,
        opening: Opening::KnockUntilYes,
        ..own.clone()
    };
    let household = Grant {
        id: GrantId([7; 16]),
        to: Grantee::Household {
            contact,
            their_genesis,
            people: vec!["ben".to_owned(), "cara".to_owned(), "dörte".to_owned()],
        },
        opening: Opening::KnockUnlessNo,
        revoked: true,
        ..own.clone()
    };
    [own, person, household]
}

fn case(name: &str, house: &House, grant: &Grant) -> Value {
    let hours = grant.hours.as_ref().map(|hours| {
        let windows: Vec<Value> = hours
            .windows()
            .iter()
            .map(|one| json!({ "days": one.days, "from_minute": one.from_minute, "to_minute": one.to_minute }))
            .collect();
        json!({ "zone": hours.zone(), "windows": windows })
    });
    let (to, person) = match &grant.to {
        Grantee::OwnHousehold => (1, ""),
        Grantee::Person { person, .. } => (2, person.as_str()),
        Grantee::Household { .. } => (3, ""),
    };
    let people = match &grant.to {
        Grantee::Household { people, .. } => people.as_slice(),
        _ => &[],
    };
    json!({
        "name": name,
        "people": people,
        "id": grant.id.to_string(),
        "revision": grant.revision,
        "to": to,
        "contact": grant.to.contact().map(|contact| contact.to_string()),
        "their_genesis": grant.to.their_genesis().map(key_text),
        "person": person,
        "devices": grant.devices.iter().copied().map(key_text).collect::<Vec<_>>(),
        "hours": hours,
        "picture": grant.picture,
        "opening": grant.opening.byte(),
        "signed_at_ms": grant.signed_at.0,
        "expires_at_ms": grant.expires_at.0,
        "revoked": grant.revoked,
        "signed": blob(grant.sign(&house.app).encode()),
    })
}

/// Bodies that say something else than any grant may, each signed by an adult all the same, and grants
/// that the wrong one signed.
fn refused(house: &House, [own, person, household]: [&Grant; 3]) -> Vec<Value> {
    let (own_body, person_body) = (own.body(), person.body());
    let signed = |body: Vec<u8>| Signed::sign(Context::DropInGrant, body, &house.app);
    let changed = |name: &str, body: &[u8], at: usize, byte: u8| {
        let mut body = body.to_vec();
        body[at] = byte;
        json!({ "name": name, "signed": blob(signed(body).encode()) })
    };
    // version, genesis, id and revision come before whom it is to; a key and a string follow.
    let to = 1 + 32 + 16 + 8;
    let end = own_body.len();
    let mut long = own.clone();
    long.expires_at = long.expires_at.plus(1);
    let mut swapped = person.clone();
    swapped.devices.reverse();
    // The person, nobody further, and how many devices.
    let first_device = to + 1 + 16 + 32 + 2 + 3 + 2 + 2;
    let mut unsorted = person_body.clone();
    for (place, device) in swapped.devices.iter().enumerate() {
        let at = first_device + 32 * place;
        unsorted[at..at + 32].copy_from_slice(&device.0);
    }
    // How many people, after an empty person; the first of them is "ben".
    let people = to + 1 + 16 + 32 + 2;
    let household_body = household.body();
    let by = |name: &str, signed: Signed| json!({ "name": name, "signed": blob(signed.encode()) });
    vec![
        changed("another version", &own_body, 0, 2),
        changed("to somebody unknown", &own_body, to, 4),
        changed("to a household that is the own one", &own_body, to, 3),
        changed("an unknown opening", &own_body, end - 18, 3),
        changed("picture neither on nor off", &own_body, end - 19, 2),
        changed("neither revoked nor not", &own_body, end - 1, 2),
        changed("people out of order", &household_body, people + 4, b'd'),
        changed("people of the own household", &household_body, to, 1),
        changed("people beside a person", &household_body, to, 2),
        changed("a household of nobody known", &person_body, to, 3),
        changed("more people than there are", &household_body, people, 1),
        by("for longer than thirty days", signed(long.body())),
        by("devices out of order", signed(unsorted)),
        by("by a home device", own.sign(&key(20))),
        by(
            "for another purpose",
            Signed::sign(Context::Contact, own_body, &house.app),
        ),
    ]
}

#[test]
fn what_the_vectors_call_refused_is_refused() {
    let house = House::new(10);
    let made = vectors();
    let open = |value: &Value| {
        let bytes = URL_SAFE_NO_PAD.decode(value["signed"].as_str().unwrap());
        Grant::open(&Signed::decode(&bytes.unwrap()).unwrap(), &house.roster)
    };
    for case in made["refused"].as_array().unwrap() {
        assert!(open(case).is_err(), "{}", case["name"]);
    }
    for case in made["grants"].as_array().unwrap() {
        assert!(open(case).is_ok(), "{}", case["name"]);
    }
    let open = |value: &Value| {
        let bytes = URL_SAFE_NO_PAD.decode(value["signed"].as_str().unwrap());
        let signed = Signed::decode(&bytes.unwrap()).unwrap();
        let fits = Expected {
            call: CALL,
            genesis: key(60).public(),
            key_package: KEY_PACKAGE,
            picture: true,
        };
        Asking::open(&signed, fits, NOW)
    };
    assert!(open(&made["asking"]).is_ok());
    for case in made["refused_askings"].as_array().unwrap() {
        assert!(open(case).is_err(), "{}", case["name"]);
    }
}

fn key_text(key: PublicKey) -> Value {
    blob(key.0)
}

fn blob(bytes: impl AsRef<[u8]>) -> Value {
    json!(URL_SAFE_NO_PAD.encode(bytes))
}
