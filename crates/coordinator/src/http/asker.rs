//! Who asks, known before a handler runs: a device by its access token, or a program by its API key.

use std::collections::BTreeSet;

use axum::{
    extract::{FromRequestParts, MatchedPath, Path},
    http::{HeaderMap, HeaderValue, request::Parts},
};
use wire::{CallId, Code, ErrorBody, ON_BEHALF_OF, Role, Scope, UserId};

use super::{App, Refusal};
use crate::{
    access::not_signed_in,
    hub::{Authority, Caller, unix_now},
    programs::{Keys, is_own_matter, scopes_of, unknown_key},
    store::{PersonKind, StoredPerson},
    visitors::Visit,
};

const ADMINS_ONLY: &str = "only an admin may do this: ask one";

/// Who asks.
#[derive(Clone)]
pub(crate) struct SignedIn {
    pub(crate) who: Caller,
    pub(crate) by: By,
}

impl SignedIn {
    /// A request takes a while to come in: what it shows may have been taken back since, and whom a program acts for may
    /// have become somebody it may not act for.
    pub(crate) async fn is_still_good(&self, app: &App) -> Result<(), ErrorBody> {
        let is_good = match &self.by {
            By::Device => !app.signed_out.has(&self.who.device),
            By::Program { .. } => app.keys.is_good(self.who.device.as_str(), unix_now()),
        };
        if !is_good {
            return Err(self.is_gone());
        }
        match &self.by {
            By::Program { acts: ActsAs::SomebodyElse, .. } => {
                let person = app.store.person(&self.who.user).await.map_err(ErrorBody::from)?;
                person.filter(may_be_acted_for).map(|_| ()).ok_or_else(nobody_to_act_for)
            }
            By::Program { acts: ActsAs::Itself, .. } | By::Device => Ok(()),
        }
    }

    /// What is said to whom the server knows no more.
    pub(crate) fn is_gone(&self) -> ErrorBody {
        match &self.by {
            By::Device => not_signed_in(),
            By::Program { .. } => unknown_key(),
        }
    }

    /// What somebody may do on the whole server, as it is stored now: a token says what it was when it was made.
    pub(crate) async fn role(&self, app: &App) -> Result<Role, ErrorBody> {
        self.is_still_good(app).await?;
        let role = app.store.role(&self.who.user).await.map_err(ErrorBody::from)?.ok_or_else(not_signed_in)?;
        match &self.by {
            // He became one just now.
            By::Program { acts: ActsAs::SomebodyElse, .. } if role == Role::Admin => Err(nobody_to_act_for()),
            By::Program { .. } | By::Device => Ok(role),
        }
    }

    /// Only admins get on.
    pub(crate) async fn is_admin(&self, app: &App) -> Result<(), ErrorBody> {
        match self.role(app).await? {
            Role::Admin => Ok(()),
            Role::User | Role::Guest => Err(ErrorBody::new(Code::PermissionDenied, ADMINS_ONLY)),
        }
    }
}

/// By which right somebody asks.
#[derive(Debug, Clone)]
pub(crate) enum By {
    /// A person's own device.
    Device,
    /// A program, as its own person or for another one.
    Program { scopes: BTreeSet<Scope>, acts: ActsAs },
}

/// As whom a program asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ActsAs {
    Itself,
    SomebodyElse,
}

impl By {
    /// A device may do whatever its person may; a program needs the scope besides.
    pub(crate) fn needs(&self, scope: Scope) -> Result<(), ErrorBody> {
        match self {
            Self::Program { scopes, .. } if !scopes.contains(&scope) => Err(lacks(&[scope])),
            Self::Device | Self::Program { .. } => Ok(()),
        }
    }

    /// Who rings: a program that rings for somebody rings from a device of his, which comes in at the first answer.
    pub(super) fn ringing(&self, authority: &Authority, who: Caller, cid: &CallId) -> Result<Caller, ErrorBody> {
        match self {
            Self::Program { acts: ActsAs::SomebodyElse, .. } => {
                Ok(Caller { device: authority.device_for(&who.user, cid)?, user: who.user })
            }
            Self::Program { acts: ActsAs::Itself, .. } | Self::Device => Ok(who),
        }
    }
}

impl FromRequestParts<App> for SignedIn {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Refusal> {
        let header = single(&parts.headers, "authorization");
        let header = header.map_err(|twice| ErrorBody::new(Code::Unauthenticated, twice.message))?;
        let token = header.and_then(|value| value.to_str().ok()).and_then(bearer).ok_or_else(not_signed_in)?;
        let asker = if Keys::is_key(token) { program(app, token, parts).await? } else { device(app, token)? };
        if let Some(visit) = parts.extensions.get::<Visit>() {
            visit.is_known();
        }
        // Whoever reads the body looks once more when it has come.
        parts.extensions.insert(asker.clone());
        Ok(asker)
    }
}

/// The token of an `Authorization` header; the scheme is not case-sensitive (RFC 9110, section 11.1).
fn bearer(header: &str) -> Option<&str> {
    let (scheme, token) = header.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim_start())
}

fn device(app: &App, token: &str) -> Result<SignedIn, ErrorBody> {
    let claims = app.tokens.check(token, unix_now())?;
    if app.signed_out.has(&claims.device) {
        return Err(not_signed_in());
    }
    Ok(SignedIn { who: Caller { user: claims.sub, device: claims.device }, by: By::Device })
}

async fn program(app: &App, token: &str, parts: &Parts) -> Result<SignedIn, ErrorBody> {
    let now = unix_now();
    let key = app.keys.check(token, now)?;
    let path = parts.extensions.get::<MatchedPath>().map_or("", MatchedPath::as_str);
    let wanted = scopes_of(&parts.method, path);
    if wanted.is_empty() {
        let message = "this is for devices, not for programs: no API key opens it";
        return Err(ErrorBody::new(Code::PermissionDenied, message));
    }
    if !wanted.iter().any(|scope| key.scopes.contains(scope)) {
        return Err(lacks(wanted));
    }
    if key.is_news
        && let Err(error) = app.store.key_was_used(&key.id, now).await
    {
        // Worth a line, and no refusal: what is asked for may need no disk.
        tracing::warn!(key = %key.id, %error, "it is not written down that an API key was used");
    }
    // A program has no devices: its key stands in the place of one.
    let device = key.id.as_str().parse().map_err(|_| not_signed_in())?;
    let (person, acts) = match acted_for(&parts.headers)? {
        None => (app.store.person(&key.person).await.map_err(ErrorBody::from)?, ActsAs::Itself),
        Some(_) if is_own_matter(wanted) => {
            let message = "this is the program's own matter: leave the header out";
            return Err(ErrorBody::invalid(ON_BEHALF_OF, message));
        }
        Some(user) => {
            if !key.scopes.contains(&Scope::OnBehalf) {
                return Err(lacks(&[Scope::OnBehalf]));
            }
            (app.store.person(&user).await.map_err(ErrorBody::from)?.filter(may_be_acted_for), ActsAs::SomebodyElse)
        }
    };
    let person = person.ok_or_else(nobody_to_act_for)?;
    let who = Caller { user: person.id, device };
    Ok(SignedIn { who, by: By::Program { scopes: key.scopes, acts } })
}

/// Who acts for an admin could make himself one.
fn may_be_acted_for(person: &StoredPerson) -> bool {
    person.role != Role::Admin && person.kind == PersonKind::Human
}

fn nobody_to_act_for() -> ErrorBody {
    ErrorBody::invalid(ON_BEHALF_OF, "there is nobody of this id whom a program may act for; admins it may not")
}

pub(super) fn acted_for(headers: &HeaderMap) -> Result<Option<UserId>, ErrorBody> {
    let Some(value) = single(headers, ON_BEHALF_OF)? else { return Ok(None) };
    let user = value.to_str().ok().and_then(|text| text.parse().ok());
    user.map(Some).ok_or_else(|| ErrorBody::invalid(ON_BEHALF_OF, "this header must hold a person's id"))
}

/// The one header of this name: of two, others on the way may go by the other.
pub(super) fn single<'a>(headers: &'a HeaderMap, name: &str) -> Result<Option<&'a HeaderValue>, ErrorBody> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (value, None) => Ok(value),
        (_, Some(_)) => Err(ErrorBody::invalid(name, format!("the header {name} came more than once: send it once"))),
    }
}

fn lacks(scopes: &[Scope]) -> ErrorBody {
    let names: Vec<&str> = scopes.iter().map(|scope| scope.as_str()).collect();
    let message = format!("this API key lacks the scope ({}): ask an admin for another key", names.join(" or "));
    ErrorBody::new(Code::PermissionDenied, message)
}

/// Who asks, and the call he asks about.
pub(crate) struct OnCall {
    pub(crate) who: Caller,
    pub(crate) by: By,
    pub(crate) cid: CallId,
}

impl FromRequestParts<App> for OnCall {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Refusal> {
        let SignedIn { who, by } = SignedIn::from_request_parts(parts, app).await?;
        let invalid = |error: &dyn std::fmt::Display| Refusal::from(ErrorBody::invalid("id", error.to_string()));
        let path = Path::<(String, String)>::from_request_parts(parts, app).await.map_err(|error| invalid(&error))?;
        let cid = CallId::new(&path.0.0, &path.0.1).map_err(|error| invalid(&error))?;
        Ok(Self { who, by, cid })
    }
}
