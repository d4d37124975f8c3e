//! A small router on an address of loopback, for tests: speaks what it is told to, and remembers what is open.

use std::{
    collections::BTreeMap,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex, PoisonError},
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream, UdpSocket},
    task::JoinHandle,
};

/// What a router speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Speaks {
    /// Version 2 of the protocol on port 5351.
    Pcp,
    /// Version 0 of it, and says so to who speaks version 2.
    NatPmp,
    /// Version 0 of it, and is silent to version 2, as some are.
    OldNatPmp,
    /// UPnP, with leases that end.
    Upnp,
    /// UPnP that only knows ports that stay open.
    UpnpPermanent,
    /// It answers that it may not.
    Refusal,
}

/// Protocol and port outside; the machine and port inside, and for how many seconds.
type Open = BTreeMap<(&'static str, u16), (IpAddr, u16, u32)>;

pub(crate) struct FakeRouter {
    pub(crate) address: Ipv4Addr,
    open: Arc<Mutex<Open>>,
    asked: Arc<Mutex<u32>>,
    tasks: Vec<JoinHandle<()>>,
}

impl Drop for FakeRouter {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

impl FakeRouter {
    /// At `127.77.0.HOST`, with this address outside.
    pub(crate) async fn start(host: u8, speaks: Speaks, outside: Ipv4Addr) -> Self {
        let address = Ipv4Addr::new(127, 77, 0, host);
        let (open, asked) = (Arc::new(Mutex::new(Open::new())), Arc::new(Mutex::new(0)));
        let book = Book { speaks, outside, open: Arc::clone(&open), asked: Arc::clone(&asked) };
        let tasks = match speaks {
            Speaks::Pcp | Speaks::NatPmp | Speaks::OldNatPmp | Speaks::Refusal => {
                let socket = UdpSocket::bind((address, 5351)).await.unwrap();
                vec![tokio::spawn(speak_pmp(socket, book))]
            }
            Speaks::Upnp | Speaks::UpnpPermanent => {
                let search = UdpSocket::bind((address, 1900)).await.unwrap();
                let pages = TcpListener::bind((address, 0)).await.unwrap();
                let location = format!("http://{}/root.xml", pages.local_addr().unwrap());
                vec![tokio::spawn(be_found(search, location)), tokio::spawn(serve_pages(pages, book))]
            }
        };
        Self { address, open, asked, tasks }
    }

    pub(crate) fn open(&self) -> Open {
        self.open.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// How often a port was asked for.
    pub(crate) fn asked(&self) -> u32 {
        *self.asked.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Clone)]
struct Book {
    speaks: Speaks,
    outside: Ipv4Addr,
    open: Arc<Mutex<Open>>,
    asked: Arc<Mutex<u32>>,
}

impl Book {
    /// A lifetime of nothing closes.
    fn map(&self, protocol: &'static str, outside: u16, inside: (IpAddr, u16), seconds: u32) {
        let mut open = self.open.lock().unwrap();
        if seconds == 0 {
            open.retain(|(known, _), (_, port, _)| *known != protocol || *port != inside.1);
        } else {
            *self.asked.lock().unwrap() += 1;
            open.insert((protocol, outside), (inside.0, inside.1, seconds));
        }
    }
}

/// How long a port is kept, whatever is asked for: renewing can then be waited for.
const LIFETIME: u32 = 2;

async fn speak_pmp(socket: UdpSocket, book: Book) {
    let mut buffer = [0; 1100];
    loop {
        let (length, from) = socket.recv_from(&mut buffer).await.unwrap();
        if let Some(answer) = pmp_answer(&buffer[..length], from, &book) {
            socket.send_to(&answer, from).await.unwrap();
        }
    }
}

fn pmp_answer(request: &[u8], from: SocketAddr, book: &Book) -> Option<Vec<u8>> {
    let u16_at = |at: usize| u16::from_be_bytes([request[at], request[at + 1]]);
    let seconds_at = |at: usize| u32::from_be_bytes(request[at..at + 4].try_into().unwrap());
    match (request[0], book.speaks) {
        (2, Speaks::OldNatPmp) => None,
        // Version 0, "unsupported version".
        (2, Speaks::NatPmp) => Some(vec![0, request[1] | 0x80, 0, 1, 0, 0, 0, 9]),
        (2, Speaks::Pcp | Speaks::Refusal) => {
            let refused = u8::from(book.speaks == Speaks::Refusal) * 2;
            let protocol = if request[36] == 6 { "TCP" } else { "UDP" };
            let (inside, outside, wanted) = (u16_at(40), u16_at(42), seconds_at(4));
            let lifetime = wanted.min(LIFETIME);
            if refused == 0 {
                book.map(protocol, outside, (from.ip(), inside), lifetime);
            }
            let mut answer = vec![2, request[1] | 0x80, 0, refused];
            answer.extend(lifetime.to_be_bytes());
            answer.extend(9u32.to_be_bytes());
            answer.extend([0; 12]);
            answer.extend(&request[24..44]);
            answer.extend(book.outside.to_ipv6_mapped().octets());
            Some(answer)
        }
        (0, Speaks::NatPmp | Speaks::OldNatPmp) if request[1] == 0 => {
            let mut answer = vec![0, 0x80, 0, 0, 0, 0, 0, 9];
            answer.extend(book.outside.octets());
            Some(answer)
        }
        (0, Speaks::NatPmp | Speaks::OldNatPmp) => {
            let protocol = if request[1] == 2 { "TCP" } else { "UDP" };
            let (inside, outside, lifetime) = (u16_at(4), u16_at(6), seconds_at(8).min(LIFETIME));
            book.map(protocol, outside, (from.ip(), inside), lifetime);
            let mut answer = vec![0, request[1] | 0x80, 0, 0, 0, 0, 0, 9];
            answer.extend(inside.to_be_bytes());
            answer.extend(outside.to_be_bytes());
            answer.extend(lifetime.to_be_bytes());
            Some(answer)
        }
        _ => None,
    }
}

const WAN: &str = "urn:schemas-upnp-org:service:WANIPConnection:1";

async fn be_found(socket: UdpSocket, location: String) {
    let mut buffer = [0; 1500];
    loop {
        let (length, from) = socket.recv_from(&mut buffer).await.unwrap();
        if buffer[..length].starts_with(b"M-SEARCH") {
            let answer =
                format!("HTTP/1.1 200 OK\r\nST: {WAN}\r\nLOCATION: {location}\r\nCACHE-CONTROL: max-age=60\r\n\r\n");
            socket.send_to(answer.as_bytes(), from).await.unwrap();
        }
    }
}

async fn serve_pages(listener: TcpListener, book: Book) {
    loop {
        let (stream, from) = listener.accept().await.unwrap();
        tokio::spawn(serve_page(stream, from.ip(), book.clone()));
    }
}

async fn serve_page(mut stream: TcpStream, from: IpAddr, book: Book) -> Option<()> {
    let mut request = Vec::new();
    let (head, body_length) = loop {
        if stream.read_buf(&mut request).await.ok()? == 0 {
            return None;
        }
        let text = String::from_utf8_lossy(&request).into_owned();
        let Some(end) = text.find("\r\n\r\n") else { continue };
        let head = text[..end].to_owned();
        let length =
            head.lines().find_map(|line| line.to_lowercase().strip_prefix("content-length:")?.trim().parse().ok());
        break (head, end + 4 + length.unwrap_or(0));
    };
    while request.len() < body_length {
        stream.read_buf(&mut request).await.ok()?;
    }
    let text = String::from_utf8_lossy(&request);
    let (status, page) = if head.starts_with("GET /root.xml") {
        ("200 OK", ROOT.replace("SERVICE", WAN))
    } else if head.starts_with("GET /actions.xml") {
        ("200 OK", actions())
    } else {
        act(&head, &text, from, &book)
    };
    let answer = format!(
        "HTTP/1.1 {status}\r\nContent-Type: text/xml\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{page}",
        page.len()
    );
    stream.write_all(answer.as_bytes()).await.ok()
}

const ROOT: &str = "<?xml version=\"1.0\"?><root xmlns=\"urn:schemas-upnp-org:device-1-0\"><device>\
    <deviceType>urn:schemas-upnp-org:device:InternetGatewayDevice:1</deviceType><deviceList><device>\
    <deviceType>urn:schemas-upnp-org:device:WANDevice:1</deviceType><deviceList><device>\
    <deviceType>urn:schemas-upnp-org:device:WANConnectionDevice:1</deviceType><serviceList><service>\
    <serviceType>SERVICE</serviceType><serviceId>urn:upnp-org:serviceId:WANIPConn1</serviceId>\
    <controlURL>/control</controlURL><eventSubURL>/events</eventSubURL><SCPDURL>/actions.xml</SCPDURL>\
    </service></serviceList></device></deviceList></device></deviceList></device></root>";

fn actions() -> String {
    let action = |name: &str, arguments: &[&str]| {
        let arguments =
            arguments.iter().map(|name| format!("<argument><name>{name}</name><direction>in</direction></argument>"));
        format!("<action><name>{name}</name><argumentList>{}</argumentList></action>", arguments.collect::<String>())
    };
    let add = [
        "NewRemoteHost",
        "NewExternalPort",
        "NewProtocol",
        "NewInternalPort",
        "NewInternalClient",
        "NewEnabled",
        "NewPortMappingDescription",
        "NewLeaseDuration",
    ];
    let list = [
        action("AddPortMapping", &add),
        action("DeletePortMapping", &["NewRemoteHost", "NewExternalPort", "NewProtocol"]),
        action("GetExternalIPAddress", &[]),
    ];
    format!(
        "<?xml version=\"1.0\"?><scpd xmlns=\"urn:schemas-upnp-org:service-1-0\"><actionList>{}</actionList></scpd>",
        list.concat()
    )
}

fn act(head: &str, request: &str, from: IpAddr, book: &Book) -> (&'static str, String) {
    let value = |name: &str| {
        let (_, rest) = request.split_once(&format!("<{name}>"))?;
        rest.split_once('<').map(|(value, _)| value.to_owned())
    };
    let number = |name: &str| value(name).and_then(|text| text.parse::<u32>().ok()).unwrap_or(0);
    let protocol = if value("NewProtocol").as_deref() == Some("TCP") { "TCP" } else { "UDP" };
    let outside = number("NewExternalPort") as u16;
    let (action, inner) = if head.contains("#GetExternalIPAddress") {
        ("GetExternalIPAddress", format!("<NewExternalIPAddress>{}</NewExternalIPAddress>", book.outside))
    } else if head.contains("#AddPortMapping") {
        let lease = number("NewLeaseDuration");
        if book.speaks == Speaks::UpnpPermanent && lease != 0 {
            return (
                "500 Internal Server Error",
                envelope(
                    "<s:Fault><faultcode>s:Client</faultcode><faultstring>UPnPError</faultstring><detail>\
                 <UPnPError xmlns=\"urn:schemas-upnp-org:control-1-0\"><errorCode>725</errorCode>\
                 <errorDescription>OnlyPermanentLeasesSupported</errorDescription></UPnPError></detail></s:Fault>",
                ),
            );
        }
        assert_eq!(value("NewInternalClient"), Some(from.to_string()), "a machine maps its own ports");
        book.map(
            protocol,
            outside,
            (from, number("NewInternalPort") as u16),
            if lease == 0 { u32::MAX } else { lease },
        );
        ("AddPortMapping", String::new())
    } else {
        book.open.lock().unwrap().remove(&(protocol, outside));
        ("DeletePortMapping", String::new())
    };
    ("200 OK", envelope(&format!("<u:{action}Response xmlns:u=\"{WAN}\">{inner}</u:{action}Response>")))
}

fn envelope(inner: &str) -> String {
    format!(
        "<?xml version=\"1.0\"?><s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\" \
         s:encodingStyle=\"http://schemas.xmlsoap.org/soap/encoding/\"><s:Body>{inner}</s:Body></s:Envelope>"
    )
}
