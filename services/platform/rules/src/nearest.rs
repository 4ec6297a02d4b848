//! Which codes a sender may have meant.
use crate::fold::fold;

/// Most suggestions for one value.
pub(crate) const MOST: usize = 3;
/// Lists longer than this are not gone through letter by letter: that would take longer than the rest of the check.
const LONG: usize = 500;
/// Words that open the name of an administrative unit and that people leave out or shorten.
const UNIT_WORDS: [&str; 13] = [
    "thanh pho ",
    "thi tran ",
    "dac khu ",
    "phuong ",
    "huyen ",
    "thi xa ",
    "quan ",
    "tinh ",
    "xa ",
    "tp ",
    "tt ",
    "p ",
    "x ",
];

/// A code with the folded name that it goes by.
pub(crate) struct Candidate<'a> {
    pub code: &'a str,
    pub name: &'a str,
}

/// Folded name without the word for its kind of administrative unit.
pub(crate) fn plain(folded: &str) -> &str {
    UNIT_WORDS.iter().find_map(|word| folded.strip_prefix(word)).unwrap_or(folded)
}

/// The nearest codes, at most [`MOST`]: those of exactly this name; else those whose code is at most two slips away, the
/// neighbouring letter or number first; then those of a similar name.
pub(crate) fn nearest(value: &str, candidates: &[Candidate<'_>]) -> Vec<String> {
    let folded = fold(value);
    let wanted = plain(&folded);
    let named = |c: &&Candidate<'_>| !wanted.is_empty() && (c.name == folded || plain(c.name) == wanted);
    let mut exact: Vec<&str> = candidates.iter().filter(named).map(|c| c.code).collect();
    if !exact.is_empty() {
        exact.sort_unstable();
        return exact.into_iter().take(MOST).map(str::to_owned).collect();
    }
    let long = candidates.len() > LONG;
    let mut near: Vec<(u8, usize, u32, &str)> =
        candidates.iter().filter_map(|c| distance(value, wanted, c, long)).collect();
    near.sort_unstable();
    near.into_iter().take(MOST).map(|(.., code)| code.to_owned()).collect()
}

/// Rank, slips, letters apart, code.
fn distance<'a>(
    value: &str,
    wanted: &str,
    candidate: &Candidate<'a>,
    long: bool,
) -> Option<(u8, usize, u32, &'a str)> {
    let code = candidate.code;
    if value.len().abs_diff(code.len()) <= 2 && (!long || shares_an_end(value, code)) {
        let slips = strsim::damerau_levenshtein(code, value);
        if slips <= 2 {
            return Some((0, slips, letters_apart(code, value), code));
        }
    }
    // Two letters are near to everything.
    let letters = wanted.chars().count();
    if long || letters < 3 || candidate.name.is_empty() {
        return None;
    }
    let bound = 1 + letters / 6;
    if letters.abs_diff(candidate.name.chars().count()) <= bound {
        let slips = strsim::damerau_levenshtein(candidate.name, wanted);
        if slips <= bound {
            return Some((1, slips, 0, code));
        }
    }
    let within = holds_words(candidate.name, wanted) || holds_words(wanted, candidate.name);
    within.then(|| (2, candidate.name.len().abs_diff(wanted.len()), 0, code))
}

/// Whether the first two bytes agree, or the last three: what one or two slips leave of a code of five digits.
fn shares_an_end(a: &str, b: &str) -> bool {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    let head = a.len() >= 2 && b.len() >= 2 && a[..2] == b[..2];
    let tail = a.len() >= 3 && b.len() >= 3 && a[a.len() - 3..] == b[b.len() - 3..];
    head || tail
}

fn holds_words(text: &str, words: &str) -> bool {
    words.len() >= 3 && format!(" {text} ").contains(&format!(" {words} "))
}

/// How far the letters of two codes are from each other: in a long list of short codes many are one edit away, and of those
/// the neighbouring letter or number is the likelier slip.
fn letters_apart(a: &str, b: &str) -> u32 {
    a.bytes().zip(b.bytes()).map(|(a, b)| u32::from(a.abs_diff(b))).sum()
}
