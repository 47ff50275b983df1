//! The program `loadtest`: arguments, and nothing else.

use std::process::ExitCode;

use clap::Parser as _;
use loadtest::arguments::Arguments;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build();
    let run = runtime
        .map_err(Into::into)
        .and_then(|runtime| runtime.block_on(loadtest::run::run(arguments)));
    run.unwrap_or_else(|error| {
        eprintln!("loadtest: {error:#}");
        // A budget that does not hold ends with 1.
        ExitCode::from(2)
    })
}
