//! Connectors to phone systems, made of the configuration.

use cordboard_core::event::{ForwardMode, WrapUpPlan};
use cordboard_switches::Switch;
use cordboard_switches::boxed::{AcdQueue, AgentPlan, Number, Options, Site, Telephone};

use crate::config::{Asterisk, Boxed, BoxedAgent, BoxedExtension, BoxedQueue, BoxedRingGroup, SecretText, row};

/// A connector to an Asterisk. `chance` is a random number.
#[must_use]
pub fn asterisk(config: &Asterisk, secret: &SecretText, chance: u64) -> Box<dyn Switch> {
    use cordboard_switches::asterisk::session_config::{Secret, SessionConfig};
    use cordboard_switches::asterisk::{self, OrderSettings, PictureSettings};
    let session = SessionConfig {
        plain_login_allowed: config.plain_login_allowed,
        connect_ms_max: config.connect_ms_max,
        heartbeat_ms: config.heartbeat_ms,
        silence_ms_max: config.silence_ms_max,
        reconcile_ms: config.reconcile_ms,
        backoff_ms_min: config.backoff_ms_min,
        backoff_ms_max: config.backoff_ms_max,
        ..SessionConfig::new(config.user.clone(), Secret::new(secret.reveal()))
    };
    let picture = PictureSettings {
        switch: config.name.clone(),
        trunks: config.trunks.clone(),
        extensions: config.extensions.clone(),
        ivr_contexts: config.ivr_contexts.clone(),
        agents_by_member_name: config.agents_by_member_name,
        user_data: config.user_data.clone(),
        wrapup_ms_default: config.wrapup_ms_default,
        wrapup_ms: config.wrapup_ms.clone(),
        house_digits_max: config.house_digits_max,
        devices_max: config.devices_max,
        channels_max: config.channels_max,
        settle_ms: config.settle_ms,
    };
    let orders = OrderSettings {
        telephone: config.telephone.clone(),
        dial_context: config.dial_context.clone(),
        conference_context: Some(config.conference_context.clone()).filter(|context| !context.is_empty()),
        conference_code: config.conference_code.clone(),
        parking_context: config.parking_context.clone(),
        mailbox_context: config.mailbox_context.clone(),
        telephones_take_notify: config.telephones_take_notify,
        dnd_in_device_state: config.dnd_in_device_state,
        login_queues: config.login_queues.clone(),
        recording_format: config.recording_format.clone(),
        originate_ms: config.originate_ms,
        effect_ms: config.effect_ms,
        order_ms_max: config.order_ms_max,
        orders_open_max: config.orders_open_max,
        tones_max: config.tones_max,
    };
    Box::new(asterisk::Asterisk::new(session, picture, orders, chance))
}

/// The site of a built-in switch.
#[must_use]
pub fn site(config: &Boxed) -> Site {
    // The configuration was checked: every row can be read.
    let row = |text: &str| row(text).unwrap_or_default();
    let extensions = config.extension.iter().flat_map(|it| {
        let telephone = Number::Extension(telephone(it));
        row(&it.number).into_iter().map(move |number| (number, telephone.clone()))
    });
    let queues = config.acd_queue.iter().map(|it| (it.number.clone(), Number::AcdQueue(queue(it))));
    let group = |it: &BoxedRingGroup| (it.number.clone(), Number::RingGroup { members: it.members.clone() });
    let plain = |numbers: &[String], number: Number| {
        numbers.iter().map(|name| (name.clone(), number.clone())).collect::<Vec<_>>()
    };
    let numbers = extensions
        .chain(queues)
        .chain(config.ring_group.iter().map(group))
        .chain(plain(&config.outside, Number::Outside))
        .chain(plain(&config.route_queue, Number::RouteQueue))
        .chain(plain(&config.route_point, Number::RoutePoint))
        .collect();
    let agents = config.agent.iter().flat_map(|it| {
        let (ids, devices) = (row(&it.id), it.device.as_deref().map(row).unwrap_or_default());
        let is_row = ids.len() > 1;
        let devices = devices.into_iter().map(Some).chain(std::iter::repeat(None));
        ids.into_iter().zip(devices).map(move |(id, device)| agent(it, id, device, is_row)).collect::<Vec<_>>()
    });
    Site { switch: config.name.clone(), numbers, agents: agents.collect(), options: options(config) }
}

fn options(config: &Boxed) -> Options {
    Options {
        route_ms: config.route_ms,
        default_target: config.default_target.clone(),
        treatments: config.treatments,
        hook_events: config.hook_events,
        strict_agents: config.strict_agents,
        outside_prefix: config.outside_prefix.clone(),
        consult_data: config.consult_data.into(),
        merged_data: config.merged_data.into(),
        legal_guard_ms: config.legal_guard_ms,
        logout_when_out_of_service: config.logout_when_out_of_service,
        login_on_call: config.login_on_call,
        auto_logout_ms: config.auto_logout_ms,
        park_ms: config.park_ms,
        calls_max: config.calls_max,
    }
}

fn telephone(config: &BoxedExtension) -> Telephone {
    let forward = [
        (ForwardMode::Unconditional, &config.forward_unconditional),
        (ForwardMode::OnBusy, &config.forward_on_busy),
        (ForwardMode::OnNoAnswer, &config.forward_on_no_answer),
        (ForwardMode::OnBusyAndNoAnswer, &config.forward_on_busy_and_no_answer),
    ];
    Telephone {
        busy: config.busy,
        dnd: config.dnd,
        out_of_service: config.out_of_service,
        single_call: config.single_call,
        forward: forward.into_iter().filter_map(|(mode, to)| Some((mode, to.clone()?))).collect(),
        no_answer_ms: config.no_answer_ms,
        alert_delay_ms: config.alert_delay_ms,
        auto_answer: config.auto_answer,
        appearance_of: config.appearance_of.clone(),
    }
}

fn queue(config: &BoxedQueue) -> AcdQueue {
    AcdQueue {
        overflow_to: config.overflow_to.clone(),
        overflow_after: config.overflow_after_ms.zip(config.overflow_after_to.clone()),
        leave_after: config.leave_after_ms.zip(config.leave_after_to.clone()),
        no_answer_ms: config.no_answer_ms,
        no_answer_not_ready: config.no_answer_not_ready,
        priority: config.priority,
        skills: config.skills.clone(),
    }
}

fn agent(config: &BoxedAgent, id: String, device: Option<String>, is_row: bool) -> AgentPlan {
    let name = if is_row && !config.name.is_empty() { format!("{} {id}", config.name) } else { config.name.clone() };
    let wrapup = match (config.wrapup_untimed, config.wrapup_ms) {
        (true, _) => WrapUpPlan::Untimed,
        (false, 0) => WrapUpPlan::None,
        (false, ms) => WrapUpPlan::Timed { ms },
    };
    AgentPlan {
        id,
        name,
        device,
        queues: config.queues.clone(),
        ready: config.ready,
        mode: config.mode,
        wrapup,
        skills: config.skills.iter().map(|(skill, level)| (skill.clone(), *level)).collect(),
    }
}
