//! What the configuration says about the directory, as changes to what the directory says already.
//!
//! The configuration wins over what was changed by clients where it speaks of something; what it does not mention stays.

use cordboard_core::World;
use cordboard_core::change::{Change, QueueProfile};
use cordboard_core::event::{ListProfile, Profile};
use cordboard_core::request::{Ask, Asker, AskerRole, Request};

use crate::config::Tenant;

/// Who asks for these changes, in the log.
const CLIENT: &str = "configuration";
/// They are answered at once, so that any deadline does.
const DEADLINE_MS: u64 = 1_000;

/// The requests that bring the directory to what is configured; none for what is so already.
#[must_use]
pub fn requests(world: &World, tenant: &Tenant) -> Vec<Request> {
    let lists = tenant.call_list.iter().map(|it| {
        let title = or_name(&it.title, &it.name);
        let profile = ListProfile { title, guid: it.guid, queue: it.queue.clone() };
        Change::DescribeList { list: it.name.clone(), profile }
    });
    let queues = tenant.queue.iter().map(|it| {
        // Whether a queue is closed is no matter of configuration.
        let closed = world.queues.get(&it.name).is_some_and(|known| known.profile.closed);
        let (title, overflow_list) = (it.title.clone(), it.overflow_list.clone());
        let profile = QueueProfile { title, guid: it.guid, overflow_list, closed };
        Change::DescribeQueue { queue: it.name.clone(), profile }
    });
    let users = tenant.agent.iter().map(|it| {
        let (name, login) = (it.name.clone(), it.login.clone());
        let profile = Profile { name, login, guid: it.guid, devices: it.devices.clone() };
        Change::DescribeUser { user: it.id.clone(), profile }
    });
    let missing = lists.chain(queues).chain(users).filter(|change| !is_so(world, change));
    missing.map(|change| request(&tenant.name, change)).collect()
}

/// Its name in the log and in [`World::clients`].
#[must_use]
pub fn client(tenant: &str) -> String {
    format!("{tenant}/{CLIENT}")
}

fn request(tenant: &str, change: Change) -> Request {
    Request {
        client: client(tenant),
        by: Asker { name: CLIENT.to_owned(), role: AskerRole::Administrator },
        reference: None,
        device: String::new(),
        ask: Ask::Change(Box::new(change)),
        refused: None,
        deadline_ms: DEADLINE_MS,
    }
}

#[expect(clippy::wildcard_enum_match_arm, reason = "the configuration makes no other changes")]
fn is_so(world: &World, change: &Change) -> bool {
    let directory = &world.directory;
    match change {
        Change::DescribeUser { user, profile } => {
            directory.users.get(user).and_then(|user| user.profile.as_ref()) == Some(profile)
        }
        Change::DescribeQueue { queue, profile } => {
            world.queues.get(queue).is_some_and(|queue| queue.profile == *profile)
        }
        Change::DescribeList { list, profile } => {
            directory.lists.get(list).is_some_and(|list| list.profile == *profile)
        }
        _ => false,
    }
}

fn or_name(title: &str, name: &str) -> String {
    if title.is_empty() { name.to_owned() } else { title.to_owned() }
}

#[cfg(test)]
mod tests {
    use cordboard_core::{Input, Time, decide, evolve};

    use super::*;
    use crate::config::{Agent, CallList, Queue};

    #[test]
    fn what_is_configured_is_written_down_once_and_again_when_it_changed() {
        let agent = Agent { id: "8001".into(), login: "ada@acme.example".into(), ..Agent::default() };
        let list = CallList { name: "late".into(), queue: Some("sales".into()), ..CallList::default() };
        let queue = Queue { name: "sales".into(), overflow_list: Some("late".into()), ..Queue::default() };
        let mut tenant = Tenant {
            name: "acme".into(),
            agent: vec![agent],
            call_list: vec![list],
            queue: vec![queue],
            ..Tenant::default()
        };
        let mut world = World::default();
        let mut start = |tenant: &Tenant| {
            let asked = requests(&world, tenant);
            let count = asked.len();
            for request in asked {
                for event in decide(&world, &Input::Requested { at: Time(1), request }) {
                    evolve(&mut world, &event);
                }
            }
            (count, world.directory.clone(), world.queues.clone())
        };
        let (count, directory, queues) = start(&tenant);
        assert_eq!((count, directory.lists["late"].profile.title.as_str()), (3, "late"));
        assert_eq!(queues["sales"].profile.overflow_list.as_deref(), Some("late"));
        assert_eq!(start(&tenant).0, 0);
        tenant.agent[0].name = "Ada".into();
        let (count, directory, _) = start(&tenant);
        assert_eq!((count, directory.users["8001"].profile.as_ref().unwrap().name.as_str()), (1, "Ada"));
    }
}
