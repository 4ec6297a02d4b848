//! Who is there during an upgrade; all reach registry through the balancer.
use crate::cast::Department;
use crate::ground::{Actor, Ground};
use eduhub_cli::server::Server;
use eduhub_stack::Program;

pub struct People {
    pub officer: Server,
    pub consumer: Server,
    /// One for each school, in their order.
    pub vendors: Vec<Server>,
    actors: Vec<Actor>,
    centre: Actor,
}

impl People {
    /// Appoints them while the release before is alone.
    pub async fn gather(ground: &Ground, url: &str) -> Self {
        let department = Department::open(ground).await.unwrap();
        let behind = |actor: &Actor| {
            let server = actor.server(Program::Registry);
            Server::new(url, server.tls.clone(), server.session.clone())
        };
        let (mut officers, mut actors) = (Vec::new(), Vec::new());
        for school in &ground.data.province.schools {
            let officer = department.officer_of(school).await.unwrap();
            let client = department.vendor_of(&officer, school).await.unwrap();
            actors.push(ground.sign_in(client.proof()).await.unwrap());
            officers.push(behind(&officer));
        }
        let centre = ground.sign_in(department.consumer().await.unwrap().proof()).await.unwrap();
        Self {
            officer: officers.remove(0),
            consumer: behind(&centre),
            vendors: actors.iter().map(behind).collect(),
            actors,
            centre,
        }
    }

    /// The vendor of a school at the stack's own addresses.
    pub fn vendor(&self, n: usize) -> &Actor {
        &self.actors[n]
    }

    /// The consumer at the stack's own addresses.
    pub fn consumer(&self) -> &Actor {
        &self.centre
    }
}
