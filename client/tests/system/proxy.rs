//! Stands between a client and the server: cuts the line, and lies on the server's behalf.

use std::sync::{Arc, Mutex};

use futures_util::{SinkExt as _, StreamExt as _};
use homeline_client::Server;
use homeline_protocol::session::{ClientFrame, ServerFrame};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio_tungstenite::tungstenite::Message;

/// Reads what the client sends and rewrites what the server sends.
pub(crate) trait Lie: Send + 'static {
    fn hears(&mut self, _frame: &ClientFrame) {}
    fn says(&mut self, _frame: &mut ServerFrame) {}
}

/// Passes everything on as it is.
pub(crate) struct Honest;
impl Lie for Honest {}

pub(crate) struct Proxy {
    address: String,
    up: watch::Sender<bool>,
}

impl Proxy {
    pub(crate) async fn start(upstream: &str, lie: impl Lie) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let upstream = upstream.replace("http://", "ws://") + "/v1/session";
        let (up, line) = watch::channel(true);
        let lie: Arc<Mutex<dyn Lie>> = Arc::new(Mutex::new(lie));
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let (upstream, lie, mut line) = (upstream.clone(), lie.clone(), line.clone());
                tokio::spawn(async move {
                    if *line.borrow() {
                        tokio::select! {
                            () = pass(client, &upstream, lie) => {}
                            _ = line.wait_for(|up| !up) => {}
                        }
                    }
                });
            }
        });
        Self { address, up }
    }

    pub(crate) fn server(&self) -> Server {
        Server::new(&self.address).unwrap()
    }

    /// Cuts the line, or mends it.
    pub(crate) fn set_up(&self, up: bool) {
        self.up.send_replace(up);
    }
}

async fn pass(client: TcpStream, upstream: &str, lie: Arc<Mutex<dyn Lie>>) {
    let Ok(mut client) = tokio_tungstenite::accept_async(client).await else {
        return;
    };
    let Ok((mut server, _)) = tokio_tungstenite::connect_async(upstream).await else {
        return;
    };
    loop {
        tokio::select! {
            message = client.next() => {
                let Some(Ok(message)) = message else { return };
                if let Message::Text(text) = &message
                    && let Ok(frame) = serde_json::from_str(text.as_str())
                {
                    lie.lock().unwrap().hears(&frame);
                }
                if server.send(message).await.is_err() {
                    return;
                }
            }
            message = server.next() => {
                let Some(Ok(mut message)) = message else { return };
                if let Message::Text(text) = &message
                    && let Ok(mut frame) = serde_json::from_str::<ServerFrame>(text.as_str())
                {
                    lie.lock().unwrap().says(&mut frame);
                    message = Message::text(serde_json::to_string(&frame).unwrap());
                }
                if client.send(message).await.is_err() {
                    return;
                }
            }
        }
    }
}
