//! What follows in the directory when time has come: whatever fell due is told, so that it is due no longer.

use alloc::string::String;

use crate::Told;
use crate::dues::Due;
use crate::event::{AgentFact, AlertFact, CallbackFact, Fact, UserFact};
use crate::guid::Guid;
use crate::ids::Time;
use crate::world::World;
use crate::wrapup_decide;

/// What follows when time has come to `now`.
pub(crate) fn elapsed(world: &World, now: Time, told: &mut Told) {
    for (due, what) in world.directory.dues.by(now) {
        // It happened when it fell due, however late we are.
        told.since = Some(*due).filter(|due| *due < told.at);
        match what {
            Due::Reach(user) => reach(world, user, now, told),
            Due::Reservation(agent) => {
                told.tell(Fact::Agent { agent: String::clone(agent), fact: AgentFact::ReservationEnded });
            }
            Due::WrapUp(user) => wrapup_decide::begin_wished(world, user, told),
            Due::Callback(callback) => {
                told.tell(Fact::Callback { callback: *callback, fact: CallbackFact::Expired });
            }
            Due::Alert(alert) => change_alert(world, *alert, *due, told),
        }
    }
    told.since = None;
}

/// Availabilities that are over end before those begin whose time has come.
fn reach(world: &World, name: &str, now: Time, told: &mut Told) {
    let Some(user) = world.directory.users.get(name) else { return };
    let over = |until: Option<Time>| until.is_some_and(|until| until <= now);
    for (id, _) in user.availabilities.iter().filter(|(_, it)| over(it.until)) {
        let fact = UserFact::AvailabilityEnded { id: *id };
        told.tell(Fact::User { user: String::from(name), fact });
    }
    let begins = |id: &&Guid| user.availabilities.get(*id).is_some_and(|it| it.from <= now && !over(it.until));
    for id in user.planned.iter().filter(begins) {
        let fact = UserFact::AvailabilityBegan { id: *id };
        told.tell(Fact::User { user: String::from(name), fact });
    }
}

/// The condition of an alert has come about, or holds no longer. What was counted then is told.
fn change_alert(world: &World, id: Guid, due: Time, told: &mut Told) {
    let Some(alert) = world.directory.alerts.get(&id) else { return };
    let fact = if alert.fired {
        AlertFact::Cleared
    } else {
        let counts = world.tallied(&alert.rule.queue, due);
        let counter = alert.rule.condition.first_counter();
        AlertFact::Fired { value: counter.map_or(0, |counter| counts.get(counter)) }
    };
    told.tell(Fact::Alert { alert: id, fact });
}
