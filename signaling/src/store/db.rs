//! The database: opening it, transactions, and what can go wrong.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use sqlx::migrate::Migrator;
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};

/// Embedded, so that the binary needs no files beside it.
static MIGRATIONS: Migrator = sqlx::migrate!("../migrations");

/// Connections that only read, beside the one that writes.
const READERS_MAX: u32 = 4;
/// How long SQLite waits for a lock. Writers queue for their one connection, so that only another
/// program (a backup, a shell) can hold one.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// Where the data is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct StoreConfig {
    /// The SQLite database file, in `server.data_dir` unless the path is absolute. Its folder is
    /// made if it is missing; two more files with the endings `-wal` and `-shm` stand beside it
    /// and belong to it in a backup.
    pub path: PathBuf,
}

impl Default for StoreConfig {
    fn default() -> Self {
        Self {
            path: PathBuf::from("homeline.db"),
        }
    }
}

/// The database.
#[derive(Debug, Clone)]
pub enum Db {
    /// A file, or memory in tests.
    Sqlite {
        /// Any number of readers see the last committed state.
        readers: SqlitePool,
        /// SQLite has one writer at a time: one connection, for which writers queue in order.
        writer: SqlitePool,
    },
}

/// A transaction. Dropped without `commit`, it leaves no trace.
#[derive(Debug)]
pub enum Tx {
    /// On SQLite.
    Sqlite(sqlx::Transaction<'static, sqlx::Sqlite>),
}

/// Runs a query on whichever engine a transaction is on.
macro_rules! on_tx {
    ($tx:expr, $connection:ident => $query:expr) => {
        match $tx {
            $crate::store::Tx::Sqlite(transaction) => {
                let $connection = &mut **transaction;
                $query
            }
        }
    };
}
pub(crate) use on_tx;

/// The database refused or failed.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A folder or file cannot be made.
    #[error("cannot make the data folder: {0}")]
    Folder(#[from] std::io::Error),
    /// The schema cannot be brought up to date.
    #[error("cannot migrate the database: {0}")]
    Migrate(#[from] sqlx::migrate::MigrateError),
    /// A query failed.
    #[error("database: {0}")]
    Query(#[from] sqlx::Error),
}

impl StoreError {
    /// Whether a row with the same key was there already.
    #[must_use]
    pub fn is_unique_violation(&self) -> bool {
        matches!(self, Self::Query(sqlx::Error::Database(error)) if error.is_unique_violation())
    }
}

impl Db {
    /// Opens the file, making it and its folder if need be, and brings its schema up to date.
    ///
    /// # Errors
    /// When folder or file cannot be made or opened, or are of a newer version.
    pub async fn open(config: &StoreConfig) -> Result<Self, StoreError> {
        if let Some(folder) = config
            .path
            .parent()
            .filter(|path| !path.as_os_str().is_empty())
        {
            std::fs::create_dir_all(folder)?;
        }
        make_private(&config.path)?;
        // `full` makes a commit wait for the disk: what was acknowledged survives a power cut.
        let options = SqliteConnectOptions::new()
            .filename(&config.path)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(BUSY_TIMEOUT);
        let writer = SqlitePoolOptions::new()
            .max_connections(1)
            .connect_with(options.clone())
            .await?;
        MIGRATIONS.run(&writer).await?;
        let readers = SqlitePoolOptions::new()
            .max_connections(READERS_MAX)
            .connect_with(options)
            .await?;
        Ok(Self::Sqlite { readers, writer })
    }

    /// An empty database in memory, for tests. It has one connection, so a transaction that waits
    /// for another within one request hangs there and not in production.
    ///
    /// # Errors
    /// When SQLite fails.
    pub async fn open_in_memory() -> Result<Self, StoreError> {
        let options = SqliteConnectOptions::new()
            .in_memory(true)
            .foreign_keys(true);
        let pool = SqlitePoolOptions::new()
            .max_connections(1)
            .idle_timeout(None)
            .max_lifetime(None)
            .connect_with(options)
            .await?;
        MIGRATIONS.run(&pool).await?;
        Ok(Self::Sqlite {
            readers: pool.clone(),
            writer: pool,
        })
    }

    /// Begins a transaction that only reads: one consistent picture.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn read(&self) -> Result<Tx, StoreError> {
        match self {
            Self::Sqlite { readers, .. } => Ok(Tx::Sqlite(readers.begin().await?)),
        }
    }

    /// Begins a transaction that writes, once those before it are done. It takes SQLite's write lock
    /// at once: a transaction that reads first and writes later could find its picture outdated.
    ///
    /// # Errors
    /// When the database fails, or is busy for long.
    pub async fn write(&self) -> Result<Tx, StoreError> {
        match self {
            Self::Sqlite { writer, .. } => {
                Ok(Tx::Sqlite(writer.begin_with("begin immediate").await?))
            }
        }
    }

    /// Whether it answers; for the readiness probe.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn ping(&self) -> Result<(), StoreError> {
        match self {
            Self::Sqlite { readers, .. } => sqlx::query("select 1").execute(readers).await?,
        };
        Ok(())
    }

    /// Closes all connections, after those in use are done.
    pub async fn close(&self) {
        match self {
            Self::Sqlite { readers, writer } => {
                readers.close().await;
                writer.close().await;
            }
        }
    }
}

impl Tx {
    /// Makes the changes permanent; when this returns they are on the disk.
    ///
    /// # Errors
    /// When the database fails; then nothing was changed.
    pub async fn commit(self) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(transaction) => transaction.commit().await?,
        }
        Ok(())
    }
}

/// Makes the file, readable for nobody else; SQLite gives the files beside it the same mode.
fn make_private(path: &Path) -> std::io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.create(true).append(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_file_is_made_privately_and_holds_what_was_committed() {
        let folder = tempfile::tempdir().unwrap();
        let config = StoreConfig {
            path: folder.path().join("made/homeline.db"),
        };
        let db = Db::open(&config).await.unwrap();
        let Tx::Sqlite(mut kept) = db.write().await.unwrap();
        let insert = "insert into invitation (id, household, expires_at_ms) values ('a', 'b', 1)";
        sqlx::query("pragma defer_foreign_keys = on")
            .execute(&mut *kept)
            .await
            .unwrap();
        assert!(sqlx::query(insert).execute(&mut *kept).await.is_ok());
        let broken = Tx::Sqlite(kept).commit().await;
        assert!(broken.is_err(), "foreign keys hold");
        let mut tx = db.write().await.unwrap();
        let Tx::Sqlite(connection) = &mut tx;
        let mode: String = sqlx::query_scalar("pragma journal_mode")
            .fetch_one(&mut **connection)
            .await
            .unwrap();
        let synchronous: i64 = sqlx::query_scalar("pragma synchronous")
            .fetch_one(&mut **connection)
            .await
            .unwrap();
        assert_eq!((mode.as_str(), synchronous), ("wal", 2));
        drop(tx);
        db.ping().await.unwrap();
        db.close().await;
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = std::fs::metadata(&config.path)
                .unwrap()
                .permissions()
                .mode();
            assert_eq!(mode & 0o777, 0o600);
        }
        Db::open(&config).await.unwrap().ping().await.unwrap();
    }
}
