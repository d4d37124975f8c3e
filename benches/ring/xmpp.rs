//! A tiny XMPP client: anonymous sign-in, and the messages of a Jingle call that rings (XEP-0353).

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{
        TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::mpsc,
    task::JoinHandle,
    time::timeout,
};

use crate::{api, clock::now, measure::Rings, pair::Steps, prosody::HOST};

const PATIENCE: Duration = Duration::from_secs(20);
/// Stanzas that may wait for who reads them.
const UNREAD: usize = 64;

/// A connected client with one resource.
pub(crate) struct Client {
    /// With resource.
    jid: String,
    writer: OwnedWriteHalf,
    stanzas: mpsc::Receiver<(Instant, String)>,
    reading: JoinHandle<()>,
}

impl Client {
    pub(crate) async fn connect(address: &str, number: usize) -> Result<Self> {
        timeout(PATIENCE, Self::sign_in(api::connect(address, number).await?)).await.context("no sign-in in 20 s")?
    }

    async fn sign_in(mut stream: TcpStream) -> Result<Self> {
        let open = format!(
            "<?xml version='1.0'?><stream:stream to='{HOST}' xmlns='jabber:client' \
             xmlns:stream='http://etherx.jabber.org/streams' version='1.0'>"
        );
        ask(&mut stream, &open, "</stream:features>").await?;
        let auth = "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='ANONYMOUS'/>";
        ask(&mut stream, auth, "<success").await?;
        ask(&mut stream, &open, "</stream:features>").await?;
        let bind = "<iq type='set' id='bind'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>";
        let bound = ask(&mut stream, bind, "</iq>").await?;
        let jid = bound.split_once("<jid>").and_then(|(_, rest)| rest.split_once("</jid>")).context("no jid")?.0;
        let jid = jid.to_owned();
        // The answer to one's own presence says that all is in place.
        ask(&mut stream, "<presence/>", "<presence").await?;
        let (reader, writer) = stream.into_split();
        let (sender, stanzas) = mpsc::channel(UNREAD);
        let reading = tokio::task::spawn_local(async move { _ = read(reader, sender).await });
        Ok(Self { jid, writer, stanzas, reading })
    }

    fn bare(&self) -> &str {
        self.jid.split('/').next().unwrap_or(&self.jid)
    }

    async fn send(&mut self, to: &str, action: &str, id: &str, content: &str) -> Result<()> {
        let message = format!(
            "<message to='{to}' id='{id}-{action}' type='chat'>\
             <{action} xmlns='urn:xmpp:jingle-message:0' id='{id}'>{content}</{action}></message>"
        );
        Ok(self.writer.write_all(message.as_bytes()).await?)
    }

    /// Waits for this action of this call; answers when it came.
    async fn hears(&mut self, action: &str, id: &str) -> Result<Instant> {
        let wanted = format!("<{action} ");
        loop {
            let stanza = timeout(PATIENCE, self.stanzas.recv()).await.context("a stanza was lost")?;
            let (at, stanza) = stanza.context("the connection has ended")?;
            if stanza.contains(&wanted) && stanza.contains(id) {
                return Ok(at);
            }
        }
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        self.reading.abort();
    }
}

async fn ask(stream: &mut TcpStream, question: &str, end_of_answer: &str) -> Result<String> {
    stream.write_all(question.as_bytes()).await?;
    let mut answer = Vec::new();
    loop {
        anyhow::ensure!(stream.read_buf(&mut answer).await? > 0, "the server closed the connection");
        let text = String::from_utf8_lossy(&answer);
        if text.contains(end_of_answer) {
            return Ok(text.into_owned());
        }
    }
}

async fn read(mut reader: OwnedReadHalf, stanzas: mpsc::Sender<(Instant, String)>) -> Result<()> {
    let mut buffer = Vec::with_capacity(2048);
    while reader.read_buf(&mut buffer).await? > 0 {
        let at = now();
        while let Some(length) = first_stanza(&buffer) {
            let stanza: Vec<u8> = buffer.drain(..length).collect();
            stanzas.send((at, String::from_utf8(stanza)?)).await?;
        }
    }
    Ok(())
}

/// The length of the first whole stanza, if there is one: tags are counted until as many are closed as opened. Prosody
/// escapes `<` and `>` in text and attributes.
fn first_stanza(bytes: &[u8]) -> Option<usize> {
    let (mut depth, mut at) = (0_usize, 0);
    while let Some(begin) = bytes[at..].iter().position(|byte| *byte == b'<').map(|offset| at + offset) {
        let end = bytes[begin..].iter().position(|byte| *byte == b'>').map(|offset| begin + offset)?;
        match (bytes[begin + 1], bytes[end - 1]) {
            (b'/', _) => depth = depth.checked_sub(1)?,
            (_, b'/') => {}
            _ => depth += 1,
        }
        at = end + 1;
        if depth == 0 {
            return Some(at);
        }
    }
    None
}

/// A caller and a callee.
pub(crate) struct Pair {
    caller: Client,
    callee: Client,
    rings: u64,
}

impl Pair {
    pub(crate) fn new(caller: Client, callee: Client) -> Self {
        Self { caller, callee, rings: 0 }
    }

    pub(crate) fn apart(self) -> [Client; 2] {
        [self.caller, self.callee]
    }
}

impl Rings for Pair {
    /// Propose, ringing, proceed, finish: what ring, alerted, accept and end are to us.
    async fn ring(&mut self) -> Result<Steps> {
        self.rings += 1;
        let id = format!("ring{}-", self.rings);
        let (caller, callee) = (self.caller.jid.clone(), self.callee.bare().to_owned());
        let media = "<description xmlns='urn:xmpp:jingle:apps:rtp:1' media='audio'/>";
        let begun = now();
        self.caller.send(&callee, "propose", &id, media).await?;
        let rang = self.callee.hears("propose", &id).await?;
        self.callee.send(&caller, "ringing", &id, "").await?;
        self.caller.hears("ringing", &id).await?;
        let accepting = now();
        self.callee.send(&caller, "proceed", &id, "").await?;
        let accepted = self.caller.hears("proceed", &id).await?;
        let ending = now();
        self.callee.send(&caller, "finish", &id, "").await?;
        let ended = self.caller.hears("finish", &id).await?;
        Ok(Steps { ring: rang - begun, accept: accepted - accepting, end: ended - ending })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stanza_ends_where_its_first_tag_does() {
        assert_eq!(first_stanza(b"<message><a/><b>text</b></message><presence/>"), Some(34));
        assert_eq!(first_stanza(b"<presence/><iq>"), Some(11));
        assert_eq!(first_stanza(b" <iq><a></a>"), None);
        assert_eq!(first_stanza(b"<iq"), None);
    }
}
