#![no_main]
#![doc = "See `call_client::fuzzing`."]

libfuzzer_sys::fuzz_target!(|data: &[u8]| call_client::fuzzing::roster(data));
