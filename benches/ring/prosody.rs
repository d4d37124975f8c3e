//! The peer: Prosody, as Debian packages it, on loopback without TLS, with what a ringing call needs and nothing more.

use std::{fs, net::TcpListener, path::Path, process::Stdio, time::Duration};

use anyhow::{Context as _, Result, bail};
use futures_util::future::try_join_all;
use tokio::{
    process::{Child, Command},
    time::{sleep, timeout},
};

use crate::{
    clock::now,
    machine,
    measure::{latency, load},
    plan::{LOAD_PAIRS, Measured, Plan},
    say,
    server::Cores,
    xmpp::{Client, Pair},
};

/// The name of the virtual host.
pub(crate) const HOST: &str = "bench.localhost";
const START: Duration = Duration::from_secs(20);
/// Clients that sign in at the same time.
const LANES: usize = 32;

/// A running Prosody; dropping it kills it.
struct Prosody {
    _child: Child,
    pid: u32,
    address: String,
    ready_after: Duration,
}

impl Prosody {
    async fn start(folder: &Path, cores: Cores) -> Result<Self> {
        fs::create_dir_all(folder)?;
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let address = format!("127.0.0.1:{port}");
        let file = folder.join("prosody.cfg.lua");
        fs::write(&file, configuration(folder, port))?;
        let mut command = Command::new("prosody");
        command.arg("--config").arg(&file).arg("-F").current_dir(folder);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true);
        let begun = now();
        let mut child = command.spawn().context("prosody cannot be started: `apt-get install prosody`")?;
        let pid = child.id().context("prosody ended")?;
        if cores == Cores::First {
            machine::pin(pid, "0")?;
        }
        while tokio::net::TcpStream::connect(&address).await.is_err() {
            if begun.elapsed() > START || child.try_wait()?.is_some() {
                let log = fs::read_to_string(folder.join("prosody.log")).unwrap_or_default();
                bail!("prosody does not take connections: {log}");
            }
            sleep(Duration::from_millis(2)).await;
        }
        Ok(Self { _child: child, pid, address, ready_after: begun.elapsed() })
    }

    /// Connects as many clients as are missing, or as many as the time allows.
    async fn fill(&self, clients: &mut Vec<Client>, count: usize, most: Duration) -> Result<()> {
        let connecting = async {
            while clients.len() < count {
                let next = clients.len()..count.min(clients.len() + LANES);
                let group = next.map(|number| Client::connect(&self.address, number));
                clients.extend(try_join_all(group).await?);
            }
            anyhow::Ok(())
        };
        let outcome = timeout(most, connecting).await;
        outcome.unwrap_or_else(|_| bail!("only {} of {count} clients were connected within {most:?}", clients.len()))
    }
}

fn configuration(folder: &Path, port: u16) -> String {
    let folder = folder.display();
    format!(
        r#"
run_as_root = true
pidfile = "{folder}/prosody.pid"
data_path = "{folder}"
certificates = "{folder}"
log = {{ warn = "{folder}/prosody.log" }}
modules_enabled = {{ "saslauth"; "roster"; "disco" }}
modules_disabled = {{ "s2s"; "offline"; "tls" }}
interfaces = {{ "127.0.0.1" }}
c2s_ports = {{ {port} }}
network_settings = {{ nagle = false }}
c2s_require_encryption = false
allow_unencrypted_plain_auth = true
storage = "none"
VirtualHost "{HOST}"
    authentication = "anonymous"
"#
    )
}

/// Measures the peer by the plan.
pub(crate) async fn measure(plan: &Plan, folder: &Path, measured: &mut Measured) {
    if let Err(error) = everything(plan, folder, measured).await {
        measured.problem("Prosody", &error);
    }
}

async fn everything(plan: &Plan, folder: &Path, measured: &mut Measured) -> Result<()> {
    for _ in 0..plan.starts {
        let prosody = Prosody::start(folder, Cores::All).await?;
        measured.start_empty.push(prosody.ready_after);
    }
    say("   Prosody: as many rings as it can");
    let prosody = Prosody::start(folder, Cores::First).await?;
    let aside = machine::Aside::go()?;
    let mut clients = Vec::new();
    prosody.fill(&mut clients, LOAD_PAIRS * 2, plan.connect).await?;
    let mut pairs = in_pairs(&mut clients, LOAD_PAIRS);
    for _ in 0..plan.loads {
        measured.loads.push(load(&mut pairs, prosody.pid, plan.load).await?);
    }
    drop((pairs, prosody, aside));

    let prosody = Prosody::start(folder, Cores::All).await?;
    let empty = machine::memory(prosody.pid)?;
    let mut clients = Vec::new();
    for crowd in &plan.crowds {
        say(&format!("   Prosody: {} clients", crowd.devices));
        prosody.fill(&mut clients, crowd.devices, plan.connect).await?;
        sleep(plan.settle).await;
        if crowd.has_memory {
            let used = machine::memory(prosody.pid)?.saturating_sub(empty);
            measured.memory_plain.insert(crowd.devices, used);
        }
        let mut pairs = in_pairs(&mut clients, crowd.pairs(1));
        measured.latency.insert(crowd.devices, latency(&mut pairs, plan.rings, plan.latency).await?);
        clients.extend(pairs.into_iter().flat_map(Pair::apart));
    }
    Ok(())
}

fn in_pairs(clients: &mut Vec<Client>, count: usize) -> Vec<Pair> {
    let mut taken = clients.split_off(clients.len() - count * 2).into_iter();
    let mut pairs = Vec::with_capacity(count);
    while let (Some(caller), Some(callee)) = (taken.next(), taken.next()) {
        pairs.push(Pair::new(caller, callee));
    }
    pairs
}
