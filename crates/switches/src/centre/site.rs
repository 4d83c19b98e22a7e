//! What the centre consists of: forty agents and two supervisors, six queues, a menu in front of them, and some experts.

use cordboard_core::event::{ForwardMode, WorkMode, WrapUpPlan};

use super::{Person, day};
use crate::boxed::{AcdQueue, AgentPlan, Number, Options, Site, Telephone};

/// The number that callers of the menu reach.
pub(crate) const MENU: &str = "5001";
/// Telephones of experts, who serve no queue.
pub(crate) const EXPERTS: &[&str] = &["2001", "2002", "2003", "2004", "2005", "2006"];
/// Telephones of the supervisors.
pub(crate) const SUPERVISORS: &[&str] = &["1901", "1902"];
/// What begins so is outside.
pub(crate) const OUTSIDE_PREFIX: &str = "+";
const AGENTS: usize = 40;
/// An offered call that is not answered goes back to the queue after so long.
const OFFER_MS_MAX: u64 = 20_000;

/// A queue: its number, a name for people, the digit that leads there from the menu, and after-call work in seconds.
pub(crate) struct Desk {
    pub(crate) number: &'static str,
    pub(crate) title: &'static str,
    pub(crate) digit: &'static str,
    wrapup_s: u64,
    overflow: Option<(u64, &'static str)>,
}

/// The queues.
pub(crate) const DESKS: &[Desk] = &[
    Desk { number: "6001", title: "Sales", digit: "1", wrapup_s: 20, overflow: Some((45_000, "6002")) },
    Desk { number: "6002", title: "Service", digit: "2", wrapup_s: 15, overflow: None },
    Desk { number: "6003", title: "Billing", digit: "3", wrapup_s: 25, overflow: None },
    Desk { number: "6004", title: "Technical help", digit: "4", wrapup_s: 40, overflow: Some((60_000, "6002")) },
    Desk { number: "6005", title: "Orders", digit: "5", wrapup_s: 12, overflow: None },
    Desk { number: "6006", title: "Valued customers", digit: "9", wrapup_s: 30, overflow: None },
];

/// One of the people who serve the queues.
#[derive(Debug)]
pub(crate) struct Agent {
    pub(crate) id: String,
    pub(crate) device: String,
}

/// Who serves the queues, in the order of their shifts.
pub(crate) fn agents() -> Vec<Agent> {
    (0..AGENTS).map(|at| Agent { id: (8001 + at).to_string(), device: (1001 + at).to_string() }).collect()
}

/// Everybody who can log in: agents, then supervisors.
pub(super) fn people() -> Vec<Person> {
    let person = |(at, agent): (usize, Agent)| Person { agent: agent.id, name: name(at), device: agent.device };
    let supervisor = |(at, device): (usize, &&str)| Person {
        agent: supervisor_id(at),
        name: name(AGENTS + at),
        device: (*device).to_owned(),
    };
    agents().into_iter().enumerate().map(person).chain(SUPERVISORS.iter().enumerate().map(supervisor)).collect()
}

fn supervisor_id(at: usize) -> String {
    (8901 + at).to_string()
}

/// The whole site as it is when the demonstration begins.
pub(crate) fn site(switch: &str) -> Site {
    let mut numbers: Vec<(String, Number)> = Vec::new();
    let telephone = |number: &str| (number.to_owned(), Number::Extension(Telephone::default()));
    numbers.extend(agents().iter().map(|agent| telephone(&agent.device)));
    numbers.extend(SUPERVISORS.iter().map(|number| {
        let supervisor = Telephone { auto_answer: true, ..Telephone::default() };
        ((*number).to_owned(), Number::Extension(supervisor))
    }));
    numbers.extend(EXPERTS.iter().map(|number| ((*number).to_owned(), Number::Extension(expert(number)))));
    numbers.extend(DESKS.iter().enumerate().map(|(at, desk)| (desk.number.to_owned(), queue(at, desk))));
    numbers.push((MENU.to_owned(), Number::RoutePoint));
    let options = Options {
        route_ms: Some(60_000),
        default_target: Some("6002".to_owned()),
        outside_prefix: Some(OUTSIDE_PREFIX.to_owned()),
        ..Options::default()
    };
    Site { switch: switch.to_owned(), numbers, agents: plans(), options }
}

/// Some are forwarded when they do not answer, and one takes one call at a time.
fn expert(number: &str) -> Telephone {
    let forward = match number {
        "2001" => vec![(ForwardMode::OnNoAnswer, "2002".to_owned())],
        "2003" => vec![(ForwardMode::OnBusyAndNoAnswer, "2004".to_owned())],
        _ => Vec::new(),
    };
    Telephone { single_call: true, no_answer_ms: Some(18_000), forward, ..Telephone::default() }
}

fn queue(at: usize, desk: &Desk) -> Number {
    Number::AcdQueue(AcdQueue {
        overflow_after: desk.overflow.map(|(ms, to)| (ms, to.to_owned())),
        no_answer_ms: Some(OFFER_MS_MAX),
        no_answer_not_ready: true,
        priority: u32::from(at + 1 == DESKS.len()),
        ..AcdQueue::default()
    })
}

/// Every agent serves two or three queues, and finishes work as the first of them asks for.
fn plans() -> Vec<AgentPlan> {
    let minute = day::minute(cordboard_core::Time(0), cordboard_core::Time(0));
    let mut plans: Vec<AgentPlan> = agents()
        .into_iter()
        .enumerate()
        .map(|(at, agent)| {
            let desks = [at % DESKS.len(), (at / 2 + 1) % DESKS.len(), (at / 3 + 3) % DESKS.len()];
            let mut queues: Vec<String> = Vec::new();
            for number in desks.into_iter().filter_map(|at| DESKS.get(at)).map(|desk| desk.number.to_owned()) {
                if !queues.contains(&number) {
                    queues.push(number);
                }
            }
            let wrapup_s = DESKS.get(at % DESKS.len()).map_or(0, |desk| desk.wrapup_s);
            AgentPlan {
                id: agent.id,
                name: name(at),
                device: day::works(at, minute).then_some(agent.device),
                queues,
                ready: true,
                mode: WorkMode::AutoIn,
                wrapup: WrapUpPlan::Timed { ms: wrapup_s * 1_000 },
                skills: Vec::new(),
            }
        })
        .collect();
    plans.extend(SUPERVISORS.iter().enumerate().map(|(at, device)| AgentPlan {
        id: supervisor_id(at),
        name: name(AGENTS + at),
        device: Some((*device).to_owned()),
        queues: vec!["6002".to_owned()],
        ready: false,
        mode: WorkMode::AuxWork,
        wrapup: WrapUpPlan::None,
        skills: Vec::new(),
    }));
    plans
}

fn name(at: usize) -> String {
    const FIRST: &[&str] = &["Aino", "Björn", "Chloé", "Dario", "Eeva", "Farid", "Greta", "Hugo", "Ines", "Joon"];
    const LAST: &[&str] = &["Aalto", "Berg", "Costa", "Duval", "Ek"];
    let pick = |names: &[&'static str], at: usize| names.get(at % names.len()).copied().unwrap_or_default();
    format!("{} {}", pick(FIRST, at), pick(LAST, at / FIRST.len()))
}
