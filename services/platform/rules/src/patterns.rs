//! The dictionary's regular expressions, compiled once.
//!
//! Nearly all of them are a row of character classes, each so many times: `^[0-9]{12}$`. Such a pattern is matched by one
//! pass over the bytes, in a third of the time that the general engine takes just to start; a push has forty of them a
//! record. The engine takes the others, and the tests hold the two against each other.
use eduhub_proto::{PATTERNS, dictionary::Rule};
use regex::Regex;
use regex_syntax::hir::{Class, Hir, HirKind, Look};
use std::sync::LazyLock;

/// Compiled patterns by [`eduhub_proto::dictionary::Pattern::index`].
pub fn patterns() -> &'static [Matcher] {
    static COMPILED: LazyLock<Vec<Matcher>> =
        LazyLock::new(|| PATTERNS.iter().map(|p| Matcher::new(p)).collect());
    &COMPILED
}

/// Whether a text keeps a rule about texts; one about numbers and lists says nothing of it.
pub fn fits(rule: &Rule, text: &str) -> bool {
    match rule {
        Rule::MinChars(n) => text.chars().count() as u64 >= *n,
        Rule::MaxChars(n) => text.chars().count() as u64 <= *n,
        Rule::Pattern(p) => patterns().get(p.index).is_some_and(|m| m.is_match(text)),
        _ => true,
    }
}

/// A compiled pattern.
#[derive(Debug)]
pub enum Matcher {
    /// Classes of ASCII characters in a row.
    Row(Vec<Step>),
    /// Anything else. The build has parsed every pattern; one that did not compile all the same matches nothing.
    Engine(Option<Regex>),
}

/// One class, so many times.
#[derive(Debug, Clone, Copy)]
pub struct Step {
    /// Whether a byte is a character of the class; only ASCII ones are.
    class: [bool; 256],
    least: usize,
    most: usize,
}

impl Matcher {
    fn new(pattern: &str) -> Self {
        row(pattern).map_or_else(|| Self::Engine(Regex::new(pattern).ok()), Self::Row)
    }

    /// Whether the pattern matches.
    pub fn is_match(&self, text: &str) -> bool {
        match self {
            Self::Row(steps) => matches_row(steps, text.as_bytes()),
            Self::Engine(engine) => engine.as_ref().is_some_and(|engine| engine.is_match(text)),
        }
    }
}

impl Step {
    /// How many bytes it takes from the start of a text.
    fn taken(&self, text: &[u8]) -> usize {
        let within = &text[..text.len().min(self.most)];
        within.iter().position(|byte| !self.class[usize::from(*byte)]).unwrap_or(within.len())
    }
}

fn matches_row(steps: &[Step], mut text: &[u8]) -> bool {
    for step in steps {
        let taken = step.taken(text);
        if taken < step.least {
            return false;
        }
        text = &text[taken..];
    }
    text.is_empty()
}

/// The pattern as a row; `None` when it is none, or when taking as many as possible at each step could go wrong.
fn row(pattern: &str) -> Option<Vec<Step>> {
    let hir = regex_syntax::parse(pattern).ok()?;
    let HirKind::Concat(parts) = hir.kind() else { return None };
    let [first, middle @ .., last] = parts.as_slice() else { return None };
    let is = |hir: &Hir, look| matches!(hir.kind(), HirKind::Look(found) if *found == look);
    if !is(first, Look::Start) || !is(last, Look::End) {
        return None;
    }
    let steps = middle.iter().map(steps).collect::<Option<Vec<_>>>()?.concat();
    let sure = (0..steps.len()).all(|n| is_sure(&steps[n], &steps[n + 1..]));
    sure.then_some(steps)
}

/// What a step of variable length takes can't belong to what comes after it, up to the first class that must be there.
fn is_sure(step: &Step, after: &[Step]) -> bool {
    let next = after.iter().position(|s| s.least > 0).map_or(after, |n| &after[..=n]);
    step.least == step.most || next.iter().all(|s| s.class.iter().zip(step.class).all(|(a, b)| !(*a && b)))
}

fn steps(hir: &Hir) -> Option<Vec<Step>> {
    match hir.kind() {
        HirKind::Class(class) => Some(vec![one(ranges(class))]),
        HirKind::Literal(text) if text.0.is_ascii() => {
            Some(text.0.iter().map(|byte| one([(u32::from(*byte), u32::from(*byte))])).collect())
        }
        HirKind::Repetition(times) => {
            let [step] = steps(&times.sub)?[..] else { return None };
            let (least, most) = (times.min as usize, times.max? as usize);
            (step.least == 1 && step.most == 1).then(|| vec![Step { least, most, ..step }])
        }
        _ => None,
    }
    .filter(|steps| steps.iter().all(|step| step.class[128..].iter().all(|taken| !taken)))
}

/// One character of these ranges; the bytes of those beyond ASCII are marked as taken, so that the step is refused.
fn one(ranges: impl IntoIterator<Item = (u32, u32)>) -> Step {
    let mut class = [false; 256];
    for (from, to) in ranges {
        for c in from..=to.min(255) {
            class[c as usize] = true;
        }
        class[255] |= to > 255;
    }
    Step { class, least: 1, most: 1 }
}

fn ranges(class: &Class) -> Vec<(u32, u32)> {
    match class {
        Class::Unicode(c) => c.iter().map(|r| (r.start().into(), r.end().into())).collect(),
        Class::Bytes(c) => c.iter().map(|r| (r.start().into(), r.end().into())).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn every_pattern_of_the_dictionary_compiles() {
        assert!(!PATTERNS.is_empty());
        assert_eq!(patterns().len(), PATTERNS.len());
        let broken = |m: &&Matcher| matches!(m, Matcher::Engine(None));
        assert_eq!(patterns().iter().filter(broken).count(), 0);
        let rows = patterns().iter().filter(|m| matches!(m, Matcher::Row(_))).count();
        assert!(rows * 3 > PATTERNS.len() * 2, "{rows} of {} are rows", PATTERNS.len());
    }

    #[test]
    fn a_pattern_that_could_go_wrong_is_left_to_the_engine() {
        for pattern in
            ["^[0-9]{1,3}[0-9]$", "^a?b?a$", "[0-9]{2}", "^(a|bc)$", "^[^@]{1,3}$", "^[0-9]+$", "^đ$"]
        {
            assert!(row(pattern).is_none(), "{pattern}");
        }
        for pattern in ["^[0-9]{12}$", "^a[0-9]{1,3}-b?$", "^[0-9A-Z][a-z._/-]{0,19}$"] {
            assert!(row(pattern).is_some(), "{pattern}");
        }
    }

    #[test]
    fn the_ends_count() {
        let matcher = Matcher::new("^[0-9]{2,3}$");
        assert!(["12", "123"].into_iter().all(|t| matcher.is_match(t)));
        assert!(["", "1", "1234", "12\n", " 12", "1２"].into_iter().all(|t| !matcher.is_match(t)));
    }

    /// A text that is near to matching: made from the pattern, with one change.
    fn near(pattern: &'static str) -> BoxedStrategy<String> {
        let body = pattern.trim_start_matches('^').trim_end_matches('$');
        let sound = proptest::string::string_regex(body).unwrap();
        let change = (any::<prop::sample::Index>(), "[0-9A-Za-z@._/ đ-]{0,2}", any::<bool>());
        (sound, change)
            .prop_map(|(text, (at, other, keep))| {
                let chars: Vec<char> = text.chars().collect();
                if keep || chars.is_empty() {
                    return text;
                }
                let at = at.index(chars.len());
                let (before, after) = (&chars[..at], &chars[at + 1..]);
                before.iter().copied().chain(other.chars()).chain(after.iter().copied()).collect()
            })
            .boxed()
    }

    proptest! {
        #[test]
        fn a_row_says_what_the_engine_says(
            (pattern, text) in prop::sample::select(PATTERNS).prop_flat_map(|p| (Just(p), near(p))),
        ) {
            let engine = Regex::new(pattern).unwrap();
            prop_assert_eq!(Matcher::new(pattern).is_match(&text), engine.is_match(&text), "{} {:?}", pattern, text);
        }
    }
}
