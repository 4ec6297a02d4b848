use eduhub_doubles::{Door, Schools};
use eduhub_proto::common::v1::Level;
use eduhub_proto::registry::v1::{SchoolEntry, school_service_server::SchoolServiceServer};
use eduhub_runtime::client::GrpcChannel;
use eduhub_testkit::Served;
use tonic::service::Routes;

/// A lower secondary school of the commune [`HOA_LU`].
pub const SCHOOL: &str = "37000001";
/// A primary school of the same commune.
pub const SECOND_SCHOOL: &str = "37000002";
/// An upper secondary school, which stands under the Department; on the ground of [`TAY_HOA_LU`].
pub const THPT: &str = "37000003";
pub const HOA_LU: &str = "14329";
pub const TAY_HOA_LU: &str = "14326";

/// A registry of three schools.
pub struct FakeRegistry {
    door: Door,
    served: Served,
}

impl FakeRegistry {
    pub async fn start() -> Self {
        let door = Door::for_anybody();
        let schools = Schools::new(door.clone());
        schools.state().put(entry(SCHOOL, HOA_LU, Level::LowerSecondary));
        schools.state().put(entry(SECOND_SCHOOL, HOA_LU, Level::Primary));
        schools
            .state()
            .put(SchoolEntry { directly_managed: true, ..entry(THPT, TAY_HOA_LU, Level::UpperSecondary) });
        let served = Served::start(Routes::new(SchoolServiceServer::new(schools))).await;
        Self { door, served }
    }

    /// A channel to it.
    pub fn channel(&self) -> GrpcChannel {
        self.served.channel()
    }

    /// Tokens of the calls so far.
    pub fn tokens(&self) -> Vec<String> {
        self.door.tokens()
    }

    /// Goes away.
    pub fn stop(&self) {
        self.served.stop();
    }
}

fn entry(code: &str, commune: &str, level: Level) -> SchoolEntry {
    SchoolEntry {
        school_code: code.to_owned(),
        name: "Trường học".to_owned(),
        level: level as i32,
        commune_code: commune.to_owned(),
        province_code: "37".to_owned(),
        ..SchoolEntry::default()
    }
}
