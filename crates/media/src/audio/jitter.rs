//! The jitter buffer of one remote track, sans-IO: as little delay as the network allows, and a word for every gap.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

/// Play time of one packet.
const PACKET: Duration = Duration::from_millis(20);
/// Packets kept at the very most; older ones are thrown out.
const CAPACITY: usize = 64;
/// How many arrivals the delay is learned from (five seconds).
const WINDOW: usize = 250;
/// Fewest and most packets the buffer wants to hold.
const TARGET: (usize, usize) = (1, 15);
/// Gaps are filled by guessing for this many packets; then it is silent.
const CONCEAL: u32 = 5;
/// Pulls the buffer must have been too full for, before a packet is left out to come closer.
const TOO_FULL: u32 = 25;

/// One packet as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Packet<P> {
    pub(crate) sequence: u64,
    pub(crate) rtp_time: u32,
    pub(crate) arrived: Instant,
    pub(crate) payload: P,
}

/// What to play for the next 20 ms.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Pull<P> {
    /// This packet.
    Play(P),
    /// The packet is lost, but this one, the next, carries a copy (in-band FEC); it stays in the buffer.
    Recover(P),
    /// Guess.
    Conceal,
    /// Nothing: waiting for packets.
    Silence,
}

#[derive(Debug)]
pub(crate) struct JitterBuffer<P> {
    /// By sequence number. Made once: packets are large, and come all the time.
    packets: VecDeque<Packet<P>>,
    /// The sequence number to play next; `None` while filling.
    next: Option<u64>,
    delays: VecDeque<i64>,
    /// Arrival and RTP time that delays are measured against.
    origin: Option<(Instant, u32)>,
    target: usize,
    concealed: u32,
    too_full: u32,
    pub(crate) lost: u64,
    pub(crate) played: u64,
}

impl<P: Clone> JitterBuffer<P> {
    pub(crate) fn new() -> Self {
        Self {
            packets: VecDeque::with_capacity(CAPACITY + 1),
            next: None,
            delays: VecDeque::with_capacity(WINDOW),
            origin: None,
            target: 2,
            concealed: 0,
            too_full: 0,
            lost: 0,
            played: 0,
        }
    }

    /// A packet has come. One that is too late to be played only teaches how late packets are.
    pub(crate) fn push(&mut self, packet: Packet<P>) {
        self.learn(&packet);
        if self.next.is_some_and(|next| packet.sequence < next) {
            return;
        }
        // Nearly always the newest: then nothing moves.
        let place = self.packets.partition_point(|known| known.sequence < packet.sequence);
        match self.packets.get_mut(place).filter(|known| known.sequence == packet.sequence) {
            Some(known) => *known = packet,
            None => self.packets.insert(place, packet),
        }
        if self.packets.len() > CAPACITY {
            self.packets.pop_front();
        }
    }

    /// The next 20 ms.
    pub(crate) fn pull(&mut self) -> Pull<P> {
        let next = match self.next {
            Some(next) => next,
            None if self.packets.len() > self.target => self.packets.front().map_or(0, |packet| packet.sequence),
            None => return Pull::Silence,
        };
        self.next = Some(next);
        self.come_closer();
        let next = self.next.unwrap_or(next);
        if let Some(packet) = self.take(next) {
            self.next = Some(next + 1);
            self.concealed = 0;
            self.played += 1;
            return Pull::Play(packet.payload);
        }
        let Some(following) = self.packets.front() else {
            return self.run_dry();
        };
        let first = following.sequence;
        // Something later is there, so this one is lost, not late (or too late to matter).
        let recover = (first == next + 1).then(|| following.payload.clone());
        self.lost += 1;
        self.concealed += 1;
        if self.concealed > CONCEAL {
            // A long gap (the sender was silent, or its numbers jumped): go on where there is something.
            self.next = Some(first);
            self.concealed = 0;
            return Pull::Silence;
        }
        self.next = Some(next + 1);
        recover.map_or(Pull::Conceal, Pull::Recover)
    }

    /// How long sound waits here.
    pub(crate) fn delay(&self) -> Duration {
        PACKET * u32::try_from(self.packets.len()).unwrap_or(u32::MAX)
    }

    /// Nothing left: guess for a while without moving on, then fill up anew.
    fn run_dry(&mut self) -> Pull<P> {
        self.concealed += 1;
        if self.concealed <= CONCEAL {
            return Pull::Conceal;
        }
        self.next = None;
        self.concealed = 0;
        Pull::Silence
    }

    /// Leaves out one packet when the buffer has held more than it needs for half a second.
    fn come_closer(&mut self) {
        if self.packets.len() > self.target + 2 {
            self.too_full += 1;
        } else {
            self.too_full = 0;
        }
        let far_too_full = self.packets.len() > self.target + 10;
        if (self.too_full > TOO_FULL || far_too_full)
            && let Some(next) = self.next
        {
            self.take(next);
            self.next = Some(next + 1);
            self.too_full = 0;
        }
    }

    fn take(&mut self, sequence: u64) -> Option<Packet<P>> {
        let place = self.packets.binary_search_by_key(&sequence, |packet| packet.sequence).ok()?;
        self.packets.remove(place)
    }

    /// The target follows the spread between early and late packets: nearly all of them must be in time.
    fn learn(&mut self, packet: &Packet<P>) {
        let (start, start_time) = *self.origin.get_or_insert((packet.arrived, packet.rtp_time));
        let media_ms = i64::from(packet.rtp_time.wrapping_sub(start_time).cast_signed()) / 48;
        let arrived_ms = i64::try_from(packet.arrived.saturating_duration_since(start).as_millis()).unwrap_or(0);
        if self.delays.len() == WINDOW {
            self.delays.pop_front();
        }
        self.delays.push_back(arrived_ms - media_ms);
        let earliest = self.delays.iter().min().copied().unwrap_or(0);
        // The third latest of five seconds: two strays in 250 may be late.
        let mut latest = [i64::MIN; 3];
        for delay in &self.delays {
            if *delay > latest[0] {
                latest[0] = *delay;
                latest.sort_unstable();
            }
        }
        let late = if self.delays.len() < 25 { latest[2] } else { latest[0] };
        let spread = usize::try_from(late - earliest).unwrap_or(0);
        self.target = spread.div_ceil(20).clamp(TARGET.0, TARGET.1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packet(start: Instant, sequence: u64, arrived_ms: u64) -> Packet<u64> {
        Packet {
            sequence,
            rtp_time: u32::try_from(sequence * 960).unwrap(),
            arrived: start + Duration::from_millis(arrived_ms),
            payload: sequence,
        }
    }

    #[expect(clippy::disallowed_methods, reason = "a start to count from")]
    fn start() -> Instant {
        Instant::now()
    }

    /// Plays a whole list of arrivals in virtual time: a pull every 20 ms.
    fn play(arrivals: &[(u64, u64)]) -> Vec<Pull<u64>> {
        let start = start();
        let mut buffer = JitterBuffer::new();
        let mut arrivals: Vec<_> = arrivals.to_vec();
        arrivals.sort_by_key(|(_, at)| *at);
        let end = arrivals.last().map_or(0, |(_, at)| *at) + 200;
        let mut pulls = Vec::new();
        let mut arrivals = arrivals.into_iter().peekable();
        for now in (0..end).step_by(20) {
            while let Some((sequence, at)) = arrivals.next_if(|(_, at)| *at <= now) {
                buffer.push(packet(start, sequence, at));
            }
            pulls.push(buffer.pull());
        }
        pulls
    }

    fn played(pulls: &[Pull<u64>]) -> Vec<u64> {
        pulls.iter().filter_map(|pull| if let Pull::Play(sequence) = pull { Some(*sequence) } else { None }).collect()
    }

    #[test]
    fn a_calm_network_plays_everything_with_little_delay() {
        let arrivals: Vec<_> = (0..200).map(|n| (n, n * 20)).collect();
        let pulls = play(&arrivals);
        let played = played(&pulls);
        assert!(played.len() >= 195, "{}", played.len());
        let first = pulls.iter().position(|pull| matches!(pull, Pull::Play(_))).unwrap();
        assert!(first <= 3, "begins within 60 ms: {first}");
    }

    #[test]
    fn a_lost_packet_is_recovered_from_the_next_and_the_order_never_turns() {
        let arrivals: Vec<_> = (0..100).filter(|n| n % 10 != 7).map(|n| (n, n * 20)).collect();
        let pulls = play(&arrivals);
        assert!(pulls.contains(&Pull::Recover(18)), "17 is lost, 18 carries its copy");
        assert!(played(&pulls).is_sorted());
    }

    #[test]
    fn reordered_packets_are_played_in_order() {
        let arrivals: Vec<_> = (0..100u64).map(|n| (n, (n ^ 1) * 20 + 40)).collect();
        let pulls = play(&arrivals);
        let played = played(&pulls);
        assert!(played.is_sorted() && played.len() > 90, "{played:?}");
    }

    #[test]
    fn after_a_burst_the_delay_comes_back_down() {
        let late = |n: u64| if (100..110).contains(&n) { 110 * 20 } else { n * 20 };
        let arrivals: Vec<_> = (0..1_500).map(|n| (n, late(n))).collect();
        let start = start();
        let mut buffer = JitterBuffer::new();
        let mut arrivals = arrivals.into_iter().peekable();
        for now in (0..30_000).step_by(20) {
            while let Some((sequence, at)) = arrivals.next_if(|(_, at)| *at <= now) {
                buffer.push(packet(start, sequence, at));
            }
            buffer.pull();
        }
        assert!(buffer.delay() <= Duration::from_millis(80), "{:?}", buffer.delay());
    }

    #[test]
    fn whatever_comes_the_buffer_stays_bounded_and_in_order() {
        for seed in 0..200u64 {
            let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
            let mut random = |most: u64| {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                state % most
            };
            let arrivals: Vec<_> = (0..400).filter(|_| random(10) != 0).map(|n| (n, n * 20)).collect::<Vec<_>>();
            let arrivals: Vec<_> = arrivals.into_iter().map(|(n, at)| (n, at + random(120))).collect();
            let played = played(&play(&arrivals));
            assert!(played.windows(2).all(|pair| pair[0] < pair[1]), "seed {seed}");
            assert!(played.len() > 250, "seed {seed}: {}", played.len());
        }
    }
}
