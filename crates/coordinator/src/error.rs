//! What keeps a server from starting, in words for the person who starts it.

use std::{io, net::SocketAddr};

use sqlx::migrate::MigrateError;

use crate::{certificate::CertificateFiles, store::StoreError};

/// What SQLite calls a file that is damaged, and one that is no database (sqlite.org/rescode.html).
const DAMAGED: [i32; 2] = [11, 26];

/// The server did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The data folder cannot be used.
    #[error("the data folder cannot be used ({0}): check that it exists and that you may write there")]
    Data(io::Error),
    /// Another server runs on the same data.
    #[error(
        "another Bellbird runs on the data folder {}: two would each know half of what happens; stop it, or choose another folder with --data",
        data.display()
    )]
    InUse {
        /// The folder.
        data: std::path::PathBuf,
    },
    /// The database cannot be used.
    #[error(
        "the database cannot be opened ({0}): is another Bellbird using the same data folder, or is the disk full?"
    )]
    Database(String),
    /// The database is of a later version.
    #[error(
        "a newer Bellbird made the database in the data folder, and this one does not know all of it: start the newer one, or this one on a backup from before the update"
    )]
    NewerDatabase,
    /// The database is damaged.
    #[error(
        "the database in the data folder is damaged ({0}): put back a backup of the whole folder; without one, move bellbird.db and the files that begin like it away, and everybody begins anew"
    )]
    DamagedDatabase(String),
    /// A copy of everything cannot be made there.
    #[error(
        "no copy can be made in {} ({error}): name a folder outside the data folder that is empty or not there yet, on a disk with enough room",
        into.display()
    )]
    Copy {
        /// Where it was to go.
        into: std::path::PathBuf,
        /// What is wrong with it.
        error: io::Error,
    },
    /// The certificate cannot be used.
    #[error(
        "the certificate in the data folder cannot be used ({0}): remove certificate.pem and certificate-key.pem to get a new one; everybody then needs a new invite"
    )]
    Certificate(String),
    /// Half of the certificate is there.
    #[error(
        "{} is missing in the data folder, and {} is there: devices know this server by the two of them, so no new one is made; put the missing file back from a backup, or remove the other, too, to begin with a new certificate, for which everybody then needs a new invite",
        missing.display(), left.display()
    )]
    HalfCertificate {
        /// What has to be put back.
        missing: std::path::PathBuf,
        /// What is there.
        left: std::path::PathBuf,
    },
    /// The operator's certificate cannot be used.
    #[error(
        "the certificate cannot be used ({error}): {} must be a PEM file with the certificate and what it was issued by, and {} the key that belongs to it",
        files.certificate.display(), files.key.display()
    )]
    CertificateFiles {
        /// Which files.
        files: CertificateFiles,
        /// What is wrong with them.
        error: String,
    },
    /// A call type of the configuration cannot be used.
    #[error("the setting call_types.{field} cannot be used ({error}): correct it in the file")]
    ConfiguredCallType {
        /// Which setting, from the type's name on.
        field: String,
        /// What is wrong with it.
        error: String,
    },
    /// Invites cannot name this host.
    #[error(
        "--advertise cannot be \"{host}\": invites name a host name or an address alone, without https://, port, path or brackets (the port is the one of --listen)"
    )]
    Advertise {
        /// What was given.
        host: String,
    },
    /// The certificate of an authority is known by a name, and none was given.
    #[error(
        "an authority has issued this certificate, so that devices know the server by its name alone: say with --advertise which name of the certificate invites are to give"
    )]
    NameWanted,
    /// The operator's own sign-in cannot be used.
    #[error("the settings under [sign_in] cannot be used: {0}")]
    OwnBackend(String),
    /// No HTTP client for webhooks could be made.
    #[error("webhooks cannot be sent from this machine ({0}): does it have root certificates?")]
    Webhooks(String),
    /// The TCP address is taken or not ours.
    #[error(
        "cannot listen on {address} ({error}): another program uses the port, or the address is not this machine's; choose another with --listen"
    )]
    Listen {
        /// The address.
        address: SocketAddr,
        /// The system's words.
        error: io::Error,
    },
    /// The media server cannot start.
    #[error(
        "the media server cannot use UDP {address} ({error}): another program uses the port, or the address is not this machine's; choose another with --udp"
    )]
    Media {
        /// The address.
        address: SocketAddr,
        /// What it says.
        error: String,
    },
}

impl From<StoreError> for StartError {
    fn from(error: StoreError) -> Self {
        match &error {
            StoreError::Database(failed) => of_database(failed),
            StoreError::Document(_) | StoreError::Id(_) => Self::Database(error.to_string()),
        }
    }
}

fn of_database(error: &sqlx::Error) -> StartError {
    match error {
        sqlx::Error::Migrate(failed) => match &**failed {
            MigrateError::VersionMissing(_) => StartError::NewerDatabase,
            MigrateError::Execute(failed) | MigrateError::ExecuteMigration(failed, _) => of_database(failed),
            other => StartError::Database(other.to_string()),
        },
        error => {
            let code = error.as_database_error().and_then(|error| error.code()?.parse::<i32>().ok());
            // An extended code has the plain one in its last byte.
            if code.is_some_and(|code| DAMAGED.contains(&(code & 0xff))) {
                StartError::DamagedDatabase(error.to_string())
            } else {
                StartError::Database(error.to_string())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use sqlx::{Connection as _, SqliteConnection, sqlite::SqliteConnectOptions};

    use super::*;
    use crate::store::Sqlite;

    async fn refusal(file: &Path) -> StartError {
        Sqlite::open(file).await.map_err(StoreError::from).unwrap_err().into()
    }

    #[tokio::test]
    async fn a_database_of_a_newer_bellbird_is_left_to_that_one() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("bellbird.db");
        drop(Sqlite::open(&file).await.unwrap());
        let options = SqliteConnectOptions::new().filename(&file);
        let mut newer = SqliteConnection::connect_with(&options).await.unwrap();
        let step = "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
                    VALUES (9999, 'later', 1, x'00', 0)";
        sqlx::query(step).execute(&mut newer).await.unwrap();
        newer.close().await.unwrap();
        let refusal = refusal(&file).await;
        assert!(matches!(refusal, StartError::NewerDatabase), "{refusal:?}");
    }
}
