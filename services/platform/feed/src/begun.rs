//! What came in reach and is being sent.
use crate::scope::View;
use eduhub_proto::common::v1::ScopeChange;
use std::collections::BTreeSet;

/// Schools and kinds whose rows began to be sent and are not known to have come in full. It stands in the cursor until then: a
/// consumer that breaks off in the middle and comes back after they left its reach must be told to drop the part it has.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Begun {
    /// Numbers of the kinds.
    pub kinds: BTreeSet<i32>,
    /// Schools.
    pub schools: BTreeSet<String>,
}

impl Begun {
    /// What a view adds to another.
    pub fn between(held: &View, view: &View) -> Self {
        let kinds = view.kinds.difference(&held.kinds).copied().collect();
        let schools = match (&view.schools, &held.schools) {
            (Some(new), Some(old)) => new.difference(old).cloned().collect(),
            _ => BTreeSet::new(),
        };
        Self { kinds, schools }
    }

    /// The change with what of it a view does not see.
    pub fn end(&self, view: &View, change: Option<ScopeChange>) -> Option<ScopeChange> {
        let kinds: Vec<i32> = self.kinds.difference(&view.kinds).copied().collect();
        let out = |school: &&String| view.schools.as_ref().is_some_and(|schools| !schools.contains(*school));
        let schools: Vec<String> = self.schools.iter().filter(out).cloned().collect();
        if kinds.is_empty() && schools.is_empty() {
            return change;
        }
        let mut change = change.unwrap_or_default();
        if !change.reset {
            change.removed_kinds.extend(kinds);
            change.removed_schools.extend(schools);
        }
        Some(change)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn view(kinds: &[i32], schools: &[&str]) -> View {
        let schools = Some(schools.iter().map(|s| (*s).to_owned()).collect());
        View { kinds: kinds.iter().copied().collect(), schools, max_class: 2 }
    }

    #[test]
    fn what_began_and_is_out_of_reach_is_told_as_gone() {
        let held = view(&[1], &["a"]);
        let begun = Begun::between(&held, &view(&[1, 2], &["a", "b"]));
        assert_eq!(begun.end(&view(&[1, 2], &["a", "b"]), None), None);
        let change = begun.end(&held, held.change_to(&held)).unwrap();
        assert_eq!((change.removed_kinds, change.removed_schools), (vec![2], vec!["b".to_owned()]));
        let reset = Some(ScopeChange { reset: true, ..Default::default() });
        assert_eq!(begun.end(&held, reset.clone()), reset);
    }
}
