//! Our server: the same steps as the peer's, and those that only a server that stores can take.

use std::{path::Path, rc::Rc, time::Duration};

use anyhow::{Context as _, Result, bail};
use futures_util::future::try_join_all;
use tokio::time::{sleep, timeout};

use crate::{
    clock::now,
    device::{Device, Network},
    machine,
    measure::{latency, load},
    pair::Pair,
    people::{self, Account, Person},
    plan::{Crowd, DEVICES_EACH, LOAD_PAIRS, Measured, Plan, Storm},
    say,
    server::{Cores, Server},
};

const ANY_PORT: &str = "127.0.0.1:0";
/// Devices that connect at the same time while a crowd gathers.
const LANES: usize = 64;

/// Measures our server by the plan, in a folder of its own.
pub(crate) async fn measure(plan: &Plan, folder: &Path, measured: &mut Measured) {
    if let Err(error) = starts(plan, folder, measured).await {
        measured.problem("cold start with an empty database", &error);
    }
    let data = folder.join("data");
    match sign_in(plan, &data).await {
        Ok(people) => with_people(plan, &data, &people, measured).await,
        Err(error) => measured.problem("sign-in", &error),
    }
}

async fn with_people(plan: &Plan, data: &Path, people: &[Person], measured: &mut Measured) {
    if let Err(error) = as_much_as_it_can(plan, data, people, measured).await {
        measured.problem("rings a second", &error);
    }
    if let Err(error) = crowds(plan, data, people, measured).await {
        measured.problem("connected devices", &error);
    }
    for protection in [Protection::None, Protection::Tls] {
        if let Err(error) = memory(plan, data, people, protection, measured).await {
            measured.problem("memory of a connection", &error);
        }
    }
    for _ in 0..plan.starts {
        match Server::start(data, ANY_PORT, Cores::All).await {
            Ok(server) => measured.start_used.push(server.ready_after),
            Err(error) => measured.problem("cold start with a used database", &error),
        }
    }
}

async fn starts(plan: &Plan, folder: &Path, measured: &mut Measured) -> Result<()> {
    say("   Bellbird: cold starts");
    for number in 0..plan.starts {
        let server = Server::start(&folder.join(format!("empty-{number}")), ANY_PORT, Cores::All).await?;
        measured.start_empty.push(server.ready_after);
    }
    Ok(())
}

async fn sign_in(plan: &Plan, data: &Path) -> Result<Vec<Person>> {
    let count = plan.most().max(LOAD_PAIRS * 2 * DEVICES_EACH) / DEVICES_EACH;
    say(&format!("   Bellbird: {count} people sign in, with {DEVICES_EACH} devices each"));
    let server = Server::start(data, ANY_PORT, Cores::All).await?;
    let begun = now();
    let signing_in = people::sign_in(&server, count, DEVICES_EACH);
    let people = timeout(plan.sign_in, signing_in).await;
    let people = people.with_context(|| format!("not all were signed in within {:?}", plan.sign_in))??;
    say(&format!("   Bellbird: signed in within {:.1} s", begun.elapsed().as_secs_f32()));
    Ok(people)
}

async fn as_much_as_it_can(plan: &Plan, data: &Path, people: &[Person], measured: &mut Measured) -> Result<()> {
    say("   Bellbird: as many rings as it can");
    let server = Server::start(data, ANY_PORT, Cores::First).await?;
    let _aside = machine::Aside::go()?;
    let network = Network::plain(&server.address);
    let mut pairs = pairs(&network, people, LOAD_PAIRS, DEVICES_EACH).await?;
    for _ in 0..plan.loads {
        measured.loads.push(load(&mut pairs, server.pid, plan.load).await?);
    }
    Ok(())
}

/// Ever more devices: how fast it rings with them, what they take, and how they come back.
async fn crowds(plan: &Plan, data: &Path, people: &[Person], measured: &mut Measured) -> Result<()> {
    let mut server = Server::start(data, ANY_PORT, Cores::All).await?;
    let network = Network::plain(&server.address);
    let mut devices: Vec<Device> = Vec::new();
    for crowd in &plan.crowds {
        say(&format!("   Bellbird: {} devices", crowd.devices));
        devices.clear();
        while network.connected() > 0 {
            sleep(Duration::from_millis(1)).await;
        }
        let ringing = crowd.pairs(crowd.devices_each());
        let mut pairs = pairs(&network, people, ringing, crowd.devices_each()).await?;
        let others = accounts(&people[ringing * 2..], crowd.devices - ringing * 2 * crowd.devices_each());
        gather(&network, &mut devices, &others, *crowd, plan.connect).await?;
        sleep(plan.settle).await;
        measured.latency.insert(crowd.devices, latency(&mut pairs, plan.rings, plan.latency).await?);
        if crowd.devices == plan.most() {
            let storm = storm(plan, data, &network, server, &mut pairs, *crowd);
            (server, measured.storm) = storm.await.map(|(server, storm)| (server, Some(storm)))?;
        }
    }
    drop(server);
    Ok(())
}

/// The server is killed with everybody connected and a ring of each pair live, and started again at the same address.
async fn storm(
    plan: &Plan,
    data: &Path,
    network: &Rc<Network>,
    server: Server,
    pairs: &mut [Pair],
    crowd: Crowd,
) -> Result<(Server, Storm)> {
    say(&format!("   Bellbird: killed with {} devices connected", crowd.devices));
    let address = server.address.clone();
    let mut rings = Vec::new();
    for pair in &mut *pairs {
        rings.push(pair.start().await?);
    }
    let (begun, came_before) = (now(), network.came());
    server.kill().await?;
    let server = Server::start(data, &address, Cores::All).await?;
    let coming = async {
        // Who has not noticed yet that the server is gone still counts as connected.
        while network.came() - came_before < crowd.devices || network.connected() < crowd.devices {
            sleep(Duration::from_millis(5)).await;
        }
        begun.elapsed()
    };
    let returning = try_join_all(pairs.iter_mut().map(|pair| pair.come_back(&address, plan.storm)));
    let (back_after, snapshots) = tokio::join!(timeout(plan.storm, coming), returning);
    let Ok(back_after) = back_after else {
        bail!("only {} of {} devices were back after {:?}", network.connected(), crowd.devices, plan.storm)
    };
    let (ready_after, live, mut kept) = (server.ready_after, rings.len(), 0);
    for ((pair, snapshots), (cid, ring)) in pairs.iter_mut().zip(snapshots?).zip(rings) {
        let is_in_all = snapshots.iter().all(|snapshot| {
            snapshot.calls.iter().any(|state| {
                state.ring.as_ref().is_some_and(|kept| kept.id == ring && kept.is_live()) && state.call.cid == cid
            })
        });
        let is_kept = is_in_all && pair.accept(&cid, &ring).await.is_ok() && pair.hang_up(&cid).await.is_ok();
        kept += usize::from(is_kept);
    }
    Ok((server, Storm { back_after, ready_after, live, kept }))
}

/// What protects the connections whose memory is measured.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Protection {
    None,
    Tls,
}

/// A server of its own, that has done nothing before: rings leave caches behind that no connection needs.
async fn memory(
    plan: &Plan,
    data: &Path,
    people: &[Person],
    protection: Protection,
    measured: &mut Measured,
) -> Result<()> {
    let server = Server::start(data, ANY_PORT, Cores::All).await?;
    let (network, name) = match protection {
        Protection::None => (Network::plain(&server.address), "without"),
        Protection::Tls => (Network::tls(&server.address, data)?, "with"),
    };
    let empty = machine::memory(server.pid)?;
    let mut devices = Vec::new();
    for crowd in plan.crowds.iter().filter(|crowd| crowd.has_memory) {
        say(&format!("   Bellbird: {} devices {name} TLS, idle", crowd.devices));
        gather(&network, &mut devices, &accounts(people, crowd.devices), *crowd, plan.connect).await?;
        sleep(plan.settle).await;
        let used = machine::memory(server.pid)?.saturating_sub(empty);
        let kept = match protection {
            Protection::None => &mut measured.memory_plain,
            Protection::Tls => &mut measured.memory_tls,
        };
        kept.insert(crowd.devices, used);
    }
    Ok(())
}

async fn pairs(network: &Rc<Network>, people: &[Person], count: usize, devices_each: usize) -> Result<Vec<Pair>> {
    let mut pairs = Vec::with_capacity(count);
    for two in people.chunks_exact(2).take(count) {
        pairs.push(Pair::connect(network, &two[0], &two[1], devices_each).await?);
    }
    Ok(pairs)
}

fn accounts(people: &[Person], count: usize) -> Vec<Account> {
    people.iter().flat_map(|person| &person.devices).take(count).cloned().collect()
}

/// Connects those of the accounts that are not yet, until the crowd is whole.
async fn gather(
    network: &Rc<Network>,
    devices: &mut Vec<Device>,
    accounts: &[Account],
    crowd: Crowd,
    most: Duration,
) -> Result<()> {
    let before = network.connected().saturating_sub(devices.len());
    let gathering = async {
        for account in accounts.iter().skip(devices.len()) {
            while before + devices.len() >= network.connected() + LANES {
                sleep(Duration::from_millis(1)).await;
            }
            devices.push(Device::connect(network, account.clone(), devices.len(), None));
        }
        while network.connected() < crowd.devices {
            sleep(Duration::from_millis(5)).await;
        }
    };
    if timeout(most, gathering).await.is_err() {
        let (there, lost) = (network.connected(), network.lost());
        bail!(
            "only {there} of {} devices were connected within {most:?} ({lost} connections were lost)",
            crowd.devices
        );
    }
    Ok(())
}
