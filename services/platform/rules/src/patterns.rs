//! The dictionary's regular expressions, compiled once.
use eduhub_proto::PATTERNS;
use regex::Regex;
use std::sync::LazyLock;

/// Compiled patterns by [`eduhub_proto::dictionary::Pattern::index`]. The build has parsed every one of them; one that
/// did not compile all the same would match nothing.
pub fn patterns() -> &'static [Option<Regex>] {
    static COMPILED: LazyLock<Vec<Option<Regex>>> =
        LazyLock::new(|| PATTERNS.iter().map(|p| Regex::new(p).ok()).collect());
    &COMPILED
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pattern_of_the_dictionary_compiles() {
        assert!(!PATTERNS.is_empty());
        assert_eq!(patterns().len(), PATTERNS.len());
        let broken: Vec<_> =
            PATTERNS.iter().zip(patterns()).filter(|(_, re)| re.is_none()).map(|(p, _)| p).collect();
        assert!(broken.is_empty(), "{broken:?}");
    }
}
