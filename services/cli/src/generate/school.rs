//! Everything of one school.
use super::chance::{Chance, chance, happens, pick_weighted};
use super::classes::{ClassRoom, classes, crowd};
use super::defects::{Defect, Planting, Truth, TwinKey, break_pupil, known_otherwise};
use super::numbers::Numbers;
use super::people::{Citizen, People, Person};
use super::places::communes;
use super::plan::School;
use super::profile::Seat;
use super::pupils::{self, Calendar};
use super::settings::{Institution, Settings};
use super::{
    GenerateError, attendance, candidates, flaws, health, marks, premises, rooms, staff, teaching, year,
};
use eduhub_proto::facility::v1::Room;
use eduhub_proto::registry::v1::record::Record as Any;
use eduhub_proto::registry::v1::{Enrolment, Graduation, Health, Pupil, Record, TermResult};
use std::collections::HashMap;

/// What one school's files hold.
#[derive(Default)]
pub struct Content {
    /// Records in dependency order, defects included.
    pub records: Vec<Record>,
    /// Rooms.
    pub rooms: Vec<Room>,
    /// Mended versions of the records that are refused.
    pub fixed: Vec<Record>,
    /// What was broken.
    pub truth: Vec<Truth>,
    /// True persons as the population database has them.
    pub citizens: Vec<Citizen>,
    /// Classes.
    pub classes: usize,
    /// Learners.
    pub learners: usize,
    /// Staff.
    pub staff: usize,
}

/// Makes one school. The same seed, school and year give the same content, whatever else is in the run.
///
/// # Errors
/// [`GenerateError::Numbers`], [`GenerateError::Date`], or [`GenerateError::Options`] for a commune that is not there.
pub fn school(
    seed: u64,
    school_year: i32,
    school: &School,
    settings: &Settings,
) -> Result<Content, GenerateError> {
    let commune = communes().into_iter().find(|c| c.code == school.commune_code);
    let commune =
        commune.ok_or_else(|| GenerateError::Options(format!("no commune {}", school.commune_code)))?;
    let mut rng = chance(seed, &school.school_code);
    let mut numbers = Numbers::new(school.index);
    let mut people = People { settings, commune, numbers: &mut numbers };
    let figures = settings.of(school.institution);
    let mut rooms_of_classes = classes(&mut rng, figures, school.learners, school.independent_group);
    let continuing = school.institution == Institution::Continuing;
    let crowded =
        (school.first && settings.defects.flaw > 0.0).then(|| crowd(&mut rooms_of_classes)).flatten();
    for class in &mut rooms_of_classes {
        class.course = marks::Course { grade: class.grade, continuing, choice: marks::choice(&mut rng) };
    }
    let campuses = premises::campuses(&mut rng, school, figures, rooms_of_classes.len());
    let members = staff::staff(
        &mut rng,
        &mut people,
        figures,
        rooms_of_classes.len(),
        school.independent_group,
        school_year,
    )?;
    let teachers = members.iter().filter(|m| m.record.staff_group == "2" || members.len() < 4);
    for ((i, class), teacher) in rooms_of_classes.iter_mut().enumerate().zip(teachers) {
        // Classes of the first half sit at the main site.
        let campus = if i % 2 == 0 { 0 } else { i / 2 % campuses.len() };
        class.record.campus_code = Some(campuses[campus].campus_code.clone());
        class.record.homeroom_teacher_code = Some(teacher.record.staff_code.clone());
    }
    teaching::assign(&mut rooms_of_classes, members.iter().map(|m| &m.record));
    let mut out = Content { classes: rooms_of_classes.len(), staff: members.len(), ..Content::default() };
    out.truth.extend(crowded.map(|code| Defect::ClassSize.truth(&school.school_code, "CLASS", code)));
    let head = members.first().map(|m| &m.record);
    out.records.push(record(Any::School(premises::school(&mut rng, school, head))));
    out.records.extend(campuses.into_iter().map(|c| record(Any::Campus(c))));
    out.records.extend(rooms_of_classes.iter().map(|c| record(Any::Class(c.record.clone()))));
    for member in members {
        out.citizens.push(member.person.citizen());
        out.records.push(record(Any::Staff(member.record)));
    }
    let at: Vec<String> = rooms_of_classes.iter().filter_map(|c| c.record.campus_code.clone()).collect();
    out.rooms = rooms::rooms(&mut rng, settings, school.institution, &at);
    Learners { rng, school, settings, calendar: Calendar::new(school_year)?, twins: HashMap::new() }.fill(
        &mut people,
        &rooms_of_classes,
        &mut out,
    )?;
    let mut rng = chance(seed, &format!("flaws of {}", school.school_code));
    flaws::plant(&mut rng, school, settings.defects.flaw, school_year, &mut out);
    Ok(out)
}

fn record(any: Any) -> Record {
    Record { record: Some(any) }
}

struct Learners<'a> {
    rng: Chance,
    school: &'a School,
    settings: &'a Settings,
    calendar: Calendar,
    twins: HashMap<TwinKey, Vec<String>>,
}

impl Learners<'_> {
    fn fill(
        mut self,
        people: &mut People<'_>,
        classes: &[ClassRoom],
        out: &mut Content,
    ) -> Result<(), GenerateError> {
        let continuing = self.school.institution == Institution::Continuing;
        let total = classes.iter().map(|c| c.size).sum();
        let mut planting = Planting::new(self.settings.defects, total, self.school.index == 0);
        let measured = self.calendar.autumn_day(&mut self.rng).to_string();
        let level = self.school.level();
        let (mut enrolments, mut healths, mut results, mut absences) = (vec![], vec![], vec![], vec![]);
        let (mut retakes, mut graduations) = (vec![], vec![]);
        let (school_year, whole) = (self.calendar.school_year, self.settings.whole_year);
        for class in classes {
            for number in 1..=class.size {
                let seat =
                    Seat { level, grade: class.grade, number: number as i32, opening: self.calendar.opening };
                let person = pupils::person(&mut self.rng, people, self.calendar, class.grade, continuing)?;
                let sound = pupils::pupil(&mut self.rng, people, &person, seat);
                let place = (class.record.class_code.as_str(), class.grade);
                let enrolment = pupils::enrolment(
                    &mut self.rng,
                    self.settings,
                    self.calendar,
                    &sound.student_code,
                    place,
                );
                let mut graduation = None;
                if pupils::in_class(&enrolment) {
                    healths.push(self.health(&person, &sound.student_code, &measured, out));
                    let mut year = year::year(&mut self.rng, class.course, &enrolment, school_year, whole);
                    self.misrate(year.results.first_mut(), out);
                    let days = year.results.first().and_then(|r| r.days_absent);
                    let teacher = class.record.homeroom_teacher_code.as_ref();
                    absences.extend(attendance::absence(
                        &mut self.rng,
                        self.calendar,
                        &enrolment,
                        days,
                        teacher,
                    ));
                    results.extend(year.results);
                    retakes.extend(year.retake);
                    graduation = year.graduation;
                }
                let twice = pupils::in_class(&enrolment)
                    && happens(&mut self.rng, self.settings.defects.double_enrolment);
                let full_name = Some(person.full_name.clone());
                let refused = self.admit(people, &mut planting, person, sound, out)?;
                // The enrolments of one whose own record is not accepted wait for it, both of them.
                if twice && !refused {
                    enrolments.extend(self.enrol_twice(&enrolment, classes, out));
                }
                enrolments.push(enrolment);
                // Whose own record is not accepted is not sent as a graduate yet.
                graduations.extend(graduation.filter(|_| !refused).map(|g| Graduation { full_name, ..g }));
            }
        }
        out.learners = total;
        out.records.extend(enrolments.into_iter().map(|e| record(Any::Enrolment(e))));
        out.records.extend(healths.into_iter().map(|h| record(Any::Health(h))));
        out.records.extend(results.into_iter().map(|r| record(Any::TermResult(r))));
        out.records.extend(absences.into_iter().map(|a| record(Any::Attendance(a))));
        out.records.extend(retakes.into_iter().map(|r| record(Any::Retake(r))));
        out.records.extend(graduations.into_iter().map(|g| record(Any::Graduation(g))));
        self.candidates(people, classes, out)
    }

    /// Free candidates of the exam, at schools with a grade 12.
    fn candidates(
        &mut self,
        people: &mut People<'_>,
        classes: &[ClassRoom],
        out: &mut Content,
    ) -> Result<(), GenerateError> {
        let last = classes.iter().filter(|c| c.grade == 12).map(|c| c.size).sum();
        let (rng, year) = (&mut self.rng, self.calendar.school_year);
        let all = candidates::candidates(rng, people, self.school.institution, last, year)?;
        let mut exams = vec![];
        for (mut candidate, citizen) in all {
            out.citizens.push(citizen);
            if self.settings.whole_year {
                exams.push(year::exam(&mut self.rng, &mut candidate, self.calendar.school_year));
            }
            out.records.push(record(Any::FreeCandidate(candidate)));
        }
        out.records.extend(exams.into_iter().map(|g| record(Any::Graduation(g))));
        Ok(())
    }

    /// Puts the pupil down, broken or not, and the citizen; true when the record will be refused.
    fn admit(
        &mut self,
        people: &mut People<'_>,
        planting: &mut Planting,
        person: Person,
        sound: Pupil,
        out: &mut Content,
    ) -> Result<bool, GenerateError> {
        let key: TwinKey = (person.sex, person.born.year());
        let defect = planting.next(&mut self.rng);
        let twins = self.twins.get(&key).map_or(&[][..], Vec::as_slice);
        let broken = match defect {
            Some(d) => break_pupil(&mut self.rng, people.numbers, d, &person, &sound, twins)?,
            None => None,
        };
        let citizen = match (&broken, defect) {
            (Some(_), Some(Defect::PopulationMismatch)) => known_otherwise(&mut self.rng, &person),
            _ => person.citizen(),
        };
        out.citizens.push(citizen);
        match (broken, defect) {
            (Some(broken), Some(defect)) => {
                let truth = defect.truth(&self.school.school_code, "PUPIL", sound.student_code.clone());
                let refused = truth.severity == super::Effect::Error;
                if refused {
                    out.fixed.push(record(Any::Pupil(sound)));
                }
                out.truth.push(truth);
                out.records.push(record(Any::Pupil(broken)));
                return Ok(refused);
            }
            (_, defect) => {
                if let Some(defect) = defect {
                    planting.put_back(defect);
                }
                self.twins.entry(key).or_default().push(person.personal_id);
                out.records.push(record(Any::Pupil(sound)));
            }
        }
        Ok(false)
    }

    /// Changes the rating of a result, perhaps.
    fn misrate(&mut self, result: Option<&mut TermResult>, out: &mut Content) {
        let Some(result) = result.filter(|r| r.learning_rating.is_some()) else { return };
        if !happens(&mut self.rng, self.settings.defects.rating_differs) {
            return;
        }
        let other = if result.learning_rating.as_deref() == Some("2") { "1" } else { "2" };
        result.learning_rating = Some(other.to_owned());
        let key = eduhub_rules::record_key(&*result);
        out.truth.push(Defect::RatingDiffers.truth(&self.school.school_code, "TERM_RESULT", key));
    }

    /// A second enrolment in another class of the grade, if there is one.
    fn enrol_twice(
        &mut self,
        enrolment: &Enrolment,
        classes: &[ClassRoom],
        out: &mut Content,
    ) -> Option<Enrolment> {
        let fits =
            |c: &&ClassRoom| c.record.grade == enrolment.grade && c.record.class_code != enrolment.class_code;
        let class = classes.iter().filter(fits).min_by_key(|c| c.size)?;
        let second = Enrolment {
            enrolment_id: format!("{}-2", enrolment.enrolment_id),
            class_code: class.record.class_code.clone(),
            ..enrolment.clone()
        };
        for one in [enrolment, &second] {
            let (school, key) = (&self.school.school_code, one.enrolment_id.clone());
            out.truth.push(Defect::DoubleEnrolment.truth(school, "ENROLMENT", key));
        }
        Some(second)
    }

    fn health(
        &mut self,
        person: &Person,
        student_code: &str,
        measured_on: &str,
        out: &mut Content,
    ) -> Health {
        let age = self.calendar.school_year - person.born.year();
        let true_one = health::measurement(&mut self.rng, person.sex, age, measured_on);
        let mut health = Health { student_code: student_code.to_owned(), ..true_one };
        health::findings(&mut self.rng, &mut health, self.school.level(), age);
        if happens(&mut self.rng, self.settings.defects.height_outlier) {
            health.height_cm = health::slip(&mut self.rng, health.height_cm);
            let key = eduhub_rules::record_key(&health);
            out.truth.push(Defect::HeightOutlier.truth(&self.school.school_code, "HEALTH", key));
        }
        health
    }
}

/// Number of campuses drawn from its shares.
pub(super) fn campus_count(rng: &mut Chance, shares: &[(usize, f64)], classes: usize) -> usize {
    pick_weighted(rng, shares).min(classes).max(1)
}
