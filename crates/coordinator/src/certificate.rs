//! The server's certificate: self-made and kept, or the operator's own files, read anew when they change.

use std::{
    io,
    path::{Path, PathBuf},
    sync::{Arc, PoisonError, RwLock},
    time::{Duration, SystemTime},
};

use rustls::{
    ServerConfig,
    crypto::aws_lc_rs::default_provider,
    pki_types::pem::PemObject as _,
    server::{ClientHello, ResolvesServerCert},
    sign::CertifiedKey,
};
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use sha2::{Digest as _, Sha256};
use tokio_util::sync::CancellationToken;
use webpki::EndEntityCert;
use wire::Pin;

use crate::{access::write_private, error::StartError};

/// How often the operator's files are looked at.
pub(crate) const LOOK: Duration = Duration::from_secs(10);

/// An operator's certificate: PEM files, the certificate first in its chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificateFiles {
    /// The chain.
    pub certificate: PathBuf,
    /// Its private key.
    pub key: PathBuf,
}

/// What is shown to who connects now; another certificate takes its place without a restart.
#[derive(Debug)]
pub(crate) struct ServerCertificate {
    files: CertificateFiles,
    current: RwLock<Current>,
}

#[derive(Debug)]
struct Current {
    shown: Arc<CertifiedKey>,
    fingerprint: Pin,
    is_issued: bool,
    stamps: Stamps,
}

/// By which a changed file is known.
type Stamps = [Option<(SystemTime, u64)>; 2];

impl ServerCertificate {
    /// The certificate in the data folder; made on first use.
    pub(crate) fn kept(data: &Path) -> Result<Self, StartError> {
        let files =
            CertificateFiles { certificate: data.join("certificate.pem"), key: data.join("certificate-key.pem") };
        let unusable = |error: String| StartError::Certificate(error);
        // One that is left is never written over: the other may come back, and no device would know a new pair.
        let half =
            |missing: &Path, left: &Path| StartError::HalfCertificate { missing: missing.into(), left: left.into() };
        let has_both = || Ok::<_, io::Error>([files.certificate.try_exists()?, files.key.try_exists()?]);
        if has_both()? == [false, true] && waiting(&files).try_exists()? {
            std::fs::rename(waiting(&files), &files.certificate)?;
        }
        match has_both()? {
            [true, false] => return Err(half(&files.key, &files.certificate)),
            [false, true] => return Err(half(&files.certificate, &files.key)),
            [true, true] => {}
            [false, false] => make(&files)?,
        }
        let current = RwLock::new(read(&files).map_err(unusable)?);
        Ok(Self { files, current })
    }

    /// The operator's.
    pub(crate) fn of_operator(files: CertificateFiles) -> Result<Self, StartError> {
        match read(&files) {
            Ok(current) => Ok(Self { files, current: RwLock::new(current) }),
            Err(error) => Err(StartError::CertificateFiles { files, error }),
        }
    }

    /// The fingerprint that invites name: of a certificate that vouches for itself. One that an authority has issued is
    /// known by its host's name, and may be renewed without anybody noticing.
    pub(crate) fn pin(&self) -> Option<Pin> {
        let (fingerprint, is_issued) = self.identity();
        (!is_issued).then_some(fingerprint)
    }

    /// The fingerprint, and whether an authority has issued it.
    pub(crate) fn identity(&self) -> (Pin, bool) {
        let current = self.current.read().unwrap_or_else(PoisonError::into_inner);
        (current.fingerprint, current.is_issued)
    }

    /// Shows what the files hold now. On failure it stays as it was.
    pub(crate) fn reload(&self) -> Result<(), StartError> {
        match read(&self.files) {
            Ok(read) => {
                let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
                if !read.is_issued && read.fingerprint != current.fingerprint {
                    tracing::warn!("the certificate has another fingerprint: devices need new invites");
                }
                *current = read;
                tracing::info!(file = %self.files.certificate.display(), "the certificate was read anew");
                Ok(())
            }
            Err(error) => Err(StartError::CertificateFiles { files: self.files.clone(), error }),
        }
    }

    /// Reads the files anew whenever they change, until told to stop.
    pub(crate) async fn follow(self: Arc<Self>, every: Duration, stop: CancellationToken) {
        let mut seen = self.current.read().unwrap_or_else(PoisonError::into_inner).stamps;
        loop {
            tokio::select! {
                () = tokio::time::sleep(every) => {}
                () = stop.cancelled() => return,
            }
            let stamps = stamps(&self.files);
            // The two files change one after the other: what does not fit yet is told once, and looked at again.
            if stamps != seen
                && let Err(error) = self.reload()
            {
                tracing::error!(%error, "the old certificate stays in use");
            }
            seen = stamps;
        }
    }

    pub(crate) fn tls(self: &Arc<Self>) -> Result<Arc<ServerConfig>, StartError> {
        let mut config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|error| StartError::Certificate(error.to_string()))?
            .with_no_client_auth()
            .with_cert_resolver(Arc::clone(self) as Arc<dyn ResolvesServerCert>);
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Arc::new(config))
    }
}

impl ResolvesServerCert for ServerCertificate {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner).shown))
    }
}

fn make(files: &CertificateFiles) -> Result<(), StartError> {
    let made = rcgen::generate_simple_self_signed(vec!["bellbird".to_owned()]);
    let made = made.map_err(|error| StartError::Certificate(error.to_string()))?;
    // Cut off anywhere in between, the next start finds no pair, or one that it can make whole.
    write_private(&waiting(files), made.cert.pem().as_bytes())?;
    write_private(&files.key, made.signing_key.serialize_pem().as_bytes())?;
    std::fs::rename(waiting(files), &files.certificate)?;
    Ok(())
}

/// The certificate that is made, until its key is written.
fn waiting(files: &CertificateFiles) -> PathBuf {
    files.certificate.with_extension("waiting")
}

fn read(files: &CertificateFiles) -> Result<Current, String> {
    let stamps = stamps(files);
    let named = |file: &Path, error: &dyn std::fmt::Display| format!("{}: {error}", file.display());
    let chain: Result<Vec<_>, _> =
        CertificateDer::pem_file_iter(&files.certificate).and_then(|certificates| certificates.collect());
    let chain = chain.map_err(|error| named(&files.certificate, &error))?;
    let first = chain.first().ok_or_else(|| named(&files.certificate, &"it holds no certificate"))?.clone();
    let parsed = EndEntityCert::try_from(&first).map_err(|error| named(&files.certificate, &error))?;
    let is_issued = parsed.issuer() != parsed.subject();
    let fingerprint = Pin(Sha256::digest(&first).into());
    let key = PrivateKeyDer::from_pem_file(&files.key).map_err(|error| named(&files.key, &error))?;
    let shown = CertifiedKey::from_der(chain, key, &default_provider()).map_err(|error| named(&files.key, &error))?;
    Ok(Current { shown: Arc::new(shown), fingerprint, is_issued, stamps })
}

fn stamps(files: &CertificateFiles) -> Stamps {
    [&files.certificate, &files.key].map(|file| {
        let known = std::fs::metadata(file).ok()?;
        Some((known.modified().ok()?, known.len()))
    })
}

impl From<io::Error> for StartError {
    fn from(error: io::Error) -> Self {
        Self::Data(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(files: &CertificateFiles, certificate: &str, key: &str) {
        std::fs::write(&files.certificate, certificate).unwrap();
        std::fs::write(&files.key, key).unwrap();
    }

    fn files(folder: &Path) -> CertificateFiles {
        CertificateFiles { certificate: folder.join("chain.pem"), key: folder.join("key.pem") }
    }

    #[test]
    fn a_certificate_that_vouches_for_itself_is_pinned_and_an_issued_one_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let files = files(folder.path());
        let own = rcgen::generate_simple_self_signed(vec!["calls.test".to_owned()]).unwrap();
        write(&files, &own.cert.pem(), &own.signing_key.serialize_pem());
        let certificate = ServerCertificate::of_operator(files.clone()).unwrap();
        assert_eq!(certificate.pin(), Some(Pin(Sha256::digest(own.cert.der()).into())));

        let mut authority = rcgen::CertificateParams::new(Vec::new()).unwrap();
        authority.distinguished_name.push(rcgen::DnType::CommonName, "An authority");
        authority.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let authority = rcgen::CertifiedIssuer::self_signed(authority, rcgen::KeyPair::generate().unwrap()).unwrap();
        let key = rcgen::KeyPair::generate().unwrap();
        let issued = rcgen::CertificateParams::new(vec!["calls.test".to_owned()]).unwrap();
        let issued = issued.signed_by(&key, &authority).unwrap();
        write(&files, &issued.pem(), &key.serialize_pem());
        certificate.reload().unwrap();
        assert_eq!(certificate.pin(), None, "known by its name");
    }

    #[test]
    fn what_is_left_of_a_certificate_is_never_written_over_and_the_missing_file_is_named() {
        for [missing, left] in [["certificate.pem", "certificate-key.pem"], ["certificate-key.pem", "certificate.pem"]]
        {
            let folder = tempfile::tempdir().unwrap();
            let first = ServerCertificate::kept(folder.path()).unwrap().pin();
            assert_eq!(ServerCertificate::kept(folder.path()).unwrap().pin(), first);
            let (missing, left) = (folder.path().join(missing), folder.path().join(left));
            let (lost, kept) = (std::fs::read(&missing).unwrap(), std::fs::read(&left).unwrap());
            std::fs::remove_file(&missing).unwrap();
            let refusal = ServerCertificate::kept(folder.path()).unwrap_err().to_string();
            let starts = format!("{} is missing", missing.display());
            assert!(refusal.starts_with(&starts) && refusal.contains("backup"), "{refusal}");
            assert!(!missing.exists() && std::fs::read(&left).unwrap() == kept);
            std::fs::write(&missing, lost).unwrap();
            assert_eq!(ServerCertificate::kept(folder.path()).unwrap().pin(), first, "the same server again");
        }
    }

    #[test]
    fn a_first_start_that_is_cut_off_between_its_two_files_is_made_whole_by_the_next() {
        let folder = tempfile::tempdir().unwrap();
        let first = ServerCertificate::kept(folder.path()).unwrap().pin();
        let files = ServerCertificate::kept(folder.path()).unwrap().files;
        std::fs::rename(&files.certificate, waiting(&files)).unwrap();
        assert_eq!(ServerCertificate::kept(folder.path()).unwrap().pin(), first, "key and certificate were written");
        assert!(!waiting(&files).exists());
        std::fs::rename(&files.certificate, waiting(&files)).unwrap();
        std::fs::remove_file(&files.key).unwrap();
        let another = ServerCertificate::kept(folder.path()).unwrap().pin();
        assert!(another.is_some() && another != first, "the certificate alone was written: nobody can know it");
        assert!(!waiting(&files).exists());
    }

    #[tokio::test]
    async fn changed_files_are_shown_and_what_does_not_fit_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let files = files(folder.path());
        let [first, second] =
            [(); 2].map(|()| rcgen::generate_simple_self_signed(vec!["calls.test".to_owned()]).unwrap());
        write(&files, &first.cert.pem(), &first.signing_key.serialize_pem());
        let certificate = Arc::new(ServerCertificate::of_operator(files.clone()).unwrap());
        let before = certificate.pin();
        // Half of a renewal: the key does not belong to it.
        std::fs::write(&files.certificate, second.cert.pem()).unwrap();
        assert!(certificate.reload().is_err());
        assert_eq!(certificate.pin(), before, "the old one stays");
        let stop = CancellationToken::new();
        let every = Duration::from_millis(1);
        let following = tokio::spawn(Arc::clone(&certificate).follow(every, stop.clone()));
        std::fs::write(&files.key, second.signing_key.serialize_pem()).unwrap();
        let shown = async {
            while certificate.pin() != Some(Pin(Sha256::digest(second.cert.der()).into())) {
                tokio::time::sleep(every).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(10), shown).await.expect("the new one is noticed");
        stop.cancel();
        following.await.unwrap();
    }

    #[test]
    fn what_is_wrong_with_the_files_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let files = files(folder.path());
        let refusal = |files: &CertificateFiles| ServerCertificate::of_operator(files.clone()).unwrap_err().to_string();
        assert!(refusal(&files).contains("chain.pem"));
        write(&files, "nothing", "nothing");
        assert!(refusal(&files).contains("no certificate"), "{}", refusal(&files));
        let own = rcgen::generate_simple_self_signed(vec!["calls.test".to_owned()]).unwrap();
        write(&files, &own.cert.pem(), "nothing");
        assert!(refusal(&files).contains("key.pem"), "{}", refusal(&files));
    }
}
