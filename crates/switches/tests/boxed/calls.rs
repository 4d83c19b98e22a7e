//! Simple calls, forwarding, groups, parking.

use cordboard_core::event::{CallResult, Cause, ForwardMode, Pairs};
use cordboard_core::request::Ask;
use cordboard_switches::boxed::{Happening, Number, Options, Telephone};

use crate::house::{House, NOTHING, forwards, tells};

fn with(telephone: Telephone) -> House {
    House::new(&[("1002", Number::Extension(telephone))], &[], Options::default())
}

#[test]
fn a_simple_call() {
    let mut house = House::plain();
    tells(house.call("1001", "1002"), "c1 Internal 1001>1002\n c1 1001 dials\n c1 1002 rings");
    tells(house.answer("1002", 1), "c1 1002 talks\n c1 1001 talks");
    tells(house.release("1002", 1), "c1 1002 ends Normal self\n c1 1001 ends Normal\n c1 over Answered");
}

#[test]
fn a_caller_gives_up() {
    let mut house = House::plain();
    house.call("1001", "1002");
    tells(house.release("1001", 1), "c1 1001 ends Normal self\n c1 1002 ends Cancelled\n c1 over Cancelled");
}

#[test]
fn a_target_declines() {
    let mut house = House::plain();
    house.call("1001", "1002");
    tells(house.release("1002", 1), "c1 1002 ends Rejected self");
    tells(house.release("1001", 1), "c1 1001 ends Normal self\n c1 over Cancelled");
}

#[test]
fn targets_that_cannot_be_called() {
    for (telephone, cause) in [
        (Telephone { busy: true, ..Telephone::default() }, "Busy"),
        (Telephone { dnd: true, ..Telephone::default() }, "Busy"),
        (Telephone { out_of_service: true, ..Telephone::default() }, "Unreachable"),
    ] {
        let mut house = with(telephone);
        let told = format!("c1 Internal 1001>1002\n c1 1001 dials\n c1 refused 1002 {cause}");
        tells(house.call("1001", "1002"), &told);
        assert!(house.release("1001", 1).starts_with("c1 1001 ends Normal self\nc1 over"));
    }
    let mut house = House::plain();
    tells(house.call("1001", "1999"), "refused InvalidNumber");
    tells(house.call("1001", "1001"), "c1 Internal 1001>1001\n c1 1001 dials\n c1 refused 1001 Busy");
    let dialled = Happening::Dial { device: "1002".to_owned(), to: "1999".to_owned() };
    tells(house.happen(&dialled), "c2 Internal 1002>1999\n c2 1002 dials\n c2 refused 1999 Unallocated");
}

#[test]
fn a_second_call_waits_or_is_refused() {
    let mut house = House::plain();
    house.talk("1001", "1002");
    tells(house.call("1003", "1002"), "c2 Internal 1003>1002\n c2 1003 dials\n c2 1002 rings");
    let mut house = with(Telephone { single_call: true, ..Telephone::default() });
    house.talk("1001", "1002");
    tells(house.call("1003", "1002"), "c2 Internal 1003>1002\n c2 1003 dials\n c2 refused 1002 Busy");
}

#[test]
fn an_alert_takes_its_time() {
    let mut house = with(Telephone { alert_delay_ms: 2_000, ..Telephone::default() });
    tells(house.call("1001", "1002"), "c1 Internal 1001>1002\n c1 1001 dials");
    tells(house.pass(1), NOTHING);
    tells(house.pass(1), "c1 1002 rings");
    tells(house.release("1001", 1), "c1 1001 ends Normal self\n c1 1002 ends Cancelled\n c1 over Cancelled");
    house.call("1001", "1002");
    tells(house.release("1001", 2), "c2 1001 ends Normal self\n c2 over Cancelled");
    tells(house.pass(5), NOTHING);
}

#[test]
fn outside_numbers() {
    let mut house = House::plain();
    tells(house.call("1001", "0501"), "c1 Outbound 1001>0501\n c1 1001 dials\n c1 0501 rings");
    let at = house.at("0501", 1);
    tells(house.happen(&Happening::Reach(at)), "c1 0501 reached");
    tells(house.picks_up("0501", 1, CallResult::Person), "c1 0501 talks\n c1 1001 talks");
    tells(house.hang_up("0501", 1), "c1 0501 ends Normal self\n c1 1001 ends Normal\n c1 over Answered");
    house.call("1001", "0502");
    tells(house.fails("0502", 2, Cause::Busy), "c2 0502 ends Busy");
    tells(house.release("1001", 2), "c2 1001 ends Normal self\n c2 over Cancelled");
    tells(house.inbound("0503", "1002"), "c3 Inbound 0503>1002\n c3 0503 dials\n c3 1002 rings");
    tells(house.hang_up("0503", 3), "c3 0503 ends Normal self\n c3 1002 ends Cancelled\n c3 over Abandoned");
}

#[test]
fn forwarding_in_all_modes() {
    let begins = "c1 Internal 1001>1002\n c1 1001 dials\n";
    let mut house = with(forwards(ForwardMode::Unconditional, "1003"));
    tells(house.call("1001", "1002"), &format!("{begins} c1 1003 rings by 1002"));
    for mode in [ForwardMode::OnBusy, ForwardMode::OnBusyAndNoAnswer] {
        let mut house = with(Telephone { busy: true, ..forwards(mode, "1003") });
        tells(house.call("1001", "1002"), &format!("{begins} c1 1003 rings by 1002"));
    }
    for mode in [ForwardMode::OnNoAnswer, ForwardMode::OnBusyAndNoAnswer] {
        let mut house = with(forwards(mode, "1003"));
        tells(house.call("1001", "1002"), &format!("{begins} c1 1002 rings"));
        tells(house.pass(14), NOTHING);
        tells(house.pass(1), "c1 1002 ends Redirected\n c1 1003 rings by 1002");
        tells(house.answer("1003", 1), "c1 1003 talks\n c1 1001 talks");
    }
    let mut house = with(Telephone { no_answer_ms: Some(10_000), ..Telephone::default() });
    house.call("1001", "1002");
    tells(house.pass(10), "c1 1002 ends NoAnswer");
}

#[test]
fn forwarding_in_a_circle_comes_to_an_end() {
    let circle = |to: &str| Number::Extension(forwards(ForwardMode::Unconditional, to));
    let mut house = House::new(&[("1002", circle("1003")), ("1003", circle("1002"))], &[], Options::default());
    tells(house.call("1001", "1002"), "c1 Internal 1001>1002\n c1 1001 dials\n c1 refused 1002 Congestion");
}

#[test]
fn forwarding_and_do_not_disturb_are_set() {
    let mut house = House::plain();
    let forward = |to: Option<&str>| Ask::Forward { mode: ForwardMode::OnBusy, to: to.map(str::to_owned) };
    tells(house.ask("1002", forward(Some("1003"))), "1002 ForwardSet { mode: OnBusy, target: \"1003\" }");
    tells(house.ask("1002", forward(Some("1999"))), "refused InvalidNumber");
    tells(house.ask("1002", Ask::Dnd { on: true }), "1002 DndOn");
    tells(house.ask("1002", Ask::Dnd { on: true }), "refused SameState");
    tells(house.call("1001", "1002"), "c1 Internal 1001>1002\n c1 1001 dials\n c1 1003 rings by 1002");
    tells(house.ask("1002", forward(None)), "1002 ForwardCancelled { mode: OnBusy }");
    tells(house.ask("1002", Ask::Messages { on: true }), "1002 MessageWaitingOn { new: 1, old: 0 }");
    tells(house.ask("1002", Ask::Messages { on: false }), "1002 MessageWaitingOff");
}

#[test]
fn a_group_and_a_shared_number() {
    let group = Number::RingGroup { members: vec!["1002".to_owned(), "1003".to_owned()] };
    let appearance = Number::Extension(Telephone { appearance_of: Some("1004".to_owned()), ..Telephone::default() });
    let mut house = House::new(&[("7001", group), ("1005", appearance)], &[], Options::default());
    tells(house.call("1001", "7001"), "c1 Internal 1001>7001\n c1 1001 dials\n c1 1002 rings\n c1 1003 rings");
    tells(house.answer("1003", 1), "c1 1003 talks\n c1 1001 talks\n c1 1002 ends AnsweredElsewhere");
    house.release("1001", 1);
    tells(house.call("1001", "1004"), "c2 Internal 1001>1004\n c2 1001 dials\n c2 1004 rings\n c2 1005 rings");
    tells(house.answer("1004", 2), "c2 1004 talks\n c2 1001 talks\n c2 1005 bridged");
    tells(house.answer("1005", 2), "c2 1005 talks");
    tells(house.release("1004", 2), "c2 1004 ends Normal self");
    tells(house.release("1005", 2), "c2 1005 ends Normal self\n c2 1001 ends Normal\n c2 over Answered");
}

#[test]
fn redirecting_and_picking_up() {
    let mut house = House::plain();
    house.call("1001", "1002");
    let redirect = |house: &House, to: &str| Ask::Redirect { call: house.conn(1), to: to.to_owned() };
    let nowhere = redirect(&house, "1999");
    tells(house.ask("1002", nowhere), "refused InvalidNumber");
    let on = redirect(&house, "1003");
    tells(house.ask("1002", on), "c1 1002 ends Redirected self\n c1 1003 rings by 1002");
    let pickup = || Ask::Pickup { target: "1003".to_owned() };
    tells(
        house.ask("1004", pickup()),
        "c1 1004 rings by 1003
         c1 1004 talks
         c1 1001 talks
         c1 1003 ends AnsweredElsewhere",
    );
    tells(house.ask("1005", pickup()), "refused NotRinging");
}

#[test]
fn handsets_are_told_where_that_is_wanted() {
    let mut house = House::new(&[], &[], Options { hook_events: true, ..Options::default() });
    let dial = Happening::Dial { device: "1001".to_owned(), to: "0501".to_owned() };
    tells(house.happen(&dial), "c1 Outbound 1001>0501\n 1001 off hook c1\n c1 1001 dials\n c1 0501 rings");
    let told = house.hang_up("1001", 1);
    tells(told, "c1 1001 ends Normal self\n 1001 on hook\n c1 0501 ends Cancelled\n c1 over Cancelled");
}

#[test]
fn parking() {
    let mut house = House::new(&[], &[], Options { park_ms: 60_000, ..Options::default() });
    house.talk("1001", "1002");
    let park = Ask::Park { call: house.conn(1), space: None };
    tells(house.ask("1002", park), "c1 1001 parked 1 by 1002\n c1 1002 ends Normal self");
    tells(house.pass(59), NOTHING);
    tells(house.pass(1), "c1 1001 unparked\n c1 1002 rings");
    house.answer("1002", 1);
    let park = Ask::Park { call: house.conn(1), space: Some("9".to_owned()) };
    house.ask("1002", park);
    tells(
        house.ask("1003", Ask::Unpark { space: "9".to_owned() }),
        "c1 1003 rings\n c1 1003 talks\n c1 1001 unparked 1003",
    );
    tells(house.ask("1003", Ask::Unpark { space: "9".to_owned() }), "refused NoSuchCall");
    tells(house.pass(120), NOTHING);
    tells(house.release("1001", 1), "c1 1001 ends Normal self\n c1 1003 ends Normal\n c1 over Answered");
}

#[test]
fn a_telephone_fails_and_works_again() {
    let mut house = House::plain();
    house.talk("1001", "1002");
    let fails = Happening::OutOfService { device: "1002".to_owned() };
    tells(
        house.happen(&fails),
        "1002 OutOfService\n c1 1002 ends OutOfService\n c1 1001 ends Normal\n c1 over Answered",
    );
    tells(house.call("1002", "1001"), "refused OutOfService");
    assert!(house.boxed.happen(house.now, &fails).is_err());
    tells(house.happen(&Happening::BackInService { device: "1002".to_owned() }), "1002 BackInService");
}

#[test]
fn microphones_recordings_and_variables() {
    let mut house = House::plain();
    house.talk("1001", "1002");
    let call = house.conn(1);
    tells(house.ask("1002", Ask::Mute { call, on: true }), "c1 1002 muted");
    tells(house.ask("1002", Ask::Mute { call, on: true }), "refused SameState");
    tells(house.ask("1002", Ask::Mute { call, on: false }), "c1 1002 unmuted");
    tells(house.ask("1002", Ask::Listen { call, who: "1001".to_owned(), on: false }), "c1 1001 deaf by 1002");
    tells(house.ask("1002", Ask::Listen { call, who: "1001".to_owned(), on: true }), "c1 1001 hears by 1002");
    tells(house.ask("1002", Ask::Record { call, on: true, file: None }), "c1 records");
    tells(house.ask("1002", Ask::Record { call, on: false, file: None }), "c1 records no more");
    tells(house.ask("1002", Ask::Tones { call, digits: "12#".to_owned() }), NOTHING);
    let variable = Ask::SetVariable { call, name: "order".to_owned(), value: "4711".to_owned() };
    tells(house.ask("1002", variable), "c1 data order=4711");
    tells(house.ask("1002", Ask::Clear { call }), "c1 1002 ends Normal self\n c1 1001 ends Normal\n c1 over Answered");
}

#[test]
fn calls_have_data_and_a_limit() {
    let mut house = House::new(&[], &[], Options { calls_max: 1, ..Options::default() });
    let user_data = Pairs::from([("order".to_owned(), "4711".into())]);
    tells(
        house.ask("1001", Ask::MakeCall { to: "1002".to_owned(), user_data }),
        "c1 Internal 1001>1002
         c1 data {\"order\": Text(\"4711\")} []
         c1 1001 dials
         c1 1002 rings",
    );
    tells(house.call("1003", "1004"), "refused Busy");
}
