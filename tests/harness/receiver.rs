//! A program that is told by webhooks: keeps what comes, and answers as a test wants it to.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
};

use anyhow::Result;
use http_body_util::{BodyExt as _, Empty};
use hyper::{Request, Response, body::Bytes, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::{net::TcpListener, task::AbortHandle};

use crate::wait::eventually;

/// What came with one request.
#[derive(Debug, Clone, PartialEq)]
pub struct Delivery {
    /// `webhook-id`.
    pub id: String,
    /// `webhook-timestamp`, in seconds.
    pub timestamp: String,
    /// `webhook-signature`.
    pub signature: String,
    /// The body as it came: what is signed.
    pub body: String,
}

/// How a receiver answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mood {
    /// With this status.
    Status(u16),
    /// Not at all.
    Silent,
}

/// Listens on loopback until it is dropped.
#[derive(Debug)]
pub struct Receiver {
    address: SocketAddr,
    kept: Arc<Mutex<Kept>>,
    task: AbortHandle,
}

#[derive(Debug)]
struct Kept {
    mood: Mood,
    deliveries: Vec<Delivery>,
}

impl Delivery {
    /// The body as JSON; null if it is none.
    #[must_use]
    pub fn event(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_default()
    }

    /// What happened.
    #[must_use]
    pub fn kind(&self) -> String {
        self.event()["type"].as_str().unwrap_or_default().to_owned()
    }
}

impl Receiver {
    /// Starts one that takes everything.
    ///
    /// # Errors
    /// When it cannot listen.
    pub async fn start() -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let kept = Arc::new(Mutex::new(Kept { mood: Mood::Status(204), deliveries: Vec::new() }));
        let task = tokio::spawn(serve(listener, Arc::clone(&kept))).abort_handle();
        Ok(Self { address, kept, task })
    }

    /// Where it listens.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}/hook", self.address)
    }

    /// From now on it answers like this.
    pub fn is_now(&self, mood: Mood) {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).mood = mood;
    }

    /// Everything that came, in order.
    #[must_use]
    pub fn deliveries(&self) -> Vec<Delivery> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).deliveries.clone()
    }

    /// What has happened, in the order in which it came.
    #[must_use]
    pub fn kinds(&self) -> Vec<String> {
        self.deliveries().iter().map(Delivery::kind).collect()
    }

    /// Waits until what came is as wanted.
    ///
    /// # Errors
    /// When it does not become so: with what came.
    pub async fn hears(&self, what: &str, is: impl Fn(&[Delivery]) -> bool) -> Result<Vec<Delivery>> {
        eventually(what, || async { Ok(self.deliveries()) }, |came| is(came)).await
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(listener: TcpListener, kept: Arc<Mutex<Kept>>) {
    while let Ok((stream, _)) = listener.accept().await {
        let kept = Arc::clone(&kept);
        let service = service_fn(move |request| take(request, Arc::clone(&kept)));
        tokio::spawn(async move { http1::Builder::new().serve_connection(TokioIo::new(stream), service).await });
    }
}

async fn take(request: Request<Incoming>, kept: Arc<Mutex<Kept>>) -> Result<Response<Empty<Bytes>>> {
    let header =
        |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
    let (id, timestamp, signature) = (header("webhook-id"), header("webhook-timestamp"), header("webhook-signature"));
    let body = request.into_body().collect().await?.to_bytes();
    let body = String::from_utf8_lossy(&body).into_owned();
    let mood = {
        let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.deliveries.push(Delivery { id, timestamp, signature, body });
        kept.mood
    };
    match mood {
        Mood::Status(status) => Ok(Response::builder().status(status).body(Empty::new())?),
        Mood::Silent => std::future::pending().await,
    }
}
