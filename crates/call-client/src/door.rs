//! Ways in without a link: by a code that was read aloud, or by an admin's yes.

use std::time::Duration;

use wire::{
    Ask, AskOutcome, Asked, Code, ErrorBody, Invite, InviteCode, InviteProof, Pin, ProveInvite, ServerAddress,
    ShowNumber, Shown, commitment, comparison_code,
};

use crate::{error::ClientError, http::Outside};

/// How long the server may take for an outcome beside the usual.
const OUTCOME_WAIT: Duration = Duration::from_secs(25);
/// Between two attempts to hear the outcome while the server is away.
const PAUSE: Duration = Duration::from_secs(1);

/// Makes a code that was read aloud into the invite it stands for, by asking a server whether it made it. The code
/// is not told: whoever answers in the server's place can neither use it nor be taken for the server.
///
/// # Errors
/// When the server is not reachable or knows no such code.
pub async fn invite_by_code(code: &InviteCode, server: &ServerAddress) -> Result<Invite, ClientError> {
    let (outside, shown) = Outside::whoever(server)?;
    let question = ProveInvite::about(code, rand::random());
    let proof: InviteProof = outside.post("/v1/invites/prove", &question, Duration::ZERO).await?;
    let seen = shown.pin();
    if !question.is_answered_by(&proof, code, seen.as_ref()) {
        return Err(ClientError::WrongServer);
    }
    match (seen, proof.issued_for) {
        // The name that the certificate was issued for is the one to keep.
        (Some(_), Some(name)) => {
            let unreadable = |error: wire::InviteError| ClientError::Unreadable { why: error.to_string() };
            Ok(Invite { server: name.parse().map_err(unreadable)?, code: code.clone(), pin: None })
        }
        (pin, _) => Ok(Invite { server: server.clone(), code: code.clone(), pin }),
    }
}

/// A question to be let in that waits for an admin's answer. Dropping it takes it back: nobody can use a yes any more.
#[derive(Debug)]
pub struct Asking {
    outside: Outside,
    server: ServerAddress,
    asked: Asked,
    number: ShowNumber,
    certificate: Option<Pin>,
    expires_in: Duration,
}

/// How a question to be let in ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Admission {
    /// An admin said yes: [`sign_in`](crate::sign_in) with this.
    Admitted(Invite),
    /// An admin said no.
    Refused,
    /// Nobody answered in time.
    Over,
}

impl Asking {
    /// Asks a server to let this device in.
    ///
    /// # Errors
    /// When it is not reachable, or too many ask already.
    pub async fn begin(server: &ServerAddress, name: &str, device_name: &str) -> Result<Self, ClientError> {
        let (outside, shown) = Outside::whoever(server)?;
        let number = ShowNumber { nonce: rand::random() };
        let commitment = commitment(&number.nonce);
        let ask = Ask { name: name.to_owned(), device_name: device_name.to_owned(), commitment };
        let asked: Asked = outside.post("/v1/asks", &ask, Duration::ZERO).await?;
        let waits: Shown = outside.post(&format!("/v1/asks/{}/show", asked.id), &number, Duration::ZERO).await?;
        let expires_in = Duration::from_millis(u64::from(waits.expires_in_ms));
        Ok(Self { outside, server: server.clone(), asked, number, certificate: shown.pin(), expires_in })
    }

    /// What this screen and the admin's show; if they differ, somebody is in between, and the admin must say no.
    #[must_use]
    pub fn code(&self) -> String {
        comparison_code(self.certificate.as_ref(), &self.number.nonce, &self.asked.nonce)
    }

    /// How long an admin may take.
    #[must_use]
    pub fn expires_in(&self) -> Duration {
        self.expires_in
    }

    /// Waits for the answer. May be dropped and called again.
    ///
    /// # Errors
    /// When the server's answer makes no sense, or it refuses; one that is away for a moment is waited for.
    pub async fn outcome(&self) -> Result<Admission, ClientError> {
        let path = format!("/v1/asks/{}/outcome", self.asked.id);
        let answered = async {
            loop {
                match self.outside.post(&path, &self.number, OUTCOME_WAIT).await {
                    Ok(AskOutcome::Waiting) => {}
                    Ok(AskOutcome::Admitted { invite }) => return self.admitted(&invite).map(Admission::Admitted),
                    Ok(AskOutcome::Refused) => return Ok(Admission::Refused),
                    Ok(AskOutcome::Over) => return Ok(Admission::Over),
                    Err(error) => match error.retry_after() {
                        Some(wait) => tokio::time::sleep(wait.max(PAUSE)).await,
                        None => return Err(error),
                    },
                }
            }
        };
        tokio::time::timeout(self.expires_in + OUTCOME_WAIT, answered).await.unwrap_or(Ok(Admission::Over))
    }

    /// The invite, at the address this device has reached.
    fn admitted(&self, link: &str) -> Result<Invite, ClientError> {
        let invite: Invite = link.parse().map_err(|error: wire::InviteError| {
            ClientError::Refused(ErrorBody::new(Code::Internal, format!("the server's invite cannot be read: {error}")))
        })?;
        // The name a certificate was issued for is the one to keep; otherwise what has answered here answers again.
        match self.certificate {
            Some(_) if invite.pin.is_none() => Ok(invite),
            pin => Ok(Invite { server: self.server.clone(), code: invite.code, pin }),
        }
    }
}
