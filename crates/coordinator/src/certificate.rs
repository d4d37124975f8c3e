//! The self-made certificate of a server that has none: made once, kept, known by its fingerprint.

use std::{io, path::Path, sync::Arc};

use rustls::{ServerConfig, pki_types::pem::PemObject as _};
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use sha2::{Digest as _, Sha256};
use wire::Pin;

use crate::{access::write_private, error::StartError};

/// A certificate with its key, ready to serve.
pub(crate) struct Certificate {
    pub(crate) pin: Pin,
    pub(crate) config: Arc<ServerConfig>,
}

impl Certificate {
    /// The certificate in the data folder; made on first use.
    pub(crate) fn kept(data: &Path) -> Result<Self, StartError> {
        let (certificate_file, key_file) = (data.join("certificate.pem"), data.join("certificate-key.pem"));
        let unreadable = |error: &dyn std::fmt::Display| StartError::Certificate(error.to_string());
        if !certificate_file.exists() || !key_file.exists() {
            let made = rcgen::generate_simple_self_signed(vec!["bellbird".to_owned()]).map_err(|e| unreadable(&e))?;
            write_private(&key_file, made.signing_key.serialize_pem().as_bytes())?;
            write_private(&certificate_file, made.cert.pem().as_bytes())?;
        }
        let certificate = CertificateDer::from_pem_file(&certificate_file).map_err(|e| unreadable(&e))?;
        let key = PrivateKeyDer::from_pem_file(&key_file).map_err(|e| unreadable(&e))?;
        let pin = Pin(Sha256::digest(&certificate).into());
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|e| unreadable(&e))?
            .with_no_client_auth()
            .with_single_cert(vec![certificate], key)
            .map_err(|e| unreadable(&e))?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self { pin, config: Arc::new(config) })
    }
}

impl From<io::Error> for StartError {
    fn from(error: io::Error) -> Self {
        Self::Data(error)
    }
}
