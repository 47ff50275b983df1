//! The last results of the test from outside: a small file beside the database, which a command reads while the
//! server runs.

use std::io;
use std::net::IpAddr;
use std::path::Path;

use homeline_protocol::session::{OutsideLast, OutsideWay};
use serde::{Deserialize, Serialize};

/// The longest file that is read; ours has some hundred bytes.
const FILE_BYTES_MAX: u64 = 64 * 1024;

/// What the file holds.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Kept {
    /// The last test of each way.
    pub last: Vec<(OutsideWay, OutsideLast)>,
    /// The home's public address as testers reached it.
    pub reached_at: Option<IpAddr>,
}

/// Reads the file; none is empty.
///
/// # Errors
/// When it can't be read, or is none of ours.
pub fn read(file: &Path) -> io::Result<Kept> {
    let opened = match std::fs::File::open(file) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Kept::default()),
        opened => opened?,
    };
    let bounded = io::Read::take(opened, FILE_BYTES_MAX);
    Ok(serde_json::from_reader(bounded)?)
}

/// Replaces the file. Done means that it survives a power cut.
///
/// # Errors
/// When it can't be written.
pub fn write(file: &Path, kept: &Kept) -> io::Result<()> {
    homeline_durable::write(file, &serde_json::to_vec(kept)?)
}
