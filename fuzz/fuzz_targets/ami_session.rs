//! A session against a peer that says anything at any time: it never panics, never says its password, never hangs.
#![no_main]

use cordboard_switches::asterisk::session::{Output, Session};
use cordboard_switches::asterisk::session_config::{Secret, SessionConfig};
use libfuzzer_sys::fuzz_target;

const SECRET: &str = "correct-horse-battery";
/// More than any one input may cause: beyond it the session talks to itself.
const OUTPUTS_MAX: usize = 4_096;

fuzz_target!(|steps: Vec<(u16, u8, &[u8])>| {
    let mut session = Session::new(SessionConfig::new("cordboard", Secret::new(SECRET)), "fuzz", 7);
    let mut now_us = 0;
    session.start(now_us);
    drain(&mut session, now_us);
    for (wait_ms, what, bytes) in steps {
        now_us += u64::from(wait_ms) * 1_000;
        match what % 8 {
            0 => session.handle_connected(now_us),
            1 => session.handle_closed(now_us),
            2 => session.handle_connect_failed(now_us),
            3 => session.handle_timeout(now_us),
            4 => session.request_resync(now_us),
            5..=7 => session.handle_bytes(now_us, bytes),
            _ => unreachable!("a remainder of 8"),
        }
        drain(&mut session, now_us);
    }
});

fn drain(session: &mut Session, now_us: u64) {
    for _ in 0..OUTPUTS_MAX {
        match session.poll_output() {
            Some(Output::Connect) => session.handle_connected(now_us),
            Some(Output::Send(bytes)) => assert!(!bytes.windows(SECRET.len()).any(|text| text == SECRET.as_bytes())),
            Some(_) => {}
            None => return,
        }
    }
    panic!("more than {OUTPUTS_MAX} outputs from one input");
}
