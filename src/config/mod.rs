//! The configuration tree: each part's own settings under its name, from a file and the environment.

mod example;
mod roles;

use std::net::IpAddr;
use std::path::{Path, PathBuf};

use figment::Figment;
use figment::providers::{Env, Format as _, Serialized, Toml};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use example::example;
pub use roles::{Parts, Role, RolesError};

/// All settings. Defaults run on a laptop and need nothing.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The web front: where the server listens and keeps its data.
    pub server: ServerConfig,
    /// What is logged, and how.
    pub log: LogConfig,
    /// People, devices, sessions and calls.
    pub signaling: homeline_signaling::SignalingConfig,
    /// The media node (SFU).
    pub media: homeline_media_node::NodeConfig,
}

/// The web front.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ServerConfig {
    /// What this process runs: `signaling` and `media`, a whole server; or `media` alone, a media node without
    /// database and app that is commanded over its control interface (see `media.control`).
    pub roles: Vec<Role>,
    /// Directory of the database, the certificate authority and the server's secrets. Made with mode 0700 if missing.
    pub data_dir: PathBuf,
    /// Addresses to listen on for HTTP and HTTPS. An address family that the machine lacks is skipped.
    pub bind: Vec<IpAddr>,
    /// Port for plain HTTP. From this machine it serves the whole app (browsers trust http://localhost with a
    /// microphone); from elsewhere only the certificate page, and a redirect to HTTPS. 0 takes a free port.
    pub http_port: u16,
    /// Port for HTTPS, for every other device. 0 takes a free port.
    pub https_port: u16,
    /// Further host names under which devices reach this server, as "homeline.lan". They are put into the
    /// certificate authority when it is first made: a change later needs a new authority on every phone.
    pub host_names: Vec<String>,
    /// How long a shutdown waits for requests and calls to end, seconds.
    pub shutdown_deadline_secs: u32,
    /// How the server looks whether it can be reached from outside (docs/networks.md).
    pub outside: crate::outside::AsksConfig,
}

impl Default for ServerConfig {
    fn default() -> Self {
        Self {
            roles: vec![Role::Signaling, Role::Media],
            data_dir: PathBuf::from("data"),
            bind: vec![IpAddr::from([0; 16]), IpAddr::from([0; 4])],
            http_port: 8080,
            https_port: 8443,
            host_names: Vec::new(),
            shutdown_deadline_secs: 5,
            outside: crate::outside::AsksConfig::default(),
        }
    }
}

/// Logging. Logs carry no key, token, number, name or message text at any level.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct LogConfig {
    /// What is logged: `error`, `warn`, `info`, `debug`, or a filter by part such as
    /// `info,homeline_media_node=debug`. Libraries never say more than `info`, since some log what passes
    /// through them.
    pub filter: String,
    /// `text` for people, `json` for machines.
    pub format: LogFormat,
}

impl Default for LogConfig {
    fn default() -> Self {
        Self {
            filter: "info".into(),
            format: LogFormat::Text,
        }
    }
}

/// How a log line looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LogFormat {
    /// Lines for people.
    Text,
    /// One JSON object a line.
    Json,
}

impl Config {
    /// Reads the file (or `config.toml` where there is one), then the environment on top.
    ///
    /// # Errors
    /// When the named file is missing, or a setting is unknown or of the wrong type; the message names it.
    pub fn load(file: Option<&Path>) -> anyhow::Result<Self> {
        if let Some(file) = file {
            anyhow::ensure!(
                file.is_file(),
                "no configuration file at {}",
                file.display()
            );
        }
        let file = file.unwrap_or(Path::new("config.toml"));
        Ok(Self::figment(file).extract()?)
    }

    fn figment(file: &Path) -> Figment {
        // A setting has a section: HOMELINE_SERVER, HOMELINE_CONFIG and the like belong to other programs
        // and arguments.
        let environment = Env::prefixed("HOMELINE_")
            .filter(|name| name.as_str().contains("__"))
            .split("__");
        Figment::from(Serialized::defaults(Self::default()))
            .merge(Toml::file(file))
            .merge(environment)
    }
}

#[cfg(test)]
mod tests;
