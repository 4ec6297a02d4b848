//! Where in a record a finding is, as `subject_scores[2].score`.
use std::fmt::Write;

/// An entry of a list. Linked on the stack and made into text only for a finding.
pub struct Path<'p> {
    /// Entry that the list stands in; `None` when it stands in the record itself.
    pub outer: Option<&'p Path<'p>>,
    /// Field of the list.
    pub list: &'static str,
    /// Position in the list, from 0.
    pub index: usize,
}

impl Path<'_> {
    /// The path of a field in the entry.
    pub fn to(entry: Option<&Path<'_>>, field: &str) -> String {
        let mut out = String::new();
        if let Some(entry) = entry {
            entry.write(&mut out);
        }
        out.push_str(field);
        out
    }

    fn write(&self, out: &mut String) {
        if let Some(outer) = self.outer {
            outer.write(out);
        }
        // Writing to a string can't fail.
        let _ = write!(out, "{}[{}].", self.list, self.index);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_name_every_list_on_the_way() {
        let outer = Path { outer: None, list: "rooms", index: 3 };
        let inner = Path { outer: Some(&outer), list: "desks", index: 0 };
        assert_eq!(Path::to(Some(&inner), "width"), "rooms[3].desks[0].width");
        assert_eq!(Path::to(None, "width"), "width");
    }
}
