//! Another program that uses the server: plain HTTP, JSON in and out, no client of ours.

use std::net::SocketAddr;

use anyhow::{Result, ensure};
use reqwest::{Method, StatusCode};
use serde_json::Value;
use wire::{Code, ErrorBody};

/// A program with its way of showing who it is.
#[derive(Debug, Clone)]
pub struct Program {
    http: reqwest::Client,
    base: String,
    headers: Vec<(&'static str, String)>,
}

/// What the server said.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// The body, as JSON.
    pub body: Value,
}

impl Program {
    /// A program that shows nothing yet.
    #[must_use]
    pub fn new(server: SocketAddr) -> Self {
        Self { http: reqwest::Client::new(), base: format!("http://{server}"), headers: Vec::new() }
    }

    /// The same with a bearer token or key.
    #[must_use]
    pub fn with_token(&self, token: &str) -> Self {
        self.with("authorization", &format!("Bearer {token}"))
    }

    /// The same with a header, in place of one of the same name.
    #[must_use]
    pub fn with(&self, name: &'static str, value: &str) -> Self {
        let mut program = self.clone();
        program.headers.retain(|(known, _)| *known != name);
        program.headers.push((name, value.to_owned()));
        program
    }

    /// Asks for something without a body.
    ///
    /// # Errors
    /// When the server does not answer.
    pub async fn get(&self, path: &str) -> Result<Answer> {
        self.ask(Method::GET, path, None).await
    }

    /// Asks for something with a body.
    ///
    /// # Errors
    /// When the server does not answer.
    pub async fn post(&self, path: &str, body: &Value) -> Result<Answer> {
        self.ask(Method::POST, path, Some(body)).await
    }

    /// Asks for something.
    ///
    /// # Errors
    /// When the server does not answer.
    pub async fn ask(&self, method: Method, path: &str, body: Option<&Value>) -> Result<Answer> {
        let mut request = self.http.request(method, format!("{}{path}", self.base));
        for (name, value) in &self.headers {
            request = request.header(*name, value);
        }
        if let Some(body) = body {
            request = request.header("content-type", "application/json").body(body.to_string());
        }
        let response = request.send().await?;
        let (status, text) = (response.status(), response.text().await?);
        let body = serde_json::from_str(&text).unwrap_or(Value::String(text));
        Ok(Answer { status, body })
    }
}

impl Answer {
    /// The body of a success.
    ///
    /// # Errors
    /// When it is a refusal: with what it says.
    pub fn ok(self) -> Result<Value> {
        ensure!(self.status.is_success(), "refused with {}: {}", self.status, self.body);
        Ok(self.body)
    }

    /// The code of a refusal and the field it names.
    ///
    /// # Errors
    /// When it is none, or has not the body that every refusal has.
    pub fn refusal(self) -> Result<(Code, Option<String>)> {
        ensure!(!self.status.is_success(), "not refused, but {}: {}", self.status, self.body);
        let body: ErrorBody = serde_json::from_value(self.body)?;
        Ok((body.code, body.field))
    }
}
