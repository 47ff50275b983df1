//! From the answer to the end: who takes part, and what each of them may do.

use std::collections::{BTreeMap, BTreeSet};

use homeline_protocol::Blob;
use homeline_protocol::id::{AccountId, CallId, DeviceId};
use homeline_protocol::session::{EndReason, Event, MediaState, Participant, Party};

use super::adding::Leg;
use super::call::{Call, State, Step};
use super::moving::Move;
use super::switches::{Table, clamp};
use crate::domain::calls::input::{Act, CallError, Effect, Moment};
use crate::domain::keys::Group;

/// Participants of one call. Adding one more is refused with `limit_reached`; the key group has the
/// same bound.
pub(super) const PARTICIPANTS_MAX: usize = 32;

/// Those who take part, their keys' group, and who is on the way in or out.
#[derive(Debug)]
pub(super) struct Answered {
    /// In the order in which they came.
    pub(super) participants: Vec<Side>,
    /// What lets those into the group who are not in it yet.
    pub(super) joining: BTreeMap<DeviceId, Introduction>,
    /// Pages that were reloaded: they are removed from the group and added again, and stay meanwhile.
    pub(super) returning: BTreeSet<DeviceId>,
    /// Those whose part is over.
    pub(super) left: BTreeSet<DeviceId>,
    pub(super) group: Group,
    /// Whether it has ever had three or more: then whoever hangs up leaves, and the others go on.
    pub(super) grown: bool,
    /// The person who is being added.
    pub(super) leg: Option<Leg>,
    /// Devices that were asked to take a part over.
    pub(super) moves: BTreeMap<DeviceId, Move>,
}

/// One participant.
#[derive(Debug, Clone)]
pub(super) struct Side {
    pub(super) device: DeviceId,
    pub(super) account: AccountId,
    pub(super) party: Party,
    pub(super) media: MediaState,
    /// Whether its session is attached to a connection.
    pub(super) session: bool,
    /// What the others were last told of its connection.
    pub(super) connected: bool,
    /// Who lets it into the group.
    pub(super) host: DeviceId,
}

/// A device's fresh key package, and the statement that binds it to the call.
#[derive(Debug, Clone)]
pub(in crate::domain::calls) struct Introduction {
    pub key_package: Blob,
    pub statement: Blob,
}

impl Answered {
    pub(super) fn side(&self, device: DeviceId) -> Option<&Side> {
        self.participants.iter().find(|side| side.device == device)
    }

    pub(super) fn side_mut(&mut self, device: DeviceId) -> Option<&mut Side> {
        self.participants
            .iter_mut()
            .find(|side| side.device == device)
    }

    /// Those that a participant talks with.
    pub(super) fn others(&self, device: DeviceId) -> Vec<DeviceId> {
        let others = self.participants.iter().map(|side| side.device);
        others.filter(|other| *other != device).collect()
    }

    /// A member who can commit something about `device`: one that is there, rather than not.
    pub(super) fn committer(&self, device: DeviceId) -> Option<DeviceId> {
        let members = || {
            let others = self.participants.iter();
            others.filter(|side| side.device != device && self.group.has(side.device))
        };
        members()
            .find(|side| side.session)
            .or_else(|| members().next())
            .map(|side| side.device)
    }

    /// Why a device that does not take part can't act.
    fn why_not(&self, device: DeviceId, account: AccountId, caller: AccountId) -> CallError {
        let theirs = |side: &Side| side.account == account && account != caller;
        if self.left.contains(&device) {
            CallError::Ended
        } else if self.participants.iter().any(theirs) {
            CallError::AnsweredElsewhere
        } else {
            CallError::NotFound
        }
    }
}

/// Tells a member whom to commit to the group.
pub(super) fn admission(
    call: CallId,
    switches: &Table,
    side: &Side,
    introduction: Introduction,
) -> Event {
    let device = side.device;
    let media = clamp(switches, device, side.media);
    let Introduction {
        key_package,
        statement,
    } = introduction;
    Event::CallAnswered {
        call,
        device,
        media,
        key_package,
        statement,
    }
}

impl Call {
    /// Everybody, with what their switches let them send.
    pub(super) fn shown(&self, answered: &Answered) -> Vec<Participant> {
        answered
            .participants
            .iter()
            .map(|side| Participant {
                device: side.device,
                account: side.account,
                party: side.party.clone(),
                media: self.clamped(side),
            })
            .collect()
    }

    fn clamped(&self, side: &Side) -> MediaState {
        self.clamp(side.device, side.media)
    }

    pub(super) fn act_when_answered(
        &mut self,
        now: Moment,
        device: DeviceId,
        account: AccountId,
        act: Act,
    ) -> Step {
        let State::Answered(answered) = &self.state else {
            return Err(CallError::Ended);
        };
        if answered.side(device).is_some() {
            return self.participant_acts(now, device, act);
        }
        if answered.moves.contains_key(&device) {
            return self.target_acts(device, act);
        }
        if answered.rings_for(device, account) {
            return self.added_acts(now, device, act);
        }
        match act {
            Act::WantHere => self.want_here(device, account),
            _ => {
                let why = answered.why_not(device, account, self.invite.caller.id);
                // Only the callee hears that another device was first.
                Err(match why {
                    CallError::NotFound if self.is_callee(account) => CallError::AnsweredElsewhere,
                    why => why,
                })
            }
        }
    }

    fn participant_acts(&mut self, now: Moment, device: DeviceId, act: Act) -> Step {
        let State::Answered(answered) = &mut self.state else {
            return Err(CallError::Ended);
        };
        match act {
            Act::Ringing {
                key_package,
                statement,
            } => {
                let introduction = Introduction {
                    key_package,
                    statement,
                };
                Ok(self.rejoin(now, device, introduction))
            }
            // Said twice, or cancelled in the moment in which it was answered.
            Act::Answer { .. } => Ok(Vec::new()),
            Act::Cancel => Ok(self.leave(now, device, EndReason::HungUp)),
            Act::HangUp {
                reason:
                    reason @ (EndReason::HungUp | EndReason::EncryptionRefused | EndReason::MediaFailed),
            } => Ok(self.leave(now, device, reason)),
            Act::HangUp { .. } => Err(CallError::Invalid("this is no reason to hang up")),
            Act::SetMedia { media } => {
                if let Some(side) = answered.side_mut(device) {
                    side.media = media;
                }
                Ok(self.tell_participants())
            }
            Act::Commit(sent) => self.commit(now, device, sent),
            Act::EpochReady { epoch } => {
                let effects = answered.group.ready(device, epoch)?;
                Ok(self.key_effects(now, effects))
            }
            Act::GroupMessage { message } => {
                let effects = answered.group.message(device, &message)?;
                Ok(self.key_effects(now, effects))
            }
            Act::Add(adding) => self.add(now, device, *adding),
            Act::CancelAdding => self.cancel_adding(now, device),
            Act::Move(moving) => self.move_to(now, device, *moving),
            Act::EndForEveryone => self.end_for_everyone(now, device),
            Act::Decline | Act::RefuseInvitation => {
                Err(CallError::NotNow("it is answered; hang up instead"))
            }
            Act::WantHere => Err(CallError::NotNow("this device is in the call already")),
            Act::Offer(_) | Act::Quality | Act::SetViews(_) | Act::Hear { .. } => {
                Err(CallError::Internal)
            }
        }
    }

    /// A participant's page was reloaded: it holds nothing any more, joins the group as a new leaf
    /// and connects anew. Somebody else in the group lets it in.
    fn rejoin(&mut self, now: Moment, device: DeviceId, introduction: Introduction) -> Vec<Effect> {
        let call = self.invite.call;
        let mut effects: Vec<_> = self
            .room
            .remove(device)
            .into_iter()
            .map(Effect::Media)
            .collect();
        let State::Answered(answered) = &mut self.state else {
            return effects;
        };
        let Some(side) = answered.side(device).cloned() else {
            return effects;
        };
        let host = Some(side.host).filter(|host| {
            let other = *host != device && answered.side(*host).is_some();
            other && !answered.group.has(device) && answered.group.has(*host)
        });
        if let Some(committer) = host.or_else(|| answered.committer(device)) {
            answered.joining.insert(device, introduction.clone());
            if answered.group.has(device) {
                answered.returning.insert(device);
            }
            effects.push(Effect::Tell(
                committer,
                admission(call, &self.switches, &side, introduction),
            ));
        } else if answered.group.has(device) {
            // The caller was reloaded before it let the others in: it makes the group again.
            let waiting = answered.joining.iter();
            let waiting = waiting.filter_map(|(joiner, introduction)| {
                let joiner = answered.side(*joiner).filter(|_| *joiner != device)?;
                Some(admission(
                    call,
                    &self.switches,
                    joiner,
                    introduction.clone(),
                ))
            });
            effects.extend(waiting.map(|event| Effect::Tell(device, event)));
        }
        for other in answered.others(device) {
            effects.push(self.tracks_told(other));
        }
        effects.extend(self.tell_participants());
        effects.extend(self.weigh_connection(now, device));
        effects.extend(self.pictures_again(device));
        effects
    }

    pub(super) fn tell_participants(&self) -> Vec<Effect> {
        let State::Answered(answered) = &self.state else {
            return Vec::new();
        };
        let call = self.invite.call;
        let told = |side: &Side| {
            let participants = self.shown(answered);
            Effect::Tell(side.device, Event::Participants { call, participants })
        };
        answered.participants.iter().map(told).collect()
    }

    pub(super) fn tracks_told(&self, device: DeviceId) -> Effect {
        let tracks = self.tracks_for(device);
        let call = self.invite.call;
        Effect::Tell(device, Event::Tracks { call, tracks })
    }

    pub(super) fn tell_tracks_unless_none(&self, device: DeviceId) -> Option<Effect> {
        (!self.tracks_for(device).is_empty()).then(|| self.tracks_told(device))
    }
}
