//! Links between network namespaces, as bad as they are told to be.
//!
//! `bad_network a b` makes the interfaces `a-near`, `a-far`, `b-near` and `b-far` and says `ready`. Each line of its
//! input then changes a link, as `{"link":"a","up":{"loss_per_mille":50},"down":{"delay_ms":50},"fence":{"udp":false}}`,
//! and is answered by a line with what passed so far. It ends with its input. Needs the right to make interfaces.

use std::collections::HashMap;
use std::io::{BufRead as _, Write as _};

use anyhow::Context as _;
use loadtest::weather::Weather;
use loadtest::wires::{Fence, Link};
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Change {
    link: String,
    #[serde(default)]
    up: Weather,
    #[serde(default)]
    down: Weather,
    #[serde(default)]
    fence: Fence,
}

fn main() -> anyhow::Result<()> {
    let names: Vec<String> = std::env::args().skip(1).collect();
    anyhow::ensure!(!names.is_empty(), "name the links, as in: bad_network a b");
    let mut links = HashMap::new();
    for (seed, name) in (1..).zip(names) {
        let link =
            Link::open(&name, seed).context("the interfaces can't be made; are you root?")?;
        links.insert(name, link);
    }
    let mut out = std::io::stdout();
    writeln!(out, "ready")?;
    for line in std::io::stdin().lock().lines() {
        let change: Change = serde_json::from_str(&line?).context("not a change")?;
        let link = links.get(&change.link).context("no such link")?;
        link.change(change.up, change.down, &change.fence);
        writeln!(out, "{}", serde_json::to_string(&link.passed())?)?;
    }
    Ok(())
}
