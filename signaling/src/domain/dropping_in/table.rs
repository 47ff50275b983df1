//! Which drop-ins are asked for and which go on, and what each word leads to. Pure, and told the time.
//!
//! One that is asked for ends in one of three ways: its target opens it, its target refuses it, or its time
//! passes. Somebody of another household can't tell the last two apart, unless somebody there said no.

use std::collections::{HashMap, VecDeque};
use std::time::Instant;

use homeline_protocol::Blob;
use homeline_protocol::id::{AccountId, CallId, DeviceId, HouseholdId};
use homeline_protocol::session::{Callee, DropInRefusal, DropInStage, Event};

use super::rules::told;
use super::{AskError, TargetError};

/// Drop-ins that are asked for or go on at once. Further ones are refused with `limit_reached`.
const DROP_INS_MAX: usize = 1_024;
/// Of one target, asked for and not decided. Further ones find nobody.
const OF_ONE_TARGET_MAX: usize = 4;
/// Remembered after their end, so that a late word hears that it is late. The oldest is forgotten first.
const RECENT_MAX: usize = 1_024;

/// Something to tell a device.
pub(super) type Told = (DeviceId, Event);

/// All drop-ins.
#[derive(Debug, Default)]
pub(super) struct Table {
    asked: HashMap<CallId, Asked>,
    running: HashMap<CallId, Running>,
    recent: VecDeque<(CallId, DeviceId, Option<DeviceId>)>,
    /// Changes when grants, limits or blocks have: what was decided before is to be decided anew.
    decisions: u64,
}

/// Who drops in on whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pair {
    pub(super) account: AccountId,
    pub(super) device: DeviceId,
    pub(super) household: Option<HouseholdId>,
    /// As they asked for it.
    pub(super) to: Callee,
    /// The device chosen; nobody's if there is none that may be told.
    pub(super) target: Option<DeviceId>,
    /// Whether both are of one household.
    pub(super) family: bool,
}

/// A drop-in that nobody has decided about.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    pub(super) pair: Pair,
    pub(super) picture: bool,
    pub(super) asking: Blob,
    pub(super) key_package: Blob,
    /// Until then the target may decide.
    pub(super) until: Instant,
    /// The target has refused, which somebody of another household is not told yet.
    pub(super) refused: bool,
}

/// A drop-in that goes on.
#[derive(Debug, Clone)]
struct Running {
    pair: Pair,
    stage: DropInStage,
    /// Somebody there said no, and its call ends.
    refused: bool,
}

/// What became of asking.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Added {
    /// The target is to be told, if there is one.
    New(Option<DeviceId>),
    /// It is asked for already.
    Repeated,
}

/// What became of a refusal.
#[derive(Debug, PartialEq)]
pub(super) enum Refused {
    /// Nothing more is to be done.
    Done(Vec<Told>),
    /// The knock goes on as a call, which is to end.
    EndCall(Vec<Told>),
}

impl Table {
    /// Which grants and limits hold now; compared after a decision, whether it still holds.
    pub(super) fn decisions(&self) -> u64 {
        self.decisions
    }

    /// Grants, limits or blocks have changed.
    pub(super) fn decide_anew(&mut self) {
        self.decisions += 1;
    }

    /// Whether a request was repeated, or can't be carried out whoever is meant.
    pub(super) fn known(
        &self,
        call: CallId,
        device: DeviceId,
        to: &Callee,
    ) -> Result<Option<Added>, AskError> {
        let asked = self.asked.get(&call).map(|one| &one.pair);
        let running = self.running.get(&call).map(|one| &one.pair);
        if let Some(pair) = asked.or(running) {
            return if pair.device == device && pair.to == *to {
                Ok(Some(Added::Repeated))
            } else {
                Err(AskError::IdTaken)
            };
        }
        if let Some((_, whose, _)) = self.recent.iter().find(|one| one.0 == call) {
            return Err(if *whose == device {
                AskError::Over
            } else {
                AskError::IdTaken
            });
        }
        if self.pairs().any(|(_, pair)| pair.device == device) {
            return Err(AskError::AlreadyInCall);
        }
        if self.asked.len() + self.running.len() >= DROP_INS_MAX {
            return Err(AskError::Full);
        }
        Ok(None)
    }

    /// Somebody asks.
    pub(super) fn ask(&mut self, call: CallId, mut asked: Asked) -> Result<Added, AskError> {
        let pair = &asked.pair;
        if let Some(added) = self.known(call, pair.device, &pair.to)? {
            return Ok(added);
        }
        let waiting = self.asked.values();
        let theirs = |one: &&Asked| one.pair.target == pair.target && !one.refused;
        if waiting.filter(theirs).count() >= OF_ONE_TARGET_MAX {
            asked.pair.target = None;
        }
        let target = asked.pair.target;
        self.asked.insert(call, asked);
        Ok(Added::New(target))
    }

    /// What a target that wants to open has been asked.
    pub(super) fn asked(&self, call: CallId, target: DeviceId) -> Result<&Asked, TargetError> {
        let asked = self.asked.get(&call);
        if let Some(asked) = asked.filter(|one| one.pair.target == Some(target)) {
            return if asked.refused {
                Err(TargetError::Over)
            } else {
                Ok(asked)
            };
        }
        Err(self.why_not(call, target))
    }

    /// Whether this target has opened it already.
    pub(super) fn is_open(&self, call: CallId, target: DeviceId) -> bool {
        let running = self.running.get(&call);
        running.is_some_and(|one| one.pair.target == Some(target))
    }

    /// Its target has opened it.
    pub(super) fn opened(&mut self, call: CallId, stage: DropInStage) {
        if let Some(Asked { pair, .. }) = self.asked.remove(&call) {
            let running = Running {
                pair,
                stage,
                refused: false,
            };
            self.running.insert(call, running);
        }
    }

    /// The target refuses.
    pub(super) fn refuse(
        &mut self,
        call: CallId,
        target: DeviceId,
        refusal: DropInRefusal,
    ) -> Result<Refused, TargetError> {
        if let Some(asked) = self.asked.get_mut(&call) {
            if asked.pair.target != Some(target) {
                return Err(TargetError::NotFound);
            }
            let at_once = asked.pair.family || refusal == DropInRefusal::TurnedAway;
            if !at_once || asked.refused {
                asked.refused = true;
                return Ok(Refused::Done(Vec::new()));
            }
            let told = self.end_asked(call, refusal);
            return Ok(Refused::Done(told.into_iter().collect()));
        }
        if let Some(running) = self.running.get_mut(&call) {
            if running.pair.target != Some(target) {
                return Err(TargetError::NotFound);
            }
            if std::mem::replace(&mut running.refused, running.stage == DropInStage::Knocking) {
                return Ok(Refused::Done(Vec::new()));
            }
            if running.stage != DropInStage::Knocking {
                return Err(TargetError::NotNow("it has opened; hang up instead"));
            }
            return Ok(Refused::EndCall(vec![refused(
                call,
                &running.pair,
                refusal,
            )]));
        }
        match self.why_not(call, target) {
            // Said twice, or of one whose time had passed.
            TargetError::Over => Ok(Refused::Done(Vec::new())),
            error => Err(error),
        }
    }

    /// The target says how it goes on.
    pub(super) fn set_stage(
        &mut self,
        call: CallId,
        target: DeviceId,
        stage: DropInStage,
    ) -> Result<Option<Told>, TargetError> {
        let Some(running) = self.running.get_mut(&call) else {
            let early = self.asked(call, target).is_ok();
            return Err(if early {
                TargetError::NotNow("open it first")
            } else {
                self.why_not(call, target)
            });
        };
        if running.pair.target != Some(target) {
            return Err(TargetError::NotFound);
        }
        if running.stage == stage {
            return Ok(None);
        }
        if stage == DropInStage::Knocking {
            return Err(TargetError::NotNow("it knocks only at its beginning"));
        }
        running.stage = stage;
        let event = Event::DropInStage { call, stage };
        Ok(Some((running.pair.device, event)))
    }

    /// Somebody hangs up. `None` when that is for the call: it goes on, or there never was such a drop-in.
    pub(super) fn hang_up(&mut self, call: CallId, device: DeviceId) -> Option<Vec<Told>> {
        if let Some(asked) = self.asked.get(&call) {
            if asked.pair.target == Some(device) {
                let refused = self.refuse(call, device, DropInRefusal::Unavailable);
                return Some(match refused {
                    Ok(Refused::Done(told)) => told,
                    _ => Vec::new(),
                });
            }
            if asked.pair.device != device {
                return None;
            }
            return Some(self.give_up(call));
        }
        let mut recent = self.recent.iter();
        let theirs = recent.any(|one| one.0 == call && (one.1 == device || one.2 == Some(device)));
        theirs.then(Vec::new)
    }

    /// The asking device knows nothing of what it asked for any more.
    pub(super) fn gone(&mut self, device: DeviceId) -> Vec<Told> {
        let theirs = self.asked.iter().find(|(_, one)| one.pair.device == device);
        let Some(call) = theirs.map(|(call, _)| *call) else {
            return Vec::new();
        };
        self.give_up(call)
    }

    /// The time to decide may have passed.
    pub(super) fn time_up(&mut self, call: CallId, now: Instant) -> Vec<Told> {
        let due = self.asked.get(&call).is_some_and(|one| one.until <= now);
        if !due {
            return Vec::new();
        }
        let mut told = self.target_told_the_end(call);
        told.extend(self.end_asked(call, DropInRefusal::Unavailable));
        told
    }

    /// Whether nobody has said yes or no to it yet.
    pub(super) fn still_knocks(&self, call: CallId) -> bool {
        let running = self.running.get(&call);
        running.is_some_and(|one| one.stage == DropInStage::Knocking && !one.refused)
    }

    /// Who drops in may no more. What is asked for is refused in these words within the household, and looks
    /// like nothing to others; says whether it goes on as a call, which is to end.
    pub(super) fn stop(&mut self, call: CallId, refusal: DropInRefusal) -> (Vec<Told>, bool) {
        let Some(asked) = self.asked.get(&call) else {
            return (Vec::new(), self.running.contains_key(&call));
        };
        let family = asked.pair.family;
        let mut told = self.target_told_the_end(call);
        if family {
            told.extend(self.end_asked(call, refusal));
        } else if let Some(asked) = self.asked.get_mut(&call) {
            asked.pair.target = None;
        }
        (told, false)
    }

    /// Its call is over.
    pub(super) fn over(&mut self, call: CallId) {
        if let Some(running) = self.running.remove(&call) {
            self.remember(call, &running.pair);
        }
    }

    /// All of them.
    pub(super) fn pairs(&self) -> impl Iterator<Item = (CallId, &Pair)> {
        let asked = self.asked.iter().map(|(call, one)| (*call, &one.pair));
        asked.chain(self.running.iter().map(|(call, one)| (*call, &one.pair)))
    }

    fn give_up(&mut self, call: CallId) -> Vec<Told> {
        let told = self.target_told_the_end(call);
        if let Some(asked) = self.asked.remove(&call) {
            self.remember(call, &asked.pair);
        }
        told
    }

    fn end_asked(&mut self, call: CallId, refusal: DropInRefusal) -> Option<Told> {
        let Asked { pair, .. } = self.asked.remove(&call)?;
        self.remember(call, &pair);
        Some(refused(call, &pair, refusal))
    }

    fn target_told_the_end(&self, call: CallId) -> Vec<Told> {
        let asked = self.asked.get(&call).filter(|one| !one.refused);
        let target = asked.and_then(|one| one.pair.target);
        let ended = |target| (target, Event::DropInEnded { call });
        target.map(ended).into_iter().collect()
    }

    fn remember(&mut self, call: CallId, pair: &Pair) {
        if self.recent.len() >= RECENT_MAX {
            self.recent.pop_front();
        }
        self.recent.push_back((call, pair.device, pair.target));
    }

    fn why_not(&self, call: CallId, target: DeviceId) -> TargetError {
        let mut recent = self.recent.iter();
        if recent.any(|one| one.0 == call && one.2 == Some(target)) {
            TargetError::Over
        } else {
            TargetError::NotFound
        }
    }
}

fn refused(call: CallId, pair: &Pair, refusal: DropInRefusal) -> Told {
    let refusal = told(refusal, pair.family);
    (pair.device, Event::DropInRefused { call, refusal })
}
