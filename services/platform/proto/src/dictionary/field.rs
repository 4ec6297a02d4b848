//! What the dictionary says of one field.
use super::{Levels, MessageMeta};
use crate::common::v1::{Level, Need};
use time::Date;

/// One field of the dictionary. Enum values are kept as their numbers.
#[derive(Debug)]
pub struct FieldMeta {
    /// Field name in proto.
    pub name: &'static str,
    /// Field number.
    pub number: u32,
    /// Vietnamese label.
    pub label: &'static str,
    /// Number of its `Sensitivity`.
    pub class: i32,
    /// Number of its `Need` where no level says otherwise.
    pub need: i32,
    /// Needs by level, where they differ from `need`.
    pub needs: &'static [(Levels, i32)],
    /// Levels at which it exists; empty for all.
    pub levels: Levels,
    /// Number of its `Shape`.
    pub shape: i32,
    /// Code list, or empty.
    pub code_list: &'static str,
    /// Number of the parent's `Kind`, 0 for none.
    pub parent: i32,
    /// Field of the Ministry's payload (QĐ 4998 symbol), or empty; see [`FieldMeta::symbol_at`].
    pub ministry: &'static str,
    /// Symbols by level, where they differ from `ministry`.
    pub symbols: &'static [(Levels, &'static str)],
    /// Where it comes from when not from QĐ 4998, or empty.
    pub source: &'static str,
    /// First day on which it no longer exists.
    pub until: Option<Date>,
    /// Column header in Excel, or empty.
    pub excel: &'static str,
    /// Part of the record's key.
    pub key: bool,
    /// Kept as a typed column.
    pub column: bool,
    /// Plausible range; outside it is a warning.
    pub plausible: Option<(f64, f64)>,
    /// Type of the value.
    pub ty: FieldType,
    /// Rules from `buf.validate`.
    pub rules: &'static [Rule],
    /// Most characters that a text may have, by its length rule or its pattern; `None` when nothing bounds it.
    pub max_chars: Option<u32>,
    /// Message of a list's entries.
    pub entries: Option<&'static MessageMeta>,
    /// The comment before it in proto: the manual's words.
    pub doc: &'static str,
}

impl FieldMeta {
    /// Number of its `Need` at a level; never needed where it does not exist. For an unspecified level, the field's own.
    pub fn need_at(&self, level: Level) -> i32 {
        if !self.exists_at(level) {
            return Need::Optional as i32;
        }
        self.needs.iter().find(|(levels, _)| levels.contains(level)).map_or(self.need, |(_, need)| *need)
    }

    /// Number of its `Need` in a record of several levels: the strictest. Without a known level the weakest of all, because
    /// nobody is refused on a guess.
    pub fn need_among(&self, levels: Levels) -> i32 {
        // Nearly every field: the same at every level, or needed at none.
        if self.needs.is_empty() && (self.levels.is_empty() || self.need == Need::Optional as i32) {
            return self.need;
        }
        let need = |level| self.need_at(level);
        if levels.is_empty() {
            return Levels::ALL.iter().map(need).min().unwrap_or(self.need);
        }
        levels.iter().map(need).max().unwrap_or(self.need)
    }

    /// QĐ 4998 symbol at a level; empty when it has none, or does not exist there.
    pub fn symbol_at(&self, level: Level) -> &'static str {
        if !self.exists_at(level) {
            return "";
        }
        self.symbols.iter().find(|(levels, _)| levels.contains(level)).map_or(self.ministry, |(_, s)| *s)
    }

    /// Whether it exists at a level; always for an unspecified one.
    pub fn exists_at(&self, level: Level) -> bool {
        level == Level::Unspecified || self.levels.is_empty() || self.levels.contains(level)
    }

    /// Whether it exists at one of the levels; always when none is known.
    pub fn exists_among(&self, levels: Levels) -> bool {
        levels.is_empty() || self.levels.is_empty() || !self.levels.shared(levels).is_empty()
    }

    /// Whether it still exists on a day.
    pub fn exists_on(&self, day: Date) -> bool {
        self.until.is_none_or(|end| day < end)
    }
}

/// Type of a field's value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FieldType {
    /// Text, dates included.
    Text,
    /// Decimal number.
    Number,
    /// Whole number.
    Int,
    /// Yes or no.
    Flag,
    /// List of messages.
    List,
}

/// A `buf.validate` rule; lengths count characters, not bytes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Rule {
    /// At least so many characters.
    MinChars(u64),
    /// At most so many characters.
    MaxChars(u64),
    /// Matches this regular expression (RE2 syntax).
    Pattern(Pattern),
    /// Greater than.
    Above(f64),
    /// Greater than or equal.
    AtLeast(f64),
    /// Less than.
    Below(f64),
    /// Less than or equal.
    AtMost(f64),
    /// At most so many entries.
    MaxItems(u64),
}

/// A pattern and its place in [`crate::PATTERNS`], so that it is compiled once and found without a search.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pattern {
    /// Position in `PATTERNS`.
    pub index: usize,
    /// The regular expression.
    pub text: &'static str,
}
