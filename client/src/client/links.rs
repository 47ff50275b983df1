//! Call links of this person's, and the guests who knock at them.

use std::time::Duration;

use homeline_e2ee::guest::{GuestLink, GuestSecret, KnockError};
use homeline_e2ee::ids;
use homeline_protocol::Blob;
use homeline_protocol::id::{CallId, CallLinkId, DeviceId};
use homeline_protocol::session::{CallLink, Event, Reply, Request};
use zeroize::Zeroizing;

use super::shared::Shared;
use super::{Client, ClientEvent};
use crate::call::{Call, CallError, Callable, Outgoing, start};
use crate::chance;
use crate::guest::Knock;
use crate::session::RequestError;
use crate::store::OwnLink;
use crate::time::now;

impl Client {
    /// Makes a call link: its address, to be sent to somebody without an account. The secret in it is
    /// kept here alone, so that only this app lets in who comes by it.
    ///
    /// # Errors
    /// When the server refuses: a child, a bad label, too many links.
    pub async fn make_call_link(
        &self,
        label: &str,
        lasts: Duration,
    ) -> Result<(CallLinkId, Zeroizing<String>), RequestError> {
        let link = CallLinkId(chance::bytes());
        let secret = GuestSecret(chance::bytes());
        let lasts_ms = u64::try_from(lasts.as_millis()).unwrap_or(u64::MAX);
        let ends_at_ms = now().plus(lasts_ms).0;
        let genesis = {
            let mut state = self.shared.state();
            let own = OwnLink {
                link,
                secret: secret.clone(),
                ends_at_ms,
            };
            state.identity.keep_link(own, now());
            state.household.roster().genesis_key()
        };
        // Before the server knows of it: a link whose secret is lost would let nobody in.
        self.shared.save();
        let request = Request::MakeCallLink {
            link,
            label: label.to_owned(),
            expires_at_ms: ends_at_ms,
        };
        let made = self.session().done(request).await;
        if let Err(error @ RequestError::Refused(_)) = made {
            self.shared.forget_link(link);
            return Err(error);
        }
        made?;
        let fingerprint = ids::fingerprint(genesis);
        let fragment = GuestLink {
            link,
            secret,
            fingerprint,
        }
        .fragment();
        let address = self.shared.server().address().trim_end_matches('/');
        Ok((link, Zeroizing::new(format!("{address}/{}", *fragment))))
    }

    /// This person's call links that have not ended, made by whichever app.
    ///
    /// # Errors
    /// When the server refuses.
    pub async fn call_links(&self) -> Result<Vec<CallLink>, RequestError> {
        match self.session().request(Request::ListCallLinks).await? {
            Reply::CallLinks { links } => Ok(links),
            _ => Err(RequestError::WrongReply),
        }
    }

    /// Ends a call link: whoever waits at it is sent away.
    ///
    /// # Errors
    /// When the server refuses.
    pub async fn revoke_call_link(&self, link: CallLinkId) -> Result<(), RequestError> {
        self.session()
            .done(Request::RevokeCallLink { link })
            .await?;
        self.shared.forget_link(link);
        Ok(())
    }

    /// Lets a guest in by a call. Into a running one: [`Call::let_in`].
    ///
    /// # Errors
    /// When no media socket can be opened. All else is told by the call.
    pub async fn admit(&self, knock: &Knock, with: Outgoing) -> Result<Call, CallError> {
        start(self.shared.clone(), Callable::Guest(knock), with).await
    }

    /// Sends a guest away who knocks.
    ///
    /// # Errors
    /// When the server refuses: they wait no more.
    pub async fn refuse_guest(&self, knock: &Knock) -> Result<(), RequestError> {
        let guest = knock.guest;
        self.session().done(Request::RefuseGuest { guest }).await
    }

    /// Takes a guest of this person's out of a call.
    ///
    /// # Errors
    /// When the server refuses: no guest of this person's, or not in that call.
    pub async fn remove_guest(&self, call: CallId, guest: DeviceId) -> Result<(), RequestError> {
        self.session()
            .done(Request::RemoveGuest { call, guest })
            .await
    }

    /// Knocks that were not shown, because chain or proof did not hold: somebody made them up.
    #[must_use]
    pub fn forged_knocks(&self) -> u64 {
        self.shared.knocks().forged()
    }
}

impl Shared {
    /// What an event about guests means for the program; `None`: it is about something else, or nothing
    /// to tell.
    pub(super) fn guest_event(&self, event: &Event) -> Option<ClientEvent> {
        match event {
            Event::GuestKnocked {
                link,
                chain,
                proof,
                guest,
            } => {
                let knock = self.opened(*link, *guest, chain, proof)?;
                let news = self.knocks().begin(knock.clone());
                news.then_some(ClientEvent::Knock(knock))
            }
            Event::GuestGone { guest, .. } => self.knocks().end(*guest).map(ClientEvent::KnockGone),
            Event::CallLinkEnded { link } => {
                self.forget_link(*link);
                None
            }
            _ => None,
        }
    }

    /// A knock whose chain and proof hold. One at a link of another app of this person's is that app's.
    fn opened(
        &self,
        link: CallLinkId,
        guest: DeviceId,
        chain: &Blob,
        proof: &Blob,
    ) -> Option<Knock> {
        let secret = self.state().identity.link_secret(link)?;
        let opened = secret.open_knock(link, &chain.0, &proof.0, now());
        let identity = opened.and_then(|identity| match identity.device == guest {
            true => Ok(identity),
            false => Err(KnockError::NotAGuest),
        });
        match identity {
            Ok(identity) => Some(Knock {
                link,
                guest,
                name: identity.label,
                key: identity.genesis,
            }),
            Err(error) => {
                tracing::warn!(%error, "a knock does not hold and is not shown");
                self.knocks().count_forged();
                None
            }
        }
    }

    pub(super) fn forget_link(&self, link: CallLinkId) {
        let forgotten = self.state().identity.forget_link(link);
        if forgotten {
            self.save();
        }
    }
}
