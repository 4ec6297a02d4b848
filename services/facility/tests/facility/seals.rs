//! Seals: fixed, read exactly while live edits go on, compared.
use crate::lab::{COMMUNE, ELSEWHERE, Lab, SCHOOL, YEAR, refusal};
use crate::pushing::{batch, open, room, taking_away};
use eduhub_auth::testing::Persona;
use eduhub_faults::Reason;
use eduhub_proto::common::v1::{
    DataDomain, Dataset, DiffPage, DiffSealRequest, GetSealRequest, Kind, ListSealedRequest,
    SchoolDigestRequest, Seal, SealRequest, Withdrawal,
};
use eduhub_proto::facility::v1::{Room, record};
use tonic::Code;
use uuid::Uuid;

fn request() -> SealRequest {
    SealRequest {
        seal_id: Uuid::now_v7().to_string(),
        school_code: SCHOOL.to_owned(),
        school_year: YEAR,
        dataset: Dataset::Facilities as i32,
    }
}

impl Lab {
    async fn seal(&self) -> Seal {
        self.seals(&Persona::service("approval")).create_seal(request()).await.unwrap().into_inner()
    }

    /// Differences of a seal, page by page of one.
    async fn diff(&self, seal_id: &str, base: &str) -> DiffPage {
        let mut client = self.seals(&Persona::commune_reviewer(COMMUNE));
        let mut all = DiffPage::default();
        let mut page_token = String::new();
        loop {
            let request = DiffSealRequest {
                seal_id: seal_id.to_owned(),
                base_seal_id: base.to_owned(),
                page_size: 1,
                page_token,
            };
            let page = client.diff_seal(request).await.unwrap().into_inner();
            assert!(page.records.len() <= 1);
            all.records.extend(page.records);
            page_token = page.next_page_token;
            if page_token.is_empty() {
                return all;
            }
        }
    }

    /// Widens P1, takes away P2, adds P3.
    async fn edit(&self) {
        self.pushed(vec![Room { area_m2: 52.0, ..room("P1") }, room("P3")]).await;
        let away = Withdrawal { kind: Kind::Room as i32, record_key: "P2".to_owned() };
        self.push(&Persona::vendor(SCHOOL), open(), vec![taking_away(1, vec![away])]).await.unwrap();
    }
}

#[tokio::test]
async fn a_seal_reads_the_same_whatever_comes_after() {
    let lab = Lab::start().await;
    lab.pushed(vec![room("P1"), room("P2")]).await;
    let seal = lab.seal().await;
    assert_eq!(seal.counts.iter().map(|c| (c.kind(), c.count)).collect::<Vec<_>>(), [(Kind::Room, 2)]);
    assert_eq!((seal.digest.len(), seal.held, seal.open_issues), (32, 0, 0));
    lab.edit().await;

    let mut reviewer = lab.seals(&Persona::commune_reviewer(COMMUNE));
    let list =
        ListSealedRequest { seal_id: seal.seal_id.clone(), kind: Kind::Room as i32, ..Default::default() };
    let page = reviewer.list_sealed(list).await.unwrap().into_inner();
    let rooms: Vec<_> = page.records.into_iter().map(|c| c.record.and_then(|r| r.record).unwrap()).collect();
    assert_eq!(rooms, [record::Record::Room(room("P1")), record::Record::Room(room("P2"))]);
    let again =
        reviewer.get_seal(GetSealRequest { seal_id: seal.seal_id.clone() }).await.unwrap().into_inner();
    assert_eq!(again, seal);
    assert_ne!(lab.seal().await.digest, seal.digest);
}

#[tokio::test]
async fn the_same_id_gives_the_same_seal_and_not_another() {
    let lab = Lab::start().await;
    lab.pushed(vec![room("P1")]).await;
    let mut approval = lab.seals(&Persona::service("approval"));
    let asked = request();
    let first = approval.create_seal(asked.clone()).await.unwrap().into_inner();
    lab.edit().await;
    assert_eq!(approval.create_seal(asked.clone()).await.unwrap().into_inner(), first);
    let other_year = SealRequest { school_year: YEAR - 1, ..asked };
    assert_eq!(refusal(approval.create_seal(other_year).await), (Code::AlreadyExists, Reason::AlreadyExists));
    let pupils = SealRequest { dataset: Dataset::Pupils as i32, ..request() };
    assert_eq!(refusal(approval.create_seal(pupils).await), (Code::InvalidArgument, Reason::InvalidRequest));
    let nowhere = SealRequest { school_code: "37000000009".to_owned(), ..request() };
    assert_eq!(refusal(approval.create_seal(nowhere).await), (Code::NotFound, Reason::SchoolNotFound));
}

#[tokio::test]
async fn differences_are_told_field_by_field() {
    let lab = Lab::start().await;
    lab.pushed(vec![room("P1"), room("P2")]).await;
    let before = lab.seal().await;
    assert!(lab.diff(&before.seal_id, "").await.records.is_empty());
    lab.edit().await;
    let after = lab.seal().await;

    let diff = lab.diff(&after.seal_id, &before.seal_id).await;
    let told: Vec<_> = diff
        .records
        .iter()
        .map(|d| {
            let fields: Vec<_> =
                d.fields.iter().map(|f| (f.field.as_str(), f.before.as_str(), f.after.as_str())).collect();
            (d.header.as_ref().unwrap().record_key.as_str(), d.added, d.removed, fields)
        })
        .collect();
    let expected = [
        ("2026/P1", false, false, vec![("area_m2", "48", "52")]),
        ("2026/P2", false, true, vec![]),
        ("2026/P3", true, false, vec![]),
    ];
    assert_eq!(told, expected);
    assert_eq!(diff.records[0].fields[0].label, "Diện tích");
    // Against the live state, which is the newer seal's: the older one lacks P3 and has P2.
    let live = lab.diff(&before.seal_id, "").await;
    let told: Vec<_> = live.records.iter().map(|d| (d.added, d.removed)).collect();
    assert_eq!(told, [(false, false), (true, false), (false, true)]);
}

#[tokio::test]
async fn a_seal_out_of_reach_looks_like_none() {
    let lab = Lab::start().await;
    lab.pushed(vec![room("P1")]).await;
    let seal = lab.seal().await;
    let get = || GetSealRequest { seal_id: seal.seal_id.clone() };
    let outcome = lab.seals(&Persona::commune_reviewer("14330")).get_seal(get()).await;
    assert_eq!(refusal(outcome), (Code::NotFound, Reason::NotFound));
    let absent = GetSealRequest { seal_id: Uuid::now_v7().to_string() };
    let outcome = lab.seals(&Persona::commune_reviewer("14330")).get_seal(absent).await;
    assert_eq!(refusal(outcome), (Code::NotFound, Reason::NotFound));
    let blind = Persona::commune_reviewer(COMMUNE).domains(&[DataDomain::Pupil]);
    assert_eq!(refusal(lab.seals(&blind).get_seal(get()).await), (Code::PermissionDenied, Reason::Forbidden));
}

#[tokio::test]
async fn a_schools_digest_follows_its_records_and_its_scope() {
    let lab = Lab::start().await;
    lab.pushed(vec![room("P1")]).await;
    let asked = || SchoolDigestRequest { school_code: SCHOOL.to_owned() };
    let mut consumer = lab.seals(&Persona::consumer());
    let first = consumer.get_school_digest(asked()).await.unwrap().into_inner();
    assert_eq!(first.counts.iter().map(|c| c.count).sum::<u64>(), 1);
    lab.pushed(vec![room("P1")]).await;
    assert_eq!(consumer.get_school_digest(asked()).await.unwrap().into_inner(), first);
    lab.push(&Persona::vendor(SCHOOL), open(), vec![batch(1, vec![room("P2")])]).await.unwrap();
    assert_ne!(consumer.get_school_digest(asked()).await.unwrap().into_inner().digest, first.digest);

    let stranger = Persona::vendor(ELSEWHERE);
    let outcome = lab.seals(&stranger).get_school_digest(asked()).await;
    assert_eq!(refusal(outcome), (Code::NotFound, Reason::SchoolNotFound));
    // Without any domain of this service, even for a school in scope.
    for domains in [&[][..], &[DataDomain::Pupil][..]] {
        let outcome = lab.seals(&Persona::consumer().domains(domains)).get_school_digest(asked()).await;
        assert_eq!(refusal(outcome), (Code::PermissionDenied, Reason::Forbidden));
    }
}
