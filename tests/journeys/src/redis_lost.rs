//! Redis is only a cache: a journey without it, or with lies in it, gets the same answers.
use crate::cast::Department;
use crate::ground::{Data, Ground};
use crate::journey::{approve, digest, push, submit, verified};
use crate::ministry::{ledger, transfer};
use crate::private_redis::PrivateRedis;
use eduhub_cli::hub::{Facility, Registry};
use eduhub_faults::reason_of;
use eduhub_proto::approval::v1::Submission;
use eduhub_proto::common::v1::{Dataset, Problem, PushReceipt};
use eduhub_proto::registry::v1::{ListSchoolsRequest, school_service_client::SchoolServiceClient};
use eduhub_stack::Program;
use std::path::Path;

/// What happens to Redis during a journey.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Fate {
    /// Nothing.
    Healthy,
    /// After each step, rubbish stands under every key.
    Spoiled,
    /// It ends after the push.
    Ended,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_journey_gets_the_same_answers_without_redis_and_with_rubbish_in_it() {
    let dir = tempfile::tempdir().unwrap();
    let healthy = play(dir.path(), Fate::Healthy).await;
    assert!(healthy.len() > 200, "only {} answers", healthy.len());
    for fate in [Fate::Spoiled, Fate::Ended] {
        let answers = play(dir.path(), fate).await;
        let pairs = healthy.iter().zip(&answers).filter(|(a, b)| a != b);
        let differ: Vec<_> = pairs.map(|(a, b)| format!("{a}\n    {b}")).take(10).collect();
        assert!(differ.is_empty() && healthy.len() == answers.len(), "{fate:?}:\n  {}", differ.join("\n  "));
    }
}

/// One school from push to the Ministry on a new stack with the keys of `dir`; gives every answer that does not name a
/// moment or an id made up on the way.
async fn play(dir: &Path, fate: Fate) -> Vec<String> {
    let mut redis = PrivateRedis::start().await;
    let data = Data::generate(dir.join(format!("{fate:?}")));
    let url = redis.url.clone();
    let mut ground = Ground::start(dir, data, |mut config| {
        config.redis_url = Some(url);
        config
    })
    .await;
    let mut answers = Vec::new();
    let department = Department::open(&ground).await.unwrap();
    let school = ground.school(0).clone();
    let officer = department.officer_of(&school).await.unwrap();
    let client = department.vendor_of(&officer, &school).await.unwrap();
    let vendor = ground.sign_in(client.proof()).await.unwrap();
    spoil(&redis, fate).await;

    let (receipt, problems) = push::<Registry>(&ground, &vendor, &school).await.unwrap();
    pushed(&mut answers, receipt, problems);
    // A new process has nothing but what Redis gives it.
    spoil(&redis, fate).await;
    ground.stack.restart(Program::Registry).await.unwrap();
    if fate == Fate::Ended {
        redis.end().await;
    }
    let (receipt, problems) = push::<Facility>(&ground, &vendor, &school).await.unwrap();
    pushed(&mut answers, receipt, problems);
    answers.push(format!("{:?}", verified(&officer, &school).await));
    let mut schools = SchoolServiceClient::new(officer.at(Program::Registry));
    let page = schools.list_schools(ListSchoolsRequest::default()).await.unwrap().into_inner();
    answers.push(format!("{:?}", page.schools));

    for dataset in [Dataset::Pupils, Dataset::Facilities] {
        spoil(&redis, fate).await;
        let submission = submit(&ground, &officer, &school, dataset).await.unwrap();
        answers.push(submitted(&submission));
        spoil(&redis, fate).await;
        let (approved, read) = approve(&department, submission).await.unwrap();
        answers.push(submitted(&approved));
        answers.extend(read);
        let done = transfer(&officer, &approved).await.unwrap();
        answers.push(format!("{:?} {:?}", done.mode, done.counts));
        answers.extend(ledger(&officer, &done).await.unwrap());
    }
    let of_school = digest(&officer, &school).await.unwrap();
    answers.push(format!("{:?} {}", of_school.counts, hex::encode(of_school.digest)));
    // A refusal is an answer too: another school is not the vendor's, whatever the cache says.
    let refused = push::<Registry>(&ground, &vendor, &ground.school(1).clone()).await.unwrap_err();
    let status = match refused.downcast_ref() {
        Some(eduhub_cli::push::PushError::Refused { status, .. }) => status,
        other => panic!("not refused: {other:?}"),
    };
    answers.push(format!("{:?} {:?}", status.code(), reason_of(status)));
    ground.stop().await;
    answers
}

/// There must be keys: a cache that holds nothing proves nothing.
async fn spoil(redis: &PrivateRedis, fate: Fate) {
    let keys = match fate {
        Fate::Spoiled => redis.spoil().await,
        Fate::Healthy => redis.keys().await,
        Fate::Ended => return,
    };
    assert!(keys > 0, "no key in Redis");
}

fn pushed(answers: &mut Vec<String>, mut receipt: PushReceipt, problems: Vec<Problem>) {
    receipt.session_id.clear();
    receipt.completed_at = None;
    // Signed anew each time, with the time of its making.
    receipt.signed.clear();
    receipt.waiting.sort_by(|a, b| (a.kind, &a.record_key).cmp(&(b.kind, &b.record_key)));
    answers.push(format!("{receipt:?}"));
    answers.extend(problems.iter().map(|p| format!("{p:?}")));
}

fn submitted(submission: &Submission) -> String {
    let seal = submission.seal.clone().unwrap_or_default();
    let steps: Vec<_> = submission.steps.iter().map(|s| (s.step_no, &s.office)).collect();
    let (state, cycle, held, issues) = (submission.state, submission.cycle, seal.held, seal.open_issues);
    format!("{state} {cycle} {steps:?} {held} {issues} {:?} {}", seal.counts, hex::encode(seal.digest))
}
