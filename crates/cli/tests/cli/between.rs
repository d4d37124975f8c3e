//! Somebody in between, with a certificate of his own, who passes on everything he hears.

use std::sync::Arc;

use rustls::{
    ClientConfig, DigitallySignedStruct, Error, ServerConfig, SignatureScheme,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    crypto::aws_lc_rs::default_provider,
    pki_types::{CertificateDer, PrivatePkcs8KeyDer, ServerName, UnixTime},
};
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};
use tokio_rustls::{TlsAcceptor, TlsConnector};

use crate::{hosting::BY_TLS, inviting::code_of, person::Server};

/// He is asked in the server's place at `address`.
struct Between {
    address: String,
    passing_on: JoinHandle<()>,
}

impl Drop for Between {
    fn drop(&mut self) {
        self.passing_on.abort();
    }
}

impl Between {
    async fn before(server: String) -> Self {
        let own = rcgen::generate_simple_self_signed(vec!["bellbird".to_owned()]).unwrap();
        let key = PrivatePkcs8KeyDer::from(own.signing_key.serialize_der()).into();
        let towards_device = ServerConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![own.cert.der().clone()], key)
            .unwrap();
        let towards_server = ClientConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(Anybody))
            .with_no_client_auth();
        let acceptor = TlsAcceptor::from(Arc::new(towards_device));
        let connector = TlsConnector::from(Arc::new(towards_server));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("[{BY_TLS}]:{}", listener.local_addr().unwrap().port());
        let passing_on = tokio::spawn(async move {
            loop {
                let (device, _) = listener.accept().await.unwrap();
                let (acceptor, connector, server) = (acceptor.clone(), connector.clone(), server.clone());
                tokio::spawn(async move {
                    let mut device = acceptor.accept(device).await?;
                    let name = ServerName::try_from("bellbird").expect("a name");
                    let mut server = connector.connect(name, TcpStream::connect(server).await?).await?;
                    copy_bidirectional(&mut device, &mut server).await
                });
            }
        });
        Self { address, passing_on }
    }
}

/// He takes whatever certificate the server has.
#[derive(Debug)]
struct Anybody;

impl ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _certificate: &CertificateDer<'_>,
        _signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _message: &[u8],
        _certificate: &CertificateDer<'_>,
        _signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        default_provider().signature_verification_algorithms.supported_schemes()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn he_is_found_out_by_the_code_of_an_invite_and_learns_none() {
    let server = Server::start_with(&["--advertise", &BY_TLS.to_string()]).await;
    let ann = server.ann().await;
    let between = Between::before(server.address.clone()).await;
    let ben = server.stranger("ben");
    let code = code_of(&ann).await;
    let found_out = ben.run(&["sign-in", &code, "--server", &between.address]).await;
    assert_eq!((found_out.exit, found_out.code()), (7, "unauthenticated"), "{found_out:?}");
    assert!(found_out.told.contains("listening in"), "{}", found_out.told);
    let direct = format!("[{BY_TLS}]:{}", server.address.rsplit_once(':').unwrap().1);
    let signed_in = ben.run(&["sign-in", &code, "--server", &direct, "--id", "ben"]).await;
    assert_eq!(signed_in.exit, 0, "the code is still good: {signed_in:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn he_makes_the_two_screens_show_different_codes() {
    let server = Server::start_with(&["--advertise", &BY_TLS.to_string()]).await;
    let ann = server.ann().await;
    let between = Between::before(server.address.clone()).await;
    let mut asks = server.stranger("ben").start(&["join", &between.address, "--name", "Ben"]);
    let on_his = asks.line("it waits", |line| line["event"] == "asked").await["code"].clone();
    let on_hers = ann.run(&["admit"]).await.lines[0]["code"].clone();
    assert!(on_his.is_string() && on_hers.is_string());
    assert_ne!(on_his, on_hers, "one in a million is the same");
    asks.signal("INT").await;
    assert_eq!(asks.end().await.exit, 6);
}
