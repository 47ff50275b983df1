//! People and devices of the stories, on the Rust SDK.

use std::collections::VecDeque;
use std::error::Error;
use std::time::Duration;

use homeline_client::api::{Credentials, FounderPlan, NewDevice, found_household, offer_pairing};
use homeline_client::media::{Heard, SAMPLE_RATE, Sound};
use homeline_client::sound::{HEARD_MAX, level_at, tone};
use homeline_client::{
    Call, CallEvent, Client, ClientEvent, Identity, IncomingCall, Outgoing, Server,
};
use homeline_protocol::Secret;
use homeline_protocol::session::{DeviceKind, EndReason};
use tokio::sync::mpsc;

/// Nothing here takes longer; a test that waits for something that never comes says so.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// Everybody's password.
pub(crate) const PASSWORD: &str = "correct-horse-battery";

pub(crate) async fn soon<T>(what: &str, future: impl Future<Output = T>) -> T {
    match tokio::time::timeout(PATIENCE, future).await {
        Ok(value) => value,
        Err(_) => panic!("waited too long for {what}"),
    }
}

/// A signed-in client and what it tells.
pub(crate) struct Person {
    pub(crate) client: Client,
    pub(crate) events: mpsc::Receiver<ClientEvent>,
    pub(crate) identity: Identity,
}

pub(crate) fn credentials(handle: &str) -> Credentials {
    Credentials {
        handle: handle.parse().unwrap(),
        password: Secret::new(PASSWORD),
    }
}

pub(crate) fn plan(handle: &str) -> FounderPlan {
    FounderPlan {
        display_name: capital(handle),
        label: format!("Phone of {handle}"),
        household_name: format!("Home of {handle}"),
    }
}

impl Person {
    pub(crate) async fn found(server: &Server, handle: &str) -> Self {
        let founding = found_household(server, credentials(handle), plan(handle));
        let founded = soon("sign-up", founding).await.unwrap();
        Self::connect(server, founded.identity).await
    }

    /// As [`Self::found`], for another thread.
    pub(crate) async fn found_owned(server: Server, handle: &'static str) -> Self {
        Self::found(&server, handle).await
    }

    pub(crate) async fn connect(server: &Server, identity: Identity) -> Self {
        let connecting = Client::connect(server.clone(), identity.clone(), None);
        let (client, events) = soon("connecting", connecting).await.unwrap();
        Self {
            client,
            events,
            identity,
        }
    }

    /// Pairs a home device of this person; its identity, when both sides are done.
    pub(crate) async fn pair(&self, server: &Server, handle: &str, label: &str) -> Identity {
        self.try_pair(server, handle, label).await.unwrap()
    }

    /// As [`Self::pair`], with a server that may go away.
    pub(crate) async fn try_pair(
        &self,
        server: &Server,
        handle: &str,
        label: &str,
    ) -> Result<Identity, Box<dyn Error + Send + Sync>> {
        let mut listener = self.client.listen_for_devices().await?;
        let new = NewDevice {
            kind: DeviceKind::HomeDevice,
            label: label.to_owned(),
        };
        let offered = offer_pairing(server, handle.parse().unwrap(), new).await?;
        let (app, shown) = tokio::join!(listener.next(), offered.digits());
        let (app, shown) = (app?, shown?);
        let digits = shown.text();
        let (entered, finished) = tokio::join!(app.enter(&digits), shown.finish());
        entered?;
        Ok(finished?)
    }

    pub(crate) async fn incoming(&mut self) -> IncomingCall {
        soon("an incoming call", async {
            loop {
                match self.events.recv().await.expect("the client lives") {
                    ClientEvent::Incoming(call) => return *call,
                    ClientEvent::CallRefused { because, .. } => panic!("refused: {because}"),
                    _ => {}
                }
            }
        })
        .await
    }

    /// Waits until the connection is lost, or back.
    pub(crate) async fn connection(&mut self, wanted: bool) {
        soon("news of the connection", async {
            loop {
                let event = self.events.recv().await.expect("the client lives");
                if matches!(event, ClientEvent::Connection(is) if is == wanted) {
                    return;
                }
            }
        })
        .await;
    }
}

/// One side of a call, with what it hears.
pub(crate) struct Side {
    pub(crate) call: Call,
    pub(crate) heard: mpsc::Receiver<Heard>,
}

/// `caller` calls `callee` with a tone of 1 kHz, who answers with 1.5 kHz; keys are up on both sides.
pub(crate) async fn talk(caller: &Person, callee: &mut Person, handle: &str) -> (Side, Side) {
    let (with, heard_by_caller) = sound(1_000.0);
    let call = caller.client.call(handle, with).await.unwrap();
    let caller = Side {
        call,
        heard: heard_by_caller,
    };
    answer(caller, callee).await
}

/// The callee's part of [`talk`].
pub(crate) async fn answer(mut caller: Side, callee: &mut Person) -> (Side, Side) {
    let incoming = callee.incoming().await;
    let (with, heard) = sound(1_500.0);
    let mut callee = Side {
        call: incoming.answer(with).await,
        heard,
    };
    let (here, there) = (code(&mut caller.call).await, code(&mut callee.call).await);
    assert_eq!(here, there, "both sides show the same code");
    (caller, callee)
}

/// A tone to send, and what is heard.
pub(crate) fn sound(hertz: f64) -> (Outgoing, mpsc::Receiver<Heard>) {
    let (speaker, heard) = mpsc::channel(HEARD_MAX);
    let sound = Sound {
        microphone: tone(hertz),
        speaker,
    };
    (
        Outgoing {
            sound,
            camera: None,
            screen: None,
        },
        heard,
    )
}

/// Waits until a second of sound is mostly this tone.
pub(crate) async fn hears(heard: &mut mpsc::Receiver<Heard>, hertz: f64) {
    let mut window: VecDeque<i16> = VecDeque::new();
    soon("the tone", async {
        loop {
            let heard = heard.recv().await.expect("the call goes on");
            window.extend(heard.pcm.0);
            let extra = window.len().saturating_sub(SAMPLE_RATE as usize);
            window.drain(..extra);
            let second = window.len() == SAMPLE_RATE as usize;
            if second && level_at(hertz, window.make_contiguous()) > 0.8 {
                return;
            }
        }
    })
    .await;
}

/// Waits for an event that `wanted` takes.
pub(crate) async fn until<T>(
    call: &mut Call,
    what: &str,
    mut wanted: impl FnMut(&CallEvent) -> Option<T>,
) -> T {
    soon(what, async {
        loop {
            let Some(event) = call.next().await else {
                panic!("the call was gone while waiting for {what}")
            };
            if let Some(value) = wanted(&event) {
                return value;
            }
            if let CallEvent::Ended(reason) = event {
                panic!("the call ended ({reason:?}) while waiting for {what}");
            }
        }
    })
    .await
}

pub(crate) async fn code(call: &mut Call) -> String {
    until(call, "the call code", |event| match event {
        CallEvent::Secured { code, .. } => Some(code.clone()),
        _ => None,
    })
    .await
}

pub(crate) async fn ended(call: &mut Call) -> EndReason {
    soon("the end of the call", call.ended()).await
}

pub(crate) fn capital(name: &str) -> String {
    let mut letters = name.chars();
    letters
        .next()
        .map(|first| first.to_uppercase().chain(letters).collect())
        .unwrap_or_default()
}
