//! Heights and weights by age and sex.
use super::chance::{Chance, happens, normal, pick, pick_weighted};
use super::people::Sex;
use eduhub_proto::common::v1::Level;
use eduhub_proto::registry::v1::Health;
use rand::Rng;

/// Mean height in cm at 1..18 years (smooth growth curves; Vietnamese adults measured 168 and 156 cm).
const BOYS: [f64; 18] = [
    74.0, 85.0, 93.0, 100.0, 106.5, 112.5, 118.0, 123.0, 128.0, 133.0, 138.0, 144.0, 151.0, 158.0, 163.0,
    166.0, 167.5, 168.0,
];
const GIRLS: [f64; 18] = [
    72.0, 83.5, 92.0, 99.0, 105.5, 111.5, 117.0, 122.5, 128.0, 134.0, 140.0, 146.0, 150.5, 153.0, 154.5,
    155.5, 156.0, 156.0,
];
/// Mean body-mass index at the same ages.
const BMI: [f64; 18] = [
    16.8, 16.2, 15.7, 15.4, 15.3, 15.4, 15.6, 15.9, 16.3, 16.8, 17.3, 17.9, 18.5, 19.1, 19.6, 20.0, 20.3,
    20.5,
];
/// Standard deviation of height and of BMI about the curve (height assumed at 5 %).
const SPREAD: f64 = 0.05;

/// A plausible measurement of term 1, without its pupil.
pub fn measurement(rng: &mut Chance, sex: Sex, age: i32, measured_on: &str) -> Health {
    let at = (age.clamp(1, 18) - 1) as usize;
    let mean = if sex == Sex::Male { BOYS[at] } else { GIRLS[at] };
    let height = normal(rng, mean, mean * SPREAD);
    let bmi = normal(rng, BMI[at], BMI[at] * 2.0 * SPREAD);
    let weight = bmi * (height / 100.0).powi(2);
    let blood = [("O", 0.42), ("B", 0.31), ("A", 0.21), ("AB", 0.06)];
    Health {
        term: "1".into(),
        measured_on: measured_on.to_owned(),
        height_cm: one_decimal(height),
        weight_kg: one_decimal(weight),
        blood_group: Some(pick_weighted(rng, &blood).to_owned()),
        ..Health::default()
    }
}

/// Adds what the check-up found beside height and weight, as the level's form asks for it.
pub fn findings(rng: &mut Chance, health: &mut Health, level: Level, age: i32) {
    if level == Level::Preschool {
        let at = (age.clamp(1, 18) - 1) as usize;
        let index = health.weight_kg / (health.height_cm / 100.0).powi(2);
        let mean = (BOYS[at] + GIRLS[at]) / 2.0;
        // Two standard deviations below or above the curve.
        let short = health.height_cm < mean * (1.0 - 2.0 * SPREAD);
        let (thin, heavy) = (index < BMI[at] * (1.0 - 4.0 * SPREAD), index > BMI[at] * (1.0 + 4.0 * SPREAD));
        health.underweight = Some(thin || (short && index < BMI[at]));
        health.stunted = Some(short);
        health.wasted = Some(thin);
        health.obese = Some(heavy);
        health.growth_chart_followed = Some(true);
        health.diarrhoea = Some(happens(rng, 0.02));
        health.respiratory_illness = Some(happens(rng, 0.08));
        return;
    }
    health.can_swim = Some(happens(rng, f64::from(age) * 0.025));
    if happens(rng, (f64::from(age) - 5.0).max(0.0) * 0.02) {
        health.eye_conditions =
            Some((*pick(rng, &["Cận thị", "Cận thị", "Loạn thị", "Viễn thị"])).to_owned());
    }
    if happens(rng, 0.01) {
        health.spine_conditions = Some("Cong vẹo cột sống".into());
    }
}

/// The same height as it comes out of a slip: metres, a shifted decimal point, a wrong first digit. Always outside 40..220
/// and inside 0..300.
pub fn slip(rng: &mut Chance, height_cm: f64) -> f64 {
    match rng.random_range(0..20) {
        0..12 => (height_cm.round() / 100.0).max(0.1),
        12..17 => one_decimal(height_cm / 10.0),
        _ => f64::from(rng.random_range(225..=295)),
    }
}

fn one_decimal(x: f64) -> f64 {
    (x * 10.0).round() / 10.0
}

#[cfg(test)]
mod tests {
    use super::super::chance::chance;
    use super::*;

    #[test]
    fn true_values_are_plausible_and_slips_are_not() {
        let mut rng = chance(1, "health");
        for i in 0..20_000 {
            let sex = if i % 2 == 0 { Sex::Male } else { Sex::Female };
            let h = measurement(&mut rng, sex, i % 20, "2026-09-20");
            assert!((40.0..=220.0).contains(&h.height_cm) && (2.0..=200.0).contains(&h.weight_kg), "{h:?}");
            let s = slip(&mut rng, h.height_cm);
            assert!(s > 0.0 && s <= 300.0 && !(40.0..=220.0).contains(&s), "{s}");
        }
    }
}
