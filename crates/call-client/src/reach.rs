//! Whether the server one means answers at an address, as its host wants to know of the address outside.

use std::{net::SocketAddr, time::Duration};

use tokio::{net::TcpStream, time::timeout};
use tokio_rustls::TlsConnector;
use wire::Pin;

use crate::{error::ClientError, tls};

/// How long an answer may take.
const ANSWER: Duration = Duration::from_secs(5);

/// Who answers at an address, as far as this side can tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answers {
    /// The server that is meant.
    Yes,
    /// Something else does.
    SomethingElse,
    /// Nothing does. Many routers let nobody of the inside come in from outside: somebody outside has to try.
    No,
}

/// Tries whether the server with this certificate answers at an address.
///
/// # Errors
/// When the TLS library cannot be set up.
pub async fn answers_at(address: SocketAddr, pin: Pin) -> Result<Answers, ClientError> {
    let config = tls::trusting(Some(pin)).map_err(|error| ClientError::Unreachable { why: error.to_string() })?;
    let tried = timeout(ANSWER, async {
        let Ok(stream) = TcpStream::connect(address).await else { return Answers::No };
        match TlsConnector::from(config).connect(address.ip().into(), stream).await {
            Ok(_) => Answers::Yes,
            Err(_) => Answers::SomethingElse,
        }
    });
    Ok(tried.await.unwrap_or(Answers::No))
}
