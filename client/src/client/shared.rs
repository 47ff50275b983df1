//! What the tasks of one client share.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use homeline_e2ee::contact::Pin;
use homeline_e2ee::ids;
use homeline_e2ee::key::PublicKey;
use homeline_protocol::id::{CallId, DeviceId};
use homeline_protocol::session::{Event, Request};
use tokio::sync::{mpsc, watch};

use crate::announcements::Hearing;
use crate::call::Input;
use crate::drop_in::DeskInput;
use crate::guest::Knocks;
use crate::home::Household;
use crate::server::Server;
use crate::session::Session;
use crate::store::{Identity, StoreError};

/// Things that may wait for one call's task. A call whose task is stuck holds the client's task up,
/// which in turn leaves the rest with the server.
const CALL_INPUTS_MAX: usize = 256;

pub(crate) struct Shared {
    server: Server,
    session: Session,
    state: Mutex<State>,
    path: Option<PathBuf>,
    calls: watch::Sender<HashMap<CallId, mpsc::Sender<Input>>>,
    adding: Mutex<Option<mpsc::Sender<Event>>>,
    knocks: Mutex<Knocks>,
    hearing: Mutex<Hearing>,
    /// Of a home device.
    desk: OnceLock<mpsc::Sender<DeskInput>>,
    #[cfg(feature = "plaintext-control")]
    control: Mutex<crate::media::Control>,
}

/// Who this client is, and the household as verified.
pub(crate) struct State {
    pub(crate) identity: Identity,
    pub(crate) household: Household,
}

impl State {
    /// The requests by which an adult's app signs anew what somebody signed who was removed, as it was
    /// known while it counted.
    pub(crate) fn orphaned_cards(&self) -> Vec<Request> {
        if !self.household.may_sign(&self.identity) {
            return Vec::new();
        }
        let anew = |card: homeline_e2ee::contact::Contact| {
            let handle = card.handle.parse().ok()?;
            let signed =
                self.household
                    .card(card.id, &card.name, &card.handle, card.pin, &self.identity);
            Some(Request::PutContact {
                contact: card.id,
                name: card.name,
                handle,
                card: signed,
            })
        };
        let orphans = self.household.orphans().into_iter();
        orphans.filter_map(anew).collect()
    }

    /// The request by which an adult's app pins the household met first for a contact without a pin.
    pub(crate) fn first_contact_card(&self, handle: &str, genesis: PublicKey) -> Option<Request> {
        let card = self
            .household
            .contacts()
            .find(|card| card.handle == handle)?;
        if card.pin != Pin::NoneYet || !self.household.may_sign(&self.identity) {
            return None;
        }
        let pin = Pin::Unverified(genesis);
        let signed = self
            .household
            .card(card.id, &card.name, handle, pin, &self.identity);
        let handle = handle.parse().ok()?;
        Some(Request::PutContact {
            contact: card.id,
            name: card.name.clone(),
            handle,
            card: signed,
        })
    }
}

impl Shared {
    pub(super) fn new(
        server: Server,
        session: Session,
        state: State,
        path: Option<PathBuf>,
    ) -> Result<Self, StoreError> {
        let (calls, adding, knocks) = Default::default();
        let hearing = Hearing::open(&state.identity, path.as_deref())?;
        Ok(Self {
            server,
            session,
            state: Mutex::new(state),
            path,
            calls,
            adding,
            knocks,
            hearing: Mutex::new(hearing),
            desk: OnceLock::new(),
            #[cfg(feature = "plaintext-control")]
            control: Mutex::default(),
        })
    }

    pub(crate) fn server(&self) -> &Server {
        &self.server
    }

    pub(crate) fn session(&self) -> &Session {
        &self.session
    }

    /// Never held across an await.
    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }

    /// Who knocks. Never held across an await.
    pub(super) fn knocks(&self) -> MutexGuard<'_, Knocks> {
        lock(&self.knocks)
    }

    /// What is remembered of announcements. Never held across an await.
    pub(crate) fn hearing(&self) -> MutexGuard<'_, Hearing> {
        lock(&self.hearing)
    }

    /// The own device.
    pub(crate) fn device(&self) -> DeviceId {
        ids::device_id(self.state().identity.device_key.public())
    }

    /// The own device's key.
    pub(crate) fn device_key(&self) -> PublicKey {
        self.state().identity.device_key.public()
    }

    /// Writes the identity's pins down. A disk that is full costs the pins' next run, not this call.
    pub(crate) fn save(&self) {
        let Some(path) = &self.path else { return };
        let identity = self.state().identity.clone();
        if let Err(error) = identity.save(path) {
            tracing::error!(%error, "the identity file can't be written");
        }
    }

    pub(crate) fn new_call(&self, call: CallId) -> mpsc::Receiver<Input> {
        let (sender, receiver) = mpsc::channel(CALL_INPUTS_MAX);
        self.calls
            .send_modify(|calls| drop(calls.insert(call, sender)));
        receiver
    }

    pub(crate) fn forget_call(&self, call: CallId) {
        self.calls.send_modify(|calls| drop(calls.remove(&call)));
    }

    /// Returns when no call goes on.
    pub(super) async fn calls_over(&self) {
        let mut calls = self.calls.subscribe();
        // Not an error: the sender lives in `self`.
        calls.wait_for(HashMap::is_empty).await.ok();
    }

    pub(super) fn call(&self, call: CallId) -> Option<mpsc::Sender<Input>> {
        self.calls.borrow().get(&call).cloned()
    }

    pub(super) fn calls(&self) -> Vec<(CallId, mpsc::Sender<Input>)> {
        self.calls
            .borrow()
            .iter()
            .map(|(id, sender)| (*id, sender.clone()))
            .collect()
    }

    pub(crate) fn calls_are_none(&self) -> bool {
        self.calls.borrow().is_empty()
    }

    pub(crate) fn set_desk(&self, desk: mpsc::Sender<DeskInput>) {
        // A client begins one desk.
        self.desk.set(desk).ok();
    }

    /// To whoever decides about drop-ins; nobody does on an app.
    pub(crate) async fn to_desk(&self, input: DeskInput) {
        if let Some(desk) = self.desk.get() {
            desk.send(input).await.ok();
        }
    }

    pub(crate) fn has_desk(&self) -> bool {
        self.desk.get().is_some()
    }

    pub(super) fn adding(&self) -> Option<mpsc::Sender<Event>> {
        lock(&self.adding).clone()
    }

    #[cfg(feature = "plaintext-control")]
    pub(crate) fn control(&self) -> crate::media::Control {
        lock(&self.control).clone()
    }

    #[cfg(feature = "plaintext-control")]
    pub(super) fn set_control(&self, control: crate::media::Control) {
        *lock(&self.control) = control;
    }

    pub(super) fn set_adding(&self, listener: Option<mpsc::Sender<Event>>) {
        *lock(&self.adding) = listener;
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Nothing inside is left half-changed, so a panic elsewhere does not spoil it.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
