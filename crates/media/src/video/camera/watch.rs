//! A camera on a thread of its own, because drivers block, and another thread that watches over it and does not.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel},
    },
    time::{Duration, Instant},
};

use super::{CameraState, now};

/// Pictures that do not come for this long are a failure.
pub(super) const PATIENCE: Duration = Duration::from_secs(2);
/// How long a camera that failed is left alone.
const RETRY: Duration = Duration::from_secs(2);
/// How soon a stop is noticed.
const GLANCE: Duration = Duration::from_millis(50);
/// Reports that may wait; a picture that finds no room is no news.
const REPORTS: usize = 8;

/// What the thread of the device tells.
enum Report {
    Picture,
    Failed(String),
}

/// How long things take; shorter in tests.
#[derive(Debug, Clone, Copy)]
pub(super) struct Times {
    pub(super) patience: Duration,
    pub(super) retry: Duration,
}

impl Default for Times {
    fn default() -> Self {
        Self { patience: PATIENCE, retry: RETRY }
    }
}

/// Keeps a camera going until `stop`. `open` opens the device and answers what takes its next picture, which may block
/// for ever; dropping that closes the device.
pub(super) fn watch<Device>(
    times: Times,
    open: impl Fn() -> Result<Device, String> + Send + Sync + 'static,
    stop: &Arc<AtomicBool>,
    tell: impl Fn(CameraState),
) where
    Device: FnMut() -> Result<(), String> + 'static,
{
    let open = Arc::new(open);
    let mut watcher = Watcher { times, stop: Arc::clone(stop), tell, known: None };
    while !watcher.is_stopped() {
        let (sender, reports) = sync_channel(REPORTS);
        let (open, stop) = (Arc::clone(&open), Arc::clone(stop));
        let device = std::thread::Builder::new().name("camera-device".to_owned()).spawn(move || {
            run(&*open, &stop, &sender);
        });
        match device {
            Ok(_) => watcher.follow(&reports),
            Err(error) => watcher.say(CameraState::Failed(error.to_string())),
        }
        watcher.rest();
    }
}

/// The thread of the device.
fn run<Device: FnMut() -> Result<(), String>>(
    open: &impl Fn() -> Result<Device, String>,
    stop: &AtomicBool,
    reports: &SyncSender<Report>,
) {
    let mut next = match open() {
        Ok(next) => next,
        Err(why) => {
            _ = reports.send(Report::Failed(why));
            return;
        }
    };
    while !stop.load(Ordering::Relaxed) {
        if let Err(why) = next() {
            // Told before the device is closed: a driver whose device is gone may panic at that.
            _ = reports.send(Report::Failed(why));
            return;
        }
        if let Err(TrySendError::Disconnected(_)) = reports.try_send(Report::Picture) {
            return;
        }
    }
}

struct Watcher<Tell> {
    times: Times,
    stop: Arc<AtomicBool>,
    tell: Tell,
    /// What was told last.
    known: Option<CameraState>,
}

impl<Tell: Fn(CameraState)> Watcher<Tell> {
    /// Until the thread of the device has ended, or nobody wants it any more. One that is stuck is waited for: another
    /// could not have the device, and it may come back.
    fn follow(&mut self, reports: &Receiver<Report>) {
        let mut heard = now();
        while !self.is_stopped() {
            match reports.recv_timeout(GLANCE) {
                Ok(Report::Picture) => {
                    heard = now();
                    self.say(CameraState::Works);
                }
                Ok(Report::Failed(why)) => self.say(CameraState::Failed(why)),
                Err(RecvTimeoutError::Timeout) if since(heard) >= self.times.patience => {
                    let why = "The camera sends no picture: unplug it and plug it in again, or choose another.";
                    self.say(CameraState::Failed(why.to_owned()));
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    fn rest(&self) {
        let begun = now();
        while since(begun) < self.times.retry && !self.is_stopped() {
            std::thread::park_timeout(GLANCE);
        }
    }

    fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// Tells what is news.
    fn say(&mut self, state: CameraState) {
        if self.known.as_ref() == Some(&state) {
            return;
        }
        if let CameraState::Failed(why) = &state {
            tracing::warn!(why, "the camera does not work");
        }
        self.known = Some(state.clone());
        (self.tell)(state);
    }
}

fn since(begun: Instant) -> Duration {
    now().saturating_duration_since(begun)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TIMES: Times = Times { patience: Duration::from_millis(150), retry: Duration::from_millis(20) };
    const LONG: Duration = Duration::from_secs(10);

    /// A camera that sends a picture when it is let, and otherwise blocks; and what is told about it.
    struct Fake {
        pictures: SyncSender<Result<(), String>>,
        /// It has been asked for a picture.
        asked: Receiver<()>,
        told: Receiver<CameraState>,
        closed: Receiver<()>,
        stop: Arc<AtomicBool>,
        watching: Option<std::thread::JoinHandle<()>>,
    }

    struct Closing(SyncSender<()>);

    impl Drop for Closing {
        fn drop(&mut self) {
            _ = self.0.send(());
        }
    }

    fn fake() -> Fake {
        let (pictures, queue) = sync_channel::<Result<(), String>>(8);
        let (asking, asked) = sync_channel(8);
        let (teller, told) = sync_channel(8);
        let (closer, closed) = sync_channel(8);
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let queue = Arc::new(std::sync::Mutex::new(queue));
        let watching = std::thread::spawn(move || {
            let open = move || {
                let (queue, asking, closing) = (Arc::clone(&queue), asking.clone(), Closing(closer.clone()));
                Ok(move || {
                    let _is_open = &closing;
                    _ = asking.try_send(());
                    queue.lock().unwrap().recv().unwrap_or_else(|_| Err("unplugged".to_owned()))
                })
            };
            watch(TIMES, open, &stopped, move |state| _ = teller.send(state));
        });
        Fake { pictures, asked, told, closed, stop, watching: Some(watching) }
    }

    #[test]
    fn a_camera_that_stalls_is_a_failure_that_is_told_and_so_is_its_recovery() {
        let fake = fake();
        fake.pictures.send(Ok(())).unwrap();
        assert_eq!(fake.told.recv_timeout(LONG), Ok(CameraState::Works));
        assert!(matches!(fake.told.recv_timeout(LONG), Ok(CameraState::Failed(_))), "no picture comes");
        fake.pictures.send(Ok(())).unwrap();
        assert_eq!(fake.told.recv_timeout(LONG), Ok(CameraState::Works), "it goes on");
        fake.stop.store(true, Ordering::Relaxed);
    }

    #[test]
    fn a_camera_that_never_sends_a_picture_never_works() {
        let fake = fake();
        assert!(matches!(fake.told.recv_timeout(LONG), Ok(CameraState::Failed(_))));
        assert!(fake.told.recv_timeout(Duration::from_millis(300)).is_err(), "told once");
        fake.stop.store(true, Ordering::Relaxed);
    }

    #[test]
    fn stopping_waits_for_no_stuck_camera_and_its_device_is_closed_with_the_next_picture() {
        let mut fake = fake();
        fake.pictures.send(Ok(())).unwrap();
        assert_eq!(fake.told.recv_timeout(LONG), Ok(CameraState::Works));
        (0..2).for_each(|_| fake.asked.recv_timeout(LONG).unwrap());
        // Stuck in the second picture.
        fake.stop.store(true, Ordering::Relaxed);
        fake.watching.take().unwrap().join().unwrap();
        fake.pictures.send(Ok(())).unwrap();
        assert_eq!(fake.closed.recv_timeout(LONG), Ok(()));
    }

    #[test]
    fn a_camera_that_fails_is_closed_and_opened_again() {
        let fake = fake();
        fake.pictures.send(Err("gone".to_owned())).unwrap();
        assert_eq!(fake.told.recv_timeout(LONG), Ok(CameraState::Failed("gone".to_owned())));
        assert_eq!(fake.closed.recv_timeout(LONG), Ok(()));
        fake.pictures.send(Ok(())).unwrap();
        assert_eq!(fake.told.recv_timeout(LONG), Ok(CameraState::Works));
        fake.stop.store(true, Ordering::Relaxed);
    }
}
