//! Network namespaces joined by a cable of two virtual ends, with hosts that live inside.

use std::fs::File;
use std::net::Ipv4Addr;
use std::os::fd::AsFd as _;
use std::process::{Command, Stdio};

use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};
use tokio::runtime::Runtime;
use tokio::task::JoinHandle;

/// Two hosts and the cable between them. All of it goes away with the value.
pub(crate) struct Cable {
    pub(crate) left: Host,
    pub(crate) right: Host,
}

/// One end: a network of its own, and a runtime whose sockets are made there.
pub(crate) struct Host {
    pub(crate) namespace: String,
    pub(crate) address: Ipv4Addr,
    runtime: Option<Runtime>,
}

impl Cable {
    /// `None` when this machine can't: said in words, so that a skipped test is seen.
    pub(crate) fn lay() -> Option<Self> {
        let able = rustix::process::geteuid().is_root()
            && run("ip", &["netns", "list"])
            && run("iptables", &["--version"]);
        if !able {
            eprintln!("SKIPPED: network namespaces need root, `ip` and `iptables`");
            return None;
        }
        let name = format!("hl{:x}{:x}", std::process::id(), rand::random::<u16>());
        let (left, right) = (format!("{name}l"), format!("{name}r"));
        // Made as values at once, so that a failure further down takes them away too.
        let mut cable = Self {
            left: Host::new(&left, Ipv4Addr::new(10, 77, 0, 1)),
            right: Host::new(&right, Ipv4Addr::new(10, 77, 0, 2)),
        };
        // Containers and changed roots may make namespaces and still not enter them.
        if !run("ip", &["netns", "exec", &left, "true"]) {
            eprintln!("SKIPPED: this machine does not let `ip` enter network namespaces");
            return None;
        }
        must(
            "ip",
            &[
                "link", "add", &left, "netns", &left, "type", "veth", "peer", "name", &right,
                "netns", &right,
            ],
        );
        for host in [&mut cable.left, &mut cable.right] {
            host.plug_in();
        }
        Some(cable)
    }

    /// Cuts it: what is sent from either end vanishes on the way, as on a radio link.
    pub(crate) fn cut(&self) {
        self.rule("-A");
    }

    /// Mends it.
    pub(crate) fn mend(&self) {
        self.rule("-D");
    }

    fn rule(&self, what: &str) {
        for Host { namespace, .. } in [&self.left, &self.right] {
            let rule = [
                "-t",
                "raw",
                what,
                "PREROUTING",
                "-i",
                namespace,
                "-j",
                "DROP",
            ];
            let inside = ["netns", "exec", namespace, "iptables", "-w"];
            must("ip", &[&inside[..], &rule[..]].concat());
        }
    }
}

impl Host {
    fn new(namespace: &str, address: Ipv4Addr) -> Self {
        must("ip", &["netns", "add", namespace]);
        Self {
            namespace: namespace.to_owned(),
            address,
            runtime: None,
        }
    }

    fn plug_in(&mut self) {
        let name = &self.namespace;
        let address = format!("{}/24", self.address);
        must("ip", &["-n", name, "address", "add", &address, "dev", name]);
        must("ip", &["-n", name, "link", "set", name, "up"]);
        must("ip", &["-n", name, "link", "set", "lo", "up"]);
        let path = format!("/run/netns/{name}");
        // The runtime's threads begin in the namespace of the thread that makes it.
        let making = std::thread::spawn(move || {
            let namespace = File::open(path).unwrap();
            move_into_link_name_space(namespace.as_fd(), Some(LinkNameSpaceType::Network)).unwrap();
            let mut runtime = tokio::runtime::Builder::new_multi_thread();
            runtime.worker_threads(1).enable_all().build().unwrap()
        });
        self.runtime = Some(making.join().unwrap());
    }

    /// A firewall before this host: what a rule names does not leave it, and vanishes.
    pub(crate) fn refuse(&self, rule: &[&str]) {
        let own = ["-o", &self.namespace];
        let inside = [
            "netns",
            "exec",
            &self.namespace,
            "iptables",
            "-w",
            "-A",
            "OUTPUT",
        ];
        must("ip", &[&inside[..], &own, rule, &["-j", "DROP"]].concat());
    }

    /// Runs something on this host.
    pub(crate) fn spawn<T: Send + 'static>(
        &self,
        future: impl Future<Output = T> + Send + 'static,
    ) -> JoinHandle<T> {
        self.runtime.as_ref().expect("plugged in").spawn(future)
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
        run("ip", &["netns", "del", &self.namespace]);
    }
}

pub(crate) fn must(program: &str, arguments: &[&str]) {
    assert!(
        run(program, arguments),
        "{program} {} failed",
        arguments.join(" ")
    );
}

fn run(program: &str, arguments: &[&str]) -> bool {
    let mut command = Command::new(program);
    command
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}
