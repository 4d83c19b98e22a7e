//! Supervisors who take part in calls of others.

use cordboard_core::event::{MonitorScope, SuperviseMode};
use cordboard_core::request::Ask;
use cordboard_switches::boxed::{Number, Options};

use crate::house::{House, NOTHING, agent, queue, tells};

fn house() -> House {
    let agents = [agent("8001", "1002", &["6001"], true), agent("8009", "1003", &["6001"], false)];
    House::new(&[("6001", Number::AcdQueue(queue()))], &agents, Options::default())
}

fn monitor(scope: MonitorScope, mode: SuperviseMode) -> Ask {
    Ask::Monitor { target: "1002".to_owned(), scope, mode }
}

fn end() -> Ask {
    Ask::MonitorEnd { target: "1002".to_owned() }
}

#[test]
fn all_calls_from_now_on() {
    let mut house = house();
    let all = monitor(MonitorScope::AllCalls, SuperviseMode::Unknown);
    tells(house.ask("1003", all), "1003 monitors 1002 AllCalls Listen");
    house.inbound("0501", "1002");
    tells(house.answer("1002", 1), "c1 1002 talks\n c1 0501 talks\n c1 1003 supervises Listen");
    tells(
        house.hang_up("0501", 1),
        "c1 0501 ends Normal self\n c1 1002 ends Normal\n c1 1003 supervises no more\n c1 over Answered",
    );
    house.call("1002", "1001");
    tells(house.answer("1001", 2), "c2 1001 talks\n c2 1002 talks\n c2 1003 supervises Listen");
    tells(house.release("1003", 2), "c2 1003 supervises no more");
    tells(house.ask("1003", end()), "1003 monitors 1002 no more");
    tells(house.ask("1003", end()), "refused WrongState");
}

#[test]
fn the_next_call_only() {
    let mut house = house();
    house.ask("1003", monitor(MonitorScope::OneCall, SuperviseMode::Barge));
    house.inbound("0501", "1002");
    tells(house.answer("1002", 1), "c1 1002 talks\n c1 0501 talks\n c1 1003 supervises Barge");
    tells(
        house.release("1002", 1),
        "c1 1002 ends Normal self
         c1 0501 ends Normal
         c1 1003 supervises no more
         c1 over Answered
         1003 monitors 1002 no more",
    );
}

#[test]
fn one_supervisor_a_telephone_and_one_telephone_a_supervisor() {
    let mut house = house();
    house.ask("1003", monitor(MonitorScope::AllCalls, SuperviseMode::Listen));
    tells(house.ask("1004", monitor(MonitorScope::AllCalls, SuperviseMode::Listen)), "refused AgentReserved");
    let other = Ask::Monitor { target: "1001".to_owned(), scope: MonitorScope::OneCall, mode: SuperviseMode::Whisper };
    tells(house.ask("1003", other), "1003 monitors 1002 no more\n 1003 monitors 1001 OneCall Whisper");
    let own = Ask::Monitor { target: "1003".to_owned(), scope: MonitorScope::OneCall, mode: SuperviseMode::Whisper };
    tells(house.ask("1003", own), "refused NoSuchDevice");
}

#[test]
fn monitoring_ends_with_a_logout_of_either() {
    for device in ["1002", "1003"] {
        let mut house = house();
        house.ask("1003", monitor(MonitorScope::AllCalls, SuperviseMode::Listen));
        let logout = Ask::Logout { queue: None, reasons: Default::default() };
        let told = house.ask(device, logout);
        assert!(told.ends_with("1003 monitors 1002 no more"), "{told}");
    }
}

#[test]
fn a_supervisor_speaks_and_hears_only() {
    let mut house = house();
    house.ask("1003", monitor(MonitorScope::AllCalls, SuperviseMode::Listen));
    house.talk("1001", "1002");
    let call = house.conn(1);
    tells(house.ask("1003", Ask::Mute { call, on: true }), "refused SameState");
    tells(house.ask("1003", Ask::Mute { call, on: false }), "c1 1003 changes Barge");
    tells(house.ask("1003", Ask::Mute { call, on: true }), "c1 1003 changes Listen");
}

#[test]
fn the_call_there_is_now() {
    let mut house = house();
    let supervise = |mode| Ask::Supervise { target: "1002".to_owned(), mode };
    tells(house.ask("1003", supervise(SuperviseMode::Listen)), "refused NoSuchCall");
    house.talk("1001", "1002");
    tells(house.ask("1003", supervise(SuperviseMode::Whisper)), "c1 1003 supervises Whisper");
    tells(house.ask("1003", supervise(SuperviseMode::Barge)), "c1 1003 changes Barge");
    tells(house.ask("1004", supervise(SuperviseMode::Barge)), "refused AgentReserved");
    let call = house.conn(1);
    let single = Ask::SingleStep {
        call,
        to: "1005".to_owned(),
        purpose: cordboard_core::request::Joining::Transfer,
        user_data: Default::default(),
    };
    tells(
        house.ask("1002", single),
        "c1 Blind 1002>1005\n c1 1002 ends Transferred\n c1 1005 rings by 1002\n c1 1003 supervises no more",
    );
    tells(house.pass(1), NOTHING);
}
