//! What is measured of any server: rings one after the other, and as many as it can.

use std::{cell::Cell, time::Duration};

use anyhow::{Context as _, Result};
use futures_util::future::try_join_all;
use tokio::time::sleep;

use crate::{
    clock::{Times, now},
    machine,
    pair::Steps,
};

/// Between two rings when latency is measured: nobody waits for the one before.
const PAUSE: Duration = Duration::from_millis(3);
/// Not counted: the first moments of a load.
const WARM_UP: Duration = Duration::from_secs(1);

/// Two people whose ring can be measured; ours and the peer's.
pub(crate) trait Rings {
    /// One whole ring.
    async fn ring(&mut self) -> Result<Steps>;
}

/// How long the steps took, of rings that had the server to themselves.
#[derive(Debug, Default)]
pub(crate) struct Latency {
    pub(crate) ring: Times,
    pub(crate) accept: Times,
    pub(crate) end: Times,
}

/// What a server does when asked for as much as it can.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Load {
    pub(crate) per_second: f64,
    /// CPU time of the server for one whole ring.
    pub(crate) cpu: Duration,
    /// Shares of a core that the server and this program used: the one that is full is what limits.
    pub(crate) busy: f64,
    pub(crate) own_busy: f64,
}

/// Rings pair after pair, one ring at a time, as often as wanted or as the time allows.
pub(crate) async fn latency(pairs: &mut [impl Rings], rings: usize, most: Duration) -> Result<Latency> {
    let mut latency = Latency::default();
    for pair in &mut *pairs {
        // Not counted: the first of each pair.
        pair.ring().await?;
    }
    let begun = now();
    while latency.ring.count() < rings && begun.elapsed() < most {
        let next = latency.ring.count() % pairs.len();
        let steps = pairs[next].ring().await?;
        latency.ring.push(steps.ring);
        latency.accept.push(steps.accept);
        latency.end.push(steps.end);
        sleep(PAUSE).await;
    }
    Ok(latency)
}

/// All pairs ring at once, each again as soon as its ring is over.
pub(crate) async fn load(pairs: &mut [impl Rings], pid: u32, most: Duration) -> Result<Load> {
    let (rings, is_over) = (Cell::new(0_u32), Cell::new(false));
    let lanes = pairs.iter_mut().map(|pair| async {
        while !is_over.get() {
            pair.ring().await?;
            rings.set(rings.get() + 1);
        }
        anyhow::Ok(())
    });
    let count = async {
        sleep(WARM_UP).await;
        let own = std::process::id();
        let (rings_before, begun) = (rings.get(), now());
        let (cpu_before, own_before) = (machine::cpu(pid)?, machine::cpu(own)?);
        sleep(most).await;
        let (done, seconds) = (rings.get() - rings_before, begun.elapsed().as_secs_f64());
        let (used, own_used) = (machine::cpu(pid)? - cpu_before, machine::cpu(own)? - own_before);
        is_over.set(true);
        anyhow::Ok(Load {
            per_second: f64::from(done) / seconds,
            cpu: used.checked_div(done).context("not one ring was over in time")?,
            busy: used.as_secs_f64() / seconds,
            own_busy: own_used.as_secs_f64() / seconds,
        })
    };
    let (_, load) = futures_util::future::try_join(try_join_all(lanes), count).await?;
    Ok(load)
}
