//! Records.
use super::{Paying, SHARED};
use crate::{
    hub::{COMMUNE, SCHOOL},
    make::code,
    reads::{get, list, name},
};
use eduhub_auth::testing::Persona;
use eduhub_proto::common::v1::{
    BatchGetRecordsRequest, CountBy, CountRecordsRequest, GetPositionRequest, GetRecordHistoryRequest,
    GetRecordRequest, Kind, ListRecordsRequest, LogPosition, ReadPoint, RecordFilter, SearchRecordsRequest,
    read_point::Point,
};
use eduhub_testkit::row;

impl Paying<'_> {
    pub async fn records(&mut self) {
        let vendor = Persona::vendor(SCHOOL);
        let (school_code, kind, record_key) = (SCHOOL.to_owned(), Kind::Pupil as i32, code(1));
        let one = get(Kind::Pupil, &code(1));
        let fresh = [row("RecordService/GetRecord", 1, &one), row("RecordService/GetRecord", 0, &one)];
        self.all(&vendor, fresh.into()).await;
        let asked = GetPositionRequest { school_code: school_code.clone() };
        let LogPosition { position } = self.one(&vendor, row("RecordService/GetPosition", 2, &asked)).await;
        let as_of = Some(ReadPoint { point: Some(Point::Position(position)) });
        let names = (1..=40).map(|n| name(Kind::Pupil, &code(n)));
        let names = names.chain([name(Kind::Class, "2026/6A1"), name(Kind::Campus, "CS1")]).collect();
        let batch = BatchGetRecordsRequest { school_code: school_code.clone(), names, as_of: None };
        let filter = RecordFilter { class_code: "6A1".into(), ..Default::default() };
        let then = ListRecordsRequest { as_of: as_of.clone(), ..list(Kind::Pupil, RecordFilter::default()) };
        let history = GetRecordHistoryRequest {
            school_code: school_code.clone(),
            kind,
            record_key,
            ..Default::default()
        };
        let by = vec![CountBy::Class as i32, CountBy::Sex as i32];
        let count =
            CountRecordsRequest { school_code, kind: Kind::Enrolment as i32, by, ..Default::default() };
        let rows = vec![
            row("RecordService/GetRecord", 2, &GetRecordRequest { as_of, ..one }),
            row("RecordService/BatchGetRecords", 3, &batch),
            row("RecordService/ListRecords", 1, &list(Kind::Enrolment, filter)),
            row("RecordService/ListRecords", 2, &then),
            row("RecordService/GetHistory", 1, &history),
            row("RecordService/CountRecords", 1, &count),
        ];
        self.all(&vendor, rows).await;
        let everywhere = CountRecordsRequest { school_code: String::new(), ..count };
        let search = SearchRecordsRequest { kind, name: "huong".into(), ..Default::default() };
        let rows = vec![
            row("RecordService/CountRecords", 2, &everywhere),
            row("RecordService/SearchRecords", 2, &search),
        ];
        self.all(&Persona::admin(), rows).await;
        let commune = Persona::commune_reviewer(COMMUNE);
        self.all(&commune, vec![row("RecordService/SearchRecords", 3, &search)]).await;
    }

    /// Those who ask while a statement runs share the next one, whether for the same record or for others.
    pub async fn shared(&mut self) {
        for keys in [vec![code(3); 30], (4..=20).map(code).collect::<Vec<_>>()] {
            self.bill.clear();
            let client = self.hub.records(&Persona::vendor(SCHOOL));
            let calls = keys.iter().map(|key| {
                let (mut client, asked) = (client.clone(), get(Kind::Pupil, key));
                async move { client.get_record(asked).await.unwrap() }
            });
            assert_eq!(futures::future::join_all(calls).await.len(), keys.len());
            let statements = self.bill.statements_with(SHARED);
            assert!((1..=6).contains(&statements), "{statements} statements for {} callers", keys.len());
        }
    }
}
