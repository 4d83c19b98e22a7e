//! Long lists, a page at a time: `Limit` and `Cursor`, and a header `Link` that leads to the rest.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::super::access::Refusal;
use super::call::Given;

/// Which page of a list is asked for.
pub(super) struct Page {
    after: Option<String>,
    items_max: usize,
}

impl Given {
    /// The page that the query asks for.
    pub(super) fn page(&self) -> Result<Page, Refusal> {
        let most = self.app.rest().page_items_max;
        let items_max = match self.asked("Limit").map(str::parse::<usize>) {
            None => most,
            Some(Ok(limit)) if limit >= 1 => limit.min(most),
            Some(Ok(_) | Err(_)) => return Err(Refusal::wrong(format!("Limit: right would be from 1 to {most}"))),
        };
        let after = match self.asked("Cursor").filter(|cursor| !cursor.is_empty()) {
            None => None,
            Some(cursor) => Some(decode(cursor).ok_or_else(|| {
                Refusal::wrong("Cursor: right would be the one in the header Link of the page before, or none")
            })?),
        };
        Ok(Page { after, items_max })
    }

    /// Where the rest of the list is, which goes on after this cursor.
    pub(super) fn rest_of(&self, path: &str, cursor: Option<String>) -> Option<String> {
        let cursor = cursor?;
        let others = self.query.iter().filter(|(name, _)| *name != "Cursor");
        let others: String = others.map(|(name, value)| format!("&{name}={}", escaped(value))).collect();
        Some(format!("{path}?Cursor={cursor}{others}"))
    }
}

impl Page {
    /// The items of this page from keys in order, and the cursor of what follows where something does.
    pub(super) fn of<K: AsRef<str>, T>(
        &self,
        keys: impl Iterator<Item = K>,
        mut show: impl FnMut(&str) -> Option<T>,
    ) -> (Vec<T>, Option<String>) {
        let (mut items, mut last) = (Vec::new(), String::new());
        for key in keys {
            let key = key.as_ref();
            if self.after.as_deref().is_some_and(|after| key <= after) {
                continue;
            }
            let Some(item) = show(key) else { continue };
            if items.len() == self.items_max {
                return (items, Some(URL_SAFE_NO_PAD.encode(last)));
            }
            items.push(item);
            key.clone_into(&mut last);
        }
        (items, None)
    }
}

fn decode(cursor: &str) -> Option<String> {
    String::from_utf8(URL_SAFE_NO_PAD.decode(cursor).ok()?).ok()
}

/// Text as it may stand in a query.
fn escaped(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~');
    text.bytes().map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_follow_one_another_without_hole_or_double() {
        let keys: Vec<String> = (0..10).map(|n| format!("k{n}")).collect();
        let (mut after, mut seen) = (None, Vec::new());
        for _ in 0..10 {
            let page = Page { after: after.take(), items_max: 3 };
            let (items, next) = page.of(keys.iter(), |key| (key != "k4").then(|| key.to_owned()));
            seen.extend(items);
            let Some(next) = next else { break };
            after = Some(decode(&next).unwrap());
        }
        assert_eq!(seen, ["k0", "k1", "k2", "k3", "k5", "k6", "k7", "k8", "k9"]);
        assert_eq!(escaped("a b/\u{e9}"), "a%20b%2F%C3%A9");
        assert!(decode("***").is_none());
    }
}
