//! `bellbird doctor`: what works on this machine and with this profile, and what to do where it does not.

use std::{net::IpAddr, os::unix::fs::PermissionsExt as _, time::Instant};

use call_client::{Account, is_public};
use clap::Args;
use coordinator::{Router, RouterError};
use media::{DeviceInfo, Engine, EngineOptions};
use serde_json::json;
use wire::Code;

use super::outside::name;
use crate::{
    Context,
    exit::{Exit, Failure},
    say,
};

/// Say what works here and what does not.
///
/// Ends with 7 when something fails that calls need, with 8 when the server is not reachable. A microphone, speaker or camera that is missing is told and does not
/// count: calls can do with files or without.
#[derive(Args)]
pub(crate) struct Doctor {
    /// Ask the router for its address outside, by NAT-PMP and UPnP; this one if given.
    #[arg(long, value_name = "ADDR", num_args = 0..=1)]
    router: Option<Option<IpAddr>>,
}

impl Doctor {
    pub(crate) async fn run(self, context: &Context) -> Result<Exit, Failure> {
        let mut report = Report { json: context.json, failed: Vec::new(), is_server_away: false };
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
                // One that speaks PCP tells its address only when it opens a port.
                Err(RouterError::Silent) => {
                    let silent = "no router answers by NAT-PMP or UPnP; one that speaks PCP alone is asked by `serve --map-ports` only";
                    report.say("router", false, silent);
                }
                Err(error) => report.say("router", false, &error.to_string()),
            }
        }
        match context.profile.account() {
            Ok(account) => look_at_server(context, &account, &mut report).await,
            Err(failure) => report.say("account", false, failure.message()),
        }
        report.exit()
    }
}

async fn look_at_server(context: &Context, account: &Account, report: &mut Report) {
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
    let snapshot = async { context.profile.rest()?.snapshot().await.map_err(Failure::from) };
    match snapshot.await {
        Ok(snapshot) => {
            let took = begun.elapsed().as_millis();
            report.say("answer", true, &format!("{} in {took} ms", snapshot.server_name));
            report.say("signed in", true, &format!("{} ({})", snapshot.me.name, snapshot.me.id));
        }
        Err(failure) => {
            report.is_server_away = failure.exit == Exit::Unreachable;
            report.say("answer", false, failure.message());
        }
    }
}

struct Report {
    json: bool,
    /// The checks that calls need and that failed.
    failed: Vec<String>,
    /// The server is among them, because it does not answer at all.
    is_server_away: bool,
}

impl Report {
    fn say(&mut self, check: &str, ok: bool, detail: &str) {
        if !ok {
            self.failed.push(check.to_owned());
        }
        self.tell(check, ok, detail);
    }

    fn exit(self) -> Result<Exit, Failure> {
        if self.failed.is_empty() {
            return Ok(Exit::Done);
        }
        let message = format!("not everything works: {}; what to do stands beside each", self.failed.join(", "));
        if self.is_server_away {
            return Err(Failure::unreachable(message));
        }
        Err(Failure::refused(Code::Unavailable, message))
    }

    fn tell(&self, check: &str, ok: bool, detail: &str) {
        if self.json {
            say(&json!({ "check": check, "ok": ok, "detail": detail }).to_string());
        } else {
            say(&format!("{} {check}: {detail}", if ok { "✓" } else { "✗" }));
        }
    }

    fn devices(&self, kind: &str, devices: &[DeviceInfo], none: &str) {
        let names: Vec<&str> = devices.iter().map(|device| device.name.as_str()).collect();
        let detail = if names.is_empty() { none.to_owned() } else { names.join(", ") };
        self.tell(kind, !names.is_empty(), &detail);
    }
}

#[expect(clippy::disallowed_methods, reason = "the way to the server is timed here")]
fn now() -> Instant {
    Instant::now()
}
