//! The snapshot of a running Asterisk: which questions are asked, which answers belong to which question, and when the
//! picture is complete.
//!
//! Asterisk answers the actions of one connection one after another in the order sent, but nothing promises that no live
//! event stands between the items of a list, and items have the names of live events. So only the ActionID counts.
//! What is refused, or not answered in time, is "not known": never an error, and never "there are none".

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use super::actions::Action;
use super::ami::Message;

/// One question of the snapshot, named for what it tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SnapshotPart {
    /// `CoreSettings`: version, system name. One response.
    CoreSettings,
    /// `CoreStatus`: when Asterisk started, which tells a restart from a lost connection. One response.
    CoreStatus,
    /// `CoreShowChannels`: every channel with its Linkedid, application and bridge.
    Channels,
    /// `Status`: every channel again, with DNID, connected line and seconds.
    Status,
    /// `BridgeList`: every bridge.
    Bridges,
    /// `BridgeInfo` of each bridge found: the channels in it. The subject is the bridge's unique id.
    BridgeMembers,
    /// `QueueStatus`: queues, their members and the callers that wait.
    Queues,
    /// `DeviceStateList`: the state of every device, queues and mailboxes included.
    DeviceStates,
    /// `ExtensionStateList`: the state of every hint.
    ExtensionStates,
    /// `PJSIPShowEndpoints`: the telephones and trunks.
    Endpoints,
    /// `PJSIPShowContacts`: where they registered.
    Contacts,
    /// `ParkedCalls`: the calls in every parking lot.
    ParkedCalls,
    /// `ConfbridgeListRooms`: every conference with somebody in it.
    Conferences,
    /// `ConfbridgeList` of each conference found: who is in it. The subject is the conference's name.
    ConferenceMembers,
    /// `Agents`: the agents of `app_agent_pool`.
    Agents,
    /// `VoicemailUsersList`: the mailboxes with their counters.
    Voicemail,
    /// `MailboxCount` of each known mailbox that `VoicemailUsersList` did not tell. The subject is `box@context`.
    Mailboxes,
    /// `GetConfig` of `queues.conf`: the only source of the queues' wrap-up times. One response; the subject is the file.
    QueueConfig,
}

impl SnapshotPart {
    /// Every part, in the order they are asked.
    pub const ALL: [SnapshotPart; 18] = [
        SnapshotPart::CoreSettings,
        SnapshotPart::CoreStatus,
        SnapshotPart::Channels,
        SnapshotPart::Status,
        SnapshotPart::Bridges,
        SnapshotPart::BridgeMembers,
        SnapshotPart::Queues,
        SnapshotPart::DeviceStates,
        SnapshotPart::ExtensionStates,
        SnapshotPart::Endpoints,
        SnapshotPart::Contacts,
        SnapshotPart::ParkedCalls,
        SnapshotPart::Conferences,
        SnapshotPart::ConferenceMembers,
        SnapshotPart::Agents,
        SnapshotPart::Voicemail,
        SnapshotPart::Mailboxes,
        SnapshotPart::QueueConfig,
    ];

    /// The name of the action that asks for this part.
    pub fn action_name(self) -> &'static str {
        self.row().0
    }

    /// The part that an action asks for as a whole, and its subject.
    ///
    /// `None` when the action is none of ours or asks for less than the whole (`Status` of one channel, `QueueStatus` of
    /// one queue): such an answer must not be taken for the full list.
    pub fn of_action<'a>(
        name: &str,
        header: impl Fn(&str) -> Option<&'a str>,
    ) -> Option<(SnapshotPart, Option<Arc<str>>)> {
        let part = SnapshotPart::ALL.into_iter().find(|part| part.action_name().eq_ignore_ascii_case(name))?;
        let (_, subject_header, narrowed_by, _) = part.row();
        let filled = |name: &str| header(name).filter(|value| !value.is_empty());
        if narrowed_by.iter().any(|name| filled(name).is_some()) {
            return None;
        }
        let subject: Option<Arc<str>> = match subject_header {
            Some(name) => Some(Arc::from(filled(name)?)),
            None => None,
        };
        let other_file = part == SnapshotPart::QueueConfig && subject.as_deref() != Some(QUEUES_CONF);
        if other_file { None } else { Some((part, subject)) }
    }

    /// The part that a list item with this event name belongs to, if it is an item at all.
    pub fn of_item(event: &str) -> Option<SnapshotPart> {
        SnapshotPart::ALL.into_iter().find(|part| part.row().3.iter().any(|item| item.eq_ignore_ascii_case(event)))
    }

    /// Whether an event with this name can be an item of this part or its end.
    pub(crate) fn has_item(self, event: &str) -> bool {
        self.row().3.iter().any(|item| item.eq_ignore_ascii_case(event))
    }

    /// The action that asks for this part, of one subject where it needs one.
    pub(crate) fn action(self, subject: Option<&str>) -> Action {
        let (name, subject_header, ..) = self.row();
        let action = Action::new(name);
        let action = match (subject_header, subject) {
            (Some(header), Some(subject)) => action.header(header, subject),
            (Some(_) | None, _) => action,
        };
        if self == SnapshotPart::Status { action.header("AllVariables", "no") } else { action }
    }

    /// Action, header of its subject, headers that narrow it, events of its list.
    #[rustfmt::skip]
    fn row(self) -> (&'static str, Option<&'static str>, &'static [&'static str], &'static [&'static str]) {
        match self {
            SnapshotPart::CoreSettings      => ("CoreSettings",        None,                   &[],                  &[]),
            SnapshotPart::CoreStatus        => ("CoreStatus",          None,                   &[],                  &[]),
            SnapshotPart::Channels          => ("CoreShowChannels",    None,                   &[],                  &["CoreShowChannel", "CoreShowChannelsComplete"]),
            SnapshotPart::Status            => ("Status",              None,                   &["Channel"],         &["Status", "StatusComplete"]),
            SnapshotPart::Bridges           => ("BridgeList",          None,                   &["BridgeType"],      &["BridgeListItem", "BridgeListComplete"]),
            SnapshotPart::BridgeMembers     => ("BridgeInfo",          Some("BridgeUniqueid"), &[],                  &["BridgeInfoChannel", "BridgeInfoComplete"]),
            SnapshotPart::Queues            => ("QueueStatus",         None,                   &["Queue", "Member"], &["QueueParams", "QueueMember", "QueueEntry", "QueueStatusComplete"]),
            SnapshotPart::DeviceStates      => ("DeviceStateList",     None,                   &[],                  &["DeviceStateChange", "DeviceStateListComplete"]),
            SnapshotPart::ExtensionStates   => ("ExtensionStateList",  None,                   &[],                  &["ExtensionStatus", "ExtensionStateListComplete"]),
            SnapshotPart::Endpoints         => ("PJSIPShowEndpoints",  None,                   &[],                  &["EndpointList", "EndpointListComplete"]),
            SnapshotPart::Contacts          => ("PJSIPShowContacts",   None,                   &[],                  &["ContactList", "ContactListComplete"]),
            SnapshotPart::ParkedCalls       => ("ParkedCalls",         None,                   &["ParkingLot"],      &["ParkedCall", "ParkedCallsComplete"]),
            SnapshotPart::Conferences       => ("ConfbridgeListRooms", None,                   &[],                  &["ConfbridgeListRooms", "ConfbridgeListRoomsComplete"]),
            SnapshotPart::ConferenceMembers => ("ConfbridgeList",      Some("Conference"),     &[],                  &["ConfbridgeList", "ConfbridgeListComplete"]),
            SnapshotPart::Agents            => ("Agents",              None,                   &[],                  &["Agents", "AgentsComplete"]),
            SnapshotPart::Voicemail         => ("VoicemailUsersList",  None,                   &[],                  &["VoicemailUserEntry", "VoicemailUserEntryComplete"]),
            SnapshotPart::Mailboxes         => ("MailboxCount",        Some("Mailbox"),        &[],                  &[]),
            SnapshotPart::QueueConfig       => ("GetConfig",           Some("Filename"),       &["Category"],        &[]),
        }
    }

    /// The parts whose answers tell which subjects to ask this part for.
    fn feeders(self) -> &'static [SnapshotPart] {
        match self {
            SnapshotPart::BridgeMembers => &[SnapshotPart::Bridges],
            SnapshotPart::ConferenceMembers => &[SnapshotPart::Conferences],
            SnapshotPart::Mailboxes => &[SnapshotPart::Voicemail, SnapshotPart::Endpoints, SnapshotPart::Contacts],
            SnapshotPart::CoreSettings
            | SnapshotPart::CoreStatus
            | SnapshotPart::Channels
            | SnapshotPart::Status
            | SnapshotPart::Bridges
            | SnapshotPart::Queues
            | SnapshotPart::DeviceStates
            | SnapshotPart::ExtensionStates
            | SnapshotPart::Endpoints
            | SnapshotPart::Contacts
            | SnapshotPart::ParkedCalls
            | SnapshotPart::Conferences
            | SnapshotPart::Agents
            | SnapshotPart::Voicemail
            | SnapshotPart::QueueConfig => &[],
        }
    }
}

const QUEUES_CONF: &str = "queues.conf";

/// A message of an Asterisk, with what the ActionID says about it. Live sessions and recordings give the same tags.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tagged {
    /// An event that happened now.
    Live(Message),
    /// A snapshot begins. Live events go on between here and [`Tagged::SnapshotComplete`], and those that come after the
    /// answer to a part can still be older than it: Asterisk writes answers straight out, but events by way of a queue.
    /// So an event must do no harm when its effect is in the picture already.
    SnapshotStarted,
    /// A message of the answer to one of the snapshot's questions: a list's items, its first and its last message, or
    /// the one response there is. Never a refusal.
    Snapshot {
        /// The question.
        part: SnapshotPart,
        /// What was asked about, for the parts that ask about one thing at a time: `BridgeInfoChannel` does not say
        /// which bridge it means.
        subject: Option<Arc<str>>,
        /// The message.
        message: Message,
    },
    /// All of one part is told. Each part of a snapshot is told done exactly once.
    SnapshotDone {
        /// The question, all its subjects included.
        part: SnapshotPart,
        /// `false` if it was refused, or not answered in time: then an absence means nothing.
        known: bool,
    },
    /// Every part is done.
    SnapshotComplete,
    /// The connection was lost before every part was done. Nothing may be concluded from what is missing.
    SnapshotAborted,
    /// An answer to an action that is no part of a snapshot: the response, and the events of its list.
    Answer {
        /// The action's id; in recordings it may be absent.
        action_id: Option<String>,
        /// The message.
        message: Message,
    },
    /// An action sent with `Session::send_action` got no answer in time, or the connection was lost before: it may or
    /// may not have been done.
    Unanswered {
        /// The action's id.
        action_id: String,
    },
}

/// What one message of an answer means for its question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// An item, or the start of a list: more will come.
    More,
    /// The last message of a good answer.
    Last,
    /// Not answered. `known` if the reason is that there is nothing to tell.
    Refused { known: bool },
}

impl Step {
    pub(crate) fn of(part: Option<SnapshotPart>, message: &Message) -> Step {
        let list = message.get("EventList").unwrap_or_default();
        if message.is_event() {
            // `cancelled` ends a list that broke off (`astman_send_list_complete` in Asterisk).
            return if list.eq_ignore_ascii_case("cancelled") {
                Step::Refused { known: false }
            } else if list.eq_ignore_ascii_case("Complete")
                || message.event().is_some_and(|event| event.ends_with("Complete"))
            {
                Step::Last
            } else {
                Step::More
            };
        }
        match message.response() {
            Some("Success") if list.eq_ignore_ascii_case("start") => Step::More,
            Some("Success") => Step::Last,
            Some(_) | None => Step::Refused { known: part.is_some_and(|part| nothing_to_tell(part, message)) },
        }
    }
}

/// An error can mean "there are none": ConfBridge says so of an empty list, and a bridge or a room can be gone by the
/// time its members are asked for.
fn nothing_to_tell(part: SnapshotPart, message: &Message) -> bool {
    let text = message.get("Message").unwrap_or_default();
    match part {
        SnapshotPart::Conferences => text.starts_with("No active conferences"),
        SnapshotPart::ConferenceMembers => {
            text.starts_with("No active conferences") || text.starts_with("No Conference")
        }
        SnapshotPart::BridgeMembers => text.contains("not found"),
        SnapshotPart::CoreSettings
        | SnapshotPart::CoreStatus
        | SnapshotPart::Channels
        | SnapshotPart::Status
        | SnapshotPart::Bridges
        | SnapshotPart::Queues
        | SnapshotPart::DeviceStates
        | SnapshotPart::ExtensionStates
        | SnapshotPart::Endpoints
        | SnapshotPart::Contacts
        | SnapshotPart::ParkedCalls
        | SnapshotPart::Agents
        | SnapshotPart::Voicemail
        | SnapshotPart::Mailboxes
        | SnapshotPart::QueueConfig => false,
    }
}

/// What bounds a snapshot.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SnapshotLimits {
    pub(crate) part_us_max: u64,
    pub(crate) snapshot_us_max: u64,
    pub(crate) in_flight_max: usize,
    pub(crate) subjects_max: usize,
}

/// A question with its subject, to be sent.
#[derive(Clone, Debug)]
pub(crate) struct Ask {
    pub(crate) part: SnapshotPart,
    pub(crate) subject: Option<Arc<str>>,
}

/// One run of the snapshot.
#[derive(Debug)]
pub(crate) struct Snapshot {
    limits: SnapshotLimits,
    started_us: u64,
    progress_us: u64,
    waiting: VecDeque<Ask>,
    open: BTreeMap<u64, Open>,
    parts: BTreeMap<SnapshotPart, Progress>,
    mailboxes_wanted: Vec<Arc<str>>,
    mailboxes_told: BTreeSet<Arc<str>>,
}

#[derive(Debug)]
struct Open {
    ask: Ask,
    sent_us: u64,
}

#[derive(Debug)]
struct Progress {
    outstanding: usize,
    asked: usize,
    known: bool,
    done: bool,
}

impl Snapshot {
    pub(crate) fn new(now_us: u64, parts: &[SnapshotPart], mailboxes: &[String], limits: SnapshotLimits) -> Snapshot {
        let mut snapshot = Snapshot {
            limits,
            started_us: now_us,
            progress_us: now_us,
            waiting: VecDeque::new(),
            open: BTreeMap::new(),
            parts: BTreeMap::new(),
            mailboxes_wanted: mailboxes.iter().map(|mailbox| Arc::from(mailbox.as_str())).collect(),
            mailboxes_told: BTreeSet::new(),
        };
        for &part in parts {
            let progress = Progress { outstanding: 0, asked: 0, known: true, done: false };
            if snapshot.parts.insert(part, progress).is_none() && part.feeders().is_empty() {
                let subject = (part == SnapshotPart::QueueConfig).then(|| Arc::from(QUEUES_CONF));
                snapshot.ask(part, subject);
            }
        }
        snapshot
    }

    /// The next question to send, if another one may be in flight. Follow with [`Snapshot::sent`] or
    /// [`Snapshot::cannot_send`].
    pub(crate) fn next_ask(&mut self) -> Option<Ask> {
        if self.open.len() < self.limits.in_flight_max { self.waiting.pop_front() } else { None }
    }

    pub(crate) fn sent(&mut self, now_us: u64, id: u64, ask: Ask) {
        self.open.insert(id, Open { ask, sent_us: now_us });
    }

    pub(crate) fn cannot_send(&mut self, ask: &Ask, out: &mut Vec<Tagged>) {
        self.finish(ask.part, false);
        self.settle(out);
    }

    /// Takes in a message with one of our snapshot ids. Gives it back when its question is not open: it came too late.
    pub(crate) fn handle(
        &mut self,
        now_us: u64,
        id: u64,
        message: Message,
        out: &mut Vec<Tagged>,
    ) -> Result<(), Message> {
        let Some(open) = self.open.get(&id) else {
            return Err(message);
        };
        self.progress_us = now_us;
        let Ask { part, subject } = open.ask.clone();
        let step = Step::of(Some(part), &message);
        self.learn_subjects(part, &message);
        if !matches!(step, Step::Refused { .. }) {
            out.push(Tagged::Snapshot { part, subject, message });
        }
        let known = match step {
            Step::More => return Ok(()),
            Step::Last => true,
            Step::Refused { known } => known,
        };
        self.open.remove(&id);
        self.finish(part, known);
        self.settle(out);
        Ok(())
    }

    /// A message was lost: it may have been an item of what is being told.
    pub(crate) fn distrust_open(&mut self) {
        for open in self.open.values() {
            if let Some(progress) = self.parts.get_mut(&open.ask.part) {
                progress.known = false;
            }
        }
    }

    /// When to call [`Snapshot::handle_timeout`].
    pub(crate) fn deadline_us(&self) -> u64 {
        let whole = self.started_us.saturating_add(self.limits.snapshot_us_max);
        self.open.values().map(|open| self.open_deadline_us(open)).min().map_or(whole, |first| first.min(whole))
    }

    /// Gives up the questions whose time is over; all of them if the snapshot's time is over.
    pub(crate) fn handle_timeout(&mut self, now_us: u64, out: &mut Vec<Tagged>) {
        let over = now_us >= self.started_us.saturating_add(self.limits.snapshot_us_max);
        let lost: Vec<u64> = self
            .open
            .iter()
            .filter(|(_, open)| over || now_us >= self.open_deadline_us(open))
            .map(|(id, _)| *id)
            .collect();
        let mut given_up: Vec<SnapshotPart> = Vec::new();
        given_up.extend(lost.into_iter().filter_map(|id| self.open.remove(&id)).map(|open| open.ask.part));
        if over {
            given_up.extend(self.waiting.drain(..).map(|ask| ask.part));
        }
        for part in given_up {
            self.finish(part, false);
        }
        self.settle(out);
    }

    pub(crate) fn is_complete(&self) -> bool {
        self.parts.values().all(|progress| progress.done)
    }

    /// Tells the parts that are done, for a snapshot without any question too.
    pub(crate) fn settle(&mut self, out: &mut Vec<Tagged>) {
        // In the order asked, so a feeder is settled before those it feeds.
        for part in SnapshotPart::ALL {
            self.ask_for_mailboxes(part);
            let fed = part.feeders().iter().all(|feeder| self.is_done(*feeder));
            let feeders_known = self.feeders_known(part);
            let Some(progress) = self.parts.get_mut(&part) else { continue };
            if progress.done || progress.outstanding > 0 || !fed {
                continue;
            }
            progress.done = true;
            progress.known &= feeders_known;
            out.push(Tagged::SnapshotDone { part, known: progress.known });
        }
    }

    fn open_deadline_us(&self, open: &Open) -> u64 {
        // Answers come one after another, so the time of a question runs from the last sign of progress.
        open.sent_us.max(self.progress_us).saturating_add(self.limits.part_us_max)
    }

    fn ask(&mut self, part: SnapshotPart, subject: Option<Arc<str>>) {
        let subjects_max = self.limits.subjects_max;
        let Some(progress) = self.parts.get_mut(&part) else { return };
        if progress.asked >= subjects_max {
            progress.known = false;
            return;
        }
        progress.asked += 1;
        progress.outstanding += 1;
        self.waiting.push_back(Ask { part, subject });
    }

    fn finish(&mut self, part: SnapshotPart, known: bool) {
        if let Some(progress) = self.parts.get_mut(&part) {
            progress.outstanding = progress.outstanding.saturating_sub(1);
            progress.known &= known;
        }
    }

    fn is_done(&self, part: SnapshotPart) -> bool {
        self.parts.get(&part).is_none_or(|progress| progress.done)
    }

    fn is_known(&self, part: SnapshotPart) -> bool {
        self.parts.get(&part).is_some_and(|progress| progress.known)
    }

    /// Whether the subjects of a part are all known. Mailboxes can come from anywhere, so it is enough that some were
    /// asked for, or that `VoicemailUsersList` told that there are none left to ask for.
    fn feeders_known(&self, part: SnapshotPart) -> bool {
        if part == SnapshotPart::Mailboxes {
            let asked = self.parts.get(&part).is_some_and(|progress| progress.asked > 0);
            return asked || self.is_known(SnapshotPart::Voicemail);
        }
        part.feeders().iter().all(|feeder| self.is_known(*feeder))
    }

    fn learn_subjects(&mut self, part: SnapshotPart, message: &Message) {
        let filled = |name: &str| message.get(name).filter(|value| !value.is_empty());
        match message.event() {
            Some("BridgeListItem") if part == SnapshotPart::Bridges => {
                let bridge = filled("BridgeUniqueid").map(Arc::from);
                if bridge.is_some() {
                    self.ask(SnapshotPart::BridgeMembers, bridge);
                }
            }
            Some("ConfbridgeListRooms") if part == SnapshotPart::Conferences => {
                let room = filled("Conference").map(Arc::from);
                if room.is_some() {
                    self.ask(SnapshotPart::ConferenceMembers, room);
                }
            }
            Some("VoicemailUserEntry") => {
                if let (Some(mailbox), Some(_)) = (filled("VoiceMailbox"), filled("NewMessageCount")) {
                    let context = filled("VMContext").unwrap_or("default");
                    self.mailboxes_told.insert(Arc::from(format!("{mailbox}@{context}")));
                }
            }
            Some(_) | None => {
                let mailboxes = filled("Mailboxes").unwrap_or_default().split(',').map(str::trim);
                self.mailboxes_wanted.extend(mailboxes.filter(|mailbox| !mailbox.is_empty()).map(Arc::from));
            }
        }
    }

    /// Asks for the mailboxes once all those who may name one have spoken.
    fn ask_for_mailboxes(&mut self, part: SnapshotPart) {
        let fed = part.feeders().iter().all(|feeder| self.is_done(*feeder));
        if part != SnapshotPart::Mailboxes || !fed {
            return;
        }
        let mut wanted: Vec<Arc<str>> =
            std::mem::take(&mut self.mailboxes_wanted).into_iter().map(with_context).collect();
        wanted.sort();
        wanted.dedup();
        wanted.retain(|mailbox| !self.mailboxes_told.contains(mailbox));
        for mailbox in wanted {
            self.ask(part, Some(mailbox));
        }
    }
}

fn with_context(mailbox: Arc<str>) -> Arc<str> {
    if mailbox.contains('@') { mailbox } else { Arc::from(format!("{mailbox}@default")) }
}
