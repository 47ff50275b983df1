//! The program `homeline`: arguments, and nothing else. `node` builds and runs the parts.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use homeline::config::{self, Config, Role};

/// A self-hosted real-time communications server for homes.
#[derive(Parser)]
#[command(version, about)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Runs the server until Ctrl-C or SIGTERM.
    Serve {
        /// Configuration file (TOML). Without it, `config.toml` in the working directory if there is one.
        /// Every setting can also be given as `HOMELINE_SECTION__KEY` in the environment.
        #[arg(long, env = "HOMELINE_CONFIG")]
        config: Option<PathBuf>,
        /// Where the database, the certificate authority and the server's secrets live; outranks the configuration.
        #[arg(long)]
        data_dir: Option<PathBuf>,
        /// What to run: both (a whole server), or `media` alone (a media node without database and app, commanded
        /// over its control interface); outranks the configuration.
        #[arg(long, value_enum, value_delimiter = ',')]
        roles: Vec<Role>,
    },
    /// Says whether this home can be reached from outside, what to forward on the router, and what the last tests
    /// found. Looks at the network for some seconds; the server or media node may run or not.
    Reachability {
        /// As for `serve`.
        #[arg(long, env = "HOMELINE_CONFIG")]
        config: Option<PathBuf>,
        /// As for `serve`.
        #[arg(long)]
        data_dir: Option<PathBuf>,
        /// As for `serve`.
        #[arg(long, value_enum, value_delimiter = ',')]
        roles: Vec<Role>,
    },
    /// Prints the configuration file with every setting, its meaning and its default.
    ConfigExample,
}

fn main() -> ExitCode {
    match run(Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("homeline: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: Arguments) -> anyhow::Result<()> {
    match arguments.command {
        Command::Serve {
            config,
            data_dir,
            roles,
        } => {
            let config = configured(config.as_deref(), data_dir, roles)?;
            homeline::telemetry::start(&config.log)?;
            let runtime = tokio::runtime::Builder::new_multi_thread()
                .enable_all()
                .build()?;
            runtime.block_on(homeline::node::serve(config))
        }
        Command::Reachability {
            config,
            data_dir,
            roles,
        } => {
            let config = configured(config.as_deref(), data_dir, roles)?;
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()?;
            print!("{}", runtime.block_on(homeline::outside::report(config))?);
            Ok(())
        }
        Command::ConfigExample => {
            print!("{}", config::example());
            Ok(())
        }
    }
}

/// The configuration, with what the command line says instead.
fn configured(
    file: Option<&Path>,
    data_dir: Option<PathBuf>,
    roles: Vec<Role>,
) -> anyhow::Result<Config> {
    let mut config = Config::load(file)?;
    if let Some(data_dir) = data_dir {
        config.server.data_dir = data_dir;
    }
    if !roles.is_empty() {
        config.server.roles = roles;
    }
    Ok(config)
}
