#![no_main]
#![doc = "See `media::fuzzing`."]

libfuzzer_sys::fuzz_target!(|data: &[u8]| media::fuzzing::camera_picture(data));
