//! Starting and stopping a server: data, keys, media, the hub, and one port for everything.

use std::{
    fs::File,
    net::{IpAddr, SocketAddr},
    num::NonZeroU16,
    path::Path,
    sync::{Arc, OnceLock, atomic::AtomicU64},
    time::Duration,
};

use sfu::{ApiKey, Sfu, SfuConfig};
use tokio::{
    net::TcpListener,
    sync::{Semaphore, watch},
    task::JoinHandle,
    time::timeout,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use wire::{Invite, InviteId, Pin, Role, ServerAddress, UnixMillis, UserId};

use crate::{
    access::{self, SIGNED_OUT_COUNTS, SignedOut, Tokens, kept_secret},
    authority::CallTypes,
    certificate::{self, ServerCertificate},
    config::Config,
    error::StartError,
    housekeeping,
    http::{self, Pulse, Shared},
    hub::{Hub, unix_now},
    limits::Limits,
    listener::{self, House},
    lock::locked,
    media_plane::MediaPlane,
    metrics::Metrics,
    own_backend::UserTokens,
    programs::{Keys, Repeats},
    reach::{
        self, Announcement, Door, Inside, OpenPorts, Outside, Router, RouterError, advertised, check_advertised,
        outside_media, with_a_port,
    },
    store::{MadeBy, NewInvite, Sqlite, Store, StoreError},
    visitors::Visitors,
    vitals::Vitals,
    webhooks::{Courier, Outbox},
};

/// How long the first admin has to use the invite of a new server.
const ADMIN_INVITE: Duration = Duration::from_secs(24 * 3600);
/// Pictures of people that are decoded at the same time; each takes up to 200 MB.
const DECODING: usize = 2;
/// Pictures of people that may come in at the same time; each is 5 MB at most.
const UPLOADING: usize = 16;
/// How long a shutdown waits for connections to end.
const SHUTDOWN: Duration = Duration::from_secs(3);

/// The database in the data folder.
pub(crate) const DATABASE: &str = "bellbird.db";
/// The secret of the media server's own key, in the data folder.
const MEDIA_SECRET: &str = "media-secret";

/// A running server; dropping it without [`Server::shutdown`] ends it at once.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    udp: IpAddr,
    shared: Arc<Shared>,
    media: MediaPlane,
    outside: Option<Result<Outside, RouterError>>,
    announcement: Option<Announcement>,
    /// Held while it runs.
    _lock: File,
    /// They end by themselves after a shutdown, and are waited for.
    ending: Vec<JoinHandle<()>>,
    /// They go on until everything else has ended.
    lasting: [JoinHandle<()>; 3],
}

impl Server {
    /// Starts a server.
    ///
    /// # Errors
    /// In words for the person who starts it: the data folder, the database, an address that is taken.
    pub async fn start(config: Config) -> Result<Self, StartError> {
        check_advertised(&config.advertise)?;
        std::fs::create_dir_all(&config.data)?;
        let lock = locked(&config.data).await?;
        let store = Store::Sqlite(Sqlite::open(&config.data.join(DATABASE)).await.map_err(StoreError::from)?);
        let user_tokens = config.sign_in.as_ref().map(UserTokens::new).transpose()?;
        let tokens = Tokens::new(&kept_secret(&config.data.join("token-secret"))?);
        let key = match config.livekit_key {
            Some((key, secret)) => ApiKey { key, secret },
            None => media_key(&config.data)?,
        };
        let taken = |error| StartError::Listen { address: config.listen, error };
        let listener = TcpListener::bind(config.listen).await.map_err(taken)?;
        let address = listener.local_addr().map_err(taken)?;
        let no_media = |error: String| StartError::Media { address: config.udp, error };
        let certificate = Arc::new(match config.certificate {
            Some(files) => ServerCertificate::of_operator(files)?,
            None => ServerCertificate::kept(&config.data)?,
        });
        let tls = certificate.tls()?;
        if certificate.pin().is_none() && config.advertise.is_empty() && !address.ip().is_loopback() {
            return Err(StartError::NameWanted);
        }
        let live = store.live().await?;
        let types = CallTypes::read(&live.call_types, &config.call_types)?;
        // From here on little can fail: what a router opens stays open.
        let (udp, ports) = match config.map_ports {
            Some(router) => {
                let udp = with_a_port(config.udp).map_err(|error| no_media(error.to_string()))?;
                (udp, Some(open_ports(router, address, udp).await))
            }
            None => (config.udp, None),
        };
        let outside = ports.as_ref().map(|ports| ports.as_ref().map(|open| open.outside).map_err(Clone::clone));
        let told = outside_media(&config.advertise, outside.as_ref(), udp.port()).await;
        let sfu = Sfu::start(SfuConfig { udp, addresses: Vec::new(), outside: told, key: key.clone() });
        let (sfu, media_events) = match sfu {
            Ok(started) => started,
            Err(error) => {
                if let Some(Ok(ports)) = ports {
                    ports.give_back().await;
                }
                return Err(no_media(error.to_string()));
            }
        };
        let reachable = match &outside {
            Some(Ok(outside)) if config.advertise.is_empty() => {
                ServerAddress { host: outside.address.to_string(), port: outside.tcp }
            }
            Some(Ok(_) | Err(_)) | None => {
                ServerAddress { host: advertised(&config.advertise, address), port: address.port() }
            }
        };
        let media = MediaPlane::Embedded { sfu: sfu.clone(), key };
        let has_hooks = store.has_hooks().await?;
        let outbox = Arc::new(Outbox::new(has_hooks));
        let metrics = Arc::new(Metrics::new());
        let (hub, handle) = Hub::new(
            store.clone(),
            media.clone(),
            Arc::clone(&outbox),
            Arc::clone(&metrics),
            media_events,
            config.name.clone(),
            types,
            live,
        );
        let stop = CancellationToken::new();
        let vitals = Vitals::new(stop.clone());
        let signed_out = store.signed_out_since(UnixMillis(unix_now().0 - SIGNED_OUT_COUNTS)).await?;
        let courier = Courier::new(store.clone(), Arc::clone(&outbox), config.webhooks)
            .map_err(|error| StartError::Webhooks(error.to_string()))?;
        let upkeep = housekeeping::run(store.clone());
        let keys = store.keys().await?;
        let (described, document) = http::described();
        let shared = Arc::new(Shared {
            hub: handle,
            store,
            tokens,
            signed_out: SignedOut::new(signed_out),
            user_tokens,
            keys: Keys::new(keys),
            repeats: Repeats::default(),
            outbox: Arc::clone(&outbox),
            reach: config.webhooks,
            sfu,
            media: media.clone(),
            limits: Limits::new(config.limits_factor),
            server_name: config.name,
            address: reachable,
            certificate: Arc::clone(&certificate),
            stop: stop.clone(),
            door: watch::Sender::new(Door::default()),
            metrics,
            pulse: Pulse::default(),
            vitals: vitals.clone(),
            devices_at_end: OnceLock::new(),
            sockets: TaskTracker::new(),
            decoding: Arc::new(Semaphore::new(DECODING)),
            uploading: Semaphore::new(UPLOADING),
            changing_people: Semaphore::new(1),
            changing_types: Semaphore::new(1),
            document,
            epochs: AtomicU64::new(1),
        });
        let router = http::router(Arc::clone(&shared), described);
        let following = certificate.follow(certificate::LOOK, stop.clone());
        let announcement = if config.announce { announce(&shared, address) } else { None };
        let mut ending =
            vec![vitals.run("the certificate", following), vitals.run("the webhooks", courier.run(stop.clone()))];
        if let Some(Ok(ports)) = ports {
            ending.push(vitals.run("the router's ports", reach::keep(ports, stop.clone())));
        }
        let visitors = Arc::new(Visitors::new(config.limits_factor));
        let (house, sockets) = (House { tls, router, visitors, stop }, shared.sockets.clone());
        let listening = async move {
            listener::serve(listener, house).await;
            // Their connections are no longer the listener's: each still has to say good-bye.
            sockets.close();
            sockets.wait().await;
        };
        ending.push(vitals.run("the listener", listening));
        tracing::info!(%address, "the server takes connections");
        let sfu = shared.sfu.clone();
        let lasting = [
            vitals.run("the hub", hub.run()),
            vitals.run("the media server", async move { sfu.ended().await }),
            vitals.run("the housekeeping", upkeep),
        ];
        Ok(Self { address, udp: config.udp.ip(), shared, media, outside, announcement, _lock: lock, ending, lasting })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where sound and picture go.
    #[must_use]
    pub fn media_address(&self) -> SocketAddr {
        let port = self.shared.sfu.udp_address().port();
        SocketAddr::new(self.udp, port)
    }

    /// Where others reach it.
    #[must_use]
    pub fn reachable(&self) -> &ServerAddress {
        &self.shared.address
    }

    /// The same as URL.
    #[must_use]
    pub fn url(&self) -> String {
        let scheme = if self.shared.address.is_loopback() { "http" } else { "https" };
        format!("{scheme}://{}", self.shared.address)
    }

    /// The invite of the first admin: made and good only while nobody has signed in. Each call makes a new one in place of
    /// the one before.
    pub async fn admin_invite(&self) -> Option<Invite> {
        let live = self.shared.store.live().await.ok()?;
        if live.people.is_empty() { self.admits_as_admin(None, MadeBy::ServerForTheFirst).await } else { None }
    }

    /// An invite for whoever runs this server: one more device of its first admin, or the first admin's own while nobody
    /// has signed in. Only for programs that have the server inside: it needs no leave of anybody.
    pub async fn owner_invite(&self) -> Option<Invite> {
        match self.shared.store.first_admin().await.ok()? {
            Some(owner) => self.admits_as_admin(Some(owner), MadeBy::Server).await,
            None => self.admin_invite().await,
        }
    }

    /// An invite as a new admin, or as one who is known.
    async fn admits_as_admin(&self, person: Option<UserId>, made_by: MadeBy) -> Option<Invite> {
        let (code, now) = (access::fresh_code(), unix_now());
        let invite = NewInvite {
            id: InviteId::mint(ulid::Ulid::new()),
            code_hash: access::hash(code.as_str()),
            uses: 1,
            expires_at: now.plus(ADMIN_INVITE),
            role: Role::Admin,
            team: None,
            person,
            made_by,
            created_at: now,
        };
        let is_made = self.shared.store.add_invite(&invite).await.ok()?;
        is_made.then(|| self.shared.invite(code))
    }

    /// Shows from now on what the certificate's files hold, as they are looked at by themselves every ten seconds.
    ///
    /// # Errors
    /// When they cannot be used; the old certificate stays.
    pub fn reload_certificate(&self) -> Result<(), StartError> {
        self.shared.certificate.reload()
    }

    /// The fingerprint of the certificate that it shows; none of one that an authority has issued.
    #[must_use]
    pub fn pin(&self) -> Option<Pin> {
        self.shared.certificate.pin()
    }

    /// A token for a room of the media server, for any LiveKit client.
    #[must_use]
    pub fn media_token(&self, room: &str, identity: &str, name: &str, lifetime: Duration) -> String {
        self.media.token(room, identity, name, lifetime, sfu::MaySend::everything())
    }

    /// Where the outside comes in, if the router was asked to let it.
    #[must_use]
    pub fn outside(&self) -> Option<&Result<Outside, RouterError>> {
        self.outside.as_ref()
    }

    /// The certificate this server shows, by which whoever tries an address knows that it is this server.
    #[must_use]
    pub fn fingerprint(&self) -> Pin {
        self.shared.certificate.identity().0
    }

    /// Waits until a part of the server has died, which is a fault of ours: it is of no more use, and what is stored is
    /// whole. Whoever runs the server starts a new one.
    pub fn failed(&self) -> impl Future<Output = ()> + Send + 'static + use<> {
        self.shared.vitals.failed()
    }

    /// Whether that has happened.
    #[must_use]
    pub fn has_failed(&self) -> bool {
        self.shared.vitals.fallen().is_some()
    }

    /// Tells the devices to come back later and ends; the router's ports are given back.
    pub async fn shutdown(mut self) {
        self.shared.stop.cancel();
        if let Some(announcement) = self.announcement.take() {
            announcement.end().await;
        }
        let ending = std::mem::take(&mut self.ending);
        _ = timeout(SHUTDOWN, futures_util::future::join_all(ending)).await;
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.shared.stop.cancel();
        self.ending.iter().chain(&self.lasting).for_each(JoinHandle::abort);
    }
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Shared").field("address", &self.address).finish_non_exhaustive()
    }
}

/// The key of the media server that is kept in a data folder; made on first use.
fn media_key(data: &Path) -> Result<ApiKey, std::io::Error> {
    Ok(ApiKey { key: "bellbird".to_owned(), secret: kept_secret(&data.join(MEDIA_SECRET))? })
}

/// The key of the media server where a server has been; none is made.
///
/// # Errors
/// When there is no key, or it cannot be read.
pub fn kept_media_key(data: &Path) -> Result<ApiKey, std::io::Error> {
    std::fs::metadata(data.join(MEDIA_SECRET))?;
    media_key(data)
}

/// A token for a room, signed without a running server.
#[must_use]
pub fn room_token(key: &ApiKey, room: &str, identity: &str, name: &str, lifetime: Duration) -> String {
    let (room, identity, name) = (room.to_owned(), identity.to_owned(), name.to_owned());
    sfu::access_token(key, &sfu::Grant { room, identity, name, lifetime, may_send: sfu::MaySend::everything() })
}

/// A server that nobody hears of is a server all the same.
fn announce(shared: &Shared, listens: SocketAddr) -> Option<Announcement> {
    let (fingerprint, _) = shared.certificate.identity();
    let begun = Announcement::begin(&shared.server_name, listens, shared.certificate.pin(), &fingerprint);
    begun.map_err(|error| tracing::warn!(%error, "the server is not announced on the network")).ok()
}

async fn open_ports(router: Router, tcp: SocketAddr, udp: SocketAddr) -> Result<OpenPorts, RouterError> {
    let ports = NonZeroU16::new(tcp.port()).zip(NonZeroU16::new(udp.port()));
    let (tcp, udp) = ports.ok_or(RouterError::Silent)?;
    router.open(Inside { tcp, udp }).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn whoever_runs_a_server_learns_that_its_hub_has_died() {
        let folder = tempfile::tempdir().unwrap();
        let server = Server::start(Config::new(folder.path().to_owned())).await.unwrap();
        assert!(!server.has_failed());
        let cid = "default:x".parse().unwrap();
        let answer = server.shared.hub.decide::<()>(cid, |_, _| panic!("planted by a test")).await;
        assert_eq!(answer.unwrap_err().code, wire::Code::Unavailable);
        timeout(Duration::from_secs(10), server.failed()).await.expect("told of it");
        assert!(server.has_failed());
        let health = reqwest::get(format!("{}/healthz", server.url())).await.unwrap();
        assert_eq!(health.status().as_u16(), 503);
        let health = health.text().await.unwrap();
        assert!(health.contains("the hub has ended by a fault of its own"), "{health}");
        server.shutdown().await;
        let again = Server::start(Config::new(folder.path().to_owned())).await.unwrap();
        assert!(!again.has_failed());
        again.shutdown().await;
    }
}
