//! Whether two records name the same family.
use eduhub_proto::registry::v1::Pupil;
use eduhub_rules::{fold, written_alike};
use std::collections::BTreeSet;

/// Mother, father and guardian of a pupil, as far as the record has them.
pub struct Family([Option<String>; 3]);

impl Family {
    /// Of a record.
    pub fn of(pupil: Pupil) -> Self {
        Self([pupil.mother_name, pupil.father_name, pupil.guardian_name])
    }

    /// True when they have somebody in common, in whatever role, and nobody speaks against it: one father's name is common enough
    /// that of two children with the same name and birthday each has another mother.
    pub fn may_be(&self, other: &Self) -> bool {
        let contradicts = |pair: (&Option<String>, &Option<String>)| match pair {
            (Some(one), Some(other)) => !written_alike(one, other),
            _ => false,
        };
        !self.names().is_disjoint(&other.names()) && !self.0.iter().zip(&other.0).any(contradicts)
    }

    fn names(&self) -> BTreeSet<String> {
        self.0.iter().flatten().map(|name| fold(name)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn family(mother: &str, father: &str, guardian: &str) -> Family {
        Family([mother, father, guardian].map(|name| Some(name.to_owned()).filter(|name| !name.is_empty())))
    }

    #[test]
    fn one_name_in_common_is_enough_when_nobody_speaks_against_it() {
        let (lan, vinh) = ("Phạm Thị Lan", "Nguyễn Văn Vinh");
        let known = family(lan, vinh, "");
        for alike in [family("Pham Thi Lan", "", ""), family("", "", lan), family("Phạm Thị Lam", vinh, "")]
        {
            assert!(known.may_be(&alike) && alike.may_be(&known));
        }
        let others = [family("Đặng Thị Dung", vinh, ""), family("", "Lê Văn Vinh", ""), family("", "", "")];
        for other in others {
            assert!(!known.may_be(&other) && !other.may_be(&known));
        }
    }
}
