//! A real router before the home, which tells its address outside: `miniupnpd`, as many routers run it.

use std::fs::File;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use crate::namespace::{Cable, must};
use crate::people::PATIENCE;

const DAEMON: &str = "/usr/sbin/miniupnpd";

/// One that the daemon takes for public: it knows those that are kept for documentation. Nothing leads out of here.
const OUTSIDE: &str = "11.0.0.7";

/// A running daemon, ended with the test.
struct Router(Child);

impl Router {
    fn start(cable: &Cable, folder: &Path, speaks: &str) -> Self {
        let inside = &cable.left.namespace;
        let configuration = format!(
            "ext_ifname=outside\nlistening_ip={inside}\nport=0\n{speaks}\nsecure_mode=yes\n\
             uuid=73a9cb68-a00f-4d3f-8412-5d1d6ebb0b9b\n"
        );
        let file = folder.join("miniupnpd.conf");
        std::fs::write(&file, configuration).unwrap();
        let log = File::create(folder.join("log")).unwrap();
        let child = Command::new("ip")
            .args(["netns", "exec", inside, DAEMON, "-d", "-f"])
            .arg(&file)
            .arg("-P")
            .arg(folder.join("pid"))
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn();
        Self(child.unwrap())
    }
}

impl Drop for Router {
    fn drop(&mut self) {
        self.0.kill().expect("the router was ours");
        self.0.wait().expect("the router was ours");
    }
}

/// Two networks behind one another: the cable's left end is the router's inside.
fn network() -> Option<Cable> {
    if !Path::new(DAEMON).exists() {
        eprintln!("SKIPPED: a real router needs the package miniupnpd");
        return None;
    }
    let cable = Cable::lay()?;
    let (router, home) = (&cable.left, &cable.right);
    let gateway = router.address.to_string();
    let leads = ["route", "add", "default", "via", &gateway];
    must("ip", &[&["-n", &home.namespace][..], &leads].concat());
    let at = ["-n", &router.namespace];
    let outside = format!("{OUTSIDE}/24");
    for words in [
        &[
            "link", "add", "outside", "type", "veth", "peer", "name", "provider",
        ][..],
        &["address", "add", &outside, "dev", "outside"],
        &["link", "set", "outside", "up"],
        &["link", "set", "provider", "up"],
    ] {
        must("ip", &[&at[..], words].concat());
    }
    Some(cable)
}

fn reachability(cable: &Cable, data: &Path) -> String {
    let output = Command::new("ip")
        .args(["netns", "exec", &cable.right.namespace])
        .arg(env!("CARGO_BIN_EXE_homeline"))
        .args(["reachability", "--data-dir"])
        .arg(data)
        .current_dir(data)
        .output()
        .unwrap();
    let words = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{words}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn a_real_router_tells_its_address_by_nat_pmp_and_by_upnp() {
    let Some(cable) = network() else { return };
    for (speaks, by) in [
        ("enable_upnp=no\nenable_natpmp=yes", "NAT-PMP"),
        ("enable_upnp=yes\nenable_natpmp=no", "UPnP"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let _router = Router::start(&cable, folder.path(), speaks);
        let told = format!("The router's address outside is {OUTSIDE} (it says so by {by}).");
        let deadline = Instant::now() + PATIENCE;
        // It takes a moment until it listens.
        loop {
            let text = reachability(&cable, folder.path());
            if text.contains(&told) {
                break;
            }
            let log = std::fs::read_to_string(folder.path().join("log")).unwrap();
            assert!(Instant::now() < deadline, "{text}\n{log}");
        }
    }
}
