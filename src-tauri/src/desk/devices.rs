//! The machine's devices, as choices.

use media::DeviceInfo;
use wire::ErrorBody;

use super::Desk;
use crate::state::{DeviceChoice, DeviceKind, Devices};

/// The id of the choice that follows the system.
const SYSTEM: &str = "";

impl Desk {
    pub(crate) async fn devices(&self) -> Devices {
        let engine = self.engine.clone();
        let found = tauri::async_runtime::spawn_blocking(move || engine.devices()).await.unwrap_or_default();
        let settings = self.inner().settings.clone();
        Devices {
            microphones: choices(found.microphones, settings.microphone.as_deref()),
            speakers: choices(found.speakers, settings.speaker.as_deref()),
            cameras: choices(found.cameras, settings.camera.as_deref()),
        }
    }

    pub(crate) fn choose_device(&self, kind: DeviceKind, id: String) -> Result<(), ErrorBody> {
        let chosen = Some(id).filter(|id| id != SYSTEM);
        let engine_kind = match kind {
            DeviceKind::Microphone => media::DeviceKind::Microphone,
            DeviceKind::Speaker => media::DeviceKind::Speaker,
            DeviceKind::Camera => media::DeviceKind::Camera,
        };
        self.engine.choose(engine_kind, chosen.clone().into());
        self.change_settings(|settings| match kind {
            DeviceKind::Microphone => settings.microphone = chosen,
            DeviceKind::Speaker => settings.speaker = chosen,
            DeviceKind::Camera => settings.camera = chosen,
        })
    }
}

/// First what follows the system, then each device. A chosen device that is not there is not lost: it is used again
/// when it comes back, and until then the system's is.
fn choices(found: Vec<DeviceInfo>, chosen: Option<&str>) -> Vec<DeviceChoice> {
    let Some(usual) = found.iter().find(|device| device.is_default).or(found.first()) else { return Vec::new() };
    let is_there = found.iter().any(|device| Some(device.id.as_str()) == chosen);
    let name = format!("System default ({})", usual.name);
    let system = DeviceChoice { id: SYSTEM.to_owned(), name, chosen: !is_there };
    let choice = |device: DeviceInfo| {
        let chosen = Some(device.id.as_str()) == chosen;
        DeviceChoice { id: device.id, name: device.name, chosen }
    };
    std::iter::once(system).chain(found.into_iter().map(choice)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn devices() -> Vec<DeviceInfo> {
        let device = |id: &str, is_default| DeviceInfo { id: id.to_owned(), name: id.to_uppercase(), is_default };
        vec![device("usb", false), device("inner", true)]
    }

    fn chosen(choices: &[DeviceChoice]) -> Vec<&str> {
        choices.iter().filter(|choice| choice.chosen).map(|choice| choice.id.as_str()).collect()
    }

    #[test]
    fn the_first_choice_leads_back_to_the_system() {
        let choices = choices(devices(), Some("usb"));
        assert_eq!((choices[0].id.as_str(), choices[0].name.as_str()), (SYSTEM, "System default (INNER)"));
        assert_eq!(chosen(&choices), ["usb"]);
    }

    #[test]
    fn without_a_choice_or_without_the_chosen_device_the_system_decides() {
        assert_eq!(chosen(&choices(devices(), None)), [SYSTEM]);
        assert_eq!(chosen(&choices(devices(), Some("unplugged"))), [SYSTEM]);
        assert!(choices(Vec::new(), None).is_empty());
    }
}
