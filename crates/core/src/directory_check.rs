//! What must be true of a change to the directory, so that it can be made; and why it is refused where it is not.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::string::{String, ToString};

use crate::change::{Change, QueueProfile};
use crate::directory::{CallbackState, Named};
use crate::event::{
    AlertRule, Attempt, Availability, Callback, CallbackDetails, ListProfile, Phrase, Profile, Setting, SettingLevel,
};
use crate::guid::Guid;
use crate::ids::Time;
use crate::limits as max;
use crate::request::{AskerRole, Refusal};
use crate::world::World;

/// Why not, as a word for programs and in words for people.
pub(crate) type No = (Refusal, String);

/// Whether a change can be made by somebody of this role.
pub(crate) fn check(world: &World, change: &Change, role: AskerRole, now: Time) -> Result<(), No> {
    match change {
        Change::DescribeUser { user, profile } => described_user(world, user, profile),
        Change::RemoveUser { user } => match world.directory.users.get(user) {
            Some(_) => Ok(()),
            None => no_user(user, "is in the directory"),
        },
        Change::SetAvailability { user, availability } => availability_set(world, user, availability, now),
        Change::ChangeSetting { user, setting } => setting_changed(world, user, setting, role),
        Change::RemoveSetting { user, keyword } => {
            known_user(world, user)?;
            let level = world.directory.users.get(user).and_then(|user| user.settings.get(keyword)).map(|it| it.level);
            may_change(keyword, level, role)
        }
        Change::Watch { user, agent, on } => watched(world, user, agent, *on),
        Change::EndAvailability { user, .. }
        | Change::ServeCallbacks { user, .. }
        | Change::PickCalls { user, .. }
        | Change::ReportRecording { user, .. }
        | Change::BeginWrapUp { user, .. } => known_user(world, user),
        Change::EndWrapUp { user, reason, .. } => {
            known_user(world, user)?;
            short("the reason", reason)
        }
        Change::ReportPhrase { user, phrase } => {
            known_user(world, user)?;
            phrase_heard(phrase)
        }
        Change::DescribeQueue { queue, profile } => described_queue(world, queue, profile, role),
        Change::AssignMember { queue, user, .. } => {
            known_user(world, user)?;
            let queue = known_queue(world, queue)?;
            let free = queue.assigned.contains_key(user);
            room(free, queue.assigned.len(), max::MEMBERS_MAX, "people are assigned to the queue")
        }
        Change::RemoveMember { queue, .. } => known_queue(world, queue).map(|_| ()),
        Change::DescribeList { list, profile } => described_list(world, list, profile, role),
        Change::RemoveList { list } => known_list(world, list),
        Change::CreateCallback { id, callback } => created(world, *id, callback, now),
        Change::EditCallback { id, details, by } => {
            open_callback(world, *id)?;
            who(world, by.as_deref())?;
            details_of(details, now)
        }
        Change::AssignCallback { id, to, by } => {
            open_callback(world, *id)?;
            who(world, by.as_deref())?;
            who(world, to.as_deref())
        }
        Change::AttemptCallback { id, attempt } => attempted(world, *id, attempt),
        Change::CloseCallback { id, by } => {
            open_callback(world, *id)?;
            who(world, by.as_deref())
        }
        Change::DefineAlert { id, rule } => defined(world, *id, rule),
        Change::RemoveAlert { id } => match world.directory.alerts.get(id) {
            Some(_) => Ok(()),
            None => Err((Refusal::NoSuchAlert, format!("there is no alert {id}"))),
        },
    }
}

fn described_user(world: &World, user: &str, profile: &Profile) -> Result<(), No> {
    name("the person's id", user)?;
    short("the name", &profile.name)?;
    short("the login", &profile.login)?;
    few(profile.devices.len(), max::DEVICES_MAX, "telephones of one's own")?;
    let mut seen = BTreeSet::new();
    for device in &profile.devices {
        name("a telephone", device)?;
        if !seen.insert(device) {
            return wrong(format!("the telephone {device} is named twice"));
        }
        if let Some(owner) = world.directory.owners.get(device).filter(|owner| *owner != user) {
            return wrong(format!("the telephone {device} is {owner}'s; take it from there first"));
        }
    }
    own_id(world, profile.guid, &Named::User(user.to_string()))
}

fn availability_set(world: &World, user: &str, set: &Availability, now: Time) -> Result<(), No> {
    known_user(world, user)?;
    long("the note", &set.note)?;
    short("the source", &set.source)?;
    short("the number for calls meanwhile", &set.transfer_to)?;
    if set.until.is_some_and(|until| until <= set.from.max(now)) {
        return wrong("the availability would be over before it begins; right is an end later than now and later than its beginning".to_string());
    }
    let Some(known) = world.directory.users.get(user).map(|user| &user.availabilities) else { return Ok(()) };
    room(known.contains_key(&set.id), known.len(), max::AVAILABILITIES_MAX, "availabilities are set for the person")
}

fn setting_changed(world: &World, user: &str, setting: &Setting, role: AskerRole) -> Result<(), No> {
    known_user(world, user)?;
    name("the setting's name", &setting.keyword)?;
    long("the value", &setting.value)?;
    let pairs = |pairs: &Option<BTreeMap<String, String>>| {
        few(pairs.as_ref().map_or(0, BTreeMap::len), max::VALUES_MAX, "values of a setting")?;
        pairs.iter().flatten().try_for_each(|(key, value)| {
            name("a value's name", key)?;
            long("a value", value)
        })
    };
    pairs(&setting.values)?;
    pairs(&setting.allowed)?;
    may_change(&setting.keyword, Some(setting.level), role)?;
    let Some(known) = world.directory.users.get(user).map(|user| &user.settings) else { return Ok(()) };
    let was = known.get(&setting.keyword);
    may_change(&setting.keyword, was.map(|was| was.level), role)?;
    room(was.is_some(), known.len(), max::SETTINGS_MAX, "settings are kept for the person")
}

fn may_change(keyword: &str, level: Option<SettingLevel>, role: AskerRole) -> Result<(), No> {
    match (level, role) {
        (Some(SettingLevel::Administrator), AskerRole::Agent | AskerRole::Supervisor) => {
            Err((Refusal::NotAllowed, format!("the setting {keyword:?} is changed by an administrator only")))
        }
        (
            Some(SettingLevel::Administrator | SettingLevel::User | SettingLevel::Undefined) | None,
            AskerRole::Agent | AskerRole::Supervisor | AskerRole::Service | AskerRole::Administrator,
        ) => Ok(()),
    }
}

fn watched(world: &World, user: &str, agent: &str, on: bool) -> Result<(), No> {
    known_user(world, user)?;
    known_user(world, agent)?;
    let known = world.directory.users.get(user).map(|user| &user.watches);
    let (known, count) = known.map_or((false, 0), |known| (known.contains(agent), known.len()));
    room(known || !on, count, max::WATCHES_MAX, "agents are watched by the person")
}

fn phrase_heard(phrase: &Phrase) -> Result<(), No> {
    long("the phrase", &phrase.text)?;
    short("the leg", &phrase.leg)?;
    short("the kind of transcript", &phrase.kind)?;
    [&phrase.queue, &phrase.list].into_iter().flatten().try_for_each(|it| short("the queue or list", it))
}

fn described_queue(world: &World, queue: &str, profile: &QueueProfile, role: AskerRole) -> Result<(), No> {
    name("the queue's name", queue)?;
    queue_to_come(world, queue, role)?;
    short("the title", &profile.title)?;
    if let Some(list) = &profile.overflow_list {
        known_list(world, list)?;
    }
    own_id(world, profile.guid, &Named::Queue(queue.to_string()))
}

/// An administrator may speak of a queue before its switch does: what is configured is said at the start.
fn queue_to_come(world: &World, queue: &str, role: AskerRole) -> Result<(), No> {
    match role {
        AskerRole::Administrator => Ok(()),
        AskerRole::Agent | AskerRole::Supervisor | AskerRole::Service => known_queue(world, queue).map(|_| ()),
    }
}

fn described_list(world: &World, list: &str, profile: &ListProfile, role: AskerRole) -> Result<(), No> {
    name("the list's name", list)?;
    short("the title", &profile.title)?;
    if let Some(queue) = &profile.queue {
        short("the queue's name", queue)?;
        queue_to_come(world, queue, role)?;
    }
    own_id(world, profile.guid, &Named::List(list.to_string()))
}

fn created(world: &World, id: Guid, callback: &Callback, now: Time) -> Result<(), No> {
    if let Some(known) = world.directory.callbacks.get(&id) {
        return if known.callback == *callback {
            Ok(())
        } else {
            wrong(format!("the callback {id} exists already; edit it, or choose another id"))
        };
    }
    known_list(world, &callback.list)?;
    if let Some(queue) = &callback.queue {
        known_queue(world, queue)?;
    }
    who(world, callback.personal.as_deref())?;
    who(world, callback.by.as_deref())?;
    short("the number that was dialled", &callback.target_number)?;
    details_of(&callback.details, now)?;
    let open = world.directory.lists.get(&callback.list).map_or(0, |list| list.open());
    room(false, open, max::CALLBACKS_OPEN_MAX, "callbacks are open on the list")
}

fn details_of(details: &CallbackDetails, now: Time) -> Result<(), No> {
    name("the number to call", &details.contact_number)?;
    short("the name of the contact", &details.contact_name)?;
    short("the channel", &details.channel)?;
    long("the message", &details.contact_message)?;
    long("the note", &details.note)?;
    few(details.extras.len(), max::EXTRAS_MAX, "pairs with a callback")?;
    few(details.related.len(), max::RELATED_MAX, "other callbacks that one names")?;
    for (key, value) in &details.extras {
        name("the name of a pair", key)?;
        long("the value of a pair", value)?;
    }
    if details.expires.is_some_and(|expires| expires <= now) {
        return wrong("the callback would have expired already; right is a time to come".to_string());
    }
    Ok(())
}

fn attempted(world: &World, id: Guid, attempt: &Attempt) -> Result<(), No> {
    let state = open_callback(world, id)?;
    who(world, attempt.by.as_deref())?;
    long("the note", &attempt.note)?;
    let known = state.attempts.iter().find(|known| known.id == attempt.id);
    if known.is_some_and(|known| known != attempt) {
        return wrong(format!("the attempt {} was told already, with other words", attempt.id));
    }
    room(known.is_some(), state.attempts.len(), max::ATTEMPTS_MAX, "attempts were made at the callback")
}

fn defined(world: &World, id: Guid, rule: &AlertRule) -> Result<(), No> {
    known_user(world, &rule.user)?;
    known_queue(world, &rule.queue)?;
    name("the name of the condition", &rule.name)?;
    long("the condition", &rule.text)?;
    short("the threshold", &rule.threshold)?;
    if !rule.condition.is_sound() {
        return wrong(format!(
            "the condition compares nothing somewhere, or is too large; right are at most {} comparisons and joints, at most {} deep",
            crate::condition::Condition::PARTS_MAX,
            crate::condition::Condition::DEPTH_MAX
        ));
    }
    let was = world.directory.alerts.get(&id).map(|alert| &alert.rule);
    let count = world.directory.users.get(&rule.user).map_or(0, |user| user.alerts.len());
    let his = was.is_some_and(|was| was.user == rule.user);
    room(his, count, max::ALERTS_A_USER_MAX, "alerts are defined for the person")?;
    let count = world.directory.tallies.get(&rule.queue).map_or(0, |tally| tally.alerts.len());
    let there = was.is_some_and(|was| was.queue == rule.queue);
    room(there, count, max::ALERTS_A_QUEUE_MAX, "alerts are defined on the queue")
}

/// Somebody there is.
pub(crate) fn known_user(world: &World, user: &str) -> Result<(), No> {
    if world.is_user(user) { Ok(()) } else { no_user(user, "is known") }
}

fn who(world: &World, user: Option<&str>) -> Result<(), No> {
    user.map_or(Ok(()), |user| known_user(world, user))
}

fn no_user(user: &str, what: &str) -> Result<(), No> {
    Err((Refusal::NoSuchUser, format!("nobody named {user:?} {what}")))
}

fn known_queue<'w>(world: &'w World, queue: &str) -> Result<&'w crate::world::Queue, No> {
    let none = || (Refusal::NoSuchQueue, format!("there is no queue {queue:?}; right would be one of the site"));
    world.queues.get(queue).ok_or_else(none)
}

fn known_list(world: &World, list: &str) -> Result<(), No> {
    let none = || (Refusal::NoSuchList, format!("there is no call list {list:?}; make it first"));
    world.directory.lists.get(list).map(|_| ()).ok_or_else(none)
}

fn open_callback(world: &World, id: Guid) -> Result<&CallbackState, No> {
    let Some(state) = world.directory.callbacks.get(&id) else {
        let why = format!("there is no callback {id}; one that was closed long ago is kept no longer");
        return Err((Refusal::NoSuchCallback, why));
    };
    if state.closed.is_some() {
        return Err((Refusal::CallbackClosed, format!("the callback {id} is closed; create another one")));
    }
    Ok(state)
}

fn own_id(world: &World, guid: Option<Guid>, whose: &Named) -> Result<(), No> {
    match guid.and_then(|guid| Some((guid, world.directory.named.get(&guid)?))) {
        Some((guid, other)) if other != whose => wrong(format!("the id {guid} is taken, by {}", in_words(other))),
        Some(_) | None => Ok(()),
    }
}

fn in_words(named: &Named) -> String {
    match named {
        Named::User(name) => format!("the person {name}"),
        Named::Queue(name) => format!("the queue {name}"),
        Named::List(name) => format!("the call list {name}"),
    }
}

fn name(what: &str, text: &str) -> Result<(), No> {
    if text.is_empty() { wrong(format!("{what} is missing")) } else { short(what, text) }
}

fn short(what: &str, text: &str) -> Result<(), No> {
    at_most(what, text, max::NAME_BYTES_MAX)
}

fn long(what: &str, text: &str) -> Result<(), No> {
    at_most(what, text, max::TEXT_BYTES_MAX)
}

fn at_most(what: &str, text: &str, bytes: usize) -> Result<(), No> {
    if text.len() <= bytes {
        return Ok(());
    }
    wrong(format!("{what} has {} bytes; at most {bytes} are kept", text.len()))
}

fn few(count: usize, most: usize, what: &str) -> Result<(), No> {
    if count <= most { Ok(()) } else { wrong(format!("{count} {what}; at most {most} are kept")) }
}

/// Whether there is room for one more; it is for one that is there already.
fn room(known: bool, count: usize, most: usize, what: &str) -> Result<(), No> {
    if known || count < most {
        return Ok(());
    }
    Err((Refusal::TooMany, format!("{count} {what}; more are not kept, remove some first")))
}

fn wrong(why: String) -> Result<(), No> {
    Err((Refusal::WrongAttribute, why))
}
