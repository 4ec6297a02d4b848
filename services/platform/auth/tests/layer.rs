//! The layer before real tonic routes: identity's own public and protected RPCs, with a handler that says who came.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on must fail")]
use eduhub_auth::policy::{Row, ScopeRule, Table};
use eduhub_auth::testing::{Persona, TokenMint};
use eduhub_auth::{AuthLayer, Role};
use eduhub_faults::{Reason, reason_of};
use eduhub_runtime::server::layered;
use http::Request;
use tonic::Status;
use tonic::body::Body;
use tonic::service::Routes;
use tower::ServiceExt;

/// Not part of any service: the rows only need real paths.
static ROWS: &[Row] = &[
    Row::public("/eduhub.facility.v1.Nothing/Public"),
    Row::allow("/eduhub.facility.v1.Nothing/ForVendors", &[Role::Vendor], ScopeRule::School),
];

/// A table cannot be made of rows without RPC; so this one is made of the first RPC of a real package.
#[test]
fn rows_that_are_no_rpc_make_no_table() {
    let gaps = Table::complete(ROWS, "eduhub.no.such.package").expect_err("must be refused");
    assert_eq!(gaps.lines.len(), 2, "{gaps}");
}

const GET_POSITION: &str = "/eduhub.facility.v1.RecordService/GetPosition";
const GET_KEYS: &str = "/eduhub.facility.v1.IngestService/GetReceiptKeys";

fn table() -> Table {
    use eduhub_proto::DESCRIPTORS;
    use prost::Message;
    let set = prost_types::FileDescriptorSet::decode(DESCRIPTORS).unwrap();
    let files = set.file.iter().filter(|file| file.package() == "eduhub.facility.v1");
    let rows = files.flat_map(|file| &file.service).flat_map(|service| {
        service.method.iter().map(|method| {
            let path = format!("/eduhub.facility.v1.{}/{}", service.name(), method.name());
            let path: &'static str = Box::leak(path.into_boxed_str());
            if path == GET_KEYS {
                Row::public(path)
            } else {
                Row::allow(path, &[Role::Vendor], ScopeRule::School)
            }
        })
    });
    let rows: &'static [Row] = Box::leak(rows.collect::<Vec<_>>().into_boxed_slice());
    Table::complete(rows, "eduhub.facility.v1").unwrap()
}

/// Answers with the principal in a header, as a handler would find it.
async fn who(request: Request<axum::body::Body>) -> http::Response<Body> {
    let caller = eduhub_auth::shared(request.extensions());
    let sub = caller.map_or_else(|_| "nobody".to_owned(), |caller| caller.sub.clone());
    http::Response::builder().header("who", sub).header("grpc-status", "0").body(Body::empty()).unwrap()
}

async fn call(mint: &TokenMint, path: &str, token: Option<String>) -> http::Response<Body> {
    let router = axum::Router::new()
        .route(GET_POSITION, axum::routing::any(who))
        .route(GET_KEYS, axum::routing::any(who))
        .route("/eduhub.facility.v1.RecordService/Secret", axum::routing::any(who));
    let routes = layered(Routes::from(router), AuthLayer::new(mint.verifier(), table()));
    let mut request = Request::post(path).header("content-type", "application/grpc");
    if let Some(token) = token {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    routes.prepare().oneshot(request.body(Body::empty()).unwrap()).await.unwrap()
}

fn refused(response: &http::Response<Body>) -> Option<Reason> {
    assert_eq!(response.status(), 200, "gRPC refusals are trailers, not HTTP errors");
    assert_eq!(response.headers()["content-type"], "application/grpc");
    let status = Status::from_header_map(response.headers()).unwrap();
    reason_of(&status)
}

#[tokio::test]
async fn the_caller_reaches_the_handler_only_through_its_row() {
    let mint = TokenMint::new().unwrap();
    let vendor = Persona::vendor("37000001");
    let token = |persona: &Persona| Some(mint.token(persona).unwrap());

    assert_eq!(call(&mint, GET_KEYS, None).await.headers()["who"], "nobody");
    assert_eq!(call(&mint, GET_POSITION, token(&vendor)).await.headers()["who"], vendor.0.sub.as_str());

    let response = call(&mint, GET_POSITION, None).await;
    assert_eq!(refused(&response), Some(Reason::Unauthenticated));
    let response = call(&mint, GET_POSITION, token(&Persona::admin())).await;
    assert_eq!(refused(&response), Some(Reason::Forbidden));
    assert!(response.headers().get("who").is_none());
}

#[tokio::test]
async fn a_path_without_row_reaches_no_handler() {
    let mint = TokenMint::new().unwrap();
    let token = mint.token(&Persona::vendor("37000001")).unwrap();
    let response = call(&mint, "/eduhub.facility.v1.RecordService/Secret", Some(token)).await;
    assert_eq!(Status::from_header_map(response.headers()).unwrap().code(), tonic::Code::Unimplemented);
    assert!(response.headers().get("who").is_none());
}
