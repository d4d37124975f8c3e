//! Binds the system's libvpx: the few functions and types that VP8 needs.

use std::{env, path::PathBuf};

/// The ABI versions are macros made of macros; as constants of an enumeration the compiler works them out.
const HEADER: &str = "
#include <vpx/vpx_encoder.h>
#include <vpx/vpx_decoder.h>
#include <vpx/vp8cx.h>
#include <vpx/vp8dx.h>
enum bellbird_abi {
  BELLBIRD_ENCODER_ABI = VPX_ENCODER_ABI_VERSION,
  BELLBIRD_DECODER_ABI = VPX_DECODER_ABI_VERSION,
};
";

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let vpx = pkg_config::Config::new().atleast_version("1.8").probe("vpx").expect("libvpx (Debian: libvpx-dev)");
    let includes = vpx.include_paths.iter().map(|path| format!("-I{}", path.display()));
    let bindings = bindgen::Builder::default()
        .header_contents("bellbird_vpx.h", HEADER)
        .clang_args(includes)
        .allowlist_function("vpx_codec_(vp8_[cd]x|enc_config_default|enc_init_ver|enc_config_set|encode|get_cx_data)")
        .allowlist_function("vpx_codec_(dec_init_ver|decode|get_frame|destroy|control_|err_to_string)")
        .allowlist_function("vpx_img_wrap")
        .allowlist_type("vp8e_enc_control_id|vpx_codec_cx_pkt_kind|bellbird_abi|vpx_img_fmt|vpx_rc_mode|vpx_kf_mode")
        .allowlist_var("VPX_(DL_REALTIME|EFLAG_FORCE_KF|FRAME_IS_KEY|ERROR_RESILIENT_DEFAULT)")
        .default_enum_style(bindgen::EnumVariation::Consts)
        .prepend_enum_name(false)
        .derive_default(true)
        .layout_tests(false)
        .generate()
        .expect("libclang reads the headers of libvpx (Debian: libclang-dev)");
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR")).join("vpx.rs");
    bindings.write_to_file(out).expect("OUT_DIR can be written");
}
