//! Makes sure that there is an app to embed: a page that says how to build it, where it is not built yet.

use std::fs;
use std::path::Path;

const PLACEHOLDER: &str = "<!doctype html><title>Homeline</title><p>This server was built without its app. \
                           Run `make app`, then build again.</p>\n";

fn main() {
    let dist = Path::new("app/dist");
    println!("cargo::rerun-if-changed=app/dist");
    if !dist.join("index.html").exists() {
        fs::create_dir_all(dist).expect("app/dist can be made");
        fs::write(dist.join("index.html"), PLACEHOLDER).expect("app/dist can be written");
    }
}
