//! Two people, of whom one rings the other: a whole ring, step by step, with the time of each step.

use std::{
    collections::BTreeSet,
    rc::Rc,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result};
use tokio::{sync::mpsc, time::timeout};
use wire::{
    CallData, CallId, CallState, ClientMessage, Custom, Event, GetOrCreate, GetOrCreated, Join, Joined, MemberData,
    Outcome, RingId, ServerMessage, Snapshot,
};

use crate::{
    api::Api,
    clock::now,
    device::{Device, Heard, Network},
    measure::Rings,
    people::Person,
};

/// An event that takes longer is lost.
const LOST_AFTER: Duration = Duration::from_secs(10);
/// What a pair may not have looked at yet.
const UNREAD: usize = 1024;

/// A caller and a callee with all their devices, and an open HTTP connection each.
pub(crate) struct Pair {
    caller: Side,
    callee: Side,
    heard: mpsc::Receiver<Heard>,
    rings: u64,
}

struct Side {
    person: Person,
    api: Api,
    /// Numbers of the devices, as in what is heard.
    numbers: BTreeSet<usize>,
    devices: Vec<Device>,
}

/// How long the steps of one ring took.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Steps {
    /// The ring's request leaves the caller → the event is at the last of the callee's devices.
    pub(crate) ring: Duration,
    /// The accept's request leaves the callee's device → the event is at all other devices of both.
    pub(crate) accept: Duration,
    /// The hang-up's request leaves → the event is at all devices of both.
    pub(crate) end: Duration,
}

impl Pair {
    /// Connects both; they are ready when all their devices have a snapshot.
    pub(crate) async fn connect(
        network: &Rc<Network>,
        caller: &Person,
        callee: &Person,
        devices_each: usize,
    ) -> Result<Self> {
        let (sender, heard) = mpsc::channel(UNREAD);
        let mut number = 0;
        let mut sides = Vec::new();
        for person in [caller, callee] {
            let mut side = Side {
                person: person.clone(),
                api: Api::connect(&network.address).await?,
                numbers: BTreeSet::new(),
                devices: Vec::new(),
            };
            for account in person.devices.iter().take(devices_each) {
                side.numbers.insert(number);
                side.devices.push(Device::connect(network, account.clone(), number, Some(sender.clone())));
                number += 1;
            }
            sides.push(side);
        }
        let (Some(callee), Some(caller)) = (sides.pop(), sides.pop()) else { unreachable!("two sides were made") };
        let mut pair = Self { caller, callee, heard, rings: 0 };
        let everybody = pair.both();
        pair.snapshots(&everybody, LOST_AFTER).await?;
        Ok(pair)
    }

    fn both(&self) -> BTreeSet<usize> {
        self.caller.numbers.union(&self.callee.numbers).copied().collect()
    }

    /// Starts a ring on a call of its own.
    pub(crate) async fn start(&mut self) -> Result<(CallId, RingId)> {
        self.rings += 1;
        let caller = &self.caller.person;
        let cid = CallId::new("default", &format!("{}-{}", caller.devices[0].device, self.rings))?;
        let member = MemberData { user: self.callee.person.user.clone(), role: None, custom: Custom::new() };
        let data = CallData { members: vec![member], ..CallData::default() };
        let request = GetOrCreate { ring: true, data, ..GetOrCreate::default() };
        let token = Some(caller.devices[0].token.as_str());
        let answer: GetOrCreated = self.caller.api.post(&path(&cid, ""), token, &request).await?;
        let ring = answer.state.ring.context("a ring was wanted and none was made")?;
        Ok((cid, ring.id))
    }

    /// The callee's first device alerts; all of the caller's learn of it.
    async fn alert(&mut self, cid: &CallId, ring: &RingId) -> Result<()> {
        self.callee.devices[0].send(ClientMessage::Alerted { cid: cid.clone(), ring: ring.clone() }).await?;
        let callers = self.caller.numbers.clone();
        self.all_see(cid, &callers, |state| state.ring.as_ref().is_some_and(|ring| ring.targets[0].alerted)).await?;
        Ok(())
    }

    /// The callee's first device accepts; answers when the last of all others knew.
    pub(crate) async fn accept(&mut self, cid: &CallId, ring: &RingId) -> Result<Instant> {
        let token = Some(self.callee.person.devices[0].token.as_str());
        let join = Join { create: false, ring: Some(ring.clone()), ..Join::default() };
        let _joined: Joined = self.callee.api.post(&path(cid, "/join"), token, &join).await?;
        let mut others = self.both();
        others.retain(|number| Some(number) != self.callee.numbers.first());
        self.all_see(cid, &others, |state| outcome(state) == Some(Outcome::Accepted)).await
    }

    /// The callee hangs up, which ends a call of two for both.
    pub(crate) async fn hang_up(&mut self, cid: &CallId) -> Result<Instant> {
        let token = Some(self.callee.person.devices[0].token.as_str());
        let _left: serde::de::IgnoredAny =
            self.callee.api.post(&path(cid, "/leave"), token, &serde_json::json!({})).await?;
        let both = self.both();
        let is_over = |state: &CallState| state.call.session.is_none() && outcome(state) == Some(Outcome::Accepted);
        self.all_see(cid, &both, is_over).await
    }

    /// Waits until all these devices have a state of the call that fits; answers when the last of them had it.
    async fn all_see(
        &mut self,
        cid: &CallId,
        devices: &BTreeSet<usize>,
        fits: impl Fn(&CallState) -> bool,
    ) -> Result<Instant> {
        let mut missing = devices.clone();
        let mut last = now();
        while !missing.is_empty() {
            let heard = self.next(LOST_AFTER).await?;
            let ServerMessage::Event { event: Event::Call { state }, .. } = serde_json::from_str(&heard.text)? else {
                continue;
            };
            if state.call.cid == *cid && fits(&state) && missing.remove(&heard.device) {
                last = heard.at;
            }
        }
        Ok(last)
    }

    /// The next snapshots of all these devices.
    async fn snapshots(&mut self, devices: &BTreeSet<usize>, most: Duration) -> Result<Vec<Snapshot>> {
        let mut missing = devices.clone();
        let mut snapshots = Vec::new();
        while !missing.is_empty() {
            let heard = self.next(most).await?;
            if let ServerMessage::Snapshot(snapshot) = serde_json::from_str(&heard.text)?
                && missing.remove(&heard.device)
            {
                snapshots.push(snapshot);
            }
        }
        Ok(snapshots)
    }

    /// After a restart of the server: the snapshots of everybody, and new HTTP connections.
    pub(crate) async fn come_back(&mut self, address: &str, most: Duration) -> Result<Vec<Snapshot>> {
        let everybody = self.both();
        let snapshots = self.snapshots(&everybody, most).await?;
        for side in [&mut self.caller, &mut self.callee] {
            side.api = Api::connect(address).await?;
        }
        Ok(snapshots)
    }

    async fn next(&mut self, most: Duration) -> Result<Heard> {
        let heard = timeout(most, self.heard.recv()).await.with_context(|| format!("nothing came within {most:?}"))?;
        heard.context("the devices are gone")
    }
}

impl Rings for Pair {
    /// Rings, alerts, accepts and hangs up, each seen by every device it concerns before the next.
    async fn ring(&mut self) -> Result<Steps> {
        let begun = now();
        let (cid, ring) = self.start().await?;
        let callees = self.callee.numbers.clone();
        let rang = self.all_see(&cid, &callees, |state| outcome(state) == Some(Outcome::Ringing)).await?;
        self.alert(&cid, &ring).await?;
        let accepting = now();
        let accepted = self.accept(&cid, &ring).await?;
        let ending = now();
        let ended = self.hang_up(&cid).await?;
        Ok(Steps { ring: rang - begun, accept: accepted - accepting, end: ended - ending })
    }
}

fn outcome(state: &CallState) -> Option<Outcome> {
    Some(state.ring.as_ref()?.targets.first()?.outcome)
}

fn path(cid: &CallId, action: &str) -> String {
    format!("/v1/calls/{}/{}{action}", cid.call_type(), cid.id())
}
