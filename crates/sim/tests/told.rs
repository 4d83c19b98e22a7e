//! What is told of every recorded session, committed beside it: the report, and what the vocabularies of others say.
//! `UPDATE=1` writes them; the diff is what a change means to customers.

use cordboard_dialects::enreach::rules::Rules;
use cordboard_dialects::{Message, Settings, Teller, enreach, genesys};
use cordboard_server::replay::{Machine, report};
use cordboard_sim::life::{recordings, recordings_folder};
use cordboard_switches::asterisk::PictureSettings;

#[test]
fn what_is_told_is_what_is_committed() {
    let (mut different, mut broken) = (Vec::new(), Vec::new());
    for (name, recording) in recordings(&recordings_folder()).unwrap() {
        let told =
            serde_json::to_string_pretty(&report(Machine::new("default", PictureSettings::default()), &recording))
                .unwrap();
        let mut said = [String::new(), String::new()];
        let mut tellers = [&genesys::DIALECT, &enreach::DIALECT].map(Teller::new);
        let (settings, mut hub) = (Settings::default(), Rules::new());
        Machine::new("default", PictureSettings::default()).play(&recording, |world, position, event| {
            for (teller, said) in tellers.iter_mut().zip(&mut said) {
                let mut messages: Vec<Message> = Vec::new();
                teller.say(&settings, world, position, event, &mut messages);
                for message in messages {
                    said.push_str(&format!("{} {} {}\n", message.channel, message.key, message.value));
                    if enreach::DIALECT.channels.contains(&message.channel) {
                        broken.extend(hub.check(&message).err().map(|why| format!("{name}: {why}")));
                    }
                }
            }
        });
        let [genesys, enreach] = said;
        for (file, text) in [("report.json", told + "\n"), ("genesys.txt", genesys), ("enreach.txt", enreach)] {
            let path = recordings_folder().join(&name).join(file);
            if std::env::var_os("UPDATE").is_some() {
                std::fs::write(&path, &text).unwrap();
            }
            if std::fs::read_to_string(&path).unwrap_or_default() != text {
                different.push(format!("{name}/{file}"));
            }
        }
    }
    assert!(different.is_empty(), "told otherwise than committed (UPDATE=1 writes, then read the diff): {different:?}");
    assert!(broken.is_empty(), "what the hub is told breaks its rules: {broken:#?}");
}
