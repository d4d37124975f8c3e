//! Brings events out: one at a time to each hook, a few hooks at a time in turns, and to hooks that fail fewer than that:
//! however many those are, they delay nobody else.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use futures_util::{StreamExt as _, future::BoxFuture, stream::FuturesUnordered};
use reqwest::{StatusCode, header::CONTENT_TYPE, redirect::Policy};
use tokio_util::sync::CancellationToken;
use wire::{UnixMillis, WebhookId};

use super::{
    Due, Health, Outbox, Places, Reach, Round, StoredHook,
    reach::{Lookup, check_url},
    schedule::{Outcome, Said, judge},
    signature::{read_secret, sign},
};
use crate::{
    clock::{steady_now, unix_now},
    store::{Store, StoreError},
};

/// Deliveries at the same time.
const AT_ONCE: usize = 8;
/// Those of them to hooks that have failed last.
const FAILING_AT_ONCE: usize = 4;
const CONNECT: Duration = Duration::from_secs(5);
/// A receiver should take an event and think about it later.
const TIMEOUT: Duration = Duration::from_secs(10);
/// How often it is looked for what nobody rang for.
const LOOK: Duration = Duration::from_secs(60);
/// After the store has failed.
const PAUSE: Duration = Duration::from_secs(5);

pub(crate) struct Courier {
    store: Store,
    outbox: Arc<Outbox>,
    http: reqwest::Client,
    reach: Reach,
    /// Hooks that are being told of something now.
    busy: BTreeMap<WebhookId, Health>,
    /// The hook that had its turn last.
    last: Option<WebhookId>,
    deliveries: FuturesUnordered<BoxFuture<'static, (WebhookId, i64, Outcome)>>,
}

impl Courier {
    pub(crate) fn new(store: Store, outbox: Arc<Outbox>, reach: Reach) -> Result<Self, reqwest::Error> {
        // No redirects: they would lead past the check of where hooks may lie. No proxy of the environment, for the same.
        let http = reqwest::Client::builder()
            .dns_resolver(Arc::new(Lookup(reach)))
            .redirect(Policy::none())
            .no_proxy()
            .connect_timeout(CONNECT)
            .timeout(TIMEOUT)
            .user_agent(concat!("Bellbird/", env!("CARGO_PKG_VERSION")))
            .build()?;
        Ok(Self { store, outbox, http, reach, busy: BTreeMap::new(), last: None, deliveries: FuturesUnordered::new() })
    }

    /// Until the server stops. What was on its way then is sent again by the next run: at least once.
    pub(crate) async fn run(mut self, stop: CancellationToken) {
        loop {
            let wait = self.begin_what_is_due(steady_now()).await;
            tokio::select! {
                Some((hook, seq, outcome)) = self.deliveries.next() => self.finish(&hook, seq, outcome).await,
                () = self.outbox.rung() => {}
                () = tokio::time::sleep(wait) => {}
                () = stop.cancelled() => return,
            }
        }
    }

    /// Answers how long there is nothing more to do.
    async fn begin_what_is_due(&mut self, now: UnixMillis) -> Duration {
        // Full: there is a place when a delivery ends, and not before.
        let free = AT_ONCE.saturating_sub(self.deliveries.len());
        if free == 0 {
            return LOOK;
        }
        let failing = self.busy.values().filter(|health| **health == Health::Failing).count();
        let places = Places { all: free, failing: FAILING_AT_ONCE.saturating_sub(failing) };
        let round = match self.due(now, places).await {
            Ok(round) => round,
            Err(error) => {
                tracing::error!(%error, "what is to be delivered to webhooks cannot be read");
                return PAUSE;
            }
        };
        for (hook, due) in round.due {
            self.busy.insert(hook.id.clone(), hook.health());
            self.last = Some(hook.id.clone());
            self.deliveries.push(Box::pin(deliver(self.http.clone(), self.reach, hook, due)));
        }
        if self.deliveries.len() >= AT_ONCE {
            return LOOK;
        }
        round.next_at.map_or(LOOK, |at| at.since(now).min(LOOK))
    }

    async fn due(&mut self, now: UnixMillis, places: Places) -> Result<Round, StoreError> {
        self.store.disable_hooks_of_old_keys(now).await?;
        self.store.due_deliveries(now, &self.busy, self.last.as_ref(), places).await
    }

    async fn finish(&mut self, hook: &WebhookId, seq: i64, outcome: Outcome) {
        if let Outcome::Disable { reason, .. } = &outcome {
            tracing::warn!(%hook, reason, "a webhook is disabled");
        }
        if let Err(error) = self.store.finish_delivery(hook, seq, &outcome, steady_now()).await {
            // It stays due and is sent again.
            tracing::error!(%error, "what became of a delivery cannot be stored");
            tokio::time::sleep(PAUSE).await;
        }
        self.busy.remove(hook);
    }
}

async fn deliver(http: reqwest::Client, reach: Reach, hook: StoredHook, due: Due) -> (WebhookId, i64, Outcome) {
    let said = post(&http, reach, &hook, &due).await;
    let outcome = judge(&said, due.attempts, due.created_at, hook.failing_since, steady_now(), rand::random());
    tracing::debug!(hook = %hook.id, event = %due.event, ?outcome, "a delivery was tried");
    (hook.id, due.seq, outcome)
}

async fn post(http: &reqwest::Client, reach: Reach, hook: &StoredHook, due: &Due) -> Said {
    // The operator may have narrowed where hooks may lie since this one was registered.
    let (url, secret) = match (check_url(&hook.url, reach), read_secret(&hook.secret)) {
        (Ok(url), Ok(secret)) => (url, secret),
        (Err(error), _) | (_, Err(error)) => return Said::Nothing(error.message),
    };
    let seconds = unix_now().0 / 1000;
    let request = http
        .post(url)
        .header(CONTENT_TYPE, "application/json")
        .header("webhook-id", due.event.as_str())
        .header("webhook-timestamp", seconds)
        .header("webhook-signature", sign(&secret, &due.event, seconds, &due.body))
        .body(due.body.clone());
    match request.send().await {
        Ok(response) if response.status().is_success() => Said::Yes(response.status().as_u16()),
        Ok(response) if response.status() == StatusCode::GONE => Said::Gone,
        Ok(response) => Said::No(response.status().as_u16()),
        Err(error) if error.is_timeout() => Said::Nothing("no answer in time".to_owned()),
        Err(error) if error.is_connect() => Said::Nothing("not reachable".to_owned()),
        Err(_) => Said::Nothing("the connection broke".to_owned()),
    }
}
