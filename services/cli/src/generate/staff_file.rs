//! What a record of staff says beyond the person and the post: pay, training, evaluation (QĐ 4998 GVMN.1.1 to GVMN.2.6).
use super::chance::{Chance, happens, pick, pick_weighted};
use super::places::Commune;
use eduhub_proto::common::v1::Level;
use eduhub_proto::registry::v1::{
    ConcurrentDuty, LanguageProgress, Staff, StaffAward, StandardResult, Training, YearlyEvaluation,
};
use rand::Rng;

/// Post of the person.
#[derive(Clone, Copy)]
pub struct Post<'a> {
    /// Level of the school.
    pub level: Level,
    /// Group (D.10).
    pub group: &'a str,
    /// Type (D.10).
    pub kind: &'a str,
    /// Year of birth.
    pub born: i32,
    /// Year of recruitment.
    pub recruited: i32,
    /// School year by its first year.
    pub school_year: i32,
    /// Where the school stands: staff live there or near.
    pub commune: Commune,
}

/// Completes the record.
pub fn complete(rng: &mut Chance, staff: &mut Staff, post: Post<'_>) {
    let age = post.school_year - post.born;
    staff.province_code = Some("37".into());
    staff.commune_code = Some(post.commune.code.to_owned());
    staff.home_place = Some(format!("{}, Ninh Bình", post.commune.name));
    staff.is_party_member = Some(post.group == "1" || happens(rng, 0.4));
    staff.is_youth_union_member = Some(age <= 30);
    // The first two digits are above all provinces', so that nobody has the number.
    staff.social_insurance_no = Some(format!("99{:08}", rng.random_range(0..100_000_000)));
    staff.recruiting_body = Some(body(post).into());
    staff.full_time_youth_union = Some(false);
    staff.newly_recruited =
        (post.level != Level::Continuing).then_some(post.recruited == post.school_year - 1);
    staff.life_skills_trained = Some(happens(rng, 0.5));
    staff.nationality = (post.level == Level::Continuing).then(|| "VN".to_owned());
    pay(rng, staff, post);
    learning(rng, staff, post);
    if post.group != "3" {
        teaching(rng, staff, post);
    }
    if happens(rng, 0.05) {
        staff.awards.push(award(rng, post));
    }
}

fn body(post: Post<'_>) -> &'static str {
    match post.level {
        Level::UpperSecondary | Level::Continuing => "Sở Giáo dục và Đào tạo",
        _ => "Ủy ban nhân dân huyện (trước 07/2025)",
    }
}

fn pay(rng: &mut Chance, staff: &mut Staff, post: Post<'_>) {
    let years = post.school_year - post.recruited;
    let (first, step, rank) = match (post.group, post.level) {
        ("3", _) => (1.86, 0.2, None),
        (_, Level::Preschool) => (2.1, 0.31, Some("V.07.02.26")),
        (_, Level::Primary) => (2.34, 0.33, Some("V.07.03.29")),
        (_, Level::LowerSecondary) => (2.34, 0.33, Some("V.07.04.32")),
        _ => (2.34, 0.33, Some("V.07.05.15")),
    };
    let steps = (years / 3).min(8);
    staff.rank_code = rank.map(str::to_owned);
    staff.salary_step = Some((steps + 1).to_string());
    staff.salary_coefficient = Some(((first + step * f64::from(steps)) * 100.0).round() / 100.0);
    staff.salary_from = Some(format!("{}-{:02}-01", post.school_year - years % 3, rng.random_range(1..=9)));
    staff.seniority_allowance = (post.group != "3" && years >= 5).then(|| f64::from(years));
    staff.preferential_allowance = (post.group != "3").then_some(30.0);
}

fn learning(rng: &mut Chance, staff: &mut Staff, post: Post<'_>) {
    staff.it_level = Some(pick_weighted(rng, &[("2", 0.8), ("3", 0.2)]).to_owned());
    staff.education_management_level = Some(if post.group == "1" { "2" } else { "0" }.into());
    staff.political_theory_level = Some(if post.group == "1" { "2" } else { "1" }.into());
    let rating = pick_weighted(rng, &[("1", 0.2), ("2", 0.7), ("3", 0.1)]);
    staff.public_employee_rating = Some(rating.into());
    staff.yearly_evaluations.push(YearlyEvaluation {
        school_year: post.school_year - 1,
        public_employee_rating: Some(rating.into()),
        evaluated_on: Some(format!("{}-06-10", post.school_year)),
        ..YearlyEvaluation::default()
    });
    if post.group != "3" {
        staff.trainings.push(Training {
            training_school_name: Some(
                (*pick(rng, &["Đại học Hoa Lư", "Đại học Sư phạm Hà Nội", "Đại học Sư phạm Hà Nội 2"]))
                    .into(),
            ),
            to_date: Some(format!("{}-06-30", post.recruited - 1)),
            training_mode: Some(pick_weighted(rng, &[("1", 0.7), ("2", 0.3)]).into()),
            certificate_name: Some("Bằng tốt nghiệp đại học".into()),
            ..Training::default()
        });
    }
}

fn teaching(rng: &mut Chance, staff: &mut Staff, post: Post<'_>) {
    let manager = post.group == "1";
    let periods = match (manager, post.level) {
        (true, _) => rng.random_range(2..=4),
        (false, Level::Preschool) => 30,
        (false, Level::Primary) => rng.random_range(19..=23),
        _ => rng.random_range(15..=19),
    };
    staff.teaching_periods_per_week = Some(periods);
    staff.teaches_two_sessions = Some(matches!(post.level, Level::Preschool | Level::Primary) && !manager);
    staff.continuous_training_result = Some(pick_weighted(rng, &[("1", 0.9), ("2", 0.1)]).into());
    let standard = pick_weighted(rng, &[("1", 0.45), ("2", 0.5), ("3", 0.05)]);
    staff.professional_standard = Some(standard.into());
    if matches!(post.level, Level::Primary | Level::LowerSecondary | Level::UpperSecondary) {
        let name = match standard {
            "1" => "Tốt",
            "2" => "Khá",
            _ => "Đạt",
        };
        staff.professional_standard_results.push(StandardResult {
            assessment_rating: Some(name.into()),
            assessed_on: Some(format!("{}-05-25", post.school_year)),
            assessing_level: Some("Trường".into()),
        });
    }
    if post.kind == "03" || happens(rng, 0.1) {
        staff.concurrent_duties.push(ConcurrentDuty { code: "01".into() });
        staff.duty_periods_per_week = Some(3);
    }
    if happens(rng, 0.3) {
        let level = Some(pick_weighted(rng, &[("B1", 0.6), ("B2", 0.3), ("C1", 0.1)]).to_owned());
        staff.foreign_language = Some("1".into());
        staff.foreign_language_level.clone_from(&level);
        let progress = LanguageProgress {
            foreign_language: Some("1".into()),
            foreign_language_level: level,
            ..LanguageProgress::default()
        };
        staff.languages.push(progress);
    }
}

fn award(rng: &mut Chance, post: Post<'_>) -> StaffAward {
    let year = post.school_year - rng.random_range(1..=5);
    StaffAward {
        staff_award: Some("01".into()),
        content: Some((*pick(rng, &["Chiến sĩ thi đua cơ sở", "Giấy khen của Chủ tịch UBND"])).into()),
        awarded_on: Some(format!("{year}-06-20")),
        decision_no: Some(format!("{}/QĐ-UBND", rng.random_range(100..3_000))),
        year: Some(year),
        ..StaffAward::default()
    }
}
