//! Happenings in words: who, a verb, and the call's name.

use cordboard_core::event::CallResult;
use cordboard_switches::boxed::{At, Happening};

use super::line::{Line, Words};

/// Writes a happening.
pub(super) fn write(happening: &Happening, words: &mut Words) {
    let differs = |text: &str, usual: &str| (text != usual).then(|| text.to_string());
    match happening {
        Happening::Inbound { from, to, ani, dnis } => words
            .word(from)
            .word("calls")
            .word(to)
            .pair("ani", differs(ani, from).as_deref())
            .pair("dnis", differs(dnis, to).as_deref()),
        Happening::Dial { device, to } => words.word(device).word("dials").word(to),
        Happening::Reach(at) => words.word(&at.number).word("is-alerted").word(&at.call),
        Happening::Answer { at, by } => words
            .word(&at.number)
            .word("answers")
            .word(&at.call)
            .pair("by", (*by != CallResult::Person).then(|| super::line::name(by)).as_deref()),
        Happening::HangUp(at) => words.word(&at.number).word("hangs-up").word(&at.call),
        Happening::Fail { at, cause } => words.word(&at.number).word("fails").word(&at.call).of(cause),
        Happening::TreatmentEnd { at, digits } => {
            words.word(&at.number).word("treatment-ends").word(&at.call).pair("digits", digits.as_deref())
        }
        Happening::OutOfService { device } => words.word(device).word("out-of-service"),
        Happening::BackInService { device } => words.word(device).word("back-in-service"),
    };
}

/// Reads a happening.
pub(super) fn read(line: &mut Line) -> Result<Happening, String> {
    let who = line.want("a number")?;
    let verb = line.want("what happens")?;
    let at = |line: &mut Line| Ok::<At, String>(At { number: who.clone(), call: line.want("a call's name")? });
    Ok(match verb.as_str() {
        "calls" => {
            let to = line.want("a number")?;
            let ani = line.pair("ani").unwrap_or_else(|| who.clone());
            let dnis = line.pair("dnis").unwrap_or_else(|| to.clone());
            Happening::Inbound { from: who, to, ani, dnis }
        }
        "dials" => Happening::Dial { device: who, to: line.want("a number")? },
        "is-alerted" => Happening::Reach(at(line)?),
        "answers" => Happening::Answer { at: at(line)?, by: line.pair_word("by")?.unwrap_or(CallResult::Person) },
        "hangs-up" => Happening::HangUp(at(line)?),
        "fails" => Happening::Fail { at: at(line)?, cause: line.want_word("a cause")? },
        "treatment-ends" => Happening::TreatmentEnd { at: at(line)?, digits: line.pair("digits") },
        "out-of-service" => Happening::OutOfService { device: who },
        "back-in-service" => Happening::BackInService { device: who },
        other => {
            return Err(format!(
                "{other:?} is no happening; right would be calls, dials, is-alerted, answers, hangs-up, fails, \
                 treatment-ends, out-of-service or back-in-service"
            ));
        }
    })
}

/// The number's part in a call that a happening is about.
pub(super) fn at_mut(happening: &mut Happening) -> Option<&mut At> {
    match happening {
        Happening::Reach(at)
        | Happening::HangUp(at)
        | Happening::Answer { at, .. }
        | Happening::Fail { at, .. }
        | Happening::TreatmentEnd { at, .. } => Some(at),
        Happening::Inbound { .. }
        | Happening::Dial { .. }
        | Happening::OutOfService { .. }
        | Happening::BackInService { .. } => None,
    }
}
