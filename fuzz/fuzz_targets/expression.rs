//! Conditions of alerts: no text does harm, and what is read is read as the same again when it is printed.
#![no_main]

use cordboard_dialects::enreach::expression::{parse, print};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Ok(condition) = parse(text) {
        let printed = print(&condition);
        // Signs and spaces may make it longer than what may be read.
        if let Ok(again) = parse(&printed) {
            assert_eq!(again, condition, "{printed}");
        } else {
            assert!(printed.len() > cordboard_dialects::enreach::expression::TEXT_BYTES_MAX, "{printed}");
        }
    }
});
