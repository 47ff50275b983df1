//! People sign up and found households.

use anyhow::Result;
use homeline_client::api::found_household;

use super::people::{family, founder};
use super::stage::Stage;
use super::tally::Kind;
use super::watch::Words;
use crate::result::RunResult;

const KINDS: &[Kind] = &[(
    "latency",
    "Signing up",
    "From the moment at which somebody was meant to sign up until the server had stored account, household and app: \
     keys are made, the password is hashed as slowly as the settings say, everything is on the disk.",
)];

/// Runs it.
pub(super) async fn run(stage: &Stage<'_>, rate: f64) -> Result<RunResult> {
    let family = family();
    let begin = |number, intended| {
        let (server, tally) = (stage.server.clone(), stage.tally.clone());
        let who = founder(&family, number);
        async move {
            let Ok((credentials, plan)) = who else {
                return tally.error("not a handle");
            };
            match found_household(&server, credentials, plan).await {
                Ok(_) => {
                    tally.took("latency", true, intended);
                    tally.done();
                }
                Err(error) => tally.error(match error.code() {
                    Some(code) => format!("sign-up: {code:?}"),
                    None => "sign-up: no answer".to_owned(),
                }),
            }
        }
    };
    let seen = stage.during("sign-ups", stage.open_loop(rate, begin)).await;
    let words = Words {
        title: format!("register, {rate} a second"),
        story: format!(
            "{rate} people a second sign up, each founding a household of their own, in a real client that makes \
             its keys."
        ),
        participants: stage.tally.count(),
        participant: "person",
        counted: ("sign-up", "sign-ups"),
        kinds: KINDS,
    };
    Ok(stage.result(words, seen, None, Vec::new()))
}
