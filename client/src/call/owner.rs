//! Whose part in a call it is: a member of a household's, or a guest's, who has none.

use std::sync::Arc;

use homeline_e2ee::group::{Credential, Expect};
use homeline_e2ee::key::PublicKey;
use homeline_protocol::id::{CallId, DeviceId};

use crate::client::Shared;
use crate::session::Session;

/// The one behind a call's task.
#[derive(Clone)]
pub(crate) enum Owner {
    Member(Arc<Shared>),
    Guest(Arc<Visit>),
}

/// A guest's one visit: a key that is a household of one, and a session.
pub(crate) struct Visit {
    pub(crate) session: Session,
    pub(crate) credential: Credential,
}

impl Visit {
    pub(crate) fn device(&self) -> DeviceId {
        self.credential.identity().device
    }

    /// Itself, and the household that made the link.
    pub(crate) fn expect(&self, host: PublicKey) -> Expect {
        Expect::own_guest(self.credential.identity().genesis).and(host)
    }
}

impl Owner {
    pub(super) fn session(&self) -> &Session {
        match self {
            Self::Member(shared) => shared.session(),
            Self::Guest(visit) => &visit.session,
        }
    }

    pub(super) fn device(&self) -> DeviceId {
        match self {
            Self::Member(shared) => shared.device(),
            Self::Guest(visit) => visit.device(),
        }
    }

    pub(super) fn forget_call(&self, call: CallId) {
        if let Self::Member(shared) = self {
            shared.forget_call(call);
        }
    }

    /// What only a member of a household has.
    pub(super) fn member(&self) -> Option<&Arc<Shared>> {
        match self {
            Self::Member(shared) => Some(shared),
            Self::Guest(_) => None,
        }
    }
}
