//! Knocking at a call link.

use homeline_protocol::http::{Knock, Knocked};

use super::http::{HttpError, post};
use crate::server::Server;

pub(crate) async fn post_knock(server: &Server, knock: &Knock) -> Result<Knocked, HttpError> {
    post(server, "/v1/guests", None, knock).await
}
