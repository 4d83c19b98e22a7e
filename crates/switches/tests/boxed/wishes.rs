//! What the directory is asked for and the switch does: after-call work that is wished for, and who picks calls.

use cordboard_core::Guid;
use cordboard_core::change::Change;
use cordboard_core::event::{WithoutCall, WorkMode, WrapUpPlan, WrapUpWish};
use cordboard_core::request::Ask;
use cordboard_switches::boxed::{AgentPlan, Number, Options};

use crate::house::{House, NOTHING, agent, queue, tells};

const ID: Guid = Guid(9);

fn working(wrapup: WrapUpPlan) -> House {
    let numbers = [("6001", Number::AcdQueue(queue()))];
    House::new(&numbers, &[AgentPlan { wrapup, ..agent("8001", "1003", &["6001"], true) }], Options::default())
}

fn wish(house: &mut House, max_s: u64, without_call: WithoutCall) -> String {
    let wish = WrapUpWish { id: ID, max_s, without_call, call: None, queue: None, list: None, callback: None };
    house.ask("", Ask::Change(Box::new(Change::BeginWrapUp { user: "8001".to_owned(), wish })))
}

fn end(house: &mut House, wrapup: Option<Guid>) -> String {
    let change = Change::EndWrapUp { user: "8001".to_owned(), wrapup, reason: "manual".to_owned() };
    house.ask("", Ask::Change(Box::new(change)))
}

fn pick(house: &mut House, on: bool) -> String {
    house.ask("", Ask::Change(Box::new(Change::PickCalls { user: "8001".to_owned(), on })))
}

#[test]
fn work_without_a_call_begins_at_once_and_ends_by_the_clock() {
    let mut house = working(WrapUpPlan::None);
    tells(wish(&mut house, 15, WithoutCall::No), "refused WrongState");
    tells(wish(&mut house, 15, WithoutCall::Only), "8001 wrap-up");
    assert_eq!(house.world.agents["8001"].wrapup.as_ref().unwrap().wish.as_ref().unwrap().id, ID);
    assert!(house.inbound("0501", "6001").ends_with("waits 6001 1"));
    tells(house.pass(14), NOTHING);
    tells(house.pass(1), "8001 wrap-up over Elapsed\n c1 leaves 6001 Delivered>1003\n c1 1003 rings of 6001");
}

#[test]
fn work_that_is_wished_for_in_a_call_follows_it_instead_of_what_is_planned() {
    for plan in [WrapUpPlan::None, WrapUpPlan::Timed { ms: 60_000 }, WrapUpPlan::Untimed] {
        let mut house = working(plan);
        house.inbound("0501", "6001");
        house.answer("1003", 1);
        tells(wish(&mut house, 5, WithoutCall::Only), "refused WrongState");
        tells(wish(&mut house, 5, WithoutCall::No), NOTHING);
        tells(
            house.hang_up("0501", 1),
            "c1 0501 ends Normal self\n 8001 wrap-up\n c1 1003 ends Normal\n c1 over Answered",
        );
        let wrapup = house.world.agents["8001"].wrapup.clone().unwrap();
        assert_eq!((wrapup.queue.as_str(), wrapup.wish.map(|wish| wish.id)), ("6001", Some(ID)), "{plan:?}");
        tells(house.pass(5), "8001 wrap-up over Elapsed");
    }
}

#[test]
fn work_follows_a_call_that_nobody_distributed_too() {
    let mut house = working(WrapUpPlan::None);
    house.talk("1001", "1003");
    tells(wish(&mut house, 5, WithoutCall::Yes), NOTHING);
    tells(house.release("1003", 1), "c1 1003 ends Normal self\n 8001 wrap-up\n c1 1001 ends Normal\n c1 over Answered");
    tells(house.pass(5), "8001 wrap-up over Elapsed");
}

#[test]
fn work_is_ended_or_called_off_by_its_id() {
    let mut house = working(WrapUpPlan::None);
    tells(end(&mut house, None), "refused SameState");
    wish(&mut house, 0, WithoutCall::Yes);
    tells(house.pass(600), NOTHING);
    tells(end(&mut house, Some(Guid(1))), "refused SameState");
    tells(end(&mut house, Some(ID)), "8001 wrap-up over Requested");
    house.talk("1001", "1003");
    wish(&mut house, 5, WithoutCall::Yes);
    tells(end(&mut house, Some(ID)), NOTHING);
    tells(house.release("1003", 1), "c1 1003 ends Normal self\n c1 1001 ends Normal\n c1 over Answered");
    tells(house.pass(600), NOTHING);
}

#[test]
fn who_picks_calls_is_offered_none_until_the_logout() {
    let mut house = working(WrapUpPlan::None);
    tells(pick(&mut house, true), NOTHING);
    assert!(house.inbound("0501", "6001").ends_with("waits 6001 1"));
    tells(pick(&mut house, false), "c1 leaves 6001 Delivered>1003\n c1 1003 rings of 6001");
    house.hang_up("0501", 1);
    pick(&mut house, true);
    house.ask("1003", Ask::Logout { queue: None, reasons: Default::default() });
    tells(pick(&mut house, true), "refused NotLoggedIn");
    assert!(!house.world.directory.users["8001"].picks_calls);
    let login = Ask::Login {
        agent: "8001".to_owned(),
        queue: None,
        mode: WorkMode::AutoIn,
        reasons: Default::default(),
        wrapup_s: None,
    };
    house.ask("1003", login);
    assert!(house.inbound("0502", "6001").ends_with("1003 rings of 6001"));
}
