//! One port for everything: TLS for everybody, plain HTTP for this machine itself.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use axum::{Extension, Router, extract::ConnectInfo};
use hyper::server::conn::http1::Builder;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
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

use crate::visitors::{Visit, Visitors};

/// The first byte of a TLS handshake record (RFC 8446, section 5.1).
const TLS_HANDSHAKE: u8 = 0x16;
/// How long is waited for somebody on a connection.
#[derive(Debug, Clone, Copy)]
struct Patience {
    /// For the first bytes, the handshake, and the head of the first request, each.
    first: Duration,
    /// From one request to the whole head of the next.
    next: Duration,
}

/// An idle connection is kept longer than clients do: none asks on one that is just being closed.
const PATIENCE: Patience = Patience { first: Duration::from_secs(10), next: Duration::from_secs(100) };

/// What protects a connection; every request on it knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Protection {
    Tls,
    /// This machine itself.
    None,
}

/// What everybody finds who is let in.
#[derive(Clone)]
pub(crate) struct House {
    pub(crate) tls: Arc<ServerConfig>,
    pub(crate) router: Router,
    pub(crate) visitors: Arc<Visitors>,
    pub(crate) stop: CancellationToken,
}

/// Takes connections until told to stop, then waits for those that are there.
pub(crate) async fn serve(listener: TcpListener, house: House) {
    let connections = TaskTracker::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = house.stop.cancelled() => break,
        };
        match accepted {
            Ok((stream, peer)) => match house.visitors.come(peer.ip()) {
                Some(visit) => _ = connections.spawn(connection(stream, peer, house.clone(), visit)),
                None => tracing::debug!("one address has too many connections that show nothing; one more is let go"),
            },
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

async fn connection(stream: TcpStream, peer: SocketAddr, house: House, visit: Visit) {
    _ = stream.set_nodelay(true);
    let mut first = [0];
    let Ok(Ok(1)) = timeout(PATIENCE.first, stream.peek(&mut first)).await else { return };
    if first[0] == TLS_HANDSHAKE {
        match timeout(PATIENCE.first, TlsAcceptor::from(Arc::clone(&house.tls)).accept(stream)).await {
            Ok(Ok(stream)) => answer(stream, peer, Protection::Tls, house, visit, PATIENCE).await,
            Ok(Err(error)) => tracing::debug!(%error, "a TLS handshake failed"),
            Err(_) => tracing::debug!("a TLS handshake took too long"),
        }
    } else if is_allowed_plain(peer) {
        answer(stream, peer, Protection::None, house, visit, PATIENCE).await;
    } else {
        tracing::warn!("somebody off this machine tried without TLS and was let go");
    }
}

/// TLS may be left out only by this machine itself.
fn is_allowed_plain(peer: SocketAddr) -> bool {
    peer.ip().to_canonical().is_loopback()
}

async fn answer<S>(stream: S, peer: SocketAddr, protection: Protection, house: House, visit: Visit, patience: Patience)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let router = house.router.layer(Extension(ConnectInfo(peer))).layer(Extension(protection));
    let service = TowerToHyperService::new(router.layer(Extension(visit.clone())));
    let mut builder = Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(patience.next);
    let connection = builder.serve_connection(TokioIo::new(stream), service).with_upgrades();
    tokio::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = nothing_asked(&visit, patience) => {
            tracing::debug!("a connection on which nothing is asked is closed");
            return;
        }
        () = house.stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection ended badly");
    }
}

/// Comes back only if nothing is asked in time.
async fn nothing_asked(visit: &Visit, patience: Patience) {
    if timeout(patience.first, visit.asked()).await.is_ok() {
        std::future::pending::<()>().await;
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use axum::{
        extract::Request,
        middleware::{Next, from_fn},
        routing::get,
    };
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;
    use crate::certificate::ServerCertificate;

    /// What a connection on which this is said, and nothing after it, is answered before it is closed.
    async fn says(text: &str, patience: Patience) -> String {
        let folder = tempfile::tempdir().unwrap();
        let marked = async |request: Request, next: Next| {
            request.extensions().get::<Visit>().unwrap().has_asked();
            next.run(request).await
        };
        let visitors = Arc::new(Visitors::new(NonZeroU32::MIN));
        let visit = visitors.come([192, 0, 2, 7].into()).unwrap();
        let house = House {
            tls: Arc::new(ServerCertificate::kept(folder.path()).unwrap()).tls().unwrap(),
            router: Router::new().route("/", get(async || "here")).layer(from_fn(marked)),
            visitors,
            stop: CancellationToken::new(),
        };
        let (mut near, far) = tokio::io::duplex(4096);
        tokio::spawn(answer(far, ([192, 0, 2, 7], 1).into(), Protection::Tls, house, visit, patience));
        near.write_all(text.as_bytes()).await.unwrap();
        let mut answered = String::new();
        let closed = near.read_to_string(&mut answered);
        _ = timeout(Duration::from_secs(20), closed).await.expect("it is closed");
        answered
    }

    #[tokio::test]
    async fn who_does_not_finish_what_he_begins_to_ask_is_let_go() {
        let (brief, long) = (Duration::from_millis(50), Duration::from_secs(3600));
        for begun in ["", "G", "GET / HTTP/1.1\r\nhost: x\r\n"] {
            assert_eq!(says(begun, Patience { first: brief, next: long }).await, "", "{begun:?}");
        }
        let twice = "GET / HTTP/1.1\r\nhost: x\r\n\r\nGET / HTTP/1.1\r\n";
        let answered = says(twice, Patience { first: long, next: brief }).await;
        assert!(answered.ends_with("here"), "who asked once, and begins again: {answered}");
    }

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
