//! A real mail server for one test: Debian's Exim, with its own configuration, spool and certificate in
//! a temporary folder, on a free port of this machine. It takes mail over STARTTLS from whoever signs
//! in, and files it.

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use homeline_signaling::SignalingConfig;
use homeline_signaling::gateway::{MailWay, Security};
use homeline_signaling::model::Masked;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use tokio::io::{AsyncBufReadExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStderr, Command};
use tokio::time::timeout;

const PATIENCE: Duration = Duration::from_secs(30);
const USER: &str = "homeline";
const PASSWORD: &str = "a password of the mail server";
/// Exim gives root up at once; as root we start it as this user ("nobody").
const NOBODY: u32 = 65_534;

pub(crate) struct PostOffice {
    folder: tempfile::TempDir,
    port: u16,
    user: u32,
    running: Option<(Child, Lines<BufReader<ChildStderr>>)>,
    read: BTreeSet<PathBuf>,
}

impl PostOffice {
    /// Everything is prepared, and nothing listens.
    pub(crate) fn closed() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mine = folder.path().metadata().unwrap().uid();
        let user = if mine == 0 { NOBODY } else { mine };
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = port.local_addr().unwrap().port();
        let path = folder.path();
        std::fs::copy(exim(), path.join("exim4")).unwrap();
        std::fs::write(path.join("exim.conf"), configuration(path, port, user)).unwrap();
        make_certificates(path);
        for name in ["", "exim4", "exim.conf", "certificate.pem", "key.pem"] {
            give(
                &path.join(name),
                user,
                if name == "exim4" { 0o700 } else { 0o600 },
            );
        }
        for name in ["", "spool", "mail"] {
            std::fs::create_dir_all(path.join(name)).unwrap();
            give(&path.join(name), user, 0o700);
        }
        Self {
            folder,
            port,
            user,
            running: None,
            read: BTreeSet::new(),
        }
    }

    /// A mail server that listens.
    pub(crate) async fn opened() -> Self {
        let mut office = Self::closed();
        office.open().await;
        office
    }

    /// Begins to listen.
    pub(crate) async fn open(&mut self) {
        let path = self.folder.path();
        let mut command = Command::new(path.join("exim4"));
        command.arg("-C").arg(path.join("exim.conf"));
        // In the foreground, with its log on standard error.
        command.args(["-bdf", "-v"]).current_dir(path);
        if self.user == NOBODY {
            command.uid(self.user).gid(self.user);
        }
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("Exim starts");
        let log = BufReader::new(child.stderr.take().unwrap()).lines();
        self.running = Some((child, log));
        self.wait_for("daemon started").await;
    }

    /// The settings with which a server hands its mail over here.
    pub(crate) fn configure(&self, config: &mut SignalingConfig) {
        config.mail.way = MailWay::Smtp;
        config.mail.from = "homeline@home.example".to_owned();
        config.mail.link_base = Some("https://home.example:8443".to_owned());
        config.mail.smtp.server = "localhost".to_owned();
        config.mail.smtp.port = self.port;
        config.mail.smtp.security = Security::Starttls;
        config.mail.smtp.user = Some(USER.to_owned());
        config.mail.smtp.password = Some(Masked::new(PASSWORD));
        config.mail.smtp.authority = Some(self.folder.path().join("authority.pem"));
    }

    /// Waits for the next mail: headers and text, decoded.
    pub(crate) async fn mail(&mut self) -> String {
        loop {
            if let Some(mail) = self.unread() {
                return mail;
            }
            self.wait_for("Completed").await;
        }
    }

    /// Every mail so far, as it lies in the box.
    pub(crate) fn everything(&self) -> String {
        self.files().iter().map(|file| read(file)).collect()
    }

    fn unread(&mut self) -> Option<String> {
        let files = self.files();
        let file = files.difference(&self.read).next()?.clone();
        let mail = read(&file);
        self.read.insert(file);
        Some(mail)
    }

    fn files(&self) -> BTreeSet<PathBuf> {
        let entries = std::fs::read_dir(self.folder.path().join("mail/new"));
        let entries = entries.into_iter().flatten();
        entries.map(|entry| entry.unwrap().path()).collect()
    }

    async fn wait_for(&mut self, words: &str) {
        let (_, log) = self.running.as_mut().expect("the post office is open");
        let seen = timeout(PATIENCE, async {
            while let Some(line) = log.next_line().await.unwrap() {
                if line.contains(words) {
                    return;
                }
            }
            panic!("Exim ended before it said {words:?}");
        });
        assert!(seen.await.is_ok(), "Exim never said {words:?}");
    }
}

/// The program: Debian's, or unpacked by `scripts/install-missing test`, which installs no service.
fn exim() -> PathBuf {
    let unpacked = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../target/tools/exim4/usr/sbin/exim4"
    );
    ["/usr/sbin/exim4", unpacked]
        .map(PathBuf::from)
        .into_iter()
        .find(|path| path.is_file())
        .expect("the mail server Exim is missing: run scripts/install-missing test")
}

fn give(path: &Path, user: u32, mode: u32) {
    chown(path, Some(user), Some(user)).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

/// An authority, and a certificate of it for `localhost`.
fn make_certificates(folder: &Path) {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(vec![]).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = params.self_signed(&key).unwrap();
    let issuer = Issuer::new(params, key);
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    let certificate = params.signed_by(&key, &issuer).unwrap();
    std::fs::write(folder.join("authority.pem"), authority.pem()).unwrap();
    std::fs::write(folder.join("certificate.pem"), certificate.pem()).unwrap();
    std::fs::write(folder.join("key.pem"), key.serialize_pem()).unwrap();
}

fn configuration(folder: &Path, port: u16, user: u32) -> String {
    let folder = folder.display();
    let signed_in =
        format!("${{if and{{{{eq{{$auth2}}{{{USER}}}}}{{eq{{$auth3}}{{{PASSWORD}}}}}}}}}");
    format!(
        "exim_path = {folder}/exim4\n\
         exim_user = {user}\n\
         exim_group = {user}\n\
         spool_directory = {folder}/spool\n\
         log_file_path = {folder}/%slog\n\
         pid_file_path = {folder}/pid\n\
         primary_hostname = localhost\n\
         local_interfaces = 127.0.0.1\n\
         daemon_smtp_ports = {port}\n\
         disable_ipv6\n\
         rfc1413_hosts =\n\
         keep_environment =\n\
         tls_advertise_hosts = *\n\
         tls_certificate = {folder}/certificate.pem\n\
         tls_privatekey = {folder}/key.pem\n\
         auth_advertise_hosts = ${{if eq{{$tls_in_cipher}}{{}}{{}}{{*}}}}\n\
         acl_smtp_rcpt = from_whoever_signed_in\n\
         acl_smtp_data = accept\n\
         begin acl\n\
         from_whoever_signed_in:\n\
         deny !authenticated = *\n\
         deny recipients = nobody@example.org\n\
         accept\n\
         begin routers\n\
         all:\n\
         driver = accept\n\
         transport = box\n\
         begin transports\n\
         box:\n\
         driver = appendfile\n\
         maildir_format\n\
         directory = {folder}/mail\n\
         create_directory\n\
         user = {user}\n\
         group = {user}\n\
         begin authenticators\n\
         plain:\n\
         driver = plaintext\n\
         public_name = PLAIN\n\
         server_prompts = :\n\
         server_condition = {signed_in}\n\
         server_set_id = $auth2\n"
    )
}

/// A mail's headers and text, with quoted-printable undone.
fn read(file: &Path) -> String {
    let text = std::fs::read_to_string(file).unwrap().replace("\r\n", "\n");
    if text.contains("quoted-printable") {
        text.replace("=\n", "").replace("=3D", "=")
    } else {
        text
    }
}
