//! What makes an officer.
use crate::check::{Check, is_commune, is_school};
use crate::wire::scope_in;
use eduhub_auth::{Role, Scope};
use eduhub_faults::{Fault, Reason};
use eduhub_proto::common::v1::{DataDomain, Sensitivity};
use eduhub_proto::identity::v1::{self as pb, CreateOfficerRequest};
use secrecy::SecretString;
use time::Date;

/// Kind of a principal; the numbers are those in the database and in the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Program of a vendor or consumer.
    ApiClient = 1,
    /// Person with an office.
    Officer = 2,
    /// EduHub's own service.
    Service = 3,
}

/// An officer that may be created.
pub struct NewOfficer {
    /// User name.
    pub login: String,
    /// Full name.
    pub name: String,
    /// Role.
    pub role: Role,
    /// Division or commune.
    pub office: Option<String>,
    /// Schools in reach.
    pub scope: Scope,
    /// Data domains.
    pub domains: Vec<DataDomain>,
    /// Highest class of fields.
    pub max_class: Sensitivity,
    /// Password that the creator chose.
    pub password: Option<SecretString>,
}

/// Every data domain.
pub fn all_domains() -> Vec<DataDomain> {
    (1..).map_while(|number| DataDomain::try_from(number).ok()).collect()
}

impl NewOfficer {
    /// Parses a request.
    ///
    /// # Errors
    /// INVALID_ARGUMENT/INVALID_REQUEST with every violation.
    pub fn parse(request: CreateOfficerRequest, today: Date) -> Result<Self, Fault> {
        let mut check = Check::new(today);
        check.shape("user_name", &request.user_name, is_user_name(&request.user_name));
        check.person("name", &request.name);
        let role = pb::Role::try_from(request.role).ok().and_then(Role::from_proto);
        if request.role == 0 {
            check.refuse("role", Reason::Missing);
        }
        let scope = scope_in(request.scope.unwrap_or_default());
        let scope = role.map(|role| reach(&mut check, role, &request.office, scope)).unwrap_or_default();
        let mut domains = check.domains("domains", &request.domains, true);
        if domains.is_empty() {
            domains = all_domains();
        }
        let max_class = check.class("max_class", request.max_class, Some(Sensitivity::Sensitive));
        let chars = request.password.chars().count();
        let good = request.password.is_empty() || (12..=128).contains(&chars);
        check.require(good, "password", Reason::TooShort);
        check.finish()?;
        let role = role.ok_or_else(|| Fault::invalid("role", "UNKNOWN_CODE"))?;
        let office = (!request.office.is_empty()).then_some(request.office);
        let password = (!request.password.is_empty()).then(|| request.password.into());
        Ok(Self {
            login: request.user_name,
            name: request.name,
            role,
            office,
            scope,
            domains,
            max_class,
            password,
        })
    }
}

/// Checks office and scope by role, and fills in the scope that goes without saying.
fn reach(check: &mut Check, role: Role, office: &str, scope: Scope) -> Scope {
    check.require(scope.communes.iter().all(|code| is_commune(code)), "scope.communes", Reason::BadFormat);
    check.require(scope.schools.iter().all(|code| is_school(code)), "scope.schools", Reason::BadFormat);
    match role {
        Role::SchoolOfficer => {
            let only_schools = !scope.province && scope.communes.is_empty();
            check.require(!scope.schools.is_empty(), "scope.schools", Reason::Missing);
            check.require(only_schools, "scope", Reason::OutOfRange);
        }
        Role::CommuneReviewer => {
            check.shape("office", office, is_commune(office));
            check.require(!scope.province, "scope.province", Reason::OutOfRange);
            if scope.is_empty() {
                return Scope::commune(office);
            }
        }
        Role::DivisionReviewer => check.shape("office", office, is_division(office)),
        Role::DepartmentAdmin => {}
        Role::Vendor | Role::Consumer | Role::Service => check.refuse("role", Reason::OutOfRange),
    }
    let whole = matches!(role, Role::DivisionReviewer | Role::DepartmentAdmin) && scope.is_empty();
    if whole { Scope::province() } else { scope }
}

fn is_user_name(text: &str) -> bool {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b".-_".contains(&b);
    (3..=50).contains(&text.len()) && text.bytes().all(plain)
}

fn is_division(code: &str) -> bool {
    let rest = code.strip_prefix("DIV_").unwrap_or_default();
    (2..=40).contains(&rest.len()) && rest.bytes().all(|b| b.is_ascii_uppercase() || b == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::date;

    fn request(role: pb::Role, office: &str, scope: Scope) -> CreateOfficerRequest {
        CreateOfficerRequest {
            user_name: "nguyen.huong".into(),
            name: "Nguyễn Thị Hương".into(),
            role: role as i32,
            office: office.into(),
            scope: Some(crate::wire::scope_out(&scope)),
            ..CreateOfficerRequest::default()
        }
    }

    fn parse(role: pb::Role, office: &str, scope: Scope) -> Result<NewOfficer, Fault> {
        NewOfficer::parse(request(role, office, scope), date!(2026 - 11 - 22))
    }

    #[test]
    fn each_role_has_its_own_reach() {
        let school = parse(pb::Role::SchoolOfficer, "", Scope::school("37000001")).unwrap();
        assert_eq!(school.scope, Scope::school("37000001"));
        assert_eq!(
            parse(pb::Role::CommuneReviewer, "14329", Scope::default()).unwrap().scope,
            Scope::commune("14329")
        );
        let division = parse(pb::Role::DivisionReviewer, "DIV_STUDENT_AFFAIRS", Scope::default()).unwrap();
        assert_eq!(division.scope, Scope::province());
        assert_eq!(division.domains.len(), 6);

        assert!(parse(pb::Role::SchoolOfficer, "", Scope::default()).is_err());
        assert!(parse(pb::Role::SchoolOfficer, "", Scope::province()).is_err());
        assert!(parse(pb::Role::CommuneReviewer, "", Scope::default()).is_err());
        assert!(parse(pb::Role::CommuneReviewer, "14329", Scope::province()).is_err());
        assert!(parse(pb::Role::DivisionReviewer, "Secondary", Scope::default()).is_err());
        for role in [pb::Role::Vendor, pb::Role::Consumer, pb::Role::Service, pb::Role::Unspecified] {
            assert!(parse(role, "", Scope::school("37000001")).is_err(), "{role:?} is no officer");
        }
    }

    #[test]
    fn passwords_are_long() {
        let mut short = request(pb::Role::DepartmentAdmin, "", Scope::default());
        short.password = "11-letters!".into();
        assert!(NewOfficer::parse(short.clone(), date!(2026 - 11 - 22)).is_err());
        short.password.push('!');
        assert!(NewOfficer::parse(short, date!(2026 - 11 - 22)).is_ok());
    }
}
