//! Who keeps what is known of this home: signaling, or a media node that stands alone.

use std::net::IpAddr;
use std::path::{Path, PathBuf};

use homeline_media_node::control::ReachabilityError;
use homeline_protocol::media_http::OutsideTest;
use homeline_signaling::domain::outside::{Facts, Look, Outside, OutsideError, Tester};
use homeline_signaling::model::Clock;
use homeline_signaling::store::outside::{self as file, Kept};

use crate::node::make_private;

/// See the module's description.
pub(crate) enum Home {
    /// A whole server.
    Whole(Outside),
    /// A media node.
    Alone(Box<Alone>),
}

/// What a media node that stands alone knows, as its data directory keeps it.
pub(crate) struct Alone {
    facts: Facts,
    file: PathBuf,
}

impl Alone {
    /// With what was kept of earlier tests; what can't be read is as none.
    pub(crate) fn open(file: PathBuf) -> Box<Self> {
        let mut facts = Facts::default();
        match file::read(&file) {
            Ok(kept) => facts.verdict = kept.into(),
            Err(error) => tracing::warn!(%error, "the results of earlier tests can't be read"),
        }
        Box::new(Self { facts, file })
    }

    async fn note_test(&mut self, test: &OutsideTest) -> Result<(), ReachabilityError> {
        let mut facts = self.facts.clone();
        let noted = facts.note_test(&test.tried, tester(test), Clock::System.now());
        noted.map_err(|_| ReachabilityError::BadTest)?;
        let (kept, file) = (Kept::from(&facts.verdict), self.file.clone());
        let written = tokio::task::spawn_blocking(move || write(&file, &kept)).await;
        let written = written.unwrap_or_else(|error| Err(std::io::Error::other(error)));
        written.map_err(|error| {
            tracing::error!(%error, "the result of a test can't be kept");
            ReachabilityError::NotKept
        })?;
        self.facts = facts;
        Ok(())
    }
}

/// A node whose token is configured has no data directory until then.
fn write(path: &Path, kept: &Kept) -> std::io::Result<()> {
    if let Some(folder) = path.parent() {
        make_private(folder)?;
    }
    file::write(path, kept)
}

impl Home {
    pub(super) fn note_look(&mut self, look: Look) {
        match self {
            Self::Whole(outside) => outside.note_look(look),
            Self::Alone(alone) => alone.facts.look = look,
        }
    }

    pub(super) fn facts(&self) -> Facts {
        match self {
            Self::Whole(outside) => outside.facts(),
            Self::Alone(alone) => alone.facts.clone(),
        }
    }

    /// Keeps what a test found.
    pub(super) async fn note_test(&mut self, test: &OutsideTest) -> Result<(), ReachabilityError> {
        let outside = match self {
            Self::Alone(alone) => return alone.note_test(test).await,
            Self::Whole(outside) => outside,
        };
        match outside.note_test(&test.tried, tester(test)).await {
            Ok(_) => Ok(()),
            Err(OutsideError::BadReport(_)) => Err(ReachabilityError::BadTest),
            Err(error) => {
                tracing::error!(%error, "the result of a test can't be kept");
                Err(ReachabilityError::NotKept)
            }
        }
    }
}

fn tester(test: &OutsideTest) -> Tester {
    let plain = |address: IpAddr| address.to_canonical();
    Tester {
        source: plain(test.source),
        reached_at: test.reached_at.map(plain),
    }
}
