//! The two windows: the main one, and the ring popup that is made at the start, hidden, and never takes the focus.

use tauri::{AppHandle, LogicalSize, Manager as _, PhysicalPosition, WebviewUrl, WebviewWindow, WebviewWindowBuilder};

pub(crate) const MAIN: &str = "main";
pub(crate) const RING: &str = "ring";
/// Size of the popup with one ring, in logical pixels.
const WIDTH: f64 = 400.0;
const HEIGHT: f64 = 200.0;
/// What each further ring adds to its height.
const ROW: f64 = 60.0;
/// Distance of the popup from the corner of the screen.
const MARGIN: f64 = 24.0;

/// Makes both windows.
pub(crate) fn create(app: &AppHandle, hidden: bool) -> tauri::Result<()> {
    WebviewWindowBuilder::new(app, MAIN, WebviewUrl::App("index.html".into()))
        .title("Bellbird")
        .inner_size(980.0, 660.0)
        .min_inner_size(720.0, 520.0)
        .center()
        .visible(!hidden)
        .build()?;
    WebviewWindowBuilder::new(app, RING, WebviewUrl::App("index.html".into()))
        .title("Incoming call")
        .inner_size(WIDTH, HEIGHT)
        .resizable(false)
        .decorations(false)
        .always_on_top(true)
        .skip_taskbar(true)
        .focused(false)
        .focusable(false)
        .accept_first_mouse(true)
        .visible_on_all_workspaces(true)
        .visible(false)
        .build()?;
    Ok(())
}

/// Brings the main window to the front.
pub(crate) fn show_main(app: &AppHandle) {
    with(app, MAIN, |window| {
        window.show()?;
        window.unminimize()?;
        window.set_focus()
    });
}

/// Whether somebody has the main window before him.
pub(crate) async fn is_looked_at(app: &AppHandle) -> bool {
    let (sender, answer) = tokio::sync::oneshot::channel();
    with(app, MAIN, |window| {
        _ = sender.send(window.is_visible()? && window.is_focused()?);
        Ok(())
    });
    answer.await.unwrap_or(false)
}

pub(crate) fn hide_main(app: &AppHandle) {
    with(app, MAIN, WebviewWindow::hide);
}

/// Shows the popup at the bottom right, without focus, as high as so many rings need; hides it when none rings.
pub(crate) fn show_rings(app: &AppHandle, rings: usize) {
    with(app, RING, move |window| {
        if rings == 0 {
            return window.hide();
        }
        let height = height(rings);
        // Not resizable by a mouse, so that its limits are what sizes it.
        let size = Some(LogicalSize::new(WIDTH, height));
        window.set_min_size(size)?;
        window.set_max_size(size)?;
        window.set_size(LogicalSize::new(WIDTH, height))?;
        place(window, height)?;
        window.show()
    });
}

/// The first ring is large, the others are rows below it; more rows than these are scrolled.
fn height(rings: usize) -> f64 {
    const ROWS: usize = 4;
    let rows = rings.saturating_sub(1).min(ROWS);
    HEIGHT + ROW * f64::from(u32::try_from(rows).unwrap_or(0))
}

fn place(window: &WebviewWindow, height: f64) -> tauri::Result<()> {
    let Some(monitor) = window.primary_monitor()? else { return Ok(()) };
    let (area, scale) = (monitor.work_area(), monitor.scale_factor());
    let from_right = (WIDTH + MARGIN) * scale;
    let from_bottom = (height + MARGIN) * scale;
    let x = f64::from(area.position.x) + f64::from(area.size.width) - from_right;
    let y = f64::from(area.position.y) + f64::from(area.size.height) - from_bottom;
    window.set_position(PhysicalPosition::new(x, y))
}

/// Acts on a window, on the main thread; nobody waits for it, because a worker that waits holds up other tasks.
fn with(
    app: &AppHandle,
    label: &'static str,
    action: impl FnOnce(&WebviewWindow) -> tauri::Result<()> + Send + 'static,
) {
    let there = app.clone();
    let acted = app.run_on_main_thread(move || {
        let Some(window) = there.get_webview_window(label) else {
            return tracing::error!(label, "a window is gone: restart the app");
        };
        if let Err(error) = action(&window) {
            tracing::warn!(%error, label, "a window does not follow");
        }
    });
    if let Err(error) = acted {
        tracing::warn!(%error, label, "a window does not follow");
    }
}
