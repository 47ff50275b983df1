//! The example file is fresh, parses to the defaults, and the environment outranks a file.

use super::*;

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/config.example.toml");

/// `UPDATE=1 cargo test -p homeline --lib config` writes the file anew.
#[test]
fn the_example_file_is_fresh_and_says_the_defaults() {
    let text = example();
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(FILE, &text).unwrap();
    }
    let held = std::fs::read_to_string(FILE).unwrap_or_default();
    assert!(
        held == text,
        "config.example.toml is stale: run this test with UPDATE=1"
    );
    let parsed: Config = toml::from_str(&text).unwrap();
    let defaults = Config::default();
    assert_eq!(
        serde_json::to_value(parsed).unwrap(),
        serde_json::to_value(defaults).unwrap()
    );
}

#[test]
fn every_setting_is_explained() {
    let text = example();
    let mut before = "";
    for line in text.lines() {
        let is_setting = line.contains(" = ") && !line.starts_with('#');
        assert!(
            !is_setting || before.starts_with("# "),
            "no meaning is given for `{line}`"
        );
        before = line;
    }
}

#[test]
#[expect(clippy::result_large_err, reason = "the error is figment's")]
fn the_environment_outranks_the_file_and_an_unknown_setting_is_refused() {
    figment::Jail::expect_with(|jail| {
        jail.create_file("config.toml", "[server]\nhttp_port = 1\nhttps_port = 2\n")?;
        jail.set_env("HOMELINE_SERVER__HTTP_PORT", "3");
        jail.set_env("HOMELINE_SERVER", "https://home.example");
        let config = Config::load(None).map_err(|error| error.to_string())?;
        assert_eq!((config.server.http_port, config.server.https_port), (3, 2));
        jail.create_file("config.toml", "[server]\nhttp_prot = 1\n")?;
        let refused = Config::load(None).unwrap_err().to_string();
        assert!(refused.contains("http_prot"), "{refused}");
        Ok(())
    });
}
