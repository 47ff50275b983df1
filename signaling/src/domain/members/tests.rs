//! Who may be what, and who may go.

use homeline_protocol::id::AccountId;
use homeline_protocol::session::Role;

use super::rules::{BadRole, Departure, Standing, check_role, departure};

fn member(number: u8, role: Role, signs: bool) -> Standing {
    Standing {
        account: AccountId([number; 16]),
        role,
        signs,
    }
}

#[test]
fn a_household_is_never_left_without_an_adult_who_can_sign() {
    let (anna, ben) = (member(1, Role::Owner, true), member(2, Role::Adult, true));
    let (unsigned, mia) = (member(3, Role::Adult, false), member(4, Role::Child, false));
    let table = [
        (vec![anna], Departure::Last),
        (vec![anna, mia], Departure::LeavesNoAdult),
        (vec![anna, unsigned, mia], Departure::LeavesNoAdult),
        (
            vec![anna, mia, ben],
            Departure::GoesOn {
                heir: Some(ben.account),
            },
        ),
    ];
    for (members, expected) in table {
        assert_eq!(departure(&members, anna.account), expected, "{members:?}");
    }
    let all = [anna, ben, mia];
    assert_eq!(
        departure(&all, mia.account),
        Departure::GoesOn { heir: None }
    );
    assert_eq!(departure(&[mia], mia.account), Departure::Last);
}

#[test]
fn roles_change_between_adult_and_child_and_never_ones_own() {
    let (anna, ben) = (AccountId([1; 16]), AccountId([2; 16]));
    let table = [
        (anna, member(2, Role::Adult, false), Role::Child, Ok(())),
        (anna, member(2, Role::Child, false), Role::Adult, Ok(())),
        (
            anna,
            member(2, Role::Adult, true),
            Role::Child,
            Err(BadRole::HasAdultApp),
        ),
        (
            anna,
            member(2, Role::Adult, true),
            Role::Owner,
            Err(BadRole::NotThis),
        ),
        (
            ben,
            member(1, Role::Owner, true),
            Role::Child,
            Err(BadRole::NotThis),
        ),
        (
            anna,
            member(1, Role::Adult, false),
            Role::Child,
            Err(BadRole::NotThis),
        ),
    ];
    for (by, who, to, expected) in table {
        assert_eq!(check_role(by, who, to), expected, "{who:?} to {to:?}");
    }
}
