//! `bellbird serve`: the server, until it is told to stop.

use std::{net::SocketAddr, path::PathBuf};

use anyhow::{Context as _, Result};
use clap::Args;
use coordinator::{Config, Server};
use tokio::signal::unix::{SignalKind, signal};

use crate::say;

/// Run the server.
#[derive(Args)]
pub(crate) struct Serve {
    /// Where the database, the keys and the certificate are kept.
    #[arg(long, value_name = "DIR", default_value_os_t = crate::default_data())]
    data: PathBuf,
    /// TCP address for devices; plain HTTP on loopback, TLS for everybody else, on the same port.
    #[arg(long, value_name = "ADDR", default_value = "0.0.0.0:7480")]
    listen: SocketAddr,
    /// UDP address for sound and picture.
    #[arg(long, value_name = "ADDR", default_value = "0.0.0.0:7480")]
    udp: SocketAddr,
    /// Key and secret of the media server (KEY:SECRET); made and kept in the data folder if absent.
    #[arg(long, value_name = "KEY:SECRET")]
    livekit_key: Option<String>,
    /// The name people read.
    #[arg(long, default_value = "Bellbird")]
    name: String,
    /// A host name or address that invites name; the machine's own address if absent.
    #[arg(long, value_name = "HOST")]
    advertise: Vec<String>,
}

impl Serve {
    pub(crate) async fn run(self, json: bool) -> Result<()> {
        let livekit_key = self.livekit_key.as_deref().map(parse_key).transpose()?;
        let config = Config {
            data: self.data,
            listen: self.listen,
            udp: self.udp,
            livekit_key,
            name: self.name,
            advertise: self.advertise,
        };
        let server = Server::start(config).await?;
        let invite = server.admin_invite().await.map(|invite| invite.to_string());
        let url = server.url();
        if json {
            let mut ready = serde_json::json!({ "event": "ready", "url": url });
            if let Some(invite) = invite {
                ready["invite"] = invite.into();
            }
            say(&ready.to_string());
        } else {
            say(&format!("Bellbird listens at {url}"));
            match invite {
                Some(invite) => say(&format!("The first person signs in, as its admin, with {invite}")),
                None => say("People are signed in already; the app or `bellbird invite` makes invites."),
            }
        }
        let mut terminate = signal(SignalKind::terminate()).context("cannot watch for SIGTERM")?;
        tokio::select! {
            interrupted = tokio::signal::ctrl_c() => interrupted.context("cannot watch for SIGINT")?,
            _ = terminate.recv() => {}
        }
        tracing::info!("shutting down");
        server.shutdown().await;
        Ok(())
    }
}

fn parse_key(text: &str) -> Result<(String, String)> {
    let (key, secret) = text.split_once(':').context("--livekit-key must be KEY:SECRET")?;
    anyhow::ensure!(!key.is_empty() && secret.len() >= 16, "the key may not be empty, the secret needs 16 characters");
    Ok((key.to_owned(), secret.to_owned()))
}
