//! Commands from whoever stands at the device: standard input, or a socket beside it.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use anyhow::Context as _;
use tokio::io::{AsyncBufReadExt as _, AsyncRead, BufReader};
use tokio::net::UnixListener;
use tokio::sync::mpsc;

/// Commands that may wait.
const COMMANDS_MAX: usize = 16;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Command {
    Answer,
    Decline,
    HangUp,
    Mute(bool),
    Video(bool),
    /// The button that cuts the microphone's power, and gives it back.
    Microphone(bool),
    DoNotDisturb(bool),
    DoNotDisturbEverywhere(bool),
    /// One press of the button: answers what rings, hangs up what is on.
    Press,
    DoublePress,
    Call(String),
    /// Adds somebody to the call: a contact's name, or a handle.
    Add(String),
    CancelAdding,
    /// To a device of the household, by its label.
    MoveTo(String),
    /// The own call that runs at another device goes on here.
    TakeOver,
    EndForEveryone,
    /// Typed words, at every home device or those of a room.
    Announce {
        room: Option<String>,
        text: String,
    },
    /// Records what is said, for every home device or those of a room.
    RecordAnnouncement(Option<String>),
    SendAnnouncement,
    /// Speaks to every home device, or those of a room, as it is spoken.
    AnnounceLive(Option<String>),
    /// Answers the last announcement that was heard.
    AnswerAnnouncement(String),
    PlayAnnouncements,
    PutAnnouncementsAside,
    /// To somebody who knocks.
    Yes,
    No,
    /// Shuts a drop-in's sound in both directions, or ends that.
    Hush,
    EveryoneOut,
    /// Whether anybody may drop in here at all.
    AllowDropIn(bool),
    DropIn(String),
    Quit,
    Unknown(String),
}

impl Command {
    fn parse(line: &str) -> Option<Self> {
        let line = line.trim();
        let command = match line.to_lowercase().as_str() {
            "" => return None,
            "answer" => Self::Answer,
            "decline" => Self::Decline,
            "hang up" | "hangup" => Self::HangUp,
            "mute" => Self::Mute(true),
            "unmute" => Self::Mute(false),
            "video off" => Self::Video(false),
            "video on" => Self::Video(true),
            "microphone off" => Self::Microphone(false),
            "microphone on" => Self::Microphone(true),
            "do not disturb on" | "turn on do not disturb" => Self::DoNotDisturb(true),
            "do not disturb off" | "turn off do not disturb" => Self::DoNotDisturb(false),
            "do not disturb everywhere on" => Self::DoNotDisturbEverywhere(true),
            "do not disturb everywhere off" => Self::DoNotDisturbEverywhere(false),
            "press" => Self::Press,
            "double press" => Self::DoublePress,
            "cancel adding" | "stop adding" => Self::CancelAdding,
            "take over" | "take over here" => Self::TakeOver,
            "end for everyone" => Self::EndForEveryone,
            "record announcement" => Self::RecordAnnouncement(None),
            "send announcement" => Self::SendAnnouncement,
            "announce live" => Self::AnnounceLive(None),
            "play announcements" => Self::PlayAnnouncements,
            "put announcements aside" => Self::PutAnnouncementsAside,
            "yes" => Self::Yes,
            "no" => Self::No,
            "hush" | "unhush" => Self::Hush,
            "everyone out" => Self::EveryoneOut,
            "drop in off" | "disable drop in" => Self::AllowDropIn(false),
            "drop in on" => Self::AllowDropIn(true),
            "quit" | "exit" => Self::Quit,
            _ => Self::with_name(line),
        };
        Some(command)
    }

    /// A verb, and a name as somebody wrote it.
    fn with_name(line: &str) -> Self {
        let name = |verb: &str| {
            let (head, name) = line.split_at_checked(verb.len())?;
            let meant = head.eq_ignore_ascii_case(verb);
            meant.then(|| name.trim().to_owned())
        };
        None.or_else(|| name("call ").map(Self::Call))
            .or_else(|| name("add ").map(Self::Add))
            .or_else(|| name("move to ").map(Self::MoveTo))
            .or_else(|| {
                let room = name("record announcement in ")?;
                Some(Self::RecordAnnouncement(Some(room)))
            })
            .or_else(|| {
                let room = name("announce live in ")?;
                Some(Self::AnnounceLive(Some(room)))
            })
            .or_else(|| name("answer announcement: ").map(Self::AnswerAnnouncement))
            .or_else(|| {
                let (room, text) = name("announce in ")?.split_once(':').map(owned)?;
                let room = Some(room);
                Some(Self::Announce { room, text })
            })
            .or_else(|| {
                let (room, text) = (None, name("announce ")?);
                Some(Self::Announce { room, text })
            })
            .or_else(|| name("drop in on the ").map(Self::DropIn))
            .or_else(|| name("drop in on ").map(Self::DropIn))
            .unwrap_or_else(|| Self::Unknown(line.to_owned()))
    }
}

fn owned((room, text): (&str, &str)) -> (String, String) {
    (room.trim().to_owned(), text.trim().to_owned())
}

/// Listens on standard input, and on a socket if one is named. Only this user may use the socket.
pub(crate) fn listen(socket: Option<&Path>) -> anyhow::Result<mpsc::Receiver<Command>> {
    let (sender, receiver) = mpsc::channel(COMMANDS_MAX);
    let typed = sender.clone();
    // A thread of its own, since reading a terminal can't be interrupted.
    std::thread::spawn(move || {
        for line in std::io::stdin().lines().map_while(Result::ok) {
            if let Some(command) = Command::parse(&line)
                && typed.blocking_send(command).is_err()
            {
                return;
            }
        }
    });
    if let Some(path) = socket {
        // What a run before left behind.
        std::fs::remove_file(path).ok();
        let listener = UnixListener::bind(path)
            .with_context(|| format!("the control socket {}", path.display()))?;
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))?;
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(read(stream, sender.clone()));
            }
        });
    } else {
        // With standard input closed the device goes on; the sender is kept so that this is no end.
        tokio::spawn(async move { sender.closed().await });
    }
    Ok(receiver)
}

async fn read(from: impl AsyncRead + Unpin, commands: mpsc::Sender<Command>) {
    let mut lines = BufReader::new(from).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        if let Some(command) = Command::parse(&line)
            && commands.send(command).await.is_err()
        {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_what_people_say() {
        assert_eq!(Command::parse(" Answer "), Some(Command::Answer));
        assert_eq!(Command::parse("hang up"), Some(Command::HangUp));
        assert_eq!(Command::parse("Video off"), Some(Command::Video(false)));
        assert_eq!(Command::parse("video on"), Some(Command::Video(true)));
        assert_eq!(
            Command::parse("call Uncle Ben"),
            Some(Command::Call("Uncle Ben".to_owned()))
        );
        assert_eq!(
            Command::parse("Turn on do not disturb"),
            Some(Command::DoNotDisturb(true))
        );
        assert_eq!(Command::parse("double press"), Some(Command::DoublePress));
        assert_eq!(
            Command::parse("Add Aunt Cleo"),
            Some(Command::Add("Aunt Cleo".to_owned()))
        );
        assert_eq!(Command::parse("cancel adding"), Some(Command::CancelAdding));
        assert_eq!(
            Command::parse("move to Living room"),
            Some(Command::MoveTo("Living room".to_owned()))
        );
        assert_eq!(Command::parse("take over"), Some(Command::TakeOver));
        let announce = |room: Option<&str>| Command::Announce {
            room: room.map(str::to_owned),
            text: "Dinner's ready".to_owned(),
        };
        assert_eq!(
            Command::parse("announce Dinner's ready"),
            Some(announce(None))
        );
        assert_eq!(
            Command::parse("Announce in Upstairs: Dinner's ready"),
            Some(announce(Some("Upstairs")))
        );
        assert_eq!(
            Command::parse("Announce live"),
            Some(Command::AnnounceLive(None))
        );
        assert_eq!(
            Command::parse("announce live in Upstairs"),
            Some(Command::AnnounceLive(Some("Upstairs".to_owned())))
        );
        let drop_in = |name: &str| Some(Command::DropIn(name.to_owned()));
        assert_eq!(Command::parse("drop in on the kitchen"), drop_in("kitchen"));
        assert_eq!(Command::parse("Drop in on Uncle Ben"), drop_in("Uncle Ben"));
        assert_eq!(
            Command::parse("drop in off"),
            Some(Command::AllowDropIn(false))
        );
        assert_eq!(Command::parse(""), None);
        assert_eq!(
            Command::parse("dance"),
            Some(Command::Unknown("dance".to_owned()))
        );
    }
}
