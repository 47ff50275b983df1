//! Pairs this program as a home device: `cargo run --example pair_device -- URL HANDLE FILE`.

use homeline_client::Server;
use homeline_client::api::{NewDevice, offer_pairing};
use homeline_protocol::session::DeviceKind;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let mut next = || arguments.next().ok_or("three arguments: URL HANDLE FILE");
    let (server, handle, file) = (Server::new(&next()?)?, next()?, next()?);
    let device = NewDevice {
        kind: DeviceKind::HomeDevice,
        label: "Example".to_owned(),
    };
    let digits = offer_pairing(&server, handle.parse()?, device)
        .await?
        .digits()
        .await?;
    println!("Type these digits into the app: {}", digits.text());
    let identity = digits.finish().await?;
    identity.save(file.as_ref())?;
    println!("Paired. Keys and pins are in {file}.");
    Ok(())
}
