//! The drop-in grants of the household that an adult's app renews.

use homeline_e2ee::drop_in::Grant;
use homeline_e2ee::signed::Signed;
use homeline_e2ee::time::UnixMs;
use homeline_protocol::Blob;
use homeline_protocol::id::GrantId;
use homeline_protocol::session::DropInGrant;

use super::Household;
use crate::store::{self, Identity};

impl Household {
    /// The next revisions of those that end soon and are to go on. Only an adult's app has any. One that is
    /// shown in an older revision than was seen here is left alone: signed anew, it would count again.
    pub(crate) fn grants_renewed(
        &self,
        identity: &mut Identity,
        shown: &[DropInGrant],
        now: UnixMs,
    ) -> Vec<(GrantId, Blob)> {
        if !self.may_sign(identity) {
            return Vec::new();
        }
        let mut renewed = Vec::new();
        for one in shown {
            let Some(grant) = self.opened(one) else {
                continue;
            };
            let what = store::Signed::Grant(grant.id);
            if grant.revision < identity.seen(what) {
                continue;
            }
            identity.saw(what, grant.revision);
            if grant.should_renew(now) {
                let next = grant.renewed(now).sign(&identity.device_key);
                renewed.push((grant.id, Blob(next.encode())));
            }
        }
        renewed
    }

    fn opened(&self, shown: &DropInGrant) -> Option<Grant> {
        let signed = Signed::decode(&shown.statement.0).ok()?;
        let grant = Grant::open(&signed, self.roster()).ok()?;
        (grant.id == shown.id).then_some(grant)
    }
}
