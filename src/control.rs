//! The media node's control interface: its token, its listener, and where an operator finds both.

use std::net::SocketAddr;
use std::path::Path;

use anyhow::Context as _;
use axum::Router;
use axum::middleware::from_fn;
use axum_server::Handle;
use homeline_media_node::control::{
    AdminToken, Control, ControlConfig, ReachabilityQuestions, TokenOrigin,
};
use homeline_media_node::turn::Turn;
use homeline_media_node::{Link, Node};
use homeline_signaling::edge::http::security_headers;
use tokio::task::JoinSet;

use crate::{listen, web};

/// A control interface that is about to be served.
pub(crate) struct ControlDoor {
    /// The interface.
    pub(crate) control: Control,
    listener: std::net::TcpListener,
    node: Node,
    router: Router,
    origin: TokenOrigin,
}

impl ControlDoor {
    /// Opens the token and the listener, and gives the link that is left for signaling.
    pub(crate) fn open(
        config: &ControlConfig,
        data_dir: &Path,
        (node, link): (&Node, Link),
        reachability: ReachabilityQuestions,
    ) -> anyhow::Result<(Self, Link)> {
        let address = config.address()?;
        let (token, origin) = AdminToken::open(config.token.as_ref(), data_dir)?;
        let listener = listen::on(address)
            .with_context(|| format!("listening for media control at {address}"))?;
        let (control, link) = Control::new(node.clone(), link, token, reachability);
        let router = control.router();
        let door = Self {
            control,
            listener,
            node: node.clone(),
            router,
            origin,
        };
        Ok((door, link))
    }

    /// Says where it is, as a line for people.
    pub(crate) fn line(&self) -> anyhow::Result<String> {
        let address = self.listener.local_addr()?;
        let token = match &self.origin {
            TokenOrigin::Configured => "the configured token".to_owned(),
            TokenOrigin::File(path) => {
                format!("token in {}", std::path::absolute(path)?.display())
            }
        };
        Ok(format!("  Media control       http://{address}, {token}"))
    }

    /// Begins to serve, with the figures of the relay if there is one, and gives the interface, which is told of the
    /// end.
    pub(crate) fn serve(
        self,
        relay: Option<Turn>,
        handle: &Handle<SocketAddr>,
        servers: &mut JoinSet<std::io::Result<()>>,
    ) -> Control {
        let (listener, handle) = (self.listener, handle.clone());
        let router = self.router.merge(web::media_metrics(self.node, relay));
        let service = router.layer(from_fn(security_headers)).into_make_service();
        servers.spawn(async move {
            axum_server::from_tcp(listener)?
                .handle(handle)
                .serve(service)
                .await
        });
        self.control
    }
}
