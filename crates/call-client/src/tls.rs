//! TLS that trusts one certificate: the one whose fingerprint came with the invite; or, without a fingerprint, those that
//! the system trusts.

use std::sync::{Arc, OnceLock};

use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, SignatureScheme,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature},
};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use rustls_platform_verifier::Verifier;
use sha2::{Digest as _, Sha256};
use wire::Pin;

/// A client configuration that accepts the pinned certificate and no other; without a pin, what the system trusts.
pub(crate) fn trusting(pin: Option<Pin>) -> Result<Arc<ClientConfig>, Error> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let verifier: Arc<dyn ServerCertVerifier> = match pin {
        Some(pin) => Arc::new(PinVerifier { pin: OnceLock::from(pin), provider: Arc::clone(&provider) }),
        None => Arc::new(Verifier::new(Arc::clone(&provider))?),
    };
    Ok(verifying(provider, verifier))
}

/// A client configuration that accepts whatever certificate is shown first, and then no other: for who has yet to find
/// out whether it is the right one.
pub(crate) fn trusting_the_first() -> (Arc<ClientConfig>, FirstShown) {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let verifier = Arc::new(PinVerifier { pin: OnceLock::new(), provider: Arc::clone(&provider) });
    (verifying(provider, Arc::clone(&verifier) as Arc<dyn ServerCertVerifier>), FirstShown(verifier))
}

/// The certificate that was shown first.
#[derive(Debug, Clone)]
pub(crate) struct FirstShown(Arc<PinVerifier>);

impl FirstShown {
    /// None before the first handshake.
    pub(crate) fn pin(&self) -> Option<Pin> {
        self.0.pin.get().copied()
    }
}

fn verifying(provider: Arc<CryptoProvider>, verifier: Arc<dyn ServerCertVerifier>) -> Arc<ClientConfig> {
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("the provider supports the default protocol versions")
        .dangerous()
        .with_custom_certificate_verifier(verifier)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Arc::new(config)
}

/// Name and validity dates mean nothing for a certificate that was handed over with the invite: the fingerprint is the
/// identity, and the handshake signature proves that the server holds its key.
#[derive(Debug)]
struct PinVerifier {
    /// The one that is expected; set by the first handshake where none is yet.
    pin: OnceLock<Pin>,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for PinVerifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let shown = Pin(Sha256::digest(end_entity).into());
        if *self.pin.get_or_init(|| shown) == shown {
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

/// Whether an error chain says that the certificate was not the pinned one.
pub(crate) fn is_wrong_certificate(error: &(dyn std::error::Error + 'static)) -> bool {
    let mut source = Some(error);
    while let Some(error) = source {
        if let Some(Error::InvalidCertificate(_)) = error.downcast_ref::<Error>() {
            return true;
        }
        // An `io::Error` hides what it wraps from `source`.
        if let Some(io) = error.downcast_ref::<std::io::Error>()
            && let Some(inner) = io.get_ref()
            && is_wrong_certificate(inner)
        {
            return true;
        }
        source = error.source();
    }
    false
}
