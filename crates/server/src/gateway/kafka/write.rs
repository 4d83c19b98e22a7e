//! Writes an answer, part by part, without putting the parts together first.

use std::collections::VecDeque;
use std::io::{self, IoSlice};

use bytes::{Buf as _, Bytes};
use tokio::net::TcpStream;

/// Parts that are given to the system at once.
const SLICES: usize = 32;

/// Writes all parts.
pub(super) async fn write_all(stream: &TcpStream, parts: Vec<Bytes>) -> io::Result<()> {
    let mut parts: VecDeque<Bytes> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    while !parts.is_empty() {
        stream.writable().await?;
        let mut slices = [IoSlice::new(&[]); SLICES];
        for (slice, part) in slices.iter_mut().zip(&parts) {
            *slice = IoSlice::new(part);
        }
        match stream.try_write_vectored(slices.get(..parts.len().min(SLICES)).unwrap_or_default()) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(written) => advance(&mut parts, written),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Takes away what was written.
fn advance(parts: &mut VecDeque<Bytes>, mut written: usize) {
    while let Some(part) = parts.front_mut() {
        if part.len() > written {
            part.advance(written);
            return;
        }
        written -= part.len();
        parts.pop_front();
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncReadExt as _;
    use tokio::net::TcpListener;

    use super::*;

    #[tokio::test]
    async fn parts_arrive_in_order_however_many_and_large_they_are() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let reading = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut all = Vec::new();
            stream.read_to_end(&mut all).await.unwrap();
            all
        });
        let stream = TcpStream::connect(address).await.unwrap();
        let sizes = (0..200_usize).map(|n| if n % 7 == 0 { 0 } else { n * n * 3 });
        let parts: Vec<Bytes> = sizes.enumerate().map(|(n, size)| Bytes::from(vec![n as u8; size])).collect();
        write_all(&stream, parts.clone()).await.unwrap();
        drop(stream);
        assert!(reading.await.unwrap() == parts.concat());
    }
}
