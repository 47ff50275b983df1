//! The composition root: builds each part in order, serves, and stops edge-first.

use std::net::{IpAddr, SocketAddr, TcpListener};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use axum::Router;
use axum::middleware::{from_fn, from_fn_with_state};
use axum_server::Handle;
use axum_server::tls_rustls::RustlsConfig;
use homeline_media_node::control::{QUESTIONS_MAX, ReachabilityQuestions};
use homeline_media_node::turn::Turn;
use homeline_media_node::{Link, Node, NodeConfig};
use homeline_signaling::edge::http::security_headers;
use homeline_signaling::gateway::Media;
use homeline_signaling::{MediaLink, Signaling, SignalingConfig};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tracing::{info, warn};

use crate::certificate::{self, Authority, Names};
use crate::config::{Config, Parts, ServerConfig};
use crate::control::ControlDoor;
use crate::outside::{self, Home, Watch};
use crate::{files, listen, media_alone, relay, shutdown, web};

/// The server's certificate is made anew this often, for the names that the machine has by then.
const CERTIFICATE_RENEWAL: Duration = Duration::from_secs(24 * 60 * 60);

/// Runs what the configuration's roles say until it is asked to stop.
///
/// # Errors
/// When the roles do not go together, or a part can't start: a port in use, a data directory that can't be
/// written, a damaged database.
pub async fn serve(config: Config) -> anyhow::Result<()> {
    let parts = Parts::of(&config.server.roles)?;
    files::open_as_many_as_needed(&config, parts);
    match parts {
        Parts::Whole => serve_whole(config).await,
        Parts::MediaAlone => media_alone::serve(config).await,
    }
}

async fn serve_whole(config: Config) -> anyhow::Result<()> {
    let Config {
        server,
        log: _,
        mut signaling,
        mut media,
    } = config;
    make_private(&server.data_dir)
        .with_context(|| format!("the data directory {}", server.data_dir.display()))?;
    signaling.store.path = server.data_dir.join(&signaling.store.path);
    signaling.mail.folder = server.data_dir.join(&signaling.mail.folder);
    let base = signaling.mail.link_base.take();
    signaling.mail.link_base = Some(base.unwrap_or_else(|| link_base(&server)));

    let names = Names::of_this_host(&server.host_names);
    let authority = Authority::open_or_make(&server.data_dir.join("certificate"), &names)?;
    let certificate = certificate::server_config(&authority, &names)?;
    let (turn_certificate, turn_tls) = watch::channel(relay::tls(&certificate));
    let tls = RustlsConfig::from_config(certificate);

    let (asking, asked) = mpsc::channel(QUESTIONS_MAX);
    let (node, link, control) = start_media(&mut media, &mut signaling, &server, asking)?;
    let turn = relay::start(&media.turn, &node, Some(turn_tls))?;
    signaling.relays.own = relay::servers(&media.turn, turn.as_ref());
    let own_relay = turn.clone().filter(|_| signaling.relays.servers.is_empty());
    let app_hash = web::app_hash();
    let signaling = start_signaling(signaling, link, &server, &app_hash).await?;

    let (stopping, is_stopping) = watch::channel(false);
    let http = listen::on_all(&server.bind, server.http_port)?;
    let https = listen::on_all(&server.bind, server.https_port)?;
    let doors = Doors::of(&http, &https, &names.within(&authority.names))?;
    let looking = look_outside(&server, &media, (&node, own_relay), doors.https_port);
    let looking = looking.start(Home::Whole(signaling.outside().clone()), asked);
    let page = install_page(&authority, &doors);
    let health = web::Health {
        signaling: signaling.clone(),
        node: node.clone(),
        stopping: is_stopping,
    };
    let sources = web::Sources {
        signaling: signaling.clone(),
        node: node.clone(),
        relay: turn.clone(),
    };
    let router = router(&signaling, page, health, sources);

    let handle = Handle::new();
    let mut servers = serve_all(http, https, &router, doors.https_port, &tls, &handle);
    let control_line = control.as_ref().map(ControlDoor::line).transpose()?;
    let control = control.map(|door| door.serve(turn.clone(), &handle, &mut servers));
    doors.print(&authority, &app_hash, control_line.as_deref());
    let renewal = tokio::spawn(renew_daily(
        authority,
        server.host_names.clone(),
        (tls, turn_certificate),
    ));

    tokio::select! {
        requested = shutdown::requested() => requested?,
        Some(ended) = servers.join_next() => ended??,
    }
    info!("stopping");
    stopping.send_replace(true);
    renewal.abort();
    looking.abort();
    if let Some(control) = control {
        control.close();
    }
    stop(&server, &signaling, &handle, servers).await;
    drop(turn);
    node.shutdown().await;
    Ok(())
}

async fn start_signaling(
    mut config: SignalingConfig,
    link: Link,
    server: &ServerConfig,
    app_hash: &str,
) -> anyhow::Result<Signaling> {
    config.outside.file = Some(server.data_dir.join(outside::KEPT));
    let link = MediaLink {
        media: Media::Local(link.commands),
        events: link.events,
    };
    let started = Signaling::start(config, link, app_hash).await;
    started.context("signaling")
}

/// What is to be looked at from outside. A relay elsewhere is told in place of the own one, and none of this home's.
fn look_outside(
    server: &ServerConfig,
    media: &NodeConfig,
    (node, relay): (&Node, Option<Turn>),
    https_port: u16,
) -> Watch {
    let relay_ports = relay.as_ref().map(Turn::ports).unwrap_or_default();
    Watch {
        asks: server.outside.clone(),
        ports: outside::ports(Some(https_port), node.ports(), (&media.turn, relay_ports)),
        advertised: media.advertised_addresses.clone(),
    }
}

fn install_page(authority: &Authority, doors: &Doors) -> web::InstallPage {
    web::InstallPage {
        certificate_der: authority.certificate_der.clone(),
        certificate_pem: authority.certificate_pem.clone(),
        fingerprint: authority.fingerprint(),
        urls: doors.https_urls(),
    }
}

/// Starts the media node, with its control interface where the configuration wants it.
fn start_media(
    config: &mut NodeConfig,
    signaling: &mut SignalingConfig,
    server: &ServerConfig,
    asking: ReachabilityQuestions,
) -> anyhow::Result<(Node, Link, Option<ControlDoor>)> {
    relay::share_secret(&mut config.turn, &mut signaling.relays);
    let control = config.control.clone();
    let (node, link) = Node::start(config.clone()).context("the media node")?;
    if !control.enabled {
        return Ok((node, link, None));
    }
    let (door, link) = ControlDoor::open(&control, &server.data_dir, (&node, link), asking)?;
    Ok((node, link, Some(door)))
}

/// Makes the data directory, for its owner only. One that is there keeps its mode.
pub(crate) fn make_private(directory: &Path) -> std::io::Result<()> {
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(directory)
}

/// Where a link in a mail leads when the configuration does not say: this server by the first name it
/// goes by.
fn link_base(server: &ServerConfig) -> String {
    let own = || hostname::get().map(|name| name.to_string_lossy().into_owned());
    let name = server.host_names.first().cloned();
    let name = name.or_else(|| own().ok());
    let name = name.unwrap_or_else(|| "localhost".to_owned());
    format!("https://{name}:{}", server.https_port)
}

/// Edge first: sessions are told, connections drain, then the parts behind them stop.
async fn stop(
    server: &ServerConfig,
    signaling: &Signaling,
    handle: &Handle<SocketAddr>,
    mut servers: JoinSet<std::io::Result<()>>,
) {
    let deadline = Duration::from_secs(server.shutdown_deadline_secs.into());
    signaling.shutdown().await;
    handle.graceful_shutdown(Some(deadline));
    while servers.join_next().await.is_some() {}
}

fn router(
    signaling: &Signaling,
    page: web::InstallPage,
    health: web::Health,
    sources: web::Sources,
) -> Router {
    web::assets()
        .merge(signaling.router())
        .merge(web::install(page))
        .merge(web::health(health))
        .merge(web::metrics(sources))
        .layer(from_fn(security_headers))
}

fn serve_all(
    http: Vec<TcpListener>,
    https: Vec<TcpListener>,
    router: &Router,
    https_port: u16,
    tls: &RustlsConfig,
    handle: &Handle<SocketAddr>,
) -> JoinSet<std::io::Result<()>> {
    let mut servers = JoinSet::new();
    let plain = router
        .clone()
        .layer(from_fn_with_state(https_port, web::only_from_this_machine));
    for listener in http {
        let service = plain
            .clone()
            .into_make_service_with_connect_info::<SocketAddr>();
        let handle = handle.clone();
        servers.spawn(async move {
            axum_server::from_tcp(listener)?
                .handle(handle)
                .serve(service)
                .await
        });
    }
    for listener in https {
        let service = router
            .clone()
            .into_make_service_with_connect_info::<SocketAddr>();
        let (handle, tls) = (handle.clone(), tls.clone());
        servers.spawn(async move {
            axum_server::from_tcp_rustls(listener, tls)?
                .handle(handle)
                .serve(service)
                .await
        });
    }
    servers
}

async fn renew_daily(
    authority: Authority,
    configured: Vec<String>,
    (tls, turn): (RustlsConfig, watch::Sender<Arc<rustls::ServerConfig>>),
) {
    loop {
        tokio::time::sleep(CERTIFICATE_RENEWAL).await;
        let names = Names::of_this_host(&configured);
        match certificate::server_config(&authority, &names) {
            Ok(config) => {
                turn.send_replace(relay::tls(&config));
                tls.reload_from_config(config);
            }
            Err(error) => warn!(%error, "the certificate could not be renewed; the old one stays"),
        }
    }
}

/// Where people enter.
struct Doors {
    http_port: u16,
    https_port: u16,
    names: Names,
}

impl Doors {
    fn of(http: &[TcpListener], https: &[TcpListener], names: &Names) -> anyhow::Result<Self> {
        let port = |listeners: &[TcpListener]| -> anyhow::Result<u16> {
            Ok(listeners
                .first()
                .context("a listener")?
                .local_addr()?
                .port())
        };
        Ok(Self {
            http_port: port(http)?,
            https_port: port(https)?,
            names: names.clone(),
        })
    }

    /// The HTTPS URLs under which other devices reach this server.
    fn https_urls(&self) -> Vec<String> {
        let hosts = self
            .names
            .hosts
            .iter()
            .filter(|host| *host != "localhost" && host.contains('.'))
            .cloned();
        let addresses = self
            .names
            .addresses
            .iter()
            .filter(|address| !address.is_loopback());
        let addresses = addresses.map(|address| match address {
            IpAddr::V4(v4) => v4.to_string(),
            IpAddr::V6(v6) => format!("[{v6}]"),
        });
        hosts
            .chain(addresses)
            .map(|host| format!("https://{host}:{}", self.https_port))
            .collect()
    }

    fn print(&self, authority: &Authority, app_hash: &str, control: Option<&str>) {
        println!("Homeline {} is running.", env!("CARGO_PKG_VERSION"));
        println!();
        println!("  On this machine     http://localhost:{}", self.http_port);
        for url in self.https_urls() {
            println!("  On other devices    {url}");
        }
        println!("  On each phone once  /install at one of these, certificate SHA-256");
        println!("                      {}", authority.fingerprint());
        println!("  The app it serves   SHA-256 {app_hash}");
        if let Some(line) = control {
            println!("{line}");
        }
        println!();
        println!("  Ctrl-C stops it.");
    }
}
