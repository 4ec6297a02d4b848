//! State behind one lock, and the table of paths.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::from_fn_with_state;
use axum::routing::{MethodRouter, get, post};

use crate::config::Config;
use crate::control;
use crate::faults::{self, Endpoint, Faults};
use crate::moet::{self, Ministry};
use crate::npd::{self, population::Population};
use crate::tally::Tally;

/// A full batch of 500 records of every field of the pupil table is about 3 MB.
const MAX_BODY: usize = 8 << 20;

/// What handlers share.
pub(crate) type Shared = Arc<Sim>;

/// Settings, and everything that changes.
pub(crate) struct Sim {
    pub(crate) config: Config,
    world: Mutex<World>,
}

/// Everything that changes. One lock: calls are short, never wait inside, and their order is what makes a run repeatable.
pub(crate) struct World {
    pub(crate) ministry: Ministry,
    pub(crate) population: Population,
    pub(crate) faults: Faults,
    pub(crate) tally: Tally,
}

impl Sim {
    pub(crate) fn new(config: Config, population: Population) -> Shared {
        let world = World {
            ministry: Ministry::default(),
            population,
            faults: Faults::default(),
            tally: Tally::default(),
        };
        Arc::new(Self { config, world: Mutex::new(world) })
    }

    /// The lock. A handler that panicked left at worst one half-applied batch, which a simulator may show.
    pub(crate) fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Every path; those of the two systems can be made to fail, the control interface cannot.
pub(crate) fn router(sim: Shared) -> Router {
    let failing = |endpoint: Endpoint, methods: MethodRouter<Shared>| {
        methods.layer(from_fn_with_state((sim.clone(), endpoint), faults::inject))
    };
    Router::new()
        .route("/moet/oauth/token", failing(Endpoint::OauthToken, post(moet::token::issue)))
        .route("/moet/api/TiepNhan", failing(Endpoint::TiepNhan, post(moet::receive::receive)))
        .route("/moet/api/DoiSoat", failing(Endpoint::DoiSoat, get(moet::readback::read_back)))
        .route("/moet/api/GET_DM", failing(Endpoint::GetDm, get(moet::catalogue::catalogue)))
        .route("/npd/xac-thuc", failing(Endpoint::XacThuc, post(npd::verify)))
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .merge(control::router())
        .with_state(sim)
}
