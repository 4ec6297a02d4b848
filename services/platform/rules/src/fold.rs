//! Names as people type them who look for somebody: without accents, in small letters.
use unicode_normalization::char::{decompose_canonical, is_combining_mark};

/// A text without accents, in small letters, words of letters and digits with one space between: `Nguyễn Thị Hương` and
/// `NGUYEN  THI HUONG` both give `nguyen thi huong`, `Đỗ` gives `do`. Composed and decomposed Unicode fold alike.
pub fn fold(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_ascii() {
            push(&mut out, c.to_ascii_lowercase());
        } else {
            // Every letter with an accent decomposes but đ, whose stroke is part of it.
            decompose_canonical(c, |part| match part {
                'đ' | 'Đ' | 'ð' | 'Ð' => push(&mut out, 'd'),
                mark if is_combining_mark(mark) => {}
                letter => letter.to_lowercase().for_each(|small| push(&mut out, small)),
            });
        }
    }
    out.truncate(out.trim_end().len());
    out
}

/// Typing errors with which a name is still taken for the same.
const SLIPS: usize = 2;

/// True for two names that one person may have, written by two hands: the same but for accents, capitals, spaces and two slips.
pub fn written_alike(one: &str, other: &str) -> bool {
    strsim::damerau_levenshtein(&fold(one), &fold(other)) <= SLIPS
}

fn push(out: &mut String, c: char) {
    if c.is_alphanumeric() {
        out.push(c);
    } else if !out.is_empty() && !out.ends_with(' ') {
        out.push(' ');
    }
}

/// The words of a folded name in the order of their bytes, each once, with a space between.
pub fn name_words(name: &str) -> String {
    let folded = fold(name);
    let mut words: Vec<&str> = folded.split_terminator(' ').collect();
    words.sort_unstable();
    words.dedup();
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use unicode_normalization::UnicodeNormalization;

    #[test]
    fn accents_capitals_and_spaces_do_not_count() {
        for (name, folded) in [
            ("Nguyễn Thị Hương", "nguyen thi huong"),
            ("ĐỖ ĐÌNH ĐẠT", "do dinh dat"),
            ("  Lê  Thị\tÝ ", "le thi y"),
            ("Y-Ban Niê K'Đăm", "y ban nie k dam"),
            ("Hoà", "hoa"),
            ("Hòa", "hoa"),
            ("Ưng Ơn Ăn Ân Ê Ô", "ung on an an e o"),
            ("", ""),
            ("--", ""),
        ] {
            assert_eq!(fold(name), folded, "{name}");
            assert_eq!(fold(&name.nfd().collect::<String>()), folded, "{name} decomposed");
        }
    }

    #[test]
    fn every_vietnamese_letter_folds_to_an_ascii_one() {
        let letters = "àáảãạăằắẳẵặâầấẩẫậèéẻẽẹêềếểễệìíỉĩịòóỏõọôồốổỗộơờớởỡợùúủũụưừứửữựỳýỷỹỵđ";
        for letter in letters.chars().chain(letters.to_uppercase().chars()) {
            let folded = fold(&letter.to_string());
            assert!(folded.len() == 1 && folded.is_ascii(), "{letter} gives {folded:?}");
        }
    }

    #[test]
    fn words_are_sorted_and_single() {
        assert_eq!(name_words("Trần Thị Trần An"), "an thi tran");
        assert_eq!(name_words(" "), "");
    }

    proptest! {
        #[test]
        fn folding_twice_changes_nothing(text in "\\PC{0,40}") {
            let once = fold(&text);
            prop_assert_eq!(fold(&once), once);
        }
    }
}
