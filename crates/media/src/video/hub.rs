//! Encoded pictures by track, for whoever watches: the page of the app, mostly.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, Weak,
        atomic::{AtomicBool, Ordering},
    },
};

use tokio::sync::mpsc;

use crate::frame::EncodedFrame;

/// Frames that may wait for a slow watcher; then it skips to the next key frame.
const QUEUE: usize = 8;

/// The key of the own camera's pictures.
pub(crate) const LOCAL: &str = "local";

/// Pictures by track key: `local` is the own camera as it is sent, the others are named by the media server.
#[derive(Debug, Clone, Default)]
pub struct VideoHub {
    tracks: Arc<Mutex<Tracks>>,
}

/// Who watches which track; one that nobody watches is not in it, whether it publishes or not.
#[derive(Debug, Default)]
struct Tracks(HashMap<String, Vec<Watcher>>);

#[derive(Debug)]
struct Watcher {
    frames: mpsc::Sender<EncodedFrame>,
    /// It can do nothing with a difference: it has just come, or has missed something.
    waits_for_key: Arc<AtomicBool>,
}

/// One watcher of one track; dropping it ends the watching.
#[derive(Debug)]
pub struct VideoSubscription {
    frames: mpsc::Receiver<EncodedFrame>,
    waits_for_key: Arc<AtomicBool>,
    tracks: Weak<Mutex<Tracks>>,
}

impl Tracks {
    /// Forgets who does not watch any more.
    fn prune(&mut self) {
        self.0.retain(|_, watchers| {
            watchers.retain(|watcher| !watcher.frames.is_closed());
            !watchers.is_empty()
        });
    }
}

impl Drop for VideoSubscription {
    fn drop(&mut self) {
        self.frames.close();
        // The track may never publish again: nobody else would notice.
        if let Some(tracks) = self.tracks.upgrade() {
            tracks.lock().unwrap_or_else(PoisonError::into_inner).prune();
        }
    }
}

impl VideoHub {
    /// Watches a track, also before it exists. The first frame is a key frame.
    #[must_use]
    pub fn subscribe(&self, key: &str) -> VideoSubscription {
        let (sender, frames) = mpsc::channel(QUEUE);
        let waits_for_key = Arc::new(AtomicBool::new(true));
        let watcher = Watcher { frames: sender, waits_for_key: Arc::clone(&waits_for_key) };
        let mut tracks = self.lock();
        tracks.prune();
        tracks.0.entry(key.to_owned()).or_default().push(watcher);
        VideoSubscription { frames, waits_for_key, tracks: Arc::downgrade(&self.tracks) }
    }

    fn lock(&self) -> MutexGuard<'_, Tracks> {
        self.tracks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Hands a frame to everybody who watches; says whether one of them needs a key frame.
    pub(crate) fn publish(&self, key: &str, frame: &EncodedFrame) -> bool {
        let mut tracks = self.lock();
        let Some(watchers) = tracks.0.get_mut(key) else { return false };
        let mut needs_key = false;
        watchers.retain(|watcher| {
            if watcher.waits_for_key.load(Ordering::Relaxed) && !frame.key {
                needs_key |= !watcher.frames.is_closed();
                return !watcher.frames.is_closed();
            }
            watcher.waits_for_key.store(false, Ordering::Relaxed);
            match watcher.frames.try_send(frame.clone()) {
                Ok(()) => true,
                Err(mpsc::error::TrySendError::Full(_)) => {
                    // A gap in a stream of differences shows as garbage: nothing before the next key frame.
                    watcher.waits_for_key.store(true, Ordering::Relaxed);
                    needs_key = true;
                    true
                }
                Err(mpsc::error::TrySendError::Closed(_)) => false,
            }
        });
        if watchers.is_empty() {
            tracks.0.remove(key);
        }
        needs_key
    }
}

impl VideoSubscription {
    /// The next frame; `None` only after the hub is gone.
    pub async fn next(&mut self) -> Option<EncodedFrame> {
        self.frames.recv().await
    }

    /// The watcher's decoder is stuck: nothing comes before the next key frame, which is asked for.
    pub fn request_key_frame(&self) {
        self.waits_for_key.store(true, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use bytes::Bytes;

    use super::*;

    fn frame(number: u64, key: bool) -> EncodedFrame {
        let timestamp = Duration::from_millis(number);
        EncodedFrame { key, timestamp, width: 2, height: 2, data: Bytes::new() }
    }

    #[tokio::test]
    async fn a_slow_watcher_skips_to_the_next_key_frame() {
        let hub = VideoHub::default();
        let mut slow = hub.subscribe("x");
        assert!(hub.publish("x", &frame(0, false)), "nothing before a key frame, and one is asked for");
        assert!(!hub.publish("x", &frame(1, true)));
        let asked = (2..20).filter(|number| hub.publish("x", &frame(*number, false))).count();
        assert!(asked > 0);
        assert!(hub.publish("x", &frame(20, true)), "still full");
        for number in 1..=8 {
            assert_eq!(slow.next().await.unwrap().timestamp, Duration::from_millis(number));
        }
        assert!(hub.publish("x", &frame(21, false)), "a difference to a frame it has not seen");
        hub.publish("x", &frame(22, true));
        assert_eq!(slow.next().await.unwrap().timestamp, Duration::from_millis(22));
    }

    #[tokio::test]
    async fn a_track_that_nobody_watches_is_forgotten_even_if_it_never_publishes_again() {
        let hub = VideoHub::default();
        let (first, second, other) = (hub.subscribe("x"), hub.subscribe("x"), hub.subscribe("y"));
        drop(first);
        assert_eq!(hub.lock().0["x"].len(), 1);
        drop(second);
        assert_eq!(hub.lock().0.keys().collect::<Vec<_>>(), ["y"]);
        drop(other);
        assert!(hub.lock().0.is_empty());
    }
}
