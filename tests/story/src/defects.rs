//! `--defects-only`: the planted defects by kind, at any size: everything is pushed, and what the hub has on its work lists is
//! compared with what was planted. No cuts, no review, no Ministry, no copies.
use crate::{
    Args, act,
    figures::{Figures, frame},
    people,
    push::{self, Cargo},
    stage::Stage,
    truth::{Finding, finding, findings_of},
};
use anyhow::{Context, Result};
use eduhub_cli::generate::School;
use eduhub_proto::{
    common::v1::{Kind, ListIssuesRequest, Reason},
    registry::v1::issue_service_client::IssueServiceClient,
};
use eduhub_stack::Program;
use futures::{StreamExt, TryStreamExt, stream};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

/// Vendors that push at the same time, and officers who read their lists.
const AT_ONCE: usize = 8;
/// Issues in a page of a work list.
const PAGE: i32 = 1_000;
/// Longest wait until a school's persons were verified: the whole province stands in one queue.
const PATIENCE: Duration = Duration::from_secs(3 * 3600);

/// What became of one kind of defect.
#[derive(Default, Clone, Copy)]
struct Tally {
    planted: u64,
    found: u64,
}

/// Plays it; gives the disagreements.
pub async fn play(args: &Args, stage: &Stage) -> Result<Vec<String>> {
    let mut figures = Figures::default();
    let world = act::open(args, stage, &mut figures).await?;
    let people = people::appoint(&world.stack, &world.province, stage).await?;
    let schools: Vec<&School> = world.province.schools.iter().collect();
    let total = push::count(&world.data, &schools, Cargo::Registry)?;
    let bar = push::bar(stage, "c. push", total);
    let how = push::How { at_once: AT_ONCE, cut: false, cargo: Cargo::Registry };
    let pushed = push::push(&world.doors, &people, &world.province, &schools, how, &world.data, &bar).await?;
    figures.stages.push(push::row("c. push", &pushed, bar.finish()));
    figures.agree("records pushed against records generated", pushed.records, total);
    act::verify(&world, &people, PATIENCE, stage, &mut figures).await?;

    let bar = stage.bar("issues", schools.len() as u64, "schools");
    let lists: Vec<BTreeSet<Finding>> = stream::iter(&schools)
        .map(|school| async {
            let officer = people.schools.get(&school.school_code).context("school without officer")?;
            let list = work_list(officer, &school.school_code).await;
            bar.add(1);
            list
        })
        .buffer_unordered(AT_ONCE)
        .try_collect()
        .await?;
    bar.finish();
    let mut found: BTreeSet<Finding> = lists.into_iter().flatten().collect();
    let held: Vec<Finding> = found.iter().filter(|f| f.3 == Reason::ParentMissing as i32).cloned().collect();
    found.retain(|f| f.3 != Reason::ParentMissing as i32);
    figures.fact("records that wait for a refused parent", held.len());
    compare(&world, &found, stage, &mut figures);
    stage.say(figures.stage_table());
    stage.say(figures.fact_table());
    let forced = world.stack.stop().await?;
    figures.hold(format!("had to be killed: {forced:?}"), forced.is_empty());
    Ok(figures.wrong)
}

/// The whole work list of a school, page by page.
async fn work_list(officer: &eduhub_cast::Actor, school: &str) -> Result<BTreeSet<Finding>> {
    let mut client = IssueServiceClient::new(officer.at(Program::Registry));
    let (mut out, mut page_token) = (BTreeSet::new(), String::new());
    loop {
        let request = ListIssuesRequest {
            school_code: school.to_owned(),
            page_size: PAGE,
            page_token,
            ..Default::default()
        };
        let page = client.list_issues(request).await?.into_inner();
        out.extend(page.issues.iter().map(|i| finding(school, &i.problem.clone().unwrap_or_default())));
        page_token = page.next_page_token;
        if page_token.is_empty() {
            return Ok(out);
        }
    }
}

/// Compares by kind of defect and prints the table.
fn compare(world: &act::World, found: &BTreeSet<Finding>, stage: &Stage, figures: &mut Figures) {
    let mut tallies: BTreeMap<String, Tally> = BTreeMap::new();
    let mut planted = BTreeSet::new();
    for truth in &world.truth {
        for (defect, finding) in findings_of(truth) {
            let tally = tallies.entry(defect).or_default();
            tally.planted += 1;
            tally.found += u64::from(found.contains(&finding));
            planted.insert(finding);
        }
    }
    let mut alarms: BTreeMap<String, u64> = BTreeMap::new();
    for alarm in found.difference(&planted) {
        let reason = Reason::try_from(alarm.3).unwrap_or_default().as_str_name();
        let kind = Kind::try_from(alarm.1).unwrap_or_default().as_str_name();
        *alarms.entry(format!("{} on {}", short(reason), short(kind))).or_default() += 1;
    }
    let mut table = frame();
    table.set_header(["planted defect", "planted", "found", "missed"]);
    let mut sum = Tally::default();
    for (defect, tally) in &tallies {
        let missed = tally.planted - tally.found;
        table.add_row([
            defect.clone(),
            tally.planted.to_string(),
            tally.found.to_string(),
            missed.to_string(),
        ]);
        figures.agree(&format!("{defect}: planted against found"), tally.planted, tally.found);
        sum = Tally { planted: sum.planted + tally.planted, found: sum.found + tally.found };
    }
    let missed = sum.planted - sum.found;
    table.add_row(["all".into(), sum.planted.to_string(), sum.found.to_string(), missed.to_string()]);
    stage.say(table.to_string());
    for (what, count) in &alarms {
        stage.say(format!("  false alarms: {count} {what}"));
        figures.agree(&format!("false alarms: {what}"), *count, 0);
    }
    let total: u64 = alarms.values().sum();
    stage.say(format!(
        "defects: {} kinds, {} planted, {} found, {missed} missed, {total} false alarms",
        tallies.len(),
        sum.planted,
        sum.found,
    ));
}

/// Name of a value of an enum without what all its values begin with.
fn short(name: &str) -> &str {
    name.split_once('_').map_or(name, |(_, rest)| rest)
}
