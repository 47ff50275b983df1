//! Founds a household and calls somebody with a tone: `cargo run --example sign_up_and_call -- URL HANDLE CALLEE`.

use homeline_client::api::{Credentials, FounderPlan, found_household};
use homeline_client::media::Sound;
use homeline_client::{Client, Outgoing, Server, sound};
use homeline_protocol::Secret;
use tokio::sync::mpsc;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let mut next = || arguments.next().ok_or("three arguments: URL HANDLE CALLEE");
    let (server, handle, callee) = (Server::new(&next()?)?, next()?, next()?);
    let who = Credentials {
        handle: handle.parse()?,
        password: Secret::new("correct horse"),
    };
    let plan = FounderPlan {
        display_name: handle,
        label: "Example".to_owned(),
        household_name: "Examples".to_owned(),
    };
    let founded = found_household(&server, who, plan).await?;
    println!("Keep this on paper: {}", *founded.recovery_code.text());
    let (client, _events) = Client::connect(server, founded.identity, None).await?;
    let (speaker, mut heard) = mpsc::channel(sound::HEARD_MAX);
    tokio::spawn(async move { while heard.recv().await.is_some() {} });
    let sound = Sound {
        microphone: sound::tone(1_000.0),
        speaker,
    };
    let mut call = client
        .call(
            &callee,
            Outgoing {
                sound,
                camera: None,
                screen: None,
            },
        )
        .await?;
    while let Some(event) = call.next().await {
        println!("{event:?}");
    }
    client.close().await;
    Ok(())
}
