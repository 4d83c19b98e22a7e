//! Route points, routing queues and treatments.

use cordboard_core::event::{Pairs, RouteKind, TreatmentKind};
use cordboard_core::request::Ask;
use cordboard_switches::boxed::{Happening, Number, Options, Telephone};

use crate::house::{House, NOTHING, tells};

fn house(options: Options) -> House {
    let busy = Number::Extension(Telephone { busy: true, ..Telephone::default() });
    let numbers = [("5001", Number::RoutePoint), ("5501", Number::RouteQueue), ("1006", busy)];
    House::new(&numbers, &[], options)
}

#[test]
fn a_routing_queue_waits_for_an_instruction() {
    let mut house = house(Options::default());
    tells(house.call("1001", "5501"), "c1 Internal 1001>5501\n c1 1001 dials\n c1 waits 5501 1\n c1 asks 5501");
    tells(house.route("5501", 1, "1999"), "refused InvalidNumber");
    tells(house.route("5001", 1, "1003"), "refused WrongState");
    tells(
        house.route("5501", 1, "1003"),
        "c1 routed 5501>1003 Default\n c1 leaves 5501 Routed>1003\n c1 1003 rings of 5501",
    );
    tells(house.answer("1003", 1), "c1 1003 talks\n c1 1001 talks");
}

#[test]
fn a_route_point_sends_on_to_anything() {
    let mut house = house(Options::default());
    tells(house.call("1001", "5001"), "c1 Internal 1001>5001\n c1 1001 dials\n c1 asks 5001");
    tells(house.route("5001", 1, "5501"), "c1 routed 5001>5501 Default\n c1 waits 5501 1\n c1 asks 5501");
    tells(
        house.route("5501", 1, "0501"),
        "c1 routed 5501>0501 Default\n c1 leaves 5501 Routed>0501\n c1 0501 rings of 5501",
    );
    house.call("1002", "5001");
    tells(house.route("5001", 2, "1006"), "c2 routed 5001>1006 Default\n c2 refused 1006 Busy");
}

#[test]
fn a_caller_gives_up_before_an_instruction() {
    let mut house = house(Options::default());
    house.call("1001", "5501");
    tells(house.release("1001", 1), "c1 1001 ends Normal self\n c1 leaves 5501 Abandoned\n c1 over Abandoned");
}

#[test]
fn no_instruction_comes_in_time() {
    let options = Options { route_ms: Some(10_000), default_target: Some("1003".to_owned()), ..Options::default() };
    let mut house = house(options);
    house.call("1001", "5501");
    tells(house.pass(9), NOTHING);
    tells(house.pass(1), "c1 routed 5501>1003 TimedOut\n c1 leaves 5501 Routed>1003\n c1 1003 rings of 5501");
    house.inbound("0501", "5001");
    let call = house.conn(2);
    let by_default = Ask::Route { call, to: None, kind: RouteKind::Default };
    tells(house.ask("5001", by_default), "c2 routed 5001>1003 Default\n c2 1003 rings of 5001");
    tells(house.pass(20), NOTHING);
}

#[test]
fn a_call_is_rejected() {
    let mut house = house(Options::default());
    house.inbound("0501", "5001");
    let call = house.conn(1);
    let nowhere = Ask::Route { call, to: None, kind: RouteKind::Default };
    tells(house.ask("5001", nowhere), "refused InvalidNumber");
    let reject = |call| Ask::Route { call, to: None, kind: RouteKind::Reject };
    tells(house.ask("5001", reject(call)), "c1 routed 5001 Reject\n c1 0501 ends Rejected\n c1 over Rejected");
    house.inbound("0501", "5501");
    let call = house.conn(2);
    tells(
        house.ask("5501", reject(call)),
        "c2 routed 5501 Reject\n c2 leaves 5501 Withdrawn\n c2 0501 ends Rejected\n c2 over Rejected",
    );
}

#[test]
fn treatments_begin_and_some_end() {
    let mut house = house(Options::default());
    house.inbound("0501", "5001");
    let call = house.conn(1);
    let treat = |kind| Ask::Treat { call, kind, parameters: Pairs::new() };
    let end = |house: &House| Happening::TreatmentEnd { at: house.at("5001", 1), digits: Some("12".to_owned()) };
    let ended = end(&house);
    assert!(house.boxed.happen(house.now, &ended).is_err());
    tells(house.ask("5001", treat(TreatmentKind::CollectDigits)), "c1 hears 5001 CollectDigits");
    tells(house.happen(&ended), "c1 heard 5001 Some(\"12\")");
    tells(house.ask("5001", treat(TreatmentKind::Music)), "c1 hears 5001 Music");
    assert!(house.boxed.happen(house.now, &ended).is_err());
    tells(house.route("5001", 1, "1003"), "c1 routed 5001>1003 Default\n c1 1003 rings of 5001");
    tells(house.ask("5001", treat(TreatmentKind::Music)), "refused WrongState");
}

#[test]
fn treatments_are_refused_where_there_are_none() {
    let mut house = house(Options { treatments: false, ..Options::default() });
    house.inbound("0501", "5001");
    let treat = Ask::Treat { call: house.conn(1), kind: TreatmentKind::Music, parameters: Pairs::new() };
    tells(house.ask("5001", treat), "c1 cannot hear 5001 Music");
}
