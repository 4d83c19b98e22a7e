//! After-call work that somebody asks for. A switch that keeps the readiness of its agents begins and ends it by an order;
//! elsewhere we do, by our own clock.

use alloc::boxed::Box;
use alloc::string::{String, ToString};

use crate::Told;
use crate::agent::{AgentSaid, AgentSaw, AgentState, decide_agent};
use crate::event::{AgentFact, Fact, WrapUpWish};
use crate::guid::Guid;
use crate::ids::{CallId, ConnId, Time};
use crate::world::{Agent, World, WrapUp};

impl World {
    /// What the after-call work of an agent is called: the id of the wish it came from, else one that follows from the
    /// agent and its beginning.
    #[must_use]
    pub fn wrapup_id(&self, agent: &str, wrapup: &WrapUp) -> Guid {
        match &wrapup.wish {
            Some(wish) => wish.id,
            None => {
                Guid::derived(&[b"wrapup", self.tenant.as_bytes(), agent.as_bytes(), &wrapup.since.0.to_be_bytes()])
            }
        }
    }

    /// After-call work that is wished for and has not begun.
    #[must_use]
    pub fn wish_of(&self, user: &str) -> Option<&WrapUpWish> {
        self.directory.users.get(user)?.wrapup_wanted.as_ref()
    }

    /// Whether after-call work of an agent begins and ends by us, not by the switch.
    pub(crate) fn begins_wrapup(&self, user: &str) -> bool {
        self.agents.get(user).is_some_and(|agent| agent.state != AgentState::LoggedOut && !agent.chose)
    }

    /// The call that applications know, or knew, by this id.
    pub(crate) fn call_id(&self, conn: ConnId) -> CallId {
        CallId(conn.0.wrapping_sub((self.founded.0 / 1_000_000) << 32))
    }
}

/// After-call work that was wished for begins by us.
pub(crate) fn begin_wished(world: &World, name: &str, told: &mut Told) {
    let Some((user, agent)) = world.directory.users.get(name).zip(world.agents.get(name)) else { return };
    let Some(wish) = &user.wrapup_wanted else { return };
    let (call, queue) = user.wrapup_after.clone().unzip();
    let call = wish.call.map(|conn| world.call_id(conn)).or(call);
    let queue = wish.queue.clone().or(queue.flatten()).unwrap_or_default();
    begin(world, (name, agent), (&queue, call), Some(wish), told);
}

/// After-call work begins, for as long as the wish says, else as the queue does, else until the agent ends it.
pub(crate) fn begin(
    world: &World,
    (name, agent): (&str, &Agent),
    (queue, call): (&str, Option<CallId>),
    wish: Option<&WrapUpWish>,
    told: &mut Told,
) {
    if decide_agent(agent.state, AgentSaw::Complete) != Some(AgentSaid::WrapUpBegan) {
        return;
    }
    let of_queue = world.queues.get(queue).and_then(|queue| queue.wrapup_ms).filter(|ms| *ms > 0);
    let wished = wish.map(|wish| wish.max_s.saturating_mul(1_000)).filter(|ms| *ms > 0);
    let begun = told.since.unwrap_or(told.at);
    let until = wished.or(of_queue).map_or(Time(u64::MAX), |ms| begun.plus_ms(ms));
    let wish = wish.cloned().map(Box::new);
    let fact = AgentFact::WrapUpBegan { queue: queue.to_string(), call, until, by_switch: false, wish };
    told.tell(Fact::Agent { agent: String::from(name), fact });
}
