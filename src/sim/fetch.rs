//! Files, as a phone fetches them: a TFTP client and a plain HTTP client, from an address of the phone's choice.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    time::Duration,
};

use http_body_util::{BodyExt, Full};
use hyper::{Request, body::Bytes, client::conn::http1, header};
use hyper_util::rt::TokioIo;
use tokio::{
    net::{TcpSocket, UdpSocket},
    time::timeout,
};

use super::script::{Method, Read};
use crate::wire::tftp::{self, ErrorCode, Mode, Packet, Setting};

/// How long an HTTP exchange may take in all.
const HTTP_LIMIT: Duration = Duration::from_mins(1);

/// How many bytes a simulated phone takes of one file: more is cut off, so that no server fills its memory.
const MAX_FILE: usize = 64 << 20;

/// The smallest room for a datagram: options and messages fit, whatever the block size.
const LEAST_ROOM: usize = 1024;

/// From where to where a phone asks, and how it bears what goes wrong on the way.
#[derive(Clone, Copy, Debug)]
pub(super) struct Line {
    /// The phone's address.
    pub from: Ipv4Addr,
    /// The server's.
    pub server: SocketAddr,
    /// How long it waits for the next packet before it asks again.
    pub patience: Duration,
    /// How often it waits for the same packet.
    pub attempts: u32,
    /// How much of one file it keeps, in bytes; the rest is read and counted.
    pub keep: usize,
    /// What becomes of its datagrams.
    pub loss: Loss,
}

impl Line {
    /// A line to a server that is near.
    pub const fn near(from: Ipv4Addr, server: SocketAddr) -> Self {
        let (patience, loss) = (Duration::from_secs(2), Loss::NONE);
        Self { from, server, patience, attempts: 4, keep: MAX_FILE, loss }
    }
}

/// How many datagrams are lost each way, in tenths of a percent.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Loss(pub u16);

impl Loss {
    /// Nothing is lost.
    pub const NONE: Self = Self(0);

    /// True if the next one is.
    #[must_use]
    pub fn strikes(self) -> bool {
        self.0 > 0 && rand::random::<u32>() % 1000 < u32::from(self.0)
    }
}

/// What became of a request.
#[derive(Debug, Eq, PartialEq)]
pub(super) enum Fetched {
    /// The bytes, or as many of them as were wanted.
    Got(Vec<u8>),
    /// The server said no.
    Missed,
    /// Nothing came, or it broke off.
    Failed,
}

impl From<io::Error> for Fetched {
    fn from(_: io::Error) -> Self {
        Self::Failed
    }
}

/// Reads `name` by TFTP, and counts the bytes.
pub(super) async fn by_tftp(line: &Line, name: &str, block: Option<u16>, read: Read) -> Fetched {
    match Tftp::ask(line, name, block).await {
        Ok(mut client) => client.run(read).await.unwrap_or_else(Fetched::from),
        Err(error) => error.into(),
    }
}

/// One transfer from the phone's side.
struct Tftp {
    line: Line,
    socket: UdpSocket,
    /// Where the server answers from: its address, and from the first answer on its port for this transfer.
    server: SocketAddr,
    known: bool,
    size: usize,
    file: Vec<u8>,
    /// How many bytes came, kept or not.
    length: usize,
    last: u16,
    sent: Vec<u8>,
}

impl Tftp {
    async fn ask(line: &Line, name: &str, block: Option<u16>) -> io::Result<Self> {
        let socket = UdpSocket::bind((line.from, 0)).await?;
        let value = block.map(|block| block.to_string());
        let options =
            value.iter().map(|value| Setting { name: b"blksize", value: value.as_bytes() });
        let request =
            tftp::Request { name: name.as_bytes(), mode: Mode::Octet, options: options.collect() };
        let sent = Packet::Read(request).encode();
        let (line, server, size) = (*line, line.server, 512);
        let file = Vec::new();
        let client =
            Self { line, socket, server, known: false, size, file, length: 0, last: 0, sent };
        client.send().await?;
        Ok(client)
    }

    async fn run(&mut self, read: Read) -> io::Result<Fetched> {
        // A server grants no larger block than was asked for (RFC 2348).
        let asked = match Packet::decode(&self.sent) {
            Ok(Packet::Read(request)) => request.option("blksize").and_then(tftp::decimal),
            _ => None,
        };
        let asked = asked.and_then(|size| usize::try_from(size).ok()).unwrap_or(0);
        let mut datagram = vec![0; asked.saturating_add(4).max(LEAST_ROOM)];
        let mut attempts = 0;
        loop {
            // Dropping `recv_from` at the limit loses nothing: a datagram is taken whole or stays queued.
            let Ok(received) =
                timeout(self.line.patience, self.socket.recv_from(&mut datagram)).await
            else {
                attempts += 1;
                if attempts >= self.line.attempts {
                    return Ok(Fetched::Failed);
                }
                // Who hears nothing asks again, and that is all that comes through.
                if read != Read::Nothing {
                    self.send().await?;
                }
                continue;
            };
            let (length, peer) = received?;
            if self.line.loss.strikes()
                || peer.ip() != self.server.ip()
                || (self.known && peer != self.server)
            {
                continue;
            }
            (self.server, self.known) = (peer, true);
            let Ok(packet) = Packet::decode(&datagram[..length]) else { continue };
            if let Some(end) = self.take(packet, read).await? {
                return Ok(end);
            }
            attempts = 0;
        }
    }

    async fn take(&mut self, packet: Packet<'_>, read: Read) -> io::Result<Option<Fetched>> {
        match packet {
            Packet::OptionsAck(_) | Packet::Data { .. } if read == Read::Nothing => {}
            Packet::OptionsAck(options) if self.last == 0 => {
                let size = tftp::find(&options, "blksize").and_then(tftp::decimal);
                self.size = size.and_then(|size| usize::try_from(size).ok()).unwrap_or(self.size);
                self.acknowledge(0).await?;
            }
            Packet::Data { block, data } if block == self.last.wrapping_add(1) => {
                self.length += data.len();
                let room = self.line.keep.saturating_sub(self.file.len());
                self.file.extend_from_slice(&data[..data.len().min(room)]);
                let enough = match read {
                    Read::Whole => self.length > MAX_FILE,
                    Read::Start(bytes) => self.length >= bytes && data.len() >= self.size,
                    Read::Nothing => false,
                    Read::Refused => {
                        let (code, text) = (ErrorCode::DISK_FULL, &b"can't use this"[..]);
                        self.sent = Packet::Error { code, text }.encode();
                        self.send().await?;
                        return Ok(Some(Fetched::Failed));
                    }
                };
                if enough {
                    // The phone closes its port without a word; the server learns it from the ICMP message.
                    return Ok(Some(Fetched::Got(std::mem::take(&mut self.file))));
                }
                self.acknowledge(block).await?;
                if data.len() < self.size {
                    return Ok(Some(Fetched::Got(std::mem::take(&mut self.file))));
                }
            }
            // A block that came before: its acknowledgement was lost. A new one is not sent for it (RFC 1123 §4.2.3.1
            // is the sender's duty; phones do not know), so that the sender's timer asks again.
            Packet::Error { code: ErrorCode::UNKNOWN_TRANSFER, .. } => {}
            Packet::Error { .. } => return Ok(Some(Fetched::Missed)),
            Packet::OptionsAck(_)
            | Packet::Data { .. }
            | Packet::Ack { .. }
            | Packet::Read(_)
            | Packet::Write(_) => {
                self.send().await?;
            }
        }
        Ok(None)
    }

    async fn acknowledge(&mut self, block: u16) -> io::Result<()> {
        self.last = block;
        self.sent = Packet::Ack { block }.encode();
        self.send().await
    }

    /// Sends what is to be sent, unless it is lost.
    async fn send(&self) -> io::Result<()> {
        if !self.line.loss.strikes() {
            self.socket.send_to(&self.sent, self.server).await?;
        }
        Ok(())
    }
}

/// One HTTP exchange on a connection of its own.
pub(super) async fn by_http(
    line: &Line,
    method: Method,
    path: &str,
    agent: &str,
    read: Read,
) -> Fetched {
    let exchange = exchange(line, method, path, agent, read);
    // Dropping the exchange closes its connection: nothing of it is kept.
    timeout(HTTP_LIMIT, exchange).await.ok().and_then(Result::ok).unwrap_or(Fetched::Failed)
}

async fn exchange(
    line: &Line,
    method: Method,
    path: &str,
    agent: &str,
    read: Read,
) -> Result<Fetched, Box<dyn std::error::Error + Send + Sync>> {
    let (from, server) = (line.from, line.server);
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseaddr(true)?;
    socket.bind(SocketAddr::new(IpAddr::V4(from), 0))?;
    let stream = socket.connect(server).await?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    let method = match method {
        Method::Get => hyper::Method::GET,
        Method::Head => hyper::Method::HEAD,
        Method::Put => hyper::Method::PUT,
    };
    let body =
        if method == hyper::Method::PUT { &b"0101000000|so   |4|00|boot\n"[..] } else { b"" };
    let mut request =
        Request::builder().method(method).uri(path).header(header::HOST, server.to_string());
    if !agent.is_empty() {
        request = request.header(header::USER_AGENT, agent);
    }
    let request = request.header(header::CONNECTION, "close").body(Full::new(Bytes::from(body)))?;
    let response = async {
        let response = sender.send_request(request).await?;
        if !response.status().is_success() {
            return Ok(Fetched::Missed);
        }
        let mut body = response.into_body();
        let (mut file, mut length) = (Vec::new(), 0);
        while let Some(frame) = body.frame().await {
            if let Ok(data) = frame?.into_data() {
                length += data.len();
                let room = line.keep.saturating_sub(file.len());
                file.extend_from_slice(&data[..data.len().min(room)]);
            }
            let enough = match read {
                Read::Whole => MAX_FILE,
                Read::Start(bytes) => bytes,
                Read::Nothing | Read::Refused => 0,
            };
            if length >= enough {
                break;
            }
        }
        Ok::<_, hyper::Error>(Fetched::Got(file))
    };
    tokio::pin!(response, connection);
    // The connection moves the bytes and ends after the response at the earliest, unless it breaks; both are dropped
    // together, which closes the socket.
    tokio::select! {
        biased;
        fetched = &mut response => Ok(fetched?),
        broken = &mut connection => {
            broken?;
            Ok(response.await?)
        }
    }
}
