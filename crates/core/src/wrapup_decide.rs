//! After-call work that somebody asks for. A switch that keeps the readiness of its agents begins and ends it by an order;
//! elsewhere we do, by our own clock.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::{String, ToString};

use crate::Told;
use crate::agent::{AgentSaid, AgentSaw, AgentState, decide_agent};
use crate::directory_check::No;
use crate::event::{AgentFact, Fact, UserFact, WithoutCall, WrapUpEnd, WrapUpWish};
use crate::guid::Guid;
use crate::ids::{CallId, ConnId, Time};
use crate::limits::WRAPUP_S_MAX;
use crate::request::Refusal;
use crate::world::{Agent, World, WrapUp};

impl World {
    /// What the after-call work of an agent is called: the id of the wish it came from, else one that follows from the
    /// agent and the call, so that it can be told before it begins, else from the agent and its beginning.
    #[must_use]
    pub fn wrapup_id(&self, agent: &str, wrapup: &WrapUp) -> Guid {
        match (&wrapup.wish, wrapup.call) {
            (Some(wish), _) => wish.id,
            (None, Some(call)) => self.wrapup_id_after(agent, call),
            (None, None) => {
                Guid::derived(&[b"wrapup", self.tenant.as_bytes(), agent.as_bytes(), &wrapup.since.0.to_be_bytes()])
            }
        }
    }

    /// What the after-call work of an agent will be called that follows a call, where nobody wishes for it.
    #[must_use]
    pub fn wrapup_id_after(&self, agent: &str, call: CallId) -> Guid {
        let conn = self.conn_of(call).0.to_be_bytes();
        Guid::derived(&[b"wrapup after", self.tenant.as_bytes(), agent.as_bytes(), &conn])
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

/// The switch that keeps the readiness of an agent; none where the agent is not logged in, or we keep it.
fn keeper(world: &World, user: &str) -> Option<String> {
    let agent = world.agents.get(user).filter(|agent| agent.chose)?;
    let device = world.devices.get(agent.device.as_ref()?)?;
    world.switches.get(&device.switch).filter(|switch| switch.connected).map(|_| device.switch.clone())
}

/// The switch that is to begin after-call work, none where we do; or why it cannot begin.
pub(crate) fn can_begin(world: &World, user: &str, wish: &WrapUpWish) -> Result<Option<String>, No> {
    let agent = at_work(world, user)?;
    if wish.max_s > WRAPUP_S_MAX {
        let why = format!("after-call work of {} seconds; at most {WRAPUP_S_MAX} can be asked for", wish.max_s);
        return Err((Refusal::WrongAttribute, why));
    }
    if let Some(queue) = wish.queue.as_ref().filter(|queue| !world.queues.contains_key(*queue)) {
        return Err((Refusal::NoSuchQueue, format!("there is no queue {queue:?}; right would be one of the site")));
    }
    if let Some(list) = wish.list.as_ref().filter(|list| !world.directory.lists.contains_key(*list)) {
        return Err((Refusal::NoSuchList, format!("there is no call list {list:?}")));
    }
    match (wish.without_call, world.talks(user)) {
        (WithoutCall::No, false) => {
            let why = format!("{user} is in no call that after-call work could follow; ask for it without a call");
            Err((Refusal::WrongState, why))
        }
        (WithoutCall::Only, true) => {
            let why = format!("{user} is in a call; ask again when it is over, or for work after the call");
            Err((Refusal::WrongState, why))
        }
        (WithoutCall::No | WithoutCall::Yes, true) | (WithoutCall::Yes | WithoutCall::Only, false) => {
            switch_of(world, user, agent)
        }
    }
}

/// The switch that is to end after-call work, none where we do; or why there is nothing to end.
pub(crate) fn can_end(world: &World, user: &str, wrapup: Option<Guid>) -> Result<Option<String>, No> {
    let agent = at_work(world, user)?;
    let under_way = agent.wrapup.as_ref().map(|it| world.wrapup_id(user, it));
    let wished = world.wish_of(user).map(|wish| wish.id);
    let found = match wrapup {
        Some(id) => under_way == Some(id) || wished == Some(id),
        None => under_way.is_some() || wished.is_some(),
    };
    if !found {
        let why = format!("{user} has no such after-call work, and none is asked for");
        return Err((Refusal::SameState, why));
    }
    switch_of(world, user, agent)
}

/// A switch that keeps an agent's readiness was started anew: what it was asked for is forgotten with it.
pub(crate) fn forgotten(world: &World, user: &str, told: &mut Told) {
    let kept = world.agents.get(user).is_some_and(|agent| agent.chose);
    let Some(known) = world.directory.users.get(user).filter(|_| kept) else { return };
    if let Some(wish) = &known.wrapup_wanted {
        let (wrapup, reason) = (Some(wish.id), "the switch was started anew".to_string());
        told.tell(Fact::User { user: user.to_string(), fact: UserFact::WrapUpUnwanted { wrapup, reason } });
    }
    if known.picks_calls {
        told.tell(Fact::User { user: user.to_string(), fact: UserFact::PicksCalls { on: false } });
    }
}

/// The switch that is told who picks calls, none where we keep it; or why somebody cannot. It ends with the logout.
pub(crate) fn can_pick(world: &World, user: &str, on: bool) -> Result<Option<String>, No> {
    match world.agents.get(user).filter(|agent| agent.state != AgentState::LoggedOut) {
        Some(agent) => switch_of(world, user, agent),
        None if on => Err((Refusal::NotLoggedIn, format!("{user} is not logged in; who picks calls logs in first"))),
        None => Ok(None),
    }
}

/// What follows when after-call work is to end. A switch that keeps the agent's readiness ends it, and says so.
pub(crate) fn end_wished(world: &World, user: &str, wrapup: Option<Guid>, reason: &str, told: &mut Told) {
    let fact = UserFact::WrapUpUnwanted { wrapup, reason: reason.to_string() };
    told.tell(Fact::User { user: user.to_string(), fact });
    let Some(agent) = world.agents.get(user).filter(|_| world.begins_wrapup(user)) else { return };
    let meant = |it: &WrapUp| wrapup.is_none_or(|wanted| wanted == world.wrapup_id(user, it));
    if agent.wrapup.as_ref().is_some_and(meant)
        && decide_agent(agent.state, AgentSaw::Elapse) == Some(AgentSaid::WrapUpEnded)
    {
        let fact = AgentFact::WrapUpEnded { reason: WrapUpEnd::Requested };
        told.tell(Fact::Agent { agent: user.to_string(), fact });
    }
}

fn at_work<'w>(world: &'w World, user: &str) -> Result<&'w Agent, No> {
    let agent = world.agents.get(user).filter(|agent| agent.state != AgentState::LoggedOut);
    agent.ok_or_else(|| (Refusal::NotLoggedIn, format!("{user} is not logged in; log in first")))
}

fn switch_of(world: &World, user: &str, agent: &Agent) -> Result<Option<String>, No> {
    if !agent.chose {
        return Ok(None);
    }
    let gone =
        || (Refusal::SwitchGone, format!("the switch of {user} cannot be reached at the moment; try again later"));
    keeper(world, user).map(Some).ok_or_else(gone)
}

/// After-call work that was wished for begins by us.
pub(crate) fn begin_wished(world: &World, name: &str, told: &mut Told) {
    let Some((user, agent)) = world.directory.users.get(name).zip(world.agents.get(name)) else { return };
    let Some(wish) = &user.wrapup_wanted else { return };
    let (call, queue) = user.wrapup_after.clone().unzip();
    let call = wish.call.map(|conn| world.call_id(conn)).or(call);
    let queue = wish.queue.clone().or(queue.flatten()).unwrap_or_default();
    let before = told.events.len();
    begin(world, (name, agent), (&queue, call), Some(wish), told);
    if told.events.len() == before {
        // Whoever cannot begin it now will not do so later: nobody is logged in.
        let (wrapup, reason) = (Some(wish.id), "logged out".to_string());
        told.tell(Fact::User { user: name.to_string(), fact: UserFact::WrapUpUnwanted { wrapup, reason } });
    }
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
