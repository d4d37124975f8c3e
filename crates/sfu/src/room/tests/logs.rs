//! What a connection writes into the log, with all that its library says below tracing.

use std::{
    io::Write,
    sync::{Arc, Mutex},
};

use super::*;

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn neither_addresses_nor_passwords_of_connections_are_logged() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter("debug")
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .finish();
    tracing::subscriber::with_default(subscriber, || {
        let mut world = World::new();
        let (ann, ben) = (world.join("ann"), world.join("ben"));
        world.films(ann, "cam", &[]);
        world.after(ms(2_000));
        assert!(!world.clients[ben].seen.is_empty(), "pictures flow");
    });
    let text = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert!(text.contains("IceCreds") || text.contains("REDACTED"), "the library says something: {text}");
    let address = |line: &&str| line.contains("10.0.1.") || line.contains(&server().ip().to_string());
    assert_eq!(text.lines().find(address), None, "where somebody is");
    let password = |line: &&str| line.contains("pass:") && !line.contains("REDACTED");
    assert_eq!(text.lines().find(password), None, "how his connection is secured");
}
