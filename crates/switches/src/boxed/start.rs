//! How a site comes to life: what it consists of, said once, so that what was known of an earlier life is put right.

use cordboard_core::event::{DeviceKind, ForwardMode};
use cordboard_core::observation::{AgentSeen, DeviceSeen, QueueSeen, SwitchSeen};

use super::agents::Agent;
use super::calls::TRUNK;
use super::reach::Phone;
use super::{AgentPlan, Boxed, Number};

/// What the switch calls itself.
const VERSION: &str = concat!("built-in switch ", env!("CARGO_PKG_VERSION"));

const FORWARD_MODES: [ForwardMode; 4] =
    [ForwardMode::Unconditional, ForwardMode::OnBusy, ForwardMode::OnNoAnswer, ForwardMode::OnBusyAndNoAnswer];

impl Boxed {
    /// Takes the site in, before anything is said.
    pub(super) fn set_up(&mut self, numbers: Vec<(String, Number)>, agents: Vec<AgentPlan>) {
        for (name, number) in numbers {
            match number {
                Number::Extension(settings) => {
                    self.longest = self.longest.max(name.chars().count());
                    self.phones.insert(name, Phone { settings, ..Phone::default() });
                }
                Number::Outside => _ = self.numbers.insert(name, number),
                Number::AcdQueue(_) | Number::RouteQueue | Number::RoutePoint | Number::RingGroup { .. } => {
                    self.longest = self.longest.max(name.chars().count());
                    self.numbers.insert(name, number);
                }
            }
        }
        let of = |(name, phone): (&String, &Phone)| Some((phone.settings.appearance_of.clone()?, name.clone()));
        let appearances: Vec<(String, String)> = self.phones.iter().filter_map(of).collect();
        for (number, appearance) in appearances {
            if let Some(phone) = self.phones.get_mut(&number).filter(|_| number != appearance) {
                phone.appearances.push(appearance);
            }
        }
        for plan in agents {
            self.set_up_agent(plan);
        }
    }

    /// An agent is where the plan says, unless somebody else is there already.
    fn set_up_agent(&mut self, plan: AgentPlan) {
        let mut agent = Agent::new(plan);
        agent.idle_since = (self.now, self.next());
        let seat = agent.device.take().and_then(|device| Some((self.phones.get_mut(&device)?, device)));
        match seat {
            Some((phone, device)) if phone.agent.is_none() => {
                phone.agent = Some(agent.id.clone());
                agent.device = Some(device);
                agent.queues = agent.planned.iter().cloned().collect();
            }
            Some(_) | None => agent.ready = false,
        }
        self.agents.insert(agent.id.clone(), agent);
    }

    /// Says what there is.
    pub(super) fn start(&mut self) {
        self.started = true;
        self.say_switch(SwitchSeen::Connect { version: VERSION.to_string() });
        self.say_switch(SwitchSeen::Present { legs: Vec::new(), calls: Vec::new(), gone_since: None });
        self.say_device(TRUNK, DeviceSeen::Exist(DeviceKind::Trunk));
        self.say_device(TRUNK, DeviceSeen::Service(true));
        self.say_numbers();
        self.say_phones();
        self.say_agents();
        self.restless = true;
    }

    fn say_numbers(&mut self) {
        let kind = |(name, number): (&String, &Number)| {
            let kind = match number {
                Number::AcdQueue(_) => DeviceKind::Queue,
                Number::RouteQueue => DeviceKind::RouteQueue,
                Number::RoutePoint => DeviceKind::RoutePoint,
                Number::Extension(_) | Number::Outside | Number::RingGroup { .. } => return None,
            };
            Some((name.clone(), kind))
        };
        let kinds: Vec<(String, DeviceKind)> = self.numbers.iter().filter_map(kind).collect();
        for (name, kind) in kinds {
            self.say_device(&name, DeviceSeen::Exist(kind));
            self.say_device(&name, DeviceSeen::Service(true));
            if kind != DeviceKind::RoutePoint {
                self.say_queue(&name, QueueSeen::Exist);
                // After-call work is told by agent; a queue brings none about.
                self.say_queue(&name, QueueSeen::WrapUp(0));
            }
        }
    }

    fn say_phones(&mut self) {
        let names: Vec<String> = self.phones.keys().cloned().collect();
        for name in names {
            let Some(phone) = self.phones.get(&name) else { continue };
            let settings = phone.settings.clone();
            self.say_device(&name, DeviceSeen::Exist(DeviceKind::Extension));
            self.say_device(&name, DeviceSeen::Service(!settings.out_of_service));
            self.say_device(&name, DeviceSeen::Dnd(settings.dnd));
            for mode in FORWARD_MODES {
                let target = settings.forward.iter().find(|(set, _)| *set == mode).map(|(_, target)| target.clone());
                self.say_device(&name, DeviceSeen::Forward(mode, target));
            }
            self.say_device(&name, DeviceSeen::Messages(0, 0));
            self.say_device(&name, DeviceSeen::Hook { off: false, call: None });
        }
    }

    /// An earlier life may have left agents logged in, or at work, who are not so now.
    fn say_agents(&mut self) {
        let member =
            |agent: &Agent| agent.queues.iter().map(|queue| (agent.id.clone(), queue.clone())).collect::<Vec<_>>();
        let members = self.agents.values().flat_map(member).collect();
        self.say_switch(SwitchSeen::Members { members });
        let agents: Vec<String> = self.agents.keys().cloned().collect();
        for id in agents {
            let Some(agent) = self.agents.get(&id) else { continue };
            let (name, plan, seated) = (agent.name.clone(), agent.wrapup, agent.device.is_some());
            self.say_agent(&id, AgentSeen::Exist { name });
            self.say_agent(&id, AgentSeen::WrapUpPlan(plan));
            self.say_agent(&id, AgentSeen::Forgotten);
            if seated {
                self.say_login(&id);
                self.touch(&id);
            } else {
                self.say_agent(&id, AgentSeen::Leave { queue: None });
            }
        }
    }
}
