//! Who may change what of the directory: one table, printed into docs/authorisation.md.
//!
//! The table says whose things a role changes. What is whose is for [`crate::rights`] to say: nobody changes what may not
//! be seen, and what does not exist is refused in the same words as what may not be seen.

use cordboard_core::change::Change;
use cordboard_core::event::SettingLevel;
use cordboard_core::request::AskerRole;
use cordboard_core::{Guid, World, listed};

use super::Permit;
use crate::rights::{may_see_list, may_see_queue, may_see_user};
use crate::tokens::Grant;

listed! {
    /// What kind of change it is.
    pub enum ChangeKind {
        /// Somebody is put into the directory, described anew, or taken out.
        DescribeUser,
        /// An availability is set or taken back.
        Availability,
        /// A setting is changed or removed.
        Setting,
        /// Calls of an agent are watched, or no longer.
        Watch,
        /// Somebody works on callbacks, or no longer.
        ServeCallbacks,
        /// Somebody picks calls, or no longer.
        PickCalls,
        /// After-call work begins or ends.
        WrapUp,
        /// A recording or a phrase is reported.
        Report,
        /// A queue is described.
        DescribeQueue,
        /// Somebody is assigned to a queue, or no longer.
        Membership,
        /// A call list is made, described or removed.
        DescribeList,
        /// A callback is created.
        CreateCallback,
        /// A callback is edited.
        EditCallback,
        /// A callback is given to somebody, or taken from everybody.
        AssignCallback,
        /// Somebody tried to do a callback.
        AttemptCallback,
        /// A callback is closed.
        CloseCallback,
        /// An alert is defined or removed.
        Alert,
    }
}

listed! {
    /// Whose things are changed.
    pub enum Whose {
        /// None.
        Nobodys,
        /// The own: of the own person, and of lists of queues served or assigned to.
        Own,
        /// The own and the team's.
        Teams,
        /// Everybody's.
        All,
    }
}

impl ChangeKind {
    /// What kind this change is.
    #[must_use]
    pub const fn of(change: &Change) -> Self {
        match change {
            Change::DescribeUser { .. } | Change::RemoveUser { .. } => Self::DescribeUser,
            Change::SetAvailability { .. } | Change::EndAvailability { .. } => Self::Availability,
            Change::ChangeSetting { .. } | Change::RemoveSetting { .. } => Self::Setting,
            Change::Watch { .. } => Self::Watch,
            Change::ServeCallbacks { .. } => Self::ServeCallbacks,
            Change::PickCalls { .. } => Self::PickCalls,
            Change::BeginWrapUp { .. } | Change::EndWrapUp { .. } => Self::WrapUp,
            Change::ReportRecording { .. } | Change::ReportPhrase { .. } => Self::Report,
            Change::DescribeQueue { .. } => Self::DescribeQueue,
            Change::AssignMember { .. } | Change::RemoveMember { .. } => Self::Membership,
            Change::DescribeList { .. } | Change::RemoveList { .. } => Self::DescribeList,
            Change::CreateCallback { .. } => Self::CreateCallback,
            Change::EditCallback { .. } => Self::EditCallback,
            Change::AssignCallback { .. } => Self::AssignCallback,
            Change::AttemptCallback { .. } => Self::AttemptCallback,
            Change::CloseCallback { .. } => Self::CloseCallback,
            Change::DefineAlert { .. } | Change::RemoveAlert { .. } => Self::Alert,
        }
    }

    /// The table: whose things agents change, whose supervisors, and what a program must be granted. Administrators, and
    /// programs that are not restricted to what they were granted, change everybody's.
    #[must_use]
    #[rustfmt::skip]
    pub const fn row(self) -> (Whose, Whose, Grant) {
        match self {
            Self::DescribeUser    => (Whose::Nobodys, Whose::Nobodys, Grant::ChangeUsers),
            Self::Availability    => (Whose::Own,     Whose::Teams,   Grant::ChangeUsers),
            Self::Setting         => (Whose::Own,     Whose::Teams,   Grant::ChangeUsers),
            Self::Watch           => (Whose::Own,     Whose::Teams,   Grant::ChangeUsers),
            Self::ServeCallbacks  => (Whose::Own,     Whose::Teams,   Grant::ChangeUsers),
            Self::PickCalls       => (Whose::Own,     Whose::Teams,   Grant::ChangeUsers),
            Self::WrapUp          => (Whose::Own,     Whose::Teams,   Grant::ChangeUsers),
            Self::Report          => (Whose::Nobodys, Whose::Nobodys, Grant::Report),
            Self::DescribeQueue   => (Whose::Nobodys, Whose::Nobodys, Grant::ChangeQueues),
            Self::Membership      => (Whose::Nobodys, Whose::Teams,   Grant::ChangeQueues),
            Self::DescribeList    => (Whose::Nobodys, Whose::Nobodys, Grant::ChangeLists),
            Self::CreateCallback  => (Whose::Own,     Whose::Teams,   Grant::ChangeLists),
            Self::EditCallback    => (Whose::Own,     Whose::Teams,   Grant::ChangeLists),
            Self::AssignCallback  => (Whose::Own,     Whose::Teams,   Grant::ChangeLists),
            Self::AttemptCallback => (Whose::Own,     Whose::Teams,   Grant::ChangeLists),
            Self::CloseCallback   => (Whose::Own,     Whose::Teams,   Grant::ChangeLists),
            Self::Alert           => (Whose::Own,     Whose::Teams,   Grant::ChangeUsers),
        }
    }

    /// Whose things a role changes.
    #[must_use]
    pub const fn whose(self, role: AskerRole) -> Whose {
        let (agent, supervisor, _) = self.row();
        match role {
            AskerRole::Agent => agent,
            AskerRole::Supervisor => supervisor,
            AskerRole::Service | AskerRole::Administrator => Whose::All,
        }
    }

    /// What it is called in refusals.
    const fn words(self) -> &'static str {
        match self {
            Self::DescribeUser => "people of the directory",
            Self::Availability => "availability",
            Self::Setting => "settings that are not for administrators",
            Self::Watch => "whose calls are watched",
            Self::ServeCallbacks => "who works on callbacks",
            Self::PickCalls => "who picks calls",
            Self::WrapUp => "after-call work",
            Self::Report => "recordings and transcripts",
            Self::DescribeQueue => "what queues are",
            Self::Membership => "who is assigned to queues",
            Self::DescribeList => "what call lists are",
            Self::CreateCallback
            | Self::EditCallback
            | Self::AssignCallback
            | Self::AttemptCallback
            | Self::CloseCallback => "callbacks",
            Self::Alert => "alerts",
        }
    }
}

/// Whether this change may be asked for.
///
/// # Errors
/// Why not, and what may be; it depends on nothing that may not be seen.
pub fn may_change(world: &World, permit: &Permit, change: &Change) -> Result<(), String> {
    let kind = ChangeKind::of(change);
    let words = kind.words();
    let (who, own) = match permit {
        Permit::Service | Permit::Administrator => return Ok(()),
        Permit::Granted(grants) => {
            let grant = kind.row().2;
            let why = || format!("{words}: this token is not granted {}", grant.word());
            return grants.contains(&grant).then_some(()).ok_or_else(why);
        }
        Permit::Agent { agent, .. } => ("an agent", agent),
        Permit::Supervisor { user, .. } => ("a supervisor", user),
    };
    let whose = match kind.whose(permit.role()) {
        Whose::Nobodys => return Err(format!("{who} does not change {words}; an administrator does")),
        Whose::Own => "of the own person and the own queues",
        Whose::Teams => "of the team, its queues and the own person",
        Whose::All => return Ok(()),
    };
    if is_within(&Scope { world, permit, own }, change) {
        Ok(())
    } else {
        Err(format!("{who} changes {words} {whose} only, and under the own name"))
    }
}

/// What an agent or a supervisor has to do with.
struct Scope<'a> {
    world: &'a World,
    permit: &'a Permit,
    own: &'a str,
}

impl Scope<'_> {
    fn user(&self, user: &str) -> bool {
        may_see_user(self.world, self.permit, user)
    }

    fn queue(&self, queue: &str) -> bool {
        may_see_queue(self.world, self.permit, queue)
    }

    fn list(&self, list: &str) -> bool {
        may_see_list(self.world, self.permit, list)
    }

    fn callback(&self, id: Guid) -> bool {
        self.world.directory.callbacks.get(&id).is_some_and(|known| self.list(&known.callback.list))
    }

    /// Nobody does anything under another name.
    fn is_own(&self, by: Option<&str>) -> bool {
        by == Some(self.own)
    }

    /// Settings for administrators are neither changed nor made by others.
    fn setting(&self, user: &str, keyword: &str, level: SettingLevel) -> bool {
        let known = self.world.directory.users.get(user).and_then(|user| user.settings.get(keyword));
        self.user(user)
            && level != SettingLevel::Administrator
            && known.is_none_or(|known| known.level != SettingLevel::Administrator)
    }

    fn alert(&self, id: Guid) -> bool {
        self.world.directory.alerts.get(&id).is_some_and(|known| self.user(&known.rule.user))
    }
}

/// Whether everything that the change names is what the asker has to do with.
fn is_within(scope: &Scope<'_>, change: &Change) -> bool {
    let none_or = |name: &Option<String>, may: &dyn Fn(&str) -> bool| name.as_deref().is_none_or(may);
    match change {
        Change::DescribeUser { user, .. }
        | Change::RemoveUser { user }
        | Change::SetAvailability { user, .. }
        | Change::EndAvailability { user, .. }
        | Change::ServeCallbacks { user, .. }
        | Change::PickCalls { user, .. }
        | Change::EndWrapUp { user, .. }
        | Change::ReportRecording { user, .. }
        | Change::ReportPhrase { user, .. } => scope.user(user),
        Change::ChangeSetting { user, setting } => scope.setting(user, &setting.keyword, setting.level),
        Change::RemoveSetting { user, keyword } => scope.setting(user, keyword, SettingLevel::Undefined),
        Change::Watch { user, agent, on } => scope.user(user) && (!on || scope.user(agent)),
        Change::BeginWrapUp { user, wish } => {
            scope.user(user)
                && none_or(&wish.queue, &|queue| scope.queue(queue))
                && none_or(&wish.list, &|list| scope.list(list))
                && wish.callback.is_none_or(|id| scope.callback(id))
        }
        Change::DescribeQueue { queue, .. } => scope.queue(queue),
        Change::AssignMember { queue, user, .. } | Change::RemoveMember { queue, user } => {
            scope.queue(queue) && scope.user(user)
        }
        Change::DescribeList { list, .. } | Change::RemoveList { list } => scope.list(list),
        Change::CreateCallback { id, callback } => {
            scope.list(&callback.list)
                && scope.is_own(callback.by.as_deref())
                && none_or(&callback.personal, &|user| scope.user(user))
                && none_or(&callback.queue, &|queue| scope.queue(queue))
                && !scope.world.directory.callbacks.contains_key(id)
        }
        Change::EditCallback { id, by, .. } | Change::CloseCallback { id, by } => {
            scope.callback(*id) && scope.is_own(by.as_deref())
        }
        Change::AttemptCallback { id, attempt } => scope.callback(*id) && scope.is_own(attempt.by.as_deref()),
        Change::AssignCallback { id, to, by } => {
            let assigned = scope.world.directory.callbacks.get(id).and_then(|known| known.assigned.as_deref());
            let may = match to {
                Some(to) => scope.user(to),
                // It is not taken from colleagues who are none of one's business.
                None => assigned.is_none_or(|assigned| scope.user(assigned)),
            };
            scope.callback(*id) && scope.is_own(by.as_deref()) && may
        }
        Change::DefineAlert { id, rule } => {
            let is_free = !scope.world.directory.alerts.contains_key(id);
            scope.user(&rule.user) && scope.queue(&rule.queue) && (is_free || scope.alert(*id))
        }
        Change::RemoveAlert { id } => scope.alert(*id),
    }
}
