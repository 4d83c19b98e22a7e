//! Telephones of people.

use alloc::borrow::Cow;

use cordboard_core::event::DeviceFact;

use super::messages::UserTerminalStatus as Message;
use super::names::EventName::UserTerminalStatus;
use super::scene::{Scene, ttl};
use super::values::{Moment, TerminalStatus, TerminalTypeId};

/// Says a fact about a telephone.
pub(super) fn device<'w>(scene: &mut Scene<'w, '_>, number: &'w str, fact: &'w DeviceFact) {
    match fact {
        DeviceFact::OutOfService => status(scene, number, TerminalStatus::Offline),
        DeviceFact::BackInService => status(scene, number, TerminalStatus::Online),
        DeviceFact::Found { .. }
        | DeviceFact::DndOn
        | DeviceFact::DndOff
        | DeviceFact::ForwardSet { .. }
        | DeviceFact::ForwardCancelled { .. }
        | DeviceFact::MessageWaitingOn { .. }
        | DeviceFact::MessageWaitingOff
        | DeviceFact::OffHook { .. }
        | DeviceFact::OnHook { .. }
        | DeviceFact::MonitoringSet(_)
        | DeviceFact::MonitoringCancelled(_) => {}
    }
}

/// Says whether a telephone can be reached.
pub(super) fn status<'w>(scene: &mut Scene<'w, '_>, number: &'w str, status: TerminalStatus) {
    let Some(name) = scene.user_of(number) else { return };
    let user = scene.user(name);
    let message = Message {
        head: scene.head(UserTerminalStatus, user),
        userId: user,
        organizationId: scene.organisation(),
        silo: Cow::Borrowed(&scene.settings.silo),
        session: Cow::Borrowed(number),
        mark: scene.mark(UserTerminalStatus, user),
        // No switch says how long a registration lasts.
        expires: Moment::Never,
        terminalType: TerminalTypeId::User,
        terminalStatus: status,
        messageTTLSeconds: ttl(UserTerminalStatus),
    };
    scene.push(user, &message);
}
