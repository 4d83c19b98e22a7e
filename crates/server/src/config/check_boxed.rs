//! What types cannot say about a built-in switch: numbers, and who is meant by them.

use std::collections::{BTreeMap, BTreeSet};

use super::boxed::{Boxed, BoxedAgent, BoxedExtension, BoxedQueue};
use super::check::Problems;

/// The form of numbers, in words.
pub(super) const NUMBER_FORM: &str = "1 to 64 printable characters without blanks, quotes and colons";
const NUMBER_CHARS_MAX: usize = 64;
/// Numbers in one row.
const ROW_MAX: u64 = 10_000;

/// Whether this can be a directory number or the id of an agent.
pub(super) fn is_number(number: &str) -> bool {
    let allowed = |c: char| c.is_ascii_graphic() && !matches!(c, '"' | '\'' | ':' | '\\');
    !number.is_empty() && number.len() <= NUMBER_CHARS_MAX && number.chars().all(allowed)
}

/// The numbers of a row like `1001-1050`; anything else is one number.
///
/// # Errors
/// What is wrong with the row, and what would be right.
pub(crate) fn row(text: &str) -> Result<Vec<String>, (String, String)> {
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let Some((first, last)) = text.split_once('-').filter(|(first, last)| digits(first) && digits(last)) else {
        return Ok(vec![text.to_owned()]);
    };
    let wrong = |wrong: &str| (format!("{text:?}: {wrong}"), "a row as \"1001-1050\"".to_owned());
    let (Ok(from), Ok(to)) = (first.parse::<u64>(), last.parse::<u64>()) else {
        return Err(wrong("these are too large"));
    };
    if first.len() != last.len() || from > to {
        return Err(wrong("the last must be as long as the first, and not less"));
    }
    if to - from >= ROW_MAX {
        return Err(wrong("there are more than 10 000 numbers in it"));
    }
    Ok((from..=to).map(|number| format!("{number:0width$}", width = first.len())).collect())
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Extension,
    Queue,
    Other,
}

/// The numbers of a switch, and what each is.
struct Plan {
    numbers: BTreeMap<String, Kind>,
    prefix: Option<String>,
}

/// Everything that is wrong with a built-in switch.
pub(super) fn check(key: &str, boxed: &Boxed, problems: &mut Problems) {
    let plan = plan(key, boxed, problems);
    let need = |at: String, target: &Option<String>, kind: Option<Kind>, problems: &mut Problems| {
        if let Some(target) = target {
            plan.need(at, target, kind, problems);
        }
    };
    for (index, it) in boxed.extension.iter().enumerate() {
        let BoxedExtension {
            forward_unconditional,
            forward_on_busy,
            forward_on_no_answer,
            forward_on_busy_and_no_answer,
            ..
        } = it;
        let key = format!("{key}.extension[{index}]");
        for (name, target) in [
            ("forward_unconditional", forward_unconditional),
            ("forward_on_busy", forward_on_busy),
            ("forward_on_no_answer", forward_on_no_answer),
            ("forward_on_busy_and_no_answer", forward_on_busy_and_no_answer),
        ] {
            need(format!("{key}.{name}"), target, None, problems);
        }
        need(format!("{key}.appearance_of"), &it.appearance_of, Some(Kind::Extension), problems);
    }
    for (index, it) in boxed.acd_queue.iter().enumerate() {
        let key = format!("{key}.acd_queue[{index}]");
        for queue in &it.overflow_to {
            plan.need(format!("{key}.overflow_to"), queue, Some(Kind::Queue), problems);
        }
        pairs(&key, it, problems);
        need(format!("{key}.overflow_after_to"), &it.overflow_after_to, Some(Kind::Queue), problems);
        need(format!("{key}.leave_after_to"), &it.leave_after_to, None, problems);
    }
    for (index, it) in boxed.ring_group.iter().enumerate() {
        for member in &it.members {
            plan.need(format!("{key}.ring_group[{index}].members"), member, Some(Kind::Extension), problems);
        }
    }
    need(format!("{key}.default_target"), &boxed.default_target, None, problems);
    if boxed.route_ms.is_some() && boxed.default_target.is_none() {
        problems.add(format!("{key}.route_ms"), "there is no default_target", "both keys, or neither");
    }
    problems.at_least(&format!("{key}.calls_max"), boxed.calls_max as u64, 1);
    agents(key, boxed, &plan, problems);
}

impl Plan {
    fn need(&self, at: String, number: &str, kind: Option<Kind>, problems: &mut Problems) {
        let found = self.numbers.get(number);
        let outside = self.prefix.as_deref().is_some_and(|prefix| number.starts_with(prefix));
        let right = match kind {
            None if found.is_some() || outside => return,
            Some(kind) if found == Some(&kind) => return,
            Some(Kind::Extension) => "a number of an extension of this switch",
            Some(Kind::Queue) => "a number of an acd_queue of this switch",
            Some(Kind::Other) | None => "a number of this switch, or one with its outside_prefix",
        };
        problems.add(at, format!("{number:?} is none"), right);
    }
}

fn plan(key: &str, boxed: &Boxed, problems: &mut Problems) -> Plan {
    let mut plan = Plan { numbers: BTreeMap::new(), prefix: boxed.outside_prefix.clone() };
    let mut add = |at: String, number: String, kind: Kind| {
        if !is_number(&number) {
            problems.add(at, format!("{number:?} is no number"), NUMBER_FORM);
        } else if let Some(taken) = plan.numbers.insert(number.clone(), kind) {
            problems.add(at, format!("{number:?} is there already"), "a number of its own");
            plan.numbers.insert(number, taken);
        }
    };
    let mut wrong = Vec::new();
    for (index, it) in boxed.extension.iter().enumerate() {
        let at = format!("{key}.extension[{index}].number");
        match row(&it.number) {
            Ok(numbers) => numbers.into_iter().for_each(|number| add(at.clone(), number, Kind::Extension)),
            Err(error) => wrong.push((at, error)),
        }
    }
    for (index, it) in boxed.acd_queue.iter().enumerate() {
        add(format!("{key}.acd_queue[{index}].number"), it.number.clone(), Kind::Queue);
    }
    for (index, it) in boxed.ring_group.iter().enumerate() {
        add(format!("{key}.ring_group[{index}].number"), it.number.clone(), Kind::Other);
    }
    for (name, numbers) in
        [("outside", &boxed.outside), ("route_queue", &boxed.route_queue), ("route_point", &boxed.route_point)]
    {
        numbers.iter().for_each(|number| add(format!("{key}.{name}"), number.clone(), Kind::Other));
    }
    for (at, (wrong, right)) in wrong {
        problems.add(at, wrong, right);
    }
    plan
}

/// Keys that mean something only together.
fn pairs(key: &str, queue: &BoxedQueue, problems: &mut Problems) {
    for (name, after, to) in [
        ("overflow_after", queue.overflow_after_ms, &queue.overflow_after_to),
        ("leave_after", queue.leave_after_ms, &queue.leave_after_to),
    ] {
        if after.is_some() != to.is_some() {
            let wrong = format!("only one of {name}_ms and {name}_to is given");
            problems.add(format!("{key}.{name}_ms"), wrong, "both, or neither");
        }
    }
}

fn agents(key: &str, boxed: &Boxed, plan: &Plan, problems: &mut Problems) {
    let (mut ids, mut seats) = (BTreeSet::new(), BTreeSet::new());
    for (index, it) in boxed.agent.iter().enumerate() {
        let key = format!("{key}.agent[{index}]");
        let BoxedAgent { id, device, queues, wrapup_ms, wrapup_untimed, .. } = it;
        let mut rows = [("id", Some(id)), ("device", device.as_ref())].into_iter().map(|(name, text)| {
            row(text.map_or("", String::as_str)).unwrap_or_else(|(wrong, right)| {
                problems.add(format!("{key}.{name}"), wrong, right);
                Vec::new()
            })
        });
        let (own, devices) = (rows.next().unwrap_or_default(), rows.next().unwrap_or_default());
        for id in &own {
            if !is_number(id) {
                problems.add(format!("{key}.id"), format!("{id:?} is no id"), NUMBER_FORM);
            } else if !ids.insert(id.clone()) {
                problems.add(format!("{key}.id"), format!("{id:?} is there already"), "an id of its own");
            }
        }
        if device.is_some() && devices.len() != own.len() {
            let wrong = format!("there are {} ids and {} telephones", own.len(), devices.len());
            problems.add(format!("{key}.device"), wrong, "as many as ids");
        }
        for device in devices.iter().filter(|_| device.is_some()) {
            plan.need(format!("{key}.device"), device, Some(Kind::Extension), problems);
            if !seats.insert(device.clone()) {
                problems.add(format!("{key}.device"), format!("{device:?} is taken"), "one agent a telephone");
            }
        }
        for queue in queues {
            plan.need(format!("{key}.queues"), queue, Some(Kind::Queue), problems);
        }
        if *wrapup_untimed && *wrapup_ms > 0 {
            let wrong = "after-call work cannot be timed and untimed";
            problems.add(format!("{key}.wrapup_ms"), wrong, "0 with wrapup_untimed = true");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::check::check as check_all;
    use super::super::settings::{Config, Tenant};
    use super::*;

    fn good() -> Boxed {
        Boxed {
            name: "box".into(),
            extension: vec![BoxedExtension { number: "1001-1003".into(), ..BoxedExtension::default() }],
            acd_queue: vec![BoxedQueue { number: "6001".into(), ..BoxedQueue::default() }],
            agent: vec![BoxedAgent {
                id: "8001-8002".into(),
                device: Some("1001-1002".into()),
                queues: vec!["6001".into()],
                ..BoxedAgent::default()
            }],
            outside_prefix: Some("+".into()),
            ..Boxed::default()
        }
    }

    fn wrong(change: impl FnOnce(&mut Boxed)) -> Vec<String> {
        let mut boxed = good();
        change(&mut boxed);
        let tenant = Tenant { name: "acme".into(), boxed: vec![boxed], ..Tenant::default() };
        let config = Config { tenant: vec![tenant], ..Config::default() };
        check_all(&config).into_iter().map(|problem| problem.key.replace("tenant[0].boxed[0].", "")).collect()
    }

    #[test]
    fn rows_are_read() {
        assert_eq!(row("0998-1001").unwrap(), ["0998", "0999", "1000", "1001"]);
        assert_eq!(row("sip-7").unwrap(), ["sip-7"]);
        for wrong in ["10-9", "1-10", "00001-99999", "1-99999999999999999999"] {
            assert!(row(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn every_mistake_is_found_at_its_key() {
        assert_eq!(wrong(|_| {}), [""; 0]);
        assert_eq!(wrong(|it| it.route_point.push("1002".into())), ["route_point"]);
        assert_eq!(wrong(|it| it.acd_queue[0].number = "6 001".into())[0], "acd_queue[0].number");
        assert_eq!(wrong(|it| it.extension[0].number = "1003-1001".into())[0], "extension[0].number");
        assert_eq!(wrong(|it| it.extension[0].forward_on_busy = Some("77".into())), ["extension[0].forward_on_busy"]);
        assert_eq!(wrong(|it| it.extension[0].forward_on_busy = Some("+4930".into())), [""; 0]);
        assert_eq!(wrong(|it| it.acd_queue[0].overflow_to.push("1001".into())), ["acd_queue[0].overflow_to"]);
        assert_eq!(wrong(|it| it.acd_queue[0].leave_after_ms = Some(1)), ["acd_queue[0].leave_after_ms"]);
        assert_eq!(wrong(|it| it.route_ms = Some(1)), ["route_ms"]);
        assert_eq!(wrong(|it| it.agent[0].device = Some("1001".into())), ["agent[0].device"]);
        assert_eq!(wrong(|it| it.agent[0].queues.push("6009".into())), ["agent[0].queues"]);
        assert_eq!(wrong(|it| it.agent.push(it.agent[0].clone())).len(), 4);
        assert_eq!(wrong(|it| it.calls_max = 0), ["calls_max"]);
    }
}
