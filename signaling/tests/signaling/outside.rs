//! Whether the home can be reached from outside: who may ask, and what a test leaves behind.

use axum::http::StatusCode;
use homeline_protocol::Secret;
use homeline_protocol::session::{
    ApiError, ErrorCode, OutsideAnswer, OutsideBegun, OutsideCode, OutsideOffer, OutsideReport,
    OutsideState, OutsideTicket, OutsideTried, OutsideWay, Reply, Request,
};
use homeline_signaling::domain::outside::{Look, Network, Ports};
use serde::de::DeserializeOwned;

use crate::guests::{link_of, waits};
use crate::harness::{Client, Configs, Server};

fn look() -> Look {
    Look {
        ports: Ports {
            https: Some(8443),
            media_udp: vec![8444],
            ..Ports::default()
        },
        networks: vec![Network {
            address: [192, 168, 1, 5].into(),
            prefix: 24,
        }],
        ..Look::default()
    }
}

async fn ticket(client: &mut Client) -> Secret {
    match client.ok(Request::TestFromOutside).await {
        Reply::OutsideTicket { secret, .. } => secret,
        other => panic!("{other:?}"),
    }
}

async fn state(client: &mut Client) -> OutsideState {
    match client.ok(Request::GetOutside).await {
        Reply::Outside(state) => *state,
        other => panic!("{other:?}"),
    }
}

async fn posted<T: DeserializeOwned>(
    server: &Server,
    path: &str,
    body: &impl serde::Serialize,
) -> Result<T, ErrorCode> {
    let (status, body) = server.post(path, body).await;
    if status == StatusCode::OK {
        return Ok(serde_json::from_slice(&body).unwrap());
    }
    let error: ApiError = serde_json::from_slice(&body).unwrap();
    Err(error.code)
}

fn tried(way: OutsideWay, works: bool) -> OutsideTried {
    OutsideTried {
        way,
        works,
        works_here: false,
    }
}

#[tokio::test]
async fn only_adults_apps_may_ask_and_others_are_told_so() {
    let server = Server::start().await;
    let anna = server.person("anna").await;
    let mut child = server.childs_app(&anna).await;
    let mut kitchen = server.home_device(&anna).await;
    let mut phone = server.app(&anna).await;
    let link = link_of(&mut phone).await;
    let mut bob = waits(&server, &mut phone, link, "Uncle Bob").await;
    for request in [Request::TestFromOutside, Request::GetOutside] {
        for other in [&mut child, &mut kitchen, &mut bob] {
            assert_eq!(other.err(request.clone()).await, ErrorCode::Forbidden);
        }
        phone.ok(request).await;
    }
}

#[tokio::test]
async fn a_test_is_begun_with_a_ticket_and_what_it_finds_is_kept_over_a_restart() {
    let server = Server::start().await;
    server.outside.note_look(look());
    let anna = server.person("anna").await;
    let mut phone = server.app(&anna).await;
    let secret = ticket(&mut phone).await;
    let open = OutsideTicket {
        secret: secret.clone(),
    };
    let begun: OutsideBegun = posted(&server, "/v1/outside/begin", &open).await.unwrap();
    let ways = [OutsideWay::Web, OutsideWay::WebSocket, OutsideWay::MediaUdp];
    assert_eq!(begun.ways, ways);
    let offer = OutsideOffer {
        secret: secret.clone(),
        sdp: "v=0\r\n".to_owned(),
    };
    let answer: OutsideAnswer = posted(&server, "/v1/outside/offer", &offer).await.unwrap();
    assert!(!answer.sdp.is_empty());
    let report = |tried| OutsideReport {
        secret: secret.clone(),
        tried,
    };
    let found = vec![
        tried(OutsideWay::Web, true),
        tried(OutsideWay::WebSocket, true),
        tried(OutsideWay::MediaUdp, false),
    ];
    let body = report(found);
    let told: OutsideState = posted(&server, "/v1/outside/report", &body).await.unwrap();
    let forward = told.findings.iter().flat_map(|finding| &finding.steps);
    let forward = forward.filter(|step| step.contains("Forward UDP 8444 to 192.168.1.5"));
    assert_eq!(forward.count(), 1, "{told:?}");
    let twice = report(vec![tried(OutsideWay::Web, true); 2]);
    let refused = posted::<OutsideState>(&server, "/v1/outside/report", &twice).await;
    assert_eq!(refused, Err(ErrorCode::BadRequest));
    assert_eq!(state(&mut phone).await, told);
    let server = server.killed_and_restarted(Configs::default()).await;
    server.outside.note_look(look());
    let mut phone = server.app(&anna).await;
    assert_eq!(state(&mut phone).await, told);
    let again = posted::<OutsideBegun>(&server, "/v1/outside/begin", &open).await;
    assert_eq!(
        again,
        Err(ErrorCode::NotFound),
        "tickets end with the process"
    );
}

#[tokio::test]
async fn without_a_ticket_nobody_tests_anything() {
    let server = Server::start().await;
    let secret = Secret::new("A".repeat(43));
    let ticket = OutsideTicket {
        secret: secret.clone(),
    };
    let offer = OutsideOffer {
        secret: secret.clone(),
        sdp: String::new(),
    };
    let report = OutsideReport {
        secret,
        tried: vec![],
    };
    let none = Err(ErrorCode::NotFound);
    assert_eq!(
        posted::<OutsideBegun>(&server, "/v1/outside/begin", &ticket).await,
        none
    );
    let none = Err(ErrorCode::NotFound);
    assert_eq!(
        posted::<OutsideAnswer>(&server, "/v1/outside/offer", &offer).await,
        none
    );
    let none = Err(ErrorCode::NotFound);
    assert_eq!(
        posted::<OutsideState>(&server, "/v1/outside/report", &report).await,
        none
    );
    let anna = server.person("anna").await;
    let mut phone = server.app(&anna).await;
    let codes: Vec<_> = state(&mut phone)
        .await
        .findings
        .iter()
        .map(|one| one.code)
        .collect();
    assert_eq!(codes, [OutsideCode::NeverTested]);
}
