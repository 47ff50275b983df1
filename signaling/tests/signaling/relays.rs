//! Relays for hostile networks: who is told them, and with what.

use homeline_protocol::id::CallId;
use homeline_protocol::session::{
    ErrorCode, RelayServer, RelayServers, RelayTransport, Reply, Request,
};
use homeline_signaling::domain::relays::RelaysConfig;
use homeline_signaling::model::Masked;

use crate::guests::{call_guest, link_of, waits};
use crate::harness::{Client, Configs, Server, fresh};

async fn server() -> Server {
    let relays = RelaysConfig {
        servers: vec!["turns:turn.example:443?transport=tcp".to_owned()],
        secret: Some(Masked::new("north")),
        ..RelaysConfig::default()
    };
    Server::with(Configs {
        relays,
        ..Configs::default()
    })
    .await
}

async fn relays(client: &mut Client) -> RelayServers {
    match client.ok(Request::GetRelays).await {
        Reply::Relays(relays) => relays,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_device_gets_the_relays_and_a_credential_of_its_own_for_some_hours() {
    let server = server().await;
    let anna = server.person("anna").await;
    let (mut phone, mut kitchen) = (server.app(&anna).await, server.home_device(&anna).await);
    let told = relays(&mut phone).await;
    let expected = RelayServer {
        host: Some("turn.example".to_owned()),
        port: 443,
        transport: RelayTransport::Tls,
    };
    assert_eq!(told.servers, [expected]);
    let expiry = told.username.split(':').next().unwrap();
    assert_eq!(expiry, (told.expires_at_ms / 1_000).to_string());
    assert!(!told.username.contains("anna"));
    assert_eq!(told.username, relays(&mut phone).await.username);
    let other = relays(&mut kitchen).await;
    assert_ne!(told.username, other.username);
    assert_ne!(told.credential.expose(), other.credential.expose());
}

#[tokio::test]
async fn a_guest_gets_them_only_for_the_call() {
    let server = server().await;
    let anna = server.person("anna").await;
    let mut phone = server.app(&anna).await;
    let link = link_of(&mut phone).await;
    let mut bob = waits(&server, &mut phone, link, "Uncle Bob").await;
    assert_eq!(bob.err(Request::GetRelays).await, ErrorCode::Forbidden);
    let call = CallId(fresh());
    phone.ok(call_guest(call, bob.seat.device)).await;
    assert_eq!(bob.ring().await, call);
    assert_eq!(relays(&mut bob).await.servers.len(), 1);
}

#[tokio::test]
async fn where_there_is_no_relay_none_is_told_and_nothing_opens_one() {
    let server = Server::start().await;
    let anna = server.person("anna").await;
    let mut phone = server.app(&anna).await;
    let told = relays(&mut phone).await;
    assert!(told.servers.is_empty() && told.username.is_empty());
    assert!(told.credential.expose().is_empty());
}
