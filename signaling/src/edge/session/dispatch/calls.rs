//! Calls: beginning one, what runs and ran, and everything inside one.

use homeline_protocol::session::{Reply, Request};

use super::{Answer, Services, misplaced};
use crate::domain::calls::{Act, ActReply, NewCall, Offer};
use crate::domain::keys::SentCommit;
use crate::model::Speaker;

pub(super) async fn calls(services: &Services, speaker: &Speaker, request: Request) -> Answer {
    let calls = &services.calls;
    match request {
        Request::StartCall {
            call,
            to,
            video,
            invitation,
        } => {
            let new = NewCall {
                call,
                to,
                video,
                invitation,
            };
            calls.call(speaker, new).await?;
            Ok(Reply::Done)
        }
        Request::ListCalls => Ok(Reply::Calls {
            calls: calls.list(speaker),
        }),
        Request::ListHistory { before_ms, limit } => {
            let calls = calls
                .history()
                .list(speaker.account, before_ms, limit)
                .await?;
            Ok(Reply::History { calls })
        }
        _ => Err(misplaced()),
    }
}

pub(super) async fn in_call(services: &Services, speaker: &Speaker, request: Request) -> Answer {
    let (call, act) = match request {
        Request::Ringing {
            call,
            key_package,
            statement,
        } => (
            call,
            Act::Ringing {
                key_package,
                statement,
            },
        ),
        Request::RefuseInvitation { call } => (call, Act::RefuseInvitation),
        Request::Answer { call, media } => (call, Act::Answer { media }),
        Request::Decline { call } => (call, Act::Decline),
        Request::Cancel { call } => (call, Act::Cancel),
        Request::HangUp { call, reason } => (call, Act::HangUp { reason }),
        Request::SetMedia { call, media } => (call, Act::SetMedia { media }),
        Request::SetViews { call, views } => (call, Act::SetViews(views)),
        Request::OfferMedia {
            call,
            sdp,
            publish,
            subscribe,
        } => (
            call,
            Act::Offer(Offer {
                sdp,
                publish,
                subscribe,
            }),
        ),
        Request::GetQuality { call } => (call, Act::Quality),
        Request::SendCommit {
            call,
            epoch,
            commit,
            welcome,
            removed,
        } => (
            call,
            Act::Commit(SentCommit {
                epoch,
                commit,
                welcome,
                removed,
            }),
        ),
        Request::EpochReady { call, epoch } => (call, Act::EpochReady { epoch }),
        Request::SendGroupMessage { call, message } => (call, Act::GroupMessage { message }),
        _ => return Err(misplaced()),
    };
    Ok(match services.calls.act(speaker, call, act).await? {
        ActReply::Done => Reply::Done,
        ActReply::Media { sdp, tracks } => Reply::MediaAnswer { sdp, tracks },
        ActReply::Quality(quality) => Reply::Quality(quality),
    })
}
