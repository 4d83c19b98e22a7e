//! The smallest HTTP client that reads streams.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use serde_json::Value;

/// How long to wait for what must come.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: String,
    body: BufReader<TcpStream>,
    chunked: bool,
    left: usize,
}

/// Sends a GET with these header lines.
pub(crate) fn get(address: SocketAddr, path: &str, headers: &[String]) -> io::Result<Answer> {
    send(address, "GET", path, headers, b"")
}

/// Sends anything with these header lines.
pub(crate) fn send(
    address: SocketAddr,
    method: &str,
    path: &str,
    headers: &[String],
    body: &[u8],
) -> io::Result<Answer> {
    let length = body.len();
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    let headers: String = headers.iter().map(|header| format!("{header}\r\n")).collect();
    let length = if method == "GET" { String::new() } else { format!("Content-Length: {length}\r\n") };
    write!(stream, "{method} {path} HTTP/1.1\r\nHost: test\r\nConnection: close\r\n{length}{headers}\r\n")?;
    // A server that has seen enough answers before everything is sent.
    _ = stream.write_all(body);
    let mut body = BufReader::new(stream);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if body.read_line(&mut head)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
    let headers = head.to_lowercase();
    let chunked = headers.contains("transfer-encoding: chunked");
    Ok(Answer { status, headers, body, chunked, left: 0 })
}

pub(crate) fn bearer(token: &str) -> String {
    format!("Authorization: Bearer {token}")
}

impl Answer {
    /// The next line of the body; none at its end, an error where it broke off.
    pub(crate) fn line(&mut self) -> io::Result<Option<String>> {
        let mut line = Vec::new();
        let mut byte = [0];
        loop {
            if self.read(&mut byte)? == 0 {
                return if line.is_empty() { Ok(None) } else { Err(io::ErrorKind::UnexpectedEof.into()) };
            }
            if byte == [b'\n'] {
                return String::from_utf8(line).map(Some).map_err(io::Error::other);
            }
            line.extend(byte);
        }
    }

    /// The next line that is not empty, as JSON.
    pub(crate) fn json(&mut self) -> io::Result<Option<Value>> {
        loop {
            match self.line()? {
                None => return Ok(None),
                Some(line) if line.is_empty() => {}
                Some(line) => return Ok(Some(serde_json::from_str(&line)?)),
            }
        }
    }

    /// All lines to the end, as JSON.
    pub(crate) fn all(&mut self) -> Vec<Value> {
        std::iter::from_fn(|| self.json().unwrap()).collect()
    }

    pub(crate) fn text(&mut self) -> String {
        let mut text = String::new();
        self.read_to_string(&mut text).unwrap();
        text
    }
}

impl Read for Answer {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if !self.chunked {
            return self.body.read(buffer);
        }
        if self.left == 0 {
            let mut size = String::new();
            while size.trim().is_empty() {
                size.clear();
                if self.body.read_line(&mut size)? == 0 {
                    return Err(io::ErrorKind::UnexpectedEof.into());
                }
            }
            self.left = usize::from_str_radix(size.trim(), 16).map_err(io::Error::other)?;
            if self.left == 0 {
                return Ok(0);
            }
        }
        let wanted = buffer.len().min(self.left);
        let got = self.body.read(&mut buffer[..wanted])?;
        self.left -= got;
        if got == 0 { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(got) }
    }
}

/// The part of a position that counts events.
pub(crate) fn sequence(value: &Value) -> u64 {
    value["position"].as_str().unwrap().split_once('-').unwrap().1.parse().unwrap()
}
