//! How a person comes in and goes out.

use std::{io, time::Duration};

use call_client::{AccountFolder, ClientError, KeepError, SignInWish, invite_by_code, sign_in};
use futures_util::future::select_ok;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use wire::{Code, ErrorBody, Invite, InviteCode, ServerAddress};

use super::{
    Desk,
    door::address,
    own_server::{self, Begun},
};
use crate::state::{Back, Stage};

/// How long a sign-out waits for the server to know; the person is signed out here in any case.
const GOODBYE: Duration = Duration::from_secs(5);

impl Desk {
    /// Takes up where the last run ended: the server inside, then the account.
    pub(super) async fn resume(&self) {
        let wish = self.inner().settings.server.clone();
        let mut failed = None;
        if let Some(wish) = wish.clone().filter(|_| self.inner().server.is_none()) {
            self.starting("Starting your server…");
            failed = self.run_server(wish, Begun::Before).await.err();
        }
        // After the server, which others wait for: the keyring may ask the person to unlock it.
        let account = match self.with_account(AccountFolder::load).await {
            Ok(account) => account,
            Err(KeepError::Damaged { file, why }) => {
                tracing::error!(file = %file.display(), why, "the sign-in is damaged and is left aside");
                _ = std::fs::rename(&file, file.with_extension("damaged"));
                let message = "the sign-in on this disk is damaged: come in again with a new invite";
                let error = Some(ErrorBody::new(Code::Unauthenticated, message));
                return self.welcome(error, None);
            }
            Err(error) => return self.show(Stage::Locked { error: unkept(&error) }),
        };
        let is_own = |wish| account.as_ref().is_none_or(|account| own_server::is_own(account, wish));
        match failed {
            None => {}
            Some(error) if wish.as_ref().is_some_and(is_own) => {
                self.inner().back = Some(Back::OwnServer);
                return self.welcome(Some(error), None);
            }
            // This person's calls are on another server: they go on.
            Some(error) => self.change(|state| state.notice = Some(format!("Your server does not run: {error}"))),
        }
        match account {
            Some(account) => self.follow(self.reached(account)),
            None => self.welcome(None, None),
        }
    }

    /// The keyring is open now, the person says: looks again.
    pub(crate) async fn try_again(&self) {
        self.starting("Looking for your sign-in…");
        self.resume().await;
    }

    /// The person wants another sign-in than the one that cannot be used now; until he has one, that is kept.
    pub(crate) async fn sign_in_anew(&self) {
        let client = {
            let mut inner = self.inner();
            inner.following.cancel();
            inner.back = Some(Back::SignIn);
            inner.client.take()
        };
        self.welcome(None, None);
        if let Some(client) = client {
            client.shutdown().await;
        }
    }

    /// Does something with the kept sign-in, which may wait for the keyring; and shows where its secret is then.
    async fn with_account<T: Send + 'static>(
        &self,
        act: impl FnOnce(&AccountFolder) -> Result<T, KeepError> + Send + 'static,
    ) -> Result<T, KeepError> {
        let folder = self.profile.account();
        let (done, place) = tauri::async_runtime::spawn_blocking(move || (act(&folder), folder.place()))
            .await
            .map_err(|error| KeepError::Keyring(error.to_string()))?;
        self.change(|state| state.secret_place = place);
        done
    }

    pub(crate) async fn start_own_server(&self, name: String) -> Result<(), ErrorBody> {
        let outcome = self.start_and_sign_in(&name).await;
        self.settle(outcome)
    }

    /// A server that runs already (its person had signed out) is used again.
    async fn start_and_sign_in(&self, name: &str) -> Result<(), ErrorBody> {
        let name = checked_name(name)?;
        self.starting("Starting your server…");
        self.have_server(&name).await?;
        let invite = self.own_invite().await?;
        self.sign_in_with(invite, name).await
    }

    /// Comes in with a link, or with a code that was read aloud and the server that made it: the one named, or one of
    /// this network.
    pub(crate) async fn accept_invite(&self, link: String, server: String, name: String) -> Result<(), ErrorBody> {
        let outcome = self.come_in(&link, &server, &name).await;
        self.settle(outcome)
    }

    async fn come_in(&self, link: &str, server: &str, name: &str) -> Result<(), ErrorBody> {
        let name = checked_name(name)?;
        let misread = |why: String| ErrorBody::invalid("link", why);
        let invite = if link.contains("://") {
            link.parse().map_err(|error: wire::InviteError| misread(error.to_string()))?
        } else {
            let code = InviteCode::from_spoken(link).map_err(|error| misread(error.to_string()))?;
            let servers = match server.trim() {
                "" => self.state().nearby.iter().filter_map(|nearby| nearby.address.parse().ok()).collect(),
                server => vec![address(server)?],
            };
            self.show(Stage::Starting { what: "Looking for the server…".to_owned(), can_stop: true });
            match self.unless_stopped(invite_of(&code, servers)).await {
                Some(invite) => invite?,
                None => return Ok(()),
            }
        };
        self.starting("Signing in…");
        self.sign_in_with(invite, name).await
    }

    pub(super) async fn sign_in_with(&self, invite: Invite, name: String) -> Result<(), ErrorBody> {
        self.with_account(AccountFolder::check).await.map_err(|error| unkept(&error))?;
        let wish = SignInWish { user_id: None, name, device_name: device_name() };
        let account = sign_in(&invite, wish).await.map_err(|error| error.body())?;
        let kept = self.as_wished(account.clone());
        self.with_account(move |folder| folder.save(&kept)).await.map_err(|error| unkept(&error))?;
        self.follow(account);
        Ok(())
    }

    /// Waits for what others do, or until the person has enough of it: then he is at the beginning again.
    pub(super) async fn unless_stopped<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        let stopped = CancellationToken::new();
        self.inner().asking = Some(stopped.clone());
        tokio::select! {
            done = work => Some(done),
            () = stopped.cancelled() => {
                self.welcome(None, None);
                None
            }
        }
    }

    /// Gives up what waits for others; a yes that comes later lets nobody in.
    pub(crate) fn stop_asking(&self) {
        if let Some(asking) = self.inner().asking.take() {
            asking.cancel();
        }
    }

    /// A first step that failed leads back to the beginning, with the reason.
    pub(super) fn settle(&self, outcome: Result<(), ErrorBody>) -> Result<(), ErrorBody> {
        if let Err(error) = &outcome {
            self.welcome(Some(error.clone()), None);
        }
        outcome
    }

    /// Always works: a server that cannot be told is no reason to stay signed in here.
    pub(crate) async fn sign_out(&self) -> Result<(), ErrorBody> {
        let client = self.client()?;
        self.starting("Signing out…");
        self.inner().following.cancel();
        client.shutdown().await;
        let told = timeout(GOODBYE, client.sign_out()).await;
        self.inner().client = None;
        let forgotten = match self.with_account(AccountFolder::forget).await {
            Err(KeepError::File { error, .. }) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            forgotten => forgotten,
        };
        let notice = match (forgotten, told) {
            (Err(error), _) => Some(format!(
                "You are signed out, but your sign-in cannot be removed from this disk: {error}. Then remove the file."
            )),
            (Ok(()), Ok(told)) => told.err().and_then(|error| untold(&error)),
            (Ok(()), Err(_)) => untold(&ClientError::Unreachable { why: "no answer".to_owned() }),
        };
        self.welcome(None, notice);
        Ok(())
    }
}

/// What a person should know when the server was not told that a device is signed out.
fn untold(error: &ClientError) -> Option<String> {
    let rest = "It still lists this device among yours: take it off there from another device.";
    match error {
        // The server does not know the device any more, which is what was wanted.
        ClientError::Refused(refusal) if refusal.code == Code::Unauthenticated => None,
        ClientError::Refused(_) | ClientError::Unreadable { .. } => {
            Some(format!("You are signed out here, but the server did not take it ({error}). {rest}"))
        }
        ClientError::Unreachable { .. } | ClientError::Stopped => {
            Some(format!("You are signed out here, but the server could not be reached. {rest}"))
        }
        ClientError::WrongServer => {
            Some("You are signed out here. Another server answers at its address, so nobody was told.".to_owned())
        }
    }
}

/// The invite that a code stands for, of whichever server made it; all are asked at once.
async fn invite_of(code: &InviteCode, servers: Vec<ServerAddress>) -> Result<Invite, ErrorBody> {
    let nowhere = "no server of this network is known: type the address of the server that made the code";
    if servers.is_empty() {
        return Err(ErrorBody::invalid("server", nowhere));
    }
    let asked = servers.iter().map(|server| Box::pin(invite_by_code(code, server)));
    select_ok(asked).await.map(|(invite, _)| invite).map_err(|error| error.body())
}

fn unkept(error: &KeepError) -> ErrorBody {
    ErrorBody::new(Code::Unavailable, error.to_string())
}

pub(super) fn checked_name(name: &str) -> Result<String, ErrorBody> {
    let rule =
        || ErrorBody::invalid("name", "please give a name of 1 to 100 characters: it is what others see when you call");
    wire::NAME.check(name).map(str::to_owned).ok_or_else(rule)
}

pub(super) fn device_name() -> String {
    let name = std::fs::read_to_string("/etc/hostname").unwrap_or_default();
    wire::NAME.check(&name).unwrap_or("This computer").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_person_is_told_when_the_server_was_not() {
        let unreachable = ClientError::Unreachable { why: "refused".to_owned() };
        assert!(untold(&unreachable).unwrap().contains("could not be reached"));
        assert!(untold(&ClientError::WrongServer).unwrap().contains("Another server"));
        let gone = ClientError::Refused(ErrorBody::new(Code::Unauthenticated, "no such device"));
        assert_eq!(untold(&gone), None);
    }
}
