//! Lets Tauri embed its configuration, icons and permissions.

/// Every command of the app; the capabilities say which window may use which. One that is missing here is refused.
const COMMANDS: &[&str] = &[
    "app_state",
    "start_own_server",
    "let_outside_in",
    "accept_invite",
    "ask_to_join",
    "stop_asking",
    "answer_ask",
    "try_again",
    "sign_in_anew",
    "create_invite",
    "ring",
    "accept",
    "join",
    "leave",
    "reject",
    "end",
    "mute_person",
    "put_out",
    "add_people",
    "ask_to_speak",
    "allow_asked",
    "pass_over",
    "go_live",
    "stop_waiting",
    "close_reminder",
    "close_unread",
    "set_microphone",
    "set_camera",
    "set_speaker",
    "mark_missed_seen",
    "devices",
    "choose_device",
    "set_one_call_at_a_time",
    "set_busy_when_in_call",
    "set_do_not_disturb",
    "set_favourite",
    "find_people",
    "avatar",
    "set_avatar",
    "my_devices",
    "sign_out_device",
    "sign_out",
    "show_main_window",
];

fn main() {
    let manifest = tauri_build::AppManifest::new().commands(COMMANDS);
    tauri_build::try_build(tauri_build::Attributes::new().app_manifest(manifest))
        .expect("Tauri's configuration is good");
}
