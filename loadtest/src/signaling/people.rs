//! People who sign up before a scenario begins.

use anyhow::{Context as _, Result};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use homeline_client::api::{Credentials, FounderPlan, found_household};
use homeline_client::{Identity, Server};
use homeline_protocol::Secret;

use super::stage::Stage;

/// Sign-ups at once while preparing.
const AT_ONCE: usize = 8;

/// Somebody with an account, a household and an app.
pub(super) struct Person {
    pub(super) handle: String,
    pub(super) identity: Identity,
}

/// What handles of one run begin with: two runs against one server must not meet.
pub(super) fn family() -> String {
    format!("lt{:08x}n", rand::random::<u32>())
}

/// Somebody's handle and password, and what they choose.
pub(super) fn founder(family: &str, number: u64) -> Result<(Credentials, FounderPlan)> {
    let handle = format!("{family}{number}");
    let credentials = Credentials {
        handle: handle.parse().context("a handle")?,
        password: Secret::new(format!("{:032x}", rand::random::<u128>())),
    };
    let plan = FounderPlan {
        display_name: "Load".to_owned(),
        label: "Load test".to_owned(),
        household_name: "Load test".to_owned(),
    };
    Ok((credentials, plan))
}

impl Stage<'_> {
    /// So many people who are signed up.
    pub(super) async fn people(&self, count: usize) -> Result<Vec<Person>> {
        self.progress.phase(format!("{count} people sign up"));
        let family = family();
        let people = stream::iter(0..count as u64)
            .map(|number| sign_up(self.server.clone(), family.clone(), number))
            .buffered(AT_ONCE)
            .try_collect();
        let people = self
            .stop
            .unless(people)
            .await
            .context("ended before it began")?;
        people.context("signing people up for the scenario")
    }
}

async fn sign_up(server: Server, family: String, number: u64) -> Result<Person> {
    let (credentials, plan) = founder(&family, number)?;
    let handle = credentials.handle.to_string();
    let founded = found_household(&server, credentials, plan).await?;
    Ok(Person {
        handle,
        identity: founded.identity,
    })
}
