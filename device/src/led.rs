//! The call light: what it shows when, and drivers for lights that a device may have.

use std::fs;
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::report::{Report, Told};

/// What the light shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Light {
    Off,
    /// Somebody calls.
    PulsingGreen,
    /// A call goes on; for the whole of it.
    Green,
}

impl Light {
    pub(crate) fn words(self) -> &'static str {
        match self {
            Self::Off => "light off",
            Self::PulsingGreen => "light pulses green",
            Self::Green => "green light",
        }
    }
}

/// Something that can show a light. Makers add drivers for theirs.
pub(crate) trait Led: Send {
    /// False: it can't be shown.
    fn show(&mut self, light: Light) -> bool;

    /// The red light of a microphone that is off; beside the call light, not instead of it.
    fn microphone_off(&mut self, off: bool);
}

/// Tells the light on standard output.
pub(crate) struct Terminal(pub(crate) Report);

impl Led for Terminal {
    fn show(&mut self, light: Light) -> bool {
        self.0.tell(&Told::Light { light });
        true
    }

    fn microphone_off(&mut self, off: bool) {
        self.0.tell(&Told::RedLight { on: off });
    }
}

/// A light of the Linux LED class, as a Raspberry Pi has.
pub(crate) struct Sysfs {
    folder: PathBuf,
}

impl Sysfs {
    pub(crate) fn new(folder: &Path) -> Self {
        Self {
            folder: folder.to_owned(),
        }
    }

    fn write(&self, file: &str, value: &str) -> bool {
        // A light that fails must not end a call.
        let written = fs::write(self.folder.join(file), value);
        if let Err(error) = &written {
            tracing::warn!(%error, file, "the LED can't be set");
        }
        written.is_ok()
    }
}

impl Led for Sysfs {
    fn show(&mut self, light: Light) -> bool {
        match light {
            Light::Off => self.write("trigger", "none") & self.write("brightness", "0"),
            Light::PulsingGreen => self.write("trigger", "timer"),
            Light::Green => self.write("trigger", "none") & self.write("brightness", "255"),
        }
    }

    // It is the call light, and has one colour.
    fn microphone_off(&mut self, _off: bool) {}
}

/// Shows each state once on all lights that there are.
pub(crate) struct Indicator {
    leds: Vec<Box<dyn Led>>,
    shown: Light,
    /// Whether all of them could show it.
    shows: bool,
}

impl Indicator {
    pub(crate) fn new(report: Report, led: Option<&Path>) -> Self {
        let mut leds: Vec<Box<dyn Led>> = vec![Box::new(Terminal(report))];
        if let Some(folder) = led {
            leds.push(Box::new(Sysfs::new(folder)));
        }
        Self {
            leds,
            shown: Light::Off,
            shows: true,
        }
    }

    pub(crate) fn microphone_off(&mut self, off: bool) {
        self.leds.iter_mut().for_each(|led| led.microphone_off(off));
    }

    /// False: some light that the device has can't show it.
    pub(crate) fn show(&mut self, light: Light) -> bool {
        if light != self.shown {
            self.shown = light;
            self.shows = true;
            for led in &mut self.leds {
                self.shows &= led.show(light);
            }
        }
        self.shows
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    struct Seen(Arc<Mutex<Vec<Light>>>);

    impl Led for Seen {
        fn show(&mut self, light: Light) -> bool {
            self.0.lock().unwrap().push(light);
            true
        }

        fn microphone_off(&mut self, _off: bool) {}
    }

    #[test]
    fn each_state_is_shown_once() {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let mut indicator = Indicator {
            leds: vec![Box::new(Seen(seen.clone()))],
            shown: Light::Off,
            shows: true,
        };
        for light in [
            Light::Off,
            Light::PulsingGreen,
            Light::PulsingGreen,
            Light::Green,
            Light::Off,
        ] {
            indicator.show(light);
        }
        assert_eq!(
            *seen.lock().unwrap(),
            [Light::PulsingGreen, Light::Green, Light::Off]
        );
    }

    #[test]
    fn a_linux_led_is_written() {
        let folder = tempfile::tempdir().unwrap();
        let mut led = Sysfs::new(folder.path());
        assert!(led.show(Light::Green));
        assert_eq!(
            fs::read_to_string(folder.path().join("brightness")).unwrap(),
            "255"
        );
        assert!(led.show(Light::PulsingGreen));
        assert_eq!(
            fs::read_to_string(folder.path().join("trigger")).unwrap(),
            "timer"
        );
        assert!(!Sysfs::new(Path::new("/nowhere")).show(Light::Green));
    }
}
