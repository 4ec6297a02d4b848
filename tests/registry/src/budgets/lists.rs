//! Code lists and packs of rules.
use super::Paying;
use crate::hub::{SCHOOL, YEAR};
use eduhub_auth::testing::Persona;
use eduhub_proto::registry::v1::{
    CodeListImportMode, CodeMappingEntry, GetCodeListRequest, ImportCodeListRequest,
    ListCodeListVersionsRequest, ListCodeMappingsRequest, ListCodesRequest, ListCodesResponse,
    ListRulePacksRequest, ListRulePacksResponse, PublishRulePackRequest, RulePack, SetCodeMappingRequest,
    TryRulePackRequest, WatchCodeListsRequest, code_list_service_client::CodeListServiceClient,
};
use eduhub_testkit::row;

impl Paying<'_> {
    pub async fn lists(&mut self) {
        let admin = Persona::admin();
        let list = "DM_LY_DO_THOI_HOC".to_owned();
        let asked = ListCodesRequest { list: list.clone(), ..Default::default() };
        let codes: ListCodesResponse = self.one(&admin, row("CodeListService/ListCodes", 3, &asked)).await;
        let import = ImportCodeListRequest {
            list: list.clone(),
            codes: codes.codes,
            mode: CodeListImportMode::Partial as i32,
            ..Default::default()
        };
        let vendor_code = "VIETTEL".to_owned();
        let set = SetCodeMappingRequest {
            vendor_code: vendor_code.clone(),
            list: list.clone(),
            entries: vec![CodeMappingEntry { value: "1".into(), code: "01".into() }],
            note: "Bảng mã".into(),
        };
        let get = GetCodeListRequest { list: list.clone(), ..Default::default() };
        let versions = ListCodeListVersionsRequest { list: list.clone(), ..Default::default() };
        let mappings = ListCodeMappingsRequest { vendor_code, list: list.clone(), version: 0 };
        let rows = vec![
            row("CodeListService/GetCodeList", 2, &get),
            row("CodeListService/ListCodeListVersions", 1, &versions),
            row("CodeListService/ImportCodeList", 4, &import),
            row("CodeListService/SetCodeMapping", 6, &set),
            row("CodeListService/ListCodeMappings", 1, &mappings),
        ];
        self.all(&admin, rows).await;
        self.bill.clear();
        let mut client = CodeListServiceClient::new(self.hub.channel(&admin));
        let asked = WatchCodeListsRequest { lists: vec![list], ..Default::default() };
        let mut stream = client.watch_code_lists(asked).await.unwrap().into_inner();
        while !stream.message().await.unwrap().unwrap().live {}
        self.bill.charge("CodeListService/WatchCodeLists", 2);
    }

    pub async fn rules(&mut self) {
        let admin = Persona::admin();
        let asked = row("RuleService/ListRulePacks", 2, &ListRulePacksRequest {});
        let packs: ListRulePacksResponse = self.one(&admin, asked).await;
        let tried = TryRulePackRequest {
            version: packs.packs[0].version.clone(),
            school_year: YEAR,
            school_code: SCHOOL.into(),
            ..Default::default()
        };
        let pack = RulePack {
            version: "9999.1".into(),
            first_school_year: YEAR + 9,
            valid_from: "2035-09-01".into(),
            note: "Thử".into(),
            ..packs.packs[0].clone()
        };
        let rows = vec![
            row("RuleService/TryRulePack", 38, &tried),
            row("RuleService/PublishRulePack", 8, &PublishRulePackRequest { pack: Some(pack) }),
        ];
        self.all(&admin, rows).await;
    }
}
