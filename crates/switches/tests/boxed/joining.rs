//! Consultations, transfers and conferences.

use cordboard_core::event::Pairs;
use cordboard_core::request::{Ask, Joining};
use cordboard_switches::boxed::{ConsultData, MergedData, Number, Options, Telephone};

use crate::house::{House, agent, queue, tells};

#[test]
fn holding_changing_and_coming_back() {
    let mut house = House::plain();
    house.talk("1001", "1002");
    tells(house.hold("1002", 1), "c1 1002 holds");
    tells(house.call("1002", "1003"), "c2 Internal 1002>1003 about c1\n c2 1002 dials\n c2 1003 rings");
    tells(house.answer("1003", 2), "c2 1003 talks\n c2 1002 talks");
    let (call, held) = (house.conn(2), house.conn(1));
    tells(house.ask("1002", Ask::Alternate { call, held }), "c2 1002 holds\n c1 1002 retrieves");
    tells(house.ask("1002", Ask::Alternate { call: held, held: call }), "c1 1002 holds\n c2 1002 retrieves");
    tells(
        house.ask("1002", Ask::Reconnect { call, held }),
        "c2 1002 ends Normal self\n c2 1003 ends Normal\n c2 over Answered\n c1 1002 retrieves",
    );
    house.hold("1002", 1);
    tells(house.hang_up("1001", 1), "c1 1001 ends Normal self\n c1 1002 ends Normal\n c1 over Answered");
}

#[test]
fn a_transfer_after_the_answer() {
    let mut house = House::plain();
    house.talk("1001", "1002");
    tells(
        house.consult("1002", 1, "1003", Joining::Transfer),
        "c1 1002 holds\n c2 Internal 1002>1003 about c1\n c2 1002 dials\n c2 1003 rings",
    );
    house.answer("1003", 2);
    tells(
        house.complete("1002", (2, 1), Joining::Transfer),
        "c1 Attended 1002>1003
         c1 1002 ends Transferred
         c2 1003 moves>c1
         c2 1002 ends Transferred
         c2 over Answered",
    );
    tells(house.release("1003", 1), "c1 1003 ends Normal self\n c1 1001 ends Normal\n c1 over Answered");
}

#[test]
fn a_transfer_before_the_answer() {
    let mut house = House::plain();
    house.talk("1001", "1002");
    house.consult("1002", 1, "1003", Joining::Transfer);
    house.complete("1002", (2, 1), Joining::Transfer);
    tells(house.answer("1003", 1), "c1 1003 talks");
    tells(house.release("1001", 1), "c1 1001 ends Normal self\n c1 1003 ends Normal\n c1 over Answered");
}

#[test]
fn who_is_handed_on_to_nobody_is_not_left_alone() {
    let slow = Telephone { no_answer_ms: Some(5_000), ..Telephone::default() };
    let mut house = House::new(&[("1003", Number::Extension(slow))], &[], Options::default());
    house.talk("1001", "1002");
    house.consult("1002", 1, "1003", Joining::Transfer);
    house.complete("1002", (2, 1), Joining::Transfer);
    tells(house.pass(5), "c1 1003 ends NoAnswer\n c1 1001 ends NoAnswer\n c1 over Answered");
}

#[test]
fn a_busy_consultation_cannot_be_completed() {
    let busy = Number::Extension(Telephone { busy: true, ..Telephone::default() });
    let mut house = House::new(&[("1003", busy)], &[], Options::default());
    house.talk("1001", "1002");
    tells(
        house.consult("1002", 1, "1003", Joining::Transfer),
        "c1 1002 holds\n c2 Internal 1002>1003 about c1\n c2 1002 dials\n c2 refused 1003 Busy",
    );
    tells(house.complete("1002", (2, 1), Joining::Transfer), "refused CannotCompleteTransfer");
    tells(house.complete("1002", (2, 1), Joining::Conference), "refused CannotCompleteConference");
    let (call, held) = (house.conn(2), house.conn(1));
    let told = house.ask("1002", Ask::Reconnect { call, held });
    assert!(told.ends_with("c1 1002 retrieves"), "{told}");
    let mute = Ask::MuteTransfer { call: held, to: "1003".to_owned(), user_data: Pairs::new() };
    tells(house.ask("1002", mute), "refused InvalidNumber");
}

#[test]
fn one_request_hands_on_in_two_ways() {
    let mut house = House::plain();
    house.talk("1001", "1002");
    let (call, to) = (house.conn(1), "1003".to_owned());
    tells(
        house.ask("1002", Ask::MuteTransfer { call, to: to.clone(), user_data: Pairs::new() }),
        "c1 1002 holds
         c2 Internal 1002>1003 about c1
         c2 1002 dials
         c2 1003 rings
         c1 Attended 1002>1003
         c1 1002 ends Transferred
         c2 1003 moves>c1
         c2 1002 ends Transferred
         c2 over Answered",
    );
    house.answer("1003", 1);
    let single = |to: &str, purpose| Ask::SingleStep { call, to: to.to_owned(), purpose, user_data: Pairs::new() };
    tells(
        house.ask("1003", single("1004", Joining::Transfer)),
        "c1 Blind 1003>1004\n c1 1003 ends Transferred\n c1 1004 rings by 1003",
    );
    tells(house.answer("1004", 1), "c1 1004 talks");
    tells(house.ask("1004", single("1005", Joining::Conference)), "c1 1005 rings by 1004");
    tells(house.answer("1005", 1), "c1 1005 talks");
    tells(house.release("1004", 1), "c1 1004 ends Normal self");
    tells(house.release("1005", 1), "c1 1005 ends Normal self\n c1 1001 ends Normal\n c1 over Answered");
}

#[test]
fn conferences_grow_and_shrink() {
    let mut house = House::plain();
    house.talk("1001", "1002");
    house.consult("1002", 1, "1003", Joining::Conference);
    house.answer("1003", 2);
    tells(
        house.complete("1002", (2, 1), Joining::Conference),
        "c1 conference by 1002
         c1 1002 retrieves
         c2 1003 moves>c1
         c2 1002 ends Transferred
         c2 over Answered",
    );
    house.consult("1001", 1, "1004", Joining::Conference);
    tells(
        house.complete("1001", (3, 1), Joining::Conference),
        "c1 conference by 1001
         c1 1001 retrieves
         c3 1004 moves>c1
         c3 1001 ends Transferred
         c3 over Answered",
    );
    tells(house.answer("1004", 1), "c1 1004 talks");
    let drop = Ask::DropParty { call: house.conn(1), who: "1003".to_owned() };
    tells(house.ask("1002", drop.clone()), "c1 1003 ends Normal by 1002");
    tells(house.ask("1002", drop), "refused NoSuchCall");
    tells(house.release("1002", 1), "c1 1002 ends Normal self");
    tells(house.release("1004", 1), "c1 1004 ends Normal self\n c1 1001 ends Normal\n c1 over Answered");
}

#[test]
fn two_calls_that_came_by_themselves_are_merged() {
    for (purpose, told) in [
        (
            Joining::Transfer,
            "c1 Attended 1002>1003
             c1 1002 ends Transferred
             c2 1003 moves>c1
             c2 1002 ends Transferred
             c2 over Answered",
        ),
        (
            Joining::Conference,
            "c1 conference by 1002
             c1 1002 retrieves
             c2 1003 moves>c1
             c2 1002 ends Transferred
             c2 over Answered",
        ),
    ] {
        let mut house = House::plain();
        house.talk("1001", "1002");
        house.hold("1002", 1);
        house.talk("1003", "1002");
        let (call, held) = (house.conn(2), house.conn(1));
        tells(house.ask("1002", Ask::Merge { call, held, purpose }), told);
    }
}

#[test]
fn a_place_in_a_queue_is_handed_on() {
    let agents = [agent("8001", "1003", &["6001"], false)];
    let mut house = House::new(&[("6001", Number::AcdQueue(queue()))], &agents, Options::default());
    house.talk("1001", "1002");
    house.consult("1002", 1, "6001", Joining::Transfer);
    tells(
        house.complete("1002", (2, 1), Joining::Transfer),
        "c1 Attended 1002>6001
         c1 1002 ends Transferred
         c1 takes c2 in 6001
         c2 1002 ends Transferred
         c2 over Answered",
    );
    let told = house.ready("1003", cordboard_core::event::WorkMode::AutoIn);
    tells(told, "8001 mode AutoIn\n 8001 ready\n c1 leaves 6001 Delivered>1003\n c1 1003 rings of 6001");
    tells(house.answer("1003", 1), "c1 1003 talks");
}

#[test]
fn a_place_at_a_route_point_is_handed_on() {
    let mut house = House::new(&[("5001", Number::RoutePoint)], &[], Options::default());
    house.talk("1001", "1002");
    house.consult("1002", 1, "5001", Joining::Transfer);
    house.complete("1002", (2, 1), Joining::Transfer);
    tells(house.route("5001", 1, "1003"), "c1 routed 5001>1003 Default\n c1 1003 rings of 5001");
}

#[test]
fn data_of_consultations_is_what_the_site_says() {
    let data = |key: &str, value: &str| Pairs::from([(key.to_owned(), value.into())]);
    for (consult_data, merged_data, about, after) in [
        (ConsultData::Separate, MergedData::MainOnly, "[b]", "[a]"),
        (ConsultData::Separate, MergedData::ConsultOnly, "[b]", "[b]"),
        (ConsultData::Separate, MergedData::MainOverConsult, "[b]", "[a, b]"),
        (ConsultData::Inherited, MergedData::MainOnly, "[a, b]", "[a]"),
        (ConsultData::Joint, MergedData::MainOnly, "[a, b]", "[a, b]"),
    ] {
        let mut house = House::new(&[], &[], Options { consult_data, merged_data, ..Options::default() });
        house.ask("1001", Ask::MakeCall { to: "1002".to_owned(), user_data: data("a", "1") });
        house.answer("1002", 1);
        let (call, to, purpose) = (house.conn(1), "1003".to_owned(), Joining::Transfer);
        house.ask("1002", Ask::Consult { call, to, purpose, user_data: data("b", "2") });
        let keys = |house: &House, call: u64| {
            let call = &house.world.calls[&cordboard_core::CallId(call)];
            format!("[{}]", call.user_data.keys().cloned().collect::<Vec<_>>().join(", "))
        };
        assert_eq!(keys(&house, 2), about, "{consult_data:?}");
        house.complete("1002", (2, 1), Joining::Transfer);
        assert_eq!(keys(&house, 1), after, "{consult_data:?} {merged_data:?}");
    }
}
