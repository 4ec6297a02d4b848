//! Counts by class, grade, sex, ethnicity, status and school.
use crate::{
    hub::{COMMUNE, Hub, OTHER, SCHOOL},
    make,
    pushing::{push_one, refusal, withdraw_one},
    reads::{two_classes, violations},
};
use eduhub_auth::testing::Persona;
use eduhub_faults::Reason;
use eduhub_proto::common::v1::{
    CountBy, CountRecordsRequest, CountRecordsResponse, DataDomain, Kind, RecordFilter, Sensitivity,
};
use tonic::{Code, Status};

async fn count(
    hub: &Hub,
    persona: &Persona,
    school: &str,
    kind: Kind,
    by: &[CountBy],
    filter: RecordFilter,
) -> Result<CountRecordsResponse, Status> {
    let request = CountRecordsRequest {
        school_code: school.into(),
        kind: kind as i32,
        filter: Some(filter),
        by: by.iter().map(|by| *by as i32).collect(),
    };
    Ok(hub.records(persona).count_records(request).await?.into_inner())
}

/// Counts as `7A1,1=3`.
fn told(response: &CountRecordsResponse) -> Vec<String> {
    response.counts.iter().map(|c| format!("{}={}", c.values.join(","), c.count)).collect()
}

#[tokio::test]
async fn counts_are_by_columns_of_the_record_and_of_its_pupil() {
    let hub = Hub::start().await;
    two_classes(&hub).await;
    use CountBy::{Class, Ethnicity, Grade, SchoolYear, Sex, Status};
    let vendor = Persona::vendor(SCHOOL);
    let all = RecordFilter::default;
    for (kind, by, filter, expected) in [
        (Kind::Pupil, vec![], all(), vec!["=6"]),
        (Kind::Pupil, vec![Sex], all(), vec!["1=3", "2=3"]),
        (Kind::Pupil, vec![Ethnicity, Sex], all(), vec!["01,2=3", "02,1=3"]),
        (Kind::Enrolment, vec![Class, Status], all(), vec!["6A1,01=3", "7A1,01=2", "7A1,05=1"]),
        (Kind::Enrolment, vec![Grade, Sex, Ethnicity], all(), vec!["6,2,01=3", "7,1,02=3"]),
        (
            Kind::Enrolment,
            vec![SchoolYear],
            RecordFilter { sex: "1".into(), status: "01".into(), ..all() },
            vec!["2026=2"],
        ),
        (Kind::Class, vec![Grade], RecordFilter { school_year: 2026, ..all() }, vec!["6=1", "7=1"]),
        (Kind::Enrolment, vec![Class], RecordFilter { school_year: 2025, ..all() }, vec![]),
    ] {
        let response = count(&hub, &vendor, SCHOOL, kind, &by, filter.clone()).await.unwrap();
        assert_eq!(told(&response), expected, "{kind:?} by {by:?} {filter:?}");
        assert_eq!(response.total, response.counts.iter().map(|c| c.count).sum::<u64>());
    }
    withdraw_one(&hub, SCHOOL, vec![make::withdrawal(Kind::Enrolment, "QT000001")]).await;
    let response = count(&hub, &vendor, SCHOOL, Kind::Enrolment, &[Class], all()).await.unwrap();
    assert_eq!(told(&response), ["6A1=2", "7A1=3"]);
}

#[tokio::test]
async fn counts_without_a_school_are_of_the_callers_scope() {
    let hub = Hub::start().await;
    two_classes(&hub).await;
    push_one(&hub, OTHER, make::small_school(11..14)).await;
    let by = [CountBy::School];
    for (persona, expected) in [
        (Persona::admin(), vec![format!("{SCHOOL}=6"), format!("{OTHER}=3")]),
        (Persona::commune_reviewer(COMMUNE), vec![format!("{SCHOOL}=6")]),
        (Persona::vendor(OTHER), vec![format!("{OTHER}=3")]),
        (Persona::commune_reviewer("99999"), vec![]),
    ] {
        let response = count(&hub, &persona, "", Kind::Pupil, &by, RecordFilter::default()).await.unwrap();
        assert_eq!(told(&response), expected, "{persona:?}");
    }
    let outcome =
        count(&hub, &Persona::vendor(OTHER), SCHOOL, Kind::Pupil, &by, RecordFilter::default()).await;
    assert_eq!(refusal(outcome), (Code::NotFound, Reason::SchoolNotFound));
}

#[tokio::test]
async fn nobody_counts_by_what_it_may_not_see() {
    let hub = Hub::start().await;
    two_classes(&hub).await;
    let denied = (Code::PermissionDenied, Reason::Forbidden);
    let basic = Persona::vendor(SCHOOL).max_class(Sensitivity::Basic);
    let none = RecordFilter::default;
    for kind in [Kind::Pupil, Kind::Enrolment] {
        for school in [SCHOOL, ""] {
            let by = count(&hub, &basic, school, kind, &[CountBy::Ethnicity], none()).await;
            assert_eq!(refusal(by), denied, "{kind:?} in {school:?}");
            let filter = RecordFilter { ethnicity: "02".into(), ..none() };
            assert_eq!(refusal(count(&hub, &basic, school, kind, &[], filter).await), denied);
        }
    }
    let sex = count(&hub, &basic, SCHOOL, Kind::Enrolment, &[CountBy::Sex], none()).await.unwrap();
    assert_eq!(told(&sex), ["1=3", "2=3"]);
    // Results are another domain than the pupils whose sex they would be counted by.
    let results = Persona::vendor(SCHOOL).domains(&[DataDomain::Result]);
    let by = count(&hub, &results, SCHOOL, Kind::TermResult, &[CountBy::Sex], none()).await;
    assert_eq!(refusal(by), denied);
    assert!(count(&hub, &results, SCHOOL, Kind::TermResult, &[CountBy::Class], none()).await.is_ok());
    assert_eq!(refusal(count(&hub, &results, "", Kind::Pupil, &[], none()).await), denied);
}

#[tokio::test]
async fn what_can_not_be_counted_by_is_refused_by_name() {
    let hub = Hub::start().await;
    let vendor = Persona::vendor(SCHOOL);
    use CountBy::{Class, Grade, RoomType, School, SchoolYear, Sex};
    for (kind, by, filter, expected) in [
        (Kind::Pupil, vec![Sex, Class, RoomType], RecordFilter::default(), vec!["by[1]", "by[2]"]),
        (Kind::Pupil, vec![SchoolYear], RecordFilter::default(), vec!["by[0]"]),
        (Kind::Pupil, vec![], RecordFilter { grade: "6".into(), ..Default::default() }, vec!["filter.grade"]),
        (Kind::Enrolment, vec![Class, Grade, Sex, School], RecordFilter::default(), vec!["by"]),
        (Kind::Enrolment, vec![Class, Class], RecordFilter::default(), vec!["by"]),
    ] {
        let refused = count(&hub, &vendor, SCHOOL, kind, &by, filter).await.unwrap_err();
        assert_eq!(
            (refused.code(), violations(&refused)),
            (Code::InvalidArgument, expected.iter().map(|s| (*s).to_owned()).collect()),
            "{kind:?} {by:?}"
        );
    }
}
