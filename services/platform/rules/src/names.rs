//! Rules on persons' names and other texts.
use eduhub_faults::Reason;
use unicode_normalization::is_nfc;

/// What is wrong with a text as such.
pub fn broken_text(text: &str) -> Option<Reason> {
    if !is_nfc(text) {
        return Some(Reason::NotNfc);
    }
    if text.trim() != text || text.chars().any(char::is_control) {
        return Some(Reason::BadSpacing);
    }
    None
}

/// What is wrong with a person's name.
pub fn broken_name(name: &str) -> Option<Reason> {
    if let Some(reason) = broken_text(name) {
        return Some(reason);
    }
    if name.contains("  ") || name.chars().any(|c| c.is_whitespace() && c != ' ') {
        return Some(Reason::BadSpacing);
    }
    name.chars().any(char::is_numeric).then_some(Reason::DigitInName)
}

/// True when a name of more than one word is written in capitals only.
pub fn all_caps(name: &str) -> bool {
    name.contains(' ') && name.chars().any(char::is_uppercase) && !name.chars().any(char::is_lowercase)
}

#[cfg(test)]
mod tests {
    use super::*;
    use unicode_normalization::UnicodeNormalization;

    #[test]
    fn names() {
        assert_eq!(broken_name("Nguyễn Thị Hương"), None);
        assert_eq!(broken_name(&"Nguyễn Thị Hương".nfd().collect::<String>()), Some(Reason::NotNfc));
        assert_eq!(broken_name("Nguyễn  Hương"), Some(Reason::BadSpacing));
        assert_eq!(broken_name(" Nguyễn Hương"), Some(Reason::BadSpacing));
        assert_eq!(broken_name("Nguyễn H2"), Some(Reason::DigitInName));
        assert!(all_caps("NGUYỄN THỊ HƯƠNG"));
        assert!(!all_caps("Nguyễn Thị Hương"));
    }
}
