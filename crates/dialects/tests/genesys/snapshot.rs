//! Whoever comes late is told what is true, in a stream that keeps all the rules and can be gone on with.

use cordboard_core::event::{AgentFact, CallFact, DeviceFact, Direction, ForwardMode, LegFact, SuperviseMode};
use cordboard_dialects::genesys::DIALECT;
use cordboard_dialects::genesys::rules::Rules;
use cordboard_dialects::{Position, Settings};

use crate::story::{Story, judge, short};

#[test]
fn a_busy_site() {
    let mut story = Story::new();
    story.device("102", DeviceFact::OutOfService);
    story.device("103", DeviceFact::DndOn);
    story.device("103", DeviceFact::ForwardSet { mode: ForwardMode::OnBusy, target: "104".to_owned() });
    story.device("103", DeviceFact::ForwardSet { mode: ForwardMode::OnNoAnswer, target: "104".to_owned() });
    story.device("104", DeviceFact::MessageWaitingOn { new: 3, old: 0 });
    for queue in ["sales", "support"] {
        story.agent("8001", AgentFact::LoggedIn { device: "101".to_owned(), queue: Some(queue.to_owned()) });
    }
    story.agent("8001", AgentFact::Ready);
    let (_, b) = story.inbound(1);
    story.leg(1, b, LegFact::Held);
    story.leg(1, b, LegFact::Muted);
    story.begin(2, Direction::Inbound, "+3582", "+3589", None);
    story.dials(2, "+3582");
    story.call(2, CallFact::Queued { queue: "sales".to_owned(), position: 1 });
    story.rings(2, "104", Some("sales"));
    story.call(1, CallFact::SupervisionBegan { by: "104".to_owned(), mode: SuperviseMode::Listen });

    let mut said = Vec::new();
    (DIALECT.snapshot)(&Settings::default(), &story.world, Position { epoch: 1, sequence: 99 }, &mut said);
    let mut rules = Rules::new(|dn| story.world.devices.contains_key(dn) || story.world.queues.contains_key(dn));
    said.iter().for_each(|message| judge(&mut rules, message));
    let said: Vec<String> = said.iter().map(short).collect();
    assert_eq!(
        said,
        [
            "AgentLogin 101",
            "AgentLogin 101",
            "AgentReady 101, AutoIn",
            "DNOutOfService 102",
            "DNDOn 103",
            "ForwardSet 103 = 104",
            "MessageWaitingOn 104",
            "Ringing 101 < +3581, Ok",
            "Established 101 < +3581, Ok",
            "Held 101 < +3581, Ok",
            "MuteOn 101",
            "Ringing 104 < +3581, Bridged",
            "PartyAdded 101 ~ 104, Bridged",
            "Established 104 < +3581, Bridged",
            "Queued sales < +3582, Ok",
            "Ringing 104 < +3582, Ok",
        ]
    );
}

#[test]
fn nothing_is_said_of_an_empty_site() {
    let story = Story::new();
    let mut said = Vec::new();
    (DIALECT.snapshot)(&Settings::default(), &story.world, Position { epoch: 1, sequence: 1 }, &mut said);
    assert_eq!(said, []);
}
