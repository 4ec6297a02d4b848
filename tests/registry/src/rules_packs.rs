//! Packs of rules: which holds, and what one to come would find.
use crate::{
    hub::{Hub, OTHER, SCHOOL, YEAR},
    make::{self, Wrap},
    pushing::{counted, findings, push_one, refusal},
};
use eduhub_auth::testing::Persona;
use eduhub_faults::Reason;
use eduhub_proto::{
    common::v1::{DataDomain, Kind, Severity},
    registry::v1::{
        ListRulePacksRequest, PublishRulePackRequest, Pupil, RulePack, RuleSetting, RuleStrength,
        TryRulePackRequest, TryRulePackResponse, rule_service_client::RuleServiceClient,
    },
};
use tonic::Code;

fn client(hub: &Hub, persona: &Persona) -> RuleServiceClient<eduhub_testkit::BearerChannel> {
    RuleServiceClient::new(hub.channel(persona))
}

fn setting(rule: &str, strength: RuleStrength) -> RuleSetting {
    RuleSetting { rule: rule.into(), strength: strength as i32, ..RuleSetting::default() }
}

/// A pack of next August in which the tuition flags refuse and nothing else is looked at.
fn strict() -> RulePack {
    RulePack {
        version: "2027.1".into(),
        first_school_year: 2026,
        valid_from: "2027-08-01".into(),
        note: "Thử nghiệm".into(),
        rules: vec![
            setting("pupil.tuition", RuleStrength::Error),
            setting("class.size", RuleStrength::Warning),
        ],
        ..RulePack::default()
    }
}

async fn publish(hub: &Hub, pack: RulePack) -> Result<RulePack, tonic::Status> {
    let request = PublishRulePackRequest { pack: Some(pack) };
    client(hub, &Persona::admin()).publish_rule_pack(request).await.map(tonic::Response::into_inner)
}

fn both(n: u32) -> Pupil {
    Pupil { tuition_exempt: Some(true), tuition_reduced: Some(true), ..make::pupil(n) }
}

async fn tried(hub: &Hub, persona: &Persona, request: TryRulePackRequest) -> TryRulePackResponse {
    client(hub, persona).try_rule_pack(request).await.unwrap().into_inner()
}

fn trial(school: &str) -> TryRulePackRequest {
    TryRulePackRequest {
        version: "2027.1".into(),
        school_year: YEAR,
        school_code: school.into(),
        ..Default::default()
    }
}

#[tokio::test]
async fn a_pack_holds_from_its_first_day() {
    let hub = Hub::start().await;
    let packs = async || {
        let listed = client(&hub, &Persona::vendor(SCHOOL)).list_rule_packs(ListRulePacksRequest {}).await;
        let packs = listed.unwrap().into_inner().packs;
        packs.into_iter().map(|p| (p.version, p.in_force, p.rules.len())).collect::<Vec<_>>()
    };
    let first = packs().await;
    let shown: Vec<_> = first.iter().map(|p| (p.0.as_str(), p.1)).collect();
    assert_eq!(shown, [("2026.2", true), ("2026.1", false)], "of two that came with the hub the later holds");
    let stored = publish(&hub, strict()).await.unwrap();
    assert_eq!((stored.in_force, stored.rules.len()), (false, 2));
    assert_eq!(publish(&hub, strict()).await.unwrap(), stored, "the same again");
    assert_eq!(packs().await[0], ("2027.1".to_owned(), false, 2));
    // Today, 22 November 2026, the first pack still holds: a warning, not an error.
    let reply = push_one(&hub, SCHOOL, vec![both(1).wrap()]).await;
    assert_eq!(findings(&reply), [(Reason::Contradiction, "tuition_reduced".to_owned())]);
    assert_eq!(counted(&reply.counts), [1, 0, 0, 0, 0, 0, 0, 1]);
}

#[tokio::test]
async fn the_pack_in_force_decides_what_refuses() {
    let sql = "insert into rule_pack (version, first_school_year, valid_from, note, published_by)
         values ('2026.3', 2026, '2026-11-01', '', 'test');
         insert into rule_pack_rule (version, rule, severity, valid_from) values
         ('2026.3', 'pupil.tuition', 'error', null), ('2026.3', 'pupil.parent_birth_year', 'warning', '2026-12-01')";
    let hub = Hub::with(crate::hub::Setup { before: vec![sql.into()], ..Default::default() }).await;
    let reply = push_one(&hub, SCHOOL, vec![both(1).wrap()]).await;
    assert_eq!(counted(&reply.counts), [0, 0, 0, 1, 0, 0, 0, 0]);
    // A rule of the pack whose own day has not come, and one that it does not name.
    let young = Pupil { mother_birth_year: Some(2014), ..make::pupil(2) };
    assert_eq!(findings(&push_one(&hub, SCHOOL, vec![young.wrap()]).await), []);
    let mut twice = make::small_school(3..4);
    twice.extend([
        make::class("6A2").wrap(),
        eduhub_proto::registry::v1::Enrolment { enrolment_id: "QT9".into(), ..make::enrolment(3, "6A2") }
            .wrap(),
    ]);
    assert_eq!(findings(&push_one(&hub, SCHOOL, twice).await), [], "double enrolments are off");
}

#[tokio::test]
async fn mistakes_of_a_pack_are_told_at_once() {
    let hub = Hub::start().await;
    for wrong in [
        RulePack { version: "next".into(), ..strict() },
        RulePack { valid_from: "2026-11-22".into(), ..strict() },
        RulePack { rules: vec![], ..strict() },
        RulePack { rules: vec![setting("pupil.tution", RuleStrength::Error)], ..strict() },
        RulePack { rules: vec![setting("class.size", RuleStrength::Error)], ..strict() },
        RulePack { rules: vec![setting("pupil.tuition", RuleStrength::Unspecified)], ..strict() },
        RulePack { rules: vec![setting("pupil.tuition", RuleStrength::Off); 2], ..strict() },
    ] {
        assert_eq!(
            refusal(publish(&hub, wrong.clone()).await),
            (Code::InvalidArgument, Reason::InvalidRequest),
            "{wrong:?}"
        );
    }
    publish(&hub, strict()).await.unwrap();
    let other = RulePack { note: "khác".into(), ..strict() };
    assert_eq!(refusal(publish(&hub, other).await), (Code::AlreadyExists, Reason::AlreadyExists));
}

#[tokio::test]
async fn a_trial_counts_who_would_fail_and_changes_nothing() {
    let hub = Hub::start().await;
    publish(&hub, strict()).await.unwrap();
    let mut all = make::small_school(1..57);
    all.extend((60..75).map(|n| both(n).wrap()));
    push_one(&hub, SCHOOL, all).await;
    push_one(&hub, OTHER, vec![both(80).wrap(), make::pupil(81).wrap()]).await;
    let rows = hub.rows().await;
    let issues = hub.count_of("data_issue").await;
    let log = hub.count_of("change_log").await;

    let found = tried(&hub, &Persona::admin(), trial("")).await;
    let seen: Vec<_> = found
        .counts
        .iter()
        .map(|c| (c.school_code.as_str(), c.kind(), c.reason(), c.severity(), c.records, c.examples.len()))
        .collect();
    // The class of 56 is found by both packs: nothing new.
    let tuition = (Kind::Pupil, Reason::Contradiction, Severity::Error);
    assert_eq!(
        seen,
        [(SCHOOL, tuition.0, tuition.1, tuition.2, 15, 10), (OTHER, tuition.0, tuition.1, tuition.2, 1, 1)]
    );
    assert_eq!(found.counts[0].examples[0], "HS000060");
    assert_eq!((found.schools, found.next_page_token.as_str()), (2, ""));
    assert_eq!(found.records, 114 + 15 + 2, "campus, class, 56 pupils and enrolments; 15 more; 2 there");

    let page = tried(&hub, &Persona::admin(), TryRulePackRequest { page_size: 1, ..trial("") }).await;
    assert_eq!((page.schools, page.counts.len()), (1, 1));
    let request = TryRulePackRequest { page_size: 1, page_token: page.next_page_token, ..trial("") };
    let second = tried(&hub, &Persona::admin(), request).await;
    assert_eq!(second.counts[0].school_code, OTHER);

    assert_eq!(hub.rows().await, rows);
    assert_eq!((hub.count_of("data_issue").await, hub.count_of("change_log").await), (issues, log));
}

#[tokio::test]
async fn a_trial_says_what_rules_over_stored_data_would_find() {
    // In force: nothing. The first pack is the one that is tried.
    let sql = "insert into rule_pack (version, first_school_year, valid_from, note, published_by)
         values ('2026.3', 2026, '2026-11-01', '', 'test')";
    let hub = Hub::with(crate::hub::Setup { before: vec![sql.into()], ..Default::default() }).await;
    push_one(&hub, SCHOOL, make::small_school(1..57)).await;
    let request = TryRulePackRequest { version: "2026.1".into(), ..trial(SCHOOL) };
    let found = tried(&hub, &Persona::vendor(SCHOOL), request).await;
    let seen: Vec<_> =
        found.counts.iter().map(|c| (c.kind(), c.reason(), c.records, c.examples.clone())).collect();
    assert_eq!(seen, [(Kind::Class, Reason::ClassSize, 1, vec!["2026/6A1".to_owned()])]);
}

#[tokio::test]
async fn a_trial_sees_what_its_caller_may_see() {
    let hub = Hub::start().await;
    publish(&hub, strict()).await.unwrap();
    push_one(&hub, SCHOOL, vec![both(1).wrap()]).await;
    push_one(&hub, OTHER, vec![both(1).wrap()]).await;
    let own = tried(&hub, &Persona::vendor(SCHOOL), trial("")).await;
    assert_eq!(own.counts.iter().map(|c| c.school_code.as_str()).collect::<Vec<_>>(), [SCHOOL]);
    let staff = tried(&hub, &Persona::vendor(SCHOOL).domains(&[DataDomain::Staff]), trial(SCHOOL)).await;
    assert_eq!((staff.counts.len(), staff.records), (0, 0));
    let foreign = client(&hub, &Persona::vendor(SCHOOL)).try_rule_pack(trial(OTHER)).await;
    assert_eq!(refusal(foreign), (Code::NotFound, Reason::SchoolNotFound));
    let unknown = TryRulePackRequest { version: "1999.1".into(), ..trial(SCHOOL) };
    let unknown = client(&hub, &Persona::vendor(SCHOOL)).try_rule_pack(unknown).await;
    assert_eq!(refusal(unknown), (Code::NotFound, Reason::NotFound));
}
