//! The command line.

use std::path::PathBuf;
use std::str::FromStr;

use clap::{Args, Parser, Subcommand};
use homeline_client::MediaWays;

/// A home device: rings, speaks who calls, answers, calls.
#[derive(Parser)]
#[command(version, about)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(crate) common: Common,
    /// What is logged to standard error, as in "info" or "homeline_client=debug".
    #[arg(
        long,
        default_value = "warn,rtc_dtls=error",
        env = "HOMELINE_DEVICE_LOG",
        global = true
    )]
    pub(crate) log: String,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Args)]
pub(crate) struct Common {
    /// The server, as `https://home.example`. Needed for pairing; remembered afterwards.
    #[arg(long, env = "HOMELINE_SERVER", global = true)]
    pub(crate) server: Option<String>,
    /// The certificate (PEM) of the server's own authority, as `homeline serve` makes it.
    #[arg(long, global = true)]
    pub(crate) authority: Option<PathBuf>,
    /// Where keys and pins are kept.
    #[arg(
        long,
        default_value = "homeline-device",
        env = "HOMELINE_DEVICE_FOLDER",
        global = true
    )]
    pub(crate) folder: PathBuf,
    /// The ways that sound and pictures may take to the server, with commas between: udp, tcp, and relay,
    /// or of relays relay-udp, relay-tcp and relay-tls alone. All are tried unless this leaves some out.
    #[arg(
        long,
        value_name = "WAYS",
        default_value_t,
        env = "HOMELINE_DEVICE_MEDIA_WAYS",
        global = true
    )]
    pub(crate) media_ways: MediaWays,
    /// Tell what happens as one JSON object a line.
    #[arg(long, global = true)]
    pub(crate) json: bool,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Join a household: shows six digits to be typed into the app of that person.
    Pair(Pair),
    /// Wait for calls. Commands on standard input: answer, decline, hang up, mute, unmute, video off, video on, call NAME, add NAME, cancel adding, move to DEVICE, take over, end for everyone, announce TEXT, announce in ROOM: TEXT, record announcement, send announcement, answer announcement: TEXT, play announcements, put announcements aside, drop in on NAME, drop in off, drop in on, yes, no, hush, everyone out, press, double press, quit.
    Run(CallOptions),
    /// Announce something at the other home devices, and tell who heard it.
    Announce(Announcement),
    /// Call a contact, and end with the call. With a picture it is a video call.
    Call {
        /// The contact's name, or a handle.
        name: String,
        #[command(flatten)]
        options: CallOptions,
    },
}

#[derive(Args)]
pub(crate) struct Pair {
    /// Whose device this is.
    #[arg(long)]
    pub(crate) handle: String,
    /// What the household will call it, as "Kitchen".
    #[arg(long)]
    pub(crate) label: String,
    /// Do not speak the digits.
    #[arg(long)]
    pub(crate) quiet: bool,
}

/// Every other home device hears it, unless a room or a device is named.
#[derive(Args)]
pub(crate) struct Announcement {
    /// What is said, by the devices' own voices.
    #[arg(long, conflicts_with = "sound")]
    pub(crate) text: Option<String>,
    /// A WAV file of a minute at most, played as it is.
    #[arg(long, value_name = "FILE.wav")]
    pub(crate) sound: Option<PathBuf>,
    /// At the devices of this room, as their settings name it.
    #[arg(long, value_name = "ROOM", conflicts_with = "at")]
    pub(crate) room: Option<String>,
    /// At the device with this label.
    #[arg(long, value_name = "LABEL")]
    pub(crate) at: Option<String>,
    /// How long to wait for the devices that have not said that they heard it, in seconds.
    #[arg(long, default_value_t = 90)]
    pub(crate) wait: u64,
}

#[derive(Args, Clone)]
pub(crate) struct CallOptions {
    /// The microphone: silence, tone:HERTZ, a WAV file, or card.
    #[arg(long, default_value = default_input())]
    pub(crate) sound_in: Input,
    /// The speaker: none, a WAV file to be written, or card.
    #[arg(long, default_value = default_output())]
    pub(crate) sound_out: Outlet,
    /// Say so when this tone is heard in a call (for trying a line; may be given again).
    #[arg(long, value_name = "HERTZ")]
    pub(crate) listen_for: Vec<f64>,
    /// The picture to send in video calls: pattern (a moving test picture), or a Y4M file, which is
    /// played over and over. With it the device takes the other side's picture too, and tells that it
    /// is seen. Without, calls are of sound only.
    #[arg(long, value_name = "pattern|FILE.y4m")]
    pub(crate) picture: Option<Picture>,
    /// How long this device's picture is frosted when somebody drops in, in seconds: 5 to 30, or 0 for the
    /// own household alone.
    #[arg(long, value_name = "SECONDS", default_value = "10", value_parser = frosted)]
    pub(crate) frosted: u64,
    /// A Linux LED (a folder below /sys/class/leds) as the call light.
    #[arg(long)]
    pub(crate) led: Option<PathBuf>,
    /// A Linux vibrator (a folder below /sys/class/leds), to feel that two presses were taken.
    #[arg(long)]
    pub(crate) vibrator: Option<PathBuf>,
    /// A motion sensor: a file that says 1 while it sees something move, and 0 otherwise, as the value of a
    /// GPIO pin does. Whoever may drop in here then sees that somebody was near.
    #[arg(long, value_name = "FILE")]
    pub(crate) motion: Option<PathBuf>,
    /// A socket that takes the same commands as standard input.
    #[arg(long)]
    pub(crate) control: Option<PathBuf>,
}

/// Where a call's own sound comes from.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Input {
    Silence,
    Tone(f64),
    File(PathBuf),
    Card,
}

/// Where sound goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Outlet {
    None,
    File(PathBuf),
    Card,
}

/// Where a call's own picture comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Picture {
    Pattern,
    File(PathBuf),
}

impl FromStr for Input {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "silence" => Ok(Self::Silence),
            "card" => card().map(|()| Self::Card),
            _ => match text.strip_prefix("tone:").map(str::parse::<f64>) {
                Some(Ok(hertz)) if (20.0..=20_000.0).contains(&hertz) => Ok(Self::Tone(hertz)),
                Some(_) => Err("a tone has 20 to 20000 hertz, as in tone:1000".to_owned()),
                None => Ok(Self::File(text.into())),
            },
        }
    }
}

impl FromStr for Outlet {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "none" => Ok(Self::None),
            "card" => card().map(|()| Self::Card),
            _ => Ok(Self::File(text.into())),
        }
    }
}

impl FromStr for Picture {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "pattern" => Ok(Self::Pattern),
            file if file.to_lowercase().ends_with(".y4m") => Ok(Self::File(file.into())),
            _ => Err("a picture is pattern, or a file whose name ends in .y4m".to_owned()),
        }
    }
}

fn frosted(text: &str) -> Result<u64, String> {
    let seconds = text.parse::<u64>().ok();
    seconds
        .filter(|seconds| matches!(seconds, 0 | 5..=30))
        .ok_or_else(|| "a picture is frosted for 5 to 30 seconds, or 0".to_owned())
}

fn card() -> Result<(), String> {
    match cfg!(feature = "sound-card") {
        true => Ok(()),
        false => Err("this build has no sound card; build with --features sound-card".to_owned()),
    }
}

const fn default_input() -> &'static str {
    if cfg!(feature = "sound-card") {
        "card"
    } else {
        "silence"
    }
}

const fn default_output() -> &'static str {
    if cfg!(feature = "sound-card") {
        "card"
    } else {
        "none"
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn pictures_are_named_as_the_help_says() {
        assert_eq!("pattern".parse(), Ok(Picture::Pattern));
        assert_eq!("a.Y4M".parse(), Ok(Picture::File("a.Y4M".into())));
        assert!("camera".parse::<Picture>().is_err());
    }

    #[test]
    fn sounds_are_named_as_the_help_says() {
        assert_eq!("tone:1000".parse(), Ok(Input::Tone(1_000.0)));
        assert_eq!("silence".parse(), Ok(Input::Silence));
        assert_eq!("a.wav".parse(), Ok(Input::File("a.wav".into())));
        assert!("tone:".parse::<Input>().is_err() && "tone:5".parse::<Input>().is_err());
        assert_eq!("none".parse(), Ok(Outlet::None));
    }
}
