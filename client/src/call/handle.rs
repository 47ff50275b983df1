//! The handles of calls: what a program does with one.

use homeline_e2ee::policy::Mode;
use homeline_protocol::id::{CallId, DeviceId};
use homeline_protocol::session::{Account, EndReason};
use tokio::sync::mpsc;

use super::event::CallEvent;
use super::incoming::answer;
use super::run::Command;
use crate::guest::Knock;
use crate::home::Person;
use crate::media::{Camera, Seen, Sound};

/// What an outgoing call is made with.
pub struct Outgoing {
    pub sound: Sound,
    /// Pictures to send; without, the call is one of sound. Not used where a call of sound is answered.
    pub camera: Option<Camera>,
    /// Where the other side's pictures go.
    pub screen: Option<mpsc::Sender<Seen>>,
}

/// A call that goes on. Dropping it hangs up.
pub struct Call {
    pub(super) id: CallId,
    pub(super) commands: mpsc::Sender<Command>,
    pub(super) events: mpsc::Receiver<CallEvent>,
}

impl Call {
    #[must_use]
    pub fn id(&self) -> CallId {
        self.id
    }

    /// The next thing that happens; `None` after the end.
    pub async fn next(&mut self) -> Option<CallEvent> {
        self.events.recv().await
    }

    /// Waits for the end.
    pub async fn ended(&mut self) -> EndReason {
        loop {
            match self.next().await {
                Some(CallEvent::Ended(reason)) => return reason,
                Some(_) => {}
                // The task ends with `Ended`, unless the whole client went down.
                None => return EndReason::DeviceLost,
            }
        }
    }

    /// Hangs up, or gives up while it rings.
    pub async fn hang_up(&self) {
        self.tell(Command::HangUp).await;
    }

    /// Shuts the microphone, or opens it again.
    pub async fn mute(&self, muted: bool) {
        self.tell(Command::Microphone(!muted)).await;
    }

    /// Switches the own picture off or on; sound goes on.
    pub async fn video(&self, on: bool) {
        self.tell(Command::Camera(on)).await;
    }

    /// Adds a contact by the family's name for them, or anybody by handle. One at a time.
    pub async fn add(&self, to: &str) {
        self.tell(Command::Add(to.to_owned())).await;
    }

    /// Lets a guest into this call who knocks at a call link of this app's. One at a time.
    pub async fn let_in(&self, knock: &Knock) {
        self.tell(Command::LetIn(knock.clone())).await;
    }

    /// Gives up adding.
    pub async fn stop_adding(&self) {
        self.tell(Command::StopAdding).await;
    }

    /// Asks another device of the household to take the call over. It goes on here until that device
    /// is in; then it ends here as `moved`.
    pub async fn move_to(&self, device: DeviceId) {
        self.tell(Command::MoveTo(device)).await;
    }

    /// Ends the call for everyone; only who began it may.
    pub async fn end_for_everyone(&self) {
        self.tell(Command::EndForEveryone).await;
    }

    pub(super) async fn tell(&self, command: Command) {
        // A call that is over needs no command.
        self.commands.send(command).await.ok();
    }
}

/// A call that rings here. Dropping it stops ringing here, and leaves the other devices alone.
pub struct IncomingCall {
    pub(super) call: Call,
    pub(super) from: Person,
    pub(super) to: Account,
    pub(super) video: bool,
    pub(super) mode: Option<Mode>,
}

impl IncomingCall {
    #[must_use]
    pub fn id(&self) -> CallId {
        self.call.id
    }

    /// Who calls: verified against the household that signed the invitation.
    #[must_use]
    pub fn from(&self) -> &Person {
        &self.from
    }

    /// For whom it rings.
    #[must_use]
    pub fn to(&self) -> &Account {
        &self.to
    }

    #[must_use]
    pub fn video(&self) -> bool {
        self.video
    }

    /// Whether the household's signed setting lets this device answer by itself; `None`: it asks.
    #[must_use]
    pub fn mode(&self) -> Option<Mode> {
        self.mode
    }

    /// The next thing that happens while it rings; `Ended` when it rings no more.
    pub async fn next(&mut self) -> Option<CallEvent> {
        self.call.next().await
    }

    /// Answers here.
    pub async fn answer(self, with: Outgoing) -> Call {
        answer(self.call, with).await
    }

    /// Declines for the person: all their devices stop ringing.
    pub async fn decline(mut self) -> EndReason {
        self.call.tell(Command::Decline).await;
        self.call.ended().await
    }
}
