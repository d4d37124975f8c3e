//! DTLS of every connection, from one configuration: dimpl tries out its whole cryptography whenever one is made, which takes
//! 1.4 ms, and all the rest of a connection 0.02.

use std::{
    sync::{Arc, LazyLock, OnceLock},
    time::Instant,
};

use dimpl::{Config, Dtls};
use str0m::crypto::{
    self, CryptoError, CryptoProvider,
    dtls::{DtlsCert, DtlsImplError, DtlsInstance, DtlsOutput, DtlsProvider, DtlsVersion, ProtocolVersion},
};

/// str0m's own cryptography, but for how a DTLS connection begins.
pub(crate) static CRYPTO: LazyLock<Arc<CryptoProvider>> = LazyLock::new(|| {
    static DTLS: OneConfig = OneConfig(OnceLock::new());
    Arc::new(CryptoProvider { dtls_provider: &DTLS, ..crypto::from_feature_flags() })
});

/// The configuration, once there is one.
#[derive(Debug)]
struct OneConfig(OnceLock<Arc<Config>>);

impl OneConfig {
    /// As str0m's own provider makes it, with datagrams of this many bytes: all connections of a server ask for the same.
    fn config(&self, mtu: Option<usize>) -> Result<Arc<Config>, CryptoError> {
        if let Some(config) = self.0.get().filter(|config| mtu.is_none_or(|mtu| mtu == config.mtu())) {
            return Ok(config.clone());
        }
        // ICE has shown by then that the other side is where it says: no cookie is needed.
        let builder = Config::builder().use_server_cookie(false);
        let builder = match mtu {
            Some(mtu) => builder.mtu(mtu),
            None => builder,
        };
        let config = Arc::new(builder.build().map_err(|error| CryptoError::Other(error.to_string()))?);
        // One of another size is not kept.
        _ = self.0.set(config.clone());
        Ok(config)
    }
}

impl DtlsProvider for OneConfig {
    fn generate_certificate(&self) -> Option<DtlsCert> {
        crypto::from_feature_flags().dtls_provider.generate_certificate()
    }

    fn new_dtls(
        &self,
        cert: &DtlsCert,
        now: Instant,
        version: DtlsVersion,
        mtu: Option<usize>,
    ) -> Result<Box<dyn DtlsInstance>, CryptoError> {
        let config = self.config(mtu)?;
        let begin = match version {
            DtlsVersion::Dtls12 => Dtls::new_12,
            DtlsVersion::Dtls13 => Dtls::new_13,
            DtlsVersion::Auto => Dtls::new_auto,
            other => return Err(CryptoError::Other(format!("{other} is not known"))),
        };
        Ok(Box::new(Instance(begin(config, cert.clone(), now))))
    }
}

/// One connection: dimpl's, as str0m wants it.
struct Instance(Dtls);

impl std::fmt::Debug for Instance {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Instance").finish_non_exhaustive()
    }
}

impl DtlsInstance for Instance {
    fn set_active(&mut self, active: bool) {
        self.0.set_active(active);
    }

    fn handle_packet(&mut self, packet: &[u8]) -> Result<(), DtlsImplError> {
        self.0.handle_packet(packet)
    }

    fn poll_output<'a>(&mut self, buf: &'a mut [u8]) -> DtlsOutput<'a> {
        self.0.poll_output(buf)
    }

    fn handle_timeout(&mut self, now: Instant) -> Result<(), DtlsImplError> {
        self.0.handle_timeout(now)
    }

    fn send_application_data(&mut self, data: &[u8]) -> Result<usize, DtlsImplError> {
        self.0.send_application_data(data)
    }

    fn is_active(&self) -> bool {
        self.0.is_active()
    }

    fn protocol_version(&self) -> Option<ProtocolVersion> {
        self.0.protocol_version()
    }

    fn is_closing(&self) -> bool {
        self.0.is_closing()
    }

    fn is_closed(&self) -> bool {
        self.0.is_closed()
    }

    fn close(&mut self) -> Result<(), DtlsImplError> {
        self.0.close()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_share_one_configuration_and_one_of_another_size_has_its_own() {
        let provider = OneConfig(OnceLock::new());
        let first = provider.config(Some(1200)).unwrap();
        assert!(Arc::ptr_eq(&first, &provider.config(Some(1200)).unwrap()));
        assert!(Arc::ptr_eq(&first, &provider.config(None).unwrap()));
        assert_eq!(provider.config(Some(900)).unwrap().mtu(), 900);
        assert_eq!(provider.config(Some(1200)).unwrap().mtu(), 1200);
    }
}
