//! Names that somebody may have meant, for error texts.

/// Of a name that is not known, so many characters are compared.
const CHARS_MAX: usize = 256;
/// So many names are proposed.
const PROPOSALS_MAX: usize = 3;

/// Names that somebody may have meant, the nearest first.
pub fn close<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let lower = |name: &str| name.chars().take(CHARS_MAX).flat_map(char::to_lowercase).collect::<Vec<char>>();
    let name = lower(name);
    let mut near: Vec<(usize, &str)> = known
        .map(|known| (distance(&name, &lower(known)), known))
        .filter(|(distance, known)| *distance <= 1 + known.len() / 5)
        .collect();
    near.sort_unstable();
    near.into_iter().take(PROPOSALS_MAX).map(|(_, known)| known).collect()
}

/// How many characters must be added, removed or replaced to make one of the other.
fn distance(left: &[char], right: &[char]) -> usize {
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (at, one) in left.iter().enumerate() {
        let mut next = Vec::from([at + 1]);
        let mut beside = at + 1;
        for (other, pair) in right.iter().zip(row.windows(2)) {
            let [corner, above] = pair else { continue };
            let replaced = corner + usize::from(one != other);
            beside = replaced.min(above + 1).min(beside + 1);
            next.push(beside);
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_nearly_right_is_found_and_the_nearest_comes_first() {
        let known = ["Name", "Names", "Note", "EventTypeID"];
        assert_eq!(close("xyz", known.into_iter()), [] as [&str; 0]);
        assert_eq!(close("nam", known.into_iter()), ["Name", "Names"]);
        assert_eq!(close("eventtypid", known.into_iter()), ["EventTypeID"]);
        assert_eq!(close("note", known.into_iter()), ["Note"]);
        assert!(close(&"x".repeat(100_000), known.into_iter()).is_empty());
    }
}
