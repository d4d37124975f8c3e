//! What is counted, for Prometheus: no names, no ids.

use std::{
    future::Future,
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant},
};

use prometheus_client::{
    encoding::{EncodeLabelSet, text::encode},
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
    registry::{Registry, Unit},
};
use sfu::Traffic;
use wire::{Outcome, UnixMillis};

use crate::{
    authority::RingNews,
    store::{Change, StoreError},
};

/// From a millisecond to ten seconds.
const LATENCIES: [f64; 13] = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0];
/// A batch takes less than a ring does.
const WRITES: [f64; 12] = [0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 2.0];
const SIZES: [f64; 10] = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0];

/// Everything that is counted.
pub(crate) struct Metrics {
    registry: Registry,
    connections: Gauge,
    rings: Counter,
    outcomes: Family<OutcomeLabel, Counter>,
    ring_to_event: Histogram,
    requests: Family<RequestLabels, Counter>,
    request_time: Histogram,
    batch_changes: Histogram,
    batch_time: Histogram,
    store_failures: Counter,
    packets: Family<PacketLabel, Counter<u64, AtomicU64>>,
    webhooks_waiting: Gauge,
    passed_over: Family<WhyLabel, Counter>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OutcomeLabel {
    outcome: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    method: &'static str,
    /// As the router knows it, never as it was asked for: that may hold anything.
    path: String,
    status: u16,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct PacketLabel {
    direction: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct WhyLabel {
    why: &'static str,
}

/// Why a message of a device was passed over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PassedOver {
    /// Of a newer version: this one does not know its type.
    Unknown,
    /// No message at all, or one that breaks a rule.
    Unreadable,
    /// One of too many.
    TooMany,
}

impl Metrics {
    pub(crate) fn new() -> Self {
        let mut metrics = Self {
            registry: Registry::with_prefix("bellbird"),
            connections: Gauge::default(),
            rings: Counter::default(),
            outcomes: Family::default(),
            ring_to_event: Histogram::new(LATENCIES),
            requests: Family::default(),
            request_time: Histogram::new(LATENCIES),
            batch_changes: Histogram::new(SIZES),
            batch_time: Histogram::new(WRITES),
            store_failures: Counter::default(),
            packets: Family::default(),
            webhooks_waiting: Gauge::default(),
            passed_over: Family::default(),
        };
        let registry = &mut metrics.registry;
        registry.register("connections", "Devices that are connected now", metrics.connections.clone());
        registry.register("rings_started", "Rings that were started", metrics.rings.clone());
        registry.register("ring_outcomes", "People who were rung, by what came of it", metrics.outcomes.clone());
        let help = "From the decision to ring until the event is on its way to the devices";
        registry.register_with_unit("ring_to_event", help, Unit::Seconds, metrics.ring_to_event.clone());
        registry.register("requests", "Requests, by path and status", metrics.requests.clone());
        registry.register_with_unit("request", "Time of a request", Unit::Seconds, metrics.request_time.clone());
        let help = "Calls, rings and history lines that are stored together";
        registry.register("store_batch_changes", help, metrics.batch_changes.clone());
        registry.register_with_unit("store_batch", "Time of storing", Unit::Seconds, metrics.batch_time.clone());
        registry.register("store_failures", "Batches that could not be stored", metrics.store_failures.clone());
        registry.register("media_packets", "Datagrams of sound and picture", metrics.packets.clone());
        registry.register("webhooks_waiting", "Events that wait for a webhook", metrics.webhooks_waiting.clone());
        let help = "Messages of devices that were passed over, by why";
        registry.register("messages_passed_over", help, metrics.passed_over.clone());
        // All are there from the start: a rise from nothing is seen only when nothing was seen.
        for why in [PassedOver::Unknown, PassedOver::Unreadable, PassedOver::TooMany] {
            _ = metrics.passed_over.get_or_create(&WhyLabel::from(why));
        }
        metrics
    }

    /// A message of a device was passed over.
    pub(crate) fn passed_over(&self, why: PassedOver) {
        self.passed_over.get_or_create(&WhyLabel::from(why)).inc();
    }

    /// A device is connected until this is dropped.
    pub(crate) fn connection(&self) -> Connected {
        self.connections.inc();
        Connected(self.connections.clone())
    }

    /// Devices that are connected now.
    pub(crate) fn connected(&self) -> u32 {
        u32::try_from(self.connections.get()).unwrap_or(0)
    }

    /// Rings were stored and announced.
    pub(crate) fn rings(&self, news: &RingNews, announced_at: UnixMillis) {
        for started_at in &news.started_at {
            self.rings.inc();
            self.ring_to_event.observe(announced_at.since(*started_at).as_secs_f64());
        }
        for outcome in &news.outcomes {
            self.outcomes.get_or_create(&OutcomeLabel { outcome: outcome_name(*outcome) }).inc();
        }
    }

    pub(crate) fn request(&self, method: &'static str, path: &str, status: u16, time: Duration) {
        let labels = RequestLabels { method, path: path.to_owned(), status };
        self.requests.get_or_create(&labels).inc();
        self.request_time.observe(time.as_secs_f64());
    }

    /// Waits for a batch to be stored, and counts that.
    pub(crate) async fn storing<T>(
        &self,
        changes: usize,
        storing: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        let begun = now();
        let outcome = storing.await;
        self.batch_time.observe(begun.elapsed().as_secs_f64());
        self.batch_changes.observe(changes as f64);
        if outcome.is_err() {
            self.store_failures.inc();
        }
        outcome
    }

    /// The text that Prometheus reads. What others count is looked at for it.
    /// Without the number of webhooks that wait the one told last stays.
    pub(crate) fn text(&self, traffic: Traffic, webhooks_waiting: Option<i64>) -> String {
        for (direction, packets) in [("in", traffic.received), ("out", traffic.sent)] {
            let counter = self.packets.get_or_create(&PacketLabel { direction });
            counter.inner().store(packets, Ordering::Relaxed);
        }
        if let Some(waiting) = webhooks_waiting {
            self.webhooks_waiting.set(waiting);
        }
        let mut text = String::new();
        encode(&mut text, &self.registry).expect("a string takes any text");
        text
    }
}

impl From<PassedOver> for WhyLabel {
    fn from(why: PassedOver) -> Self {
        let why = match why {
            PassedOver::Unknown => "unknown",
            PassedOver::Unreadable => "unreadable",
            PassedOver::TooMany => "too_many",
        };
        Self { why }
    }
}

impl std::fmt::Debug for Metrics {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Metrics").finish_non_exhaustive()
    }
}

/// Counts a connection as long as it lives.
#[derive(Debug)]
pub(crate) struct Connected(Gauge);

impl Drop for Connected {
    fn drop(&mut self) {
        self.0.dec();
    }
}

impl Change {
    /// How much it changes.
    pub(crate) fn size(&self) -> usize {
        self.calls.len() + self.rings.len() + self.history.len()
    }
}

fn outcome_name(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Ringing => "ringing",
        Outcome::Accepted => "accepted",
        Outcome::Declined => "declined",
        Outcome::Busy => "busy",
        Outcome::Missed => "missed",
        Outcome::Cancelled => "cancelled",
    }
}

#[expect(clippy::disallowed_methods, reason = "what is measured is the time of the driver")]
pub(crate) fn now() -> Instant {
    Instant::now()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_is_counted_is_in_the_text() {
        let metrics = Metrics::new();
        let (first, _second) = (metrics.connection(), metrics.connection());
        drop(first);
        let at = UnixMillis(1_000);
        let news = RingNews { started_at: vec![at], outcomes: vec![Outcome::Busy, Outcome::Busy] };
        metrics.rings(&news, at.plus(Duration::from_millis(3)));
        metrics.request("GET", "/v1/people", 200, Duration::from_millis(1));
        _ = metrics.storing(3, async { Err::<(), _>(StoreError::Database(sqlx::Error::PoolClosed)) }).await;
        metrics.passed_over(PassedOver::Unknown);
        let text = metrics.text(Traffic { received: 7, sent: 9 }, Some(5));
        for line in [
            "bellbird_connections 1",
            "bellbird_rings_started_total 1",
            "bellbird_ring_outcomes_total{outcome=\"busy\"} 2",
            "bellbird_ring_to_event_seconds_bucket{le=\"0.002\"} 0",
            "bellbird_ring_to_event_seconds_bucket{le=\"0.005\"} 1",
            "bellbird_requests_total{method=\"GET\",path=\"/v1/people\",status=\"200\"} 1",
            "bellbird_store_batch_changes_sum 3.0",
            "bellbird_store_failures_total 1",
            "bellbird_media_packets_total{direction=\"out\"} 9",
            "bellbird_webhooks_waiting 5",
            "bellbird_messages_passed_over_total{why=\"unknown\"} 1",
            "bellbird_messages_passed_over_total{why=\"unreadable\"} 0",
        ] {
            assert!(text.lines().any(|known| known == line), "{line} is not in\n{text}");
        }
    }
}
