//! Random sessions: a few records of few keys, so that they meet often.
use crate::{
    make::{self, Wrap},
    pushing::batch,
};
use eduhub_proto::{
    common::v1::{Kind, Withdrawal},
    registry::v1::{Class, Enrolment, Pupil, PushBatch, Record},
};
use rand::Rng;
use rand_chacha::ChaCha8Rng;

/// What a session is like.
#[derive(Debug, Clone)]
pub enum Step {
    /// These batches; the stream breaks after some of them and is resumed, or a batch is sent twice.
    Patch { batches: Vec<PushBatch>, cut_after: Option<usize>, resend: bool },
    /// These batches are all there is of these kinds.
    Full { batches: Vec<PushBatch>, kinds: Vec<Kind> },
    /// A FULL session that is never ended: nothing of it is withdrawn.
    Abandoned { batches: Vec<PushBatch>, kinds: Vec<Kind> },
    /// Checked only.
    Validate { batches: Vec<PushBatch> },
}

/// The next session of the school number `school`.
pub fn step(random: &mut ChaCha8Rng, school: u32) -> Step {
    let count = random.random_range(1..4);
    let batches: Vec<PushBatch> = (1..=count).map(|number| random_batch(random, number, school)).collect();
    let kinds = match random.random_range(0..4) {
        0 => vec![Kind::Enrolment],
        1 => vec![Kind::Pupil, Kind::Enrolment],
        2 => vec![Kind::Campus, Kind::Class],
        _ => vec![Kind::Class, Kind::Pupil, Kind::Enrolment],
    };
    match random.random_range(0..10) {
        0 => Step::Full { batches: without_withdrawals(batches), kinds },
        1 => Step::Abandoned { batches: without_withdrawals(batches), kinds },
        2 => Step::Validate { batches },
        3..6 => {
            Step::Patch { cut_after: Some(random.random_range(0..=batches.len())), batches, resend: false }
        }
        6 => Step::Patch { batches, cut_after: None, resend: true },
        _ => Step::Patch { batches, cut_after: None, resend: false },
    }
}

fn without_withdrawals(batches: Vec<PushBatch>) -> Vec<PushBatch> {
    batches.into_iter().map(|b| PushBatch { withdrawals: vec![], ..b }).collect()
}

fn random_batch(random: &mut ChaCha8Rng, number: u32, school: u32) -> PushBatch {
    let mut out = batch(number, vec![]);
    for _ in 0..random.random_range(1..9) {
        let n = random.random_range(0..4_u32);
        let record = match random.random_range(0..12) {
            0 => make::campus().wrap(),
            1..3 => class(random, n),
            3..7 => pupil(random, n, school),
            7..11 => enrolment(random, n, school),
            _ => {
                out.withdrawals.push(withdrawal(random, n, school));
                continue;
            }
        };
        out.records.push(record);
    }
    out.withdrawals.sort_by(|a, b| (a.kind, &a.record_key).cmp(&(b.kind, &b.record_key)));
    out.withdrawals.dedup();
    out
}

fn class(random: &mut ChaCha8Rng, n: u32) -> Record {
    Class { sort_order: Some(random.random_range(0..2)), ..make::class(&format!("6A{n}")) }.wrap()
}

/// One in six has no name: it is refused.
fn pupil(random: &mut ChaCha8Rng, n: u32, school: u32) -> Record {
    let place = ["Hà Nội", "Huế", "Vinh"][random.random_range(0..3)];
    let nameless = random.random_range(0..6) == 0;
    let mut pupil = Pupil { birth_place: Some(place.into()), ..make::pupil(person(n, school)) };
    if nameless {
        pupil.full_name.clear();
    }
    pupil.wrap()
}

/// Its pupil and its class are often not there.
fn enrolment(random: &mut ChaCha8Rng, n: u32, school: u32) -> Record {
    let class = format!("6A{}", random.random_range(0..4));
    Enrolment { class_code: class, ..make::enrolment(person(n, school), "") }.wrap()
}

/// Number of a school's pupil: one code is one person wherever it is.
fn person(n: u32, school: u32) -> u32 {
    school * 10 + n
}

fn withdrawal(random: &mut ChaCha8Rng, n: u32, school: u32) -> Withdrawal {
    match random.random_range(0..4) {
        0 => make::withdrawal(Kind::Campus, "CS1"),
        1 => make::withdrawal(Kind::Class, &format!("6A{n}")),
        2 => make::withdrawal(Kind::Pupil, &make::code(person(n, school))),
        _ => make::withdrawal(Kind::Enrolment, &format!("QT{:06}", person(n, school))),
    }
}
