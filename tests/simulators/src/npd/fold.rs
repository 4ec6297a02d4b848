//! Names as the population database compares them.

use unicode_normalization::UnicodeNormalization;

/// NFC, lower case, single spaces. Accents count: `Hòa` and `Hoa` are two names; so do `Hoà` and `Hòa`, since the place
/// of the accent is a matter of spelling that NFC does not settle.
pub(crate) fn fold(name: &str) -> String {
    let words: Vec<String> = name.split_whitespace().map(|word| word.nfc().collect::<String>()).collect();
    words.join(" ").to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spelling_of_bytes_case_and_spaces_do_not_count() {
        let decomposed: String = "Nguyễn Thị Hòa".nfd().collect();
        assert_ne!(decomposed, "Nguyễn Thị Hòa");
        assert_eq!(fold(&format!("  {} ", decomposed.replace(' ', "  "))), fold("NGUYỄN THỊ HÒA"));
    }

    #[test]
    fn accents_count() {
        assert_ne!(fold("Hoa"), fold("Hòa"));
    }
}
