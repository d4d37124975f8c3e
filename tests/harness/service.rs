//! A real server in this process, and people on it with the real client: no windows, no media.

use std::{net::SocketAddr, path::PathBuf, sync::Arc};

use anyhow::{Context as _, Result};
use call_client::{Account, CallView, CallingState, Client, ClientState, Rest, SignInWish, sign_in};
use coordinator::{Config, Server};
use tempfile::TempDir;
use tokio::time::timeout;
use wire::{CallId, CreateInvite, Invite, Role};

use crate::wait::PATIENCE;

/// A server with its data, and the way to restart it.
pub struct Service {
    server: Option<Server>,
    address: SocketAddr,
    folder: TempDir,
    admin: Account,
}

/// A device of a person, connected.
pub struct User {
    /// What it is signed in as.
    pub account: Account,
    /// The SDK's handle.
    pub client: Client,
}

impl Service {
    /// Starts a server on loopback; its admin is `admin`.
    ///
    /// # Errors
    /// When it does not start.
    pub async fn start() -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let server = serve(folder.path().to_owned(), ([127, 0, 0, 1], 0).into()).await?;
        let address = server.address();
        let invite = server.admin_invite().await.context("a new server has an invite")?;
        let admin = sign_in(&invite, wish("admin")).await?;
        Ok(Self { server: Some(server), address, folder, admin })
    }

    /// A new person, connected.
    ///
    /// # Errors
    /// When the server refuses.
    pub async fn person(&self, name: &str) -> Result<User> {
        User::connect(self.account(name, CreateInvite::default()).await?).await
    }

    /// A new person with a role or a team, connected.
    ///
    /// # Errors
    /// When the server refuses.
    pub async fn person_with(&self, name: &str, role: Role, team: Option<&str>) -> Result<User> {
        let invite = CreateInvite { role: Some(role), team: team.map(str::to_owned), ..CreateInvite::default() };
        User::connect(self.account(name, invite).await?).await
    }

    /// The admin, connected.
    ///
    /// # Errors
    /// When the server refuses.
    pub async fn admin(&self) -> Result<User> {
        User::connect(self.admin.clone()).await
    }

    /// A person's account, not connected yet.
    ///
    /// # Errors
    /// When the server refuses.
    pub async fn account(&self, name: &str, invite: CreateInvite) -> Result<Account> {
        let link = Rest::new(self.admin.clone())?.create_invite(&invite).await?.link;
        Ok(sign_in(&link.parse::<Invite>()?, wish(name)).await?)
    }

    /// Ends the server without a word to anybody, as a crash does, and starts it again on the same data and address.
    ///
    /// # Errors
    /// When it does not start.
    pub async fn restart(&mut self) -> Result<()> {
        drop(self.server.take());
        let data = self.folder.path().to_owned();
        let server = crate::wait::eventually(
            "the address is free again",
            || async { Ok(serve(data.clone(), self.address).await.ok()) },
            Option::is_some,
        );
        self.server = server.await?;
        Ok(())
    }
}

impl std::fmt::Debug for Service {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Service").field("address", &self.address).finish_non_exhaustive()
    }
}

async fn serve(data: PathBuf, listen: SocketAddr) -> Result<Server> {
    let config = Config { listen, name: "Test".to_owned(), ..Config::new(data) };
    Ok(Server::start(config).await?)
}

fn wish(name: &str) -> SignInWish {
    SignInWish { user_id: None, name: name.to_owned(), device_name: "test".to_owned() }
}

impl User {
    /// Connects a device and waits for its snapshot.
    ///
    /// # Errors
    /// When it does not come.
    pub async fn connect(account: Account) -> Result<Self> {
        let user = Self { client: Client::start(account.clone(), None)?, account };
        user.sees("the snapshot", |state| state.connection == call_client::Connection::Online).await?;
        Ok(user)
    }

    /// One more device of the same person, connected.
    ///
    /// # Errors
    /// When the server refuses.
    pub async fn another_device(&self) -> Result<Self> {
        let invite = CreateInvite { me: true, ..CreateInvite::default() };
        let link = self.client.server().create_invite(&invite).await?.link;
        Self::connect(sign_in(&link.parse::<Invite>()?, wish(&self.account.name)).await?).await
    }

    /// Everything this device shows now.
    #[must_use]
    pub fn state(&self) -> Arc<ClientState> {
        Arc::clone(&self.client.state().borrow())
    }

    /// A call as this device shows it now.
    #[must_use]
    pub fn call(&self, cid: &CallId) -> Option<CallView> {
        self.state().calls.iter().find(|call| call.cid == *cid).cloned()
    }

    /// Waits until this device shows something.
    ///
    /// # Errors
    /// When it does not: with what it shows.
    pub async fn sees(&self, what: &str, is: impl Fn(&ClientState) -> bool) -> Result<Arc<ClientState>> {
        let mut states = self.client.state();
        let seen = timeout(PATIENCE, states.wait_for(|state| is(state))).await;
        match seen {
            Ok(state) => Ok(Arc::clone(&*state?)),
            Err(_) => anyhow::bail!("{} does not see {what}, but {:#?}", self.account.user, self.state()),
        }
    }

    /// Waits until a call stands somewhere here.
    ///
    /// # Errors
    /// When it does not: with what is shown.
    pub async fn is_in(&self, cid: &CallId, wanted: CallingState) -> Result<CallView> {
        let what = format!("{cid} {wanted:?}");
        self.sees(&what, |state| state.calls.iter().any(|call| call.cid == *cid && call.state.calling_state == wanted))
            .await?;
        self.call(cid).context("the call is gone again")
    }

    /// Waits until a call is shown that satisfies something.
    ///
    /// # Errors
    /// When it is not: with what is shown.
    pub async fn sees_call(&self, cid: &CallId, what: &str, is: impl Fn(&CallView) -> bool) -> Result<()> {
        self.sees(what, |state| state.calls.iter().any(|call| call.cid == *cid && is(call))).await.map(|_| ())
    }
}
