//! Pictures wait here until they are due beside the sound, which waits to be played. Sans-IO.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use str0m::media::Mid;

use crate::frame::EncodedFrame;

/// Sound that has left the jitter buffer waits this long before it is heard: what is kept ready for the speaker, and
/// one period of the device.
const SPEAKER_LEAD: Duration = Duration::from_millis(30);
/// Pictures wait no longer than this, however late the sound is.
const LONGEST: Duration = Duration::from_millis(400);
/// Pictures that wait at the very most: more than all tracks of a call send in the longest time.
const CAPACITY: usize = 256;
/// The delay moves by this share of what is missing with each picture, so that none of them jumps.
const SHARE: u32 = 8;

/// Whole encoded pictures of all tracks, first in, first out: none ever overtakes another.
#[derive(Debug, Default)]
pub(super) struct LipSync {
    waiting: VecDeque<Waiting>,
    /// How long pictures wait at the moment; `None` before the first.
    delay: Option<Duration>,
}

#[derive(Debug)]
struct Waiting {
    due: Instant,
    mid: Mid,
    frame: EncodedFrame,
}

impl LipSync {
    /// A picture has come. `sound` is how long sound waits in the jitter buffer; `None` if there is none to wait for.
    pub(super) fn hold(&mut self, now: Instant, mid: Mid, frame: EncodedFrame, sound: Option<Duration>) {
        let wanted = sound.map_or(Duration::ZERO, |sound| (sound + SPEAKER_LEAD).min(LONGEST));
        let delay = match self.delay {
            Some(delay) if delay < wanted => delay + (wanted - delay) / SHARE,
            Some(delay) => delay - (delay - wanted) / SHARE,
            None => wanted,
        };
        self.delay = Some(delay);
        let last = self.waiting.back().map_or(now, |last| last.due);
        self.waiting.push_back(Waiting { due: last.max(now + delay), mid, frame });
    }

    /// The next picture that is to be shown now.
    pub(super) fn pop(&mut self, now: Instant) -> Option<(Mid, EncodedFrame)> {
        let first = self.waiting.front()?;
        if first.due > now && self.waiting.len() <= CAPACITY {
            return None;
        }
        self.waiting.pop_front().map(|first| (first.mid, first.frame))
    }

    /// When the next picture is due.
    pub(super) fn due(&self) -> Option<Instant> {
        self.waiting.front().map(|first| first.due)
    }

    /// The track is gone, and its m-line may carry another.
    pub(super) fn forget(&mut self, mid: Mid) {
        self.waiting.retain(|waiting| waiting.mid != mid);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[expect(clippy::disallowed_methods, reason = "a start to count from")]
    fn start() -> Instant {
        Instant::now()
    }

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    fn frame(number: u64) -> EncodedFrame {
        let (key, timestamp) = (number.is_multiple_of(10), ms(number));
        EncodedFrame { key, timestamp, width: 2, height: 2, data: bytes::Bytes::new() }
    }

    /// A picture every 33 ms beside sound that waits as told: number, when it came, when it was shown.
    fn shown(count: u64, sound: impl Fn(u64) -> Option<Duration>) -> Vec<(u64, Duration, Duration)> {
        let start = start();
        let (mut held, mut shown) = (LipSync::default(), Vec::new());
        for now in 0..count * 33 + 1_000 {
            let at = start + ms(now);
            if now.is_multiple_of(33) && now / 33 < count {
                held.hold(at, Mid::from("1"), frame(now / 33), sound(now / 33));
            }
            while let Some((_, frame)) = held.pop(at) {
                let number = u64::try_from(frame.timestamp.as_millis()).unwrap();
                shown.push((number, ms(number * 33), ms(now)));
            }
        }
        shown
    }

    #[test]
    fn pictures_are_shown_when_the_sound_that_came_with_them_is_heard() {
        let shown = shown(60, |_| Some(ms(120)));
        assert_eq!(shown.len(), 60);
        for (number, came, shown) in shown {
            assert_eq!(shown - came, ms(150), "{number}");
        }
    }

    #[test]
    fn pictures_never_turn_round_and_the_delay_glides() {
        let delays = |number: u64| Some(ms(if (60..120).contains(&number) { 300 } else { 40 }));
        let shown = shown(240, delays);
        assert_eq!(shown.len(), 240, "none is lost, key frames included");
        assert!(shown.windows(2).all(|pair| pair[0].0 + 1 == pair[1].0 && pair[0].2 <= pair[1].2));
        assert!(shown.windows(2).all(|pair| pair[1].2 - pair[0].2 <= ms(70)), "no picture stands for long");
        let delay = |number: usize| shown[number].2 - shown[number].1;
        assert!(delay(119) > ms(320) && delay(239) < ms(80), "{:?} {:?}", delay(119), delay(239));
    }

    #[test]
    fn pictures_wait_for_no_sound_that_is_not_there_and_never_longer_than_400_ms() {
        assert!(shown(10, |_| None).iter().all(|(_, came, shown)| came == shown));
        assert!(shown(10, |_| Some(ms(5_000))).iter().all(|(_, came, shown)| *shown - *came == ms(400)));
    }

    #[test]
    fn what_waits_is_bounded_and_a_track_that_is_gone_shows_nothing_more() {
        let start = start();
        let mut held = LipSync::default();
        for number in 0..300 {
            held.hold(start, Mid::from(if number == 299 { "2" } else { "1" }), frame(number), Some(ms(100)));
        }
        let mut early = 0;
        while held.pop(start).is_some() {
            early += 1;
        }
        assert_eq!(early, 300 - CAPACITY);
        held.forget(Mid::from("1"));
        assert_eq!(held.due(), Some(start + ms(130)));
        assert_eq!(held.pop(start + ms(130)).map(|(mid, _)| mid), Some(Mid::from("2")));
    }
}
