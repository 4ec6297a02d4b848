//! What each RPC may cost: the number of its statements (beside begin, commit and rollback), for a school that the process
//! knows, whatever the number of records (states that are sealed or digested are read by pages of 2,000). The bill is made
//! twice, with few records and with many, and must be the same.
use crate::{
    hub::{COMMUNE, Hub, SCHOOL, Setup, YEAR},
    make::{self, Wrap, code},
    pushing::{Pushing, batch, end_of, patch, push_one},
    reads::{get, list, name},
};
use eduhub_auth::testing::Persona;
use eduhub_feed::FeedLimits;
use eduhub_proto::{
    common::v1::*,
    registry::v1::{
        code_list_service_client::CodeListServiceClient, enrolment_service_client::EnrolmentServiceClient,
        rule_service_client::RuleServiceClient, *,
    },
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
    time::Duration,
};
use tonic::{Response, Status, Streaming};
use tracing::{
    Event, Subscriber,
    field::{Field, Visit},
    instrument::WithSubscriber,
    span,
};
use tracing_subscriber::{
    Layer,
    filter::LevelFilter,
    layer::{Context, SubscriberExt},
    registry::LookupSpan,
};
use uuid::Uuid;

/// Statement that callers of GetRecord share; it runs for nobody alone.
const SHARED: &str = "as w(school, key)";

/// The statements of the calls, each with the method of its call.
#[derive(Clone, Default)]
struct Ledger(Arc<Mutex<Vec<(String, String)>>>);

struct Method(String);

/// Fields of a span or an event as text.
#[derive(Default)]
struct Fields(BTreeMap<&'static str, String>);

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        self.0.insert(field.name(), format!("{value:?}"));
    }
    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name(), value.to_owned());
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Ledger {
    fn on_new_span(&self, attributes: &span::Attributes<'_>, id: &span::Id, context: Context<'_, S>) {
        if attributes.metadata().name() == "grpc.server" {
            let mut fields = Fields::default();
            attributes.record(&mut fields);
            let method = fields.0.remove("rpc.method").unwrap_or_default();
            context.span(id).unwrap().extensions_mut().insert(Method(method));
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let target = event.metadata().target();
        if target != "sqlx::query" && target != "eduhub_pg::copy" {
            return;
        }
        let mut fields = Fields::default();
        event.record(&mut fields);
        let text = ["db.statement", "summary", "statement"].into_iter().filter_map(|f| fields.0.remove(f));
        let text = text.collect::<Vec<_>>().join(" ");
        let scope = context.event_scope(event);
        let method = scope
            .into_iter()
            .flatten()
            .find_map(|span| span.extensions().get::<Method>().map(|method| method.0.clone()));
        let method = method.or_else(|| text.contains(SHARED).then(|| "GetRecord".to_owned()));
        if let Some(method) = method {
            self.0.lock().unwrap().push((method, text));
        }
    }
}

/// Calls and what they cost.
struct Bill<'h> {
    hub: &'h Hub,
    ledger: Ledger,
    seen: BTreeSet<String>,
    over: Vec<String>,
}

impl Bill<'_> {
    /// One call that must succeed and cost so many statements.
    async fn of<T>(
        &mut self,
        rpc: &str,
        budget: usize,
        call: impl Future<Output = Result<Response<T>, Status>>,
    ) -> T {
        self.ledger.0.lock().unwrap().clear();
        let answer = call.await.unwrap_or_else(|status| panic!("{rpc}: {status:?}"));
        self.charge(rpc, budget);
        answer.into_inner()
    }

    /// What was spent since the ledger was cleared.
    fn charge(&mut self, rpc: &str, budget: usize) {
        let method = rpc.split('/').nth(1).unwrap();
        let spent: Vec<String> = std::mem::take(&mut *self.ledger.0.lock().unwrap())
            .into_iter()
            .filter(|(of, text)| of == method && !["BEGIN", "COMMIT", "ROLLBACK"].contains(&text.trim()))
            .map(|(_, text)| text.split_whitespace().take(14).collect::<Vec<_>>().join(" "))
            .collect();
        if spent.len() != budget {
            self.over.push(format!(
                "{rpc}: {} instead of {budget}\n    {}",
                spent.len(),
                spent.join("\n    ")
            ));
        }
        self.seen.insert(rpc.to_owned());
    }

    async fn records(&mut self) {
        let vendor = Persona::vendor(SCHOOL);
        let mut client = self.hub.records(&vendor);
        let (school_code, kind, record_key) = (SCHOOL.to_owned(), Kind::Pupil as i32, code(1));
        self.of("RecordService/GetRecord", 1, client.get_record(get(Kind::Pupil, &code(1)))).await;
        self.of("RecordService/GetRecord", 0, client.get_record(get(Kind::Pupil, &code(1)))).await;
        let position = GetPositionRequest { school_code: school_code.clone() };
        let position = self.of("RecordService/GetPosition", 2, client.get_position(position)).await.position;
        let as_of = Some(ReadPoint { point: Some(read_point::Point::Position(position)) });
        let then = GetRecordRequest { as_of: as_of.clone(), ..get(Kind::Pupil, &code(1)) };
        self.of("RecordService/GetRecord", 2, client.get_record(then)).await;
        let names = (1..=40).map(|n| name(Kind::Pupil, &code(n)));
        let names = names.chain([name(Kind::Class, "2026/6A1"), name(Kind::Campus, "CS1")]).collect();
        let asked = BatchGetRecordsRequest { school_code: school_code.clone(), names, as_of: None };
        self.of("RecordService/BatchGetRecords", 3, client.batch_get_records(asked)).await;
        let filter = RecordFilter { class_code: "6A1".into(), ..Default::default() };
        self.of("RecordService/ListRecords", 1, client.list_records(list(Kind::Enrolment, filter))).await;
        let then = ListRecordsRequest { as_of, ..list(Kind::Pupil, RecordFilter::default()) };
        self.of("RecordService/ListRecords", 2, client.list_records(then)).await;
        let asked = GetRecordHistoryRequest {
            school_code: school_code.clone(),
            kind,
            record_key,
            ..Default::default()
        };
        self.of("RecordService/GetHistory", 1, client.get_history(asked)).await;
        let by = vec![CountBy::Class as i32, CountBy::Sex as i32];
        let asked =
            CountRecordsRequest { school_code, kind: Kind::Enrolment as i32, by, ..Default::default() };
        self.of("RecordService/CountRecords", 1, client.count_records(asked.clone())).await;
        let everywhere = CountRecordsRequest { school_code: String::new(), ..asked };
        let mut admin = self.hub.records(&Persona::admin());
        self.of("RecordService/CountRecords", 2, admin.count_records(everywhere)).await;
        let asked = SearchRecordsRequest { kind, name: "huong".into(), ..Default::default() };
        self.of("RecordService/SearchRecords", 2, admin.search_records(asked.clone())).await;
        let mut commune = self.hub.records(&Persona::commune_reviewer(COMMUNE));
        self.of("RecordService/SearchRecords", 3, commune.search_records(asked)).await;
    }

    /// Those who ask while a statement runs share the next one, whether for the same record or for others.
    async fn shared(&mut self) {
        for keys in [vec![code(3); 30], (4..=20).map(code).collect::<Vec<_>>()] {
            self.ledger.0.lock().unwrap().clear();
            let client = self.hub.records(&Persona::vendor(SCHOOL));
            let calls = keys.iter().map(|key| {
                let (mut client, asked) = (client.clone(), get(Kind::Pupil, key));
                async move { client.get_record(asked).await.unwrap() }
            });
            assert_eq!(futures::future::join_all(calls).await.len(), keys.len());
            let ledger = self.ledger.0.lock().unwrap();
            let statements = ledger.iter().filter(|(_, text)| text.contains(SHARED)).count();
            assert!((1..=6).contains(&statements), "{statements} statements for {} callers", keys.len());
        }
    }

    async fn schools(&mut self) {
        let mut client = self.hub.schools(&Persona::admin());
        let school_code = SCHOOL.to_owned();
        self.of(
            "SchoolService/GetSchool",
            0,
            client.get_school(GetSchoolRequest { school_code: school_code.clone() }),
        )
        .await;
        self.of("SchoolService/ListSchools", 1, client.list_schools(ListSchoolsRequest::default())).await;
        let schools: Vec<SchoolEntry> =
            (2..30).map(|n| crate::hub::school(&format!("3714329{n:04}"), COMMUNE)).collect();
        let request = RegisterSchoolsRequest { schools, ..Default::default() };
        self.of("SchoolService/RegisterSchools", 5, client.register_schools(request)).await;
        let asked = ListRegisteredCampusesRequest { school_code };
        self.of("SchoolService/ListRegisteredCampuses", 1, client.list_registered_campuses(asked)).await;
        let asked = ListAdminUnitsRequest { province_code: "37".into(), ..Default::default() };
        self.of("SchoolService/ListAdminUnits", 1, client.list_admin_units(asked)).await;
        let asked = ConvertAdminUnitsRequest { codes: vec!["14329".into(), "14330".into()] };
        self.of("SchoolService/ConvertAdminUnits", 3, client.convert_admin_units(asked)).await;
    }

    async fn issues(&mut self) {
        let mut client = self.hub.issues(&Persona::vendor(SCHOOL));
        let school_code = SCHOOL.to_owned();
        let asked = ListIssuesRequest { school_code: school_code.clone(), ..Default::default() };
        self.of("IssueService/ListIssues", 1, client.list_issues(asked)).await;
        let asked = CountIssuesRequest { school_code: school_code.clone() };
        self.of("IssueService/CountIssues", 1, client.count_issues(asked)).await;
        self.of(
            "IssueService/GetVerification",
            4,
            client.get_verification(GetVerificationRequest { school_code }),
        )
        .await;
    }

    async fn seals(&mut self) {
        let seal_id = Uuid::now_v7().to_string();
        let (school_code, dataset) = (SCHOOL.to_owned(), Dataset::Staff as i32);
        let request = SealRequest {
            seal_id: seal_id.clone(),
            school_code: school_code.clone(),
            school_year: YEAR,
            dataset,
        };
        let mut approval = self.hub.seals(&Persona::service("approval"));
        self.of("SealService/CreateSeal", 7, approval.create_seal(request)).await;
        let mut client = self.hub.seals(&Persona::admin());
        self.of("SealService/GetSeal", 1, client.get_seal(GetSealRequest { seal_id: seal_id.clone() })).await;
        let kind = Kind::Staff as i32;
        let asked = ListSealedRequest { seal_id: seal_id.clone(), kind, ..Default::default() };
        self.of("SealService/ListSealed", 2, client.list_sealed(asked)).await;
        let asked = DiffSealRequest { seal_id, ..Default::default() };
        self.of("SealService/DiffSeal", 2, client.diff_seal(asked)).await;
        // One statement for each kind.
        let asked = SchoolDigestRequest { school_code };
        self.of("SealService/GetSchoolDigest", 13, client.get_school_digest(asked)).await;
    }

    async fn lists(&mut self) {
        let mut client = CodeListServiceClient::new(self.hub.channel(&Persona::admin()));
        let list = "DM_LY_DO_THOI_HOC".to_owned();
        let asked = ListCodesRequest { list: list.clone(), ..Default::default() };
        let codes = self.of("CodeListService/ListCodes", 3, client.list_codes(asked)).await.codes;
        let asked = GetCodeListRequest { list: list.clone(), ..Default::default() };
        self.of("CodeListService/GetCodeList", 2, client.get_code_list(asked)).await;
        let asked = ListCodeListVersionsRequest { list: list.clone(), ..Default::default() };
        self.of("CodeListService/ListCodeListVersions", 1, client.list_code_list_versions(asked)).await;
        let mode = CodeListImportMode::Partial as i32;
        let request = ImportCodeListRequest { list: list.clone(), codes, mode, ..Default::default() };
        self.of("CodeListService/ImportCodeList", 4, client.import_code_list(request)).await;
        let entries = vec![CodeMappingEntry { value: "1".into(), code: "01".into() }];
        let (vendor_code, note) = ("VIETTEL".to_owned(), "Bảng mã".to_owned());
        let request =
            SetCodeMappingRequest { vendor_code: vendor_code.clone(), list: list.clone(), entries, note };
        self.of("CodeListService/SetCodeMapping", 6, client.set_code_mapping(request)).await;
        let asked = ListCodeMappingsRequest { vendor_code, list, version: 0 };
        self.of("CodeListService/ListCodeMappings", 1, client.list_code_mappings(asked)).await;
        self.ledger.0.lock().unwrap().clear();
        let asked = WatchCodeListsRequest { lists: vec!["DM_LY_DO_THOI_HOC".into()], ..Default::default() };
        let mut stream = client.watch_code_lists(asked).await.unwrap().into_inner();
        while !stream.message().await.unwrap().unwrap().live {}
        self.charge("CodeListService/WatchCodeLists", 2);
    }

    async fn rules(&mut self) {
        let mut client = RuleServiceClient::new(self.hub.channel(&Persona::admin()));
        let packs =
            self.of("RuleService/ListRulePacks", 2, client.list_rule_packs(ListRulePacksRequest {})).await;
        let version = packs.packs[0].version.clone();
        let asked = TryRulePackRequest {
            version,
            school_year: YEAR,
            school_code: SCHOOL.into(),
            ..Default::default()
        };
        self.of("RuleService/TryRulePack", 38, client.try_rule_pack(asked)).await;
        let pack = RulePack {
            version: "9999.1".into(),
            first_school_year: YEAR + 9,
            valid_from: "2035-09-01".into(),
            note: "Thử".into(),
            ..packs.packs[0].clone()
        };
        let request = PublishRulePackRequest { pack: Some(pack) };
        self.of("RuleService/PublishRulePack", 8, client.publish_rule_pack(request)).await;
    }

    async fn comparing(&mut self) {
        let mut client = self.hub.ingest(&Persona::vendor(SCHOOL));
        let school_code = SCHOOL.to_owned();
        let asked = GetDigestKeyRequest { school_code: school_code.clone() };
        let key_id = self.of("IngestService/GetDigestKey", 0, client.get_digest_key(asked)).await.key_id;
        let asked = GetReceiptKeysRequest {};
        self.of("IngestService/GetReceiptKeys", 0, client.get_receipt_keys(asked)).await;
        let kind = Kind::Enrolment as i32;
        let asked = CompareGroupsRequest {
            school_code: school_code.clone(),
            school_year: YEAR,
            kind,
            key_id: key_id.clone(),
            groups: vec![],
        };
        self.of("IngestService/CompareGroups", 1, client.compare_groups(asked)).await;
        let groups = vec!["6A1".to_owned()];
        let asked =
            CompareRecordsRequest { school_code, school_year: YEAR, kind, key_id, groups, records: vec![] };
        self.of("IngestService/CompareRecords", 1, client.compare_records(asked)).await;
    }

    /// A stream costs at its start and its end, and each batch the same whatever is in it.
    async fn push(&mut self, pupils: u32) {
        let clear = |ledger: &Ledger| ledger.0.lock().unwrap().clear();
        clear(&self.ledger);
        let ingest = self.hub.ingest(&Persona::vendor(SCHOOL));
        let (mut pushing, _) = Pushing::open(ingest, patch(SCHOOL)).await.unwrap();
        self.charge("IngestService/Push", 6);
        let fresh = (100..100 + pupils).map(|n| make::pupil(n).wrap()).collect();
        let batches = vec![batch(1, fresh), batch(2, (1..=pupils).map(|n| make::pupil(n).wrap()).collect())];
        for (one, budget) in batches.iter().zip([13, 7]) {
            clear(&self.ledger);
            pushing.batch(one.clone()).await.unwrap();
            self.charge("IngestService/Push", budget);
        }
        clear(&self.ledger);
        pushing.end(end_of(&batches)).await.unwrap();
        self.charge("IngestService/Push", 12);
    }

    async fn feed(&mut self) {
        self.ledger.0.lock().unwrap().clear();
        let mut client = self.hub.feed(&Persona::consumer());
        let asked = WatchRequest { kinds: vec![Kind::Pupil as i32], ..Default::default() };
        let mut stream = client.watch(asked).await.unwrap().into_inner();
        let cursor = live(&mut stream).await;
        // What a stream shows is read once for all streams, by tasks of their own: see `feed_shared`.
        self.charge("FeedService/Watch", 0);
        let (name, kinds, school_codes) = ("bill".to_owned(), vec![Kind::Pupil as i32], vec![]);
        let request =
            CreateSubscriptionRequest { name: name.clone(), kinds, school_codes, cursor: cursor.clone() };
        self.of("FeedService/CreateSubscription", 5, client.create_subscription(request)).await;
        let named = GetSubscriptionRequest { name: name.clone(), owner: String::new() };
        self.of("FeedService/GetSubscription", 2, client.get_subscription(named)).await;
        let asked = ListSubscriptionsRequest::default();
        self.of("FeedService/ListSubscriptions", 2, client.list_subscriptions(asked)).await;
        let request = AcknowledgeRequest { name: name.clone(), cursor };
        self.of("FeedService/Acknowledge", 5, client.acknowledge(request)).await;
        let request = DeleteSubscriptionRequest { name, owner: String::new() };
        self.of("FeedService/DeleteSubscription", 1, client.delete_subscription(request)).await;
    }

    async fn transfers(&mut self) {
        let mut client = EnrolmentServiceClient::new(self.hub.channel(&Persona::vendor(SCHOOL)));
        let asked =
            ListTransfersRequest { school_code: SCHOOL.into(), school_year: YEAR, ..Default::default() };
        self.of("EnrolmentService/ListTransfers", 2, client.list_transfers(asked)).await;
    }
}

async fn live(stream: &mut Streaming<WatchReply>) -> Vec<u8> {
    loop {
        if let Some(watch_reply::Message::Checkpoint(checkpoint)) =
            stream.message().await.unwrap().unwrap().message
            && checkpoint.live
        {
            return checkpoint.cursor;
        }
    }
}

fn bill(pupils: u32) {
    let ledger = Ledger::default();
    let subscriber = tracing_subscriber::registry().with(ledger.clone().with_filter(LevelFilter::DEBUG));
    // One thread: everything that the service does is told here.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let work = async {
        let feed = FeedLimits { checkpoint: Duration::from_millis(200), ..FeedLimits::default() };
        let hub = Hub::with(Setup { feed, ..Setup::default() }).await;
        let mut all = make::small_school(1..pupils + 1);
        all.extend((1..=pupils).map(|n| make::staff(n).wrap()));
        push_one(&hub, SCHOOL, all).await;
        let mut bill = Bill { hub: &hub, ledger, seen: BTreeSet::new(), over: vec![] };
        bill.records().await;
        bill.shared().await;
        bill.schools().await;
        bill.issues().await;
        bill.seals().await;
        bill.lists().await;
        bill.rules().await;
        bill.comparing().await;
        bill.push(pupils).await;
        bill.feed().await;
        bill.transfers().await;
        let expected: BTreeSet<String> = crate::access::rpcs().map(str::to_owned).collect();
        assert_eq!(bill.seen, expected, "every RPC has its budget");
        assert!(bill.over.is_empty(), "{}", bill.over.join("\n"));
    };
    let _on = tracing::subscriber::set_default(subscriber);
    runtime.block_on(work.with_current_subscriber());
}

#[test]
fn every_rpc_keeps_its_budget_with_a_few_records() {
    bill(20);
}

#[test]
fn every_rpc_keeps_its_budget_with_many_records() {
    bill(600);
}
