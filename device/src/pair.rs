//! `pair`: this device asks to join somebody's household.

use homeline_client::api::{NewDevice, PairError, offer_pairing};
use homeline_client::{Client, Identity};
use homeline_protocol::session::DeviceKind;

use crate::Ending;
use crate::arguments::{Common, Outlet, Pair};
use crate::report::{Report, Told};
use crate::voice::Voice;
use crate::{folder, output, ring};

pub(crate) async fn pair(common: &Common, pair: Pair) -> anyhow::Result<Ending> {
    let report = Report::new(common.json);
    let server = folder::server(common)?;
    let device = NewDevice {
        kind: DeviceKind::HomeDevice,
        label: pair.label.clone(),
    };
    let offered = offer_pairing(&server, pair.handle.parse()?, device).await?;
    if !common.json {
        println!(
            "Open the app of {}, go to \"Add a device\", and wait for this one to appear.",
            pair.handle
        );
    }
    let shown = match offered.digits().await {
        Ok(shown) => shown,
        Err(error) => return refused(report, error),
    };
    let digits = shown.text();
    report.tell(&Told::Digits {
        digits: digits.clone(),
    });
    if !pair.quiet {
        tokio::spawn(async move { speak(&digits, report).await });
    }
    let identity: Identity = match shown.finish().await {
        Ok(identity) => identity,
        Err(error) => return refused(report, error),
    };
    folder::keep(common, &identity)?;
    let path = folder::identity_path(common);
    let (client, _events) = Client::connect(server, identity, Some(path)).await?;
    let household = client.household().roster().name().to_owned();
    report.tell(&Told::Paired { household });
    Ok(Ending::Done)
}

fn refused(report: Report, error: PairError) -> anyhow::Result<Ending> {
    match error {
        PairError::Refused => {
            report.tell(&Told::Warning {
                text: error.to_string(),
            });
            Ok(Ending::NotPaired)
        }
        PairError::Broken(_) | PairError::Household(_) => {
            report.tell(&Told::Refused {
                text: error.to_string(),
            });
            Ok(Ending::Refused)
        }
        other => Err(other.into()),
    }
}

/// The digits one by one, twice.
async fn speak(digits: &str, report: Report) {
    let Some(voice) = Voice::find() else {
        return report.tell(&Told::NoVoice);
    };
    let outlet = if cfg!(feature = "sound-card") {
        Outlet::Card
    } else {
        Outlet::None
    };
    let spaced: Vec<String> = digits.chars().map(String::from).collect();
    let text = format!("The digits are {}", spaced.join(", "));
    match (voice.say(&text).await, output::open(&outlet)) {
        (Ok(speech), Ok(output)) => {
            for _ in 0..2 {
                ring::play(&speech, &output).await;
                report.tell(&Told::Spoken { text: text.clone() });
            }
        }
        (Err(error), _) | (_, Err(error)) => tracing::warn!(%error, "the digits can't be spoken"),
    }
}
