//! What the device tells on standard output: sentences for people, or a JSON object a line for programs.

use std::io::Write as _;

use homeline_client::home::{Person, Trust};
use homeline_protocol::session::{AnnouncementHeard, DropInRefusal, DropInStage, EndReason};
use serde::Serialize;

use crate::drop_in;
use crate::led::Light;

/// Something worth telling. Names appear here, which is what this output is for; never in the log.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub(crate) enum Told {
    Ready {
        household: String,
    },
    Digits {
        digits: String,
    },
    Paired {
        household: String,
    },
    NoVoice,
    Light {
        light: Light,
    },
    /// The microphone is off, or on again.
    RedLight {
        on: bool,
    },
    /// A command was understood, and heard to be.
    Confirmed,
    DoNotDisturb {
        on: bool,
        everywhere: bool,
    },
    Ringing {
        from: String,
        trust: &'static str,
        video: bool,
        /// No new call: the household's own, which would go on here.
        #[serde(skip_serializing_if = "std::ops::Not::not")]
        moves: bool,
    },
    /// A second call, while one is on.
    Waiting {
        from: String,
        trust: &'static str,
        video: bool,
    },
    /// The second call waits no more.
    WaitingEnded {
        reason: EndReason,
    },
    Adding {
        name: String,
    },
    AddingRings {
        name: String,
    },
    NotAdded {
        name: String,
        reason: EndReason,
    },
    /// A further participant is there, or gone.
    Joined {
        name: String,
    },
    Left {
        name: String,
    },
    Moving {
        to: String,
    },
    NotMoved {
        to: String,
        reason: EndReason,
    },
    /// The own call is being fetched from another device.
    TakingOver {
        from: String,
    },
    Spoken {
        text: String,
    },
    Calling {
        to: String,
    },
    RingsThere,
    Answered,
    Secured {
        code: String,
        with: String,
        trust: &'static str,
    },
    Media {
        connected: bool,
    },
    ToneHeard {
        hertz: f64,
    },
    /// The other side's picture was decoded, so many times in this call.
    PictureSeen {
        width: u32,
        height: u32,
        frames: u64,
    },
    PartyConnection {
        connected: bool,
    },
    Warning {
        text: String,
    },
    Refused {
        text: String,
    },
    Connection {
        connected: bool,
    },
    Ended {
        reason: EndReason,
    },
    /// Somebody drops in here; the tone plays.
    DropIn {
        from: String,
        trust: &'static str,
        picture: bool,
        knocks: bool,
    },
    /// A drop-in, here or there, stands so.
    DropInStage {
        stage: DropInStage,
    },
    /// It has lasted long.
    DropInGoesOn,
    /// Nobody was let in here, or there.
    DropInRefused {
        #[serde(skip_serializing_if = "Option::is_none")]
        from: Option<String>,
        refusal: DropInRefusal,
    },
    /// Why its connection is gone; its end follows.
    DropInLost {
        reason: EndReason,
    },
    DropInEnded {
        by: &'static str,
    },
    /// This device drops in there.
    DroppingIn {
        to: String,
    },
    DroppedIn {
        room: String,
    },
    /// Whether anybody may drop in here.
    DropInAllowed {
        on: bool,
    },
    EveryoneOut,
    Unknown {
        command: String,
    },
    /// Something is announced here.
    Announcement {
        from: String,
    },
    /// It came during do not disturb.
    AnnouncementOffered {
        from: String,
    },
    AnnouncementPutAside {
        from: String,
    },
    AnnouncementText {
        from: String,
        text: String,
    },
    AnnouncementPlays {
        from: String,
    },
    AnnouncementPlayed {
        from: String,
    },
    Recording,
    /// What was said here is on its way to so many devices.
    Announced {
        devices: usize,
    },
    /// Somebody speaks here now.
    Live {
        from: String,
    },
    LiveOver {
        from: String,
    },
    /// So many devices were told that somebody speaks here.
    AnnouncingLive {
        devices: usize,
    },
    /// This one hears it, and no more.
    LiveHeard {
        at: String,
    },
    LiveLeft {
        at: String,
    },
    LiveDeclined {
        at: String,
    },
    /// What another device made of it.
    AnnouncementHeard {
        at: String,
        heard: AnnouncementHeard,
    },
}

#[derive(Clone, Copy)]
pub(crate) struct Report {
    json: bool,
}

impl Report {
    pub(crate) fn new(json: bool) -> Self {
        Self { json }
    }

    pub(crate) fn tell(self, told: &Told) {
        let line = match self.json {
            true => serde_json::to_string(told).unwrap_or_default(),
            false => sentence(told),
        };
        if line.is_empty() {
            return;
        }
        let mut out = std::io::stdout().lock();
        // Nobody reads any more: the device goes on.
        writeln!(out, "{line}").and_then(|()| out.flush()).ok();
    }
}

pub(crate) fn trust(person: &Person) -> &'static str {
    match person.trust {
        Trust::Family => "family",
        Trust::Verified => "verified",
        Trust::Unverified => "unverified",
        Trust::FirstContact => "first_contact",
        Trust::Guest => "guest",
    }
}

fn sentence(told: &Told) -> String {
    match told {
        Told::Ready { household } => format!("Ready. This device belongs to {household}."),
        Told::Digits { digits } => format!("Type these digits into the app: {digits}"),
        Told::Paired { household } => format!("Paired with {household}."),
        Told::NoVoice => "flite is not installed: calls ring, but names are not spoken.".to_owned(),
        Told::Light { light } => format!("[{}]", light.words()),
        Told::RedLight { on: true } => "[red light: the microphone is off]".to_owned(),
        Told::RedLight { on: false } => "[red light off]".to_owned(),
        Told::Confirmed => "Calling the top contact.".to_owned(),
        Told::DoNotDisturb { on, everywhere } => format!(
            "Do not disturb is {}{}.",
            if *on { "on" } else { "off" },
            if *everywhere { " everywhere" } else { "" }
        ),
        Told::Ringing { .. }
        | Told::Spoken { .. }
        | Told::Calling { .. }
        | Told::RingsThere
        | Told::Answered
        | Told::PictureSeen { .. }
        | Told::Secured { .. } => call_sentence(told),
        Told::Media { connected: true } => String::new(),
        Told::Media { connected: false } => "The line is broken; waiting for it.".to_owned(),
        Told::ToneHeard { hertz } => format!("A tone of {hertz} Hz is heard."),
        Told::PartyConnection { connected: true } => "The other side is back.".to_owned(),
        Told::PartyConnection { connected: false } => "The other side lost its line.".to_owned(),
        Told::Warning { text } => format!("Warning: {text}"),
        Told::Refused { text } => format!("REFUSED, possibly an attack: {text}"),
        Told::Connection { connected: true } => "Connected to the server.".to_owned(),
        Told::Connection { connected: false } => "The server can't be reached; trying.".to_owned(),
        Told::Waiting { .. }
        | Told::WaitingEnded { .. }
        | Told::Adding { .. }
        | Told::AddingRings { .. }
        | Told::NotAdded { .. }
        | Told::Joined { .. }
        | Told::Left { .. }
        | Told::Moving { .. }
        | Told::NotMoved { .. }
        | Told::TakingOver { .. } => company_sentence(told),
        Told::Announcement { .. }
        | Told::AnnouncementOffered { .. }
        | Told::AnnouncementPutAside { .. }
        | Told::AnnouncementText { .. }
        | Told::AnnouncementPlays { .. }
        | Told::AnnouncementPlayed { .. }
        | Told::Recording
        | Told::Announced { .. }
        | Told::Live { .. }
        | Told::LiveOver { .. }
        | Told::AnnouncingLive { .. }
        | Told::LiveHeard { .. }
        | Told::LiveLeft { .. }
        | Told::LiveDeclined { .. }
        | Told::AnnouncementHeard { .. } => announcement_sentence(told),
        Told::DropIn { .. }
        | Told::DropInStage { .. }
        | Told::DropInGoesOn
        | Told::DropInRefused { .. }
        | Told::DropInLost { .. }
        | Told::DropInEnded { .. }
        | Told::DroppingIn { .. }
        | Told::DroppedIn { .. }
        | Told::DropInAllowed { .. }
        | Told::EveryoneOut => drop_in::sentence(told),
        Told::Ended { reason } => format!("The call is over: {}.", end_words(*reason)),
        Told::Unknown { command } => format!(
            "I don't know \"{command}\". Say: answer, decline, hang up, mute, unmute, video off, video on, call NAME, add NAME, cancel adding, move to DEVICE, take over, end for everyone, announce TEXT, announce live, record announcement, drop in on NAME, drop in off, drop in on, yes, no, hush, everyone out, quit."
        ),
    }
}

/// A call until both hear each other.
fn call_sentence(told: &Told) -> String {
    match told {
        Told::Ringing {
            from, moves: true, ..
        } => format!("Your call with {from} would go on here. (answer, decline)"),
        Told::Ringing { from, trust, .. } => match *trust {
            "family" | "verified" => format!("{from} calls. (answer, decline)"),
            _ => format!("{from} calls; who it is was never verified. (answer, decline)"),
        },
        Told::Spoken { .. } => String::new(),
        Told::Calling { to } => format!("Calling {to}."),
        Told::RingsThere => "It rings.".to_owned(),
        Told::Answered => "Answered.".to_owned(),
        Told::Secured { code, with, trust } => match *trust {
            "family" | "verified" => format!("Encrypted with {with}. Call code: {code}"),
            _ => format!("Encrypted with {with}, unverified. Compare the call code: {code}"),
        },
        Told::PictureSeen {
            width,
            height,
            frames: 1,
        } => format!("A picture is seen, {width} by {height}."),
        _ => String::new(),
    }
}

/// What is announced, here and from here.
fn announcement_sentence(told: &Told) -> String {
    match told {
        Told::Announcement { from } => format!("{from} announces something."),
        Told::AnnouncementOffered { from } => format!(
            "{from} announced something during do not disturb. (play announcements, put announcements aside)"
        ),
        Told::AnnouncementPutAside { from } => format!("{from}'s announcement was put aside."),
        Told::AnnouncementText { from, text } => format!("{from} says: {text}"),
        Told::AnnouncementPlays { from } => format!("[{from}'s announcement]"),
        Told::Recording => "Recording. (send announcement)".to_owned(),
        Told::Announced { devices } => format!("Announced at {devices} devices."),
        Told::Live { from } => format!("{from} announces, and is heard now. (hang up)"),
        Told::LiveOver { from } => format!("{from} is heard no more."),
        Told::LiveHeard { at } => format!("You are heard at {at}."),
        Told::LiveLeft { at } => format!("You are heard at {at} no more."),
        Told::LiveDeclined { at } => format!("{at} does not take it."),
        Told::AnnouncingLive { devices } => {
            format!("Speak: {devices} devices were told. (hang up)")
        }
        Told::AnnouncementHeard { at, heard } => match heard {
            AnnouncementHeard::Played => format!("It was heard at {at}."),
            AnnouncementHeard::Shown => format!("It was shown at {at}."),
            AnnouncementHeard::PutAside => format!("It was not heard at {at}."),
        },
        _ => String::new(),
    }
}

/// More than two, moves, and a second call.
fn company_sentence(told: &Told) -> String {
    match told {
        Told::Waiting { from, trust, .. } => match *trust {
            "family" | "verified" => {
                format!("{from} calls too. (answer ends the present call; decline)")
            }
            _ => format!(
                "{from} calls too; who it is was never verified. (answer ends the present call; decline)"
            ),
        },
        Told::WaitingEnded { reason } => {
            format!("The second call is over: {}.", end_words(*reason))
        }
        Told::Adding { name } => format!("Calling {name} into the call. (cancel adding)"),
        Told::AddingRings { name } => format!("It rings at {name}."),
        Told::NotAdded { name, reason } => format!("{name} does not come: {}.", end_words(*reason)),
        Told::Joined { name } => format!("{name} is in the call."),
        Told::Left { name } => format!("{name} has left the call."),
        Told::Moving { to } => format!("Asking {to} to take the call."),
        Told::NotMoved { to, reason } => {
            format!(
                "The call stays here; {to} did not take it: {}.",
                end_words(*reason)
            )
        }
        Told::TakingOver { from } => format!("Fetching your call with {from}."),
        _ => String::new(),
    }
}

pub(crate) fn end_words(reason: EndReason) -> &'static str {
    match reason {
        EndReason::HungUp => "hung up",
        EndReason::Declined => "declined",
        EndReason::Cancelled => "the caller gave up",
        EndReason::NoAnswer => "nobody answered",
        EndReason::AnsweredElsewhere => "answered on another device",
        EndReason::Busy => "busy",
        EndReason::Unreachable => "nobody could be reached",
        EndReason::DeviceLost => "a device was lost",
        EndReason::DeviceRevoked => "a device was removed from its household",
        EndReason::ServerRestarted => "the server was restarted",
        EndReason::EncryptionRefused => "the encryption was refused",
        EndReason::MediaFailed => "no line for sound could be made",
        EndReason::Moved => "it goes on at another device",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_read_a_tag_and_people_a_sentence() {
        let told = Told::Ended {
            reason: EndReason::HungUp,
        };
        let json = serde_json::to_string(&told).unwrap();
        assert_eq!(json, r#"{"event":"ended","reason":"hung_up"}"#);
        assert_eq!(sentence(&told), "The call is over: hung up.");
        let told = Told::PictureSeen {
            width: 320,
            height: 240,
            frames: 1,
        };
        let json = serde_json::to_string(&told).unwrap();
        assert_eq!(
            json,
            r#"{"event":"picture_seen","width":320,"height":240,"frames":1}"#
        );
        assert_eq!(sentence(&told), "A picture is seen, 320 by 240.");
        let light = serde_json::to_string(&Told::Light {
            light: Light::PulsingGreen,
        })
        .unwrap();
        assert_eq!(light, r#"{"event":"light","light":"pulsing_green"}"#);
    }
}
