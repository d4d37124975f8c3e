//! People of an operator's own product: a token of the product signs a device in, and where the server wants it, a fresh
//! one is fetched for every new access token.

use std::{fmt, future::Future, pin::Pin as Pinned, sync::Arc, time::Duration};

use tokio::time::timeout;
use wire::{Pin, ServerAddress, SignInByToken, SignedIn};

use crate::{account::Account, error::ClientError, http::Outside};

type Fetching = Pinned<Box<dyn Future<Output = Option<String>> + Send>>;

/// Fetches a fresh token of the product; asked when the server wants one, every quarter of an hour at most while all is
/// well. `None` says that the product gives none now: it is asked again at the next attempt. So does no answer within
/// 10 s; what the function had begun is dropped then.
#[derive(Clone)]
pub struct Refresh(Arc<dyn Fn() -> Fetching + Send + Sync>);

impl Refresh {
    /// By a function of the application.
    ///
    /// ```
    /// let refresh = call_client::Refresh::new(|| async {
    ///     // As the product's own interface says, here from a file that it keeps fresh.
    ///     std::fs::read_to_string("/run/product/user-token").ok()
    /// });
    /// ```
    pub fn new<F, T>(fetch: F) -> Self
    where
        F: Fn() -> T + Send + Sync + 'static,
        T: Future<Output = Option<String>> + Send + 'static,
    {
        Self(Arc::new(move || Box::pin(fetch())))
    }

    /// A product that does not answer in time gives none: this device is off the air for as long as it waits.
    pub(crate) async fn fetch(&self, within: Duration) -> Option<String> {
        timeout(within, (self.0)()).await.ok().flatten()
    }
}

impl fmt::Debug for Refresh {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Refresh")
    }
}

/// Signs this installation in with a token of the product, in place of an invite.
///
/// # Errors
/// When the server is not reachable, is not the one that is expected (pin), or refuses the token.
pub async fn sign_in_by_token(
    server: &ServerAddress,
    pin: Option<Pin>,
    user_token: String,
    device_name: String,
) -> Result<Account, ClientError> {
    let request = SignInByToken { user_token, device_name };
    let signed_in: SignedIn = Outside::expecting(server, pin)?.post("/v1/devices", &request, Duration::ZERO).await?;
    Ok(Account {
        server: server.clone(),
        pin,
        user: signed_in.me.id,
        name: signed_in.me.name,
        device: signed_in.device,
        refresh_secret: signed_in.refresh_secret,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_product_that_never_answers_gives_none() {
        let silent = Refresh::new(std::future::pending);
        assert_eq!(silent.fetch(Duration::from_millis(10)).await, None);
        let prompt = Refresh::new(|| async { Some("fresh".to_owned()) });
        assert_eq!(prompt.fetch(Duration::from_secs(10)).await.as_deref(), Some("fresh"));
    }
}
