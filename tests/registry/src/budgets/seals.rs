//! Seals.
use super::Paying;
use crate::hub::{SCHOOL, YEAR};
use eduhub_auth::testing::Persona;
use eduhub_proto::common::v1::{
    Dataset, DiffSealRequest, GetSealRequest, Kind, ListSealedRequest, SchoolDigestRequest, SealRequest,
};
use eduhub_testkit::row;
use uuid::Uuid;

impl Paying<'_> {
    pub async fn seals(&mut self) {
        let seal_id = Uuid::now_v7().to_string();
        let (school_code, dataset) = (SCHOOL.to_owned(), Dataset::Staff as i32);
        let seal = SealRequest {
            seal_id: seal_id.clone(),
            school_code: school_code.clone(),
            school_year: YEAR,
            dataset,
        };
        let approval = Persona::service("approval");
        self.all(&approval, vec![row("SealService/CreateSeal", 7, &seal)]).await;
        let kind = Kind::Staff as i32;
        let sealed = ListSealedRequest { seal_id: seal_id.clone(), kind, ..Default::default() };
        let rows = vec![
            row("SealService/GetSeal", 1, &GetSealRequest { seal_id: seal_id.clone() }),
            row("SealService/ListSealed", 2, &sealed),
            row("SealService/DiffSeal", 2, &DiffSealRequest { seal_id, ..Default::default() }),
            // One statement for each kind.
            row("SealService/GetSchoolDigest", 13, &SchoolDigestRequest { school_code }),
        ];
        self.all(&Persona::admin(), rows).await;
    }
}
