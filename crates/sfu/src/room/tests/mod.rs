//! Whole rooms in virtual time: the server's rooms, and clients with real connections, on a network in memory.

mod coming_and_going;
mod layers;
mod logs;
mod publishing;

use std::{
    collections::{BTreeMap, VecDeque},
    net::SocketAddr,
    time::{Duration, Instant},
};

use bytes::Bytes;
use livekit_protocol::{self as proto, signal_request, signal_response};
use prost::Message as _;
use str0m::{
    Candidate, Event, Input, Output, Rtc,
    change::{SdpAnswer, SdpOffer, SdpPendingOffer},
    format::Codec,
    media::{Direction, MediaKind, Mid, Rid, Simulcast, SimulcastLayer},
    net::{Protocol, Receive},
    rtp::RtpWrite,
};
use tokio::sync::mpsc;

use super::{Rooms, Work};
use crate::{
    participant::{ConnectionKey, ParticipantKey},
    query::JoinQuery,
    sfu::SfuEvent,
    token::{Admission, ApiKey},
};

const STEP: Duration = Duration::from_millis(5);
const FRAME: Duration = Duration::from_millis(35);

/// One room and everybody in it.
struct World {
    rooms: Rooms,
    start: Instant,
    now: Instant,
    swept: Instant,
    clients: Vec<Client>,
    wakes: BTreeMap<ConnectionKey, Instant>,
    told: Vec<SfuEvent>,
}

/// A picture that came, as its sender marked it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Seen {
    at: Duration,
    layer: char,
    is_key: bool,
}

struct Client {
    key: ParticipantKey,
    sides: [(Rtc, SocketAddr); 2],
    pending: Option<SdpPendingOffer>,
    responses: mpsc::Receiver<Bytes>,
    heard: Vec<signal_response::Message>,
    cameras: Vec<Camera>,
    seen: Vec<Seen>,
    /// Key frames that were asked of it, by layer.
    asked: Vec<(Duration, Option<Rid>)>,
    is_connected: bool,
}

/// Sends a picture every 35 ms on each layer that is on.
struct Camera {
    mid: Mid,
    layers: Vec<CameraLayer>,
    next: Instant,
}

struct CameraLayer {
    rid: Option<Rid>,
    is_on: bool,
    needs_key: bool,
    sequence: u64,
}

const PUBLISHER: usize = 0;
const SUBSCRIBER: usize = 1;

#[expect(clippy::disallowed_methods, reason = "a start to count from")]
fn start() -> Instant {
    Instant::now()
}

fn key() -> ApiKey {
    ApiKey { key: "devkey".to_owned(), secret: "a secret of thirty-two characters".to_owned() }
}

fn server() -> SocketAddr {
    SocketAddr::from(([10, 0, 0, 1], 7882))
}

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

impl World {
    fn new() -> Self {
        let now = start();
        Self {
            rooms: Rooms::new(key(), vec![server()]),
            start: now,
            now,
            swept: now,
            clients: Vec::new(),
            wakes: BTreeMap::new(),
            told: Vec::new(),
        }
    }

    /// Somebody joins, and is connected a second later.
    fn join(&mut self, identity: &str) -> usize {
        let admission = Admission {
            room: "room".to_owned(),
            identity: identity.to_owned(),
            name: identity.to_owned(),
            metadata: String::new(),
            sources: crate::token::Source::ALL.to_vec(),
            can_subscribe: true,
            can_publish_data: true,
        };
        let query = JoinQuery::parse("access_token=x", None).unwrap();
        let (sender, responses) = mpsc::channel(256);
        let key = self.rooms.join(self.now, admission, &query, sender);
        let number = u8::try_from(self.clients.len()).unwrap();
        let sides = [0u8, 1].map(|side| {
            let address = SocketAddr::from(([10, 0, 1, number], 5000 + u16::from(side)));
            let builder = Rtc::builder().set_rtp_mode(true).clear_codecs().enable_opus(true, false).enable_vp8(true);
            let mut rtc = builder.build(self.now);
            rtc.add_local_candidate(Candidate::host(address, "udp").unwrap());
            (rtc, address)
        });
        self.clients.push(Client {
            key,
            sides,
            pending: None,
            responses,
            heard: Vec::new(),
            cameras: Vec::new(),
            seen: Vec::new(),
            asked: Vec::new(),
            is_connected: true,
        });
        self.after(ms(1_000));
        self.clients.len() - 1
    }

    fn say(&mut self, client: usize, message: signal_request::Message) {
        let request = proto::SignalRequest { message: Some(message) }.encode_to_vec();
        self.rooms.signal(self.now, self.clients[client].key, request.into());
        self.settle();
    }

    /// Announces a track.
    fn announce(&mut self, client: usize, cid: &str, kind: proto::TrackType) {
        let add = proto::AddTrackRequest { cid: cid.to_owned(), r#type: kind as i32, ..Default::default() };
        self.say(client, signal_request::Message::AddTrack(add));
    }

    /// Offers an m-line for a track.
    fn offer(&mut self, client: usize, cid: &str, kind: MediaKind, rids: &[&str]) -> Mid {
        let mut simulcast = Simulcast::new();
        rids.iter().for_each(|rid| {
            simulcast.add_send_layer(SimulcastLayer { rid: (*rid).into(), attributes: None });
        });
        let simulcast = (!rids.is_empty()).then_some(simulcast);
        let rtc = &mut self.clients[client].sides[PUBLISHER].0;
        let mut changes = rtc.sdp_api();
        let (stream, track) = (Some("s".to_owned()), Some(cid.to_owned()));
        let mid = changes.add_media(kind, Direction::SendOnly, stream, track, simulcast);
        let (offer, pending) = changes.apply().unwrap();
        self.send_offer(client, &offer, pending);
        mid
    }

    fn turn(&mut self, client: usize, mid: Mid, direction: Direction) {
        let mut changes = self.clients[client].sides[PUBLISHER].0.sdp_api();
        changes.set_direction(mid, direction);
        let (offer, pending) = changes.apply().unwrap();
        self.send_offer(client, &offer, pending);
    }

    fn send_offer(&mut self, client: usize, offer: &SdpOffer, pending: SdpPendingOffer) {
        self.clients[client].pending = Some(pending);
        let description = proto::SessionDescription {
            r#type: "offer".to_owned(),
            sdp: offer.to_sdp_string(),
            ..proto::SessionDescription::default()
        };
        self.say(client, signal_request::Message::Offer(description));
    }

    /// Announces and offers a camera, and films.
    fn films(&mut self, client: usize, cid: &str, rids: &[&str]) {
        self.announce(client, cid, proto::TrackType::Video);
        let mid = self.offer(client, cid, MediaKind::Video, rids);
        let rids: Vec<Option<Rid>> =
            if rids.is_empty() { vec![None] } else { rids.iter().map(|rid| Some((*rid).into())).collect() };
        let layer = |rid| CameraLayer { rid, is_on: true, needs_key: true, sequence: 1000 };
        let layers = rids.into_iter().map(layer).collect();
        self.clients[client].cameras.push(Camera { mid, layers, next: self.now });
    }

    fn layer(&mut self, client: usize, rid: &str, is_on: bool) {
        for layer in self.clients[client].cameras.iter_mut().flat_map(|camera| &mut camera.layers) {
            if layer.rid == Some(rid.into()) {
                layer.is_on = is_on;
            }
        }
    }

    fn since_start(&self) -> Duration {
        self.now - self.start
    }

    fn after(&mut self, time: Duration) {
        let until = self.now + time;
        while self.now < until {
            self.now += STEP;
            self.step();
        }
    }

    fn step(&mut self) {
        let now = self.now;
        if now - self.swept >= ms(1_000) {
            self.swept = now;
            self.rooms.sweep(now);
        }
        let due: Vec<ConnectionKey> = self.wakes.iter().filter(|(_, at)| **at <= now).map(|(key, _)| *key).collect();
        for connection in due {
            self.wakes.remove(&connection);
            self.rooms.timeout(now, connection);
        }
        for client in &mut self.clients {
            client.film(now);
            for (rtc, _) in &mut client.sides {
                rtc.handle_input(Input::Timeout(now)).unwrap();
            }
        }
        self.settle();
    }

    /// Carries signals and datagrams until nobody has anything more to say.
    fn settle(&mut self) {
        loop {
            let mut datagrams = VecDeque::new();
            let mut is_busy = false;
            for index in 0..self.clients.len() {
                is_busy |= self.read_signals(index);
                let since = self.since_start();
                self.clients[index].drain(self.now, since, &mut datagrams);
            }
            for (source, datagram) in datagrams {
                is_busy = true;
                let receive = Receive::new(Protocol::Udp, source, server(), &datagram).unwrap();
                let input = Input::Receive(self.now, receive);
                if let Some(connection) = self.rooms.find(&input) {
                    self.rooms.receive(self.now, connection, input);
                    // One thing after the other: a connection is asked what it wants after all that happens to it.
                    self.work();
                }
            }
            is_busy |= self.work();
            if !is_busy {
                return;
            }
        }
    }

    fn work(&mut self) -> bool {
        let mut is_busy = false;
        while let Some(work) = self.rooms.poll(self.now) {
            match work {
                Work::Transmit(transmit) => {
                    is_busy = true;
                    let clients = self.clients.iter_mut().filter(|client| client.is_connected);
                    let mut sides = clients.flat_map(|client| &mut client.sides);
                    let Some((rtc, address)) = sides.find(|(_, address)| *address == transmit.destination) else {
                        continue;
                    };
                    let receive = Receive::new(Protocol::Udp, server(), *address, &transmit.contents).unwrap();
                    rtc.handle_input(Input::Receive(self.now, receive)).unwrap();
                }
                Work::Wake { connection, at, .. } => _ = self.wakes.insert(connection, at),
                Work::Forget(participant) => self.wakes.retain(|key, _| key.participant != participant),
                Work::Tell(event) => self.told.push(event),
            }
        }
        is_busy
    }

    fn read_signals(&mut self, index: usize) -> bool {
        let mut is_busy = false;
        while let Ok(bytes) = self.clients[index].responses.try_recv() {
            is_busy = true;
            let Some(message) = proto::SignalResponse::decode(bytes).unwrap().message else { continue };
            let client = &mut self.clients[index];
            client.heard.push(message.clone());
            match message {
                signal_response::Message::Offer(offer) => {
                    let parsed = SdpOffer::from_sdp_string(&offer.sdp).unwrap();
                    let answer = client.sides[SUBSCRIBER].0.sdp_api().accept_offer(parsed).unwrap();
                    let answer = proto::SessionDescription {
                        r#type: "answer".to_owned(),
                        sdp: answer.to_sdp_string(),
                        id: offer.id,
                        ..proto::SessionDescription::default()
                    };
                    let request = proto::SignalRequest { message: Some(signal_request::Message::Answer(answer)) };
                    let key = client.key;
                    self.rooms.signal(self.now, key, request.encode_to_vec().into());
                }
                signal_response::Message::Answer(answer) => {
                    let answer = SdpAnswer::from_sdp_string(&answer.sdp).unwrap();
                    let pending = client.pending.take().unwrap();
                    client.sides[PUBLISHER].0.sdp_api().accept_answer(pending, answer).unwrap();
                }
                _ => {}
            }
        }
        is_busy
    }

    fn published(&self, client: usize) -> Vec<proto::TrackInfo> {
        let responses = self.clients[client].heard.iter().filter_map(|message| match message {
            signal_response::Message::TrackPublished(published) => published.track.clone(),
            _ => None,
        });
        responses.collect()
    }

    /// The tracks of a client, as the server has them.
    fn tracks(&self, client: usize) -> Vec<(String, String)> {
        let tracks = &self.rooms.participants[&self.clients[client].key].tracks;
        tracks.iter().map(|track| (track.info.codecs[0].cid.clone(), track.mid.to_string())).collect()
    }

    /// What a client has seen since a time, as letters of layers.
    fn seen_since(&self, client: usize, since: Duration) -> Vec<Seen> {
        self.clients[client].seen.iter().filter(|seen| seen.at > since).copied().collect()
    }
}

impl Client {
    fn film(&mut self, now: Instant) {
        let Self { cameras, sides, .. } = self;
        let rtc = &mut sides[PUBLISHER].0;
        for camera in cameras.iter_mut().filter(|camera| camera.next <= now) {
            camera.next = now + FRAME;
            let pt = rtc.codec_config().find(|params| params.spec().codec == Codec::Vp8).unwrap().pt();
            let mut api = rtc.direct_api();
            for layer in camera.layers.iter_mut().filter(|layer| layer.is_on) {
                let Some(stream) = api.stream_tx_by_mid(camera.mid, layer.rid) else { continue };
                let name = layer.rid.map_or(b'-', |rid| rid.as_bytes()[0]);
                let is_delta = u8::from(!std::mem::replace(&mut layer.needs_key, false));
                layer.sequence += 1;
                let (sequence, time) = (layer.sequence.into(), u32::try_from(layer.sequence * 3150).unwrap());
                let payload = vec![0x10, is_delta, name];
                stream.write_rtp(RtpWrite::new(pt, sequence, time, now, payload).marker(true));
            }
        }
    }

    fn drain(&mut self, now: Instant, since: Duration, datagrams: &mut VecDeque<(SocketAddr, Vec<u8>)>) {
        let Self { sides, cameras, seen, asked, is_connected, .. } = self;
        for (rtc, address) in sides {
            loop {
                match rtc.poll_output().unwrap() {
                    Output::Transmit(transmit) if *is_connected => {
                        datagrams.push_back((*address, transmit.contents.to_vec()));
                    }
                    Output::Transmit(_) => {}
                    Output::Timeout(at) if at <= now => rtc.handle_input(Input::Timeout(now)).unwrap(),
                    Output::Timeout(_) => break,
                    Output::Event(Event::RtpPacket(packet)) => {
                        let [_, is_delta, layer] = packet.payload[..] else { continue };
                        seen.push(Seen { at: since, layer: char::from(layer), is_key: is_delta == 0 });
                    }
                    Output::Event(Event::KeyframeRequest(request)) => {
                        asked.push((since, request.rid));
                        let layers = cameras.iter_mut().filter(|camera| camera.mid == request.mid);
                        for layer in layers.flat_map(|camera| &mut camera.layers) {
                            layer.needs_key |= layer.rid == request.rid;
                        }
                    }
                    Output::Event(_) => {}
                }
            }
        }
    }
}
