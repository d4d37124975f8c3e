//! How soon a lost path is noticed.

use std::time::Duration;

use str0m::RtcConfig;

/// The path is checked this often (ICE binding requests, 100 bytes each).
const CHECK: Duration = Duration::from_millis(500);
/// So many checks in a row that nobody answers mean that the path is lost: five seconds of silence. Single checks may
/// well be lost: with every fifth packet lost each way, ten in a row are one in thirty thousand.
const CHECKS: usize = 10;

/// Sees to it that a path that is silent for some five seconds is lost, and one that hiccups for three is not.
pub(super) fn notice_soon(mut config: RtcConfig) -> RtcConfig {
    config.set_initial_stun_rto(CHECK / 2);
    config.set_max_stun_rto(CHECK);
    config.set_max_stun_retransmits(CHECKS);
    config
}

#[cfg(test)]
mod tests {
    use std::{net::SocketAddr, time::Instant};

    use str0m::{
        Candidate, Event, IceConnectionState, Input, Output, Rtc,
        media::{Direction, MediaKind},
        net::{Protocol, Receive},
    };

    use super::*;

    const STEP: Duration = Duration::from_millis(10);

    /// Our connection and a media server's, which only answers, as ours and LiveKit's do.
    struct Pair {
        now: Instant,
        ends: [(Rtc, SocketAddr); 2],
        is_silent: bool,
        states: Vec<(Instant, IceConnectionState)>,
    }

    impl Pair {
        fn connected() -> Self {
            #[expect(clippy::disallowed_methods, reason = "a start to count from")]
            let now = Instant::now();
            let addresses = [SocketAddr::from(([10, 0, 0, 2], 5000)), SocketAddr::from(([10, 0, 0, 1], 7882))];
            let ours = notice_soon(Rtc::builder()).build(now);
            let server = Rtc::builder().set_ice_lite(true).build(now);
            let mut ends = [(ours, addresses[0]), (server, addresses[1])];
            for (rtc, address) in &mut ends {
                rtc.add_local_candidate(Candidate::host(*address, "udp").unwrap());
            }
            let mut changes = ends[0].0.sdp_api();
            changes.add_media(MediaKind::Audio, Direction::SendOnly, None, None, None);
            let (offer, pending) = changes.apply().unwrap();
            let answer = ends[1].0.sdp_api().accept_offer(offer).unwrap();
            ends[0].0.sdp_api().accept_answer(pending, answer).unwrap();
            let mut pair = Self { now, ends, is_silent: false, states: Vec::new() };
            pair.after(Duration::from_secs(20));
            assert!(pair.ends[0].0.is_connected());
            pair.states.clear();
            pair
        }

        fn after(&mut self, time: Duration) {
            let until = self.now + time;
            while self.now < until {
                self.now += STEP;
                for end in [0, 1] {
                    self.ends[end].0.handle_input(Input::Timeout(self.now)).unwrap();
                    self.drain(end);
                }
            }
        }

        fn drain(&mut self, end: usize) {
            loop {
                match self.ends[end].0.poll_output().unwrap() {
                    Output::Timeout(_) => return,
                    Output::Event(Event::IceConnectionStateChange(state)) if end == 0 => {
                        self.states.push((self.now, state));
                    }
                    Output::Event(_) => {}
                    Output::Transmit(_) if self.is_silent => {}
                    Output::Transmit(transmit) => {
                        let (source, destination) = (self.ends[end].1, transmit.destination);
                        let receive = Receive::new(Protocol::Udp, source, destination, &transmit.contents).unwrap();
                        self.ends[1 - end].0.handle_input(Input::Receive(self.now, receive)).unwrap();
                        self.drain(1 - end);
                    }
                }
            }
        }

        fn lost_at(&self) -> Option<Instant> {
            let lost = self.states.iter().find(|(_, state)| *state == IceConnectionState::Disconnected);
            lost.map(|(at, _)| *at)
        }
    }

    #[test]
    fn a_path_that_is_silent_for_six_seconds_is_lost() {
        let mut pair = Pair::connected();
        let begun = pair.now;
        pair.is_silent = true;
        pair.after(Duration::from_secs(10));
        let lost = pair.lost_at().expect("it is noticed") - begun;
        assert!((4_000..=6_000).contains(&lost.as_millis()), "{lost:?}");
    }

    #[test]
    fn a_path_that_hiccups_for_three_seconds_is_not_lost() {
        let mut pair = Pair::connected();
        for _ in 0..5 {
            pair.is_silent = true;
            pair.after(Duration::from_secs(3));
            pair.is_silent = false;
            pair.after(Duration::from_millis(1_700));
        }
        pair.after(Duration::from_secs(10));
        assert_eq!(pair.lost_at(), None);
        assert!(pair.ends[0].0.is_connected());
    }
}
