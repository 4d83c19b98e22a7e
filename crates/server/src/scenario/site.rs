//! The site of a story in words: a line a number, an agent, an option.

use cordboard_core::event::{ForwardMode, WorkMode, WrapUpPlan};
use cordboard_switches::boxed::{AcdQueue, AgentPlan, ConsultData, MergedData, Number, Options, Telephone};

use super::line::{Line, Words, ms, name, time, word};
use super::story::Story;

/// The words that a line of a site can begin with.
pub(super) const KINDS: [&str; 8] =
    ["extension", "outside", "queue", "route-queue", "route-point", "ring-group", "agent", "option"];

const CONSULT_DATA: [(ConsultData, &str); 3] =
    [(ConsultData::Separate, "separate"), (ConsultData::Inherited, "inherited"), (ConsultData::Joint, "joint")];
const MERGED_DATA: [(MergedData, &str); 4] = [
    (MergedData::MainOnly, "main-only"),
    (MergedData::ConsultOnly, "consult-only"),
    (MergedData::MainOverConsult, "main-over-consult"),
    (MergedData::ConsultOverMain, "consult-over-main"),
];

/// Writes the site, line by line.
pub(super) fn write(story: &Story) -> Vec<String> {
    let mut lines: Vec<String> = story
        .site
        .numbers
        .iter()
        .map(|(dn, number)| {
            let mut words = Words::default();
            write_number(dn, number, &mut words);
            words.flag("unregistered", story.unregistered.contains(dn));
            words.line()
        })
        .collect();
    lines.extend(story.site.agents.iter().map(write_agent));
    lines.extend(write_options(&story.site.options));
    lines
}

/// Reads a line of a site.
pub(super) fn read(kind: &str, line: &mut Line, story: &mut Story) -> Result<(), String> {
    if kind == "agent" {
        story.site.agents.push(read_agent(line)?);
        return Ok(());
    }
    if kind == "option" {
        return read_option(line, &mut story.site.options);
    }
    let dn = line.want("a number")?;
    let number = match kind {
        "extension" => Number::Extension(read_telephone(line)?),
        "outside" => Number::Outside,
        "queue" => Number::AcdQueue(read_queue(line)?),
        "route-queue" => Number::RouteQueue,
        "route-point" => Number::RoutePoint,
        _ => Number::RingGroup { members: line.pair_list("members") },
    };
    if story.site.numbers.iter().any(|(other, _)| *other == dn) {
        return Err(format!("{dn} is there twice"));
    }
    if line.flag("unregistered") {
        story.unregistered.insert(dn.clone());
    }
    story.site.numbers.push((dn, number));
    Ok(())
}

fn write_number(dn: &str, number: &Number, words: &mut Words) {
    match number {
        Number::Extension(telephone) => {
            words.word("extension").word(dn);
            write_telephone(telephone, words);
        }
        Number::Outside => {
            words.word("outside").word(dn);
        }
        Number::AcdQueue(queue) => {
            words.word("queue").word(dn);
            write_queue(queue, words);
        }
        Number::RouteQueue => {
            words.word("route-queue").word(dn);
        }
        Number::RoutePoint => {
            words.word("route-point").word(dn);
        }
        Number::RingGroup { members } => {
            words.word("ring-group").word(dn).pair_list("members", members);
        }
    }
}

fn write_telephone(it: &Telephone, words: &mut Words) {
    words.flag("busy", it.busy).flag("dnd", it.dnd).flag("out-of-service", it.out_of_service);
    words.flag("single-call", it.single_call).flag("auto-answer", it.auto_answer);
    let forward: Vec<String> = it.forward.iter().map(|(mode, to)| format!("{}:{to}", name(mode))).collect();
    words.pair_list("forward", &forward).pair_ms("no-answer", it.no_answer_ms);
    words.pair_ms("alert-after", (it.alert_delay_ms > 0).then_some(it.alert_delay_ms));
    words.pair("appearance-of", it.appearance_of.as_deref());
}

fn read_telephone(line: &mut Line) -> Result<Telephone, String> {
    let forward = |text: String| {
        let (mode, to) =
            text.split_once(':').ok_or_else(|| format!("forward: {text:?}; right would be on-busy:1003"))?;
        Ok::<(ForwardMode, String), String>((word(mode)?, to.to_string()))
    };
    Ok(Telephone {
        busy: line.flag("busy"),
        dnd: line.flag("dnd"),
        out_of_service: line.flag("out-of-service"),
        single_call: line.flag("single-call"),
        auto_answer: line.flag("auto-answer"),
        forward: line.pair_list("forward").into_iter().map(forward).collect::<Result<_, _>>()?,
        no_answer_ms: line.pair_ms("no-answer")?,
        alert_delay_ms: line.pair_ms("alert-after")?.unwrap_or(0),
        appearance_of: line.pair("appearance-of"),
    })
}

fn write_queue(it: &AcdQueue, words: &mut Words) {
    let after = |after: &Option<(u64, String)>| after.as_ref().map(|(ms, to)| format!("{}:{to}", time(*ms)));
    words.pair_list("overflow-to", &it.overflow_to).pair("overflow-after", after(&it.overflow_after).as_deref());
    words.pair("leave-after", after(&it.leave_after).as_deref()).pair_ms("no-answer", it.no_answer_ms);
    words.flag("no-answer-not-ready", it.no_answer_not_ready);
    words.pair("priority", (it.priority > 0).then(|| it.priority.to_string()).as_deref());
    words.pair_list("skills", &it.skills);
}

fn read_queue(line: &mut Line) -> Result<AcdQueue, String> {
    let after = |text: Option<String>| match text {
        None => Ok(None),
        Some(text) => {
            let (after, to) = text.split_once(':').ok_or_else(|| format!("{text:?}; right would be 30s:6002"))?;
            Ok::<Option<(u64, String)>, String>(Some((ms(after)?, to.to_string())))
        }
    };
    Ok(AcdQueue {
        overflow_to: line.pair_list("overflow-to"),
        overflow_after: after(line.pair("overflow-after"))?,
        leave_after: after(line.pair("leave-after"))?,
        no_answer_ms: line.pair_ms("no-answer")?,
        no_answer_not_ready: line.flag("no-answer-not-ready"),
        priority: number(line.pair("priority"))?.unwrap_or(0),
        skills: line.pair_list("skills"),
    })
}

fn write_agent(it: &AgentPlan) -> String {
    let mut words = Words::default();
    words.word("agent").word(&it.id).pair("name", (!it.name.is_empty()).then_some(it.name.as_str()));
    words.pair("on", it.device.as_deref()).pair_list("queues", &it.queues).flag("ready", it.ready);
    words.pair("mode", (it.mode != WorkMode::Unknown).then(|| name(it.mode)).as_deref());
    words.pair("wrapup", wrapup(&it.wrapup).as_deref());
    let skills: Vec<String> = it.skills.iter().map(|(skill, level)| format!("{skill}:{level}")).collect();
    words.pair_list("skills", &skills);
    words.line()
}

fn wrapup(plan: &WrapUpPlan) -> Option<String> {
    match plan {
        WrapUpPlan::None => None,
        WrapUpPlan::Timed { ms } => Some(time(*ms)),
        WrapUpPlan::Untimed => Some("untimed".to_string()),
    }
}

fn read_agent(line: &mut Line) -> Result<AgentPlan, String> {
    let skill = |text: String| {
        let wrong = || format!("skills: {text:?}; right would be spanish:5");
        let (skill, level) = text.split_once(':').ok_or_else(wrong)?;
        Ok::<(String, u8), String>((skill.to_string(), level.parse().map_err(|_| wrong())?))
    };
    Ok(AgentPlan {
        id: line.want("an agent's id")?,
        name: line.pair("name").unwrap_or_default(),
        device: line.pair("on"),
        queues: line.pair_list("queues"),
        ready: line.flag("ready"),
        mode: line.pair_word("mode")?.unwrap_or_default(),
        wrapup: match line.pair("wrapup").as_deref() {
            None => WrapUpPlan::None,
            Some("untimed") => WrapUpPlan::Untimed,
            Some(text) => WrapUpPlan::Timed { ms: ms(text)? },
        },
        skills: line.pair_list("skills").into_iter().map(skill).collect::<Result<_, _>>()?,
    })
}

/// One option a line; what is as usual is not written.
fn write_options(it: &Options) -> Vec<String> {
    let usual = Options::default();
    let mut lines = Vec::new();
    let mut pair = |key: &str, value: Option<String>, usual: Option<String>| {
        if value != usual {
            let mut words = Words::default();
            words.word("option").pair(key, Some(value.as_deref().unwrap_or("none")));
            lines.push(words.line());
        }
    };
    let yes = |is_so: bool| Some(if is_so { "yes" } else { "no" }.to_string());
    let consult = |it: ConsultData| CONSULT_DATA.iter().find(|row| row.0 == it).map(|row| row.1.to_string());
    let merged = |it: MergedData| MERGED_DATA.iter().find(|row| row.0 == it).map(|row| row.1.to_string());
    pair("route-timeout", it.route_ms.map(time), usual.route_ms.map(time));
    pair("default-target", it.default_target.clone(), usual.default_target);
    pair("treatments", yes(it.treatments), yes(usual.treatments));
    pair("hook-events", yes(it.hook_events), yes(usual.hook_events));
    pair("strict-agents", yes(it.strict_agents), yes(usual.strict_agents));
    pair("outside-prefix", it.outside_prefix.clone(), usual.outside_prefix);
    pair("consult-data", consult(it.consult_data), consult(usual.consult_data));
    pair("merged-data", merged(it.merged_data), merged(usual.merged_data));
    pair("legal-guard", Some(time(it.legal_guard_ms)), Some(time(usual.legal_guard_ms)));
    let logout = (it.logout_when_out_of_service, usual.logout_when_out_of_service);
    pair("logout-when-out-of-service", yes(logout.0), yes(logout.1));
    pair("login-on-call", yes(it.login_on_call), yes(usual.login_on_call));
    pair("auto-logout", Some(time(it.auto_logout_ms)), Some(time(usual.auto_logout_ms)));
    pair("park", Some(time(it.park_ms)), Some(time(usual.park_ms)));
    pair("calls-max", Some(it.calls_max.to_string()), Some(usual.calls_max.to_string()));
    lines
}

fn read_option(line: &mut Line, it: &mut Options) -> Result<(), String> {
    if let Some(ms) = line.pair_ms("route-timeout")? {
        it.route_ms = Some(ms);
    }
    if let Some(target) = line.pair("default-target") {
        it.default_target = Some(target);
    }
    if let Some(prefix) = line.pair("outside-prefix") {
        it.outside_prefix = Some(prefix);
    }
    for (key, option) in [
        ("treatments", &mut it.treatments),
        ("hook-events", &mut it.hook_events),
        ("strict-agents", &mut it.strict_agents),
        ("logout-when-out-of-service", &mut it.logout_when_out_of_service),
        ("login-on-call", &mut it.login_on_call),
    ] {
        match line.pair(key).as_deref() {
            None => {}
            Some("yes") => *option = true,
            Some("no") => *option = false,
            Some(other) => return Err(format!("{key}: {other:?} is neither yes nor no")),
        }
    }
    for (key, option) in
        [("legal-guard", &mut it.legal_guard_ms), ("auto-logout", &mut it.auto_logout_ms), ("park", &mut it.park_ms)]
    {
        if let Some(ms) = line.pair_ms(key)? {
            *option = ms;
        }
    }
    if let Some(max) = number(line.pair("calls-max"))? {
        it.calls_max = max;
    }
    if let Some(text) = line.pair("consult-data") {
        it.consult_data = of(&CONSULT_DATA, &text)?;
    }
    if let Some(text) = line.pair("merged-data") {
        it.merged_data = of(&MERGED_DATA, &text)?;
    }
    Ok(())
}

fn of<T: Copy>(table: &[(T, &str)], text: &str) -> Result<T, String> {
    let names: Vec<&str> = table.iter().map(|row| row.1).collect();
    let found = table.iter().find(|row| row.1 == text).map(|row| row.0);
    found.ok_or_else(|| format!("{text:?}; right would be one of {}", names.join(", ")))
}

fn number<T: std::str::FromStr>(text: Option<String>) -> Result<Option<T>, String> {
    text.map(|text| text.parse().map_err(|_| format!("{text:?} is no whole number"))).transpose()
}
