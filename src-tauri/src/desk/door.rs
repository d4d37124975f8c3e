//! Servers of this network, asking one of them to be let in, and an admin's word to who asks.

use call_client::{Admission, Asking, Search};
use tokio_util::sync::CancellationToken;
use wire::{AnswerAsk, AskId, ErrorBody, ServerAddress};

use super::{
    Desk,
    access::{checked_name, device_name},
};
use crate::state::{ServerNearby, Stage};

impl Desk {
    /// Looks for servers while nobody is signed in; whoever announces itself is in the state.
    pub(super) fn look_around(&self) {
        let looking = {
            let mut inner = self.inner();
            if inner.looking.is_some() {
                return;
            }
            let looking = CancellationToken::new();
            inner.looking = Some(looking.clone().drop_guard());
            looking
        };
        let app = self.app.clone();
        tauri::async_runtime::spawn(async move {
            let search = match Search::begin() {
                Ok(search) => search,
                Err(error) => return tracing::info!(%error, "servers of this network are not listed"),
            };
            let mut found = search.found();
            loop {
                let servers: Vec<_> = found.borrow_and_update().iter().map(ServerNearby::from).collect();
                Self::of(&app).change(|state| state.nearby = servers);
                tokio::select! {
                    changed = found.changed() => if changed.is_err() { return },
                    () = looking.cancelled() => return,
                }
            }
        });
    }

    pub(super) fn look_away(&self) {
        if self.inner().looking.take().is_some() {
            self.change(|state| state.nearby = Vec::new());
        }
    }

    /// Asks a server to be let in, and waits for an admin's word.
    pub(crate) async fn ask_to_join(&self, server: String, name: String) -> Result<(), ErrorBody> {
        let outcome = self.ask_and_wait(&server, &name).await;
        self.settle(outcome)
    }

    async fn ask_and_wait(&self, server: &str, name: &str) -> Result<(), ErrorBody> {
        let (name, server) = (checked_name(name)?, address(server)?);
        let nearby = self.state().nearby.into_iter().find(|nearby| nearby.address == server.to_string());
        let shown = nearby.map_or_else(|| server.to_string(), |nearby| nearby.name);
        self.show(Stage::Starting { what: format!("Asking {shown}…"), can_stop: true });
        let device = device_name();
        let Some(asking) = self.unless_stopped(Asking::begin(&server, &name, &device)).await else { return Ok(()) };
        let asking = asking.map_err(|error| error.body())?;
        let minutes = u32::try_from(asking.expires_in().as_secs().div_ceil(60)).unwrap_or(u32::MAX);
        self.show(Stage::Asking { server: shown.clone(), code: asking.code(), minutes });
        let Some(admission) = self.unless_stopped(asking.outcome()).await else { return Ok(()) };
        let admission = admission.map_err(|error| error.body())?;
        let notice = match admission {
            Admission::Admitted(invite) => {
                self.starting("Signing in…");
                return self.sign_in_with(invite, name).await;
            }
            Admission::Refused => {
                format!("An admin of {shown} did not let you in. Call him, or ask him for an invite.")
            }
            Admission::Over => {
                format!("Nobody at {shown} answered in time. Ask again while an admin is at his screen.")
            }
        };
        self.welcome(None, Some(notice));
        Ok(())
    }

    /// An admin's word to who waits at the door.
    pub(crate) async fn answer_ask(&self, id: AskId, admit: bool) -> Result<(), ErrorBody> {
        let answer = AnswerAsk { admit, role: None };
        self.client()?.server().answer_ask(id, &answer).await.map_err(|error| error.body())
    }
}

/// What a person typed as a server's address.
pub(super) fn address(text: &str) -> Result<ServerAddress, ErrorBody> {
    let unreadable = |_| {
        ErrorBody::invalid("server", "this is no server’s address: it has a host and a port, as in 192.168.1.7:7480")
    };
    text.trim().parse().map_err(unreadable)
}
