//! A model file, translated into a story.

use cordboard_core::ConnId;
use cordboard_core::event::{CallResult, Cause, ForwardMode, WorkMode, WrapUpPlan};
use cordboard_dialects::genesys::requests::{self, Parsed, REQUESTS, Wrong};
use cordboard_switches::boxed::{AcdQueue, AgentPlan, At, Happening, Number, Options, Telephone};
use serde_json::{Map, Value};

use super::node::Node;
use crate::scenario::{Ask, Step, Story};

/// A model that can be played.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Model {
    /// Its id.
    pub id: String,
    /// What happens. A call is called `call N` by its number in the model.
    pub story: Story,
    /// Its actions in their order, by their numbers in the model's count.
    pub actions: Vec<(i64, Action)>,
}

/// What becomes of an action.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// The next step of the story.
    Step,
    /// A request that no switch hears of: it is refused as it is read, which is no reason to stop.
    Refused(Wrong),
}

/// A model that says itself that it cannot be played.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Skip;

/// What the switch is called in the models' calls.
const SWITCH: &str = "office";

impl Model {
    /// Reads a model file.
    ///
    /// # Errors
    /// The place in the file, what is wrong there, and what would be right.
    pub fn read(text: &str) -> Result<Result<Self, Skip>, String> {
        let value: Value = serde_json::from_str(text).map_err(|error| format!("no JSON: {error}"))?;
        let mut file = Node::of(&value, "")?;
        let id = file.want_text("id")?.to_string();
        if file.has("skip") {
            return Ok(Err(Skip));
        }
        let mut story = Story::default();
        story.about.push(file.want_text("title")?.to_string());
        story.site.switch = SWITCH.to_string();
        for about in ["strictness", "confidence", "source", "note"] {
            file.value(about);
        }
        let mut setup = file.object("setup")?.ok_or("\"setup\" is missing")?;
        for (path, device) in setup.list("devices")? {
            read_device(Node::of(device, &path)?, &mut story)?;
        }
        for (path, agent) in setup.list("agents")? {
            story.site.agents.push(read_agent(Node::of(agent, &path)?)?);
        }
        if let Some(options) = setup.object("options")? {
            story.site.options = read_options(options)?;
        }
        setup.end()?;
        let mut model = Self { id, story, actions: Vec::new() };
        let given = file.list("given")?;
        let first = -i64::try_from(given.len()).unwrap_or(i64::MAX);
        for (number, (path, action)) in (first..).zip(given) {
            model.action(number, Node::of(action, &path)?)?;
        }
        for (number, (path, action)) in (0..).zip(file.list("steps")?) {
            let node = Node::of(action, &path)?;
            if !node.has("expect") {
                model.action(number, node)?;
            }
        }
        file.end()?;
        Ok(Ok(model))
    }

    fn action(&mut self, number: i64, mut action: Node<'_>) -> Result<(), String> {
        let step = if let Some(name) = action.text("request")? {
            match self.request(name, &mut action)? {
                Ok(step) => step,
                Err(wrong) => {
                    action.end()?;
                    self.actions.push((number, Action::Refused(wrong)));
                    return Ok(());
                }
            }
        } else if let Some(name) = action.text("switch")? {
            self.happening(name, &mut action)?
        } else {
            return Err(action.error("expected an action with \"request\" or \"switch\", or \"expect\""));
        };
        action.end()?;
        self.story.steps.push(step);
        self.actions.push((number, Action::Step));
        Ok(())
    }

    /// The request as a client would write it, with calls by their places in the story.
    fn request(&mut self, name: &str, action: &mut Node<'_>) -> Result<Result<Step, Wrong>, String> {
        if !REQUESTS.iter().any(|request| request.name == name) {
            return Err(
                action.error(&format!("there is no request {name:?}; `cordboard catalogue genesys` lists them"))
            );
        }
        let mut request = Map::from_iter([
            ("request".to_string(), Value::from(name)),
            ("ThisDN".to_string(), Value::from(action.want_text("dn")?)),
        ]);
        let mut begins = None;
        let begin_by_conn = matches!(name, "TMakeCall" | "TMakePredictiveCall");
        for (member, attribute) in [("conn", "ConnID"), ("held_conn", "HeldConnID"), ("new_conn", "")] {
            let Some(number) = action.number(member)? else { continue };
            if member == "new_conn" || member == "conn" && begin_by_conn {
                self.new_call(number, action)?;
                begins = Some(call_name(number));
            } else {
                let place = self.call(number, action)?;
                request.insert(attribute.to_string(), Value::from(format!("{place}@{SWITCH}")));
            }
        }
        request.extend(action.members("attrs")?);
        Ok(requests::parse(&Value::Object(request)).map(|parsed| {
            let Parsed { device, reference, ask, password: _ } = parsed;
            Step::Ask(Ask { client: None, reference, device, ask, begins })
        }))
    }

    fn happening(&mut self, name: &str, action: &mut Node<'_>) -> Result<Step, String> {
        let mut begins = None;
        let happening = match name {
            "advance" => {
                let ms = action.want_number("seconds")?.saturating_mul(1_000);
                return Ok(Step::Wait { ms });
            }
            "inbound" => {
                let (from, to) = (action.want_text("from")?.to_string(), action.want_text("to")?.to_string());
                let ani = action.text("ani")?.unwrap_or_default().to_string();
                let dnis = action.text("dnis")?.unwrap_or_default().to_string();
                begins = Some(self.begin(action)?);
                Happening::Inbound { from, to, ani, dnis }
            }
            "dial" => {
                let (device, to) = (action.want_text("dn")?.to_string(), action.want_text("to")?.to_string());
                begins = Some(self.begin(action)?);
                Happening::Dial { device, to }
            }
            "network_reached" => Happening::Reach(self.at(action)?),
            "answer" => {
                let by = match action.text("by")? {
                    None | Some("voice") => CallResult::Person,
                    Some("machine") => CallResult::AnsweringMachine,
                    Some(other) => {
                        return Err(action.error(&format!("by is {other:?}; right would be voice or machine")));
                    }
                };
                Happening::Answer { at: self.at(action)?, by }
            }
            "hangup" => Happening::HangUp(self.at(action)?),
            "fail" => {
                let state = action.want_text("cause")?;
                let cause = cause(state).ok_or_else(|| action.error(&format!("{state:?} is no cause of a failure")))?;
                Happening::Fail { at: self.at(action)?, cause }
            }
            "treatment_end" => {
                let digits = action.text("digits")?.map(str::to_string);
                Happening::TreatmentEnd { at: self.at(action)?, digits }
            }
            "out_of_service" => Happening::OutOfService { device: action.want_text("dn")?.to_string() },
            "back_in_service" => Happening::BackInService { device: action.want_text("dn")?.to_string() },
            other => return Err(action.error(&format!("there is no switch action {other:?}"))),
        };
        Ok(Step::Now { happening, begins })
    }

    fn at(&self, action: &mut Node<'_>) -> Result<At, String> {
        let number = action.want_number("conn")?;
        self.call(number, action)?;
        Ok(At { number: action.want_text("dn")?.to_string(), call: call_name(number) })
    }

    fn begin(&mut self, action: &mut Node<'_>) -> Result<String, String> {
        let number = action.want_number("conn")?;
        self.new_call(number, action)?;
        Ok(call_name(number))
    }

    fn new_call(&mut self, number: u64, action: &Node<'_>) -> Result<(), String> {
        let name = call_name(number);
        if self.story.calls.contains(&name) {
            return Err(action.error(&format!("the call number {number} is in use; a new call has a new number")));
        }
        self.story.call(&name);
        Ok(())
    }

    fn call(&self, number: u64, action: &Node<'_>) -> Result<ConnId, String> {
        let name = call_name(number);
        let place = self.story.calls.iter().position(|call| *call == name);
        let place = place.ok_or_else(|| action.error(&format!("no action before this one made the call {number}")))?;
        Ok(ConnId(place as u64 + 1))
    }
}

fn call_name(number: u64) -> String {
    format!("call {number}")
}

fn read_device(mut device: Node<'_>, story: &mut Story) -> Result<(), String> {
    let dn = device.want_text("dn")?.to_string();
    let number = match device.want_text("type")? {
        "extension" => {
            if device.truth("registered")? == Some(false) {
                story.unregistered.insert(dn.clone());
            }
            Number::Extension(read_telephone(&mut device)?)
        }
        "external" => Number::Outside,
        "acd_queue" => Number::AcdQueue(AcdQueue {
            overflow_to: device.texts("overflow_to")?,
            no_answer_ms: device.seconds("no_answer_timeout_s")?,
            no_answer_not_ready: match device.text("no_answer_agent_state")? {
                None | Some("Ready") => false,
                Some("NotReady") => true,
                Some(other) => return Err(device.error(&format!("{other:?}; right would be Ready or NotReady"))),
            },
            ..AcdQueue::default()
        }),
        "route_queue" => Number::RouteQueue,
        "route_point" => Number::RoutePoint,
        "ring_group" => Number::RingGroup { members: device.texts("members")? },
        other => return Err(device.error(&format!("there is no type {other:?}"))),
    };
    story.site.numbers.push((dn, number));
    device.end()
}

fn read_telephone(device: &mut Node<'_>) -> Result<Telephone, String> {
    let mut telephone = Telephone {
        busy: device.flag("busy")?,
        dnd: device.flag("dnd")?,
        out_of_service: device.flag("out_of_service")?,
        no_answer_ms: device.seconds("no_answer_timeout_s")?,
        alert_delay_ms: device.seconds("alert_delay_s")?.unwrap_or(0),
        auto_answer: device.flag("auto_answer")?,
        appearance_of: device.text("appearance_of")?.map(str::to_string),
        ..Telephone::default()
    };
    if let Some(mut forward) = device.object("forward")? {
        let mode = match forward.want_text("mode")? {
            "Unconditional" => ForwardMode::Unconditional,
            "OnBusy" => ForwardMode::OnBusy,
            "OnNoAnswer" => ForwardMode::OnNoAnswer,
            "OnBusyAndNoAnswer" => ForwardMode::OnBusyAndNoAnswer,
            other => return Err(forward.error(&format!("there is no mode {other:?}"))),
        };
        telephone.forward.push((mode, forward.want_text("target")?.to_string()));
        forward.end()?;
    }
    Ok(telephone)
}

fn read_agent(mut agent: Node<'_>) -> Result<AgentPlan, String> {
    let state = agent.want_text("state")?;
    let (logged_in, ready) = match state {
        "LoggedOut" => (false, false),
        "NotReady" => (true, false),
        "Ready" => (true, true),
        other => return Err(agent.error(&format!("state is {other:?}; right would be LoggedOut, NotReady or Ready"))),
    };
    let device = agent.text("dn")?.map(str::to_string);
    if logged_in && device.is_none() {
        return Err(agent.error("\"dn\" is missing: where the agent is logged in"));
    }
    let mode = match agent.text("work_mode")? {
        None => WorkMode::Unknown,
        Some("ManualIn") => WorkMode::ManualIn,
        Some("AutoIn") => WorkMode::AutoIn,
        Some(other) => return Err(agent.error(&format!("work_mode is {other:?}; right would be ManualIn or AutoIn"))),
    };
    let wrapup = match agent.value("wrap_up_s") {
        None => WrapUpPlan::None,
        Some(value) if value.as_str() == Some("untimed") => WrapUpPlan::Untimed,
        Some(value) => match value.as_u64() {
            Some(0) => WrapUpPlan::None,
            Some(seconds) => WrapUpPlan::Timed { ms: seconds.saturating_mul(1_000) },
            None => {
                return Err(agent.error(&format!("wrap_up_s is {value}; right would be seconds or \"untimed\"")));
            }
        },
    };
    let plan = AgentPlan {
        id: agent.want_text("agent_id")?.to_string(),
        name: String::new(),
        device: device.filter(|_| logged_in),
        queues: agent.texts("queues")?,
        ready,
        mode,
        wrapup,
        skills: Vec::new(),
    };
    agent.end()?;
    Ok(plan)
}

fn read_options(mut options: Node<'_>) -> Result<Options, String> {
    let usual = Options::default();
    let read = Options {
        route_ms: options.seconds("route_timeout_s")?,
        default_target: options.text("default_target")?.map(str::to_string),
        treatments: options.truth("treatments")?.unwrap_or(usual.treatments),
        hook_events: options.truth("hook_events")?.unwrap_or(usual.hook_events),
        ..usual
    };
    options.end()?;
    Ok(read)
}

/// Why a number outside cannot be reached, from the CallState that shall be told of it.
fn cause(state: &str) -> Option<Cause> {
    Some(match state {
        "Busy" => Cause::Busy,
        "NoAnswer" => Cause::NoAnswer,
        "AllTrunksBusy" => Cause::Congestion,
        "SitInvalidnum" => Cause::Unallocated,
        "SitVacant" => Cause::Vacant,
        "SitIntercept" => Cause::Intercepted,
        "SitNocircuit" => Cause::NoCircuit,
        "SitReorder" => Cause::Reorder,
        "SitDetected" => Cause::Tone,
        "SitUnknown" => Cause::UnknownTone,
        "GeneralError" => Cause::Unreachable,
        "SystemError" => Cause::SwitchFailure,
        "QueueFull" => Cause::QueueFull,
        "Dropped" => Cause::Dropped,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn model(setup: &str, steps: &str) -> Result<Result<Model, Skip>, String> {
        Model::read(&format!(r#"{{"id": "m", "title": "M", "setup": {setup}, "steps": {steps}}}"#))
    }

    const SETUP: &str = r#"{"devices": [{"dn": "1001", "type": "extension"}, {"dn": "1002", "type": "extension"}]}"#;

    #[test]
    fn steps_keep_the_number_of_their_place() {
        let steps = r#"[{"request": "TMakeCall", "dn": "1001", "conn": 1, "attrs": {"OtherDN": "1002"}}, {"expect": []},
            {"switch": "hangup", "dn": "1001", "conn": 1}]"#;
        let model = model(SETUP, steps).unwrap().unwrap();
        assert_eq!(model.actions, [(0, Action::Step), (2, Action::Step)]);
        let lines: Vec<String> = model.story.steps.iter().map(|step| model.story.line(step)).collect();
        assert_eq!(lines, ["ask 1001 make-call 1002 as \"call 1\"", "now 1001 hangs-up \"call 1\""]);
    }

    #[test]
    fn what_is_not_known_is_named_with_its_place() {
        let cases = [
            (r#"{"devices": [{"dn": "1", "type": "fax"}]}"#, "[]", "setup.devices[0]: there is no type \"fax\""),
            (r#"{"devices": [{"dn": "1", "type": "extension", "colour": 1}]}"#, "[]", "setup.devices[0]: \"colour\""),
            (SETUP, r#"[{"request": "TFly", "dn": "1001"}]"#, "steps[0]: "),
            (SETUP, r#"[{"switch": "rain"}]"#, "steps[0]: there is no switch action \"rain\""),
            (SETUP, r#"[{"switch": "hangup", "dn": "1001", "conn": 7}]"#, "steps[0]: no action before"),
            (SETUP, r#"[{"switch": "advance", "seconds": "5"}]"#, "steps[0].seconds: expected a whole number"),
        ];
        for (setup, steps, place) in cases {
            let why = model(setup, steps).unwrap_err();
            assert!(why.contains(place), "{why}");
        }
    }
}
