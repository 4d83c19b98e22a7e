//! The same frames however the bytes are chopped, and never more kept than the limits allow.
#![no_main]

use cordboard_switches::asterisk::ami::{Codec, CodecLimits, Frame, Malformed};
use libfuzzer_sys::fuzz_target;

/// Small, so that short inputs reach them.
const LIMITS: CodecLimits = CodecLimits { line_bytes_max: 48, message_bytes_max: 160, message_headers_max: 6 };

fuzz_target!(|input: (Vec<u8>, &[u8])| {
    let (sizes, bytes) = input;
    assert_eq!(frames(core::iter::once(bytes)), frames(chopped(&sizes, bytes)));
});

fn frames<'a>(pieces: impl Iterator<Item = &'a [u8]>) -> Vec<Result<Frame, Malformed>> {
    let (mut codec, mut out) = (Codec::new(LIMITS), Vec::new());
    for piece in pieces {
        codec.handle_bytes(piece);
        while let Some(frame) = codec.poll_frame() {
            out.push(frame);
        }
        // A message at its limit, the end of its last line, and the first byte of the next line's end.
        assert!(codec.bytes_kept() <= LIMITS.message_bytes_max as usize + 4, "{} bytes kept", codec.bytes_kept());
    }
    out
}

/// Cuts `bytes` into pieces of these sizes, again and again; a size of 0 is an empty piece, which must do no harm.
fn chopped<'a>(sizes: &'a [u8], bytes: &'a [u8]) -> impl Iterator<Item = &'a [u8]> {
    let (mut rest, mut sizes) = (bytes, sizes.iter().copied().chain([1]).cycle());
    core::iter::from_fn(move || {
        let size = usize::from(sizes.next()?).min(rest.len());
        let (piece, left) = rest.split_at(size);
        let more = !rest.is_empty();
        rest = left;
        more.then_some(piece)
    })
}
