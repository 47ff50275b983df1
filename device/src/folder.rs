//! The device's folder: its identity, and which server it belongs to.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context as _, bail};
use homeline_client::{Identity, Server};
use serde::{Deserialize, Serialize};

use crate::arguments::Common;

/// Which server, as remembered after pairing.
#[derive(Serialize, Deserialize)]
struct Remembered {
    server: String,
    authority_pem: Option<String>,
}

pub(crate) fn identity_path(common: &Common) -> PathBuf {
    common.folder.join("identity.json")
}

fn server_path(common: &Common) -> PathBuf {
    common.folder.join("server.json")
}

/// The server named on the command line, or the one remembered.
pub(crate) fn server(common: &Common) -> anyhow::Result<Server> {
    let remembered = remembered(common)?;
    let server = match &remembered.authority_pem {
        Some(pem) => Server::with_authority(&remembered.server, pem.as_bytes())?,
        None => Server::new(&remembered.server)?,
    };
    Ok(server.with_media_ways(common.media_ways))
}

fn remembered(common: &Common) -> anyhow::Result<Remembered> {
    let stored = match fs::read(server_path(common)) {
        Ok(bytes) => Some(serde_json::from_slice::<Remembered>(&bytes).context("server.json")?),
        Err(_) => None,
    };
    let authority = match &common.authority {
        Some(path) => Some(
            fs::read_to_string(path)
                .with_context(|| format!("the authority's certificate {}", path.display()))?,
        ),
        None => None,
    };
    match (&common.server, stored) {
        (Some(server), stored) => Ok(Remembered {
            server: server.clone(),
            authority_pem: authority.or(stored.and_then(|stored| stored.authority_pem)),
        }),
        (None, Some(stored)) => Ok(Remembered {
            authority_pem: authority.or(stored.authority_pem),
            ..stored
        }),
        (None, None) => bail!("which server? Say --server https://..."),
    }
}

/// Remembers server and identity after pairing.
pub(crate) fn keep(common: &Common, identity: &Identity) -> anyhow::Result<()> {
    // The identity first: it makes the folder, and without it the rest is of no use.
    identity.save(&identity_path(common))?;
    let text = serde_json::to_vec_pretty(&remembered(common)?)?;
    fs::write(server_path(common), text).context("server.json")
}

pub(crate) fn identity(common: &Common) -> anyhow::Result<Identity> {
    let path = identity_path(common);
    if !path.exists() {
        bail!(
            "this device belongs to no household yet. Pair it: \
             homeline-device --server URL pair --handle NAME --label Kitchen"
        );
    }
    Ok(Identity::load(&path)?)
}
