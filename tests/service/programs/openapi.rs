//! The OpenAPI document of a running server, and the examples of its manual.

use std::{path::Path, process::Stdio};

use anyhow::{Context as _, Result, ensure};
use coordinator::Reach;
use harness::{Receiver, service::Service};
use reqwest::{Method, StatusCode};
use serde_json::json;
use tokio::process::Command;
use wire::Scope;

#[tokio::test]
async fn every_operation_of_the_document_is_there_and_nothing_else_is() -> Result<()> {
    let service = Service::start().await?;
    let program = service.program();
    let document = program.get("/v1/openapi.json").await?.ok()?;
    assert!(document["openapi"].as_str().is_some_and(|version| version.starts_with("3.1")));
    let mut operations = 0;
    for (path, item) in document["paths"].as_object().context("paths")? {
        let concrete: Vec<&str> =
            path.split('/').map(|part| if part.starts_with('{') { "default" } else { part }).collect();
        let known: Vec<String> = item.as_object().context("operations")?.keys().cloned().collect();
        for method in ["get", "post", "put", "patch", "delete"] {
            let asked = Method::from_bytes(method.to_uppercase().as_bytes())?;
            let answer = program.ask(asked, &concrete.join("/"), None).await?;
            let is_known = known.iter().any(|known| known == method);
            let is_there = answer.status != StatusCode::METHOD_NOT_ALLOWED && answer.status != StatusCode::NOT_FOUND;
            assert_eq!(is_there, is_known, "{method} {path}: {}", answer.status);
            operations += usize::from(is_known);
        }
    }
    assert!(operations > 40, "{operations}");
    assert_eq!(program.get("/v1/nothing").await?.refusal()?.0, wire::Code::UnsupportedVersion);
    Ok(())
}

/// The `sh` blocks of a page, as one script.
fn examples(page: &Path) -> Result<String> {
    let text = std::fs::read_to_string(page)?;
    let blocks = text.split("```").skip(1).step_by(2).filter_map(|block| block.strip_prefix("sh\n"));
    Ok(blocks.collect())
}

#[tokio::test]
async fn the_examples_of_the_manual_run_as_they_stand() -> Result<()> {
    let service = Service::start_with(|config| config.webhooks = Reach::Anywhere).await?;
    let receiver = Receiver::start().await?;
    let scopes =
        [Scope::Ring, Scope::CallsWrite, Scope::CallsRead, Scope::PeopleWrite, Scope::OnBehalf, Scope::Webhooks];
    let admin = service.program_of(&service.admin).await?;
    let key = admin.post("/v1/api-keys", &json!({ "name": "Shop", "scopes": scopes })).await?.ok()?;
    let script = examples(Path::new("../docs/http-api.md"))?;
    ensure!(script.matches("curl").count() >= 8, "the examples were not found: {script}");
    let run = Command::new("bash")
        .args(["-euo", "pipefail", "-c", &script])
        .env("SERVER", format!("http://{}", service.address()))
        .env("KEY", key["token"].as_str().context("a token")?)
        .env("SHOP", receiver.url())
        .stdin(Stdio::null())
        .output()
        .await?;
    let (said, complained) = (String::from_utf8_lossy(&run.stdout), String::from_utf8_lossy(&run.stderr));
    ensure!(run.status.success(), "{}\n{said}\n{complained}", run.status);
    assert!(said.contains("whsec_") && said.contains("\"missed\""), "{said}");
    Ok(())
}
