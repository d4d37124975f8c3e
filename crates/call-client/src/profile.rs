//! What a person chooses for himself (name, picture, favourites, quiet hours), and how people find each other.

use reqwest::Method;
use serde::de::IgnoredAny;
use wire::{DoNotDisturb, PeoplePage, PeopleQuery, Rename, UserId};

use crate::{error::ClientError, rest::Rest};

impl Rest {
    /// People of the server by name, whether they are contacts or not.
    ///
    /// # Errors
    /// What the server refuses, or that it is not reachable.
    pub async fn people(&self, query: &PeopleQuery) -> Result<PeoplePage, ClientError> {
        self.request(Method::GET, &people_path(query), Vec::new()).await
    }

    /// The name people read.
    ///
    /// # Errors
    /// What the server refuses, or that it is not reachable.
    pub async fn set_name(&self, name: &str) -> Result<(), ClientError> {
        self.put_silent("/v1/me/name", &Rename { name: name.to_owned() }).await
    }

    /// My picture: JPEG, PNG or WebP of 5 MB at most; the server cuts and encodes it anew. `None` takes it away.
    ///
    /// # Errors
    /// What the server refuses, or that it is not reachable.
    pub async fn set_avatar(&self, image: Option<Vec<u8>>) -> Result<(), ClientError> {
        let (method, body) = image.map_or((Method::DELETE, Vec::new()), |image| (Method::PUT, image));
        self.request::<IgnoredAny>(method, "/v1/me/avatar", body).await.map(|_| ())
    }

    /// The picture of a person whose `avatar` is there: a JPEG of 256 x 256.
    ///
    /// # Errors
    /// What the server refuses, or that it is not reachable.
    pub async fn avatar(&self, user: &UserId) -> Result<Vec<u8>, ClientError> {
        self.bytes(&format!("/v1/people/{user}/avatar")).await
    }

    /// Puts somebody first in my list.
    ///
    /// # Errors
    /// What the server refuses, or that it is not reachable.
    pub async fn add_favourite(&self, user: &UserId) -> Result<(), ClientError> {
        self.request::<IgnoredAny>(Method::PUT, &format!("/v1/me/favourites/{user}"), Vec::new()).await.map(|_| ())
    }

    /// Puts somebody back among the others.
    ///
    /// # Errors
    /// What the server refuses, or that it is not reachable.
    pub async fn remove_favourite(&self, user: &UserId) -> Result<(), ClientError> {
        let path = format!("/v1/me/favourites/{user}");
        self.request::<IgnoredAny>(Method::DELETE, &path, Vec::new()).await.map(|_| ())
    }

    /// When I do not want to be disturbed, on any device.
    ///
    /// # Errors
    /// What the server refuses, or that it is not reachable.
    pub async fn set_do_not_disturb(&self, wish: &DoNotDisturb) -> Result<(), ClientError> {
        self.put_silent("/v1/me/do-not-disturb", wish).await
    }
}

fn people_path(query: &PeopleQuery) -> String {
    let mut pairs = url::form_urlencoded::Serializer::new(String::new());
    if let Some(search) = &query.search {
        pairs.append_pair("search", search);
    }
    if let Some(after) = &query.after {
        pairs.append_pair("after", after);
    }
    if let Some(limit) = query.limit {
        pairs.append_pair("limit", &limit.to_string());
    }
    format!("/v1/people?{}", pairs.finish())
}
