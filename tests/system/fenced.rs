//! A home device behind a firewall that lets no UDP through, or nothing but a relay.

use homeline_client::{CallEvent, Client};
use homeline_protocol::session::{Reply, Request};

use crate::namespace::{Cable, Host};
use crate::network::{drain, metrics, on, over_tls};
use crate::people::{Person, Side, answer, hears, sound, until};
use crate::server::{Server, Start};
use crate::web::figure;

/// Ben beside the server, and a device of Anna's behind the firewall.
struct Scene {
    cable: Cable,
    server: Server,
    ben: Person,
    device: Person,
    _data: tempfile::TempDir,
}

impl Scene {
    async fn open() -> Option<Self> {
        let cable = Cable::lay()?;
        let data = tempfile::tempdir().unwrap();
        let home = &cable.left;
        let server = Server::start_with(&Start {
            data: data.path(),
            settings: &[],
            namespace: Some(&home.namespace),
        });
        let (beside, away) = (server.here(), over_tls(&server, home, data.path()));
        let identity = on(home, {
            let beside = beside.clone();
            async move {
                let anna = Person::found(&beside, "anna").await;
                anna.pair(&beside, "anna", "Kitchen").await
            }
        })
        .await;
        let ben = on(home, Person::found_owned(beside, "ben")).await;
        let connecting = async move { Person::connect(&away, identity).await };
        let device = on(&cable.right, connecting).await;
        Some(Self {
            cable,
            server,
            ben,
            device,
            _data: data,
        })
    }

    fn home(&self) -> &Host {
        &self.cable.left
    }

    async fn talks(&mut self) -> (Side, Side) {
        let (with, heard) = sound(1_000.0);
        let calling: Client = self.device.client.clone();
        let calling = async move { calling.call("ben", with).await.unwrap() };
        let call = on(&self.cable.right, calling).await;
        let (mut device, mut ben) = answer(Side { call, heard }, &mut self.ben).await;
        hears(&mut device.heard, 1_500.0).await;
        hears(&mut ben.heard, 1_000.0).await;
        (device, ben)
    }

    async fn figure(&self, row: &str) -> u64 {
        figure(&metrics(self.home(), self.server.port()).await, row)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_device_whose_udp_is_fenced_off_talks_over_tcp() {
    let Some(mut scene) = Scene::open().await else {
        return;
    };
    scene.cable.right.refuse(&["-p", "udp"]);
    let _talk = scene.talks().await;
    assert_eq!(scene.figure("homeline_media_tcp_connections").await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_goes_on_over_tcp_when_udp_is_fenced_off_in_the_middle_of_it() {
    let Some(mut scene) = Scene::open().await else {
        return;
    };
    let (mut device, mut ben) = scene.talks().await;
    assert_eq!(scene.figure("homeline_media_tcp_connections").await, 0);
    scene.cable.right.refuse(&["-p", "udp"]);
    for connected in [false, true] {
        until(&mut device.call, "news of media", |event| {
            (*event == CallEvent::Media { connected }).then_some(())
        })
        .await;
    }
    drain(&mut device.heard);
    drain(&mut ben.heard);
    hears(&mut device.heard, 1_500.0).await;
    hears(&mut ben.heard, 1_000.0).await;
    assert_eq!(scene.figure("homeline_media_tcp_connections").await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_device_that_is_let_through_to_the_relay_alone_talks_through_it() {
    let Some(mut scene) = Scene::open().await else {
        return;
    };
    let asking = scene.device.client.clone();
    let asking = async move { asking.session().request(Request::GetRelays).await };
    let asked = on(&scene.cable.right, asking).await;
    let Ok(Reply::Relays(relays)) = asked else {
        panic!("no relays: {asked:?}")
    };
    let tcp = relays.servers.iter().map(|server| server.port.to_string());
    let open: Vec<_> = std::iter::once(scene.server.https_port())
        .chain(tcp)
        .collect();
    scene.cable.right.refuse(&["-p", "udp"]);
    let only = [
        "-p",
        "tcp",
        "-m",
        "multiport",
        "!",
        "--dports",
        &open.join(","),
    ];
    scene.cable.right.refuse(&only);
    let _talk = scene.talks().await;
    assert_eq!(scene.figure("homeline_relay_connections").await, 1);
    assert_eq!(scene.figure("homeline_media_tcp_connections").await, 0);
}
