//! RPCs on routes.

use eduhub_faults::{Fault, Reason};
use eduhub_pg::{Failure, PgConnection, PgPool};
use eduhub_proto::approval::v1::route_service_server::RouteService;
use eduhub_proto::approval::v1::{
    ListRoutesRequest, ListRoutesResponse, PutRouteRequest, Route as WireRoute,
};
use tonic::{Request, Response, Status};

use super::model::Route;
use super::{RouteBook, store, wire};
use crate::database;

/// `eduhub.approval.v1.RouteService`.
pub struct Routes {
    pool: PgPool,
    book: RouteBook,
}

impl Routes {
    /// Serves routes from this pool; `book` is told of changes.
    pub fn new(pool: PgPool, book: RouteBook) -> Self {
        Self { pool, book }
    }
}

#[tonic::async_trait]
impl RouteService for Routes {
    async fn list_routes(
        &self,
        request: Request<ListRoutesRequest>,
    ) -> Result<Response<ListRoutesResponse>, Status> {
        let valid_on = request.into_inner().valid_on;
        let day = wire::day(&valid_on);
        if day.is_none() && !valid_on.is_empty() {
            return Err(Fault::invalid("valid_on", "a date, YYYY-MM-DD, or empty").into());
        }
        let read = database::read(&self.pool, |conn| {
            Box::pin(async move { Ok((store::all(&mut *conn).await?, store::offices(conn).await?)) })
        });
        let (routes, offices) = read.await?;
        let wanted = routes.into_iter().filter(|route| day.is_none_or(|day| route.holds.on(day)));
        Ok(Response::new(ListRoutesResponse {
            routes: wanted.map(wire::route_to_wire).collect(),
            offices: offices.into_iter().map(wire::office_to_wire).collect(),
        }))
    }

    async fn put_route(&self, request: Request<PutRouteRequest>) -> Result<Response<WireRoute>, Status> {
        let by = eduhub_auth::caller(&request)?.sub;
        let PutRouteRequest { route, expected_version } = request.into_inner();
        let route = wire::route_from_wire(route)?;
        let write = database::write(&self.pool, move |conn| {
            Box::pin(async move { put(conn, &route, expected_version, &by).await })
        });
        let stored = write.await?;
        self.book.changed().await;
        Ok(Response::new(wire::route_to_wire(stored)))
    }
}

async fn put(
    conn: &mut PgConnection,
    route: &Route,
    expected_version: i64,
    by: &str,
) -> Result<Route, Failure> {
    store::lock(&mut *conn).await?;
    let mistakes = route.mistakes(&store::offices(&mut *conn).await?);
    let fault = Fault::new(Reason::InvalidRequest);
    mistakes.iter().fold(fault, |fault, (field, what)| fault.violation(field, what)).into_result()?;
    let others = store::all(&mut *conn).await?;
    let version = others.iter().find(|other| other.id == route.id).map_or(0, |own| own.version);
    if version != expected_version {
        return Err(Fault::new(Reason::Conflict).meta("version", version).into());
    }
    if let Some(other) = others.iter().find(|other| other.id != route.id && other.holds.clashes(&route.holds))
    {
        return Err(Fault::new(Reason::AlreadyExists).meta("route_id", other.id).into());
    }
    store::put(&mut *conn, route, by).await?;
    let stored = store::get(conn, route.id).await?;
    stored.ok_or_else(|| Fault::internal("a route that was just stored is not there").into())
}
