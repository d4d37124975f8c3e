//! `bellbird serve`: the server, until it is told to stop.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::{IpAddr, Ipv4Addr, SocketAddr},
    num::NonZeroU32,
    path::{Path, PathBuf},
};

use clap::Args;
use coordinator::{CertificateFiles, Config, OwnBackend, Reach, Router, Server};
use serde::Deserialize;
use tokio::signal::unix::{Signal, SignalKind, signal};
use wire::{CallTypeData, Capability, NAME};

use super::outside::outside;
use crate::{
    Context,
    exit::{Exit, Failure},
    phone::Interrupt,
    profile::server_data,
    say,
};

/// Where a server listens when nobody says.
const LISTEN: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 7480);

/// Run the server, until SIGINT or SIGTERM; SIGHUP reads the certificate's files anew.
#[derive(Args)]
pub(crate) struct Serve {
    #[command(flatten)]
    settings: Settings,
    /// The same settings as TOML (data = "…", listen = "…"); the command line comes first.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

/// What an operator may set, on the command line or in a file.
#[derive(Debug, Default, Args, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Settings {
    /// Where the database, the keys and the certificate are kept.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// TCP address for devices; plain HTTP on loopback, TLS for everybody else, on the same port. [default: 0.0.0.0:7480]
    #[arg(long, value_name = "ADDR")]
    listen: Option<SocketAddr>,
    /// UDP address for sound and picture. [default: 0.0.0.0:7480]
    #[arg(long, value_name = "ADDR")]
    udp: Option<SocketAddr>,
    /// Key and secret of the media server (KEY:SECRET); made and kept in the data folder if absent.
    #[arg(long, value_name = "KEY:SECRET")]
    livekit_key: Option<String>,
    /// The name people read. [default: Bellbird]
    #[arg(long)]
    name: Option<String>,
    /// A host name or address by which others come to this server: invites name the first one, sound and picture come by all.
    /// The machine's own address if absent.
    #[arg(long, value_name = "HOST")]
    advertise: Vec<String>,
    /// Allow this many times the usual number of sign-ins, invites, rings, calls, lists and messages: for many people
    /// behind one address, and for load tests. [default: 1]
    #[arg(long, value_name = "N")]
    limits_factor: Option<NonZeroU32>,
    /// A certificate of one's own (PEM, the whole chain) instead of the self-made one; read anew when it changes.
    #[arg(long, value_name = "FILE")]
    certificate: Option<PathBuf>,
    /// The private key of the certificate (PEM).
    #[arg(long, value_name = "FILE")]
    certificate_key: Option<PathBuf>,
    /// Announce the server on its network, so that people find it without an address. [default: true, except on loopback]
    #[arg(long, value_name = "BOOL", num_args = 0..=1, default_missing_value = "true")]
    announce: Option<bool>,
    /// Have the router let the outside in (PCP, NAT-PMP or UPnP) while the server runs. [default: false]
    #[arg(long, value_name = "BOOL", num_args = 0..=1, default_missing_value = "true")]
    map_ports: Option<bool>,
    /// The router to ask; the one that leads outside if absent.
    #[arg(long, value_name = "ADDR")]
    router: Option<IpAddr>,
    /// `[sign_in]`: how people of an existing product sign in; in the file only, because it may hold a secret.
    #[arg(skip)]
    sign_in: Option<OwnBackend>,
    /// Where webhooks may lie: `public` (https on public addresses), or `anywhere`; in the file only.
    #[arg(skip)]
    webhooks: Option<Reach>,
    /// `[call_types.NAME]`: own kinds of calls, and built-in ones as wanted; in the file only.
    #[arg(skip)]
    call_types: BTreeMap<String, OwnCallType>,
}

/// What `PUT /v1/call-types/NAME` takes, and nothing that is misspelt.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct OwnCallType {
    settings: Option<serde_json::Value>,
    #[serde(default)]
    grants: BTreeMap<String, BTreeSet<Capability>>,
}

impl From<OwnCallType> for CallTypeData {
    fn from(OwnCallType { settings, grants }: OwnCallType) -> Self {
        Self { settings, grants }
    }
}

impl Settings {
    fn read(file: &Path) -> Result<Self, Failure> {
        let text = std::fs::read_to_string(file)
            .map_err(|error| Failure::usage(format!("{} cannot be read ({error})", file.display())))?;
        toml::from_str(&text).map_err(|error| Failure::usage(format!("{}{}", file.display(), explain(&text, &error))))
    }

    /// These, and for what they leave out the others.
    fn or(self, others: Self) -> Self {
        Self {
            data: self.data.or(others.data),
            listen: self.listen.or(others.listen),
            udp: self.udp.or(others.udp),
            livekit_key: self.livekit_key.or(others.livekit_key),
            name: self.name.or(others.name),
            limits_factor: self.limits_factor.or(others.limits_factor),
            sign_in: self.sign_in.or(others.sign_in),
            webhooks: self.webhooks.or(others.webhooks),
            call_types: if self.call_types.is_empty() { others.call_types } else { self.call_types },
            advertise: if self.advertise.is_empty() { others.advertise } else { self.advertise },
            certificate: self.certificate.or(others.certificate),
            certificate_key: self.certificate_key.or(others.certificate_key),
            announce: self.announce.or(others.announce),
            map_ports: self.map_ports.or(others.map_ports),
            router: self.router.or(others.router),
        }
    }

    fn into_config(self) -> Result<Config, Failure> {
        let certificate = match (self.certificate, self.certificate_key) {
            (Some(certificate), Some(key)) => Some(CertificateFiles { certificate, key }),
            (None, None) => None,
            (Some(_), None) | (None, Some(_)) => {
                return Err(Failure::usage("a certificate and its key go together: give both, or none"));
            }
        };
        let name = self.name.as_deref().unwrap_or("Bellbird");
        let name = NAME
            .check(name)
            .map(str::to_owned)
            .ok_or_else(|| Failure::usage(format!("the server's name has {NAME}")))?;
        let listen = self.listen.unwrap_or(LISTEN);
        let router = self.router.map_or(Router::Default, Router::At);
        Ok(Config {
            certificate,
            announce: self.announce.unwrap_or(!listen.ip().is_loopback()),
            map_ports: self.map_ports.unwrap_or(false).then_some(router),
            listen,
            udp: self.udp.unwrap_or(LISTEN),
            livekit_key: self.livekit_key.as_deref().map(parse_key).transpose()?,
            advertise: self.advertise,
            limits_factor: self.limits_factor.unwrap_or(NonZeroU32::MIN),
            sign_in: self.sign_in,
            webhooks: self.webhooks.unwrap_or_default(),
            call_types: self.call_types.into_iter().map(|(name, own)| (name, own.into())).collect(),
            name,
            ..Config::new(self.data.unwrap_or_else(server_data))
        })
    }
}

/// Where the mistake is and what it is, without the line itself and what is quoted of it: it may hold a secret.
fn explain(text: &str, error: &toml::de::Error) -> String {
    let line = error.span().and_then(|span| text.get(..span.start)).map(|before| before.matches('\n').count() + 1);
    let place = line.map(|line| format!(" (line {line})")).unwrap_or_default();
    let message = error.message();
    match (message.find('"'), message.rfind('"')) {
        (Some(begin), Some(end)) if begin < end => format!("{place}: {}…{}", &message[..begin], &message[end + 1..]),
        _ => format!("{place}: {message}"),
    }
}

impl Serve {
    pub(crate) async fn run(self, context: &Context) -> Result<Exit, Failure> {
        let file = self.config.as_deref().map(Settings::read).transpose()?.unwrap_or_default();
        let config = self.settings.or(file).into_config()?;
        let mut interrupt = Interrupt::new()?;
        let mut hang_up = signal(SignalKind::hangup()).map_err(anyhow::Error::from)?;
        let server = Server::start(config).await?;
        let invite = server.admin_invite().await.map(|invite| invite.to_string());
        let url = server.url();
        let outside = outside(&server).await;
        if context.json {
            let mut ready = serde_json::json!({ "event": "ready", "url": url });
            if let Some(invite) = invite {
                ready["invite"] = invite.into();
            }
            if let Some(outside) = outside {
                ready["outside"] = outside.for_programs();
            }
            say(&ready.to_string());
        } else {
            say(&format!("Bellbird listens at {url}"));
            match invite {
                Some(invite) => say(&format!("The first person signs in, as its admin, with {invite}")),
                None => say("People are signed in already; the app or `bellbird invite` makes invites."),
            }
            if let Some(outside) = outside {
                say(&outside.for_people());
            }
        }
        let ended = until_told_to_stop(&server, &mut interrupt, &mut hang_up).await;
        tracing::info!("shutting down");
        server.shutdown().await;
        ended
    }
}

async fn until_told_to_stop(server: &Server, interrupt: &mut Interrupt, hang_up: &mut Signal) -> Result<Exit, Failure> {
    loop {
        tokio::select! {
            // In the order in which they are usually sent.
            biased;
            _ = hang_up.recv() => if let Err(error) = server.reload_certificate() {
                tracing::error!(%error, "the old certificate stays in use");
            },
            () = interrupt.wait() => return Ok(Exit::Done),
            () = server.failed() => return Err(Failure::from(anyhow::anyhow!(
                "the server has come upon a fault of its own and ends; everything that was announced is stored: start it again, and \
                 please tell us what the log says before this line"
            ))),
        }
    }
}

/// `KEY:SECRET`, as `serve` and `token` take it.
pub(crate) fn parse_key(text: &str) -> Result<(String, String), Failure> {
    let key = text.split_once(':').filter(|(key, secret)| !key.is_empty() && secret.len() >= 16);
    let (key, secret) = key.ok_or_else(|| {
        Failure::usage("the media server's key must be KEY:SECRET; the secret needs 16 characters or more")
    })?;
    Ok((key.to_owned(), secret.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_comes_before_the_file_and_the_file_before_the_usual() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("bellbird.toml");
        std::fs::write(&file, "listen = \"127.0.0.1:1\"\nname = \"Home\"\nadvertise = [\"calls.example.org\"]\n")
            .unwrap();
        let given = Settings { listen: Some("127.0.0.1:2".parse().unwrap()), ..Settings::default() };
        let config = given.or(Settings::read(&file).unwrap()).into_config().unwrap();
        assert_eq!((config.listen.port(), config.name.as_str(), config.udp), (2, "Home", LISTEN));
        assert_eq!(config.advertise, ["calls.example.org"]);
        let sign_in = "[sign_in]\nsecret = \"0123456789abcdef0123456789abcdef\"\nrenew = \"token\"\n";
        std::fs::write(&file, sign_in).unwrap();
        let config = Settings::read(&file).unwrap().into_config().unwrap();
        assert!(config.sign_in.is_some_and(|sign_in| sign_in.secret.is_some()));
        std::fs::write(&file, "lisen = \"127.0.0.1:1\"\n").unwrap();
        assert_eq!(Settings::read(&file).unwrap_err().exit, Exit::Usage, "a misspelt key is told");
    }

    #[test]
    fn a_mistake_in_the_file_is_told_without_the_secrets_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("bellbird.toml");
        for (text, line, says) in [
            ("[sign_in]\nsecert = \"hunter22hunter22\"\n", 2, "secert"),
            ("livekit_key = \"key:hunter22hunter22\nname = \"x\"\n", 1, ""),
            ("name = \"x\"\n\nsign_in = \"hunter22hunter22\"\n", 3, "struct OwnBackend"),
            ("[sign_in]\nsecret = \"hunter22hunter22\" x\n", 2, ""),
        ] {
            std::fs::write(&file, text).unwrap();
            let told = format!("{:?}", Settings::read(&file).unwrap_err());
            assert!(told.contains(&format!("(line {line})")) && told.contains(says), "{told}");
            assert!(!told.contains("hunter22"), "{told}");
        }
    }
}
