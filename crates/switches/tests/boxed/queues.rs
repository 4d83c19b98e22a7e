//! Queues: who is served next, by whom, and what becomes of those who wait.

use cordboard_core::event::{CallResult, Cause, Pairs, WorkMode};
use cordboard_core::request::{Ask, PredictiveTargets};
use cordboard_switches::boxed::{AcdQueue, AgentPlan, Number, Options};

use crate::house::{House, NOTHING, agent, queue, tells};

fn acd(queue: AcdQueue) -> Number {
    Number::AcdQueue(queue)
}

fn house(queues: &[(&str, AcdQueue)], agents: &[AgentPlan]) -> House {
    let numbers: Vec<(&str, Number)> = queues.iter().map(|(name, queue)| (*name, acd(queue.clone()))).collect();
    House::new(&numbers, agents, Options::default())
}

#[test]
fn a_call_goes_to_a_free_agent() {
    let mut house = house(&[("6001", queue())], &[agent("8001", "1003", &["6001"], true)]);
    tells(
        house.call("1001", "6001"),
        "c1 Internal 1001>6001
         c1 1001 dials
         c1 waits 6001 1
         c1 leaves 6001 Delivered>1003
         c1 1003 rings of 6001",
    );
    tells(house.answer("1003", 1), "c1 1003 talks\n c1 1001 talks");
    tells(house.call("1002", "6001"), "c2 Internal 1002>6001\n c2 1002 dials\n c2 waits 6001 1");
    tells(
        house.release("1003", 1),
        "c1 1003 ends Normal self
         c1 1001 ends Normal
         c1 over Answered
         c2 leaves 6001 Delivered>1003
         c2 1003 rings of 6001",
    );
}

#[test]
fn a_caller_gives_up_waiting() {
    let mut house = house(&[("6001", queue())], &[agent("8001", "1003", &["6001"], false)]);
    house.inbound("0501", "6001");
    tells(house.hang_up("0501", 1), "c1 0501 ends Normal self\n c1 leaves 6001 Abandoned\n c1 over Abandoned");
    tells(house.ready("1003", WorkMode::AutoIn), "8001 mode AutoIn\n 8001 ready");
}

#[test]
fn a_call_waits_in_several_queues_at_once() {
    let first = AcdQueue { overflow_to: vec!["6002".to_owned()], ..queue() };
    let agents = [agent("8001", "1003", &["6002"], false)];
    let mut house = house(&[("6001", first), ("6002", queue())], &agents);
    tells(house.call("1001", "6001"), "c1 Internal 1001>6001\n c1 1001 dials\n c1 waits 6001 1\n c1 waits 6002 1");
    tells(
        house.ready("1003", WorkMode::AutoIn),
        "8001 mode AutoIn
         8001 ready
         c1 leaves 6002 Delivered>1003
         c1 leaves 6001 DeliveredElsewhere
         c1 1003 rings of 6002",
    );
}

#[test]
fn calls_overflow_after_a_time_and_leave_after_another() {
    let first = AcdQueue {
        overflow_after: Some((10_000, "6002".to_owned())),
        leave_after: Some((30_000, "1002".to_owned())),
        ..queue()
    };
    let mut house = house(&[("6001", first), ("6002", queue())], &[]);
    house.inbound("0501", "6001");
    tells(house.pass(9), NOTHING);
    tells(house.pass(1), "c1 waits 6002 1");
    tells(house.pass(20), "c1 leaves 6001 TimedOut>1002\n c1 leaves 6002 DeliveredElsewhere\n c1 1002 rings");
}

#[test]
fn who_does_not_answer_loses_the_call_to_the_queue() {
    let first = AcdQueue { no_answer_ms: Some(15_000), no_answer_not_ready: true, ..queue() };
    let mut house = house(&[("6001", first)], &[agent("8001", "1003", &["6001"], true)]);
    house.call("1001", "6001");
    tells(house.pass(14), NOTHING);
    tells(house.pass(1), "c1 1003 ends NoAnswer\n c1 waits 6001 1\n 8001 mode AuxWork\n 8001 not ready no answer");
    tells(
        house.ready("1003", WorkMode::AutoIn),
        "8001 mode AutoIn\n 8001 ready\n c1 leaves 6001 Delivered>1003\n c1 1003 rings of 6001",
    );
    tells(
        house.release("1003", 1),
        "c1 1003 ends Rejected self\n c1 waits 6001 1\n 8001 mode AuxWork\n 8001 not ready no answer",
    );
}

#[test]
fn the_longest_free_agent_is_next_and_a_missed_call_goes_to_another() {
    let first = AcdQueue { no_answer_ms: Some(15_000), ..queue() };
    let agents = [agent("8001", "1003", &["6001"], true), agent("8002", "1004", &["6001"], true)];
    let mut house = house(&[("6001", first)], &agents);
    assert!(house.inbound("0501", "6001").ends_with("1003 rings of 6001"));
    let told = house.pass(15);
    assert!(told.ends_with("1004 rings of 6001"), "{told}");
    house.hang_up("0501", 1);
    assert!(house.inbound("0502", "6001").ends_with("1004 rings of 6001"), "1003 missed the first one later");
}

#[test]
fn skill_comes_before_patience_and_priority_before_age() {
    let french = AcdQueue { skills: vec!["french".to_owned()], ..queue() };
    let urgent = AcdQueue { priority: 9, ..queue() };
    let skilled = |id: &str, device: &str, level: Option<u8>| AgentPlan {
        skills: level.map(|level| ("french".to_owned(), level)).into_iter().collect(),
        ..agent(id, device, &["6001", "6002", "6003"], true)
    };
    let agents = [skilled("8001", "1003", None), skilled("8002", "1004", Some(2)), skilled("8003", "1005", Some(7))];
    let mut house = house(&[("6001", french), ("6002", queue()), ("6003", urgent)], &agents);
    assert!(house.inbound("0501", "6001").ends_with("1005 rings of 6001"), "the best");
    assert!(house.inbound("0502", "6001").ends_with("1004 rings of 6001"), "the next best");
    assert!(house.inbound("0503", "6001").ends_with("waits 6001 1"), "nobody else can");
    assert!(house.inbound("0504", "6002").ends_with("1003 rings of 6002"));
    assert!(house.inbound("0505", "6002").ends_with("waits 6002 1"));
    assert!(house.inbound("0506", "6003").ends_with("waits 6003 1"));
    let told = house.hang_up("0504", 4);
    assert!(told.ends_with("c6 1003 rings of 6003"), "the urgent one, though it came last: {told}");
}

#[test]
fn a_private_call_does_not_keep_an_agent_from_calls_of_a_queue() {
    let mut house = house(&[("6001", queue())], &[agent("8001", "1003", &["6001"], true)]);
    house.talk("1001", "1003");
    assert!(house.inbound("0501", "6001").ends_with("1003 rings of 6001"));
    assert!(house.inbound("0502", "6001").ends_with("waits 6001 1"));
}

fn predictive(house: &mut House, queue: &str, ring_ms: u64, targets: PredictiveTargets) -> String {
    let (to, user_data) = ("0501".to_owned(), Pairs::new());
    house.ask(queue, Ask::MakePredictiveCall { to, ring_ms, user_data, targets })
}

#[test]
fn a_queue_dials_for_its_agents() {
    let mut house = house(&[("6001", queue())], &[agent("8001", "1001", &["6001"], true)]);
    let targets = PredictiveTargets { machine: Some("1001".to_owned()), ..PredictiveTargets::default() };
    tells(
        predictive(&mut house, "6001", 30_000, targets.clone()),
        "c1 Outbound 6001>0501\n c1 6001 dials\n c1 0501 rings",
    );
    tells(
        house.picks_up("0501", 1, CallResult::Person),
        "c1 6001 ends Queued
         c1 0501 with System
         c1 waits 6001 1
         c1 leaves 6001 Delivered>1001
         c1 1001 rings of 6001",
    );
    tells(house.answer("1001", 1), "c1 1001 talks");
    tells(house.release("1001", 1), "c1 1001 ends Normal self\n c1 0501 ends Normal\n c1 over Answered");
    predictive(&mut house, "6001", 30_000, targets.clone());
    tells(house.fails("0501", 2, Cause::Busy), "c2 0501 ends Busy\n c2 6001 ends Busy\n c2 over Busy");
    predictive(&mut house, "6001", 30_000, targets.clone());
    tells(house.pass(30), "c3 0501 ends NoAnswer\n c3 6001 ends NoAnswer\n c3 over NoAnswer");
    predictive(&mut house, "6001", 30_000, targets.clone());
    tells(
        house.picks_up("0501", 4, CallResult::AnsweringMachine),
        "c4 met AnsweringMachine
         c4 6001 ends Queued
         c4 0501 with System
         c4 waits 6001 1
         c4 leaves 6001 Routed>1001
         c4 1001 rings of 6001",
    );
    house.hang_up("0501", 4);
    predictive(&mut house, "6001", 30_000, targets);
    tells(
        house.picks_up("0501", 5, CallResult::Fax),
        "c5 met Fax\n c5 6001 ends Normal\n c5 0501 with System\n c5 0501 ends Normal\n c5 over Answered",
    );
    tells(house.pass(60), NOTHING);
}

#[test]
fn a_routing_queue_dials_and_is_told_where_to() {
    let mut house = House::new(&[("5501", Number::RouteQueue)], &[], Options::default());
    predictive(&mut house, "5501", 0, PredictiveTargets::default());
    tells(
        house.picks_up("0501", 1, CallResult::Person),
        "c1 5501 ends Queued\n c1 0501 with System\n c1 waits 5501 1\n c1 asks 5501",
    );
    tells(
        house.route("5501", 1, "1001"),
        "c1 routed 5501>1001 Default\n c1 leaves 5501 Routed>1001\n c1 1001 rings of 5501",
    );
}
