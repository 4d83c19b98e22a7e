//! How clients' requests are carried out by one Asterisk: what its dial plan and its telephones can do, and every limit.

/// What a connector must know to carry requests out, and cannot hear from Asterisk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderSettings {
    /// How a telephone is called, and named as a member of a queue; `{device}` stands for its number.
    pub telephone: String,
    /// The context of the dial plan in which numbers that clients name are dialled.
    pub dial_context: String,
    /// The context in which any number leads into the conference of this name: `exten => _X.,1,ConfBridge(${EXTEN})`. None:
    /// there is none, and conferences are only those that Asterisk's attended transfer can make.
    pub conference_context: Option<String>,
    /// What a party that consults keys in to make it a conference: `atxferthreeway` in `features.conf`.
    pub conference_code: String,
    /// The context of the parking lot, in which a parking place is dialled to fetch who waits there.
    pub parking_context: String,
    /// The context of mailboxes; they are named after their telephones.
    pub mailbox_context: String,
    /// Whether the telephones answer, hold and retrieve when a SIP NOTIFY (`Event: talk`, `Event: hold`) asks them to.
    pub telephones_take_notify: bool,
    /// Whether the dial plan keeps do-not-disturb in the device states `Custom:DND<number>`.
    pub dnd_in_device_state: bool,
    /// The queues of a login that names none.
    pub login_queues: Vec<String>,
    /// The format of recordings: the ending of their files.
    pub recording_format: String,
    /// How long the telephone of whoever asks for a call may ring, in milliseconds.
    pub originate_ms: u64,
    /// How long after Asterisk's answer what was asked for may take to be seen, in milliseconds; then nothing changed,
    /// because it was so already.
    pub effect_ms: u64,
    /// After how long nothing more is expected of an order, in milliseconds. The client heard before that it timed out.
    pub order_ms_max: u64,
    /// Most orders under way at once; more are refused.
    pub orders_open_max: usize,
    /// Most tones in one request. Asterisk sends them one by one, and tells nothing else meanwhile.
    pub tones_max: usize,
}

impl Default for OrderSettings {
    fn default() -> Self {
        Self {
            telephone: "PJSIP/{device}".to_string(),
            dial_context: "from-internal".to_string(),
            conference_context: None,
            conference_code: "*3".to_string(),
            parking_context: "parkedcalls".to_string(),
            mailbox_context: "default".to_string(),
            telephones_take_notify: false,
            dnd_in_device_state: false,
            login_queues: Vec::new(),
            recording_format: "wav".to_string(),
            originate_ms: 20_000,
            effect_ms: 2_000,
            order_ms_max: 120_000,
            orders_open_max: 1_024,
            tones_max: 32,
        }
    }
}
