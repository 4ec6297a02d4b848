//! Roles and kinds of principals, as they stand in tokens.
use eduhub_proto::identity::v1 as pb;
use serde::{Deserialize, Serialize};

/// What a principal may do; each RPC names the roles that may call it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Pushes a school's data.
    Vendor,
    /// Follows the feeds.
    Consumer,
    /// Acts for a school.
    SchoolOfficer,
    /// Reviews for a commune.
    CommuneReviewer,
    /// Reviews for a division of the Department.
    DivisionReviewer,
    /// Administers the hub for the Department.
    DepartmentAdmin,
    /// EduHub's own service.
    Service,
}

impl Role {
    /// Every role.
    pub const ALL: [Role; 7] = [
        Role::Vendor,
        Role::Consumer,
        Role::SchoolOfficer,
        Role::CommuneReviewer,
        Role::DivisionReviewer,
        Role::DepartmentAdmin,
        Role::Service,
    ];

    /// Name in tokens and tables, e.g. `school_officer`.
    pub fn name(self) -> &'static str {
        match self {
            Role::Vendor => "vendor",
            Role::Consumer => "consumer",
            Role::SchoolOfficer => "school_officer",
            Role::CommuneReviewer => "commune_reviewer",
            Role::DivisionReviewer => "division_reviewer",
            Role::DepartmentAdmin => "department_admin",
            Role::Service => "service",
        }
    }

    /// The role of a name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.name() == name)
    }

    /// The role as the API writes it.
    pub fn to_proto(self) -> pb::Role {
        match self {
            Role::Vendor => pb::Role::Vendor,
            Role::Consumer => pb::Role::Consumer,
            Role::SchoolOfficer => pb::Role::SchoolOfficer,
            Role::CommuneReviewer => pb::Role::CommuneReviewer,
            Role::DivisionReviewer => pb::Role::DivisionReviewer,
            Role::DepartmentAdmin => pb::Role::DepartmentAdmin,
            Role::Service => pb::Role::Service,
        }
    }

    /// The role that the API names; `None` for unspecified.
    pub fn from_proto(role: pb::Role) -> Option<Self> {
        Self::ALL.into_iter().find(|own| own.to_proto() == role)
    }
}

/// What a principal is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CallerKind {
    /// Program of a vendor or consumer, acting under a grant.
    ApiClient,
    /// Person with an office.
    Officer,
    /// EduHub's own service.
    Service,
}
