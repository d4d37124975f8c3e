//! `bellbird doctor`: what works on this machine and with this profile, and what to do where it does not.

use std::{net::IpAddr, os::unix::fs::PermissionsExt as _, time::Instant};

use clap::Args;
use coordinator::Router;
use media::{DeviceInfo, Engine, EngineOptions};
use serde_json::json;

use super::outside::{is_public, name};
use crate::{
    Context,
    exit::{Exit, Failure},
    say,
};

/// Say what works here and what does not.
#[derive(Args)]
pub(crate) struct Doctor {
    /// Ask the router for its address outside, as `serve --map-ports` would; this one if given.
    #[arg(long, value_name = "ADDR", num_args = 0..=1)]
    router: Option<Option<IpAddr>>,
}

impl Doctor {
    pub(crate) async fn run(self, context: &Context) -> Result<Exit, Failure> {
        let report = Report { json: context.json };
        report.say("version", true, env!("CARGO_PKG_VERSION"));
        report.say("profile", true, &context.profile.folder().display().to_string());
        let devices = tokio::task::spawn_blocking(|| Engine::start(EngineOptions::default()).map(|it| it.devices()));
        match devices.await {
            Ok(Ok(devices)) => {
                report.devices("microphones", &devices.microphones, "none: give --mic FILE.wav, or be silent");
                report.devices("speakers", &devices.speakers, "none: give --speaker FILE.wav, or hear nothing");
                report.devices("cameras", &devices.cameras, "none: give --camera FILE.y4m, or show nothing");
            }
            Ok(Err(error)) => report.say("devices", false, &error.to_string()),
            Err(error) => report.say("devices", false, &error.to_string()),
        }
        if let Some(router) = self.router {
            match router.map_or(Router::Default, Router::At).outside_address().await {
                Ok((address, by)) => {
                    let stands = if is_public(address) { "the internet sees" } else { "another router stands before:" };
                    report.say("router", is_public(address), &format!("{} answers; {stands} {address}", name(by)));
                }
                Err(error) => report.say("router", false, &error.to_string()),
            }
        }
        let account = context.profile.account()?;
        let file = context.profile.account_file();
        let mode = std::fs::metadata(&file).map_or(0, |known| known.permissions().mode() & 0o777);
        let advice = if mode & 0o077 == 0 { "only its owner can read it" } else { "others can read it: chmod 600" };
        report.say("account", mode & 0o077 == 0, &format!("{} ({mode:o}): {advice}", file.display()));
        report.say("server", true, &account.server.to_string());
        let protection = match account.pin {
            Some(_) => "TLS, pinned to the certificate of the invite",
            None if account.server.is_loopback() => "none: this machine itself",
            None => "TLS with a public certificate",
        };
        report.say("protection", true, protection);
        let begun = now();
        let snapshot = context.profile.rest()?.snapshot().await?;
        report.say("answer", true, &format!("{} in {} ms", snapshot.server_name, begun.elapsed().as_millis()));
        report.say("signed in", true, &format!("{} ({})", snapshot.me.name, snapshot.me.id));
        Ok(Exit::Done)
    }
}

struct Report {
    json: bool,
}

impl Report {
    fn say(&self, check: &str, ok: bool, detail: &str) {
        if self.json {
            say(&json!({ "check": check, "ok": ok, "detail": detail }).to_string());
        } else {
            say(&format!("{} {check}: {detail}", if ok { "✓" } else { "✗" }));
        }
    }

    fn devices(&self, kind: &str, devices: &[DeviceInfo], none: &str) {
        let names: Vec<&str> = devices.iter().map(|device| device.name.as_str()).collect();
        let detail = if names.is_empty() { none.to_owned() } else { names.join(", ") };
        self.say(kind, !names.is_empty(), &detail);
    }
}

#[expect(clippy::disallowed_methods, reason = "the way to the server is timed here")]
fn now() -> Instant {
    Instant::now()
}
