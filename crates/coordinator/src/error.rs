//! What keeps a server from starting, in words for the person who starts it.

use std::{io, net::SocketAddr};

use crate::certificate::CertificateFiles;

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
    /// A call type of the operator's cannot be used.
    #[error("the call type {name} cannot be used ({error}): correct it")]
    CallType {
        /// Its name.
        name: String,
        /// What is wrong with it.
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
