//! A server that takes a request and does not answer it, as far as a device can tell.

use std::sync::Arc;

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _, copy},
    net::{TcpListener, TcpStream},
    sync::Notify,
    task::JoinHandle,
    time::timeout,
};

use crate::person::PATIENCE;

/// Passes on everything at `address` but one kind of request, which nobody ever sees.
pub(crate) struct Slow {
    pub(crate) address: String,
    swallowed: Arc<Notify>,
    passing_on: JoinHandle<()>,
}

impl Drop for Slow {
    fn drop(&mut self) {
        self.passing_on.abort();
    }
}

impl Slow {
    /// Before this server; a request that begins like this is swallowed.
    pub(crate) async fn before(server: &str, beginning: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let swallowed = Arc::new(Notify::new());
        let (server, tells) = (server.to_owned(), Arc::clone(&swallowed));
        let passing_on = tokio::spawn(async move {
            loop {
                let (mut device, _) = listener.accept().await.unwrap();
                let (server, tells) = (server.clone(), Arc::clone(&tells));
                tokio::spawn(async move {
                    let mut server = TcpStream::connect(server).await?;
                    let (mut from_device, mut to_device) = device.split();
                    let (mut from_server, mut to_server) = server.split();
                    let asks = async {
                        let mut heard = vec![0; 64 * 1024];
                        loop {
                            let length = from_device.read(&mut heard).await?;
                            if length == 0 {
                                return to_server.shutdown().await;
                            }
                            if heard[..length].starts_with(beginning.as_bytes()) {
                                tells.notify_one();
                                return std::future::pending().await;
                            }
                            to_server.write_all(&heard[..length]).await?;
                        }
                    };
                    tokio::try_join!(asks, async { copy(&mut from_server, &mut to_device).await }).map(|_| ())
                });
            }
        });
        Self { address, swallowed, passing_on }
    }

    /// Waits until a request was swallowed.
    pub(crate) async fn swallowed(&self) {
        timeout(PATIENCE, self.swallowed.notified()).await.expect("such a request is made");
    }
}
