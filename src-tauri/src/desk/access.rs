//! How a person comes in and goes out.

use std::{io, time::Duration};

use call_client::{ClientError, SignInWish, sign_in};
use tokio::time::timeout;
use wire::{Code, ErrorBody, Invite};

use super::{
    Desk,
    own_server::{self, Begun},
};
use crate::state::Stage;

/// How long a sign-out waits for the server to know; the person is signed out here in any case.
const GOODBYE: Duration = Duration::from_secs(5);

impl Desk {
    /// Takes up where the last run ended: the server inside, then the account.
    pub(super) async fn resume(&self) {
        let account = self.profile.account();
        let wish = self.inner().settings.server.clone();
        if let Some(wish) = wish {
            self.show(Stage::Starting { what: "Starting your server…".to_owned() });
            let is_own = account.as_ref().is_none_or(|account| own_server::is_own(account, &wish));
            match self.run_server(wish, Begun::Before).await {
                Ok(()) => {}
                Err(error) if is_own => return self.show(Stage::Welcome { error: Some(error), notice: None }),
                // This person's calls are on another server: they go on.
                Err(error) => self.change(|state| state.notice = Some(format!("Your server does not run: {error}"))),
            }
        }
        match account {
            Some(account) => self.follow(self.reached(account)),
            None => self.show(Stage::Welcome { error: None, notice: None }),
        }
    }

    pub(crate) async fn start_own_server(&self, name: String) -> Result<(), ErrorBody> {
        let name = checked_name(&name)?;
        self.show(Stage::Starting { what: "Starting your server…".to_owned() });
        let outcome = self.start_and_sign_in(name).await;
        self.settle(outcome)
    }

    /// A server that runs already (its person had signed out) is used again.
    async fn start_and_sign_in(&self, name: String) -> Result<(), ErrorBody> {
        self.have_server(&name).await?;
        let invite = self.own_invite().await?;
        self.sign_in_with(invite, name).await
    }

    pub(crate) async fn accept_invite(&self, link: String, name: String) -> Result<(), ErrorBody> {
        let name = checked_name(&name)?;
        let invite: Invite =
            link.parse().map_err(|error: wire::InviteError| ErrorBody::invalid("link", error.to_string()))?;
        self.show(Stage::Starting { what: "Signing in…".to_owned() });
        let outcome = self.sign_in_with(invite, name).await;
        self.settle(outcome)
    }

    async fn sign_in_with(&self, invite: Invite, name: String) -> Result<(), ErrorBody> {
        let wish = SignInWish { user_id: None, name, device_name: device_name() };
        let account = sign_in(&invite, wish).await.map_err(|error| error.body())?;
        self.profile.keep_account(&self.as_wished(account.clone())).map_err(|error| {
            ErrorBody::new(
                Code::Unavailable,
                format!("your sign-in cannot be kept on this disk ({error}): make room and try again"),
            )
        })?;
        self.follow(account);
        Ok(())
    }

    /// A first step that failed leads back to the beginning, with the reason.
    fn settle(&self, outcome: Result<(), ErrorBody>) -> Result<(), ErrorBody> {
        if let Err(error) = &outcome {
            self.show(Stage::Welcome { error: Some(error.clone()), notice: None });
        }
        outcome
    }

    /// Always works: a server that cannot be told is no reason to stay signed in here.
    pub(crate) async fn sign_out(&self) -> Result<(), ErrorBody> {
        let client = self.client()?;
        self.show(Stage::Starting { what: "Signing out…".to_owned() });
        self.inner().following.cancel();
        client.shutdown().await;
        let told = timeout(GOODBYE, client.sign_out()).await;
        self.inner().client = None;
        let forgotten = match self.profile.forget_account() {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        };
        let notice = match (forgotten, told) {
            (Err(error), _) => Some(format!(
                "You are signed out, but your sign-in cannot be removed from this disk ({error}): remove account.json \
                 from the profile's folder."
            )),
            (Ok(()), Ok(told)) => told.err().and_then(|error| untold(&error)),
            (Ok(()), Err(_)) => untold(&ClientError::Unreachable { why: "no answer".to_owned() }),
        };
        self.show(Stage::Welcome { error: None, notice });
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

fn checked_name(name: &str) -> Result<String, ErrorBody> {
    let rule =
        || ErrorBody::invalid("name", "please give a name of 1 to 100 characters: it is what others see when you call");
    wire::NAME.check(name).map(str::to_owned).ok_or_else(rule)
}

fn device_name() -> String {
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
