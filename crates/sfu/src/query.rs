//! What a client says when it knocks: the query of `/rtc` and its token.

/// Why a client is not let in, as HTTP status and text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Refusal {
    /// HTTP status.
    pub status: u16,
    /// For the person who reads the log.
    pub message: String,
}

/// The parts of the query this server acts on; the others are ignored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JoinQuery {
    pub(crate) token: String,
    pub(crate) room: Option<String>,
    pub(crate) auto_subscribe: bool,
    pub(crate) is_reconnect: bool,
    pub(crate) client_protocol: i32,
}

impl JoinQuery {
    /// Reads `/rtc?access_token=…` (browsers) or the bearer token of the `Authorization` header (everybody else).
    ///
    /// # Errors
    /// When there is no token.
    pub fn parse(query: &str, authorization: Option<&str>) -> Result<Self, Refusal> {
        let bearer = authorization.and_then(|header| header.strip_prefix("Bearer ")).map(str::to_owned);
        let token = bearer.or_else(|| value(query, "access_token")).filter(|token| !token.is_empty());
        let Some(token) = token else {
            return Err(Refusal { status: 401, message: "no access token".to_owned() });
        };
        let is_set = |name: &str| value(query, name).is_some_and(|value| value == "1" || value == "true");
        Ok(Self {
            token,
            room: value(query, "room"),
            auto_subscribe: value(query, "auto_subscribe").is_none_or(|value| value == "1" || value == "true"),
            is_reconnect: is_set("reconnect"),
            client_protocol: value(query, "client_protocol").and_then(|value| value.parse().ok()).unwrap_or(0),
        })
    }
}

fn value(query: &str, name: &str) -> Option<String> {
    let pair = query.split('&').find_map(|pair| pair.split_once('=').filter(|(key, _)| *key == name));
    pair.map(|(_, value)| percent_decoded(value))
}

fn percent_decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        let hex = tail.get(..2).and_then(|hex| std::str::from_utf8(hex).ok());
        match (first, hex.and_then(|hex| u8::from_str_radix(hex, 16).ok())) {
            (b'%', Some(byte)) => {
                bytes.push(byte);
                rest = &tail[2..];
            }
            (b'+', _) => {
                bytes.push(b' ');
                rest = tail;
            }
            (byte, _) => {
                bytes.push(*byte);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn browsers_use_the_query_and_others_the_header() {
        let query = JoinQuery::parse("auto_subscribe=0&access_token=a%2Eb&protocol=16", None).unwrap();
        assert_eq!((query.token.as_str(), query.auto_subscribe, query.is_reconnect), ("a.b", false, false));
        let query = JoinQuery::parse("reconnect=1", Some("Bearer t")).unwrap();
        assert_eq!((query.token.as_str(), query.auto_subscribe, query.is_reconnect), ("t", true, true));
        assert_eq!(JoinQuery::parse("access_token=", Some("Basic x")).unwrap_err().status, 401);
    }

    #[test]
    fn broken_escapes_are_taken_as_they_are() {
        assert_eq!(percent_decoded("%zz%4"), "%zz%4");
        assert_eq!(percent_decoded("a+b%20c%C3%A4"), "a b cä");
    }
}
