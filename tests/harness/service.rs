//! A real server in this process, and people on it with the real client: no windows, no media. Invites on this machine
//! name no certificate, and plain HTTP would do; these do name it, so that everything goes through TLS as it does elsewhere.

use std::{net::SocketAddr, sync::Arc};

use anyhow::{Context as _, Result};
use call_client::{Account, CallView, CallingState, Client, ClientState, Rest, SignInWish, sign_in};
use coordinator::{Config, Server};
use tempfile::TempDir;
use tokio::time::timeout;
use wire::{AccessToken, CallId, CreateInvite, CreatedApiKey, Invite, Pin, Role, Scope};

use crate::{program::Program, wait::PATIENCE};

/// A server with its data, and the way to restart it.
pub struct Service {
    server: Option<Server>,
    config: Config,
    _folder: TempDir,
    /// Of the person called admin.
    pub admin: Account,
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
        Self::start_with(|_| ()).await
    }

    /// The same, for tests that try a whole table: so many times the usual number of requests are allowed.
    ///
    /// # Errors
    /// When it does not start.
    pub async fn start_for(limits_factor: std::num::NonZeroU32) -> Result<Self> {
        Self::start_with(|config| config.limits_factor = limits_factor).await
    }

    /// The same, with other settings than usual.
    ///
    /// # Errors
    /// When it does not start.
    pub async fn start_with(change: impl FnOnce(&mut Config)) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let any = ([127, 0, 0, 1], 0).into();
        let name = "Test".to_owned();
        let mut config = Config { listen: any, udp: any, name, ..Config::new(folder.path().to_owned()) };
        change(&mut config);
        let server = Server::start(config.clone()).await?;
        config.listen = server.address();
        let invite = server.admin_invite().await.context("a new server has an invite")?;
        let admin = sign_in(&secured(invite, server.pin()), wish("admin")).await?;
        Ok(Self { server: Some(server), config, _folder: folder, admin })
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
        Ok(sign_in(&secured(link.parse()?, self.admin.pin), wish(name)).await?)
    }

    /// Where it listens; plain HTTP will do on this machine.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.config.listen
    }

    /// Another program that talks to it, and shows nothing yet.
    #[must_use]
    pub fn program(&self) -> Program {
        Program::new(self.address())
    }

    /// The same with the access token of a person's device.
    ///
    /// # Errors
    /// When the server refuses.
    pub async fn program_of(&self, account: &Account) -> Result<Program> {
        let request = serde_json::json!({ "device": account.device, "refresh_secret": account.refresh_secret });
        let access: AccessToken = serde_json::from_value(self.program().post("/v1/token", &request).await?.ok()?)?;
        Ok(self.program().with_token(&access.token))
    }

    /// A program with a new API key of the admin's; its own person has the name.
    ///
    /// # Errors
    /// When the server refuses.
    pub async fn program_with(&self, name: &str, scopes: &[Scope]) -> Result<Program> {
        let request = serde_json::json!({ "name": name, "scopes": scopes });
        let admin = self.program_of(&self.admin).await?;
        let created: CreatedApiKey = serde_json::from_value(admin.post("/v1/api-keys", &request).await?.ok()?)?;
        Ok(self.program().with_token(&created.token))
    }

    /// Ends the server in order: devices are told, requests are answered.
    pub async fn shut_down(&mut self) {
        if let Some(server) = self.server.take() {
            server.shutdown().await;
        }
    }

    /// Ends the server without a word to anybody, as a crash does, and starts it again on the same data and address.
    ///
    /// # Errors
    /// When it does not start.
    pub async fn restart(&mut self) -> Result<()> {
        drop(self.server.take());
        let server = crate::wait::eventually(
            "the address is free again",
            || async { Ok(Server::start(self.config.clone()).await.ok()) },
            Option::is_some,
        );
        self.server = server.await?;
        Ok(())
    }
}

impl std::fmt::Debug for Service {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Service").field("address", &self.config.listen).finish_non_exhaustive()
    }
}

/// The invite, naming the certificate.
fn secured(invite: Invite, pin: Option<Pin>) -> Invite {
    Invite { pin, ..invite }
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
        let invite = secured(link.parse()?, self.account.pin);
        Self::connect(sign_in(&invite, wish(&self.account.name)).await?).await
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
