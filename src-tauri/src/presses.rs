//! What is pressed on notifications, heard from before the first one is shown: `notify-rust` begins to listen to one only
//! after it is on the screen, and would not hear a press that is sooner than that.

use std::future::pending;

use futures_util::StreamExt as _;
use tokio::sync::{
    OnceCell,
    broadcast::{self, error::RecvError},
};
use zbus::{MatchRule, MessageStream, message::Type};

/// Presses that may wait for whoever shows a notification just now.
const WAITING: usize = 16;

/// A button: the notification's number, and the button's key.
type Press = (u32, String);

/// Every press on this desktop's notifications.
#[derive(Default)]
pub(crate) struct Presses {
    heard: OnceCell<broadcast::Sender<Press>>,
}

impl Presses {
    /// Presses from now on.
    pub(crate) async fn hear(&self) -> Heard {
        let heard = self.heard.get_or_try_init(async || {
            let (sender, _) = broadcast::channel(WAITING);
            tauri::async_runtime::spawn(follow(signals().await?, sender.clone()));
            zbus::Result::Ok(sender)
        });
        let heard = heard.await.inspect_err(|error| tracing::debug!(%error, "presses are heard later"));
        Heard(heard.ok().map(broadcast::Sender::subscribe))
    }
}

/// What is pressed after [`Presses::hear`] was asked.
pub(crate) struct Heard(Option<broadcast::Receiver<Press>>);

impl Heard {
    /// The key of the button that is pressed on this notification; never ends if none is.
    pub(crate) async fn on(&mut self, notification: u32) -> String {
        let Some(presses) = &mut self.0 else { return pending().await };
        loop {
            match presses.recv().await {
                Ok((pressed, key)) if pressed == notification => return key,
                Ok(_) | Err(RecvError::Lagged(_)) => {}
                Err(RecvError::Closed) => pending().await,
            }
        }
    }
}

async fn signals() -> zbus::Result<MessageStream> {
    let bus = zbus::Connection::session().await?;
    let rule = MatchRule::builder()
        .msg_type(Type::Signal)
        .interface("org.freedesktop.Notifications")?
        .member("ActionInvoked")?
        .build();
    MessageStream::for_match_rule(rule, &bus, None).await
}

async fn follow(mut signals: MessageStream, heard: broadcast::Sender<Press>) {
    while let Some(Ok(signal)) = signals.next().await {
        if let Ok(press) = signal.body().deserialize::<Press>() {
            // Nobody may be showing anything.
            _ = heard.send(press);
        }
    }
}
