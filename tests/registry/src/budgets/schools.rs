//! Schools, their work lists and transfers between them.
use super::Paying;
use crate::hub::{COMMUNE, SCHOOL, YEAR, school};
use eduhub_auth::testing::Persona;
use eduhub_proto::{
    common::v1::{CountIssuesRequest, ListIssuesRequest},
    registry::v1::{
        ConvertAdminUnitsRequest, GetSchoolRequest, GetVerificationRequest, ListAdminUnitsRequest,
        ListRegisteredCampusesRequest, ListSchoolsRequest, ListTransfersRequest, RegisterSchoolsRequest,
    },
};
use eduhub_testkit::row;

impl Paying<'_> {
    pub async fn schools(&mut self) {
        let school_code = SCHOOL.to_owned();
        let schools = (2..30).map(|n| school(&format!("3714329{n:04}"), COMMUNE)).collect();
        let register = RegisterSchoolsRequest { schools, ..Default::default() };
        let units = ListAdminUnitsRequest { province_code: "37".into(), ..Default::default() };
        let convert = ConvertAdminUnitsRequest { codes: vec!["14329".into(), "14330".into()] };
        let rows = vec![
            row("SchoolService/GetSchool", 0, &GetSchoolRequest { school_code: school_code.clone() }),
            row("SchoolService/ListSchools", 1, &ListSchoolsRequest::default()),
            row("SchoolService/RegisterSchools", 5, &register),
            row("SchoolService/ListRegisteredCampuses", 1, &ListRegisteredCampusesRequest { school_code }),
            row("SchoolService/ListAdminUnits", 1, &units),
            row("SchoolService/ConvertAdminUnits", 3, &convert),
        ];
        self.all(&Persona::admin(), rows).await;
    }

    pub async fn issues(&mut self) {
        let school_code = SCHOOL.to_owned();
        let list = ListIssuesRequest { school_code: school_code.clone(), ..Default::default() };
        let count = CountIssuesRequest { school_code: school_code.clone() };
        let rows = vec![
            row("IssueService/ListIssues", 1, &list),
            row("IssueService/CountIssues", 1, &count),
            row("IssueService/GetVerification", 4, &GetVerificationRequest { school_code }),
        ];
        self.all(&Persona::vendor(SCHOOL), rows).await;
    }

    pub async fn transfers(&mut self) {
        let asked =
            ListTransfersRequest { school_code: SCHOOL.into(), school_year: YEAR, ..Default::default() };
        let rows = vec![row("EnrolmentService/ListTransfers", 2, &asked)];
        self.all(&Persona::vendor(SCHOOL), rows).await;
    }
}
