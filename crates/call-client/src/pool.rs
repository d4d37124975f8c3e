//! The HTTP connections to one server: kept for the next request until their network may be gone.

use std::sync::Arc;

use bytes::Bytes;
use reqwest::{Client, RequestBuilder};
use rustls::ClientConfig;
use tokio::sync::watch;
use tracing::warn;
use wire::{Pin, ServerAddress};

use crate::{
    error::ClientError,
    http::{content, http_client, tls_towards},
};

#[derive(Debug)]
pub(crate) struct Pool {
    tls: Option<Arc<ClientConfig>>,
    /// Who waits for an answer watches it: when it is told of a new one, his connection is gone.
    client: watch::Sender<Client>,
}

impl Pool {
    pub(crate) fn towards(server: &ServerAddress, pin: Option<Pin>) -> Result<Self, ClientError> {
        let tls = tls_towards(server, pin)?;
        let client = http_client(tls.as_deref())?;
        Ok(Self { tls, client: watch::Sender::new(client) })
    }

    /// Sends a request; answers with what it brought if it succeeded.
    pub(crate) async fn send(&self, request: impl FnOnce(&Client) -> RequestBuilder) -> Result<Bytes, ClientError> {
        let mut client = self.client.subscribe();
        let sent = request(&client.borrow_and_update()).send();
        tokio::select! {
            biased;
            content = async { content(sent.await).await } => content,
            _ = client.changed() => Err(ClientError::Unreachable { why: "the network has changed".to_owned() }),
        }
    }

    /// The next requests open connections of their own; what is on its way may still be answered.
    pub(crate) fn renew(&self) {
        let Some(mut other) = self.fresh() else { return };
        self.client.send_if_modified(|client| {
            std::mem::swap(client, &mut other);
            // Nobody is told.
            false
        });
    }

    /// The same, and what is on its way has failed: nobody waits for an answer that has no way back.
    pub(crate) fn cut(&self) {
        if let Some(client) = self.fresh() {
            self.client.send_replace(client);
        }
    }

    fn fresh(&self) -> Option<Client> {
        let fresh = http_client(self.tls.as_deref());
        fresh.inspect_err(|error| warn!(%error, "connections that may be dead are used on")).ok()
    }
}

#[cfg(test)]
mod tests {
    use reqwest::Method;
    use serde::de::IgnoredAny;
    use tokio::{task::JoinHandle, time::timeout};

    use super::*;
    use crate::fake_server::{Asked, FakeServer, SOON};

    type Asking = JoinHandle<Result<IgnoredAny, ClientError>>;

    /// A request that the server has read and not answered.
    async fn under_way(server: &mut FakeServer) -> (Asking, Asked) {
        let rest = server.rest.clone();
        let asking = tokio::spawn(async move { rest.request(Method::POST, "/v1/calls", Vec::new()).await });
        let mut asked = server.asked().await;
        if asked.path == "/v1/token" {
            asked.gets_a_token();
            asked = server.asked().await;
        }
        (asking, asked)
    }

    async fn answer(asking: Asking) -> Result<IgnoredAny, ClientError> {
        timeout(SOON, asking).await.expect("nobody waits for the time limit of a request").unwrap()
    }

    #[tokio::test]
    async fn a_request_of_a_network_that_is_gone_fails_at_once_and_the_next_goes_by_another_connection() {
        let mut server = FakeServer::start().await;
        let (asking, asked) = under_way(&mut server).await;
        server.rest.cut_connections();
        let error = answer(asking).await.unwrap_err();
        assert!(matches!(error, ClientError::Unreachable { .. }), "it is tried again: {error:?}");
        let (asking, again) = under_way(&mut server).await;
        assert_ne!(again.connection, asked.connection);
        again.gets("null");
        answer(asking).await.unwrap();
    }

    #[tokio::test]
    async fn a_request_to_a_server_that_takes_its_leave_is_still_answered_and_the_next_goes_by_another_connection() {
        let mut server = FakeServer::start().await;
        let (asking, asked) = under_way(&mut server).await;
        let connection = asked.connection;
        server.rest.renew_connections();
        asked.gets("null");
        answer(asking).await.unwrap();
        let (asking, again) = under_way(&mut server).await;
        assert_ne!(again.connection, connection);
        again.gets("null");
        answer(asking).await.unwrap();
    }
}
