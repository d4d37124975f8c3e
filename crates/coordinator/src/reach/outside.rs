//! The ports that the router holds open for this server: asked for again while it runs, given back at its end, and
//! tried from this side.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, SignatureScheme,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    crypto::{CryptoProvider, aws_lc_rs::default_provider, verify_tls12_signature, verify_tls13_signature},
};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use sha2::{Digest as _, Sha256};
use tokio::{net::TcpStream, time::timeout};
use tokio_rustls::TlsConnector;
use tokio_util::sync::CancellationToken;
use wire::Pin;

use super::router::OpenPorts;

/// After a router that did not answer, how long until it is asked again.
const RETRY: Duration = Duration::from_secs(60);
/// How long giving the ports back may take; they close by themselves as well.
const FAREWELL: Duration = Duration::from_secs(2);
/// How long an answer from outside may take.
const ANSWER: Duration = Duration::from_secs(5);

/// Whether the server answers at its address outside, as far as this side can tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answers {
    /// It does.
    Yes,
    /// Something else does.
    SomethingElse,
    /// Nothing does. Many routers let nobody of the inside come in from outside: somebody outside has to try.
    No,
}

/// Keeps the ports until told to stop, and gives them back then.
pub(crate) async fn keep(mut ports: OpenPorts, stop: CancellationToken) {
    let mut wait = ports.renew_in();
    loop {
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            () = stop.cancelled() => break,
        }
        let before = ports.outside;
        wait = match ports.renew().await {
            Ok(()) => ports.renew_in(),
            Err(error) => {
                tracing::warn!(%error, "the router does not hold the ports open any more; it is asked again");
                RETRY.min(ports.renew_in())
            }
        };
        if ports.outside != before {
            let (address, tcp, udp) = (ports.outside.address, ports.outside.tcp, ports.outside.udp);
            tracing::warn!(%address, tcp, udp, "the address outside is another now: start the server anew to tell devices");
        }
    }
    if timeout(FAREWELL, ports.give_back()).await.is_err() {
        tracing::info!("the router did not take the ports back in time; they close by themselves");
    }
}

/// Tries whether the server with this certificate answers at an address.
pub(crate) async fn answers_at(address: SocketAddr, fingerprint: Pin) -> Answers {
    let provider = Arc::new(default_provider());
    let verifier = Arc::new(IsThis { fingerprint, provider: Arc::clone(&provider) });
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("the provider supports the default protocol versions")
        .dangerous()
        .with_custom_certificate_verifier(verifier)
        .with_no_client_auth();
    let tried = timeout(ANSWER, async {
        let Ok(stream) = TcpStream::connect(address).await else { return Answers::No };
        match TlsConnector::from(Arc::new(config)).connect(address.ip().into(), stream).await {
            Ok(_) => Answers::Yes,
            Err(_) => Answers::SomethingElse,
        }
    });
    tried.await.unwrap_or(Answers::No)
}

/// One certificate, whatever its name and dates are.
#[derive(Debug)]
struct IsThis {
    fingerprint: Pin,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for IsThis {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        if Pin(Sha256::digest(end_entity).into()) == self.fingerprint {
            Ok(ServerCertVerified::assertion())
        } else {
            Err(Error::InvalidCertificate(CertificateError::ApplicationVerificationFailure))
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signed, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signed, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use std::{net::Ipv4Addr, num::NonZeroU16};

    use super::*;
    use crate::{
        Config, Server,
        reach::{
            Inside, Router, RouterProtocol,
            fake_router::{FakeRouter, Speaks},
        },
    };

    async fn until(what: &str, is: impl Fn() -> bool) {
        let waiting = async {
            while !is() {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        timeout(Duration::from_secs(10), waiting).await.unwrap_or_else(|_| panic!("{what}: does not happen"));
    }

    #[tokio::test]
    async fn ports_are_asked_for_again_before_the_router_forgets_them_and_given_back() {
        let fake = FakeRouter::start(11, Speaks::Pcp, Ipv4Addr::new(203, 0, 113, 7)).await;
        let inside = Inside { tcp: NonZeroU16::new(7480).unwrap(), udp: NonZeroU16::new(7480).unwrap() };
        let ports = Router::At(fake.address.into()).open(inside).await.unwrap();
        let stop = CancellationToken::new();
        let keeping = tokio::spawn(keep(ports, stop.clone()));
        // The router's leases are of two seconds.
        until("they are asked for again", || fake.asked() >= 6).await;
        stop.cancel();
        keeping.await.unwrap();
        assert!(fake.open().is_empty());
    }

    #[tokio::test]
    async fn a_server_is_found_from_outside_and_another_is_not_taken_for_it() {
        let fake = FakeRouter::start(12, Speaks::NatPmp, Ipv4Addr::LOCALHOST).await;
        let folder = tempfile::tempdir().unwrap();
        let map_ports = Some(Router::At(fake.address.into()));
        let server = Server::start(Config { map_ports, ..Config::new(folder.path().join("a")) }).await.unwrap();
        let outside = *server.outside().unwrap().as_ref().unwrap();
        assert_eq!((outside.by, outside.tcp), (RouterProtocol::NatPmp, server.address().port()));
        assert_eq!(outside.udp, server.media_address().port(), "sound and picture come in as well");
        assert_eq!(server.reachable().port, outside.tcp, "invites name the outside");
        assert_eq!(server.answers_at(&outside).await, Answers::Yes);

        let other = Server::start(Config::new(folder.path().join("b"))).await.unwrap();
        assert_eq!(other.answers_at(&outside).await, Answers::SomethingElse);
        server.shutdown().await;
        assert!(fake.open().is_empty(), "given back");
        assert_eq!(other.answers_at(&outside).await, Answers::No);
    }
}
