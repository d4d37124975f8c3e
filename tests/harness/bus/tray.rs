//! A tray host (StatusNotifierItem): sees icon and tooltip, opens the menu (com.canonical.dbusmenu) and presses its entries.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use anyhow::{Context as _, Result};
use zbus::{
    Connection, interface,
    message::Header,
    object_server::SignalEmitter,
    proxy,
    zvariant::{OwnedObjectPath, OwnedValue, Structure, Value},
};

pub(super) const NAME: &str = "org.kde.StatusNotifierWatcher";
pub(super) const PATH: &str = "/StatusNotifierWatcher";

/// What the tray shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrayState {
    /// The tooltip.
    pub tooltip: String,
    /// Labels of the menu's entries, without separators.
    pub entries: Vec<String>,
}

/// Who registered, by bus name.
#[derive(Debug, Clone, Default)]
pub(crate) struct TrayHost {
    items: Arc<Mutex<Vec<String>>>,
}

impl TrayHost {
    pub(super) fn watcher(&self) -> Watcher {
        Watcher { items: Arc::clone(&self.items) }
    }

    fn newest(&self) -> Result<String> {
        let items = self.items.lock().unwrap_or_else(PoisonError::into_inner);
        items.last().cloned().context("nothing is in the tray")
    }

    pub(crate) async fn state(&self, connection: &Connection) -> Result<TrayState> {
        let item = self.newest()?;
        let icon = ItemProxy::builder(connection).destination(item.clone())?.build().await?;
        let tooltip = icon.tool_tip().await?;
        // Icon's name, icon, title, description: hosts show the two texts.
        let texts = tooltip.fields().iter().skip(2).filter_map(|field| <&str>::try_from(field).ok());
        let tooltip = texts.filter(|text| !text.is_empty()).collect::<Vec<_>>().join("\n");
        let entries = menu(connection, item, icon.menu().await?).await?;
        Ok(TrayState { tooltip, entries: entries.into_iter().map(|(_, label)| label).collect() })
    }

    pub(crate) async fn press(&self, connection: &Connection, label: &str) -> Result<()> {
        let item = self.newest()?;
        let icon = ItemProxy::builder(connection).destination(item.clone())?.build().await?;
        let path = icon.menu().await?;
        let entries = menu(connection, item.clone(), path.clone()).await?;
        let found = entries.iter().find(|(_, known)| known == label);
        let (id, _) = found.with_context(|| format!("the tray has no entry {label:?}, but {entries:?}"))?;
        let menu = MenuProxy::builder(connection).destination(item)?.path(path)?.build().await?;
        menu.event(*id, "clicked", Value::from(0), 0).await?;
        Ok(())
    }
}

pub(super) struct Watcher {
    items: Arc<Mutex<Vec<String>>>,
}

#[interface(name = "org.kde.StatusNotifierWatcher")]
impl Watcher {
    async fn register_status_notifier_item(
        &self,
        service: String,
        #[zbus(header)] header: Header<'_>,
        #[zbus(signal_emitter)] emitter: SignalEmitter<'_>,
    ) -> zbus::fdo::Result<()> {
        // Either a bus name, or a path on the sender's own.
        let sender = header.sender().map(ToString::to_string).unwrap_or_default();
        let name = if service.starts_with('/') { sender } else { service };
        self.items.lock().unwrap_or_else(PoisonError::into_inner).push(name.clone());
        Self::status_notifier_item_registered(&emitter, &name).await?;
        Ok(())
    }

    fn register_status_notifier_host(&self, _service: String) {}

    #[zbus(property)]
    fn registered_status_notifier_items(&self) -> Vec<String> {
        self.items.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    #[zbus(property)]
    fn is_status_notifier_host_registered(&self) -> bool {
        true
    }

    #[zbus(property)]
    fn protocol_version(&self) -> i32 {
        0
    }

    #[zbus(signal)]
    async fn status_notifier_item_registered(emitter: &SignalEmitter<'_>, service: &str) -> zbus::Result<()>;
}

#[proxy(interface = "org.kde.StatusNotifierItem", default_path = "/StatusNotifierItem")]
trait Item {
    #[zbus(property(emits_changed_signal = "false"))]
    fn tool_tip(&self) -> zbus::Result<Structure<'static>>;
    #[zbus(property(emits_changed_signal = "false"))]
    fn menu(&self) -> zbus::Result<OwnedObjectPath>;
}

type Layout = (i32, HashMap<String, OwnedValue>, Vec<OwnedValue>);

#[proxy(interface = "com.canonical.dbusmenu")]
trait Menu {
    fn get_layout(&self, parent: i32, depth: i32, properties: &[&str]) -> zbus::Result<(u32, Layout)>;
    fn event(&self, id: i32, event: &str, data: Value<'_>, timestamp: u32) -> zbus::Result<()>;
}

/// Number and label of each entry.
async fn menu(connection: &Connection, item: String, path: OwnedObjectPath) -> Result<Vec<(i32, String)>> {
    let menu = MenuProxy::builder(connection).destination(item)?.path(path)?.build().await?;
    let (_, (_, _, children)) = menu.get_layout(0, -1, &[]).await?;
    let mut entries = Vec::new();
    for child in children {
        let child = Structure::try_from(child)?;
        if let [Value::I32(id), Value::Dict(properties), ..] = child.fields()
            && let Some(label) = properties.get::<&str, String>(&"label")?
        {
            // An underscore marks the access key.
            entries.push((*id, label.replace('_', "")));
        }
    }
    Ok(entries)
}
