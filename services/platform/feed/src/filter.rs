//! What a consumer asked for and may see.
use eduhub_faults::Fault;
use sha2::{Digest, Sha256};
use std::collections::HashSet;

/// What one consumer sees: the request narrowed by its grant.
#[derive(Debug, Clone)]
pub struct View {
    /// Numbers of the kinds.
    pub kinds: Vec<i32>,
    /// Schools; `None` for the whole province.
    pub schools: Option<HashSet<String>>,
    /// Highest `Sensitivity` number.
    pub max_class: i32,
}

impl View {
    /// True for a change that the consumer sees.
    pub(crate) fn shows(&self, kind: i32, school_code: &str) -> bool {
        self.kinds.contains(&kind) && self.schools.as_ref().is_none_or(|s| s.contains(school_code))
    }

    /// Schools as a list for SQL.
    pub(crate) fn school_list(&self) -> Option<Vec<String>> {
        self.schools.as_ref().map(|s| s.iter().cloned().collect())
    }
}

/// Fingerprint of a view: a cursor made under one view is refused under another, because what the old one left out would
/// be missing without a word.
pub fn fingerprint(view: &View) -> Result<u64, Fault> {
    let mut kinds = view.kinds.clone();
    kinds.sort_unstable();
    let mut schools: Vec<&str> = view.schools.iter().flatten().map(String::as_str).collect();
    schools.sort_unstable();
    let text = format!("{kinds:?}|{:?}|{}|{}", view.schools.is_some(), schools.join(","), view.max_class);
    let hash = Sha256::digest(text);
    let bytes: [u8; 8] = hash[..8].try_into().map_err(Fault::internal)?;
    Ok(u64::from_le_bytes(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fingerprint_depends_on_the_set_not_on_its_order() {
        let view = |kinds: &[i32], schools: Option<&[&str]>| View {
            kinds: kinds.to_vec(),
            schools: schools.map(|s| s.iter().map(|x| (*x).to_owned()).collect()),
            max_class: 2,
        };
        let print = |v: &View| fingerprint(v).unwrap();
        assert_eq!(print(&view(&[1, 2], None)), print(&view(&[2, 1], None)));
        assert_eq!(print(&view(&[1], Some(&["a", "b"]))), print(&view(&[1], Some(&["b", "a"]))));
        assert_ne!(print(&view(&[1], None)), print(&view(&[1], Some(&[]))));
        assert_ne!(print(&view(&[1], None)), print(&view(&[1, 2], None)));
    }
}
