//! The embedded store: one SQLite file in WAL mode.

mod access;
mod answers;
mod calls;
mod deliveries;
mod enrol;
mod history;
mod invites;
mod keys;
mod known;
mod people;
mod personal;
mod pieces;
mod webhooks;
mod write;

use std::{path::Path, time::Duration};

use serde::de::DeserializeOwned;
use sqlx::{
    Connection as _, Row as _, SqliteConnection, SqlitePool,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteRow, SqliteSynchronous},
};
use wire::{Call, UnixMillis};

use super::{Live, StoreError};
use crate::{access as secrets, kept::Kept};
use known::Known;

/// Connections for everything but what the hub decides.
const READERS: u32 = 4;
/// In KiB, by the minus sign: what is read is read once, and the system keeps the file's pages for all of them.
const READER_CACHE: &str = "-512";
/// Where calls and histories grow, and are changed again soon.
const WRITER_CACHE: &str = "-8192";
/// How long anybody waits for a connection: what is asked for is refused then.
const BUSY: Duration = Duration::from_secs(3);
/// Pages of the log (16 MB) before they are copied into the file: what is changed often is copied once.
const CHECKPOINT: &str = "4000";

#[derive(Debug, Clone)]
pub(crate) struct Sqlite {
    pool: SqlitePool,
    /// One connection, for what the hub decides alone: a batch never waits for anything but the file.
    writer: SqlitePool,
    known: Known,
}

impl Sqlite {
    pub(crate) async fn open(file: &Path) -> Result<Self, sqlx::Error> {
        // SQLite takes an empty file as it is, and gives the files beside it the same rights.
        secrets::open_private(file).map_err(sqlx::Error::Io)?;
        // NORMAL: what is committed survives a crash of the process; a power cut can cost the last moments, never the
        // file (sqlite.org/pragma.html#pragma_synchronous).
        let options = SqliteConnectOptions::new()
            .filename(file)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Normal)
            .foreign_keys(true)
            .busy_timeout(Duration::from_secs(2))
            // What a statement may have to take back stays in memory.
            .pragma("temp_store", "memory")
            .pragma("cache_size", READER_CACHE);
        // A file does not hang up: asking before each use would only cost a round to its thread.
        let lasting = || {
            let kept = SqlitePoolOptions::new().test_before_acquire(false).idle_timeout(None).max_lifetime(None);
            kept.acquire_timeout(BUSY)
        };
        let pool = lasting().max_connections(READERS).connect_with(options.clone()).await?;
        sqlx::migrate!("./migrations").run(&pool).await?;
        people::fold_names(&pool).await?;
        let writing = options.pragma("cache_size", WRITER_CACHE).pragma("wal_autocheckpoint", CHECKPOINT);
        let writer = lasting().max_connections(1).connect_with(writing).await?;
        let known = Known::read(&pool).await?;
        Ok(Self { pool, writer, known })
    }

    pub(in crate::store) async fn live(&self) -> Result<Live, StoreError> {
        let mut live = Live { people: self.people().await?, ..Live::default() };
        for row in sqlx::query("SELECT document, ring FROM calls WHERE is_live = 1").fetch_all(&self.pool).await? {
            let kept = readable(document::<Option<Kept>>(&row, 1)).flatten().unwrap_or_default();
            live.calls.extend(readable(document(&row, 0)).map(|call: Call| (call.into(), kept.into())));
        }
        let newest = sqlx::query("SELECT coalesce(max(id), 0) FROM history").fetch_one(&self.pool).await?;
        live.newest_line = newest.try_get(0)?;
        for row in sqlx::query("SELECT name, document FROM call_types").fetch_all(&self.pool).await? {
            // Who could do what is not known any more: nobody may do anything until an admin sets it again.
            let call_type = readable(document(&row, 1)).unwrap_or_default();
            live.call_types.extend(readable(row.try_get(0).map_err(StoreError::from)).map(|name| (name, call_type)));
        }
        Ok(live)
    }

    /// Writes something, to see whether that can be done.
    pub(in crate::store) async fn beat(&self, now: UnixMillis) -> Result<(), StoreError> {
        let query = "INSERT INTO beats (id, at) VALUES (1, ?) ON CONFLICT (id) DO UPDATE SET at = excluded.at";
        sqlx::query(query).bind(now.0).execute(&self.pool).await?;
        Ok(())
    }

    /// A whole copy in a new file, made while everything goes on: of the version that is there, and nothing is changed.
    pub(crate) async fn copy(from: &Path, into: &Path) -> Result<(), sqlx::Error> {
        let options = SqliteConnectOptions::new().filename(from).read_only(true).busy_timeout(Duration::from_secs(2));
        let mut connection = SqliteConnection::connect_with(&options).await?;
        let into = into.to_string_lossy().into_owned();
        sqlx::query("VACUUM INTO ?").bind(into).execute(&mut connection).await?;
        connection.close().await
    }
}

/// A document of a row (`null` in place of none). Damage of the file may have left anything there, also what is no text.
fn document<T: DeserializeOwned>(row: &SqliteRow, column: usize) -> Result<T, StoreError> {
    Ok(serde_json::from_str(row.try_get::<Option<&str>, _>(column)?.unwrap_or("null"))?)
}

/// A corrupt row costs itself, not what is read with it.
fn readable<T>(row: Result<T, StoreError>) -> Option<T> {
    row.inspect_err(|error| tracing::error!(%error, "a stored document cannot be read and is left out")).ok()
}
