//! The certificate authority: made once, kept in the data directory, its key readable by the owner only.

use std::fs;
use std::path::{Path, PathBuf};

use rcgen::{
    BasicConstraints, CertificateParams, CidrSubnet, DistinguishedName, DnType, GeneralSubtree,
    IsCa, Issuer, KeyPair, KeyUsagePurpose, NameConstraints,
};
use ring::digest::{SHA256, digest};
use time::{Duration, OffsetDateTime};

use super::Names;

/// Ten years: it is installed by hand on every phone of a family, so it should outlive them.
const LIFETIME: Duration = Duration::days(3650);

/// The authority of this server.
pub struct Authority {
    /// The certificate, DER, as phones take it.
    pub certificate_der: Vec<u8>,
    /// The same, PEM, as programs take it (`homeline-device --authority`).
    pub certificate_pem: String,
    /// What it may vouch for.
    pub names: Names,
    params: CertificateParams,
    key: KeyPair,
}

/// Why the authority can't be opened or made.
#[derive(Debug, thiserror::Error)]
pub enum AuthorityError {
    /// A file of it can't be read or written.
    #[error("the certificate authority at {path}: {source}")]
    File {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A file of it holds something else.
    #[error(
        "the certificate authority at {0} is damaged: restore it from a backup, or delete the directory to make a new one (every phone must then install the new one)"
    )]
    Damaged(PathBuf),
    /// It can't be made.
    #[error("making a certificate: {0}")]
    Make(#[from] rcgen::Error),
}

impl Authority {
    /// Opens the authority in `directory`, or makes one for `names` there.
    ///
    /// # Errors
    /// When its files can't be read or written, or hold something else.
    pub fn open_or_make(directory: &Path, names: &Names) -> Result<Self, AuthorityError> {
        let (key_file, names_file) = (
            directory.join("authority.key.pem"),
            directory.join("authority.names.json"),
        );
        let certificate_file = directory.join("authority.der");
        let pem_file = directory.join("authority.pem");
        // The certificate is written last, so a half-made authority is made anew.
        if certificate_file.exists() {
            let damaged = || AuthorityError::Damaged(directory.to_owned());
            let key = KeyPair::from_pem(&read(&key_file)?).map_err(|_| damaged())?;
            let names = serde_json::from_str(&read(&names_file)?).map_err(|_| damaged())?;
            let certificate_der =
                fs::read(&certificate_file).map_err(file_error(&certificate_file))?;
            let certificate_pem = read(&pem_file)?;
            let params = params(&names, OffsetDateTime::now_utc())?;
            return Ok(Self {
                certificate_der,
                certificate_pem,
                params,
                names,
                key,
            });
        }
        fs::create_dir_all(directory).map_err(file_error(directory))?;
        let key = KeyPair::generate()?;
        let params = params(names, OffsetDateTime::now_utc())?;
        let certificate = params.self_signed(&key)?;
        let (certificate_der, certificate_pem) = (certificate.der().to_vec(), certificate.pem());
        write(&key_file, key.serialize_pem().as_bytes())?;
        write(
            &names_file,
            serde_json::to_string(names).unwrap_or_default().as_bytes(),
        )?;
        write(&pem_file, certificate_pem.as_bytes())?;
        write(&certificate_file, &certificate_der)?;
        Ok(Self {
            certificate_der,
            certificate_pem,
            names: names.clone(),
            params,
            key,
        })
    }

    /// The SHA-256 fingerprint of its certificate, as phones show it.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        let hash = digest(&SHA256, &self.certificate_der);
        let pairs: Vec<String> = hash
            .as_ref()
            .iter()
            .map(|byte| format!("{byte:02X}"))
            .collect();
        pairs.join(":")
    }

    pub(super) fn issuer(&self) -> Issuer<'_, &KeyPair> {
        Issuer::from_params(&self.params, &self.key)
    }
}

fn params(names: &Names, now: OffsetDateTime) -> Result<CertificateParams, rcgen::Error> {
    let mut params = CertificateParams::new(Vec::new())?;
    let mut subject = DistinguishedName::new();
    subject.push(DnType::CommonName, "Homeline at home");
    params.distinguished_name = subject;
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.not_before = now - Duration::days(1);
    params.not_after = now + LIFETIME;
    let hosts = names
        .hosts
        .iter()
        .map(|name| GeneralSubtree::DnsName(name.clone()));
    let addresses = names.addresses.iter().map(|address| {
        let bits = if address.is_ipv4() { 32 } else { 128 };
        GeneralSubtree::IpAddress(CidrSubnet::from_addr_prefix(*address, bits))
    });
    params.name_constraints = Some(NameConstraints {
        permitted_subtrees: hosts.chain(addresses).collect(),
        excluded_subtrees: Vec::new(),
    });
    Ok(params)
}

fn read(path: &Path) -> Result<String, AuthorityError> {
    fs::read_to_string(path).map_err(file_error(path))
}

fn write(path: &Path, content: &[u8]) -> Result<(), AuthorityError> {
    homeline_durable::write(path, content).map_err(file_error(path))
}

fn file_error(path: &Path) -> impl FnOnce(std::io::Error) -> AuthorityError + use<> {
    let path = path.to_owned();
    move |source| AuthorityError::File { path, source }
}
