//! The review matrix of domain.md A.5, written out again here: every dataset, level and superior.

use eduhub_proto::approval::v1::SubmissionState;
use eduhub_proto::common::v1::{Dataset, Level};

use crate::lab::{Lab, submission};

const HERE: &str = "14400";

/// Level; division of its pupils and results; whether the commune reviews these first.
const BY_LEVEL: [(Level, &str, bool); 5] = [
    (Level::Preschool, "DIV_PRESCHOOL", true),
    (Level::Primary, "DIV_PRIMARY", true),
    (Level::LowerSecondary, "DIV_SECONDARY", true),
    (Level::UpperSecondary, "DIV_SECONDARY", false),
    (Level::Continuing, "DIV_CONTINUING", false),
];

#[tokio::test]
async fn every_school_and_dataset_takes_the_way_of_the_matrix() {
    let lab = Lab::start().await;
    let mut code = 37_001_000;
    for (level, division, commune_first) in BY_LEVEL {
        for directly_managed in [false, true] {
            code += 1;
            let school = code.to_string();
            lab.school(&school, level, HERE, directly_managed, false);
            let by_domain = |division| if directly_managed { vec![division] } else { vec![HERE, division] };
            let by_level =
                if commune_first && !directly_managed { vec![HERE, division] } else { vec![division] };
            let expected = [
                (Dataset::Pupils, by_level.clone()),
                (Dataset::Results, by_level),
                (Dataset::Staff, by_domain("DIV_PERSONNEL")),
                (Dataset::Facilities, by_domain("DIV_FINANCE")),
            ];
            for (dataset, offices) in expected {
                let made = lab.submit(submission(&school, dataset)).await.unwrap();
                let steps: Vec<&str> = made.steps.iter().map(|s| s.office.as_str()).collect();
                assert_eq!(steps, offices, "{level:?} {dataset:?} directly managed: {directly_managed}");
                let done = lab.approve_all(made).await;
                assert_eq!(done.state(), SubmissionState::Approved);
                let answers =
                    done.steps.iter().all(|s| Some(&s.accountable_division.as_str()) == offices.last());
                assert!(answers, "the division of the last step answers for every approval");
            }
        }
    }
}
