//! What the directory is asked for and the switch keeps: after-call work that somebody wishes for, and who picks calls.

use cordboard_core::change::Change;
use cordboard_core::event::{WrapUpPlan, WrapUpWish};
use cordboard_core::observation::AgentSeen;
use cordboard_core::request::Refusal;
use cordboard_core::{Guid, Order};

use super::calls::{CallNo, Leg};
use super::wrapup::AfterCall;
use super::{Boxed, Refused, refuse};

impl Boxed {
    #[expect(clippy::wildcard_enum_match_arm, reason = "of the changes to the directory three concern a switch")]
    pub(super) fn change(&mut self, order: &Order, change: &Change) -> Result<(), Refused> {
        match change {
            Change::BeginWrapUp { wish, .. } => self.wish_for_work(&self.agent_at(&order.device)?, wish),
            Change::EndWrapUp { wrapup, .. } => self.wish_no_work(&self.agent_at(&order.device)?, *wrapup),
            Change::PickCalls { on, .. } => {
                let id = self.agent_at(&order.device)?;
                if let Some(agent) = self.agents.get_mut(&id) {
                    agent.picks = *on;
                }
                self.restless = true;
            }
            _ => return refuse(Refusal::Unsupported, "no switch is needed for this; the directory keeps it"),
        }
        Ok(())
    }

    /// After-call work is to begin: now, or when the last call at the telephone is over.
    fn wish_for_work(&mut self, id: &str, wish: &WrapUpWish) {
        let Some(agent) = self.agents.get_mut(id) else { return };
        agent.wished = Some(wish.clone());
        let device = agent.device.clone().unwrap_or_default();
        if !self.is_in_call(&device) {
            self.begin_wished(id, None);
        }
        self.touch(id);
    }

    /// After-call work is to end, or not to begin.
    fn wish_no_work(&mut self, id: &str, which: Option<Guid>) {
        self.touch(id);
        let Some(agent) = self.agents.get_mut(id) else { return };
        let pending = agent.wished.as_ref().map(|wish| wish.id);
        if which.is_none() || which == pending {
            agent.wished = None;
        }
        // It is the one under way that is meant, if it is not the one to come.
        let meant = which.is_none() || which != pending;
        match agent.after {
            AfterCall::Work { .. } if meant => self.after_work_asked_to_end(id),
            AfterCall::Work { .. } | AfterCall::Guard { .. } | AfterCall::Nothing => {}
        }
    }

    /// After-call work that was wished for begins, after a call or without one.
    pub(super) fn begin_wished(&mut self, id: &str, call: Option<CallNo>) {
        let Some(agent) = self.agents.get_mut(id) else { return };
        let Some(wish) = agent.wished.take() else { return };
        let ms = wished_ms(&wish, agent.wrapup);
        let until = self.begin_work(id, ms);
        let call = call.map(|call| self.call_key(call));
        self.say_agent(id, AgentSeen::WrapUp { queue: wish.queue.unwrap_or_default(), call, until });
    }

    pub(super) fn is_in_call(&self, device: &str) -> bool {
        let Some(phone) = self.phones.get(device) else { return false };
        phone.legs.iter().any(|no| self.legs.get(no).is_some_and(Leg::is_party))
    }
}

/// How long after-call work lasts that was wished for: as the wish says, else as the agent's does; none until it is ended.
pub(super) fn wished_ms(wish: &WrapUpWish, plan: WrapUpPlan) -> Option<u64> {
    match plan {
        _ if wish.max_s > 0 => Some(wish.max_s.saturating_mul(1_000)),
        WrapUpPlan::Timed { ms } if ms > 0 => Some(ms),
        WrapUpPlan::Timed { .. } | WrapUpPlan::None | WrapUpPlan::Untimed => None,
    }
}
