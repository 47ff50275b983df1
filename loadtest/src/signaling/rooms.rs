//! Home devices of a household, each a whole client.

use anyhow::{Context as _, Result};
use homeline_client::api::{NewDevice, offer_pairing};
use homeline_client::{Client, ClientEvent, Server};
use homeline_protocol::session::DeviceKind;
use tokio::sync::mpsc;

use super::people::Person;

/// What a room is called.
pub(super) fn label(number: usize) -> String {
    format!("Room {number}")
}

/// Somebody's app, with all that it is told.
pub(super) async fn connect(
    server: &Server,
    person: &Person,
) -> Result<(Client, mpsc::Receiver<ClientEvent>)> {
    Ok(Client::connect(server.clone(), person.identity.clone(), None).await?)
}

/// A further home device, paired as people do it.
pub(super) async fn pair(
    server: &Server,
    app: &Client,
    handle: &str,
    number: usize,
) -> Result<(Client, mpsc::Receiver<ClientEvent>)> {
    let mut listener = app.listen_for_devices().await?;
    let new = NewDevice {
        kind: DeviceKind::HomeDevice,
        label: label(number),
    };
    let offered = offer_pairing(server, handle.parse().context("a handle")?, new).await?;
    let device = tokio::spawn(offered.digits());
    let asking = listener.next().await.context("a device asks")?;
    let shown = device.await??;
    let digits = shown.text();
    let finishing = tokio::spawn(shown.finish());
    asking.enter(&digits).await?;
    let identity = finishing.await??;
    Ok(Client::connect(server.clone(), identity, None).await?)
}

/// What nobody looks at is read, so that nothing waits.
pub(super) async fn drain(mut events: mpsc::Receiver<ClientEvent>) {
    while events.recv().await.is_some() {}
}
