//! What is announced passes through the server as ciphertext: its sound is in no file of it and nowhere in its
//! memory, while the same search finds the ciphertext in both.

use std::collections::HashSet;
use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::Duration;

use homeline_client::ClientEvent;
use homeline_client::announcements::{Content, IncomingAnnouncement, encode};
use homeline_protocol::session::{AnnounceTo, Reply, Request};
use rand::RngCore as _;

use crate::people::{Person, soon};
use crate::server::Server as Process;

/// Sixteen bytes in a row are no accident.
const TRACE_BYTES: usize = 16;

/// How different the bytes of a trace are: silence, and lengths of packets in a row, are found anywhere.
const DIFFERENT_BYTES_MIN: usize = 10;

/// Memory is read in pieces of this size.
const PIECE_BYTES: usize = 1 << 20;

// req: ANN-1, ANN-2
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_sound_of_an_announcement_is_in_no_file_of_the_server_and_not_in_its_memory() {
    let data = tempfile::tempdir().unwrap();
    let server = Process::start(data.path());
    let anna = Person::found(&server.here(), "anna").await;
    let identity = anna.pair(&server.here(), "anna", "Kitchen").await;
    let mut kitchen = Person::connect(&server.here(), identity).await;
    can_hear(&anna).await;
    anna.client.refresh().await.unwrap();

    // Noise, so that nothing of it is anywhere by chance.
    let mut bytes = vec![0; 2 * 96_000];
    rand::rng().fill_bytes(&mut bytes);
    let pairs = bytes.chunks_exact(2);
    let samples: Vec<i16> = pairs
        .map(|pair| i16::from_le_bytes([pair[0], pair[1]]))
        .collect();
    let (ogg, length_ms) = encode(&samples).unwrap();
    let content = Content::Sound {
        ogg: ogg.clone(),
        length_ms,
    };
    let announcing = anna
        .client
        .announce(AnnounceTo::Home, content.clone(), None);
    let announcing = soon("announcing", announcing).await.unwrap();
    let incoming = announced(&mut kitchen).await;
    assert!(incoming.content == content);
    let announcement = announcing.id;
    let fetched = Request::GetAnnouncement { announcement };
    let fetched = kitchen.client.session().request(fetched).await.unwrap();
    let Reply::AnnouncementContent {
        content: ciphertext,
    } = fetched
    else {
        panic!("{fetched:?}")
    };

    let places = files_in(data.path());
    assert!(!places.is_empty());
    let in_files = |wanted: &Search<'_>| -> usize {
        let read = |path: &PathBuf| wanted.count(&std::fs::read(path).unwrap());
        places.iter().map(read).sum()
    };
    for (what, clear) in [("samples", &bytes), ("Opus", &ogg)] {
        let search = Search::of(clear);
        assert!(search.traces.len() > 100, "{what}");
        assert_eq!(in_files(&search), 0, "{what} in a file");
        assert_eq!(in_memory(&server, &search), 0, "{what} in memory");
    }
    let sealed = Search::of(&ciphertext.0);
    assert!(in_files(&sealed) > 0, "the ciphertext is stored");
    // What was handed out a moment ago went through its memory.
    assert!(in_memory(&server, &sealed) > 0, "the search finds memory");
}

/// Pieces of something, to be found wherever they are.
struct Search<'a> {
    traces: HashSet<&'a [u8]>,
    /// Whether any begins with these two bytes: most places are left at the first look.
    begins: Vec<bool>,
}

impl<'a> Search<'a> {
    fn of(bytes: &'a [u8]) -> Self {
        let telling = |trace: &&[u8]| {
            let different: HashSet<u8> = trace.iter().copied().collect();
            different.len() >= DIFFERENT_BYTES_MIN
        };
        let traces: HashSet<&[u8]> = bytes.chunks_exact(TRACE_BYTES).filter(telling).collect();
        let mut begins = vec![false; 1 << 16];
        for trace in &traces {
            begins[begin(trace)] = true;
        }
        Self { traces, begins }
    }

    fn count(&self, place: &[u8]) -> usize {
        let windows = place.windows(TRACE_BYTES);
        let windows = windows.filter(|window| self.begins[begin(window)]);
        windows
            .filter(|window| self.traces.contains(window))
            .count()
    }
}

fn begin(bytes: &[u8]) -> usize {
    usize::from(u16::from_le_bytes([bytes[0], bytes[1]]))
}

/// How often it is found in all that the server's process holds in memory.
fn in_memory(server: &Process, search: &Search<'_>) -> usize {
    let process = server.pid();
    let maps = std::fs::read_to_string(format!("/proc/{process}/maps")).unwrap();
    let mut memory = File::open(format!("/proc/{process}/mem")).unwrap();
    let mut found = 0;
    let mut searched = 0;
    for line in maps.lines() {
        let mut fields = line.split_whitespace();
        let (range, rights) = (fields.next().unwrap(), fields.next().unwrap());
        let (from, to) = range.split_once('-').unwrap();
        let number = |text| u64::from_str_radix(text, 16).unwrap();
        // What the kernel lends a process can't be read.
        if !rights.starts_with('r') || line.ends_with("[vvar]") || line.ends_with("[vsyscall]") {
            continue;
        }
        let (mut at, end) = (number(from), number(to));
        while at < end {
            let length = usize::try_from(end - at).unwrap().min(PIECE_BYTES);
            let mut piece = vec![0; length];
            memory.seek(SeekFrom::Start(at)).unwrap();
            // A mapping may have gone meanwhile.
            if memory.read_exact(&mut piece).is_err() {
                break;
            }
            found += search.count(&piece);
            searched += length;
            if length < PIECE_BYTES {
                break;
            }
            // What lies across two pieces is seen with the second.
            at += u64::try_from(length - TRACE_BYTES).unwrap();
        }
    }
    assert!(searched > 10 << 20, "{searched} bytes of memory were read");
    found
}

/// All files below a folder.
fn files_in(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(files_in(&path));
        } else if path.is_file() {
            files.push(path);
        }
    }
    files
}

async fn announced(device: &mut Person) -> IncomingAnnouncement {
    soon("an announcement", async {
        loop {
            match device.events.recv().await.expect("the client lives") {
                ClientEvent::Announcement(incoming) => return *incoming,
                ClientEvent::AnnouncementRefused { because, .. } => panic!("refused: {because}"),
                _ => {}
            }
        }
    })
    .await
}

/// Waits until the household's home device can be sealed to.
async fn can_hear(person: &Person) {
    soon("a sealing key", async {
        loop {
            let asked = person.client.session().request(Request::GetSealingKeys);
            let Ok(Reply::SealingKeys { keys }) = asked.await else {
                panic!("no keys")
            };
            if !keys.is_empty() {
                return;
            }
            // The server tells nobody of a new one; a session may ask 20 times a second.
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    })
    .await;
}
