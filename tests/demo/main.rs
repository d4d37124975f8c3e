//! Two people on this machine, two app windows, one real call; pictures of each stage.

fn main() {}
