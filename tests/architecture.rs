//! The house has one direction: a dependency or a `use` that points back fails here.

#![expect(clippy::unwrap_used, reason = "a test may panic in its helpers too")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// Which of our crates each of our crates may use (docs: ARCHITECTURE.md, "Code map").
const CRATE_ARROWS: &[(&str, &[&str])] = &[
    (
        ".",
        &[
            "homeline-signaling",
            "homeline-media-node",
            "homeline-durable",
            "homeline-protocol",
        ],
    ),
    ("durable", &[]),
    ("protocol", &[]),
    ("e2ee", &["homeline-protocol"]),
    ("signaling", &["homeline-durable", "homeline-protocol"]),
    ("media/engine", &["homeline-protocol"]),
    (
        "media/node",
        &[
            "homeline-media-engine",
            "homeline-durable",
            "homeline-protocol",
        ],
    ),
    (
        "loadtest",
        &[
            "homeline-client",
            "homeline-media-node",
            "homeline-protocol",
        ],
    ),
    (
        "client",
        &["homeline-e2ee", "homeline-durable", "homeline-protocol"],
    ),
    (
        "device",
        &["homeline-client", "homeline-e2ee", "homeline-protocol"],
    ),
];

/// Crates without I/O must stay without these.
const NO_IO: &[&str] = &["protocol", "e2ee", "media/engine"];
const IO_CRATES: &[&str] = &[
    "tokio",
    "axum",
    "sqlx",
    "reqwest",
    "hyper",
    "tokio-tungstenite",
];

/// Inside signaling a `use` points only to the right; layers in one cell do not know each other.
const LAYERS: &[&[&str]] = &[
    &["edge"],
    &["domain"],
    &["store", "bus", "gateway"],
    &["model"],
];

#[test]
fn crates_depend_only_along_the_arrows() {
    for (folder, allowed) in CRATE_ARROWS {
        let ours = dependencies(folder)
            .into_iter()
            .filter(|name| name.starts_with("homeline"));
        let back: Vec<_> = ours
            .filter(|name| !allowed.contains(&name.as_str()))
            .collect();
        assert!(back.is_empty(), "{folder} must not depend on {back:?}");
    }
}

#[test]
fn core_crates_do_no_io() {
    for folder in NO_IO {
        let io: Vec<_> = dependencies(folder)
            .into_iter()
            .filter(|name| IO_CRATES.contains(&name.as_str()))
            .collect();
        assert!(io.is_empty(), "{folder} does no I/O, but depends on {io:?}");
    }
}

/// `tap` shows packets and `plaintext-control` sends in clear: windows of the tests, in no shipped build.
#[test]
fn no_shipped_crate_switches_a_test_window_on() {
    for (folder, _) in CRATE_ARROWS {
        let manifest = fs::read_to_string(root().join(folder).join("Cargo.toml")).unwrap();
        let manifest: BTreeMap<String, toml::Value> = toml::from_str(&manifest).unwrap();
        let shipped = manifest["dependencies"].to_string();
        let default = manifest
            .get("features")
            .and_then(|features| features.get("default"));
        let default = default.map(ToString::to_string).unwrap_or_default();
        for window in ["tap", "plaintext-control"] {
            let quoted = format!("\"{window}\"");
            assert!(!shipped.contains(&quoted), "{folder} depends on {window}");
            assert!(
                !default.contains(&quoted),
                "{folder} has {window} by default"
            );
        }
    }
}

#[test]
fn inside_signaling_a_use_points_only_right() {
    let source = root().join("signaling/src");
    for (rank, layer) in layers() {
        for file in rust_files(&source.join(layer)) {
            let text = fs::read_to_string(&file).unwrap();
            for (other_rank, other) in layers().filter(|(_, other)| *other != layer) {
                let allowed = other_rank > rank;
                let uses = text.contains(&format!("crate::{other}"));
                assert!(allowed || !uses, "{} must not use {other}", file.display());
            }
        }
    }
}

/// The order of the ladder is the order of the `mod` lines in `signaling/src/domain/mod.rs`.
#[test]
fn a_domain_service_uses_only_those_before_it() {
    let domain = root().join("signaling/src/domain");
    let contents = fs::read_to_string(domain.join("mod.rs")).unwrap();
    let ladder: Vec<&str> = contents
        .lines()
        .map(|line| {
            line.trim()
                .trim_start_matches("pub(crate) ")
                .trim_start_matches("pub ")
        })
        .filter_map(|line| line.strip_prefix("mod ")?.strip_suffix(';'))
        .collect();
    assert!(
        ladder.len() > 3,
        "the ladder is read from domain/mod.rs: {ladder:?}"
    );
    for (rung, service) in ladder.iter().enumerate() {
        for file in rust_files(&domain.join(service)) {
            let text = fs::read_to_string(&file).unwrap();
            for above in &ladder[rung + 1..] {
                let uses = text.contains(&format!("domain::{above}"));
                assert!(
                    !uses,
                    "{} must not use {above}, which comes after it",
                    file.display()
                );
            }
        }
    }
}

#[test]
fn every_file_says_what_it_is_for() {
    let folders = CRATE_ARROWS
        .iter()
        .map(|(folder, _)| root().join(folder).join("src"));
    for file in folders.flat_map(|folder| rust_files(&folder)) {
        let text = fs::read_to_string(&file).unwrap();
        assert!(
            text.starts_with("//! "),
            "{} does not open with a //! sentence",
            file.display()
        );
    }
}

fn layers() -> impl Iterator<Item = (usize, &'static str)> {
    LAYERS
        .iter()
        .enumerate()
        .flat_map(|(rank, cell)| cell.iter().map(move |layer| (rank, *layer)))
}

fn dependencies(folder: &str) -> BTreeSet<String> {
    let manifest = fs::read_to_string(root().join(folder).join("Cargo.toml")).unwrap();
    let manifest: BTreeMap<String, toml::Value> = toml::from_str(&manifest).unwrap();
    let table = manifest["dependencies"].as_table().unwrap();
    table.keys().cloned().collect()
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else {
        return Vec::new();
    };
    let mut files = Vec::new();
    for entry in entries {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(rust_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}
