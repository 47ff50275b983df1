//! Who may be what, and who may go, decided without the store.

use homeline_protocol::id::AccountId;
use homeline_protocol::session::Role;

/// A member as these rules see them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Standing {
    pub(super) account: AccountId,
    pub(super) role: Role,
    /// Whether an app of theirs may certify and sign.
    pub(super) signs: bool,
}

/// What becomes of a household when a member goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Departure {
    /// Nobody is left.
    Last,
    /// The others would be without an adult whose app may sign: nobody could be admitted or removed.
    LeavesNoAdult,
    /// The household goes on; an owner who goes is followed by this member.
    GoesOn { heir: Option<AccountId> },
}

/// Members in the order in which they came.
pub(super) fn departure(members: &[Standing], of: AccountId) -> Departure {
    let mut others = members.iter().filter(|one| one.account != of);
    if others.clone().next().is_none() {
        return Departure::Last;
    }
    let Some(heir) = others.find(|one| one.role != Role::Child && one.signs) else {
        return Departure::LeavesNoAdult;
    };
    let owns = members
        .iter()
        .any(|one| one.account == of && one.role == Role::Owner);
    Departure::GoesOn {
        heir: owns.then_some(heir.account),
    }
}

/// Why somebody can't be handed the ownership.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BadHeir {
    ByAnother,
    Unknown,
    CannotOwn,
}

/// Whether the owner may make this member the owner. Whoever owns can admit and remove: a child can't,
/// nor an adult whose apps may not sign.
pub(super) fn check_heir(
    members: &[Standing],
    by: AccountId,
    to: AccountId,
) -> Result<(), BadHeir> {
    let find = |account| members.iter().find(|one| one.account == account);
    if find(by).is_none_or(|one| one.role != Role::Owner) {
        return Err(BadHeir::ByAnother);
    }
    let heir = find(to).ok_or(BadHeir::Unknown)?;
    if heir.role == Role::Child || !heir.signs {
        return Err(BadHeir::CannotOwn);
    }
    Ok(())
}

/// Why a role can't be changed so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BadRole {
    NotThis,
    HasAdultApp,
}

pub(super) fn check_role(by: AccountId, member: Standing, to: Role) -> Result<(), BadRole> {
    if member.account == by || member.role == Role::Owner || to == Role::Owner {
        return Err(BadRole::NotThis);
    }
    if to == Role::Child && member.signs {
        return Err(BadRole::HasAdultApp);
    }
    Ok(())
}
