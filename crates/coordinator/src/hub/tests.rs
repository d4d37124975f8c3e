//! The hub with a store on a disk, without sockets.

use std::{collections::BTreeSet, net::Ipv4Addr};

use sfu::{ApiKey, Sfu, SfuConfig};
use tempfile::TempDir;
use tokio::time::timeout;
use wire::{CallData, Event, GetOrCreate, MemberData, Role};

use super::*;
use crate::store::{Sqlite, StoredPerson};

struct House {
    hub: HubHandle,
    store: Store,
    _folder: TempDir,
}

/// Ann and Ben.
async fn house() -> House {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::Sqlite(Sqlite::open(&folder.path().join("bellbird.db")).await.unwrap());
    for name in ["ann", "ben"] {
        let person = StoredPerson::new(name.parse().unwrap(), name.to_owned(), Role::User, BTreeSet::new());
        assert!(store.put_person(&person, UnixMillis(0)).await.unwrap());
    }
    let key = ApiKey { key: "key".to_owned(), secret: "a secret for the media server".to_owned() };
    let udp = (Ipv4Addr::LOCALHOST, 0).into();
    let config = SfuConfig { udp, addresses: Vec::new(), outside: Vec::new(), key: key.clone() };
    let (sfu, media_events) = Sfu::start(config).unwrap();
    let (outbox, metrics) = (Arc::new(Outbox::new(false)), Arc::new(Metrics::new()));
    let types = CallTypes::read(&Default::default(), &Default::default()).unwrap();
    let (media, live) = (MediaPlane::Embedded { sfu, key }, store.live().await.unwrap());
    let (hub, handle) = Hub::new(store.clone(), media, outbox, metrics, media_events, "Test".to_owned(), types, live);
    tokio::spawn(hub.run());
    House { hub: handle, store, _folder: folder }
}

fn who(user: &str, device: &str) -> Caller {
    Caller { user: user.parse().unwrap(), device: device.parse().unwrap() }
}

impl House {
    async fn connects(&self, who: &Caller, epoch: u64) -> mpsc::Receiver<Utf8Bytes> {
        let (sender, messages) = mpsc::channel(256);
        let connect = Request::Connect { who: who.clone(), outlet: Outlet { epoch, sender } };
        self.hub.send(connect).await.unwrap();
        messages
    }

    async fn rings(&self, cid: &str) {
        let (ann, cid) = (who("ann", "ann1"), cid.parse::<CallId>().unwrap());
        let members = vec![MemberData { user: "ben".parse().unwrap(), role: None, custom: Default::default() }];
        let data = CallData { members, ..CallData::default() };
        let request = GetOrCreate { ring: true, data, ..GetOrCreate::default() };
        let of = cid.clone();
        let ring = self.hub.decide(of, move |authority, now| authority.get_or_create(now, &ann, &cid, request));
        ring.await.unwrap();
    }
}

/// The next message of a connection that is wanted.
async fn hears<T>(messages: &mut mpsc::Receiver<Utf8Bytes>, mut wanted: impl FnMut(ServerMessage) -> Option<T>) -> T {
    loop {
        let text = messages.recv().await.expect("the connection stays");
        if let Some(found) = wanted(serde_json::from_str(&text).unwrap()) {
            return found;
        }
    }
}

fn ring_of(message: ServerMessage) -> Option<()> {
    let ServerMessage::Event { event: Event::Call { state }, .. } = message else { return None };
    state.ring.filter(wire::Ring::is_live).map(|_| ())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_ring_goes_through_while_devices_come_and_somebody_looks_at_missed_calls() {
    let house = Arc::new(house().await);
    let mut ben = house.connects(&who("ben", "ben1"), 1).await;
    hears(&mut ben, |message| matches!(message, ServerMessage::Snapshot(_)).then_some(())).await;
    let crowd = tokio::spawn({
        let house = Arc::clone(&house);
        async move {
            let mut connections = Vec::new();
            for epoch in 2.. {
                connections.clear();
                for device in 0..16 {
                    connections.push(house.connects(&who("ann", &format!("ann{device}")), epoch).await);
                }
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        }
    });
    let looking = tokio::spawn({
        let house = Arc::clone(&house);
        async move {
            loop {
                let seen = |reply| Request::MissedSeen { who: who("ben", "ben2"), up_to: None, reply };
                house.hub.ask(seen).await.unwrap();
            }
        }
    });
    for round in 0..5 {
        let ring = async {
            house.rings(&format!("default:x{round}")).await;
            hears(&mut ben, ring_of).await;
        };
        timeout(Duration::from_secs(1), ring).await.expect("within a second");
    }
    crowd.abort();
    looking.abort();
}

#[tokio::test]
async fn what_somebody_changes_is_stored_with_what_he_changed_before() {
    let house = house().await;
    let change = |change: fn(&mut StoredPerson)| {
        let change = Box::new(move |person: &mut StoredPerson| {
            change(person);
            Ok(())
        });
        house.hub.ask(|reply| Request::ChangePerson { who: who("ann", "ann1"), change, reply })
    };
    let add = |person: &mut StoredPerson| _ = person.favourites.insert("ben".parse().unwrap());
    let (renamed, added) = tokio::join!(change(|person| person.name = "Ann B.".to_owned()), change(add));
    renamed.and(added).unwrap();
    change(|person| person.do_not_disturb.is_on = true).await.unwrap();
    let ann = house.store.person(&"ann".parse().unwrap()).await.unwrap().unwrap();
    assert_eq!((ann.name.as_str(), ann.favourites.len(), ann.do_not_disturb.is_on), ("Ann B.", 1, true));
    let nobody =
        house.hub.ask(|reply| Request::ChangePerson { who: who("cem", "cem1"), change: Box::new(|_| Ok(())), reply });
    assert_eq!(nobody.await.unwrap_err().code, wire::Code::Unauthenticated);
}
