//! EnrolmentService.
use super::store::{self, Asked, TransferRow};
use eduhub_auth::{Gate, caller};
use eduhub_faults::Fault;
use eduhub_paging as paging;
use eduhub_pg::{DbError, PgPool};
use eduhub_proto::{
    common::v1::DataDomain,
    registry::v1::{
        ListTransfersRequest, ListTransfersResponse, Transfer, TransferDirection, TransferState,
        enrolment_service_server::EnrolmentService,
    },
};
use std::sync::Arc;
use time::Date;
use tonic::{Request, Response, Status};
use uuid::Uuid;

/// The service.
pub struct Enrolments {
    /// Database.
    pub pool: PgPool,
    /// Access checks.
    pub gate: Gate,
    /// Business date.
    pub today: Arc<dyn Fn() -> Date + Send + Sync>,
}

use TransferDirection::{Incoming, Outgoing};

/// Place in the list: direction, then enrolment.
fn place(token: Option<String>) -> (TransferDirection, Uuid) {
    let parsed = token.as_deref().and_then(|t| Some((t.split_at_checked(1)?.0, t.get(1..)?)));
    match parsed.map(|(way, id)| (way, Uuid::parse_str(id).unwrap_or_default())) {
        Some(("i", id)) => (Incoming, id),
        Some((_, id)) => (Outgoing, id),
        None => (Outgoing, Uuid::nil()),
    }
}

fn transfer(row: TransferRow, direction: TransferDirection, today: Date) -> Transfer {
    let state = match (row.moved_out_on, row.moved_in_on) {
        (Some(_), Some(_)) => TransferState::Matched,
        _ if row.inside => TransferState::Open,
        _ => TransferState::Outside,
    };
    let since = row.moved_out_on.or(row.moved_in_on).filter(|_| state == TransferState::Open);
    let days = since.map_or(0, |since| (today - since).whole_days().max(0));
    let text = |date: Option<Date>| date.map(|d| d.to_string()).unwrap_or_default();
    Transfer {
        student_code: row.student_code,
        direction: direction as i32,
        state: state as i32,
        from_school: row.from_school.unwrap_or_default(),
        to_school: row.to_school.unwrap_or_default(),
        grade: row.grade,
        moved_out_on: text(row.moved_out_on),
        moved_in_on: text(row.moved_in_on),
        days_open: u32::try_from(days).unwrap_or(u32::MAX),
    }
}

#[tonic::async_trait]
impl EnrolmentService for Enrolments {
    async fn list_transfers(
        &self,
        request: Request<ListTransfersRequest>,
    ) -> Result<Response<ListTransfersResponse>, Status> {
        let caller = caller(&request)?;
        let r = request.into_inner();
        self.gate.school(&caller, &r.school_code, DataDomain::Pupil).await?;
        if r.school_year == 0 {
            return Err(Fault::invalid("school_year", "required").into());
        }
        let size = paging::size(r.page_size, 100, 500)?;
        let filter = format!("transfers/{}/{}/{}/{}", r.school_code, r.school_year, r.direction, r.state);
        let (first, mut after) = place(paging::after(&filter, &r.page_token)?);
        let mut conn = self.pool.acquire().await.map_err(|e| Fault::from(DbError::from(e)))?;
        let (mut transfers, mut last) = (Vec::new(), None);
        for direction in [Outgoing, Incoming] {
            let asked_for = r.direction == 0 || r.direction == direction as i32;
            if !asked_for || (first == Incoming && direction == Outgoing) {
                continue;
            }
            let limit = size - transfers.len() as i64;
            let asked = Asked {
                school_code: &r.school_code,
                school_year: r.school_year,
                state: r.state,
                after,
                limit,
            };
            let rows = match direction {
                Incoming => store::incoming(&mut conn, &asked).await,
                _ => store::outgoing(&mut conn, &asked).await,
            };
            let rows = rows.map_err(Fault::from)?;
            last = rows.last().map(|row| (direction, row.record_id)).or(last);
            let today = (self.today)();
            transfers.extend(rows.into_iter().map(|row| transfer(row, direction, today)));
            if transfers.len() as i64 == size {
                break;
            }
            after = Uuid::nil();
        }
        let next_page_token = match last {
            Some((direction, id)) if transfers.len() as i64 == size => {
                paging::token(&filter, &format!("{}{id}", if direction == Incoming { 'i' } else { 'o' }))
            }
            _ => String::new(),
        };
        Ok(Response::new(ListTransfersResponse { transfers, next_page_token }))
    }
}
