//! A drop-in at the device that is heard, as a machine: what may open when. Pure, and told the time.
//!
//! Nothing opens before the tone has played to its end and the light is on: only `Signalled` leads to
//! `Open`. After `Close` no input leads back. Its twin is app/src/e2ee/identity/drop_in_target.ts.

use homeline_protocol::id::CallId;
use homeline_protocol::session::{DropInRefusal, DropInStage};

use super::grant::Opening;
use super::judge::Permit;
use super::ledger::EndedBy;
use crate::time::UnixMs;

/// How long somebody at the device has for yes or no.
pub const KNOCK_MS: u64 = 20_000;
/// How long the picture is frosted, where nothing else is set.
pub const FROSTED_MS: u64 = 10_000;
pub const FROSTED_MS_MIN: u64 = 5_000;
pub const FROSTED_MS_MAX: u64 = 30_000;
/// A long drop-in is heard again.
pub const REMIND_EVERY_MS: u64 = 5 * 60 * 1000;
/// Tone and light take a second; a device that could not give them by then says so itself, or hangs.
pub const SIGNAL_MS_MAX: u64 = 6_000;

/// A drop-in that was permitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Live {
    pub call: CallId,
    pub permit: Permit,
    /// Whether the initiator is of the own household, which may be shown at once where the device is set so.
    pub own: bool,
    /// Whether a picture is granted, wished for, and there.
    pub picture: bool,
    /// How long it is to be frosted, as the device is set.
    pub frosted_ms: u64,
}

/// Where a drop-in stands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Target {
    #[default]
    Idle,
    /// Tone and light.
    Signalling {
        live: Live,
        until: UnixMs,
    },
    Knocking {
        live: Live,
        until: UnixMs,
    },
    Open {
        live: Live,
        /// Until then the picture is frosted; none where it is clear, or there is no picture.
        clears_at: Option<UnixMs>,
        hushed: bool,
        reminds_at: UnixMs,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TargetInput {
    /// `judge` let it begin. Ignored while another one runs.
    Permitted(Live),
    /// The tone has played to its end, and the light is on.
    Signalled,
    /// Tone or light could not be given.
    NotSignalled,
    Yes,
    No,
    /// One press hushes it, another one ends that.
    Hush(bool),
    /// One press at the device.
    End,
    /// The other side or the server ended it, or the connection is gone.
    Over(EndedBy),
    /// It may not go on: the grant ended, drop-in was switched off, or everyone was put out.
    Ends {
        refusal: DropInRefusal,
        by: EndedBy,
    },
    Tick,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TargetOutput {
    /// Play the tone to its end and light the indicator; then say `Signalled`.
    Signal,
    /// Now, and only now: the group, and microphone and camera as the stage says. `frosted`: what is sent of
    /// the picture.
    Open { stage: DropInStage, frosted: bool },
    /// It goes on otherwise.
    Stage { stage: DropInStage, frosted: bool },
    /// Before it opened, or while it knocked.
    Refuse(DropInRefusal),
    /// Forget the group, close everything, put the light out.
    Close(EndedBy),
    /// The soft tone of a long drop-in.
    Remind,
}

impl Target {
    /// The drop-in that runs.
    #[must_use]
    pub fn live(&self) -> Option<&Live> {
        match self {
            Self::Idle => None,
            Self::Signalling { live, .. }
            | Self::Knocking { live, .. }
            | Self::Open { live, .. } => Some(live),
        }
    }

    /// When to `step` with `Tick`.
    #[must_use]
    pub fn deadline(&self) -> Option<UnixMs> {
        match *self {
            Self::Idle => None,
            Self::Signalling { until, .. } | Self::Knocking { until, .. } => Some(until),
            Self::Open {
                clears_at,
                reminds_at,
                ..
            } => Some(clears_at.map_or(reminds_at, |at| at.min(reminds_at))),
        }
    }

    /// Takes an input and says what is to be done, in this order.
    pub fn step(&mut self, now: UnixMs, input: TargetInput) -> Vec<TargetOutput> {
        let (next, outputs) = self.next(now, input);
        *self = next;
        outputs
    }

    fn next(self, now: UnixMs, input: TargetInput) -> (Self, Vec<TargetOutput>) {
        match (self, input) {
            (Self::Idle, TargetInput::Permitted(live)) => {
                let until = now.plus(SIGNAL_MS_MAX);
                (Self::Signalling { live, until }, vec![TargetOutput::Signal])
            }
            (Self::Idle, _) | (_, TargetInput::Permitted(_)) => (self, vec![]),
            (_, TargetInput::Over(by)) => closed(by),
            // Before somebody was let in, the initiator hears why; afterwards it just ends.
            (Self::Open { .. }, TargetInput::Ends { by, .. }) => closed(by),
            (_, TargetInput::Ends { refusal, by }) => refused(refusal, by),
            (Self::Open { .. }, TargetInput::End) => closed(EndedBy::Target),
            (_, TargetInput::End) => refused(DropInRefusal::TurnedAway, EndedBy::Target),
            (Self::Signalling { live, until }, _) => self.signalling(now, input, live, until),
            (Self::Knocking { live, until }, _) => self.knocking(now, input, live, until),
            (Self::Open { .. }, _) => self.open(now, input),
        }
    }

    fn signalling(
        self,
        now: UnixMs,
        input: TargetInput,
        live: Live,
        until: UnixMs,
    ) -> (Self, Vec<TargetOutput>) {
        // Late is too late, whatever comes.
        if now >= until {
            return refused(DropInRefusal::NoSignal, EndedBy::Target);
        }
        match input {
            TargetInput::NotSignalled => refused(DropInRefusal::NoSignal, EndedBy::Target),
            TargetInput::Signalled if live.permit.opening == Opening::AtOnce => {
                let next = opened(now, live);
                let (stage, frosted) = next.stage();
                (next, vec![TargetOutput::Open { stage, frosted }])
            }
            TargetInput::Signalled => {
                let until = now.plus(KNOCK_MS);
                let open = TargetOutput::Open {
                    stage: DropInStage::Knocking,
                    frosted: true,
                };
                (Self::Knocking { live, until }, vec![open])
            }
            _ => (self, vec![]),
        }
    }

    fn knocking(
        self,
        now: UnixMs,
        input: TargetInput,
        live: Live,
        until: UnixMs,
    ) -> (Self, Vec<TargetOutput>) {
        let opens = match input {
            TargetInput::No => false,
            _ if now >= until => live.permit.opening == Opening::KnockUnlessNo,
            TargetInput::Yes => true,
            _ => return (self, vec![]),
        };
        if !opens {
            return refused(DropInRefusal::TurnedAway, EndedBy::Target);
        }
        let next = opened(now, live);
        let (stage, frosted) = next.stage();
        (next, vec![TargetOutput::Stage { stage, frosted }])
    }

    fn open(mut self, now: UnixMs, input: TargetInput) -> (Self, Vec<TargetOutput>) {
        let Self::Open {
            clears_at,
            hushed,
            reminds_at,
            ..
        } = &mut self
        else {
            return (self, vec![]);
        };
        let (mut changed, mut reminds) = (false, false);
        match input {
            TargetInput::Hush(on) => {
                changed = *hushed != on;
                *hushed = on;
            }
            TargetInput::Tick => {
                if clears_at.is_some_and(|at| now >= at) {
                    *clears_at = None;
                    changed = true;
                }
                if now >= *reminds_at {
                    *reminds_at = now.plus(REMIND_EVERY_MS);
                    reminds = true;
                }
            }
            _ => {}
        }
        let mut outputs = vec![];
        if changed {
            let (stage, frosted) = self.stage();
            outputs.push(TargetOutput::Stage { stage, frosted });
        }
        if reminds {
            outputs.push(TargetOutput::Remind);
        }
        (self, outputs)
    }

    /// What the other side hears and sees, and whether what is sent of the picture is frosted.
    fn stage(&self) -> (DropInStage, bool) {
        match *self {
            Self::Open {
                clears_at, hushed, ..
            } => {
                let frosted = clears_at.is_some();
                let stage = match (hushed, frosted) {
                    (true, _) => DropInStage::Hushed,
                    (false, true) => DropInStage::Frosted,
                    (false, false) => DropInStage::Clear,
                };
                (stage, frosted)
            }
            Self::Idle | Self::Signalling { .. } | Self::Knocking { .. } => {
                (DropInStage::Knocking, true)
            }
        }
    }
}

/// How long the picture is frosted: never shorter than five seconds for another household.
#[must_use]
pub fn frosted_for(wished_ms: u64, own: bool) -> u64 {
    if own && wished_ms == 0 {
        return 0;
    }
    wished_ms.clamp(FROSTED_MS_MIN, FROSTED_MS_MAX)
}

fn opened(now: UnixMs, live: Live) -> Target {
    let frosted = match live.picture {
        true => frosted_for(live.frosted_ms, live.own),
        false => 0,
    };
    Target::Open {
        live,
        clears_at: (frosted > 0).then(|| now.plus(frosted)),
        hushed: false,
        reminds_at: now.plus(REMIND_EVERY_MS),
    }
}

fn refused(refusal: DropInRefusal, by: EndedBy) -> (Target, Vec<TargetOutput>) {
    let outputs = vec![TargetOutput::Refuse(refusal), TargetOutput::Close(by)];
    (Target::Idle, outputs)
}

fn closed(by: EndedBy) -> (Target, Vec<TargetOutput>) {
    (Target::Idle, vec![TargetOutput::Close(by)])
}
