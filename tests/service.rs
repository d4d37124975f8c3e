//! Every row and rule of the calling model, through the real server and the real client.

#![expect(clippy::disallowed_methods, reason = "a test measures how soon something rings")]

mod service {
    mod bad_input;
    mod call_types;
    mod doors;
    mod people;
    mod permissions;
    mod planned;
    mod programs;
    mod raw;
    mod rows;
    mod rules;
    mod sending;
    mod sockets;
    mod table;
    mod together;
}
