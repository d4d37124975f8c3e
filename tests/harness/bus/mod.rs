//! A session bus of its own, with the hosts that a desktop has on it.

pub(crate) mod notifications;
pub(crate) mod tray;

use std::{path::Path, process::Stdio};

use anyhow::{Context as _, Result};
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    process::Command,
};
use zbus::{Connection, connection};

use self::{
    notifications::{Board, NotificationHost},
    tray::TrayHost,
};
use crate::process::Program;

/// A session bus that starts nothing by itself: what is on it is what the harness puts there, not what this machine has
/// installed (a keyring that asks for a password, a portal).
const CONFIG: &str = r#"<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>unix:path=SOCKET</listen>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
  </policy>
</busconfig>
"#;

/// Which hosts are on a bus from the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hosts {
    /// Notifications and a tray, as on most desktops.
    All,
    /// Neither: a bare window manager.
    None,
}

/// The bus of one desktop.
pub(crate) struct Bus {
    address: String,
    /// The hosts' own connection.
    connection: Connection,
    pub(crate) board: Board,
    pub(crate) tray: TrayHost,
    _daemon: Program,
}

impl Bus {
    pub(crate) async fn start(folder: &Path, hosts: Hosts) -> Result<Self> {
        let config = folder.join("bus.conf");
        std::fs::write(&config, CONFIG.replace("SOCKET", &folder.join("bus.sock").display().to_string()))?;
        let mut command = Command::new("dbus-daemon");
        command
            .args(["--nofork", "--print-address=1"])
            .arg(format!("--config-file={}", config.display()))
            .env("XDG_RUNTIME_DIR", folder)
            .stdout(Stdio::piped());
        let mut daemon = Program::start("dbus-daemon", &mut command, &folder.join("dbus.log"))?;
        let printed = daemon.child().stdout.take().context("dbus-daemon has no output")?;
        let address = BufReader::new(printed).lines().next_line().await?.context("dbus-daemon ended; see dbus.log")?;
        let (board, tray) = (Board::default(), TrayHost::default());
        let connection = connection::Builder::address(address.as_str())?
            .serve_at(notifications::PATH, NotificationHost::new(board.clone()))?
            .serve_at(tray::PATH, tray.watcher())?
            .build()
            .await?;
        match hosts {
            Hosts::All => {
                connection.request_name(notifications::NAME).await?;
                connection.request_name(tray::NAME).await?;
            }
            Hosts::None => {}
        }
        Ok(Self { address, connection, board, tray, _daemon: daemon })
    }

    /// The value for `DBUS_SESSION_BUS_ADDRESS`.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// Whether somebody on the bus has a name.
    pub(crate) async fn has(&self, name: &str) -> Result<bool> {
        let proxy = zbus::fdo::DBusProxy::new(&self.connection).await?;
        Ok(proxy.name_has_owner(name.try_into()?).await?)
    }

    /// A tray host comes.
    pub(crate) async fn add_tray(&self) -> Result<()> {
        Ok(self.connection.request_name(tray::NAME).await?)
    }

    /// Presses a button of a notification (or its body: `default`).
    pub(crate) async fn press(&self, id: u32, action: &str) -> Result<()> {
        notifications::press(&self.connection, &self.board, id, action).await
    }

    pub(crate) fn connection(&self) -> &Connection {
        &self.connection
    }
}
