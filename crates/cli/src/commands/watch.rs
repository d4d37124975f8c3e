//! `bellbird watch`: a line for every change of every call, until it is interrupted.

use clap::Args;

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
    let mut waited = phone.look().await?;
    while let Waited::Changed(_) = waited {
        waited = phone.next().await?;
    }
    Ok(())
}
