//! Where the outside comes in to a server, in words and for programs.

use call_client::{Answers, answers_at, is_public};
use coordinator::{Outside, RouterError, RouterProtocol, Server};
use serde_json::{Value, json};

/// What came of asking the router.
pub(super) enum Way {
    Open { outside: Outside, answers: Answers },
    Closed(RouterError),
}

/// What came of asking the router, if it was asked; whether the server answers there is tried.
pub(super) async fn outside(server: &Server) -> Option<Way> {
    Some(match server.outside()? {
        Ok(outside) => {
            let address = (outside.address, outside.tcp).into();
            // Without TLS nothing can be tried, and nothing is known.
            let answers = answers_at(address, server.fingerprint()).await.unwrap_or(Answers::No);
            Way::Open { outside: *outside, answers }
        }
        Err(error) => Way::Closed(error.clone()),
    })
}

impl Way {
    pub(super) fn for_programs(&self) -> Value {
        match self {
            Self::Open { outside, answers } => json!({
                "address": outside.address, "tcp": outside.tcp, "udp": outside.udp, "by": name(outside.by),
                "answers": *answers == Answers::Yes, "is_public": is_public(outside.address),
            }),
            Self::Closed(error) => json!({ "error": error.to_string() }),
        }
    }

    pub(super) fn for_people(&self) -> String {
        let (outside, answers) = match self {
            Self::Open { outside, answers } => (outside, answers),
            Self::Closed(error) => return format!("From outside nobody comes in: {error}."),
        };
        let (address, tcp, udp) = (outside.address, outside.tcp, outside.udp);
        let opened =
            format!("The router ({}) lets the outside in at {address}, TCP {tcp} and UDP {udp}", name(outside.by));
        if !is_public(address) {
            return format!(
                "{opened}. That is no address of the internet: another router stands before it, which has to pass these \
                 ports on as well; or ask the provider for a public address."
            );
        }
        match answers {
            Answers::Yes => format!("{opened}, and this server answers there."),
            Answers::SomethingElse => format!(
                "{opened}, but something else answers there: another machine may have the port; choose another with --listen."
            ),
            Answers::No => format!(
                "{opened}. Nothing answers there from here: many routers let nobody of the inside come in from outside. Have \
                 somebody outside try the invite."
            ),
        }
    }
}

/// A protocol's usual name.
pub(super) fn name(protocol: RouterProtocol) -> &'static str {
    match protocol {
        RouterProtocol::Pcp => "PCP",
        RouterProtocol::NatPmp => "NAT-PMP",
        RouterProtocol::Upnp => "UPnP",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_came_of_it_is_said_with_what_to_do() {
        let outside =
            Outside { address: "203.0.113.7".parse().unwrap(), tcp: 7480, udp: 7481, by: RouterProtocol::Upnp };
        let words = |outside, answers| Way::Open { outside, answers }.for_people();
        assert_eq!(
            words(outside, Answers::Yes),
            "The router (UPnP) lets the outside in at 203.0.113.7, TCP 7480 and UDP 7481, and this server answers there."
        );
        assert!(words(outside, Answers::No).contains("somebody outside"));
        assert!(words(outside, Answers::SomethingElse).contains("--listen"));
        let inner = Outside { address: "100.64.1.1".parse().unwrap(), ..outside };
        assert!(words(inner, Answers::Yes).contains("another router"));
        assert!(Way::Closed(RouterError::Silent).for_people().contains("forward"));
    }
}
