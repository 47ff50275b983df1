//! The authority is kept, its key is private, and it can vouch for nothing but this host.

use std::os::unix::fs::PermissionsExt as _;
use std::sync::Arc;

use rcgen::{CertificateParams, KeyPair};
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier as _;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};

use super::*;

fn names() -> Names {
    Names {
        hosts: ["localhost".to_owned(), "homeline.local".to_owned()].into(),
        addresses: ["127.0.0.1".parse().unwrap(), "192.168.7.2".parse().unwrap()].into(),
    }
}

fn verifies(authority: &Authority, leaf: &CertificateDer<'_>, name: &str) -> bool {
    let mut roots = rustls::RootCertStore::empty();
    roots.add(authority.certificate_der.clone().into()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider)
        .build()
        .unwrap();
    let name = ServerName::try_from(name.to_owned()).unwrap();
    verifier
        .verify_server_cert(leaf, &[], &name, &[], UnixTime::now())
        .is_ok()
}

fn leaf_for(authority: &Authority, name: &str) -> CertificateDer<'static> {
    let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
    let key = KeyPair::generate().unwrap();
    params
        .signed_by(&key, &authority.issuer())
        .unwrap()
        .der()
        .clone()
}

#[test]
fn the_authority_is_made_once_and_its_key_is_private() {
    let directory = tempfile::tempdir().unwrap();
    let made = Authority::open_or_make(directory.path(), &names()).unwrap();
    let opened = Authority::open_or_make(directory.path(), &Names::of_this_host(&[])).unwrap();
    assert_eq!(made.fingerprint(), opened.fingerprint());
    assert_eq!(opened.names, names());
    for file in directory.path().read_dir().unwrap() {
        let mode = file.unwrap().metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "others can read a file of the authority");
    }
}

#[test]
fn a_certificate_outside_the_hosts_names_is_refused_by_clients() {
    let directory = tempfile::tempdir().unwrap();
    let authority = Authority::open_or_make(directory.path(), &names()).unwrap();
    for name in ["localhost", "homeline.local", "192.168.7.2"] {
        assert!(
            verifies(&authority, &leaf_for(&authority, name), name),
            "{name}"
        );
    }
    for name in ["bank.example", "192.168.7.3"] {
        assert!(
            !verifies(&authority, &leaf_for(&authority, name), name),
            "{name}"
        );
    }
}

#[test]
fn a_damaged_authority_is_an_error_and_never_silently_replaced() {
    let directory = tempfile::tempdir().unwrap();
    Authority::open_or_make(directory.path(), &names()).unwrap();
    std::fs::write(directory.path().join("authority.key.pem"), "no key").unwrap();
    let refused = Authority::open_or_make(directory.path(), &names());
    assert!(matches!(refused, Err(AuthorityError::Damaged(_))));
}
