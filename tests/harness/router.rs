//! A small home router on an address of loopback: lets in what asks by NAT-PMP (RFC 6886).

use std::{
    collections::BTreeMap,
    net::Ipv4Addr,
    sync::{Arc, Mutex, PoisonError},
};

use anyhow::Result;
use tokio::{net::UdpSocket, task::JoinHandle};

/// Where routers are asked.
const PORT: u16 = 5351;
/// How the outside knows it: as another router's guest, so that nobody outside this machine is asked for.
const OUTSIDE: Ipv4Addr = Ipv4Addr::LOCALHOST;

/// What it lets in: by `tcp` or `udp`, and which port.
type Open = BTreeMap<&'static str, u16>;

/// A router that runs until it is dropped.
#[derive(Debug)]
pub struct Router {
    /// Where it is asked.
    pub address: Ipv4Addr,
    open: Arc<Mutex<Open>>,
    answering: JoinHandle<()>,
}

impl Drop for Router {
    fn drop(&mut self) {
        self.answering.abort();
    }
}

impl Router {
    /// Starts one at `127.77.1.HOST`.
    ///
    /// # Errors
    /// When its port is taken.
    pub async fn start(host: u8) -> Result<Self> {
        let address = Ipv4Addr::new(127, 77, 1, host);
        let socket = UdpSocket::bind((address, PORT)).await?;
        let open = Arc::new(Mutex::new(Open::new()));
        let book = Arc::clone(&open);
        let answering = tokio::spawn(async move {
            let mut request = [0; 64];
            while let Ok((length, from)) = socket.recv_from(&mut request).await {
                if let Some(answer) = answer(&request[..length], &book) {
                    _ = socket.send_to(&answer, from).await;
                }
            }
        });
        Ok(Self { address, open, answering })
    }

    /// By what it lets the outside in now.
    #[must_use]
    pub fn open(&self) -> Vec<&'static str> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner).keys().copied().collect()
    }
}

fn answer(request: &[u8], open: &Mutex<Open>) -> Option<Vec<u8>> {
    match *request {
        [0, 0] => Some([&[0, 128, 0, 0, 0, 0, 0, 9], &OUTSIDE.octets()[..]].concat()),
        [0, operation @ (1 | 2), _, _, inside0, inside1, _, _, ref seconds @ ..] if seconds.len() == 4 => {
            let protocol = if operation == 1 { "udp" } else { "tcp" };
            let mut open = open.lock().unwrap_or_else(PoisonError::into_inner);
            if *seconds == [0; 4] {
                open.remove(protocol);
            } else {
                open.insert(protocol, u16::from_be_bytes([inside0, inside1]));
            }
            let head = [0, 128 | operation, 0, 0, 0, 0, 0, 9, inside0, inside1, inside0, inside1];
            Some([&head[..], seconds].concat())
        }
        // Another protocol's version: it speaks this one alone.
        [version, operation, ..] if version != 0 => Some(vec![0, operation | 128, 0, 1, 0, 0, 0, 9]),
        _ => None,
    }
}
