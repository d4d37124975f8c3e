#![no_main]
#![doc = "See `coordinator::fuzzing`."]

libfuzzer_sys::fuzz_target!(|data: &[u8]| coordinator::fuzzing::user_token(data));
