//! People and devices for the tests.

use std::path::{Path, PathBuf};
use std::time::Duration;

use homeline_client::api::{Credentials, FounderPlan, NewDevice, found_household, offer_pairing};
use homeline_client::media::{Heard, Sound};
use homeline_client::sound::{HEARD_MAX, tone};
use homeline_client::{
    Call, CallEvent, Client, ClientEvent, Identity, IncomingCall, Outgoing, Server,
};
use homeline_protocol::Secret;
use homeline_protocol::session::{DeviceKind, EndReason};
use tokio::sync::mpsc;

/// Nothing here takes longer; a test that waits for something that never comes says so.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

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

impl Person {
    pub(crate) async fn found(server: &Server, handle: &str) -> Self {
        let who = Credentials {
            handle: handle.parse().unwrap(),
            password: Secret::new("long enough"),
        };
        let plan = FounderPlan {
            display_name: capital(handle),
            label: "Phone".to_owned(),
            household_name: format!("{handle}'s home"),
        };
        let founded = soon("sign-up", found_household(server, who, plan))
            .await
            .unwrap();
        Self::connect(server, founded.identity).await
    }

    pub(crate) async fn connect(server: &Server, identity: Identity) -> Self {
        Self::connect_with(server, identity, None).await
    }

    /// With what it keeps in files beside this one.
    pub(crate) async fn connect_at(server: &Server, identity: Identity, path: &Path) -> Self {
        Self::connect_with(server, identity, Some(path.to_owned())).await
    }

    async fn connect_with(server: &Server, identity: Identity, path: Option<PathBuf>) -> Self {
        let connecting = Client::connect(server.clone(), identity.clone(), path);
        let (client, events) = soon("connecting", connecting).await.unwrap();
        Self {
            client,
            events,
            identity,
        }
    }

    /// Pairs a home device of this person.
    pub(crate) async fn pair(&self, server: &Server, handle: &str, label: &str) -> Self {
        self.pair_as(server, handle, (DeviceKind::HomeDevice, label))
            .await
    }

    /// Pairs a home device, or a further app, of this person.
    pub(crate) async fn pair_as(
        &self,
        server: &Server,
        handle: &str,
        (kind, label): (DeviceKind, &str),
    ) -> Self {
        let mut listener = self.client.listen_for_devices().await.unwrap();
        let new = NewDevice {
            kind,
            label: label.to_owned(),
        };
        let offered = offer_pairing(server, handle.parse().unwrap(), new)
            .await
            .unwrap();
        let device = tokio::spawn(offered.digits());
        let app = soon("the device's digits", listener.next()).await.unwrap();
        let shown = soon("the app's side", device).await.unwrap().unwrap();
        let digits = shown.text();
        let finishing = tokio::spawn(shown.finish());
        soon("certifying", app.enter(&digits)).await.unwrap();
        let identity = soon("the certificate", finishing).await.unwrap().unwrap();
        Self::connect(server, identity).await
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

/// Waits for an event that `wanted` takes.
pub(crate) async fn until<T>(
    call: &mut Call,
    what: &str,
    mut wanted: impl FnMut(&CallEvent) -> Option<T>,
) -> T {
    soon(what, async {
        loop {
            match call.next().await {
                Some(event) => {
                    if let Some(value) = wanted(&event) {
                        return value;
                    }
                    if let CallEvent::Ended(reason) = event {
                        panic!("the call ended ({reason:?}) while waiting for {what}");
                    }
                }
                None => panic!("the call was gone while waiting for {what}"),
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

fn capital(name: &str) -> String {
    let mut letters = name.chars();
    letters
        .next()
        .map(|first| first.to_uppercase().chain(letters).collect())
        .unwrap_or_default()
}
