//! API keys: what a program shows, known by its hash.

use std::{
    collections::{BTreeSet, HashMap},
    sync::{PoisonError, RwLock},
};

use wire::{ApiKeyEntry, ApiKeyId, Code, ErrorBody, Scope, UnixMillis, UserId};

use crate::access;

/// Bearer tokens that begin with this are API keys.
const PREFIX: &str = "bbk_";
/// How exactly it is known when a key was used last, in milliseconds.
const USED: i64 = 60_000;

/// A key as stored.
#[derive(Debug, Clone)]
pub(crate) struct StoredKey {
    pub(crate) id: ApiKeyId,
    pub(crate) name: String,
    /// The program's own person.
    pub(crate) person: UserId,
    pub(crate) secret_hash: Vec<u8>,
    pub(crate) scopes: BTreeSet<Scope>,
    pub(crate) created_at: UnixMillis,
    pub(crate) expires_at: Option<UnixMillis>,
    pub(crate) last_used_at: Option<UnixMillis>,
}

/// A key that was shown and is good.
#[derive(Debug, Clone)]
pub(crate) struct Shown {
    pub(crate) id: ApiKeyId,
    pub(crate) person: UserId,
    pub(crate) scopes: BTreeSet<Scope>,
    /// That it was used is worth writing down.
    pub(crate) is_news: bool,
}

/// Every key of the server, asked at every request of a program, without the database.
#[derive(Debug)]
pub(crate) struct Keys {
    known: RwLock<HashMap<ApiKeyId, StoredKey>>,
}

impl StoredKey {
    fn is_too_old(&self, now: UnixMillis) -> bool {
        self.expires_at.is_some_and(|at| at <= now)
    }

    pub(crate) fn entry(&self) -> ApiKeyEntry {
        ApiKeyEntry {
            id: self.id.clone(),
            name: self.name.clone(),
            user: self.person.clone(),
            scopes: self.scopes.clone(),
            created_at: self.created_at,
            expires_at: self.expires_at,
            last_used_at: self.last_used_at,
        }
    }
}

impl Keys {
    pub(crate) fn new(keys: Vec<StoredKey>) -> Self {
        Self { known: RwLock::new(keys.into_iter().map(|key| (key.id.clone(), key)).collect()) }
    }

    /// The text of a new key, and what is stored of its secret.
    pub(crate) fn make(id: &ApiKeyId) -> (String, Vec<u8>) {
        let secret = access::fresh_secret();
        let hash = access::hash(&secret);
        (format!("{PREFIX}{id}_{secret}"), hash)
    }

    /// Whether a bearer token is (or wants to be) a key.
    pub(crate) fn is_key(token: &str) -> bool {
        token.starts_with(PREFIX)
    }

    pub(crate) fn check(&self, token: &str, now: UnixMillis) -> Result<Shown, ErrorBody> {
        let (id, secret) = token.strip_prefix(PREFIX).and_then(|rest| rest.split_once('_')).ok_or_else(unknown_key)?;
        let id: ApiKeyId = id.parse().map_err(|_| unknown_key())?;
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        let key = known.get_mut(&id).filter(|key| key.secret_hash == access::hash(secret)).ok_or_else(unknown_key)?;
        if key.is_too_old(now) {
            let message = "this API key is too old: ask an admin for a new one";
            return Err(ErrorBody::new(Code::Unauthenticated, message));
        }
        let is_news = key.last_used_at.is_none_or(|at| now.0 - at.0 >= USED);
        if is_news {
            key.last_used_at = Some(now);
        }
        Ok(Shown { id, person: key.person.clone(), scopes: key.scopes.clone(), is_news })
    }

    /// Whether the key of this id is there and has not expired.
    pub(crate) fn is_good(&self, id: &str, now: UnixMillis) -> bool {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        let key = id.parse().ok().and_then(|id: ApiKeyId| known.get(&id));
        key.is_some_and(|key| !key.is_too_old(now))
    }

    pub(crate) fn add(&self, key: StoredKey) {
        self.known.write().unwrap_or_else(PoisonError::into_inner).insert(key.id.clone(), key);
    }

    /// From now on the key opens nothing; says whether there was one.
    pub(crate) fn remove(&self, id: &ApiKeyId) -> bool {
        self.known.write().unwrap_or_else(PoisonError::into_inner).remove(id).is_some()
    }

    /// Oldest first.
    pub(crate) fn list(&self) -> Vec<ApiKeyEntry> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        let mut entries: Vec<ApiKeyEntry> = known.values().map(StoredKey::entry).collect();
        entries.sort_by(|one, other| one.id.cmp(&other.id));
        entries
    }
}

/// One that was revoked, has expired, or was never made here.
pub(crate) fn unknown_key() -> ErrorBody {
    ErrorBody::new(Code::Unauthenticated, "this API key is not good here: ask an admin for one")
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixMillis = UnixMillis(1_000_000);

    #[test]
    fn a_key_is_good_until_it_expires_or_is_revoked_and_nothing_like_it_is() {
        let id: ApiKeyId = "k1".parse().unwrap();
        let (token, secret_hash) = Keys::make(&id);
        let keys = Keys::new(vec![StoredKey {
            id: id.clone(),
            name: "shop".to_owned(),
            person: "shop".parse().unwrap(),
            secret_hash,
            scopes: [Scope::Ring].into(),
            created_at: NOW,
            expires_at: Some(UnixMillis(NOW.0 + 100_000)),
            last_used_at: None,
        }]);
        let first = keys.check(&token, NOW).unwrap();
        assert!(first.is_news && first.scopes == [Scope::Ring].into());
        assert!(!keys.check(&token, UnixMillis(NOW.0 + 59_999)).unwrap().is_news);
        assert!(keys.check(&token, UnixMillis(NOW.0 + 60_000)).unwrap().is_news);
        let other = Keys::make(&id).0;
        for bad in [other.as_str(), &token[..token.len() - 1], "bbk_", "bbk_k1", "bbk_k1_", "bbk_k2_x", ""] {
            assert_eq!(keys.check(bad, NOW).unwrap_err().code, Code::Unauthenticated, "{bad}");
        }
        assert!(keys.is_good("k1", UnixMillis(NOW.0 + 99_999)) && !keys.is_good("k2", NOW));
        assert!(!keys.is_good("k1", UnixMillis(NOW.0 + 100_000)));
        assert!(keys.check(&token, UnixMillis(NOW.0 + 100_000)).unwrap_err().message.contains("too old"));
        assert!(keys.remove(&id) && !keys.remove(&id) && !keys.is_good("k1", NOW));
        assert_eq!(keys.check(&token, NOW).unwrap_err().code, Code::Unauthenticated);
    }
}
