//! Agents and devices.

use cordboard_core::event::QueueFact;
use cordboard_core::event::{AgentFact, DeviceFact, ForwardMode, WrapUpEnd};
use serde_json::json;

use crate::story::Story;

fn login(story: &mut Story, queue: &str) -> Vec<String> {
    story.agent("8001", AgentFact::LoggedIn { device: "101".to_owned(), queue: Some(queue.to_owned()) })
}

#[test]
fn a_working_day() {
    let mut story = Story::new();
    assert_eq!(story.agent("8001", AgentFact::Found { name: "Ada".to_owned() }), [""; 0]);
    assert_eq!(login(&mut story, "sales"), ["AgentLogin 101"]);
    let message = story.messages.last().unwrap();
    assert_eq!((message.channel, message.key.as_str()), ("voice-agentstate", "acme:8001"));
    assert_eq!(
        story.last(),
        json!({
            "id": "EventAgentLogin", "Server": "cordboard", "ThisDN": "101",
            "time": story.last()["time"], "AgentID": "8001", "ThisQueue": "sales"
        })
    );
    assert_eq!(story.agent("8001", AgentFact::Ready), ["AgentReady 101, AutoIn"]);
    assert_eq!(login(&mut story, "support"), ["AgentLogin 101"]);
    let paused = AgentFact::QueuePaused { queue: "sales".to_owned(), reason: "lunch".to_owned() };
    assert_eq!(story.agent("8001", paused), [""; 0], "one queue of two is no state of the agent");
    story.agent("8001", AgentFact::QueuePaused { queue: "support".to_owned(), reason: "lunch".to_owned() });
    let said = story.agent("8001", AgentFact::NotReady { reason: "lunch".to_owned() });
    assert_eq!(said, ["AgentNotReady 101, AuxWork"]);
    assert_eq!(story.last()["Reasons"], json!({ "Reason": "lunch" }));
    assert_eq!(story.last()["AgentID"], "8001");
    assert_eq!(story.agent("8001", AgentFact::QueueLoggedOut { queue: "sales".to_owned() }), ["QueueLogout 101"]);
    let said = story.agent("8001", AgentFact::LoggedOut { queue: Some("support".to_owned()) });
    assert_eq!(said, ["AgentLogout 101"]);
    assert_eq!(story.last()["ThisQueue"], "support");
    assert_eq!(story.messages.last().unwrap().key, "acme:8001");
    story.close();
}

#[test]
fn an_agent_who_is_not_ready_without_a_pause() {
    let mut story = Story::new();
    story.agent("8001", AgentFact::LoggedIn { device: "101".to_owned(), queue: None });
    assert_eq!(story.agent("8001", AgentFact::NotReady { reason: String::new() }), ["AgentNotReady 101, Unknown"]);
    assert!(story.last().get("Reasons").is_none());
    story.close();
}

#[test]
fn after_call_work_ends_with_a_logout_or_with_the_next_call() {
    let mut story = Story::new();
    story.queue("sales", QueueFact::WrapUpSet { wrapup_ms: 5_000 });
    login(&mut story, "sales");
    story.agent("8001", AgentFact::Ready);
    let began = AgentFact::WrapUpBegan {
        queue: "sales".to_owned(),
        call: None,
        until: cordboard_core::Time(u64::MAX),
        by_switch: false,
        wish: None,
    };
    story.agent("8001", began.clone());
    let said = story.agent("8001", AgentFact::WrapUpEnded { reason: WrapUpEnd::NextCall });
    assert_eq!(said, ["AgentReady 101, AutoIn"]);
    story.agent("8001", began);
    assert_eq!(story.agent("8001", AgentFact::WrapUpEnded { reason: WrapUpEnd::LoggedOut }), [""; 0]);
    assert_eq!(story.agent("8001", AgentFact::LoggedOut { queue: None }), ["AgentLogout 101"]);
    story.close();
}

#[test]
fn device_states() {
    let mut story = Story::new();
    for (fact, said) in [
        (DeviceFact::OutOfService, "DNOutOfService 102"),
        (DeviceFact::BackInService, "DNBackInService 102"),
        (DeviceFact::DndOn, "DNDOn 102"),
        (DeviceFact::DndOff, "DNDOff 102"),
        (DeviceFact::MessageWaitingOn { new: 2, old: 1 }, "MessageWaitingOn 102"),
        (DeviceFact::MessageWaitingOff, "MessageWaitingOff 102"),
    ] {
        assert_eq!(story.device("102", fact), [said]);
        assert_eq!(story.messages.last().unwrap().key, "acme:102", "nobody is logged in there");
    }
    login(&mut story, "sales");
    story.device("101", DeviceFact::DndOn);
    assert_eq!(story.messages.last().unwrap().key, "acme:8001");
    assert_eq!(story.device("line-1", DeviceFact::OutOfService), [""; 0], "a line is no directory number");
}

#[test]
fn a_device_that_is_heard_of_for_the_first_time_does_not_come_back() {
    let mut story = Story::new();
    assert_eq!(story.device("102", DeviceFact::BackInService), [""; 0]);
    story.device("102", DeviceFact::OutOfService);
    assert_eq!(story.device("102", DeviceFact::BackInService), ["DNBackInService 102"]);
}

#[test]
fn forwarding_is_told_whole() {
    let mut story = Story::new();
    let set = |mode, target: &str| DeviceFact::ForwardSet { mode, target: target.to_owned() };
    assert_eq!(story.device("102", set(ForwardMode::OnBusy, "103")), ["ForwardSet 102 = 103"]);
    assert_eq!(story.last()["InfoStatus"], "OnBusy");
    story.device("102", set(ForwardMode::OnNoAnswer, "103"));
    assert_eq!(story.last()["InfoStatus"], "OnBusyAndNoAnswer");
    let said = story.device("102", DeviceFact::ForwardCancelled { mode: ForwardMode::OnBusy });
    assert_eq!(said, ["ForwardCancel 102", "ForwardSet 102 = 103"], "what is still in force is told anew");
    assert_eq!(story.last()["InfoStatus"], "OnNoAnswer");
    let said = story.device("102", DeviceFact::ForwardCancelled { mode: ForwardMode::OnNoAnswer });
    assert_eq!(said, ["ForwardCancel 102"]);
    story.device("102", set(ForwardMode::Unconditional, "+3585"));
    assert_eq!(story.last()["InfoStatus"], "Unconditional");
}
