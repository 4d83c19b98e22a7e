//! What a telephone is set to: do-not-disturb, forwarding, the lamp, the handset.

use cordboard_core::event::ForwardMode;
use cordboard_core::observation::DeviceSeen;
use cordboard_core::request::Refusal;

use super::calls::{CallNo, Leg};
use super::reach::Phone;
use super::{Boxed, Refused, refuse};

impl Boxed {
    pub(super) fn set_dnd(&mut self, device: &str, on: bool) -> Result<(), Refused> {
        let phone = self.phone(device)?;
        if phone.settings.dnd == on {
            return refuse(Refusal::SameState, format!("do-not-disturb is so already at {device}"));
        }
        phone.settings.dnd = on;
        self.restless = true;
        self.say_device(device, DeviceSeen::Dnd(on));
        Ok(())
    }

    pub(super) fn set_forward(&mut self, device: &str, mode: ForwardMode, to: Option<&str>) -> Result<(), Refused> {
        if let Some(to) = to {
            self.can_dial(to)?;
            if to == device {
                return refuse(Refusal::InvalidNumber, format!("{device} cannot forward to itself"));
            }
        }
        let phone = self.phone(device)?;
        let was = phone.settings.forward.iter().find(|(set, _)| *set == mode).map(|(_, target)| target.as_str());
        if was == to {
            return refuse(Refusal::SameState, format!("forwarding is so already at {device}"));
        }
        phone.settings.forward.retain(|(set, _)| *set != mode);
        phone.settings.forward.extend(to.map(|to| (mode, to.to_string())));
        self.say_device(device, DeviceSeen::Forward(mode, to.map(str::to_string)));
        Ok(())
    }

    pub(super) fn set_messages(&mut self, device: &str, on: bool) -> Result<(), Refused> {
        let phone = self.phone(device)?;
        if phone.messages == on {
            return refuse(Refusal::SameState, format!("the lamp is so already at {device}"));
        }
        phone.messages = on;
        self.say_device(device, DeviceSeen::Messages(u32::from(on), 0));
        Ok(())
    }

    /// The handset is lifted for a call, if it was not.
    pub(super) fn lift(&mut self, device: &str, call: CallNo) {
        let Some(phone) = self.phones.get_mut(device).filter(|phone| !phone.off_hook) else { return };
        phone.off_hook = true;
        self.say_hook(device, true, call);
    }

    /// The handset is put back once nothing is left to speak into it for.
    pub(super) fn put_back(&mut self, device: &str, call: CallNo) {
        let Some(phone) = self.phones.get(device).filter(|phone| phone.off_hook) else { return };
        if phone.legs.iter().any(|no| self.legs.get(no).is_some_and(Leg::is_party)) {
            return;
        }
        if let Some(phone) = self.phones.get_mut(device) {
            phone.off_hook = false;
        }
        self.say_hook(device, false, call);
    }

    fn say_hook(&mut self, device: &str, off: bool, call: CallNo) {
        if self.options.hook_events {
            let call = Some(self.call_key(call));
            self.say_device(device, DeviceSeen::Hook { off, call });
        }
    }

    fn phone(&mut self, device: &str) -> Result<&mut Phone, Refused> {
        match self.phones.get_mut(device) {
            Some(phone) => Ok(phone),
            None => refuse(Refusal::NoSuchDevice, format!("{device} is no telephone; only telephones have this")),
        }
    }
}
