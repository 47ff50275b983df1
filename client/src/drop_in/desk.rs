//! The task behind drop-ins on this device: it takes grants, judges who asks, and carries out what the
//! target's machine says. Nothing opens but by its `Open`, and everything shuts with its `Close`.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use homeline_e2ee::certificate::Kind;
use homeline_e2ee::drop_in::ledger::{EndedBy, What};
use homeline_e2ee::drop_in::{FROSTED_MS, Target, TargetInput};
use homeline_e2ee::time::UnixMs;
use homeline_protocol::id::CallId;
use homeline_protocol::session::{DropInGrant, DropInRefusal, EndReason, Event, Request};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::AbortHandle;

use super::asked::{AskedEvent, named};
use super::book::Book;
use super::courier::Courier;
use super::running::{News, Running, news};
use super::visit::VisitEvent;
use crate::call::{CallEvent, Outgoing};
use crate::client::{ClientEvent, Shared};
use crate::store::StoreError;
use crate::time::now;

/// Things that may wait for the desk; whoever sends more waits.
const INPUTS_MAX: usize = 64;

/// Whether a drop-in may go on is asked this often while it does: hours end without an event.
const LOOK_EVERY_MS: u64 = 2_000;

pub(crate) enum DeskInput {
    /// A new session: all grants that the household has now. What was held and is not shown stays held.
    Home(Vec<DropInGrant>),
    Event(Box<Event>),
    /// Something of the household changed.
    Household,
    /// What somebody at the device wants.
    Visit {
        call: CallId,
        said: Said,
    },
    Switch {
        off: bool,
        /// Whether it is stored, and so outlives a restart.
        done: oneshot::Sender<bool>,
    },
    EveryoneOut {
        done: oneshot::Sender<bool>,
    },
    IsOff(oneshot::Sender<bool>),
    Frosted(Duration),
    /// The client is over.
    Stop,
}

pub(crate) enum Said {
    Signalled(Box<Outgoing>),
    NotSignalled,
    Yes,
    No,
    Hush(bool),
    Microphone(bool),
    Camera(bool),
    End,
}

pub(super) struct Desk {
    pub(super) shared: Arc<Shared>,
    pub(super) book: Arc<Book>,
    pub(super) events: mpsc::Sender<ClientEvent>,
    inputs: mpsc::Receiver<DeskInput>,
    pub(super) own: mpsc::Sender<DeskInput>,
    sessions: watch::Sender<u32>,
    pub(super) target: Target,
    /// The one who drops in, while the target is not idle.
    pub(super) running: Option<Running>,
    pub(super) frosted_ms: u64,
    looked_at: UnixMs,
    courier: AbortHandle,
}

/// Begins the desk, if this is a home device: nothing else is ever dropped in on.
pub(crate) fn begin(
    shared: &Arc<Shared>,
    path: Option<&Path>,
    events: &mpsc::Sender<ClientEvent>,
) -> Result<(), StoreError> {
    let book = {
        let state = shared.state();
        let key = state.identity.device_key.public();
        let device = state.household.roster().devices().get(&key);
        if device.is_none_or(|device| device.kind != Kind::HomeDevice) {
            return Ok(());
        }
        Arc::new(Book::open(&state.identity, path)?)
    };
    let (own, inputs) = mpsc::channel(INPUTS_MAX);
    let (sessions, renewed) = watch::channel(0);
    let courier = Courier {
        book: book.clone(),
        session: shared.session().clone(),
        sessions: renewed,
        events: events.clone(),
    };
    let desk = Desk {
        shared: shared.clone(),
        book,
        events: events.clone(),
        inputs,
        own: own.clone(),
        sessions,
        target: Target::Idle,
        running: None,
        frosted_ms: FROSTED_MS,
        looked_at: UnixMs(0),
        courier: tokio::spawn(courier.run()).abort_handle(),
    };
    shared.set_desk(own);
    tokio::spawn(desk.run());
    Ok(())
}

impl Desk {
    async fn run(mut self) {
        loop {
            tokio::select! {
                input = self.inputs.recv() => match input {
                    Some(DeskInput::Stop) | None => break,
                    Some(input) => self.take(input).await,
                },
                news = news(&mut self.running) => match news {
                    News::Call(event) => self.call_event(event).await,
                    News::Dropped => self.dropped().await,
                },
                () = wake(&self.target, self.looked_at) => self.woken().await,
            }
        }
        self.input(TargetInput::Over(EndedBy::Connection)).await;
        self.courier.abort();
    }

    async fn take(&mut self, input: DeskInput) {
        match input {
            DeskInput::Home(grants) => {
                self.not_yet_open().await;
                let roster = self.shared.state().household.roster().clone();
                for grant in grants {
                    self.book.take(&grant.statement.0, &roster, false);
                }
                self.changed().await;
                self.sessions
                    .send_modify(|sessions| *sessions = sessions.wrapping_add(1));
                self.tell_switch().await;
            }
            DeskInput::Event(event) => self.event(*event).await,
            DeskInput::Household => {
                self.tell_switch().await;
                self.look().await;
            }
            DeskInput::Visit { call, said } => {
                if self.runs(call) {
                    self.said(said).await;
                }
            }
            DeskInput::Switch { off, done } => {
                let stored = self.switch(off).await;
                done.send(stored).ok();
            }
            DeskInput::EveryoneOut { done } => {
                self.book.kept().held.everyone_out(now());
                self.book.write(What::PutOut);
                let stored = self.changed().await;
                done.send(stored).ok();
            }
            DeskInput::IsOff(is_off) => {
                let off = self.book.kept().held.off || self.is_off_in_household();
                is_off.send(off).ok();
            }
            DeskInput::Frosted(time) => {
                self.frosted_ms = u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
            }
            DeskInput::Stop => {}
        }
    }

    async fn event(&mut self, event: Event) {
        match event {
            Event::DropInAsked {
                call,
                from,
                picture,
                asking,
                key_package,
                grant,
                ..
            } => {
                let asked = AskedEvent {
                    call,
                    from,
                    picture,
                    asking,
                    key_package,
                    grant,
                };
                self.asked(asked).await;
            }
            Event::DropInGrantPut(grant) => {
                let roster = self.shared.state().household.roster().clone();
                self.book.take(&grant.statement.0, &roster, true);
                self.changed().await;
            }
            Event::DropInGrantEnded { grant } => {
                self.book.kept().held.forget(grant);
                self.changed().await;
            }
            Event::DropInEnded { call } if self.runs(call) => {
                self.input(TargetInput::Over(EndedBy::Initiator)).await;
            }
            _ => {}
        }
    }

    /// With a new session the server knows nothing of what was asked before. What is open is told by its call.
    async fn not_yet_open(&mut self) {
        if matches!(self.target, Target::Signalling { .. }) {
            self.lost(EndReason::ServerRestarted).await;
        }
    }

    fn runs(&self, call: CallId) -> bool {
        self.target.live().is_some_and(|live| live.call == call)
    }

    async fn said(&mut self, said: Said) {
        let input = match said {
            Said::Signalled(with) => {
                if let Some(running) = &mut self.running {
                    running.with = Some(with);
                }
                TargetInput::Signalled
            }
            Said::NotSignalled => TargetInput::NotSignalled,
            Said::Yes => TargetInput::Yes,
            Said::No => TargetInput::No,
            Said::Hush(on) => TargetInput::Hush(on),
            Said::End => TargetInput::End,
            Said::Microphone(on) => {
                if let Some(running) = &mut self.running {
                    running.microphone = on;
                    if let Some(open) = &running.call {
                        open.call.mute(!on).await;
                    }
                }
                return;
            }
            Said::Camera(on) => {
                let call = self.running.as_ref().and_then(|one| one.call.as_ref());
                if let Some(call) = call {
                    call.call.video(on).await;
                }
                return;
            }
        };
        self.input(input).await;
    }

    async fn switch(&mut self, off: bool) -> bool {
        let was = std::mem::replace(&mut self.book.kept().held.off, off);
        if was != off {
            self.book.write(What::Switched { on: !off });
        }
        let stored = self.changed().await;
        let device = self.shared.device();
        self.tell(Request::SetDropIn { device, on: !off }).await;
        stored
    }

    /// What was switched off here while there was no server, or is on there all the same.
    async fn tell_switch(&self) {
        let off = self.book.kept().held.off;
        if off && !self.is_off_in_household() {
            let device = self.shared.device();
            self.tell(Request::SetDropIn { device, on: false }).await;
        }
    }

    /// Written down; and whether what runs may go on. What was taken away counts at once; false: it could
    /// not be stored, and is tried again with whatever comes next.
    async fn changed(&mut self) -> bool {
        let stored = self.book.save();
        self.look().await;
        stored
    }

    async fn call_event(&mut self, event: Option<CallEvent>) {
        match event {
            Some(CallEvent::Ended(EndReason::HungUp)) => {
                // The server ends in the same word what may not go on; the ledger says it as it is.
                self.look().await;
                self.input(TargetInput::Over(EndedBy::Initiator)).await;
            }
            Some(CallEvent::Ended(reason)) => self.lost(reason).await,
            None => self.lost(EndReason::DeviceLost).await,
            Some(event) => {
                if let Some(running) = &self.running {
                    running.tell(VisitEvent::Call(event));
                }
            }
        }
    }

    async fn lost(&mut self, reason: EndReason) {
        if let Some(running) = &self.running {
            running.tell(VisitEvent::Lost(reason));
        }
        self.input(TargetInput::Over(EndedBy::Connection)).await;
    }

    /// The program let go of it, or never took it.
    async fn dropped(&mut self) {
        let input = match self.target {
            Target::Signalling { .. } => TargetInput::NotSignalled,
            _ => TargetInput::End,
        };
        self.input(input).await;
    }

    async fn woken(&mut self) {
        self.book.save_what_was_not();
        self.input(TargetInput::Tick).await;
        self.look().await;
    }

    /// Whether what runs may go on: by the newest revision of the grant that it goes by. Without that
    /// grant, another one that lets them begin is no reason to go on; nor is sound where the picture was
    /// taken back.
    async fn look(&mut self) {
        self.looked_at = now();
        let (Some(live), Some(running)) = (self.target.live().copied(), &self.running) else {
            return;
        };
        let permit = live.permit;
        let statement = self.book.kept().held.statements.get(&permit.grant).cloned();
        let refusal = match statement {
            None => Some(DropInRefusal::NoGrant),
            Some(_) if self.is_off_in_household() => Some(DropInRefusal::Off),
            Some(shown) => match self.verdict(&running.chain, permit.picture, &shown) {
                Err(refusal) => Some(named(refusal)),
                Ok(now) => (now.picture != permit.picture).then_some(DropInRefusal::SoundOnly),
            },
        };
        if let Some(refusal) = refusal {
            let by = match refusal {
                DropInRefusal::EndedHere | DropInRefusal::Off => EndedBy::EveryonePutOut,
                _ => EndedBy::Grant,
            };
            self.input(TargetInput::Ends { refusal, by }).await;
        }
    }

    pub(super) async fn tell(&self, request: Request) {
        if let Ok(reply) = self.shared.session().begin(request).await {
            tokio::spawn(async move {
                if let Err(error) = reply.await {
                    tracing::info!(%error, "a request about a drop-in was refused");
                }
            });
        }
    }
}

/// When the machine wants to be woken, or it is time to look whether it may go on.
fn wake(target: &Target, looked_at: UnixMs) -> impl Future<Output = ()> + use<> {
    let due = target
        .deadline()
        .map(|deadline| deadline.min(looked_at.plus(LOOK_EVERY_MS)));
    async move {
        match due {
            Some(due) => tokio::time::sleep(Duration::from_millis(due.since(now()))).await,
            None => std::future::pending().await,
        }
    }
}
