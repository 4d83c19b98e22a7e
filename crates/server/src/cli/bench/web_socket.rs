//! A client's WebSocket that keeps nothing while nothing comes, so that tens of thousands fit into one process.

use std::cell::RefCell;
use std::io::{self, ErrorKind};
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};

use tokio::io::AsyncWriteExt;
use tokio::net::{TcpSocket, TcpStream};

/// What is read at once.
const READ_BYTES: usize = 262_144;
/// The longest answer to the request to begin.
const HEAD_BYTES_MAX: usize = 8_192;

const FINAL: u8 = 0x80;
const MASKED: u8 = 0x80;
const OPCODE: u8 = 0x0f;
const TEXT: u8 = 1;
const BINARY: u8 = 2;
const CLOSE: u8 = 8;

thread_local! {
    /// All sockets of a thread read into this.
    static BUFFER: RefCell<Vec<u8>> = RefCell::new(vec![0; READ_BYTES]);
}

/// A connection.
pub(super) struct WebSocket {
    stream: TcpStream,
    /// The beginning of a frame.
    partial: Vec<u8>,
}

impl WebSocket {
    /// Connects from an address of this machine. The system may be told how much it keeps of what is not read yet.
    pub(super) async fn connect(
        (from, kept): (Ipv4Addr, Option<u32>),
        to: SocketAddr,
        path: &str,
        token: &str,
    ) -> io::Result<WebSocket> {
        let socket = TcpSocket::new_v4()?;
        if let Some(kept) = kept {
            socket.set_recv_buffer_size(kept)?;
        }
        socket.bind(SocketAddr::V4(SocketAddrV4::new(from, 0)))?;
        let mut stream = socket.connect(to).await?;
        stream.set_nodelay(true)?;
        // The key is only there to show that the server knows what it does; we know that of ours.
        let request = format!(
            "GET {path} HTTP/1.1\r\nHost: {to}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
             Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nAuthorization: Bearer {token}\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).await?;
        let mut socket = WebSocket { stream, partial: Vec::new() };
        let mut head = Vec::new();
        loop {
            socket.receive(|bytes| head.extend_from_slice(bytes)).await?;
            if let Some(end) = memchr::memmem::find(&head, b"\r\n\r\n") {
                let status = String::from_utf8_lossy(head.get(..end).unwrap_or_default()).into_owned();
                let status = status.lines().next().unwrap_or_default();
                if !status.starts_with("HTTP/1.1 101") {
                    return Err(io::Error::other(format!("the hub answered {status:?}")));
                }
                socket.partial = head.get(end + 4..).unwrap_or_default().to_vec();
                return Ok(socket);
            }
            if head.len() > HEAD_BYTES_MAX {
                return Err(io::Error::other("the hub's answer does not end"));
            }
        }
    }

    /// Writes one frame. The mask is zero: it guards proxies, and there is none.
    pub(super) async fn write(&mut self, payload: &[u8], binary: bool) -> io::Result<()> {
        let mut frame = vec![FINAL | if binary { BINARY } else { TEXT }];
        match u16::try_from(payload.len()) {
            Ok(length @ 0..=125) => frame.extend(length.to_be_bytes().get(1).map(|length| MASKED | length)),
            Ok(length) => {
                frame.push(MASKED | 126);
                frame.extend_from_slice(&length.to_be_bytes());
            }
            Err(_) => return Err(ErrorKind::InvalidInput.into()),
        }
        frame.extend_from_slice(&[0; 4]);
        frame.extend_from_slice(payload);
        self.stream.write_all(&frame).await
    }

    /// Waits for something and hands over the whole frames that are there then.
    pub(super) async fn read(&mut self, mut take: impl FnMut(&[u8])) -> io::Result<()> {
        let mut partial = std::mem::take(&mut self.partial);
        if !partial.is_empty() {
            let used = frames(&partial, &mut take)?;
            if used > 0 {
                partial.drain(..used);
                self.partial = partial;
                return Ok(());
            }
        }
        // Nothing is lost where this is given up before something came.
        self.partial = partial;
        self.stream.readable().await?;
        let mut partial = std::mem::take(&mut self.partial);
        let mut result = Ok(());
        self.try_receive(|bytes| {
            let whole = if partial.is_empty() {
                bytes
            } else {
                partial.extend_from_slice(bytes);
                &partial
            };
            match frames(whole, &mut take) {
                Ok(used) => partial = whole.get(used..).unwrap_or_default().to_vec(),
                Err(error) => result = Err(error),
            }
        })?;
        self.partial = partial;
        result
    }

    async fn receive(&mut self, take: impl FnOnce(&[u8])) -> io::Result<()> {
        self.stream.readable().await?;
        self.try_receive(take)
    }

    fn try_receive(&mut self, take: impl FnOnce(&[u8])) -> io::Result<()> {
        BUFFER.with_borrow_mut(|buffer| match self.stream.try_read(buffer) {
            Ok(0) => Err(ErrorKind::UnexpectedEof.into()),
            Ok(count) => {
                take(buffer.get(..count).unwrap_or_default());
                Ok(())
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(()),
            Err(error) => Err(error),
        })
    }
}

/// Hands over the whole frames at the beginning of `bytes`; returns how much they are.
fn frames(bytes: &[u8], take: &mut impl FnMut(&[u8])) -> io::Result<usize> {
    let mut used = 0;
    while let Some((opcode, payload, size)) = frame(bytes.get(used..).unwrap_or_default()) {
        match opcode {
            CLOSE => return Err(ErrorKind::ConnectionAborted.into()),
            _ => take(payload),
        }
        used += size;
    }
    Ok(used)
}

/// The first frame, if it is whole: what it is, what is in it, how long it is.
fn frame(bytes: &[u8]) -> Option<(u8, &[u8], usize)> {
    let (&[first, second], rest) = bytes.split_first_chunk::<2>()?;
    let (length, head) = match second {
        126 => (usize::from(u16::from_be_bytes(*rest.first_chunk()?)), 4),
        127 => (usize::try_from(u64::from_be_bytes(*rest.first_chunk()?)).ok()?, 10),
        short => (usize::from(short), 2),
    };
    let end = length.checked_add(head)?;
    Some((first & OPCODE, bytes.get(head..end)?, end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_cut_at_their_ends() {
        let long = [vec![0x82, 126, 0x01, 0x00], vec![7; 256]].concat();
        let longer = [vec![0x82, 127, 0, 0, 0, 0, 0, 1, 0, 0], vec![7; 65_536]].concat();
        let table: [(&[u8], &[usize], usize); 7] = [
            (&[], &[], 0),
            (&[0x81], &[], 0),
            (&[0x81, 2, b'a'], &[], 0),
            (&[0x81, 2, b'a', b'b', 0x81], &[2], 4),
            (&[0x81, 0, 0x82, 1, 9], &[0, 1], 5),
            (&long, &[256], 260),
            (&longer, &[65_536], 65_546),
        ];
        for (bytes, lengths, used) in table {
            let mut taken = Vec::new();
            assert_eq!(frames(bytes, &mut |payload: &[u8]| taken.push(payload.len())).unwrap(), used);
            assert_eq!(taken, lengths);
        }
        assert!(frames(&[0x88, 2, 3, 0xe8], &mut |_: &[u8]| {}).is_err());
    }
}
