//! Somebody with all that passed through a server, and genuine keys of their own: they decode nothing.

use std::time::{SystemTime, UNIX_EPOCH};

use homeline_e2ee::group::{Credential, Expect};
use homeline_e2ee::member::{CallCrypto, Input, Output, Phase};
use homeline_e2ee::sframe::FrameSource;
use homeline_e2ee::time::UnixMs;
use homeline_protocol::session::{Event, ServerFrame};

use crate::people::Person;
use crate::search::encrypted_frames;
use crate::sees_nothing::Evidence;

/// With everything that passed, and genuine keys of its own.
pub(crate) fn a_third_party_decodes_nothing(evidence: &Evidence) {
    let [mut carol, mut dave] = evidence
        .strangers
        .each_ref()
        .map(|person| member(evidence, person));
    let welcomes: Vec<_> = evidence.told.iter().filter_map(welcome).collect();
    assert!(
        !welcomes.is_empty(),
        "the recorder heard the call's Welcome"
    );
    for welcome in welcomes {
        dave.step(now(), Input::Welcome { welcome });
        assert_eq!(
            dave.phase(),
            Phase::Idle,
            "let into the call by another's Welcome"
        );
    }
    found_group(&mut carol, &mut dave);
    let own = carol.encrypt_frame(b"a frame of their own").unwrap();
    let source = FrameSource {
        owner: device(&evidence.strangers[0]),
        tag: 0,
    };
    assert_eq!(
        dave.decrypt_frame(now(), source, &own).unwrap(),
        b"a frame of their own"
    );

    let frames = encrypted_frames(&evidence.packets);
    assert!(frames.len() > evidence.encoded.len() / 2);
    for frame in frames {
        assert!(
            dave.decrypt_frame(now(), source, &frame).is_err(),
            "a third party decodes"
        );
    }
}

fn member(evidence: &Evidence, person: &Person) -> CallCrypto {
    let identity = &person.identity;
    let credential =
        Credential::new(identity.device_key.clone(), identity.chain.clone(), now()).unwrap();
    let mut expect = Expect::own_household(person.client.household().roster().clone());
    for genesis in evidence.households.iter().chain(
        evidence
            .strangers
            .iter()
            .map(|person| &person.identity.genesis),
    ) {
        expect = expect.and(*genesis);
    }
    CallCrypto::new(credential, evidence.call, expect, now())
}

/// A group of the two strangers for the same call and epoch: keys that a receiver tries in earnest.
fn found_group(carol: &mut CallCrypto, dave: &mut CallCrypto) {
    carol.step(now(), Input::Create);
    let offer = dave.key_package(now()).unwrap();
    let (key_package, statement) = (offer.key_package, offer.statement);
    let outputs = carol.step(
        now(),
        Input::Add {
            key_package,
            statement,
        },
    );
    let sent = outputs.into_iter().find_map(|output| match output {
        Output::SendCommit {
            epoch,
            commit,
            welcome,
            ..
        } => Some((epoch, commit, welcome)),
        _ => None,
    });
    let (epoch, commit, welcome) = sent.expect("carol adds dave");
    carol.step(now(), Input::Commit { epoch, commit });
    dave.step(
        now(),
        Input::Welcome {
            welcome: welcome.unwrap().1,
        },
    );
    for side in [carol, dave] {
        side.step(now(), Input::Execute { epoch: epoch + 1 });
    }
}

fn welcome(frame: &ServerFrame) -> Option<Vec<u8>> {
    match frame {
        ServerFrame::Event { body, .. } => match body.as_ref() {
            Event::GroupWelcome { welcome, .. } => Some(welcome.0.clone()),
            _ => None,
        },
        _ => None,
    }
}

fn device(person: &Person) -> homeline_protocol::id::DeviceId {
    homeline_e2ee::ids::device_id(person.identity.device_key.public())
}

fn now() -> UnixMs {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    UnixMs(u64::try_from(since.as_millis()).unwrap())
}
