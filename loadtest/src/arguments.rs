//! What is asked for on the command line.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use homeline_client::MediaWays;

use crate::schedule::Spread;

/// Puts load on Homeline and reports what it carries. docs/load-test.md explains the scenarios and the report.
#[derive(Debug, Parser)]
#[command(name = "loadtest", version)]
pub struct Arguments {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// One room in which everybody talks.
    AudioRoom {
        /// How many people.
        #[arg(long, default_value_t = 10)]
        members: usize,
        /// How.
        #[command(flatten)]
        media: MediaOptions,
    },
    /// One picture for many.
    FanOut {
        /// How many receive it.
        #[arg(long, default_value_t = 50)]
        receivers: usize,
        /// Bit rate of the picture, kbit/s.
        #[arg(long, default_value_t = 1_500)]
        kbits: u64,
        /// How.
        #[command(flatten)]
        media: MediaOptions,
    },
    /// Calls of two with sound and picture.
    Pairs {
        /// How many calls.
        #[arg(long, default_value_t = 25)]
        calls: usize,
        /// How.
        #[command(flatten)]
        media: MediaOptions,
    },
    /// One room in which everybody talks and shows a picture in three sizes.
    Meeting {
        /// How many people.
        #[arg(long, default_value_t = 6)]
        members: usize,
        /// How.
        #[command(flatten)]
        media: MediaOptions,
    },
    /// People sign up and found households.
    Register {
        /// Sign-ups in a second.
        #[arg(long, default_value_t = 5.0)]
        rate: f64,
        /// How.
        #[command(flatten)]
        signaling: SignalingOptions,
    },
    /// Devices that are connected and do nothing.
    Presence {
        /// How many devices.
        #[arg(long, default_value_t = 200)]
        devices: usize,
        /// Small questions in a second, by random devices, to see how fast the server answers meanwhile.
        #[arg(long, default_value_t = 10.0)]
        probes: f64,
        /// How.
        #[command(flatten)]
        signaling: SignalingOptions,
    },
    /// Calls that ring and are answered.
    Calls {
        /// Calls in a second.
        #[arg(long, default_value_t = 10.0)]
        rate: f64,
        /// People, half of whom call the other half. By default as many as the rate and the length need.
        #[arg(long)]
        people: Option<usize>,
        /// Seconds that a call lasts once answered.
        #[arg(long, default_value_t = 1.0)]
        hold: f64,
        /// Whole calls with keys and encrypted sound, heard by the other side. Without it, rings and answers only.
        #[arg(long)]
        media: bool,
        /// The ways that this sound takes to the media node: udp, tcp and relay, with commas between.
        #[arg(long, value_name = "WAYS", requires = "media", default_value_t)]
        media_ways: MediaWays,
        /// How.
        #[command(flatten)]
        signaling: SignalingOptions,
    },
    /// All sessions are cut at once, and come back.
    ReconnectStorm {
        /// How many devices.
        #[arg(long, default_value_t = 200)]
        devices: usize,
        /// How.
        #[command(flatten)]
        signaling: SignalingOptions,
    },
    /// One home device of a household announces something to the others, whose clocks are wrong.
    Announcement {
        /// How many home devices, the announcing one among them.
        #[arg(long, default_value_t = 21)]
        devices: usize,
        /// Announcements in a second. A household makes 32 in five minutes at most.
        #[arg(long, default_value_t = 1.0)]
        rate: f64,
        /// How.
        #[command(flatten)]
        signaling: SignalingOptions,
    },
    /// Half of a household's home devices drop in on the other half, where nobody answers.
    DropIn {
        /// Drop-ins in a second.
        #[arg(long, default_value_t = 1.0)]
        rate: f64,
        /// How long each lasts once the room is heard, seconds.
        #[arg(long, default_value_t = 2.0)]
        hold: f64,
        /// How.
        #[command(flatten)]
        signaling: SignalingOptions,
    },
    /// Sets two results beside each other.
    Compare {
        /// The earlier result (JSON).
        first: PathBuf,
        /// The later result (JSON).
        second: PathBuf,
        /// Write the comparison as a page.
        #[arg(long)]
        html: Option<PathBuf>,
    },
    /// Makes the page of a result anew.
    Report {
        /// The result (JSON).
        result: PathBuf,
        /// Where the page goes.
        #[arg(long)]
        html: PathBuf,
    },
}

/// What holds for every scenario.
#[derive(Clone, Debug, Args)]
pub struct CommonOptions {
    /// Seconds that are measured.
    #[arg(long, default_value_t = 20.0)]
    pub seconds: f64,
    /// Seconds of load before measuring begins.
    #[arg(long, default_value_t = 3.0)]
    pub warm_up: f64,
    /// How arrivals are spread.
    #[arg(long, value_enum, default_value_t)]
    pub arrivals: Spread,
    /// What all chance comes from: the same seed gives the same times.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Write the result here, for `compare` and `report`.
    #[arg(long)]
    pub json: Option<PathBuf>,
    /// Write the report here: one page, which needs nothing from elsewhere.
    #[arg(long)]
    pub html: Option<PathBuf>,
    /// Pass or fail: a TOML file of bounds, as `latency_p99_ms = 20`.
    #[arg(long)]
    pub budget: Option<PathBuf>,
    /// The program `homeline`. Without it, the one beside this program.
    #[arg(long)]
    pub server_binary: Option<PathBuf>,
    /// A setting for the server that is started here, as `HOMELINE_MEDIA__OPERATING_POINT=economy`.
    #[arg(long = "set", value_name = "NAME=VALUE", value_parser = setting)]
    pub settings: Vec<(String, String)>,
    /// Keep the server on processor 0 and the load test on processor 1: steadier figures.
    #[arg(long)]
    pub pin: bool,
    /// No live progress.
    #[arg(long)]
    pub quiet: bool,
}

/// What holds for media scenarios.
#[derive(Clone, Debug, Args)]
pub struct MediaOptions {
    /// What holds for every scenario.
    #[command(flatten)]
    pub common: CommonOptions,
    /// The control interface of a node that runs already, as `http://127.0.0.1:8446`.
    #[arg(long, requires = "token")]
    pub node: Option<String>,
    /// Its admin token.
    #[arg(long, env = "HOMELINE_NODE_TOKEN", hide_env_values = true)]
    pub token: Option<String>,
    /// Media threads of the node that is started here.
    #[arg(long, default_value_t = 1)]
    pub workers: usize,
    /// Threads that play peers. By default one less than there are processors.
    #[arg(long)]
    pub threads: Option<usize>,
    /// One receiver in so many decrypts what it gets and measures latency; the others count.
    #[arg(long, default_value_t = 10)]
    pub decrypt_one_in: usize,
    /// With header extensions, reports and transport-wide feedback. All receivers decrypt then.
    #[arg(long)]
    pub everything: bool,
    /// Participants that come in a second.
    #[arg(long, default_value_t = 20.0)]
    pub joins: f64,
    /// Steps in which the population grows, with memory read after each.
    #[arg(long, default_value_t = 4)]
    pub steps: usize,
    /// The generating threads never sleep: whoever sends to them need not wake them.
    #[arg(long)]
    pub spin: bool,
}

/// What holds for signaling scenarios.
#[derive(Clone, Debug, Args)]
pub struct SignalingOptions {
    /// What holds for every scenario.
    #[command(flatten)]
    pub common: CommonOptions,
    /// A server that runs already, as `https://home.example:8443`. Its rate limits must let the load in
    /// (docs/load-test.md).
    #[arg(long)]
    pub server: Option<String>,
    /// Its certificate authority (PEM), unless it is a public one.
    #[arg(long)]
    pub authority: Option<PathBuf>,
}

impl Command {
    /// The options that bear on figures, by name.
    pub fn options(&self) -> BTreeMap<String, String> {
        let mut options = BTreeMap::new();
        let mut put = |name: &str, value: String| {
            options.insert(name.to_owned(), value);
        };
        let common = match self {
            Self::AudioRoom { members, media } | Self::Meeting { members, media } => {
                put("members", members.to_string());
                media.put(&mut put)
            }
            Self::FanOut {
                receivers,
                kbits,
                media,
            } => {
                put("receivers", receivers.to_string());
                put("kbits", kbits.to_string());
                media.put(&mut put)
            }
            Self::Pairs { calls, media } => {
                put("calls", calls.to_string());
                media.put(&mut put)
            }
            _ => match self.put_signaling(&mut put) {
                Some(common) => common,
                None => return options,
            },
        };
        common.put(&mut put);
        options
    }

    /// `None`: not a signaling scenario.
    fn put_signaling(&self, put: &mut impl FnMut(&str, String)) -> Option<&CommonOptions> {
        let signaling = match self {
            Self::Register { rate, signaling } => {
                put("rate", rate.to_string());
                signaling
            }
            Self::Presence {
                devices,
                probes,
                signaling,
            } => {
                put("devices", devices.to_string());
                put("probes", probes.to_string());
                signaling
            }
            Self::Calls {
                rate,
                people,
                hold,
                media,
                media_ways,
                signaling,
            } => {
                put("rate", rate.to_string());
                put("hold", hold.to_string());
                put("media", media.to_string());
                if *media {
                    put("media-ways", media_ways.to_string());
                }
                if let Some(people) = people {
                    put("people", people.to_string());
                }
                signaling
            }
            Self::ReconnectStorm { devices, signaling }
            | Self::Announcement {
                devices, signaling, ..
            } => {
                put("devices", devices.to_string());
                if let Self::Announcement { rate, .. } = self {
                    put("rate", rate.to_string());
                }
                signaling
            }
            Self::DropIn {
                rate,
                hold,
                signaling,
            } => {
                put("rate", rate.to_string());
                put("hold", hold.to_string());
                signaling
            }
            _ => return None,
        };
        Some(&signaling.common)
    }
}

impl MediaOptions {
    fn put(&self, put: &mut impl FnMut(&str, String)) -> &CommonOptions {
        put("workers", self.workers.to_string());
        put("decrypt-one-in", self.decrypt_one_in.to_string());
        put("everything", self.everything.to_string());
        put("spin", self.spin.to_string());
        if let Some(threads) = self.threads {
            put("threads", threads.to_string());
        }
        &self.common
    }
}

impl CommonOptions {
    fn put(&self, put: &mut impl FnMut(&str, String)) {
        put("seconds", self.seconds.to_string());
        put("warm-up", self.warm_up.to_string());
        put("arrivals", format!("{:?}", self.arrivals).to_lowercase());
        put("seed", self.seed.to_string());
        put("pin", self.pin.to_string());
        for (name, value) in &self.settings {
            // A value may be secret; that one was given is what counts.
            let secret = ["TOKEN", "PASSWORD", "SECRET"];
            let hide = secret.iter().any(|word| name.contains(word));
            put(name, if hide { "given" } else { value }.to_owned());
        }
    }
}

fn setting(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("a setting is NAME=VALUE")?;
    if !name.starts_with("HOMELINE_") {
        return Err("a setting's name begins with HOMELINE_".to_owned());
    }
    Ok((name.to_owned(), value.to_owned()))
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_holds_together() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn options_that_bear_on_figures_are_kept_and_secrets_are_not() {
        let line = [
            "loadtest",
            "pairs",
            "--calls",
            "3",
            "--set",
            "HOMELINE_MEDIA__CONTROL__TOKEN=secret-token",
            "--set",
            "HOMELINE_MEDIA__WORKERS=2",
        ];
        let options = Arguments::try_parse_from(line).unwrap().command.options();
        assert_eq!(options["calls"], "3");
        assert_eq!(options["HOMELINE_MEDIA__WORKERS"], "2");
        assert!(!options.values().any(|value| value.contains("secret")));
        assert!(Arguments::try_parse_from(["loadtest", "pairs", "--set", "PATH=x"]).is_err());
        assert!(Arguments::try_parse_from(["loadtest", "pairs", "--node", "http://x"]).is_err());
    }
}
