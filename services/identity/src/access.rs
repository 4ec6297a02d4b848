//! Who decides about access, and what a caller may see of applications and grants.
use eduhub_auth::{Caller, Role};
use eduhub_faults::{Fault, Reason};
use uuid::Uuid;

/// The division that opens API access (domain A-3).
pub const STUDENT_AFFAIRS: &str = "DIV_STUDENT_AFFAIRS";

/// Requires an administrator, or a reviewer of the Student Affairs Division: other divisions review data, not access.
///
/// # Errors
/// PERMISSION_DENIED/FORBIDDEN.
pub fn require_decider(caller: &Caller) -> Result<(), Fault> {
    let division = caller.has_role(Role::DivisionReviewer) && caller.has_office(STUDENT_AFFAIRS);
    if division || caller.has_role(Role::DepartmentAdmin) {
        Ok(())
    } else {
        Err(Fault::new(Reason::Forbidden))
    }
}

/// The part of a list that a caller may see; the rest does not exist for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sight {
    /// All.
    pub province: bool,
    /// What is about schools of these communes.
    pub communes: Vec<String>,
    /// What is about these schools.
    pub schools: Vec<String>,
    /// This grant, whatever it is about: an API client sees its own and no other.
    pub grant: Option<Uuid>,
}

impl Sight {
    /// What `caller` may see.
    pub fn of(caller: &Caller) -> Self {
        if let Some(grant) = caller.grant {
            return Self { province: false, communes: Vec::new(), schools: Vec::new(), grant: Some(grant) };
        }
        Self {
            province: caller.scope.province,
            communes: caller.scope.communes.iter().cloned().collect(),
            schools: caller.scope.schools.iter().cloned().collect(),
            grant: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use eduhub_auth::Scope;
    use eduhub_auth::testing::Persona;

    #[test]
    fn only_student_affairs_and_administrators_decide() {
        assert!(require_decider(&Persona::admin().caller()).is_ok());
        assert!(require_decider(&Persona::division_reviewer(STUDENT_AFFAIRS).caller()).is_ok());
        assert!(require_decider(&Persona::division_reviewer("DIV_SECONDARY").caller()).is_err());
        let odd = Persona::new(Role::CommuneReviewer, Scope::province()).office(STUDENT_AFFAIRS);
        assert!(require_decider(&odd.caller()).is_err(), "the office alone decides nothing");
    }

    #[test]
    fn a_client_sees_its_own_grant_only() {
        let persona = Persona::consumer();
        let sight = Sight::of(&persona.caller());
        assert_eq!(
            sight,
            Sight { province: false, communes: vec![], schools: vec![], grant: persona.0.grant }
        );
    }
}
