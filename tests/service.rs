//! Every row and rule of the calling model, through the real server and the real client.

mod service {
    mod people;
    mod permissions;
    mod programs;
    mod rows;
    mod rules;
}
