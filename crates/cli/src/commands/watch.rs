//! `bellbird watch`: a line for every change of every call, until it is interrupted.

use std::collections::BTreeSet;

use clap::Args;
use wire::RingId;

use super::answer::ringing;
use crate::{
    Context,
    exit::{Exit, Failure},
    phone::{Phone, Waited},
};

/// Print every change of every call. A watching device counts as alerted: the caller sees "Ringing…".
#[derive(Args)]
pub(crate) struct Watch {}

impl Watch {
    pub(crate) async fn run(self, context: &Context) -> Result<Exit, Failure> {
        let mut phone = Phone::connect(context, None).await?;
        let watched = watch(&mut phone).await;
        phone.hang_up().await;
        watched.map(|()| Exit::Done)
    }
}

async fn watch(phone: &mut Phone) -> Result<(), Failure> {
    let mut alerted: BTreeSet<RingId> = BTreeSet::new();
    let mut waited = phone.look()?;
    loop {
        let Waited::Changed(state) = waited else { return Ok(()) };
        let rings = || ringing(&state).filter_map(|call| call.ring.as_ref().map(|ring| (&call.cid, &ring.id)));
        for (cid, ring) in rings() {
            if !alerted.contains(ring) {
                phone.client.alerted(cid.clone()).await?;
            }
        }
        alerted = rings().map(|(_, ring)| ring.clone()).collect();
        waited = phone.next().await?;
    }
}
