//! Announces: what was recorded or typed, sealed to each home device that it is for.

use homeline_e2ee::announcement::{Content, Draft, SealError, SealingPublic, SealingStatement};
use homeline_e2ee::key::PublicKey;
use homeline_e2ee::signed::Signed;
use homeline_protocol::id::{AnnouncementId, DeviceId};
use homeline_protocol::session::{
    AnnounceTo, AnnouncementReceiver, DeviceKind, DeviceSealingKey, Reply, Request,
};
use zeroize::Zeroizing;

use crate::chance;
use crate::client::{Client, Shared};
use crate::home::Household;
use crate::session::RequestError;

/// What was announced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Announcing {
    pub id: AnnouncementId,
    /// The devices that it is for, and what becomes of it there. Each says later that it was heard
    /// ([`crate::ClientEvent::AnnouncementHeard`]).
    pub receivers: Vec<AnnouncementReceiver>,
}

/// Why nothing was announced.
#[derive(Debug, thiserror::Error)]
pub enum AnnounceError {
    #[error(transparent)]
    Request(#[from] RequestError),
    #[error(transparent)]
    Seal(#[from] SealError),
}

impl Client {
    /// Announces something at the household's home devices, at one, or at those of a room. `reply_to`:
    /// the announcement that it answers.
    ///
    /// # Errors
    /// When it is empty or too long, no device can take it, or the server refuses.
    pub async fn announce(
        &self,
        to: AnnounceTo,
        content: Content,
        reply_to: Option<AnnouncementId>,
    ) -> Result<Announcing, AnnounceError> {
        announce(&self.shared, to, content, reply_to).await
    }
}

pub(super) async fn announce(
    shared: &Shared,
    to: AnnounceTo,
    content: Content,
    reply_to: Option<AnnouncementId>,
) -> Result<Announcing, AnnounceError> {
    let asked = shared.session().request(Request::GetSealingKeys).await?;
    let Reply::SealingKeys { keys } = asked else {
        return Err(RequestError::WrongReply.into());
    };
    let draft = Draft {
        id: AnnouncementId(chance::bytes()),
        content,
        reply_to,
        at: shared.hearing().clock.time_of_day(),
    };
    let sealed = {
        let state = shared.state();
        let whom = receivers(&state.household, &to, &keys);
        let identity = &state.identity;
        let who = (&identity.device_key, &identity.chain, identity.genesis);
        let content_key = Zeroizing::new(chance::bytes());
        draft.seal(who, &whom, &content_key)?
    };
    let request = Request::Announce {
        announcement: draft.id,
        to,
        statement: sealed.statement.encode().into(),
        content: sealed.ciphertext.into(),
    };
    match shared.session().request(request).await? {
        Reply::Announced { receivers } => Ok(Announcing {
            id: draft.id,
            receivers,
        }),
        _ => Err(RequestError::WrongReply.into()),
    }
}

/// Whom it is sealed to: nobody whom it does not go to, and only by a key that is the device's own word.
fn receivers(
    household: &Household,
    to: &AnnounceTo,
    keys: &[DeviceSealingKey],
) -> Vec<(PublicKey, SealingPublic)> {
    let own_word = |shown: &DeviceSealingKey| {
        let signed = Signed::decode(&shown.statement.0).ok()?;
        match SealingStatement::open(&signed, household.roster()) {
            Ok(said) if homeline_e2ee::ids::device_id(said.device) == shown.device => {
                Some((said.device, said.key))
            }
            Ok(_) => None,
            Err(error) => {
                tracing::warn!(%error, "a device's sealing key is not taken");
                None
            }
        }
    };
    let wanted = keys
        .iter()
        .filter(|shown| goes_to(household, to, shown.device));
    wanted.filter_map(own_word).collect()
}

/// Whether it goes to a device: a home device of the household, there where it is announced.
pub(super) fn goes_to(household: &Household, to: &AnnounceTo, device: DeviceId) -> bool {
    let mut known = household.devices().iter();
    let known = known.find(|one| one.id == device && one.kind == DeviceKind::HomeDevice);
    known.is_some_and(|known| match to {
        AnnounceTo::Home => true,
        AnnounceTo::Device { device } => known.id == *device,
        AnnounceTo::Zone { room } => is_same_room(&known.settings.room, room),
    })
}

fn is_same_room(one: &str, other: &str) -> bool {
    one.trim().to_lowercase() == other.trim().to_lowercase()
}
