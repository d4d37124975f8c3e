//! The server inside this app: where it listens, and how its own person gets in.

use std::{
    collections::VecDeque,
    net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, UdpSocket},
    pin::Pin,
    sync::Arc,
    time::{Duration, Instant},
};

use call_client::Account;
use coordinator::{Config, Server, StartError};
use tauri::{AppHandle, Manager as _};
use wire::{Code, ErrorBody, Invite, ServerAddress};

use super::{Desk, outside};
use crate::{profile::ServerSettings, state::OwnServer};

/// Where the server inside listens first; if taken at its very first start, on any other port, which is then kept.
const PORT: u16 = 7480;

/// How long a server that has died is left alone: one that dies of what it finds would else take the whole machine.
const REST: Duration = Duration::from_secs(1);
/// How often within [`LATELY`] it is started again.
const MOST_STARTS: usize = 5;
const LATELY: Duration = Duration::from_secs(60);
/// How long somebody asks a server for an invite, about.
const MOMENT: Duration = Duration::from_millis(10);

/// When the server inside has died lately.
#[derive(Debug, Default)]
struct Deaths(VecDeque<Instant>);

impl Deaths {
    /// It has died again. Says whether it may be started once more.
    fn add(&mut self, now: Instant) -> bool {
        self.0.retain(|at| now.saturating_duration_since(*at) < LATELY);
        self.0.push_back(now);
        self.0.len() <= MOST_STARTS
    }
}

/// Whether this server has been started before, so that others know its port.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Begun {
    Now,
    Before,
}

impl Desk {
    /// Makes sure that the server inside runs.
    pub(super) async fn have_server(&self, person: &str) -> Result<(), ErrorBody> {
        let (runs, wish) = {
            let inner = self.inner();
            (inner.server.is_some(), inner.settings.server.clone())
        };
        match wish {
            _ if runs => Ok(()),
            Some(wish) => self.run_server(wish, Begun::Before).await,
            None => {
                let listen = self.network.listen.unwrap_or(SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), PORT));
                let name = format!("{person}’s Bellbird");
                self.run_server(ServerSettings { name, listen, udp: listen, for_outside: false }, Begun::Now).await
            }
        }
    }

    /// Starts the server inside. A port that others know stays the wish, even when another program has it today.
    pub(super) async fn run_server(&self, wish: ServerSettings, begun: Begun) -> Result<(), ErrorBody> {
        self.run_after(Deaths::default(), wish, begun).await
    }

    async fn run_after(&self, deaths: Deaths, wish: ServerSettings, begun: Begun) -> Result<(), ErrorBody> {
        let server = self.listening(&wish).await?;
        let (listen, udp) = (server.address(), server.media_address());
        let own = OwnServer {
            address: server.reachable().to_string(),
            name: wish.name.clone(),
            outside: outside::standing(&server),
        };
        let as_now = ServerSettings { listen, udp, ..wish.clone() };
        tauri::async_runtime::spawn(start_again(self.app.clone(), server.failed(), as_now, deaths));
        let trial = outside::trial(&server);
        self.inner().server = Some(Arc::new(server));
        match begun {
            Begun::Now => {
                self.change_settings(|settings| settings.server = Some(ServerSettings { listen, udp, ..wish }))?;
            }
            Begun::Before if listen.port() != wish.listen.port() => {
                self.change(|state| state.notice = Some(taken(wish.listen.port())));
            }
            Begun::Before => {}
        }
        self.change(|state| state.server = Some(own));
        tauri::async_runtime::spawn(outside::tried(self.app.clone(), trial));
        Ok(())
    }

    /// A socket whose port is taken takes any other; the two do not depend on each other.
    async fn listening(&self, wish: &ServerSettings) -> Result<Server, ErrorBody> {
        let (mut listen, mut udp) = (wish.listen, wish.udp);
        if TcpListener::bind(listen).is_err() {
            listen.set_port(0);
        }
        if UdpSocket::bind(udp).is_err() {
            udp.set_port(0);
        }
        loop {
            let usual = Config::new(self.profile.server_data());
            let map_ports = wish.for_outside.then_some(self.network.router);
            let config = Config { listen, udp, name: wish.name.clone(), announce: true, map_ports, ..usual };
            match Server::start(config).await {
                Ok(server) => return Ok(server),
                // Taken in the moment since it was looked at.
                Err(StartError::Listen { .. }) if listen.port() != 0 => listen.set_port(0),
                Err(StartError::Media { .. }) if udp.port() != 0 => udp.set_port(0),
                Err(error) => return Err(ErrorBody::new(Code::Unavailable, error.to_string())),
            }
        }
    }

    /// The invite of whoever runs the server inside, redeemed on this machine itself, without TLS: who has signed out comes
    /// back as the same person.
    pub(super) async fn own_invite(&self) -> Result<Invite, ErrorBody> {
        let no_invite = || {
            let message = "your server cannot let you in now: look whether its disk is full, and try again";
            ErrorBody::new(Code::Unavailable, message)
        };
        let server = self.inner().server.clone().ok_or_else(no_invite)?;
        let mut invite = server.owner_invite().await.ok_or_else(no_invite)?;
        invite.server = here(server.address().port());
        invite.pin = None;
        Ok(invite)
    }

    /// An account of the server inside, with the port that it has today.
    pub(super) fn reached(&self, account: Account) -> Account {
        let inner = self.inner();
        match (&inner.settings.server, &inner.server) {
            (Some(wish), Some(server)) if is_own(&account, wish) => {
                Account { server: here(server.address().port()), ..account }
            }
            _ => account,
        }
    }

    /// The same account with the port that the server will have again.
    pub(super) fn as_wished(&self, account: Account) -> Account {
        let inner = self.inner();
        match (&inner.settings.server, &inner.server) {
            (Some(wish), Some(server)) if account.server == here(server.address().port()) => {
                Account { server: here(wish.listen.port()), ..account }
            }
            _ => account,
        }
    }
}

/// Waits until the server inside has died of a fault of its own, and starts it anew: what it had stored is whole. Boxed,
/// because starting it begins this wait again.
fn start_again(
    app: AppHandle,
    failed: impl Future<Output = ()> + Send + 'static,
    wish: ServerSettings,
    mut deaths: Deaths,
) -> Pin<Box<dyn Future<Output = ()> + Send>> {
    Box::pin(async move {
        failed.await;
        let desk = app.state::<Desk>();
        let dead = Desk::inner(&desk).server.take_if(|server| server.has_failed());
        let Some(dead) = dead else { return };
        end(dead).await;
        if !deaths.add(now()) {
            tracing::error!("the server inside dies again and again, and is not started any more");
            desk.change(|state| state.server = None);
            return desk.report(given_up());
        }
        tracing::error!("the server inside has died and is started again");
        tokio::time::sleep(REST).await;
        if let Err(error) = desk.run_after(deaths, wish, Begun::Before).await {
            desk.report(error);
        }
    })
}

/// Ends a server, once nobody asks it for an invite any more: its ports are free then.
pub(super) async fn end(mut server: Arc<Server>) {
    loop {
        match Arc::try_unwrap(server) {
            Ok(server) => return server.shutdown().await,
            Err(asked) => server = asked,
        }
        tokio::time::sleep(MOMENT).await;
    }
}

fn given_up() -> ErrorBody {
    ErrorBody::new(
        Code::Unavailable,
        "your server has stopped again and again by a fault of its own and stays off: nobody can reach you. What it had stored \
         is whole. Quit Bellbird and start it again; if that does not help, please tell us what its log says",
    )
}

#[expect(clippy::disallowed_methods, reason = "whoever drives the server reads the clock")]
fn now() -> Instant {
    Instant::now()
}

/// Whether an account is one of the server inside.
pub(super) fn is_own(account: &Account, wish: &ServerSettings) -> bool {
    account.pin.is_none() && account.server == here(wish.listen.port())
}

fn here(port: u16) -> ServerAddress {
    ServerAddress { host: Ipv4Addr::LOCALHOST.to_string(), port }
}

fn taken(port: u16) -> String {
    format!(
        "Port {port} is used by another program: invites made before do not work, and the others cannot reach your \
         server, until it is free and Bellbird is started again."
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_that_dies_at_once_is_started_five_times_and_one_that_dies_now_and_then_always() {
        let (mut deaths, start) = (Deaths::default(), now());
        let started = (0..8).filter(|second| deaths.add(start + Duration::from_secs(*second))).count();
        assert_eq!(started, MOST_STARTS);
        let (mut deaths, quarter) = (Deaths::default(), Duration::from_secs(15));
        assert!((0..100).all(|times| deaths.add(start + quarter * times)));
    }

    #[test]
    fn only_an_account_of_the_server_inside_follows_its_port() {
        let listen = SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 7480);
        let wish = ServerSettings { name: "Ann’s".to_owned(), listen, udp: listen, for_outside: false };
        let account = |host: &str, port| Account {
            server: ServerAddress { host: host.to_owned(), port },
            pin: None,
            user: "ann".parse().unwrap(),
            name: "Ann".to_owned(),
            device: "d1".parse().unwrap(),
            refresh_secret: "s".to_owned(),
        };
        assert!(is_own(&account("127.0.0.1", 7480), &wish));
        assert!(!is_own(&account("127.0.0.1", 7481), &wish), "another server of this machine");
        assert!(!is_own(&account("192.0.2.7", 7480), &wish), "another machine");
    }
}
