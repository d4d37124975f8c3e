//! Lets tests find things on the screen, to press them with a real mouse. Only in debug builds, and only when asked for.

use tauri::AppHandle;

use crate::desk::Desk;

/// The environment variable that names the Unix socket to listen on.
const SOCKET: &str = "BELLBIRD_TEST_PROBE";

/// Listens, in debug builds, if a socket is named.
pub(crate) fn start(app: &AppHandle) {
    if cfg!(debug_assertions)
        && let Some(path) = std::env::var_os(SOCKET)
    {
        let app = app.clone();
        tauri::async_runtime::spawn(async move {
            if let Err(error) = serve(app, path.into()).await {
                tracing::error!(%error, "the test probe does not work");
            }
        });
    }
}

async fn serve(app: AppHandle, path: std::path::PathBuf) -> std::io::Result<()> {
    use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
    _ = std::fs::remove_file(&path);
    let listener = tokio::net::UnixListener::bind(path)?;
    loop {
        let (stream, _) = listener.accept().await?;
        let app = app.clone();
        tauri::async_runtime::spawn(async move {
            let (reader, mut writer) = stream.into_split();
            let mut lines = BufReader::new(reader).lines();
            while let Ok(Some(line)) = lines.next_line().await {
                let answer = answer(&app, &line).await.unwrap_or_else(|| "null".to_owned());
                if writer.write_all(format!("{answer}\n").as_bytes()).await.is_err() {
                    return;
                }
            }
        });
    }
}

/// `state app`, `visible LABEL`, `text LABEL`, `painted LABEL`, `may LABEL COMMAND`, or `value`, `hover`, `active`, `reveal` or
/// `rect LABEL SELECTOR`: answered in JSON, positions in pixels of the screen.
async fn answer(app: &AppHandle, line: &str) -> Option<String> {
    use tauri::Manager as _;
    let (command, rest) = line.split_once(' ')?;
    let (label, selector) = rest.split_once(' ').unwrap_or((rest, ""));
    if command == "state" {
        return serde_json::to_string(&app.state::<Desk>().state()).ok();
    }
    let window = app.get_webview_window(label)?;
    if command == "visible" {
        let visible = tauri::async_runtime::spawn_blocking(move || window.is_visible()).await.ok()?.ok()?;
        return Some(visible.to_string());
    }
    let selector = serde_json::to_string(selector).ok()?;
    let script = match command {
        // `null` until it is known, then `true` or the refusal.
        "may" => format!(
            "(() => {{ const asked = (window.asked ??= {{}}); if (!({selector} in asked)) {{ asked[{selector}] = null; \
             window.__TAURI_INTERNALS__.invoke({selector}).then(() => (asked[{selector}] = true), \
             (error) => (asked[{selector}] = String(error))); }} return asked[{selector}]; }})()"
        ),
        // True once after two frames were made since it was asked first.
        "painted" => "(() => { const seen = window.painted === true; if (seen) { window.painted = undefined; } \
                      else if (window.painted === undefined) { window.painted = false; requestAnimationFrame(() => \
                      requestAnimationFrame(() => (window.painted = true))); } return seen; })()"
            .to_owned(),
        "text" => "document.body.innerText".to_owned(),
        "hover" | "active" => format!("document.querySelector({selector})?.matches(':{command}') ?? false"),
        // Scrolled into sight, if it is in a list that scrolls; where it is in sight nothing moves.
        "reveal" => format!(
            "(() => {{ const e = document.querySelector({selector}); \
             e?.scrollIntoView({{ block: 'nearest' }}); return e !== null; }})()"
        ),
        // Of the field that gets what is typed, and of no other.
        "value" => format!(
            "(() => {{ const e = document.querySelector({selector}); \
             return e !== null && e === document.activeElement ? e.value : null; }})()"
        ),
        "rect" => format!(
            "(() => {{ const e = document.querySelector({selector}); if (!e) return null; \
             const r = e.getBoundingClientRect(); return [r.x, r.y, r.width, r.height]; }})()"
        ),
        _ => return None,
    };
    let (sender, receiver) = tokio::sync::oneshot::channel();
    let sender = std::sync::Mutex::new(Some(sender));
    let reply = move |value: String| {
        if let Some(sender) = sender.lock().ok().and_then(|mut sender| sender.take()) {
            _ = sender.send(value);
        }
    };
    window.eval_with_callback(script, reply).ok()?;
    let value = tokio::time::timeout(std::time::Duration::from_secs(2), receiver).await.ok()?.ok()?;
    if command != "rect" {
        return Some(value);
    }
    let [x, y, width, height]: [f64; 4] = serde_json::from_str(&value).ok()?;
    let ask = move || Some((window.inner_position().ok()?, window.scale_factor().ok()?));
    let (origin, scale) = tauri::async_runtime::spawn_blocking(ask).await.ok()??;
    let placed = [f64::from(origin.x) + x * scale, f64::from(origin.y) + y * scale, width * scale, height * scale];
    serde_json::to_string(&placed).ok()
}
