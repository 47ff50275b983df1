//! Invitations and ringing statements: fresh, for this call, by the chain's own key.

use homeline_protocol::id::CallId;

use super::*;
use crate::chain::ChainError;
use crate::signed::Signed;
use crate::testkit::{House, NOW, key};
use crate::time::{CLOCK_SKEW_MS, DAY_MS};

const CALL: CallId = CallId([3; 16]);

fn invitation(house: &House) -> Signed {
    let chain = house.app_chain();
    CallInvitation::new(CALL, NOW, "ben", "Anna", true, &chain).sign(&house.app)
}

#[test]
fn an_invitation_tells_who_calls() {
    let house = House::new(10);
    let signed = Signed::decode(&invitation(&house).encode()).unwrap();
    let (invitation, caller) = CallInvitation::open(&signed, CALL, &["ben"], NOW).unwrap();
    assert_eq!(
        (invitation.display_name.as_str(), invitation.video),
        ("Anna", true)
    );
    assert_eq!(caller.genesis, house.genesis.public());
}

#[test]
fn an_invitation_of_another_call_handle_time_or_key_does_not_ring() {
    let house = House::new(10);
    let signed = invitation(&house);
    let open = |call, handle, now| CallInvitation::open(&signed, call, &[handle], now).err();
    assert_eq!(
        open(CallId([4; 16]), "ben", NOW),
        Some(InvitationError::OtherCall)
    );
    assert_eq!(open(CALL, "carla", NOW), Some(InvitationError::OtherHandle));
    let last = NOW.plus(INVITATION_AGE_MS_MAX + CLOCK_SKEW_MS);
    assert_eq!(open(CALL, "ben", last), None);
    assert_eq!(
        open(CALL, "ben", last.plus(1)),
        Some(InvitationError::Stale)
    );
    let future = NOW.minus(CLOCK_SKEW_MS + 1);
    assert_eq!(open(CALL, "ben", future), Some(InvitationError::Stale));
    let chain = house.app_chain();
    let borrowed = CallInvitation::new(CALL, NOW, "ben", "Anna", true, &chain).sign(&key(90));
    let opened = CallInvitation::open(&borrowed, CALL, &["ben"], NOW);
    assert_eq!(opened.err(), Some(InvitationError::WrongSigner));
}

#[test]
fn a_ringing_statement_binds_one_key_package_to_one_call() {
    let house = House::new(10);
    let chain = house.app_chain();
    let signed = Ringing::new(CALL, b"package", &chain).sign(&house.app);
    let open = |call, package: &[u8], now| Ringing::open(&signed, call, package, now).err();
    assert_eq!(open(CALL, b"package", NOW), None);
    assert_eq!(
        open(CallId([4; 16]), b"package", NOW),
        Some(RingingError::OtherCall)
    );
    assert_eq!(
        open(CALL, b"another", NOW),
        Some(RingingError::OtherKeyPackage)
    );
    let expired = RingingError::Chain(ChainError::Expired { link: 0 });
    assert_eq!(open(CALL, b"package", NOW.plus(31 * DAY_MS)), Some(expired));
    let borrowed = Ringing::new(CALL, b"package", &chain).sign(&key(90));
    let opened = Ringing::open(&borrowed, CALL, b"package", NOW);
    assert_eq!(opened, Err(RingingError::WrongSigner));
}
