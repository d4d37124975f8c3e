//! `bellbird end`: a call is over for everyone.

use clap::Args;
use wire::CallId;

use super::reject::told;
use crate::{
    Context,
    exit::{Exit, Failure},
};

/// End a call for everyone.
#[derive(Args)]
pub(crate) struct End {
    /// The call.
    #[arg(value_name = "TYPE:ID")]
    call: CallId,
}

impl End {
    pub(crate) async fn run(self, context: &Context) -> Result<Exit, Failure> {
        context.profile.rest()?.end(&self.call).await?;
        told(context, "ended", &self.call)
    }
}
