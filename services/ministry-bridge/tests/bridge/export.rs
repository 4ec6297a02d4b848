use std::io::Cursor;

use calamine::{Data, Reader, Xlsx};
use eduhub_auth::testing::Persona;
use eduhub_faults::Reason;
use eduhub_proto::approval::v1::SubmissionState;
use eduhub_proto::bridge::v1 as pb;
use eduhub_proto::bridge::v1::export_part::Part;
use eduhub_proto::common::v1::{Dataset, Sensitivity};
use eduhub_proto::registry::v1::Code as ListedCode;
use pb::{ExportHead, LedgerState, TransferMode, TransferState};
use sha2::{Digest, Sha256};
use tonic::{Code, Status};

use crate::data::{SCHOOL, room, school_with};
use crate::lab::{Lab, count, refused, until};

async fn exported(lab: &Lab) -> pb::Transfer {
    let id = lab.submission(Dataset::Facilities, SubmissionState::Approved);
    let rooms = (0..20).map(|n| room(&format!("P{n:03}"))).collect();
    lab.seals.state().rooms.insert(id.to_string(), rooms);
    let code = |list: &str, code: &str, name: &str, to: &str| ListedCode {
        list: list.to_owned(),
        code: code.to_owned(),
        name: name.to_owned(),
        valid_from: String::new(),
        valid_to: to.to_owned(),
        ..ListedCode::default()
    };
    lab.codes.state().codes = vec![
        code("DM_LOAI_PHONG", "01", "Phòng học", ""),
        code("DM_LOAI_PHONG", "05", "Phòng tin học", ""),
        code("DM_LOAI_PHONG", "77", "Phòng cũ", "2020-01-01"),
        code("DM_CAP_CONG_TRINH", "1", "Trên cấp 4", ""),
    ];
    let started = lab.start_transfer(id).await;
    lab.in_state(&started.transfer_id, TransferState::Exported).await
}

async fn fetch(lab: &Lab, by: &Persona, transfer_id: &str) -> Result<(ExportHead, Vec<u8>), Status> {
    let request = pb::GetExportRequest { transfer_id: transfer_id.to_owned() };
    let mut parts = lab.transfers().get_export(lab.by(by, request)).await?.into_inner();
    let Some(Part::Head(head)) = parts.message().await?.and_then(|p| p.part) else { panic!("no head first") };
    let mut file = Vec::new();
    while let Some(part) = parts.message().await? {
        let Some(Part::Data(bytes)) = part.part else { panic!("a second head") };
        assert!(bytes.len() <= 64 << 10);
        file.extend(bytes);
    }
    Ok((head, file))
}

#[tokio::test]
async fn rooms_leave_as_a_workbook_with_their_code_lists() {
    let lab = Lab::start().await;
    let transfer = exported(&lab).await;
    assert_eq!((transfer.mode(), count(&transfer, LedgerState::Exported)), (TransferMode::Manual, 20));
    let (head, file) = fetch(&lab, &Persona::school_officer(SCHOOL), &transfer.transfer_id).await.unwrap();
    assert_eq!(head.file_name, "Trường THCS Hoa Lư_Cơ sở vật chất.xlsx");
    assert_eq!((head.records, head.size_bytes), (20, file.len() as u64));
    assert_eq!(head.sha256, Sha256::digest(&file).to_vec());

    let mut book: Xlsx<_> = Xlsx::new(Cursor::new(file)).unwrap();
    assert_eq!(book.sheet_names(), ["Phòng", "DM_CAP_CONG_TRINH", "DM_LOAI_PHONG"]);
    let rooms = book.worksheet_range("Phòng").unwrap();
    let text = |s: &str| Data::String(s.to_owned());
    let rows: Vec<&[Data]> = rooms.rows().collect();
    let headers = [
        "Mã phòng",
        "Tên phòng",
        "Loại phòng",
        "Mã điểm trường",
        "Diện tích (m2)",
        "Cấp công trình",
        "Sức chứa",
        "Đạt chuẩn",
    ];
    assert_eq!(rows[0], headers.map(text));
    assert_eq!(rows.len(), 21);
    let expected = [
        text("P004"),
        text("Phòng P004"),
        text("01"),
        text("00"),
        Data::Float(48.5),
        text("1"),
        Data::Float(45.0),
        text("Có"),
    ];
    assert_eq!(rows[5], expected, "leading zeros stay");
    let types = book.worksheet_range("DM_LOAI_PHONG").unwrap();
    assert_eq!(types.rows().count(), 3, "a retired code is not offered");
    assert_eq!(types.rows().nth(2).unwrap(), [text("05"), text("Phòng tin học")]);
}

#[tokio::test]
async fn the_school_confirms_that_it_keyed_exactly_this_workbook_in() {
    let lab = Lab::start().await;
    let transfer = exported(&lab).await;
    let (head, _) = fetch(&lab, &Persona::school_officer(SCHOOL), &transfer.transfer_id).await.unwrap();
    let confirm =
        |sha256: Vec<u8>| pb::ConfirmEnteredRequest { transfer_id: transfer.transfer_id.clone(), sha256 };
    let wrong = lab.transfers().confirm_entered(lab.by_school(confirm(vec![0; 32]))).await;
    assert_eq!(refused(wrong), (Code::FailedPrecondition, Reason::DigestMismatch));
    assert_eq!(lab.get(&transfer.transfer_id).await.state(), TransferState::Exported);
    for _ in 0..2 {
        let done =
            lab.transfers().confirm_entered(lab.by_school(confirm(head.sha256.clone()))).await.unwrap();
        assert_eq!(count(done.get_ref(), LedgerState::Entered), 20);
        assert_eq!(done.get_ref().state(), TransferState::Done);
    }
    until("the report", || async { lab.get(&transfer.transfer_id).await.reported.then_some(()) }).await;
    assert_eq!(lab.approval.state().told[0].note, "20 entered");
    let requeue = pb::RequeueDeadRequest { transfer_id: transfer.transfer_id.clone() };
    let requeued = lab.transfers().requeue_dead(lab.by_school(requeue)).await;
    assert_eq!(refused(requeued), (Code::FailedPrecondition, Reason::WrongState));
}

#[tokio::test]
async fn a_dataset_is_switched_by_configuration_alone() {
    let lab = Lab::start().await;
    let set = |dataset: Dataset, mode: TransferMode| {
        let request = pb::SetCapabilityRequest { dataset: dataset.into(), mode: mode.into() };
        lab.by(&Persona::admin(), request)
    };
    let list = || async {
        let request = lab.by_school(pb::ListCapabilitiesRequest {});
        lab.capabilities().list_capabilities(request).await.unwrap().into_inner().capabilities
    };
    let modes: Vec<_> = list().await.iter().map(pb::Capability::mode).collect();
    assert_eq!(modes, [TransferMode::Api, TransferMode::Api, TransferMode::Api, TransferMode::Manual]);

    lab.capabilities().set_capability(set(Dataset::Pupils, TransferMode::Manual)).await.unwrap();
    assert_eq!(list().await[0].mode(), TransferMode::Manual, "the cache does not hide it");
    let started = lab.start_transfer(lab.approved(Dataset::Pupils, school_with(1, 3))).await;
    let transfer = lab.in_state(&started.transfer_id, TransferState::Exported).await;
    let officer = Persona::school_officer(SCHOOL);
    let (_, file) = fetch(&lab, &officer, &transfer.transfer_id).await.unwrap();
    let book: Xlsx<_> = Xlsx::new(Cursor::new(file)).unwrap();
    assert_eq!(book.sheet_names()[..4], ["Cơ sở giáo dục", "Điểm trường", "Lớp", "Học sinh"]);
    // It holds personal IDs: only for those who may see them.
    let careful = officer.max_class(Sensitivity::Sensitive);
    let answer = fetch(&lab, &careful, &transfer.transfer_id).await;
    assert_eq!(answer.unwrap_err().code(), Code::PermissionDenied);

    let unspecified = set(Dataset::Unspecified, TransferMode::Unspecified);
    let answer = lab.capabilities().set_capability(unspecified).await;
    assert_eq!(refused(answer), (Code::InvalidArgument, Reason::InvalidRequest));
}

#[tokio::test]
async fn an_api_that_is_not_open_yet_refuses_every_room_with_its_reason() {
    let lab = Lab::start().await;
    let open =
        pb::SetCapabilityRequest { dataset: Dataset::Facilities.into(), mode: TransferMode::Api.into() };
    lab.capabilities().set_capability(lab.by(&Persona::admin(), open)).await.unwrap();
    let id = lab.submission(Dataset::Facilities, SubmissionState::Approved);
    let rooms = (0..4).map(|n| room(&format!("P{n}"))).collect();
    lab.seals.state().rooms.insert(id.to_string(), rooms);
    let started = lab.start_transfer(id).await;
    let done = lab.in_state(&started.transfer_id, TransferState::Done).await;
    assert_eq!(count(&done, LedgerState::Rejected), 4);
    assert!(lab.ledger(&done.transfer_id).await.iter().all(|e| e.code == "CHUA_MO" && !e.message.is_empty()));
    let export = fetch(&lab, &Persona::school_officer(SCHOOL), &done.transfer_id).await;
    assert_eq!(export.unwrap_err().code(), Code::FailedPrecondition);
}
