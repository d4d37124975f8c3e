//! Friends outside one's own network: the router lets them in to the server inside, and the address is tried.

use std::net::SocketAddr;

use call_client::{Answers, answers_at, is_public};
use coordinator::{Outside, Server};
use tauri::{AppHandle, Manager as _};
use wire::{Code, ErrorBody, Pin};

use super::{
    Desk,
    own_server::{self, Begun},
};
use crate::{profile::ServerSettings, state::FromOutside};

/// An address to try, and by what the server there is known.
pub(super) type Trial = Option<(Outside, Pin)>;

impl Desk {
    /// Has the router let the outside in from now on, or not any more. The server inside starts anew for it: devices come back
    /// within a moment, and calls find their way again.
    pub(crate) async fn let_outside_in(&self, on: bool) -> Result<(), ErrorBody> {
        let taken = {
            let mut inner = self.inner();
            let wish = inner.settings.server.clone();
            wish.zip(inner.server.take())
        };
        let Some((wish, server)) = taken else {
            let message = "your server is not running, or just starting: try again in a moment";
            return Err(ErrorBody::new(Code::Unavailable, message));
        };
        let wish = ServerSettings { for_outside: on, ..wish };
        let kept = self.change_settings(|settings| settings.server = Some(wish.clone()));
        self.is_outside(|_| Some(FromOutside::Asking));
        own_server::end(server).await;
        if let Err(error) = self.run_server(wish, Begun::Before).await {
            self.change(|state| state.server = None);
            return Err(error);
        }
        kept
    }

    fn is_outside(&self, is: impl FnOnce(&FromOutside) -> Option<FromOutside>) {
        self.change(|state| {
            if let Some(server) = &mut state.server
                && let Some(outside) = is(&server.outside)
            {
                server.outside = outside;
            }
        });
    }
}

/// What is known of it as soon as the server runs.
pub(super) fn standing(server: &Server) -> FromOutside {
    match server.outside() {
        None => FromOutside::Closed,
        Some(Ok(_)) => FromOutside::Asking,
        Some(Err(error)) => FromOutside::Refused { why: error.to_string() },
    }
}

/// What is to be tried then.
pub(super) fn trial(server: &Server) -> Trial {
    let outside = server.outside()?.as_ref().ok()?;
    Some((*outside, server.fingerprint()))
}

/// Tries it, and tells the page.
pub(super) async fn tried(app: AppHandle, trial: Trial) {
    let Some((outside, pin)) = trial else { return };
    let address = SocketAddr::new(outside.address, outside.tcp);
    // Without TLS nothing can be tried, and nothing is known.
    let answers = answers_at(address, pin).await.unwrap_or(Answers::No);
    tracing::info!(%address, ?answers, "the router lets the outside in");
    // Closed again meanwhile, it stays so.
    app.state::<Desk>().is_outside(|now| (*now == FromOutside::Asking).then(|| found(address, answers)));
}

fn found(at: SocketAddr, answers: Answers) -> FromOutside {
    let address = at.to_string();
    match answers {
        _ if !is_public(at.ip()) => FromOutside::Behind { address },
        Answers::Yes => FromOutside::Open { address },
        Answers::No => FromOutside::Untried { address },
        Answers::SomethingElse => FromOutside::Taken { address },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_answers_counts_only_at_an_address_of_the_internet() {
        let (public, inner) = ("203.0.113.7:7480".parse().unwrap(), "100.64.1.1:7480".parse().unwrap());
        let address = || "203.0.113.7:7480".to_owned();
        assert_eq!(found(public, Answers::Yes), FromOutside::Open { address: address() });
        assert_eq!(found(public, Answers::No), FromOutside::Untried { address: address() });
        assert_eq!(found(public, Answers::SomethingElse), FromOutside::Taken { address: address() });
        for answers in [Answers::Yes, Answers::No, Answers::SomethingElse] {
            assert_eq!(found(inner, answers), FromOutside::Behind { address: "100.64.1.1:7480".to_owned() });
        }
    }
}
