//! The app's TypeScript types are generated from the Rust ones; this fails when they are stale.
//! `UPDATE=1 cargo test -p homeline-protocol --test typescript` writes them anew.

use homeline_protocol::{http, session};
use ts_rs::{Config, ExportError, TS, TypeVisitor};

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../app/src/protocol.ts");

#[test]
fn typescript_types_are_fresh() {
    let mut collector = Collector::default();
    collector.add::<session::ClientFrame>();
    collector.add::<session::ServerFrame>();
    collector.add::<http::SignUp>();
    collector.add::<http::SignedIn>();
    collector.add::<http::SignIn>();
    collector.add::<http::RecoverBegin>();
    collector.add::<http::RecoverTicket>();
    collector.add::<http::RecoverFinish>();
    collector.add::<http::PairingOffer>();
    collector.add::<http::PairingOpened>();
    collector.add::<http::PairingState>();
    collector.add::<http::PairingReveal>();
    collector.add::<http::About>();
    collector.add::<session::PushNotice>();
    collector.add::<http::PushKey>();
    collector.add::<http::PushDecline>();
    collector.add::<http::ConsentLink>();
    collector.add::<http::ConsentReview>();
    collector.add::<http::Knock>();
    collector.add::<http::Knocked>();
    collector.add::<session::OutsideTicket>();
    collector.add::<session::OutsideBegun>();
    collector.add::<session::OutsideOffer>();
    collector.add::<session::OutsideAnswer>();
    collector.add::<session::OutsideReport>();
    let text = collector.text();
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(FILE, &text).unwrap();
    }
    let held = std::fs::read_to_string(FILE).unwrap_or_default();
    assert!(
        held == text,
        "app/src/protocol.ts is stale: run this test with UPDATE=1"
    );
}

#[derive(Default)]
struct Collector {
    declarations: std::collections::BTreeMap<String, String>,
    failed: Option<ExportError>,
}

impl Collector {
    fn add<T: TS + 'static + ?Sized>(&mut self) {
        self.visit::<T>();
    }

    fn text(self) -> String {
        assert!(self.failed.is_none(), "{:?}", self.failed);
        let mut text = String::from(
            "// Generated from the Rust types by `protocol/tests/typescript.rs`. Do not edit.\n\n",
        );
        text += &format!(
            "export const PROTOCOL_VERSION = {};\n",
            homeline_protocol::PROTOCOL_VERSION
        );
        for declaration in self.declarations.into_values() {
            text += &format!("\nexport {declaration}\n");
        }
        text
    }
}

impl TypeVisitor for Collector {
    fn visit<T: TS + 'static + ?Sized>(&mut self) {
        let config = Config::default();
        if T::output_path().is_none() {
            T::visit_dependencies(self);
            return;
        }
        let name = T::ident(&config);
        if self.declarations.contains_key(&name) {
            return;
        }
        self.declarations.insert(name, T::decl(&config));
        T::visit_dependencies(self);
    }
}
