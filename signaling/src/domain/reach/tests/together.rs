//! Who may stay in one call with a child.

use homeline_protocol::id::HouseholdId;

use super::world::child;
use crate::domain::reach::Attendee;
use crate::domain::reach::facts::ChildFacts;

const HOME: HouseholdId = HouseholdId([1; 16]);
const ELSEWHERE: HouseholdId = HouseholdId([2; 16]);

fn somebody(handle: &str, household: HouseholdId, child: Option<ChildFacts>) -> Attendee {
    Attendee {
        handle: handle.parse().unwrap(),
        household: Some(household),
        child,
        guest: false,
    }
}

#[test]
fn a_child_stays_with_the_household_and_chosen_contacts_and_never_with_a_guest() {
    let chosen = ChildFacts {
        contacts: vec!["gail".parse().unwrap()],
        ..child()
    };
    let mia = somebody("mia", HOME, Some(chosen.clone()));
    assert!(mia.may_be_with(&somebody("anna", HOME, None)));
    assert!(mia.may_be_with(&somebody("gail", ELSEWHERE, None)));
    assert!(!mia.may_be_with(&somebody("zoe", ELSEWHERE, None)));
    assert!(!mia.may_be_with(&Attendee::guest()));
    // An adult meets whom they like.
    assert!(somebody("anna", HOME, None).may_be_with(&Attendee::guest()));
    // Without consent, not even the household.
    let unasked = ChildFacts {
        consented: false,
        ..chosen
    };
    let unasked = somebody("mia", HOME, Some(unasked));
    assert!(!unasked.may_be_with(&somebody("anna", HOME, None)));
}
