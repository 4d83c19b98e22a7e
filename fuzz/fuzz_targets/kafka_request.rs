//! Any bytes, in any pieces, as a Kafka client could send them: nothing panics, no length makes anybody ask for memory
//! (libFuzzer ends a run that does), frames are never longer than allowed, and what was decoded is what its shape says.

#![no_main]

use cordboard_kafka::frame::Frames;
use cordboard_kafka::request;
use cordboard_kafka::shape::ShapeLimits;
use libfuzzer_sys::fuzz_target;

const BYTES_MAX: usize = 16_384;
const LIMITS: ShapeLimits = ShapeLimits { items_max: 1_000 };

fuzz_target!(|data: &[u8]| {
    let Some((size, rest)) = data.split_first() else { return };
    let mut frames = Frames::new(BYTES_MAX);
    for piece in rest.chunks(usize::from(*size) + 1) {
        frames.end().extend_from_slice(piece);
        loop {
            match frames.take() {
                Ok(Some(frame)) => {
                    assert!(frame.len() <= BYTES_MAX);
                    if let Ok((head, body)) = request::head(frame, LIMITS) {
                        assert!(!head.is_known_version || head.api.reads(head.version));
                        if let Ok(request) = request::body(&head, body, LIMITS) {
                            assert_eq!(request.api(), head.api);
                        }
                    }
                }
                Ok(None) => {
                    assert!(!frames.is_ready());
                    break;
                }
                // Nothing is read after it.
                Err(_) => return,
            }
        }
    }
    // Most bytes are no frames: they are tried as one, too.
    if let Ok((head, body)) = request::head(rest.to_vec().into(), LIMITS) {
        let _ = request::body(&head, body, LIMITS);
    }
});
