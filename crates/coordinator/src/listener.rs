//! One port for everything: TLS for everybody, plain HTTP for this machine itself.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use axum::{Extension, Router, extract::ConnectInfo};
use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::conn::auto::Builder,
    service::TowerToHyperService,
};
use rustls::ServerConfig;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    time::timeout,
};
use tokio_rustls::TlsAcceptor;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// The first byte of a TLS handshake record (RFC 8446, section 5.1).
const TLS_HANDSHAKE: u8 = 0x16;
/// Who says nothing (or does not finish the handshake) for this long is let go.
const FIRST_BYTES: Duration = Duration::from_secs(10);

/// What protects a connection; every request on it knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Protection {
    Tls,
    /// This machine itself.
    None,
}

/// Takes connections until told to stop, then waits for those that are there.
pub(crate) async fn serve(listener: TcpListener, tls: Arc<ServerConfig>, router: Router, stop: CancellationToken) {
    let acceptor = TlsAcceptor::from(tls);
    let connections = TaskTracker::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = stop.cancelled() => break,
        };
        match accepted {
            Ok((stream, peer)) => {
                let connection = connection(stream, peer, acceptor.clone(), router.clone(), stop.clone());
                connections.spawn(connection);
            }
            Err(error) => {
                // Out of file descriptors, most likely: those that are there go on, new ones wait.
                tracing::error!(%error, "a connection could not be taken");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
    // Whoever comes now is refused at once, and does not wait for an answer that never comes.
    drop(listener);
    connections.close();
    connections.wait().await;
}

async fn connection(stream: TcpStream, peer: SocketAddr, tls: TlsAcceptor, router: Router, stop: CancellationToken) {
    _ = stream.set_nodelay(true);
    let mut first = [0];
    let Ok(Ok(1)) = timeout(FIRST_BYTES, stream.peek(&mut first)).await else { return };
    if first[0] == TLS_HANDSHAKE {
        match timeout(FIRST_BYTES, tls.accept(stream)).await {
            Ok(Ok(stream)) => answer(stream, peer, Protection::Tls, router, stop).await,
            Ok(Err(error)) => tracing::debug!(%error, "a TLS handshake failed"),
            Err(_) => tracing::debug!("a TLS handshake took too long"),
        }
    } else if is_allowed_plain(peer) {
        answer(stream, peer, Protection::None, router, stop).await;
    } else {
        tracing::warn!("somebody off this machine tried without TLS and was let go");
    }
}

/// TLS may be left out only by this machine itself.
fn is_allowed_plain(peer: SocketAddr) -> bool {
    peer.ip().to_canonical().is_loopback()
}

async fn answer<S>(stream: S, peer: SocketAddr, protection: Protection, router: Router, stop: CancellationToken)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let service = TowerToHyperService::new(router.layer(Extension(ConnectInfo(peer))).layer(Extension(protection)));
    let builder = Builder::new(TokioExecutor::new());
    let connection = builder.serve_connection_with_upgrades(TokioIo::new(stream), service);
    tokio::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection ended badly");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_may_leave_tls_out() {
        for (peer, allowed) in [
            ("127.0.0.1:1", true),
            ("127.8.9.1:1", true),
            ("[::1]:1", true),
            ("[::ffff:127.0.0.1]:1", true),
            ("192.168.1.7:1", false),
            ("[fe80::1]:1", false),
            ("[::ffff:10.0.0.1]:1", false),
        ] {
            assert_eq!(is_allowed_plain(peer.parse().unwrap()), allowed, "{peer}");
        }
    }
}
