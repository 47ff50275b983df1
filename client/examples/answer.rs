//! Answers every call with an echo, from an identity file: `cargo run --example answer -- URL FILE`.

use homeline_client::{Client, ClientEvent, Identity, Outgoing, Server, sound};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let mut next = || arguments.next().ok_or("two arguments: URL FILE");
    let (server, file) = (Server::new(&next()?)?, std::path::PathBuf::from(next()?));
    let identity = Identity::load(&file)?;
    let (_client, mut events) = Client::connect(server, identity, Some(file)).await?;
    while let Some(event) = events.recv().await {
        let ClientEvent::Incoming(incoming) = event else {
            continue;
        };
        println!("{} calls", incoming.from().name);
        let with = Outgoing {
            sound: sound::echo(),
            camera: None,
            screen: None,
        };
        let mut call = incoming.answer(with).await;
        while let Some(event) = call.next().await {
            println!("{event:?}");
        }
    }
    Ok(())
}
