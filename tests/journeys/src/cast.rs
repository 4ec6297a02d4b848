//! Who takes part: the Department with the offices that the journeys meet, a school's officer and its vendor, a consumer.
use crate::ground::{Actor, Ground};
use anyhow::Result;
use eduhub_cast::{Client, apply};
use eduhub_cli::generate::School;
use std::collections::HashMap;

/// The Department's administrator and its offices.
pub struct Department {
    pub admin: Actor,
    /// Reviewer of each office: division or commune code.
    pub offices: HashMap<String, Actor>,
    desk: eduhub_cast::Department,
}

impl Department {
    /// Registers the generated schools and appoints a reviewer for each office that the journeys meet.
    pub async fn open(ground: &Ground) -> Result<Self> {
        let desk = eduhub_cast::Department::open(&ground.stack).await?;
        desk.register(&ground.data.province.schools).await?;
        let mut offices = HashMap::new();
        let commune = ground.school(0).commune_code.as_str();
        let divisions =
            ["DIV_PRESCHOOL", "DIV_PRIMARY", "DIV_SECONDARY", "DIV_STUDENT_AFFAIRS", "DIV_FINANCE"];
        for office in divisions.into_iter().chain([commune]) {
            offices.insert(office.to_owned(), desk.reviewer(office).await?);
        }
        Ok(Self { admin: desk.admin.clone(), offices, desk })
    }

    /// The data officer of a school.
    pub async fn officer_of(&self, school: &School) -> Result<Actor> {
        self.desk.officer_of(school).await
    }

    /// The school applies, the division approves, the vendor's client gets its secret.
    pub async fn vendor_of(&self, officer: &Actor, school: &School) -> Result<Client> {
        let grant = apply(officer, &self.offices["DIV_STUDENT_AFFAIRS"], school, ("VIETTEL", "SMAS")).await?;
        self.desk.client(grant).await
    }

    /// A consumer of the whole province, as the operations centre is one.
    pub async fn consumer(&self) -> Result<Client> {
        self.desk.consumer().await
    }
}
