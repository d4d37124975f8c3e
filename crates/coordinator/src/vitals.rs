//! Whether every part of a running server is alive. One that ends before it was told to has come upon a fault of ours, and
//! is the end of all: whoever runs the server starts a new one, and what is stored is whole.

use std::{
    future::Future,
    sync::{Arc, OnceLock},
};

use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// The parts of one server.
#[derive(Debug, Clone)]
pub(crate) struct Vitals {
    /// They were told to end.
    stop: CancellationToken,
    dead: CancellationToken,
    fallen: Arc<OnceLock<&'static str>>,
}

impl Vitals {
    pub(crate) fn new(stop: CancellationToken) -> Self {
        Self { stop, dead: CancellationToken::new(), fallen: Arc::default() }
    }

    /// Runs a part that goes on until it is told to stop.
    pub(crate) fn run(&self, part: &'static str, work: impl Future<Output = ()> + Send + 'static) -> JoinHandle<()> {
        let alive = Alive { part, vitals: self.clone() };
        tokio::spawn(async move {
            let _alive = alive;
            work.await;
        })
    }

    /// The part that fell first.
    pub(crate) fn fallen(&self) -> Option<&'static str> {
        self.fallen.get().copied()
    }

    /// Waits until one has fallen.
    pub(crate) fn failed(&self) -> impl Future<Output = ()> + Send + 'static + use<> {
        self.dead.clone().cancelled_owned()
    }
}

/// Dropped when a part ends, however it does.
struct Alive {
    part: &'static str,
    vitals: Vitals,
}

impl Drop for Alive {
    fn drop(&mut self) {
        if !self.vitals.stop.is_cancelled() {
            tracing::error!(part = self.part, "a part of the server has ended by a fault of its own");
            _ = self.vitals.fallen.set(self.part);
            self.vitals.dead.cancel();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::timeout;

    use super::*;

    #[tokio::test]
    async fn a_part_that_ends_by_itself_is_the_end_of_all_and_the_first_is_named() {
        for panics in [true, false] {
            let vitals = Vitals::new(CancellationToken::new());
            let _lasting = vitals.run("what lasts", std::future::pending());
            assert_eq!(vitals.fallen(), None);
            vitals.run("what falls", async move { assert!(!panics, "planted by a test") });
            timeout(Duration::from_secs(10), vitals.failed()).await.expect("told of it");
            vitals.run("what follows", async {});
            assert_eq!(vitals.fallen(), Some("what falls"));
        }
    }

    #[tokio::test]
    async fn what_ends_because_it_was_told_to_has_not_fallen() {
        let stop = CancellationToken::new();
        let vitals = Vitals::new(stop.clone());
        let part = vitals.run("a part", stop.clone().cancelled_owned());
        let cut_off = vitals.run("one that is cut off", std::future::pending());
        stop.cancel();
        part.await.unwrap();
        cut_off.abort();
        assert!(cut_off.await.is_err());
        assert_eq!(vitals.fallen(), None);
    }
}
