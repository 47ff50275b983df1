//! A guest's visit: knocking at a link, waiting, and the call that lets them in.

use std::collections::BTreeSet;
use std::sync::Arc;

use homeline_e2ee::group::{Credential, CredentialError};
use homeline_e2ee::guest::{GuestLink, guest_chain};
use homeline_e2ee::introduction::CallInvitation;
use homeline_e2ee::invitation::NotALink;
use homeline_e2ee::signed::Signed;
use homeline_protocol::Blob;
use homeline_protocol::http::Knock;
use homeline_protocol::id::CallId;
use homeline_protocol::session::{ApiError, Event, GuestRefusal, Reply, Request, RunningCall};
use tokio::sync::mpsc;

use crate::api::{HttpError, post_knock};
use crate::call::{
    Call, INPUTS_MAX, Input, InvitationRefused, Outgoing, Visit, VisitedBy, answer, visit,
};
use crate::chance;
use crate::home::{Person, Trust};
use crate::server::Server;
use crate::session::{Events, OpenError, RequestError, Session, SessionEvent};
use crate::time::now;

/// Why nobody knocks.
#[derive(Debug, thiserror::Error)]
pub enum KnockError {
    #[error(transparent)]
    Link(#[from] NotALink),
    /// The name has not 1 to 40 characters.
    #[error("this can't be the name of a guest: {0}")]
    Name(#[from] CredentialError),
    #[error(transparent)]
    Http(#[from] HttpError),
    #[error(transparent)]
    Open(#[from] OpenError),
}

/// Why a guest does not come in.
#[derive(Debug, thiserror::Error)]
pub enum NotLetIn {
    /// The link's maker, the link's end, or the clock.
    #[error("not let in: {0:?}")]
    Refused(GuestRefusal),
    /// The session is over, and why.
    #[error("{0}")]
    Ended(ApiError),
    #[error("the client went down")]
    Gone,
    /// The call can't be joined from here.
    #[error(transparent)]
    Call(#[from] InvitationRefused),
}

/// A guest who has knocked and waits. Dropping it leaves.
pub struct Waiting {
    link: GuestLink,
    visit: Arc<Visit>,
    news: Events,
}

/// Knocks at a call link: `link` is its address, or the part from the hash on. The key is made here, and
/// gone with the visit.
///
/// # Errors
/// When the text is no call link, the name can't be one, or the server refuses.
pub async fn knock(server: Server, link: &str, name: &str) -> Result<Waiting, KnockError> {
    let link = GuestLink::parse(link)?;
    let (key, at) = (chance::private_key(), now());
    let chain = guest_chain(&key, name, at);
    let credential = Credential::new(key, chain.clone(), at)?;
    let proof = link.secret.proof(link.link, credential.identity().genesis);
    let knock = Knock {
        link: link.link,
        chain: Blob(chain.encode()),
        proof: Blob(proof.to_vec()),
    };
    let knocked = post_knock(&server, &knock).await?;
    let (session, news) = Session::open(server, knocked.token).await?;
    let visit = Visit {
        session,
        credential,
    };
    Ok(Waiting {
        link,
        visit: Arc::new(visit),
        news,
    })
}

impl Waiting {
    /// Waits to be let in, and answers at once: whoever knocks wants to come in. An invitation of any
    /// other household than the link's is refused, whoever hands it over.
    ///
    /// # Errors
    /// When the guest is sent away, the session ends, or the call can't be joined.
    pub async fn let_in(mut self, with: Outgoing) -> Result<Call, NotLetIn> {
        loop {
            let event = match self.news.recv().await.ok_or(NotLetIn::Gone)? {
                SessionEvent::Event(event) => *event,
                SessionEvent::Ended(error) => return Err(NotLetIn::Ended(error)),
                SessionEvent::Connected { .. } | SessionEvent::Lost => continue,
            };
            match event {
                Event::GuestRefused { reason } => return Err(NotLetIn::Refused(reason)),
                Event::IncomingCall {
                    call,
                    video,
                    invitation,
                    ..
                } => match self.check(call, &invitation) {
                    Some(by) => return self.join((call, video), by, with).await,
                    None => self.refuse(call).await,
                },
                _ => {}
            }
        }
    }

    /// Who lets in, if the invitation is for this guest and by the household that the link names.
    fn check(&self, call: CallId, invitation: &Blob) -> Option<VisitedBy> {
        let signed = Signed::decode(&invitation.0).ok()?;
        let own = self.visit.device().to_string();
        let opened = CallInvitation::open(&signed, call, &[own.as_str()], now());
        let (invitation, caller) = opened.ok()?;
        if !self.link.is_from(&caller) {
            return None;
        }
        let party = Person {
            name: invitation.display_name,
            handle: String::new(),
            // The link came from them, and with it their household's fingerprint.
            trust: Trust::Verified,
        };
        let households = invitation.households.into_iter();
        Some(VisitedBy {
            party,
            genesis: caller.genesis,
            households: households.collect::<BTreeSet<_>>(),
        })
    }

    async fn refuse(&self, call: CallId) {
        tracing::warn!("an invitation of another household than the link's was refused");
        let refused = Request::RefuseInvitation { call };
        if let Err(error) = self.visit.session.done(refused).await {
            tracing::info!(%error, "the refusal was not taken");
        }
    }

    async fn join(
        self,
        (call, video): (CallId, bool),
        by: VisitedBy,
        with: Outgoing,
    ) -> Result<Call, NotLetIn> {
        let (inputs, taken) = mpsc::channel(INPUTS_MAX);
        let joined = visit(self.visit.clone(), by, (call, video), taken).await?;
        tokio::spawn(forward(self.news, self.visit, call, inputs));
        Ok(answer(joined, with).await)
    }
}

/// Events of the session to the call, until the call takes no more.
async fn forward(mut news: Events, visit: Arc<Visit>, call: CallId, inputs: mpsc::Sender<Input>) {
    while let Some(event) = news.recv().await {
        let input = match event {
            SessionEvent::Event(event) => Input::Event(event),
            SessionEvent::Connected { resumed: false, .. } => {
                let Ok(running) = running(&visit.session).await else {
                    continue;
                };
                let running = running.iter().any(|one| one.call == call && one.here);
                Input::SessionAnew { running }
            }
            SessionEvent::Connected { .. } | SessionEvent::Lost => continue,
            SessionEvent::Ended(_) => Input::SessionAnew { running: false },
        };
        if inputs.send(input).await.is_err() {
            return;
        }
    }
}

async fn running(session: &Session) -> Result<Vec<RunningCall>, RequestError> {
    match session.request(Request::ListCalls).await? {
        Reply::Calls { calls } => Ok(calls),
        _ => Err(RequestError::WrongReply),
    }
}
