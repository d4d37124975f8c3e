#![no_main]
#![doc = "See `sfu::fuzzing`."]

libfuzzer_sys::fuzz_target!(|data: &[u8]| sfu::fuzzing::knock(data));
