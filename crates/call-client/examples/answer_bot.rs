//! Takes every call and plays a greeting: `cargo run -p call-client --example answer_bot -- INVITE GREETING.wav`.

use std::{env::args, error::Error};

use call_client::{CallView, Choice, Client, ClientError, Engine, EngineOptions, JoinOptions, SignInWish, sign_in};

/// Signs in, and answers one call after the other until the program ends.
pub(crate) async fn answer(invite: &str, engine: Engine) -> Result<(), Box<dyn Error>> {
    let account = sign_in(&invite.parse()?, SignInWish::named("Answer bot")).await?;
    let client = Client::start(account, Some(engine))?;
    let mut states = client.state();
    loop {
        let state = states.wait_for(|state| state.incoming().next().is_some()).await?.clone();
        let Some(cid) = state.incoming().next().map(|call| call.cid.clone()) else { continue };
        match client.join(cid.clone(), JoinOptions::default()).await {
            // Cancelled in the meantime, or the server is restarting: the state shows what comes of it.
            Ok(()) | Err(ClientError::Refused(_) | ClientError::Unreachable { .. }) => {}
            Err(error) => return Err(error.into()),
        }
        states.wait_for(|state| state.call(&cid).is_none_or(CallView::is_over)).await?;
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let (Some(invite), Some(wav)) = (args().nth(1), args().nth(2)) else { return Err("answer_bot INVITE WAV".into()) };
    let greeting = EngineOptions { microphone: Choice::File(wav.into()), ..EngineOptions::default() };
    answer(&invite, Engine::start(greeting)?).await
}
