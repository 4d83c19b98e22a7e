//! Frames: each request and each answer is a length of four bytes, big-endian, and so many bytes.

use bytes::{Bytes, BytesMut};

/// Bytes of the length in front of a frame.
pub const LENGTH_BYTES: usize = 4;

/// Cuts what comes in into frames. Its memory grows with what came, never with what a length promises.
#[derive(Debug)]
pub struct Frames {
    buffer: BytesMut,
    bytes_max: usize,
}

impl Frames {
    /// For frames of at most so many bytes, without their length.
    #[must_use]
    pub fn new(bytes_max: usize) -> Self {
        Self { buffer: BytesMut::new(), bytes_max }
    }

    /// From the next frame on, frames may have so many bytes.
    pub fn allow(&mut self, bytes_max: usize) {
        self.bytes_max = bytes_max;
    }

    /// Where to put what comes in: at the end.
    pub fn end(&mut self) -> &mut BytesMut {
        &mut self.buffer
    }

    /// Bytes that came and were not taken.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.buffer.len()
    }

    /// The bytes of the frame that is on its way or here, without its length; none where its length is not here yet.
    ///
    /// # Errors
    /// [`FrameError`] where such a frame is never read.
    pub fn wanted(&self) -> Result<Option<usize>, FrameError> {
        let Some(length) = self.buffer.first_chunk::<LENGTH_BYTES>() else { return Ok(None) };
        let length = i32::from_be_bytes(*length);
        let bytes = usize::try_from(length).map_err(|_| FrameError::Negative(length))?;
        if bytes > self.bytes_max {
            return Err(FrameError::TooLong { bytes, bytes_max: self.bytes_max });
        }
        Ok(Some(bytes))
    }

    /// Whether a whole frame is here, or one that will be refused.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        match self.wanted() {
            Ok(Some(bytes)) => self.buffer.len() >= LENGTH_BYTES + bytes,
            Ok(None) => false,
            Err(FrameError::Negative(_) | FrameError::TooLong { .. }) => true,
        }
    }

    /// The next frame without its length, where it is all here.
    ///
    /// # Errors
    /// [`FrameError`]; nothing that comes after it can be read.
    pub fn take(&mut self) -> Result<Option<Bytes>, FrameError> {
        let Some(bytes) = self.wanted()? else { return Ok(None) };
        if self.buffer.len() < LENGTH_BYTES + bytes {
            return Ok(None);
        }
        let mut frame = self.buffer.split_to(LENGTH_BYTES + bytes);
        drop(frame.split_to(LENGTH_BYTES));
        if self.buffer.is_empty() {
            // Nothing is kept for who only waits.
            self.buffer = BytesMut::new();
        }
        Ok(Some(frame.freeze()))
    }
}

/// Why no frame can be read any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// A negative length.
    #[error("a frame of {0} bytes; is it Kafka's protocol that is spoken?")]
    Negative(i32),
    /// More than there may be.
    #[error("a frame of {bytes} bytes; {bytes_max} would be right at most (is it Kafka's protocol that is spoken?)")]
    TooLong {
        /// How many.
        bytes: usize,
        /// How many there may be.
        bytes_max: usize,
    },
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn framed(frames: &[Vec<u8>]) -> Vec<u8> {
        frames.iter().flat_map(|frame| (frame.len() as u32).to_be_bytes().into_iter().chain(frame.clone())).collect()
    }

    #[test]
    fn lengths_that_lie_are_refused_before_their_bytes_come() {
        let mut frames = Frames::new(10);
        frames.end().extend_from_slice(&11_u32.to_be_bytes());
        assert_eq!(frames.take(), Err(FrameError::TooLong { bytes: 11, bytes_max: 10 }));
        assert!(frames.is_ready());
        frames.allow(11);
        assert_eq!(frames.take(), Ok(None));
        assert!(!frames.is_ready());
        let mut frames = Frames::new(usize::MAX);
        frames.end().extend_from_slice(b"\xff\xff\xff\xff");
        assert_eq!(frames.take(), Err(FrameError::Negative(-1)));
    }

    proptest! {
        #[test]
        fn frames_come_out_as_they_went_in_however_they_are_cut(
            given in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..40), 0..8),
            cuts in proptest::collection::vec(1..20_usize, 1..30),
        ) {
            let (bytes, mut frames, mut found) = (framed(&given), Frames::new(40), Vec::new());
            let (mut rest, mut cuts) = (bytes.as_slice(), cuts.iter().cycle());
            while !rest.is_empty() {
                let (now, later) = rest.split_at((*cuts.next().unwrap()).min(rest.len()));
                frames.end().extend_from_slice(now);
                rest = later;
                while let Some(frame) = frames.take().unwrap() {
                    found.push(frame.to_vec());
                }
                prop_assert!(!frames.is_ready());
            }
            prop_assert_eq!(found, given);
            prop_assert_eq!(frames.waiting(), 0);
        }
    }
}
