//! The app's side of pairing: `cargo run --example add_device -- URL HANDLE FILE`; founds a household first if FILE is new.

use homeline_client::api::{Credentials, FounderPlan, found_household};
use homeline_client::{Client, Identity, Server};
use homeline_protocol::Secret;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let mut next = || arguments.next().ok_or("three arguments: URL HANDLE FILE");
    let (server, handle, file) = (
        Server::new(&next()?)?,
        next()?,
        std::path::PathBuf::from(next()?),
    );
    if !file.exists() {
        let who = Credentials {
            handle: handle.parse()?,
            password: Secret::new("correct horse"),
        };
        let plan = FounderPlan {
            display_name: handle.clone(),
            label: "Example".to_owned(),
            household_name: format!("{handle}'s home"),
        };
        let founded = found_household(&server, who, plan).await?;
        println!("Keep this on paper: {}", *founded.recovery_code.text());
        founded.identity.save(&file)?;
    }
    let identity = Identity::load(&file)?;
    let (client, mut events) = Client::connect(server, identity, Some(file)).await?;
    tokio::spawn(async move { while events.recv().await.is_some() {} });
    println!("Waiting for a device that asks for {handle}.");
    let device = client.listen_for_devices().await?.next().await?;
    println!("{} shows six digits. Type them:", device.label());
    let mut typed = String::new();
    std::io::stdin().read_line(&mut typed)?;
    println!("Added: {}", device.enter(typed.trim()).await?);
    Ok(())
}
