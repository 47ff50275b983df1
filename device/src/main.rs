//! `homeline-device`: a home device without a screen, on the Rust SDK.

mod announcing;
mod arguments;
mod buttons;
#[cfg(feature = "sound-card")]
mod card;
mod chime;
mod company;
mod control;
mod drop_in;
mod folder;
mod hearing;
mod led;
mod live;
mod mix;
mod output;
mod pair;
mod picture;
mod report;
mod ring;
mod run;
mod vibrator;
mod voice;

use std::process::ExitCode;

use clap::Parser as _;

use crate::arguments::{Arguments, Command};

/// How the program ended, for scripts. 2 is wrong usage, which clap says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    Done = 0,
    /// Something failed; the message says what to do.
    Failed = 1,
    /// The pairing was refused in the app, or the digits were wrong.
    NotPaired = 3,
    /// The encryption was refused, or the household is not the one pinned: possibly an attack.
    Refused = 4,
    /// The call did not come about.
    NotConnected = 5,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    tracing_subscriber::fmt()
        .with_env_filter(tracing_subscriber::EnvFilter::new(&arguments.log))
        .with_writer(std::io::stderr)
        .init();
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&error.into()),
    };
    let ending = runtime.block_on(async {
        match arguments.command {
            Command::Pair(pair) => pair::pair(&arguments.common, pair).await,
            Command::Announce(announcement) => {
                announcing::announce(&arguments.common, announcement).await
            }
            Command::Run(options) => run::run(&arguments.common, options, None).await,
            Command::Call { name, options } => {
                run::run(&arguments.common, options, Some(name)).await
            }
        }
    });
    // Tasks that wait for standard input would hold the program up.
    runtime.shutdown_background();
    match ending {
        Ok(ending) => ExitCode::from(ending as u8),
        Err(error) => fail(&error),
    }
}

fn fail(error: &anyhow::Error) -> ExitCode {
    eprintln!("homeline-device: {error:#}");
    ExitCode::from(Ending::Failed as u8)
}
