//! Mail through a mail server (RFC 5321, 3207, 8314), with its certificate checked.

use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use homeline_protocol::EmailAddress;
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, Tls, TlsParameters};
use lettre::{AsyncSmtpTransport, AsyncTransport as _, Tokio1Executor};

use super::{Letter, MailConfigError, Security, SendError, SmtpConfig, compose};

/// How long one step of a conversation may take. The next try comes anyway.
const STEP_TIMEOUT: Duration = Duration::from_secs(30);

/// A mail server.
#[derive(Clone)]
pub struct Smtp {
    from: EmailAddress,
    transport: AsyncSmtpTransport<Tokio1Executor>,
}

/// Credentials stay out of logs.
impl fmt::Debug for Smtp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Smtp")
    }
}

impl Smtp {
    pub(super) fn new(from: EmailAddress, config: &SmtpConfig) -> Result<Self, MailConfigError> {
        let tls = match config.security {
            Security::None if is_this_machine(&config.server) => Tls::None,
            Security::None => return Err(MailConfigError::Unprotected),
            Security::Tls => Tls::Wrapper(trust(config)?),
            Security::Starttls => Tls::Required(trust(config)?),
        };
        let builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&config.server)
            .port(config.port)
            .timeout(Some(STEP_TIMEOUT))
            .tls(tls);
        let builder = match (&config.user, &config.password) {
            (None, None) => builder,
            (Some(user), Some(password)) => {
                let password = password.expose().to_owned();
                builder.credentials(Credentials::new(user.clone(), password))
            }
            _ => return Err(MailConfigError::Credentials),
        };
        let transport = builder.build();
        Ok(Self { from, transport })
    }

    pub(super) async fn send(&self, letter: &Letter) -> Result<(), SendError> {
        let mail = compose(&self.from, letter)?;
        match self.transport.send(mail).await {
            Ok(_) => Ok(()),
            Err(error) => Err(match error.status() {
                Some(code) => SendError::Refused(code.into()),
                None => SendError::Unreachable,
            }),
        }
    }
}

/// Whom the server's certificate must be from.
fn trust(config: &SmtpConfig) -> Result<TlsParameters, MailConfigError> {
    let mut builder = TlsParameters::builder(config.server.clone());
    if let Some(file) = &config.authority {
        let pem = std::fs::read(file).map_err(MailConfigError::Authority)?;
        let authority = Certificate::from_pem(&pem).map_err(MailConfigError::Tls)?;
        builder = builder.add_root_certificate(authority);
    }
    builder.build_rustls().map_err(MailConfigError::Tls)
}

fn is_this_machine(server: &str) -> bool {
    let address = server.parse::<IpAddr>();
    server == "localhost" || address.is_ok_and(|address| address.is_loopback())
}
