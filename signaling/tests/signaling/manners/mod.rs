//! Who may reach whom, through real sessions: each rule once where it works and once where it is
//! refused.

mod busy;
mod children;
mod company;
mod do_not_disturb;
mod mid_call;
mod places;
mod strangers;
mod switches;

pub(crate) use busy::talk;
pub(crate) use children::family;

use homeline_protocol::id::{CallId, DeviceId};
use homeline_protocol::session::{
    ApiError, CameraSwitch, Event, MediaState, Outcome, Request, Switches,
};
use homeline_signaling::domain::calls::CallsConfig;

use crate::harness::{Client, Configs, Person, fresh};

/// Rings for three seconds, and says to the family after two that nobody was reached.
fn quick() -> Configs {
    let calls = CallsConfig {
        ring_timeout_secs: 3,
        unreachable_after_secs: 2,
        ..CallsConfig::default()
    };
    Configs {
        calls,
        ..Configs::default()
    }
}

/// The error of a request that must be refused.
async fn refused(client: &mut Client, request: Request) -> ApiError {
    match client.outcome(request).await {
        Outcome::Error(error) => error,
        Outcome::Ok(reply) => panic!("not refused: {reply:?}"),
    }
}

/// Calls, and says which of these devices have been rung by then.
async fn rung<'a>(
    caller: &mut Client,
    whom: &Person,
    devices: impl IntoIterator<Item = &'a mut Client>,
) -> Vec<bool> {
    let call = caller.call(whom).await;
    let mut rung = Vec::new();
    for device in devices {
        rung.push(hears_of(device, call).await);
    }
    caller.ok(Request::Cancel { call }).await;
    caller.ended(call).await;
    rung
}

/// Whether a device has been asked to ring for a call that was started before.
async fn hears_of(device: &mut Client, call: CallId) -> bool {
    let events = device.events_so_far().await;
    events
        .iter()
        .any(|event| matches!(event, Event::IncomingCall { call: of, .. } if *of == call))
}

fn silent(device: DeviceId, on: bool) -> Request {
    Request::SetDeviceDoNotDisturb { device, on }
}

fn switches(microphone: bool, camera: CameraSwitch) -> Request {
    let switches = Switches { microphone, camera };
    Request::SetSwitches { switches }
}

fn a_call() -> CallId {
    CallId(fresh())
}

const BOTH: MediaState = MediaState {
    microphone: true,
    camera: true,
};
