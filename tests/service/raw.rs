//! HTTP by hand: requests that no client of ours would send.

use anyhow::{Context as _, Result};
use call_client::Account;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

/// An answer: status and body.
pub(super) type Answer = (u16, Value);

/// Somebody who speaks HTTP by hand, signed in or not.
pub(super) struct Raw {
    address: String,
    pub(super) token: Option<String>,
    /// More lines of the head of every request.
    pub(super) headers: Vec<String>,
}

impl Raw {
    /// Without any token.
    pub(super) fn stranger(account: &Account) -> Self {
        Self { address: account.server.to_string(), token: None, headers: Vec::new() }
    }

    /// With the access token of a device.
    pub(super) async fn of(account: &Account) -> Result<Self> {
        let mut raw = Self::stranger(account);
        let request = json!({ "device": account.device, "refresh_secret": account.refresh_secret });
        let (status, answer) = raw.ask("POST", "/v1/token", &request.to_string()).await?;
        anyhow::ensure!(status == 200, "{answer}");
        raw.token = answer["token"].as_str().map(str::to_owned);
        Ok(raw)
    }

    /// Sends a request and reads its answer.
    pub(super) async fn ask(&self, method: &str, path: &str, body: &str) -> Result<Answer> {
        let mut stream = TcpStream::connect(&self.address).await?;
        let head = self.head(method, path, body, "");
        // A server that has read enough answers and closes before everything is sent.
        _ = stream.write_all(format!("{head}{body}").as_bytes()).await;
        answer(stream).await.with_context(|| format!("{method} {path}"))
    }

    /// Sends a request of which the server waits for the body while something else is done.
    pub(super) async fn ask_while(
        &self,
        method: &str,
        path: &str,
        body: &str,
        meanwhile: impl Future<Output = Result<()>>,
    ) -> Result<Answer> {
        let mut stream = TcpStream::connect(&self.address).await?;
        stream.write_all(self.head(method, path, body, "expect: 100-continue\r\n").as_bytes()).await?;
        // It says so when it begins to read the body.
        let mut says = *b"HTTP/1.1 100 Continue\r\n\r\n";
        let wanted = says;
        stream.read_exact(&mut says).await?;
        anyhow::ensure!(says == wanted, "{}", String::from_utf8_lossy(&says));
        meanwhile.await?;
        stream.write_all(body.as_bytes()).await?;
        answer(stream).await.with_context(|| format!("{method} {path}"))
    }

    fn head(&self, method: &str, path: &str, body: &str, more: &str) -> String {
        let authorization = self.token.as_ref().map(|token| format!("authorization: Bearer {token}\r\n"));
        let headers: String = self.headers.iter().map(|line| format!("{line}\r\n")).collect();
        format!(
            "{method} {path} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\ncontent-length: {}\r\n{}{headers}{more}\r\n",
            self.address,
            body.len(),
            authorization.unwrap_or_default()
        )
    }
}

async fn answer(mut stream: TcpStream) -> Result<Answer> {
    let mut answer = Vec::new();
    _ = stream.read_to_end(&mut answer).await;
    let answer = String::from_utf8(answer)?;
    let (head, body) = answer.split_once("\r\n\r\n").with_context(|| format!("no answer, but {answer:?}"))?;
    let status = head.split(' ').nth(1).context("no status")?.parse()?;
    Ok((status, serde_json::from_str(body).unwrap_or_else(|_| body.into())))
}
