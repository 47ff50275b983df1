//! What an adult's app signs anew by itself while it is connected: certificates, cards, drop-in grants.

use std::time::Duration;

use homeline_protocol::session::{DropInGrant, Request};

use super::run::{Run, home};
use super::shared::State;
use crate::time::now;

/// Certificates and grants have a week and more left when they are due; a program may run for months.
pub(super) const RENEW_EVERY: Duration = Duration::from_secs(24 * 60 * 60);

impl Run {
    /// What has become due since the session began.
    pub(super) async fn renew_all(&self) {
        {
            let state = self.shared.state();
            if !state.household.may_sign(&state.identity) {
                return;
            }
        }
        self.renew().await;
        match home(self.shared.session()).await {
            Ok(home) => self.renew_grants(&home.drop_in_grants).await,
            Err(error) => tracing::info!(%error, "grants are renewed another day"),
        }
    }

    /// Signs the cards of somebody who was removed anew, if this is an adult's app.
    pub(super) async fn adopt(&self) {
        let cards = self.shared.state().orphaned_cards();
        for request in cards {
            // Another adult's app may have been first, which is as good.
            if let Err(error) = self.shared.session().done(request).await {
                tracing::info!(%error, "a card was not signed anew");
            }
        }
    }

    /// Renews certificates of the household that end soon or no longer hold, if this is an adult's app.
    pub(super) async fn renew(&self) {
        let renewals = {
            let state = self.shared.state();
            state.household.renewals(&state.identity, now())
        };
        for (device, chain) in renewals {
            // Another adult's app may have been first, which is as good.
            let request = Request::RenewCertificate { device, chain };
            if let Err(error) = self.shared.session().done(request).await {
                tracing::info!(%error, "a certificate was not renewed");
            }
        }
    }

    /// Notes which revisions these have, and renews those that end soon, if this is an adult's app.
    pub(super) async fn renew_grants(&self, shown: &[DropInGrant]) {
        let (renewed, news) = {
            let mut state = self.shared.state();
            let State {
                identity,
                household,
            } = &mut *state;
            let before = identity.revisions.clone();
            let renewed = household.grants_renewed(identity, shown, now());
            (renewed, identity.revisions != before)
        };
        if news {
            self.shared.save();
        }
        for (grant, statement) in renewed {
            let request = Request::PutDropInGrant { grant, statement };
            // Another adult's app was first, or took it back.
            if let Err(error) = self.shared.session().done(request).await {
                tracing::info!(%error, "a drop-in grant was not renewed");
            }
        }
    }
}
