//! Agents: logins, readiness, and what follows their calls.

use cordboard_core::event::{Pairs, WorkMode, WrapUpPlan};
use cordboard_core::request::Ask;
use cordboard_switches::boxed::{AgentPlan, Happening, Number, Options};

use crate::house::{House, NOTHING, agent, queue, tells};

fn house(agents: &[AgentPlan], options: Options) -> House {
    let numbers = [("6001", Number::AcdQueue(queue())), ("6002", Number::AcdQueue(queue()))];
    House::new(&numbers, agents, options)
}

fn working(wrapup: WrapUpPlan, options: Options) -> House {
    house(&[AgentPlan { wrapup, ..agent("8001", "1003", &["6001"], true) }], options)
}

fn login(agent: &str, queue: Option<&str>, mode: WorkMode) -> Ask {
    let (agent, queue) = (agent.to_owned(), queue.map(str::to_owned));
    Ask::Login { agent, queue, mode, reasons: Pairs::new(), wrapup_s: None }
}

fn logout(queue: Option<&str>) -> Ask {
    Ask::Logout { queue: queue.map(str::to_owned), reasons: Pairs::new() }
}

/// A caller from outside is answered by the agent at 1003 and hangs up.
fn serve(house: &mut House, call: u64) -> String {
    house.inbound("0501", "6001");
    house.answer("1003", call);
    house.hang_up("0501", call)
}

#[test]
fn a_working_day() {
    let plan = AgentPlan { device: None, ..agent("8001", "", &["6001", "6002"], false) };
    let mut house = house(&[plan], Options { strict_agents: true, ..Options::default() });
    tells(house.ask("1003", login("8009", None, WorkMode::Unknown)), "refused NoSuchAgent");
    tells(house.ask("1003", login("8001", Some("6009"), WorkMode::Unknown)), "refused NoSuchDevice");
    tells(
        house.ask("1003", login("8001", Some("6001"), WorkMode::Unknown)),
        "8001 logs in 1003 6001\n 8001 mode Unknown\n 8001 not ready",
    );
    tells(house.ask("1003", login("8001", Some("6002"), WorkMode::Unknown)), "8001 logs in 1003 6002");
    tells(house.ask("1003", login("8001", Some("6002"), WorkMode::Unknown)), "refused LoggedInAlready");
    tells(house.ask("1004", login("8001", None, WorkMode::Unknown)), "refused AgentElsewhere");
    tells(house.ready("1003", WorkMode::AutoIn), "8001 mode AutoIn\n 8001 ready");
    let reasons = Pairs::from([("Break".to_owned(), "Lunch".into())]);
    let rest = Ask::NotReady { queue: None, mode: WorkMode::AuxWork, reasons };
    tells(house.ask("1003", rest), "8001 mode AuxWork\n 8001 not ready Lunch");
    tells(house.not_ready("1003", WorkMode::WalkAway), "8001 mode WalkAway\n 8001 not ready");
    tells(house.ask("1003", logout(Some("6001"))), "8001 logs out of 6001");
    tells(house.ask("1003", logout(Some("6001"))), "refused NotLoggedIn");
    tells(house.ask("1003", logout(None)), "8001 logs out");
    tells(house.ask("1003", logout(None)), "refused NotLoggedIn");
    tells(
        house.ask("1003", login("8001", None, WorkMode::AutoIn)),
        "8001 logs in 1003 6001\n 8001 logs in 1003 6002\n 8001 mode AutoIn\n 8001 ready",
    );
}

#[test]
fn anybody_may_log_in_where_the_site_does_not_mind() {
    let mut house = house(&[], Options { login_on_call: false, ..Options::default() });
    tells(
        house.ask("1003", login("77", None, WorkMode::Unknown)),
        "77 logs in 1003
 77 mode Unknown
 77 not ready",
    );
    house.talk("1001", "1003");
    tells(house.ask("1003", logout(None)), "refused WrongState");
    tells(house.ask("1001", login("78", None, WorkMode::Unknown)), "refused WrongState");
}

#[test]
fn timed_work_follows_a_call_of_a_queue() {
    let mut house = working(WrapUpPlan::Timed { ms: 20_000 }, Options::default());
    tells(serve(&mut house, 1), "c1 0501 ends Normal self\n 8001 wrap-up\n c1 1003 ends Normal\n c1 over Answered");
    assert!(house.inbound("0502", "6001").ends_with("waits 6001 1"));
    tells(house.pass(19), NOTHING);
    tells(house.pass(1), "8001 wrap-up over Elapsed\n c2 leaves 6001 Delivered>1003\n c2 1003 rings of 6001");
    house.hang_up("0502", 2);
    house.talk("1001", "1003");
    tells(house.release("1001", 3), "c3 1001 ends Normal self\n c3 1003 ends Normal\n c3 over Answered");
}

#[test]
fn untimed_work_ends_when_the_agent_says_so() {
    let mut house = working(WrapUpPlan::Untimed, Options::default());
    serve(&mut house, 1);
    tells(house.pass(600), NOTHING);
    tells(house.ready("1003", WorkMode::AutoIn), "8001 wrap-up over Requested");
}

#[test]
fn work_follows_the_last_call_only_and_returns_to_what_was_chosen() {
    let mut house = working(WrapUpPlan::Timed { ms: 20_000 }, Options::default());
    house.inbound("0501", "6001");
    house.answer("1003", 1);
    tells(house.not_ready("1003", WorkMode::AuxWork), "8001 mode AuxWork\n 8001 not ready");
    house.hang_up("0501", 1);
    tells(house.pass(20), "8001 wrap-up over Elapsed");
    assert!(house.inbound("0502", "6001").ends_with("waits 6001 1"), "not ready");
}

#[test]
fn an_agent_in_manual_mode_works_until_ready() {
    let mut house = working(WrapUpPlan::None, Options::default());
    tells(serve(&mut house, 1), "c1 0501 ends Normal self\n c1 1003 ends Normal\n c1 over Answered");
    house.ready("1003", WorkMode::ManualIn);
    tells(serve(&mut house, 2), "c2 0501 ends Normal self\n 8001 wrap-up\n c2 1003 ends Normal\n c2 over Answered");
}

#[test]
fn an_agent_chooses_to_work() {
    let mut house = working(WrapUpPlan::Timed { ms: 20_000 }, Options::default());
    tells(house.not_ready("1003", WorkMode::AfterCallWork), "8001 wrap-up");
    tells(house.pass(20), "8001 wrap-up over Elapsed");
    house.inbound("0501", "6001");
    house.answer("1003", 1);
    tells(house.not_ready("1003", WorkMode::AfterCallWork), "8001 wrap-up");
    tells(house.pass(60), NOTHING);
    tells(house.hang_up("0501", 1), "c1 0501 ends Normal self\n c1 1003 ends Normal\n c1 over Answered");
    tells(house.pass(20), "8001 wrap-up over Elapsed");
}

#[test]
fn a_call_that_belongs_to_the_work_stops_its_time() {
    let mut house = working(WrapUpPlan::Timed { ms: 20_000 }, Options::default());
    serve(&mut house, 1);
    house.pass(5);
    house.call("1003", "1001");
    house.answer("1001", 2);
    tells(house.pass(60), NOTHING);
    house.release("1003", 2);
    tells(house.pass(14), NOTHING);
    tells(house.pass(1), "8001 wrap-up over Elapsed");
}

#[test]
fn the_law_asks_for_a_pause() {
    let mut house = working(WrapUpPlan::Timed { ms: 20_000 }, Options { legal_guard_ms: 5_000, ..Options::default() });
    serve(&mut house, 1);
    tells(house.pass(20), "8001 mode LegalGuard\n 8001 not ready legal guard");
    tells(house.ready("1003", WorkMode::AutoIn), "refused WrongState");
    house.pass(3);
    house.call("1003", "1001");
    tells(house.pass(60), NOTHING);
    house.release("1003", 2);
    tells(house.pass(4), NOTHING);
    tells(house.pass(1), "8001 mode AutoIn\n 8001 ready");
}

#[test]
fn who_does_nothing_is_logged_out() {
    let agents = [agent("8001", "1003", &["6001"], true), agent("8002", "1004", &["6001"], false)];
    let mut house = house(&agents, Options { auto_logout_ms: 60_000, ..Options::default() });
    house.pass(50);
    house.call("1004", "1001");
    house.release("1004", 1);
    tells(house.pass(59), NOTHING);
    tells(house.pass(1), "8002 logs out");
    tells(house.pass(600), NOTHING);
    house.not_ready("1003", WorkMode::Unknown);
    tells(house.pass(60), "8001 logs out");
}

#[test]
fn an_agent_whose_telephone_fails() {
    let fails = Happening::OutOfService { device: "1003".to_owned() };
    let mut house = working(WrapUpPlan::None, Options::default());
    tells(house.happen(&fails), "1003 OutOfService\n 8001 mode Unknown\n 8001 not ready out of service");
    let mut house = working(WrapUpPlan::None, Options { logout_when_out_of_service: true, ..Options::default() });
    tells(house.happen(&fails), "1003 OutOfService\n 8001 logs out");
}
