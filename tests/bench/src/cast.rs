//! Who takes part: the vendors of the schools, each under a grant of its own, a reviewer and consumers.
use anyhow::Result;
use eduhub_cast::{Actor, Department, apply};
use eduhub_cli::generate::School;
use eduhub_cli::server::Server;
use eduhub_runtime::client::ClientTls;
use eduhub_stack::{Program, Stack};

/// Signs people in.
pub struct Desk {
    department: Department,
    division: Actor,
}

impl Desk {
    /// Registers the schools and appoints the division that decides their applications.
    ///
    /// # Errors
    /// What the services answer.
    pub async fn open(stack: &Stack, schools: &[School]) -> Result<Self> {
        let department = Department::open(stack).await?;
        department.register(schools).await?;
        let division = department.reviewer("DIV_STUDENT_AFFAIRS").await?;
        Ok(Self { department, division })
    }

    /// Registry as a reviewer of the whole province, who sees sensitive fields.
    pub fn reviewer(&self) -> Server {
        self.division.server(Program::Registry).clone()
    }

    /// Whom to trust.
    pub fn tls(&self) -> &ClientTls {
        self.division.doors().tls()
    }

    /// Registry as the vendor of a school: the school applies, the division approves, the client signs in.
    ///
    /// # Errors
    /// What the services answer.
    pub async fn vendor(&self, school: &School) -> Result<Server> {
        let officer = self.department.officer_of(school).await?;
        let grant = apply(&officer, &self.division, school, ("VIETTEL", "SMAS")).await?;
        let client = self.department.client(grant).await?;
        self.registry_as(client).await
    }

    /// Registry as a consumer of the whole province, who sees sensitive fields.
    ///
    /// # Errors
    /// What the services answer.
    pub async fn consumer(&self) -> Result<Server> {
        self.registry_as(self.department.consumer().await?).await
    }

    async fn registry_as(&self, client: eduhub_cast::Client) -> Result<Server> {
        let actor = Actor::sign_in(self.division.doors(), client.proof()).await?;
        Ok(actor.server(Program::Registry).clone())
    }
}
