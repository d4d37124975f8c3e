//! The kills, and what must be true after them.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use anyhow::{Context as _, Result};
use call_client::{Account, CallingState, Connection, Rest, SignInWish, sign_in};
use harness::{ServerProcess, eventually, service::User};
use rand::{Rng as _, SeedableRng as _, rngs::StdRng};
use tokio::{sync::watch, task::JoinSet, time::timeout};
use wire::{CreateInvite, HistoryEntry, HistoryOutcome, Invite, Outcome, UserId};

use super::{
    lanes::{Promises, hurry},
    people,
    witness::Witness,
};

/// So many ring, and as many are rung.
const PAIRS: usize = 4;
/// So many pairs besides have no device and never wait.
const LANES: usize = 4;
/// Of so many kills at least one ring that nobody answered has come to its deadline.
const SOME: u64 = 20;
/// Enough for people who do nothing else than ring.
pub(super) const LIMITS: [&str; 2] = ["--limits-factor", "1000"];

#[tokio::test]
async fn killed_five_times_under_load_it_forgets_nothing_and_rings_nobody_twice() -> Result<()> {
    kills(variable("KILLS").unwrap_or(5)).await
}

#[tokio::test]
#[ignore = "for the bench: a hundred kills"]
async fn a_hundred_kills() -> Result<()> {
    kills(variable("KILLS").unwrap_or(100)).await
}

async fn kills(count: u64) -> Result<()> {
    let seed = variable("SEED").unwrap_or_else(rand::random);
    eprintln!("again: cargo build -p bellbird && SEED={seed} KILLS={count} cargo test -p bellbird-tests --test crash");
    let mut random = StdRng::seed_from_u64(seed);
    let folder = tempfile::tempdir()?;
    let mut server = ServerProcess::start_with(folder.path(), "127.0.0.1:0", &LIMITS).await?;
    let address = server.address().to_owned();
    let users = Arc::new(everybody(&server).await?);
    let witness = Arc::new(Witness::default());
    let (stopper, stop) = watch::channel(false);
    let mut tasks = JoinSet::new();
    for index in 0..users.len() {
        let (users, witness) = (Arc::clone(&users), Arc::clone(&witness));
        tasks.spawn(async move { witness.watch(&users[index]).await });
    }
    let mut load = JoinSet::new();
    for pair in 0..PAIRS {
        let (ann, ben) = (2 * pair, 2 * pair + 1);
        let (all, random_of_ann, stop_of_ann) = (Arc::clone(&users), fork(&mut random), stop.clone());
        load.spawn(async move { people::calls(&all[ann], &all[ben], random_of_ann, stop_of_ann).await });
        let (all, random_of_ben, stop_of_ben) = (Arc::clone(&users), fork(&mut random), stop.clone());
        load.spawn(async move { people::answers(&all[ben], random_of_ben, stop_of_ben).await });
    }
    let mut lanes = Vec::new();
    for _ in 0..LANES {
        let (caller, callee) = (lane(&users[0]).await?, lane(&users[0]).await?);
        let (lane, ben) = (Arc::new(Promises::to(Rest::new(caller)?)), Rest::new(callee.clone())?);
        lanes.push(Arc::clone(&lane));
        let (random, stop) = (fork(&mut random), stop.clone());
        load.spawn(async move { hurry(&lane, &ben, &callee.user, random, stop).await });
    }
    let mut kept = 0;
    for kill in 1..=count {
        tokio::time::sleep(Duration::from_millis(random.random_range(200..2_000))).await;
        server.kill().await?;
        let killed = std::time::Instant::now();
        let promised: Vec<_> = lanes.iter().map(|lane| lane.of_the_last_moments()).collect();
        for user in users.iter() {
            user.sees("the loss", |state| state.connection != Connection::Online).await?;
        }
        tokio::time::sleep(Duration::from_millis(random.random_range(0..800))).await;
        if random.random_bool(0.33) {
            // Killed again on its way up, or while the first devices return.
            let wait = Duration::from_millis(random.random_range(0..500));
            match timeout(wait, ServerProcess::start_with(folder.path(), &address, &LIMITS)).await {
                Ok(started) => started?.kill().await?,
                Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
            }
        }
        server = ServerProcess::start_with(folder.path(), &address, &LIMITS)
            .await
            .with_context(|| format!("start {kill}"))?;
        for user in users.iter() {
            user.sees("the server again", |state| state.connection == Connection::Online).await?;
        }
        eprintln!("kill {kill}: everybody is back after {:.1} s", killed.elapsed().as_secs_f32());
        witness.is_content().with_context(|| format!("after kill {kill}"))?;
        for (lane, promised) in lanes.iter().zip(&promised) {
            kept += lane.are_kept(promised).await.with_context(|| format!("after kill {kill}"))?;
        }
    }
    _ = stopper.send(true);
    while let Some(done) = load.join_next().await {
        done??;
    }
    is_quiet(&users).await?;
    witness.is_content()?;
    let (rings, timed_out) = nothing_is_lost(&witness, &users).await?;
    eprintln!(
        "{count} kills, {rings} rings that somebody was shown ({timed_out} of them until the deadline), {kept} promises kept"
    );
    anyhow::ensure!(rings as u64 > 3 * count, "only {rings} rings: there was no load");
    anyhow::ensure!(kept as u64 > 20 * count, "only {kept} promises: there was no load");
    anyhow::ensure!(timed_out > 0 || count < SOME, "no ring has come to its deadline");
    Ok(())
}

/// Somebody without a device that shows anything.
async fn lane(inviter: &User) -> Result<Account> {
    let link = inviter.client.server().create_invite(&CreateInvite::default()).await?.link;
    let wish = SignInWish { user_id: None, name: "lane".to_owned(), device_name: "test".to_owned() };
    Ok(sign_in(&link.parse::<Invite>()?, wish).await?)
}

/// What was told is stored; what was missed is in the history, once.
async fn nothing_is_lost(witness: &Witness, users: &[User]) -> Result<(usize, usize)> {
    let (rings, mut timed_out) = (witness.rings(), 0);
    let user = |id: &UserId| users.iter().find(|user| user.account.user == *id).context("an unknown person");
    let mut histories = BTreeMap::new();
    for user in users {
        histories.insert(&user.account.user, whole_history(user).await?);
    }
    for (id, told) in &rings {
        let caller = user(told.caller.as_ref().context("a ring without a caller")?)?;
        let stored = caller.client.server().read(&told.cid).await?.ring.with_context(|| format!("{id} is lost"))?;
        anyhow::ensure!(stored.id == *id, "{} has taken the place of {id} in {}", stored.id, told.cid);
        for target in &stored.targets {
            anyhow::ensure!(target.outcome != Outcome::Ringing, "{id} rings {} for ever", target.user);
            timed_out += usize::from(target.outcome == Outcome::Missed);
            if let Some(outcome) = told.outcomes.get(&target.user) {
                let is = target.outcome;
                anyhow::ensure!(is == *outcome, "{id}: {} was told {outcome:?} and {is:?} is stored", target.user);
            }
            let history = histories.get(&target.user).into_iter().flatten();
            // Who comes into the call later, by himself, has a line more.
            let lines: Vec<_> = history.filter(|line| line.cid == told.cid).collect();
            let missed = lines.iter().filter(|line| line.outcome == HistoryOutcome::Missed).count();
            let must_be = matches!(target.outcome, Outcome::Missed | Outcome::Cancelled | Outcome::Busy);
            anyhow::ensure!(
                !lines.is_empty() && missed == usize::from(must_be),
                "{id}: {target:?}, and the history says {lines:#?}"
            );
        }
    }
    Ok((rings.len(), timed_out))
}

async fn whole_history(user: &User) -> Result<Vec<HistoryEntry>> {
    let (mut lines, mut before) = (Vec::new(), None);
    loop {
        let page = user.client.server().history(before, 100).await?;
        lines.extend(page.entries);
        before = page.next;
        if before.is_none() {
            return Ok(lines);
        }
    }
}

/// Nobody does anything any more: in time nothing rings and nobody is in a call.
async fn is_quiet(users: &[User]) -> Result<()> {
    let is_over = |state| matches!(state, CallingState::Left | CallingState::Ended | CallingState::Idle);
    let busy = || async {
        let calls = users.iter().flat_map(|user| user.state().calls.clone());
        Ok(calls.filter(|call| !is_over(call.state.calling_state)).collect::<Vec<_>>())
    };
    eventually("nothing rings and nobody is in", busy, |busy| busy.is_empty()).await.map(|_| ())
}

/// Pairs of people, each connected with one device.
pub(super) async fn everybody(server: &ServerProcess) -> Result<Vec<User>> {
    let invite: Invite = server.invite.as_deref().context("a new server has an invite")?.parse()?;
    let wish = |name: &str| SignInWish { user_id: None, name: name.to_owned(), device_name: "test".to_owned() };
    let admin = Rest::new(sign_in(&invite, wish("admin")).await?)?;
    let mut users = Vec::new();
    for pair in 0..PAIRS {
        for name in ["ann", "ben"] {
            let link = admin.create_invite(&CreateInvite::default()).await?.link;
            let account = sign_in(&link.parse::<Invite>()?, wish(&format!("{name}{pair}"))).await?;
            users.push(User::connect(account).await?);
        }
    }
    Ok(users)
}

fn fork(random: &mut StdRng) -> StdRng {
    StdRng::seed_from_u64(random.random())
}

fn variable(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().expect("a number"))
}
