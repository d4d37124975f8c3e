//! What whoever runs the server may rely on: metrics, health, and logs that give nothing away.

use std::{
    io::Write,
    sync::{Arc, Mutex, PoisonError},
};

use anyhow::{Context as _, Result, ensure};
use call_client::{CallingState, JoinOptions, Leave, Toggle};
use coordinator::Reach;
use harness::{Receiver, service::Service};
use serde_json::{Value, json};
use wire::{Code, CreateInvite, Reason, Scope};

/// The value of one line of the metrics.
fn value(text: &Value, line: &str) -> Option<f64> {
    let found = text.as_str()?.lines().find(|known| known.starts_with(&format!("{line} ")))?;
    found.rsplit_once(' ')?.1.parse().ok()
}

#[tokio::test]
async fn rings_requests_and_connections_are_counted() -> Result<()> {
    let service = Service::start().await?;
    let (ann, ben) = (service.person("ann").await?, service.person("ben").await?);
    let ring = || async {
        let cid = ann.client.ring(vec![ben.account.user.clone()], Toggle::Off).await?;
        ben.is_in(&cid, CallingState::Ringing).await?;
        anyhow::Ok(cid)
    };
    let declined = ring().await?;
    ben.client.leave(declined, Leave::Reject { reason: Reason::Decline, message: None }).await?;
    let accepted = ring().await?;
    ben.client.join(accepted.clone(), JoinOptions { create: false, video: Toggle::Off }).await?;
    ann.is_in(&accepted, CallingState::Joined).await?;
    let text = service.program().get("/metrics").await?.ok()?;
    for (line, expected) in [
        ("bellbird_connections", 2.0),
        ("bellbird_rings_started_total", 2.0),
        ("bellbird_ring_outcomes_total{outcome=\"declined\"}", 1.0),
        ("bellbird_ring_outcomes_total{outcome=\"accepted\"}", 1.0),
        ("bellbird_ring_to_event_seconds_count", 2.0),
        ("bellbird_webhooks_waiting", 0.0),
        ("bellbird_store_failures_total", 0.0),
        // These two have no microphones.
        ("bellbird_media_packets_total{direction=\"in\"}", 0.0),
    ] {
        assert_eq!(value(&text, line), Some(expected), "{line} in\n{text}");
    }
    let joins = "bellbird_requests_total{method=\"POST\",path=\"/v1/calls/{type}/{id}/join\",status=\"200\"}";
    assert_eq!(value(&text, joins), Some(2.0), "{text}");
    assert!(value(&text, "bellbird_store_batch_seconds_count") >= Some(4.0), "{text}");
    Ok(())
}

#[tokio::test]
async fn metrics_are_for_this_machine_admins_and_keys_with_the_scope() -> Result<()> {
    let service = Service::start().await?;
    let ann = service.person("ann").await?;
    // What a proxy on this machine passes on comes from elsewhere.
    let from_elsewhere = service.program().with("x-forwarded-for", "192.0.2.7");
    assert_eq!(from_elsewhere.get("/metrics").await?.refusal()?.0, Code::Unauthenticated);
    for (account, code) in [(&ann.account, Some(Code::PermissionDenied)), (&service.admin, None)] {
        let program = service.program_of(account).await?.with("x-forwarded-for", "192.0.2.7");
        let answer = program.get("/metrics").await?;
        assert_eq!(answer.refusal().ok().map(|(code, _)| code), code, "{}", account.user);
    }
    for (scope, code) in [(Scope::CallsRead, Some(Code::PermissionDenied)), (Scope::Metrics, None)] {
        let program = service.program_with("monitor", &[scope]).await?.with("x-forwarded-for", "192.0.2.7");
        let answer = program.get("/metrics").await?;
        assert_eq!(answer.refusal().ok().map(|(code, _)| code), code, "{scope:?}");
    }
    Ok(())
}

/// Everything that was logged.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap_or_else(PoisonError::into_inner)).into_owned()
    }
}

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// The most that the server itself logs, of a scene with every secret there is.
#[tokio::test]
async fn logs_name_ids_and_hold_no_secrets_names_or_words() -> Result<()> {
    let log = Log::default();
    let writer = log.clone();
    // For all threads of the tests: the more is logged, the more could give something away. The library of WebSockets is
    // kept quiet by the programs themselves, whatever RUST_LOG says.
    tracing_subscriber::fmt()
        .with_env_filter("coordinator=trace,wire=trace,sfu=trace,sqlx=trace,axum=trace,tower_http=trace")
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .try_init()
        .map_err(|error| anyhow::anyhow!("no other test sets a subscriber: {error}"))?;
    let service = Service::start_with(|config| config.webhooks = Reach::Anywhere).await?;
    let (ann, ben) = (service.person("Ann Zebedee").await?, service.person("Ben Quux").await?);
    let receiver = Receiver::start().await?;
    let admin = service.program_of(&service.admin).await?;
    let access = json!({ "device": ann.account.device, "refresh_secret": ann.account.refresh_secret });
    let access = service.program().post("/v1/token", &access).await?.ok()?;
    let invite = admin.post("/v1/invites", &json!(CreateInvite::default())).await?.ok()?;
    let key = admin.post("/v1/api-keys", &json!({ "name": "Shop Plugh", "scopes": ["ring"] })).await?.ok()?;
    let hook = admin.post("/v1/webhooks", &json!({ "url": receiver.url() })).await?.ok()?;
    let bad = service.program().with_token("not-a-token-but-a-secret");
    bad.get("/v1/snapshot").await?.refusal()?;
    service.program().get("/rtc?access_token=a-token-in-a-query").await?;
    let cid = ann.client.ring(vec![ben.account.user.clone()], Toggle::Off).await?;
    ben.is_in(&cid, CallingState::Ringing).await?;
    let message = Some("my words to you".to_owned());
    ben.client.leave(cid.clone(), Leave::Reject { reason: Reason::Decline, message }).await?;
    receiver.hears("the end of the ring", |came| came.iter().any(|one| one.kind() == "ring.ended")).await?;
    let text = log.text();
    ensure!(text.contains("a device signed in") && text.contains("a request was answered"), "too little: {text}");
    ensure!(text.contains(ann.account.user.as_str()), "people are named by id: {text}");
    let secret = |value: &Value| value.as_str().map(str::to_owned).context("a secret");
    for given_away in [
        ann.account.refresh_secret.clone(),
        service.admin.refresh_secret.clone(),
        secret(&access["token"])?,
        secret(&invite["code"])?,
        secret(&key["token"])?,
        secret(&hook["secret"])?,
        "not-a-token-but-a-secret".to_owned(),
        "a-token-in-a-query".to_owned(),
        "Zebedee".to_owned(),
        "Quux".to_owned(),
        "Plugh".to_owned(),
        "my words to you".to_owned(),
    ] {
        let line = text.lines().find(|line| line.contains(&given_away));
        assert_eq!(line, None, "{given_away}");
    }
    Ok(())
}
