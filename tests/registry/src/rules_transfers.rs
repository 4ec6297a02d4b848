//! Transfers: a move out and a move in, on both schools' lists.
use crate::{
    hub::{Hub, OTHER, SCHOOL, YEAR},
    make::{self, Wrap},
    pushing::{push_one, refusal},
};
use eduhub_auth::testing::Persona;
use eduhub_faults::Reason;
use eduhub_proto::{
    common::v1::DataDomain,
    registry::v1::{
        Enrolment, ListTransfersRequest, Pupil, Transfer, TransferDirection, TransferState,
        enrolment_service_client::EnrolmentServiceClient,
    },
};
use tonic::Code;

/// A school of another province.
const ELSEWHERE: &str = "01000010001";

fn client(hub: &Hub, persona: &Persona) -> EnrolmentServiceClient<eduhub_testkit::BearerChannel> {
    EnrolmentServiceClient::new(hub.channel(persona))
}

fn asked(school: &str) -> ListTransfersRequest {
    ListTransfersRequest { school_code: school.into(), school_year: YEAR, ..Default::default() }
}

async fn list(hub: &Hub, request: ListTransfersRequest) -> Vec<Transfer> {
    let persona = Persona::vendor(&request.school_code);
    client(hub, &persona).list_transfers(request).await.unwrap().into_inner().transfers
}

/// Pupil, direction, state, from, to of the transfers of a school.
async fn seen(hub: &Hub, school: &str) -> Vec<(String, TransferDirection, TransferState, String, String)> {
    let all = list(hub, asked(school)).await.into_iter();
    all.map(|t| (t.student_code.clone(), t.direction(), t.state(), t.from_school, t.to_school)).collect()
}

fn out(n: u32, to: Option<&str>) -> Enrolment {
    Enrolment {
        student_status: "04".into(),
        status_on: "2026-10-23".into(),
        to_school: to.map(str::to_owned),
        ..make::enrolment(n, "6A1")
    }
}

fn come(n: u32, from: &str) -> Enrolment {
    Enrolment {
        enrolment_id: format!("DEN{n:06}"),
        student_status: "02".into(),
        enrolment_type: "3".into(),
        status_on: "2026-10-26".into(),
        from_school: Some(from.into()),
        ..make::enrolment(n, "6A1")
    }
}

use TransferDirection::{Incoming, Outgoing};
use TransferState::{Matched, Open, Outside};

fn expect(
    n: u32,
    way: TransferDirection,
    state: TransferState,
    from: &str,
    to: &str,
) -> (String, TransferDirection, TransferState, String, String) {
    (make::code(n), way, state, from.to_owned(), to.to_owned())
}

#[tokio::test]
async fn a_move_out_is_open_on_both_lists_until_the_move_in_comes() {
    let hub = Hub::start().await;
    push_one(&hub, SCHOOL, make::small_school(1..3)).await;
    push_one(&hub, OTHER, vec![make::campus().wrap(), make::class("6A1").wrap()]).await;
    push_one(&hub, SCHOOL, vec![out(1, Some(OTHER)).wrap()]).await;
    assert_eq!(seen(&hub, SCHOOL).await, [expect(1, Outgoing, Open, SCHOOL, OTHER)]);
    assert_eq!(seen(&hub, OTHER).await, [expect(1, Incoming, Open, SCHOOL, OTHER)]);
    let open = list(&hub, asked(OTHER)).await.remove(0);
    assert_eq!(
        (open.moved_out_on.as_str(), open.moved_in_on.as_str(), open.days_open),
        ("2026-10-23", "", 30)
    );

    push_one(&hub, OTHER, vec![make::pupil(1).wrap(), come(1, SCHOOL).wrap()]).await;
    assert_eq!(seen(&hub, SCHOOL).await, [expect(1, Outgoing, Matched, SCHOOL, OTHER)]);
    assert_eq!(seen(&hub, OTHER).await, [expect(1, Incoming, Matched, SCHOOL, OTHER)]);
    let matched = list(&hub, asked(SCHOOL)).await.remove(0);
    assert_eq!((matched.moved_in_on.as_str(), matched.days_open), ("2026-10-26", 0));
    // Studying on at the new school does not open it again.
    let on = Enrolment { student_status: "01".into(), ..come(1, SCHOOL) };
    push_one(&hub, OTHER, vec![on.wrap()]).await;
    assert_eq!(seen(&hub, SCHOOL).await, [expect(1, Outgoing, Matched, SCHOOL, OTHER)]);
}

#[tokio::test]
async fn who_came_unsent_is_open_on_the_list_of_the_school_that_has_him() {
    let hub = Hub::start().await;
    push_one(&hub, SCHOOL, make::small_school(1..2)).await;
    push_one(&hub, OTHER, vec![make::campus().wrap(), make::class("6A1").wrap()]).await;
    let all =
        vec![make::pupil(1).wrap(), come(1, SCHOOL).wrap(), make::pupil(7).wrap(), come(7, ELSEWHERE).wrap()];
    push_one(&hub, OTHER, all).await;
    let (first, outside) =
        (expect(1, Incoming, Open, SCHOOL, OTHER), expect(7, Incoming, Outside, ELSEWHERE, OTHER));
    assert_eq!(seen(&hub, OTHER).await, [first, outside.clone()]);
    assert_eq!(seen(&hub, SCHOOL).await, [], "the pupil still studies there: a double enrolment says so");
    // Sent without saying where to.
    push_one(&hub, SCHOOL, vec![out(1, None).wrap()]).await;
    assert_eq!(seen(&hub, OTHER).await, [expect(1, Incoming, Matched, SCHOOL, OTHER), outside]);
    assert_eq!(seen(&hub, SCHOOL).await, [expect(1, Outgoing, Matched, SCHOOL, OTHER)]);
}

#[tokio::test]
async fn a_pupil_without_a_code_yet_is_known_by_the_number() {
    let hub = Hub::start().await;
    push_one(&hub, SCHOOL, make::small_school(1..2)).await;
    push_one(&hub, SCHOOL, vec![out(1, Some(OTHER)).wrap()]).await;
    let code = "TAM-000009".to_owned();
    let pupil = Pupil { student_code: code.clone(), ..make::pupil(1) };
    let came = Enrolment { student_code: code, ..come(1, SCHOOL) };
    push_one(&hub, OTHER, vec![make::campus().wrap(), make::class("6A1").wrap(), pupil.wrap(), came.wrap()])
        .await;
    assert_eq!(seen(&hub, SCHOOL).await, [expect(1, Outgoing, Matched, SCHOOL, OTHER)]);
    assert_eq!(seen(&hub, OTHER).await, [expect(1, Incoming, Matched, SCHOOL, OTHER)]);
}

#[tokio::test]
async fn lists_come_in_pages_by_direction_and_state() {
    let hub = Hub::start().await;
    push_one(&hub, SCHOOL, make::small_school(1..8)).await;
    let moves = (1..6).map(|n| out(n, Some(if n == 5 { ELSEWHERE } else { OTHER })).wrap());
    push_one(&hub, SCHOOL, moves.collect()).await;
    let back =
        vec![make::campus().wrap(), make::class("6A1").wrap(), make::pupil(2).wrap(), come(2, SCHOOL).wrap()];
    push_one(&hub, OTHER, back).await;
    push_one(&hub, SCHOOL, vec![come(6, OTHER).wrap(), come(7, ELSEWHERE).wrap()]).await;
    let codes = |all: &[Transfer]| all.iter().map(|t| t.student_code.clone()).collect::<Vec<_>>();
    let all = list(&hub, asked(SCHOOL)).await;
    assert_eq!(codes(&all), [1, 2, 3, 4, 5, 6, 7].map(make::code));
    for size in [1, 2, 5, 7] {
        let (mut token, mut paged) = (String::new(), Vec::new());
        loop {
            let request = ListTransfersRequest { page_size: size, page_token: token, ..asked(SCHOOL) };
            let page =
                client(&hub, &Persona::vendor(SCHOOL)).list_transfers(request).await.unwrap().into_inner();
            assert!(page.transfers.len() <= size as usize);
            paged.extend(page.transfers);
            token = page.next_page_token;
            if token.is_empty() {
                break;
            }
        }
        assert_eq!(paged, all, "pages of {size}");
    }
    let filtered = async |direction: TransferDirection, state: TransferState| {
        let (direction, state) = (direction as i32, state as i32);
        codes(&list(&hub, ListTransfersRequest { direction, state, ..asked(SCHOOL) }).await)
    };
    assert_eq!(filtered(Outgoing, Open).await, [1, 3, 4].map(make::code));
    assert_eq!(filtered(Outgoing, Matched).await, [2].map(make::code));
    assert_eq!(filtered(Outgoing, Outside).await, [5].map(make::code));
    assert_eq!(filtered(Incoming, TransferState::Unspecified).await, [6, 7].map(make::code));
    assert_eq!(filtered(TransferDirection::Unspecified, Open).await, [1, 3, 4, 6].map(make::code));
}

#[tokio::test]
async fn a_list_is_its_schools() {
    let hub = Hub::start().await;
    let call = async |persona: Persona, request| client(&hub, &persona).list_transfers(request).await;
    let foreign = call(Persona::vendor(OTHER), asked(SCHOOL)).await;
    assert_eq!(refusal(foreign), (Code::NotFound, Reason::SchoolNotFound));
    let staff = call(Persona::vendor(SCHOOL).domains(&[DataDomain::Staff]), asked(SCHOOL)).await;
    assert_eq!(refusal(staff), (Code::PermissionDenied, Reason::Forbidden));
    let yearless = ListTransfersRequest { school_year: 0, ..asked(SCHOOL) };
    let yearless = call(Persona::vendor(SCHOOL), yearless).await;
    assert_eq!(refusal(yearless), (Code::InvalidArgument, Reason::InvalidRequest));
}
