//! Requests to the server, over HTTP/1.1 that stays open: one connection, one request at a time.

use std::{
    net::{Ipv4Addr, SocketAddr},
    time::Duration,
};

use anyhow::{Context as _, Result, bail};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::{Request, client::conn::http1};
use hyper_util::rt::TokioIo;
use serde::{Serialize, de::DeserializeOwned};
use tokio::{net::TcpSocket, time::timeout};
use wire::ErrorBody;

/// A request that takes longer has failed.
const PATIENCE: Duration = Duration::from_secs(20);

/// One open connection.
pub(crate) struct Api {
    sender: http1::SendRequest<Full<Bytes>>,
    address: String,
}

impl Api {
    pub(crate) async fn connect(address: &str) -> Result<Self> {
        let stream = connect(address, 0).await?;
        let (sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        tokio::spawn(async move { _ = connection.await });
        Ok(Self { sender, address: address.to_owned() })
    }

    /// Asks in the name of who holds the token.
    pub(crate) async fn post<T: DeserializeOwned>(
        &mut self,
        path: &str,
        token: Option<&str>,
        body: &impl Serialize,
    ) -> Result<T> {
        let mut request = Request::post(path).header("host", &self.address).header("content-type", "application/json");
        if let Some(token) = token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        let request = request.body(Full::new(Bytes::from(serde_json::to_vec(body)?)))?;
        if self.sender.ready().await.is_err() {
            // The server lets a connection go that was idle for long.
            *self = Self::connect(&self.address).await?;
        }
        let exchange = async {
            let response = self.sender.send_request(request).await?;
            let status = response.status();
            anyhow::Ok((status, response.into_body().collect().await?.to_bytes()))
        };
        let answered = timeout(PATIENCE, exchange).await;
        let (status, body) = answered.with_context(|| format!("{path} was not answered within 20 s"))??;
        if !status.is_success() {
            let said = serde_json::from_slice::<ErrorBody>(&body).map(|body| body.message);
            bail!("{path} was refused ({status}): {}", said.unwrap_or_default());
        }
        serde_json::from_slice(&body).with_context(|| format!("{path} was answered with something else"))
    }
}

/// A TCP connection from one of 250 loopback addresses, chosen by `number`: each of them has ports of its own.
pub(crate) async fn connect(address: &str, number: usize) -> Result<tokio::net::TcpStream> {
    let to: SocketAddr = address.parse()?;
    let socket = TcpSocket::new_v4()?;
    let last = u8::try_from(number % 250 + 2).unwrap_or(2);
    socket.bind(SocketAddr::from((Ipv4Addr::new(127, 0, 1, last), 0)))?;
    let stream = socket.connect(to).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}
