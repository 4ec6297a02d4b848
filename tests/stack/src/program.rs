use std::fmt;

/// One program of the stack.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Program {
    /// Principals, grants, tokens, verification of ID numbers.
    Identity,
    /// Schools, pupils, staff, results and their change log.
    Registry,
    /// Rooms and equipment.
    Facility,
    /// Seals and decisions.
    Approval,
    /// The way up to the Ministry.
    Bridge,
    /// The Ministry's system and the national population database, simulated.
    Simulators,
}

impl Program {
    /// The five services: each has a role and a schema in the database.
    pub const SERVICES: [Self; 5] =
        [Self::Identity, Self::Registry, Self::Facility, Self::Approval, Self::Bridge];

    /// Everything that is started.
    pub const ALL: [Self; 6] =
        [Self::Identity, Self::Registry, Self::Facility, Self::Approval, Self::Bridge, Self::Simulators];

    /// Short name: of the schema, the log file, the service in `EDUHUB_<NAME>_URL`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Identity => "identity",
            Self::Registry => "registry",
            Self::Facility => "facility",
            Self::Approval => "approval",
            Self::Bridge => "bridge",
            Self::Simulators => "simulators",
        }
    }

    /// Name of the executable, and of the program in its ready line.
    pub const fn binary(self) -> &'static str {
        match self {
            Self::Identity => "eduhub-identity",
            Self::Registry => "eduhub-registry",
            Self::Facility => "eduhub-facility",
            Self::Approval => "eduhub-approval",
            Self::Bridge => "eduhub-ministry-bridge",
            Self::Simulators => "eduhub-simulators",
        }
    }

    /// Whether it is one of EduHub's own services.
    pub const fn is_service(self) -> bool {
        !matches!(self, Self::Simulators)
    }
}

impl fmt::Display for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
