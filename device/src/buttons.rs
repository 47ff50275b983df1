//! The device's own switches and its double press: the microphone, do not disturb, the top contact.

use homeline_protocol::session::{CameraSwitch, Switches};

use crate::output;
use crate::report::Told;
use crate::run::{Device, State};

impl Device {
    /// Capturing stops first; then others are told.
    pub(crate) async fn switch_microphone(&mut self, on: bool) {
        self.microphone.send_replace(on);
        self.indicator.microphone_off(!on);
        if let State::Visited(visited) = &self.state {
            visited.microphone(on).await;
        }
        let switches = Switches {
            microphone: on,
            camera: CameraSwitch::On,
        };
        if let Err(error) = self.client.set_switches(switches).await {
            self.warn(&error);
        }
    }

    pub(crate) async fn do_not_disturb(&mut self, on: bool, everywhere: bool) {
        let set = if everywhere {
            self.client.set_do_not_disturb_everywhere(on).await
        } else {
            self.client.set_do_not_disturb(on).await
        };
        match set {
            Ok(()) => self.report.tell(&Told::DoNotDisturb { on, everywhere }),
            Err(error) => self.warn(&error),
        }
    }

    pub(crate) async fn call_top_contact(&mut self) -> anyhow::Result<()> {
        let Some(name) = self.client.top_contact() else {
            let text = "there is no top contact; choose one in the app".to_owned();
            self.report.tell(&Told::Warning { text });
            return Ok(());
        };
        self.vibrator.shake();
        output::confirm(&self.output).await;
        self.report.tell(&Told::Confirmed);
        self.dial(&name).await
    }
}
