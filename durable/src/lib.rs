//! Files that are there whole or not at all, also after a power cut.
//!
//! A crate of its own because server, media node and client need it, and what they share otherwise does no I/O.

#![warn(missing_docs)]

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

/// What stands behind a file's name while it is written.
const UNFINISHED: &str = ".new";

/// Replaces a file's content. Done means that it survives a power cut; failed means that the old content stays, or,
/// if only the folder could not be synced, that either may be there. Only the file's owner may read it. Its folder must be there. Whoever writes the same file at the same time must wait.
///
/// # Errors
/// What the system says, as when the folder is full or may not be written.
pub fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let mut beside = path.as_os_str().to_owned();
    beside.push(UNFINISHED);
    let beside = Path::new(&beside);
    let written = write_beside(beside, bytes).and_then(|()| fs::rename(beside, path));
    if written.is_err() {
        // What can't be removed is in nobody's way: the next write tries it again.
        fs::remove_file(beside).ok();
    }
    written?;
    File::open(folder)?.sync_all()
}

fn write_beside(beside: &Path, bytes: &[u8]) -> io::Result<()> {
    // A leftover of an interrupted run may have another owner or other rights: begin anew.
    if let Err(error) = fs::remove_file(beside)
        && error.kind() != io::ErrorKind::NotFound
    {
        return Err(error);
    }
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(beside)?;
    file.write_all(bytes)?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<_> = fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn a_file_is_replaced_whole_is_private_and_leaves_nothing_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("kept.json");
        write(&path, b"a long first content").unwrap();
        write(&path, b"second").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"second");
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(names(folder.path()), ["kept.json"]);
    }

    #[test]
    fn a_leftover_of_an_interrupted_run_gives_its_rights_to_nobody() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        let leftover = folder.path().join("key.new");
        fs::write(&leftover, "half a k").unwrap();
        fs::set_permissions(&leftover, fs::Permissions::from_mode(0o444)).unwrap();
        write(&path, b"key").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"key");
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        // Nor is what a link there leads to written over.
        let other = folder.path().join("other");
        fs::write(&other, "of somebody").unwrap();
        std::os::unix::fs::symlink(&other, &leftover).unwrap();
        write(&path, b"next").unwrap();
        assert_eq!(fs::read(&other).unwrap(), b"of somebody");
        assert_eq!(names(folder.path()), ["key", "other"]);
    }

    #[test]
    fn what_fails_leaves_the_old_content_and_says_so() {
        let folder = tempfile::tempdir().unwrap();
        let taken = folder.path().join("taken");
        fs::create_dir(&taken).unwrap();
        write(&taken, b"a file can't replace a folder").unwrap_err();
        assert_eq!(names(folder.path()), ["taken"], "no half file stays");
        let nowhere = folder.path().join("missing/file");
        let error = write(&nowhere, b"").unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
    }
}
