//! Knocking, waiting, and what becomes of it.

use homeline_protocol::http::{Knock, Knocked};
use homeline_protocol::id::{AccountId, DeviceId};
use homeline_protocol::session::{DeviceKind, Event};

use super::links::may_have_guests;
use super::table::{CallOver, Guest, NoPlace, Stand};
use super::{Guests, KnockError, RefuseGuestError};
use crate::bus::Audience;
use crate::domain::identity::{GuestIdentity, device_id};
use crate::domain::limits::Origin;
use crate::domain::secrets::{new_token, random_id};
use crate::model::Speaker;
use crate::store;

/// A proof is an HMAC with SHA-256.
const PROOF_BYTES: usize = 32;

impl Guests {
    /// Somebody knocks at a link, and waits. The link's maker hears of it once there is a session.
    ///
    /// # Errors
    /// When the knock does not look like one, there is no such link, or too many wait. An unknown, an
    /// ended and a revoked link are one and the same.
    pub async fn knock(&self, from: Origin, knock: Knock) -> Result<Knocked, KnockError> {
        let now = self.0.clock.now();
        self.0.knocks.check(&from, now)?;
        let identity = GuestIdentity::verify(knock.chain.as_ref(), now)?;
        if knock.proof.0.len() != PROOF_BYTES {
            return Err(KnockError::BadProof);
        }
        let device = device_id(identity.key);
        let mut tx = self.0.db.read().await?;
        let link = store::call_links::find(&mut tx, knock.link).await?;
        let link = link.filter(|row| row.expires_at_ms > now);
        let link = link.ok_or(KnockError::NoLink)?;
        let maker = store::accounts::find(&mut tx, link.maker).await?;
        may_have_guests(maker.as_ref()).map_err(|_| KnockError::NoLink)?;
        // A device of a household would be taken for a guest, and a guest for it.
        if store::devices::find(&mut tx, device).await?.is_some() {
            return Err(KnockError::KnownKey);
        }
        drop(tx);
        let (token, hash) = new_token();
        let guest = Guest {
            link: link.id,
            maker: link.maker,
            account: AccountId(random_id()),
            device,
            label: identity.label,
            chain: knock.chain,
            proof: knock.proof,
            token: hash,
            knocked_at: now,
            stand: Stand::Knocking,
            session: false,
            link_until: link.expires_at_ms,
            link_over: false,
        };
        let knocked = Knocked {
            token,
            account: guest.account,
            device,
            expires_at_ms: guest.waits_until().0,
        };
        let gone = {
            let mut table = self.0.table();
            let gone = table.due(now);
            table.knock(guest)?;
            gone
        };
        self.0.tell_gone(&gone).await;
        // Revoked in this moment: whoever was there by then was sent away without them.
        let mut tx = self.0.db.read().await?;
        if store::call_links::find(&mut tx, knock.link)
            .await?
            .is_none()
        {
            self.0.table().closed(device);
            return Err(KnockError::NoLink);
        }
        Ok(knocked)
    }

    /// The maker sends somebody away who waits.
    ///
    /// # Errors
    /// When nobody waits so at a link of the speaker's.
    pub async fn refuse(
        &self,
        speaker: &Speaker,
        device: DeviceId,
    ) -> Result<(), RefuseGuestError> {
        speaker.app()?;
        let gone = self.0.table().refuse(device, speaker.account);
        let gone = gone.ok_or(RefuseGuestError::NotFound)?;
        self.0.tell_gone(&[gone]).await;
        Ok(())
    }

    /// A session was opened: a guest's, whose knock is told now, or that of an app whose person is
    /// waited for.
    pub async fn session_opened(&self, speaker: &Speaker) {
        let Some(device) = speaker.device else { return };
        if speaker.guest {
            let told = self.0.table().opened(device);
            if let Some((maker, knock)) = told {
                self.tell(maker, knock).await;
            }
        } else if speaker.kind == DeviceKind::App {
            let knocks = self.0.table().waiting_for(speaker.account);
            for knock in knocks {
                self.0.bus.publish(Audience::Device(device), knock);
            }
        }
    }

    /// A session is over, and is not taken up again.
    pub async fn session_closed(&self, speaker: &Speaker) {
        let Some(device) = speaker.device.filter(|_| speaker.guest) else {
            return;
        };
        let gone = self.0.table().closed(device);
        self.0.tell_gone(gone.as_slice()).await;
    }

    /// A call is to ring for a guest: they wait no more.
    pub async fn let_in(&self, device: DeviceId) {
        let gone = self.0.table().let_in(device);
        self.0.tell_gone(gone.as_slice()).await;
    }

    /// A call tells a guest something. Returns at once.
    pub fn told(&self, device: DeviceId, event: &Event) {
        match event {
            Event::GroupWelcome { .. } => self.0.table().joined(device),
            Event::CallEnded { .. } => self.call_over(device),
            _ => {}
        }
    }

    /// A call is over for a guest, or did not ring for them: the visit is over, or they wait on.
    pub fn call_over(&self, device: DeviceId) {
        let over = self.0.table().call_over(device, self.0.clock.now());
        let guests = self.clone();
        match over {
            None => {}
            Some(CallOver::Left) => self.0.see_out(device),
            Some(CallOver::Waits(maker, knock)) => {
                tokio::spawn(async move { guests.tell(maker, knock).await });
            }
            Some(CallOver::Refused(gone)) => {
                tokio::spawn(async move { guests.0.tell_gone(&[gone]).await });
            }
        }
    }

    async fn tell(&self, maker: AccountId, knock: Event) {
        if let Err(error) = self.0.tell_apps(maker, &[knock]).await {
            tracing::error!(%error, "an app is not told that somebody knocks");
        }
    }
}

impl From<NoPlace> for KnockError {
    fn from(no_place: NoPlace) -> Self {
        match no_place {
            NoPlace::Known => Self::KnownKey,
            NoPlace::LinkFull => Self::LinkFull,
            NoPlace::Full => Self::Full,
        }
    }
}
