//! The desktop shell: windows, tray, notifications, tones. No decision about calls.

mod bindings;
mod commands;
mod desk;
mod frames;
mod gpu;
mod levels;
mod notify;
mod presses;
mod probe;
mod profile;
mod ringing;
mod running;
mod state;
mod surfaces;
mod tray;
mod windows;

use std::{path::PathBuf, process::ExitCode};

use clap::Parser;
use coordinator::Router;
use tauri::{Manager as _, RunEvent, WindowEvent};
use tracing_subscriber::EnvFilter;

use crate::{
    desk::{Desk, Network},
    presses::Presses,
    profile::Profile,
};

/// Bellbird: desktop calls you host yourself.
#[derive(Parser)]
#[command(name = "bellbird-desktop", version)]
struct Arguments {
    /// Where this person's settings and server are kept; several can run side by side.
    #[arg(long, env = "BELLBIRD_PROFILE", value_name = "DIR")]
    profile: Option<PathBuf>,
    /// TCP address of the server inside, when this app runs one.
    #[arg(long, env = "BELLBIRD_LISTEN", value_name = "ADDR")]
    listen: Option<std::net::SocketAddr>,
    /// The router that the server inside asks to let the outside in; the one that leads outside if absent.
    #[arg(long, env = "BELLBIRD_ROUTER", value_name = "ADDR")]
    router: Option<std::net::IpAddr>,
    /// Writes the page's bindings to this file and ends.
    #[arg(long, value_name = "FILE")]
    write_bindings: Option<PathBuf>,
    /// Starts without opening the main window.
    #[arg(long)]
    hidden: bool,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info,pulseaudio=warn"));
    // The library of WebSockets writes down whole handshakes and messages, with the tokens and names in them, and those of
    // connections and of the local network where people are.
    let quiet = ["tungstenite=info", "is=info", "str0m=info", "mdns_sd=info"].map(|directive| directive.parse());
    let filter =
        quiet.into_iter().fold(filter, |filter, quiet| filter.add_directive(quiet.expect("a plain directive")));
    // A log that cannot be written (its disk is full) is no reason to fall over.
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).log_internal_errors(false).init();
    if let Some(file) = arguments.write_bindings {
        return match bindings::write(&file) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                tracing::error!(%error, "the bindings cannot be written");
                ExitCode::FAILURE
            }
        };
    }
    gpu::spare_compositing();
    match run(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("Bellbird cannot start: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: Arguments) -> anyhow::Result<()> {
    let profile = Profile::open(arguments.profile)?;
    let Some(lock) = profile.lock()? else {
        tracing::info!("Bellbird runs already for this profile; its window is shown");
        return Ok(());
    };
    let specta = bindings::builder();
    let invoke = specta.invoke_handler();
    let hidden = arguments.hidden;
    let network = Network { listen: arguments.listen, router: arguments.router.map_or(Router::Default, Router::At) };
    let app = tauri::Builder::default()
        .invoke_handler(invoke)
        .setup(move |app| {
            specta.mount_events(app);
            let desk = Desk::new(app.handle().clone(), profile, network)?;
            app.manage(desk);
            app.manage(Presses::default());
            windows::create(app.handle(), hidden)?;
            tray::start(app.handle());
            probe::start(app.handle());
            desk::begin(app.handle());
            running::answer(app.handle(), lock)?;
            Ok(())
        })
        .build(tauri::generate_context!())?;
    app.run(|app, event| match event {
        // No window is ever closed, only hidden: what is gone could not show the next ring.
        RunEvent::WindowEvent { label, event: WindowEvent::CloseRequested { api, .. }, .. } => {
            api.prevent_close();
            match label.as_str() {
                windows::RING => dismiss_rings(app.clone()),
                _ => close_main(app.clone()),
            }
        }
        RunEvent::ExitRequested { code: None, api, .. } => api.prevent_exit(),
        _ => {}
    });
    Ok(())
}

fn dismiss_rings(app: tauri::AppHandle) {
    tauri::async_runtime::spawn(async move { app.state::<Desk>().dismiss_rings().await });
}

/// The window goes, and the app with it if nothing could bring the window back.
fn close_main(app: tauri::AppHandle) {
    tauri::async_runtime::spawn(async move {
        if tray::is_hosted(&app).await {
            windows::hide_main(&app);
        } else {
            desk::quit(&app);
        }
    });
}
