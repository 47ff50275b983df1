//! A span of a receiver's stream, in which its numbers run in step with the publisher's, and what of each picture
//! it got in it.

use crate::room::layers::Target;

/// Changes between layers that are remembered for packets that come late: all that can happen within two pictures,
/// since a picture is of one target. What is from before them counts as the oldest.
const TURNS_MAX: usize = 4;

/// From one packet of the publisher's on, what the receiver gets.
#[derive(Clone, Copy, Debug)]
struct Turn {
    from: u64,
    target: Option<Target>,
}

/// What of an encoding's layers the receiver gets; all of them without a target.
#[derive(Clone, Copy, Debug)]
pub(super) struct Targets {
    /// The newest first.
    turns: [Turn; TURNS_MAX],
}

impl Targets {
    pub(super) const fn new(target: Option<Target>) -> Self {
        let turns = [Turn { from: 0, target }; TURNS_MAX];
        Self { turns }
    }

    pub(super) const fn present(&self) -> Option<Target> {
        self.turns[0].target
    }

    /// What it got when this packet of the publisher's was new.
    pub(super) fn at(&self, index: u64) -> Option<Target> {
        let turn = self.turns.iter().find(|turn| turn.from <= index);
        turn.unwrap_or(&self.turns[TURNS_MAX - 1]).target
    }

    /// It gets this from now on.
    pub(super) fn turn(&mut self, from: u64, target: Option<Target>) {
        if target == self.present() {
            return;
        }
        self.turns.copy_within(..TURNS_MAX - 1, 1);
        self.turns[0] = Turn { from, target };
    }
}

/// See the module's description.
#[derive(Clone, Copy, Debug)]
pub(super) struct Span {
    /// Of these encodings of the publisher's.
    pub(super) encoding: u8,
    pub(super) targets: Targets,
    /// The publisher's index of the first packet, and ours.
    pub(super) from: u64,
    pub(super) to: u64,
    /// Ours minus the publisher's.
    pub(super) timestamp_offset: u32,
    pub(super) frame_offset: u16,
    /// The highest of the publisher's indices that was sent or left out, with its timestamp; `None` before the first.
    pub(super) highest: Option<(u64, u32)>,
    /// The target with which all that was sent and left out of the present picture is in accord, beside the target
    /// that it was sent for.
    pub(super) accords: Option<Target>,
}
