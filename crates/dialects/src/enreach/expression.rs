//! Conditions on the counters of a queue as text: `NbrOfQueuingRequesters > 5 AND NOT MaxWaitTime < 60`.
//!
//! A comparison is a counter of `QueueStatus`, one of `<`, `<=`, `=`, `<>`, `>=`, `>`, and a whole number. Comparisons
//! are joined by `NOT`, `AND` and `OR`, in this order of strength, and by parentheses. Case does not matter.

use std::fmt::Write as _;

use cordboard_core::condition::{Comparison, Condition, QueueCounter};
use cordboard_core::listed::Listed;

/// Longest text, in bytes.
pub const TEXT_BYTES_MAX: usize = 1_000;
/// Parentheses and negations inside one another.
pub const DEPTH_MAX: usize = 16;
/// Comparisons in one text.
pub const COMPARISONS_MAX: usize = 32;

/// What is wrong with a text, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wrong {
    /// The place, in characters, counted from 1.
    pub column: usize,
    /// What is wrong there.
    pub wrong: String,
    /// What would be right.
    pub right: String,
}

impl core::fmt::Display for Wrong {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "column {}: {}; right would be {}", self.column, self.wrong, self.right)
    }
}

impl core::error::Error for Wrong {}

/// What a counter is called.
#[must_use]
pub const fn counter_name(counter: QueueCounter) -> &'static str {
    match counter {
        QueueCounter::Agents => "NbrOfProviders",
        QueueCounter::LoggedIn => "NbrOfAgentsCheckedInQueue",
        QueueCounter::Serving => "NbrOfServingAgentsEstimate",
        QueueCounter::Free => "NbrOfAgentsImmediatelyFree",
        QueueCounter::LongAway => "NbrOfAgentsLongTermAway",
        QueueCounter::ShortAway => "NbrOfAgentsShortTermAway",
        QueueCounter::InWrapUp => "NbrOfAgentsOnWrapUp",
        QueueCounter::Picking => "NbrOfAgentsOnFetchMode",
        QueueCounter::Calls => "NbrOfRequesters",
        QueueCounter::Waiting => "NbrOfQueuingRequesters",
        QueueCounter::Offered => "NbrOfAllocated",
        QueueCounter::Connected => "NbrOfConnected",
        QueueCounter::LongestWaitS => "MaxWaitTime",
    }
}

/// Reads a condition.
///
/// # Errors
/// [`Wrong`] says where, what, and what would be right.
pub fn parse(text: &str) -> Result<Condition, Wrong> {
    if text.len() > TEXT_BYTES_MAX {
        let wrong = format!("the text has {} bytes", text.len());
        return Err(Wrong { column: 1, wrong, right: format!("{TEXT_BYTES_MAX} at most") });
    }
    let mut reader = Reader { tokens: tokens(text)?, at: 0, comparisons: 0 };
    let condition = reader.any(0)?;
    let rest = reader.peek();
    if rest.what == What::End { Ok(condition) } else { Err(rest.wrong("AND, OR or the end")) }
}

/// Writes a condition so that it is read as the same again.
#[must_use]
pub fn print(condition: &Condition) -> String {
    let mut text = String::new();
    put(condition, Place::Top, &mut text);
    text
}

/// The number that the first comparison of a condition compares with.
#[must_use]
pub fn threshold(condition: &Condition) -> Option<i64> {
    match condition {
        Condition::Compare { value, .. } => Some(*value),
        Condition::All(parts) | Condition::Any(parts) => parts.iter().find_map(threshold),
        Condition::Not(part) => threshold(part),
    }
}

/// Where a part stands, which says whether it needs parentheses.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Top,
    InAny,
    InAll,
    InNot,
}

fn put(condition: &Condition, place: Place, text: &mut String) {
    match condition {
        Condition::Compare { counter, comparison, value } => {
            // Writing into a string does not fail, here and below.
            _ = write!(text, "{} {} {value}", counter_name(*counter), sign(*comparison));
        }
        Condition::Not(part) => {
            text.push_str("NOT ");
            put(part, Place::InNot, text);
        }
        // A counter is never negative: the first always holds, the second never.
        Condition::All(parts) if parts.is_empty() => text.push_str("NbrOfProviders >= 0"),
        Condition::Any(parts) if parts.is_empty() => text.push_str("NbrOfProviders < 0"),
        Condition::All(parts) => join(parts, " AND ", Place::InAll, !matches!(place, Place::Top | Place::InAny), text),
        Condition::Any(parts) => join(parts, " OR ", Place::InAny, place != Place::Top, text),
    }
}

fn join(parts: &[Condition], between: &str, place: Place, enclosed: bool, text: &mut String) {
    if enclosed {
        text.push('(');
    }
    for (at, part) in parts.iter().enumerate() {
        if at > 0 {
            text.push_str(between);
        }
        put(part, place, text);
    }
    if enclosed {
        text.push(')');
    }
}

const fn sign(comparison: Comparison) -> &'static str {
    match comparison {
        Comparison::Less => "<",
        Comparison::AtMost => "<=",
        Comparison::Equal => "=",
        Comparison::NotEqual => "<>",
        Comparison::AtLeast => ">=",
        Comparison::More => ">",
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Token {
    column: usize,
    what: What,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum What {
    Open,
    Close,
    And,
    Or,
    Not,
    Word(String),
    Number(i64),
    Sign(Comparison),
    End,
}

impl Token {
    fn wrong(&self, right: &str) -> Wrong {
        let wrong = match &self.what {
            What::Open => "( is not expected here".to_owned(),
            What::Close => ") is not expected here".to_owned(),
            What::And => "AND is not expected here".to_owned(),
            What::Or => "OR is not expected here".to_owned(),
            What::Not => "NOT is not expected here".to_owned(),
            What::Word(word) => format!("{word} is not expected here"),
            What::Number(number) => format!("{number} is not expected here"),
            What::Sign(comparison) => format!("{} is not expected here", sign(*comparison)),
            What::End => "the text ends too early".to_owned(),
        };
        Wrong { column: self.column, wrong, right: right.to_owned() }
    }
}

fn tokens(text: &str) -> Result<Vec<Token>, Wrong> {
    let mut tokens = Vec::new();
    let mut chars = text.chars().enumerate().peekable();
    while let Some((at, c)) = chars.next() {
        let column = at + 1;
        let mut take = |wanted: fn(char) -> bool, first: char| {
            let mut word = String::from(first);
            while let Some((_, next)) = chars.next_if(|(_, next)| wanted(*next)) {
                word.push(next);
            }
            word
        };
        let what = match c {
            c if c.is_ascii_whitespace() => continue,
            '(' => What::Open,
            ')' => What::Close,
            '<' | '>' | '=' | '!' => {
                let written = take(|next| matches!(next, '<' | '>' | '=' | '!'), c);
                What::Sign(read_sign(&written).ok_or_else(|| {
                    let wrong = format!("{written} compares nothing");
                    Wrong { column, wrong, right: "<, <=, =, <>, >= or >".to_owned() }
                })?)
            }
            c if c.is_ascii_digit() || c == '-' => {
                let digits = take(|next| next.is_ascii_alphanumeric() || next == '.', c);
                What::Number(digits.parse().map_err(|_| {
                    let wrong = format!("{digits} is no whole number, or too great a one");
                    Wrong { column, wrong, right: "a whole number, for example 5".to_owned() }
                })?)
            }
            c if c.is_ascii_alphabetic() => word(take(|next| next.is_ascii_alphanumeric() || next == '_', c)),
            other => {
                let wrong = format!("the character {other:?} means nothing");
                return Err(Wrong {
                    column,
                    wrong,
                    right: "a counter, a number, a comparison, AND, OR, NOT, ( or )".to_owned(),
                });
            }
        };
        tokens.push(Token { column, what });
    }
    tokens.push(Token { column: text.chars().count() + 1, what: What::End });
    Ok(tokens)
}

fn read_sign(text: &str) -> Option<Comparison> {
    match text {
        "==" => Some(Comparison::Equal),
        "!=" => Some(Comparison::NotEqual),
        text => Comparison::ALL.iter().copied().find(|it| sign(*it) == text),
    }
}

fn word(word: String) -> What {
    let is = |name: &str| word.eq_ignore_ascii_case(name);
    if is("and") {
        What::And
    } else if is("or") {
        What::Or
    } else if is("not") {
        What::Not
    } else {
        What::Word(word)
    }
}

struct Reader {
    tokens: Vec<Token>,
    at: usize,
    comparisons: usize,
}

impl Reader {
    /// The last token is always the end.
    fn peek(&self) -> Token {
        self.tokens.get(self.at).or(self.tokens.last()).cloned().unwrap_or(Token { column: 1, what: What::End })
    }

    fn next(&mut self) -> Token {
        let token = self.peek();
        self.at += 1;
        token
    }

    fn takes(&mut self, what: &What) -> bool {
        let is = self.peek().what == *what;
        self.at += usize::from(is);
        is
    }

    fn any(&mut self, depth: usize) -> Result<Condition, Wrong> {
        let first = self.all(depth)?;
        let mut parts = vec![first];
        while self.takes(&What::Or) {
            parts.push(self.all(depth)?);
        }
        Ok(one_or(parts, Condition::Any))
    }

    fn all(&mut self, depth: usize) -> Result<Condition, Wrong> {
        let first = self.one(depth)?;
        let mut parts = vec![first];
        while self.takes(&What::And) {
            parts.push(self.one(depth)?);
        }
        Ok(one_or(parts, Condition::All))
    }

    fn one(&mut self, depth: usize) -> Result<Condition, Wrong> {
        let token = self.next();
        let deeper = |token: &Token| {
            let (column, wrong) = (token.column, format!("this is nested more than {DEPTH_MAX} deep"));
            if depth >= DEPTH_MAX {
                return Err(Wrong { column, wrong, right: "fewer parentheses and negations".to_owned() });
            }
            Ok(depth + 1)
        };
        match &token.what {
            What::Not => Ok(Condition::Not(Box::new(self.one(deeper(&token)?)?))),
            What::Open => {
                let inner = self.any(deeper(&token)?)?;
                let close = self.next();
                if close.what == What::Close { Ok(inner) } else { Err(close.wrong("AND, OR or )")) }
            }
            What::Word(name) => self.compare(&token, name),
            What::Close | What::And | What::Or | What::Number(_) | What::Sign(_) | What::End => {
                Err(token.wrong("a counter such as NbrOfQueuingRequesters, NOT or ("))
            }
        }
    }

    fn compare(&mut self, token: &Token, name: &str) -> Result<Condition, Wrong> {
        let column = token.column;
        self.comparisons += 1;
        if self.comparisons > COMPARISONS_MAX {
            let wrong = "there are too many comparisons".to_owned();
            return Err(Wrong { column, wrong, right: format!("{COMPARISONS_MAX} at most") });
        }
        let known = QueueCounter::ALL.iter().copied();
        let Some(counter) = known.clone().find(|counter| counter_name(*counter).eq_ignore_ascii_case(name)) else {
            let right = known.map(counter_name).collect::<Vec<_>>().join(", ");
            return Err(Wrong { column, wrong: format!("{name} is no counter"), right });
        };
        let (sign, number) = (self.next(), self.next());
        let What::Sign(comparison) = sign.what else { return Err(sign.wrong("<, <=, =, <>, >= or >")) };
        let What::Number(value) = number.what else { return Err(number.wrong("a whole number")) };
        Ok(Condition::Compare { counter, comparison, value })
    }
}

fn one_or(mut parts: Vec<Condition>, join: fn(Vec<Condition>) -> Condition) -> Condition {
    match (parts.pop(), parts.is_empty()) {
        (Some(only), true) => only,
        (last, _) => {
            parts.extend(last);
            join(parts)
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn compare(counter: QueueCounter, comparison: Comparison, value: i64) -> Condition {
        Condition::Compare { counter, comparison, value }
    }

    #[test]
    fn not_binds_stronger_than_and_and_that_than_or() {
        let waiting = compare(QueueCounter::Waiting, Comparison::More, 5);
        let wait = compare(QueueCounter::LongestWaitS, Comparison::AtLeast, 60);
        let free = compare(QueueCounter::Free, Comparison::Equal, 0);
        for (text, right) in [
            ("NbrOfQueuingRequesters > 5", waiting.clone()),
            (
                "NbrOfQueuingRequesters > 5 AND (MaxWaitTime >= 60 OR NbrOfAgentsImmediatelyFree = 0)",
                Condition::All(vec![waiting.clone(), Condition::Any(vec![wait.clone(), free.clone()])]),
            ),
            (
                "nbrofqueuingrequesters>5 or not maxwaittime>=60 and NbrOfAgentsImmediatelyFree==0",
                Condition::Any(vec![waiting, Condition::All(vec![Condition::Not(Box::new(wait)), free.clone()])]),
            ),
            ("((NbrOfAgentsImmediatelyFree = 0))", free),
        ] {
            assert_eq!(parse(text).as_ref(), Ok(&right), "{text}");
            assert_eq!(parse(&print(&right)), Ok(right), "{text}");
        }
    }

    #[test]
    fn what_is_wrong_is_said_with_its_place_and_what_would_be_right() {
        for (text, column, says) in [
            ("", 1, "a counter"),
            ("NbrOfWaiting > 5", 1, "NbrOfQueuingRequesters"),
            ("MaxWaitTime", 12, "<="),
            ("MaxWaitTime > ", 15, "whole number"),
            ("MaxWaitTime > 5 6", 17, "AND, OR or the end"),
            ("MaxWaitTime >> 5", 13, "<="),
            ("MaxWaitTime > 5.5", 15, "for example 5"),
            ("MaxWaitTime > 99999999999999999999", 15, "for example 5"),
            ("(MaxWaitTime > 5", 17, ")"),
            ("MaxWaitTime > 5 AND", 20, "a counter"),
            ("MaxWaitTime > 5 \u{e9}", 17, "a counter"),
            ("> 5", 1, "a counter"),
        ] {
            let wrong = parse(text).unwrap_err();
            assert_eq!(wrong.column, column, "{text}: {wrong}");
            assert!(wrong.right.contains(says), "{text}: {wrong}");
        }
    }

    #[test]
    fn length_depth_and_number_are_limited() {
        let deep = |depth: usize| format!("{}MaxWaitTime > 5{}", "(".repeat(depth), ")".repeat(depth));
        assert!(parse(&deep(DEPTH_MAX)).is_ok() && parse(&deep(DEPTH_MAX + 1)).is_err());
        assert!(parse(&deep(TEXT_BYTES_MAX)).unwrap_err().right.contains("1000"));
        let many = |count: usize| ["MaxWaitTime>5"].repeat(count).join(" OR ");
        assert!(parse(&many(COMPARISONS_MAX)).is_ok());
        assert!(parse(&many(COMPARISONS_MAX + 1)).unwrap_err().right.contains("32 at most"));
    }

    #[test]
    fn every_counter_is_read_by_its_name_and_is_a_member_of_the_queue_status() {
        for counter in QueueCounter::ALL {
            let text = format!("{} <> -7", counter_name(*counter));
            assert_eq!(parse(&text), Ok(compare(*counter, Comparison::NotEqual, -7)));
        }
    }

    fn conditions() -> impl Strategy<Value = Condition> {
        let counter = prop::sample::select(QueueCounter::ALL);
        let comparison = prop::sample::select(Comparison::ALL);
        let leaf = (counter, comparison, any::<i64>())
            .prop_map(|(counter, comparison, value)| compare(counter, comparison, value));
        leaf.prop_recursive(4, 12, 3, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 2..4).prop_map(Condition::All),
                prop::collection::vec(inner.clone(), 2..4).prop_map(Condition::Any),
                inner.prop_map(|part| Condition::Not(Box::new(part))),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_is_printed_is_read_as_the_same(condition in conditions()) {
            let text = print(&condition);
            if text.len() <= TEXT_BYTES_MAX {
                prop_assert_eq!(parse(&text), Ok(condition), "{}", text);
            }
        }

        #[test]
        fn no_text_does_harm_and_what_is_read_prints_the_same(text in "[()<>=! a-zA-Z0-9-]{0,40}|(NOT |\\(|MaxWaitTime > [0-9]{1,3} |AND |OR |\\)){0,12}") {
            if let Ok(condition) = parse(&text) {
                prop_assert_eq!(parse(&print(&condition)), Ok(condition));
            }
        }
    }
}
