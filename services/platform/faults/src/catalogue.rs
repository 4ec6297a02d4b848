//! The one table of reasons: gRPC code, error group and texts.
use eduhub_proto::common::v1::{ErrorGroup, Reason};
use tonic::Code;

/// Texts of a reason for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Text {
    /// Vietnamese.
    pub vi: &'static str,
    /// English.
    pub en: &'static str,
}

struct Entry(Reason, Code, ErrorGroup, &'static str, &'static str);

use Code::{
    Aborted, AlreadyExists, DataLoss, DeadlineExceeded, FailedPrecondition, Internal, InvalidArgument,
    NotFound, OutOfRange, PermissionDenied, ResourceExhausted, Unauthenticated, Unavailable,
};
use ErrorGroup::{
    Duplicate, Format, Logic, Missing, NationalReference, Outlier, Reference, Stale, Unspecified,
};

#[rustfmt::skip]
static TABLE: &[Entry] = &[
    Entry(Reason::Missing, InvalidArgument, Missing, "Thiếu giá trị", "Value is missing"),
    Entry(Reason::TooLong, InvalidArgument, Format, "Dài quá mức cho phép", "Longer than allowed"),
    Entry(Reason::TooShort, InvalidArgument, Format, "Ngắn hơn mức cho phép", "Shorter than allowed"),
    Entry(Reason::BadFormat, InvalidArgument, Format, "Sai định dạng", "Not in the required form"),
    Entry(Reason::OutOfRange, InvalidArgument, Outlier, "Giá trị nằm ngoài khoảng cho phép", "Value is out of the allowed range"),
    Entry(Reason::BadDate, InvalidArgument, Format, "Ngày không hợp lệ; cần dạng NĂM-THÁNG-NGÀY, ví dụ 2015-09-05", "Not a valid date; write YYYY-MM-DD, e.g. 2015-09-05"),
    Entry(Reason::NotNfc, InvalidArgument, Format, "Chữ chưa ở dạng Unicode dựng sẵn (NFC)", "Text is not in Unicode normal form C (NFC)"),
    Entry(Reason::BadSpacing, InvalidArgument, Format, "Thừa khoảng trắng hoặc có ký tự điều khiển", "Extra spaces or control characters"),
    Entry(Reason::DigitInName, InvalidArgument, Format, "Họ tên có chữ số", "Name contains digits"),
    Entry(Reason::PersonalIdLength, InvalidArgument, Format, "Số định danh cá nhân phải có đúng 12 chữ số (kiểm tra số 0 ở đầu)", "Personal ID must have exactly 12 digits (check for a lost leading zero)"),
    Entry(Reason::PersonalIdNotDigits, InvalidArgument, Format, "Số định danh cá nhân chỉ gồm chữ số (kiểm tra chữ O thay số 0)", "Personal ID must hold digits only (check for a letter O instead of 0)"),
    Entry(Reason::RetiredField, InvalidArgument, Stale, "Trường thông tin này không còn dùng từ ngày của bản ghi; hãy để trống", "Field no longer exists on the record's date; leave it empty"),
    Entry(Reason::UnknownField, InvalidArgument, Format, "Trường thông tin không có trong phiên bản giao diện này nên không được lưu", "Field is not known to this version of the API and was not stored"),
    Entry(Reason::NotAtLevel, InvalidArgument, Logic, "Trường thông tin không dùng cho cấp học này", "Field does not exist at this level of education"),
    Entry(Reason::UnknownCode, InvalidArgument, Reference, "Mã không có trong danh mục", "Code is not in the code list"),
    Entry(Reason::RetiredCode, InvalidArgument, Reference, "Mã đã hết hiệu lực", "Code is no longer valid"),
    Entry(Reason::ParentMissing, FailedPrecondition, Reference, "Chờ bản ghi cha chưa có", "Waits for a parent record that is not here yet"),
    Entry(Reason::HeldExpired, FailedPrecondition, Reference, "Hết thời hạn chờ bản ghi cha", "Waited too long for its parent record"),
    Entry(Reason::DuplicateInBatch, InvalidArgument, Duplicate, "Trùng khóa trong cùng một lô với nội dung khác", "Same key twice in one batch with different content"),
    Entry(Reason::UnknownKind, InvalidArgument, Format, "Loại bản ghi không được hỗ trợ ở đây", "Kind of record is not taken here"),
    Entry(Reason::PersonalIdPrefix, InvalidArgument, Logic, "Ba số đầu của số định danh không thuộc tỉnh nào (có thể khai sinh ở nước ngoài)", "Prefix of the personal ID is in no province (may be a birth abroad)"),
    Entry(Reason::PersonalIdSex, InvalidArgument, Logic, "Giới tính không khớp với số định danh cá nhân", "Sex disagrees with the personal ID"),
    Entry(Reason::PersonalIdYear, InvalidArgument, Logic, "Năm sinh không khớp với số định danh cá nhân", "Birth year disagrees with the personal ID"),
    Entry(Reason::PersonalIdDuplicate, InvalidArgument, Duplicate, "Số định danh cá nhân trùng với người khác", "Another person has the same personal ID"),
    Entry(Reason::PopulationMismatch, InvalidArgument, NationalReference, "Không khớp với CSDL quốc gia về dân cư", "Disagrees with the national population database"),
    Entry(Reason::NameAllCaps, InvalidArgument, Format, "Họ tên viết hoa toàn bộ", "Name is in capitals only"),
    Entry(Reason::Implausible, InvalidArgument, Outlier, "Giá trị bất thường, cần kiểm tra", "Implausible value, please check"),
    Entry(Reason::PersonalIdFuture, InvalidArgument, Logic, "Số định danh cho năm sinh trong tương lai", "Personal ID gives a birth in the future"),
    Entry(Reason::StatusChange, InvalidArgument, Logic, "Trạng thái không thể chuyển từ trạng thái trước đó", "Status can't follow the one before it"),
    Entry(Reason::NotFinalGrade, InvalidArgument, Logic, "Chỉ xét tốt nghiệp ở khối cuối cấp", "Graduation is only in the last grade of a level"),
    Entry(Reason::NotInCurriculum, InvalidArgument, Logic, "Môn học không có trong chương trình của khối lớp", "The grade's curriculum does not have this subject"),
    Entry(Reason::SubjectTeacherNotActive, InvalidArgument, Reference, "Giáo viên được phân công dạy môn không có hoặc không còn làm việc tại trường", "Teacher of a subject is not in active service at the school"),
    Entry(Reason::Contradiction, InvalidArgument, Logic, "Mâu thuẫn với trường thông tin khác của bản ghi", "Contradicts another field of the record"),
    Entry(Reason::NotAsComputed, InvalidArgument, Logic, "Khác với kết quả tính theo quy chế đánh giá", "Differs from what the assessment regulation gives"),
    Entry(Reason::AgeForGrade, InvalidArgument, Outlier, "Tuổi không phù hợp với khối lớp", "Age does not fit the grade"),
    Entry(Reason::DateOrder, InvalidArgument, Logic, "Thứ tự ngày, năm không hợp lý", "Dates are in an impossible order"),
    Entry(Reason::OutsideSchoolYear, InvalidArgument, Logic, "Ngày không thuộc năm học của bản ghi", "Date is not in the school year of the record"),
    Entry(Reason::DoubleEnrolment, InvalidArgument, Duplicate, "Học sinh đang học ở hai nơi trong cùng năm học", "Pupil is in class in two enrolments of one school year"),
    Entry(Reason::ClassSize, InvalidArgument, Outlier, "Sĩ số lớp bất thường", "More pupils in the class than is plausible"),
    Entry(Reason::TeacherNotActive, InvalidArgument, Reference, "Giáo viên chủ nhiệm không có hoặc không còn làm việc tại trường", "Homeroom teacher is not in active service at the school"),
    Entry(Reason::HeightDrop, InvalidArgument, Outlier, "Chiều cao giảm so với lần đo trước", "Height fell since the measurement before"),
    Entry(Reason::NotEnrolled, InvalidArgument, Reference, "Học sinh không có quá trình học phù hợp với kết quả này", "Pupil has no enrolment that this result can belong to"),
    Entry(Reason::LikelyDuplicate, InvalidArgument, Duplicate, "Có thể trùng với một hồ sơ khác (họ tên, ngày sinh, giới tính, người giám hộ)", "Likely the same person as another record (name, birth date, sex, guardian)"),
    Entry(Reason::YearNotAsTerms, InvalidArgument, Logic, "Kết quả rèn luyện cả năm không khớp với hai học kỳ", "Conduct of the year is not what its terms give"),
    Entry(Reason::SessionMismatch, FailedPrecondition, Unspecified, "Phiên này thuộc trường, năm học, chế độ hoặc quyền khác", "Session belongs to another school, year, mode or grant"),
    Entry(Reason::BatchOutOfOrder, OutOfRange, Unspecified, "Sai thứ tự lô; xem last_batch", "Batch is not the next one; see last_batch"),
    Entry(Reason::BatchContentChanged, Aborted, Unspecified, "Số lô đã dùng với nội dung khác", "Batch number was used before with other content"),
    Entry(Reason::EndMismatch, DataLoss, Unspecified, "Số bản ghi hoặc mã băm cuối phiên không khớp", "Record count or digest at the end does not agree"),
    Entry(Reason::SessionEnded, FailedPrecondition, Unspecified, "Phiên đã kết thúc", "Session has ended"),
    Entry(Reason::Protocol, InvalidArgument, Unspecified, "Sai trình tự thông điệp", "Message out of protocol"),
    Entry(Reason::SchoolYearClosed, FailedPrecondition, Unspecified, "Năm học không mở nhận dữ liệu", "School year is not open for data"),
    Entry(Reason::BatchTooLarge, InvalidArgument, Unspecified, "Lô quá lớn", "Batch is too large"),
    Entry(Reason::SchoolNotFound, NotFound, Unspecified, "Không tìm thấy trường trong phạm vi của bạn", "No such school in your scope"),
    Entry(Reason::OptionIgnored, InvalidArgument, Unspecified, "Tùy chọn không có tác dụng trong chế độ này nên bị bỏ qua", "Option has no effect in this mode and is ignored"),
    Entry(Reason::DigestKeyChanged, FailedPrecondition, Unspecified, "Khóa băm của trường đã đổi; hãy lấy khóa mới và tính lại", "The school's digest key has changed; fetch it and make the digests anew"),
    Entry(Reason::CodeMappingChanged, FailedPrecondition, Unspecified, "Bảng quy đổi mã đã có phiên bản khác; hãy đọc lại rồi gửi", "Mapping tables have another version by now; read them again"),
    Entry(Reason::Unauthenticated, Unauthenticated, Unspecified, "Thiếu hoặc sai mã truy cập", "Access token is missing or invalid"),
    Entry(Reason::Forbidden, PermissionDenied, Unspecified, "Không có quyền thực hiện", "Not allowed"),
    Entry(Reason::GrantConflict, AlreadyExists, Unspecified, "Trường đã được cấp quyền cho phần mềm khác", "The school is bound to another software's grant"),
    Entry(Reason::BadCredentials, Unauthenticated, Unspecified, "Sai thông tin đăng nhập", "Wrong credentials"),
    Entry(Reason::GrantRevoked, PermissionDenied, Unspecified, "Quyền đã bị thu hồi hoặc hết hạn", "Grant was revoked or has ended"),
    Entry(Reason::DomainOwned, PermissionDenied, Unspecified, "Lĩnh vực dữ liệu này của trường thuộc quyền của phần mềm khác", "Another software's grant owns this data of the school"),
    Entry(Reason::CursorExpired, OutOfRange, Unspecified, "Con trỏ quá cũ; hãy lấy lại toàn bộ", "Cursor is too old; take a new snapshot"),
    Entry(Reason::CursorForeign, FailedPrecondition, Unspecified, "Con trỏ của cơ sở dữ liệu khác; hãy lấy lại toàn bộ", "Cursor of another database or epoch; take a new snapshot"),
    Entry(Reason::CursorMalformed, InvalidArgument, Unspecified, "Con trỏ không đọc được", "Cursor can't be read"),
    Entry(Reason::ConsumerTooSlow, ResourceExhausted, Unspecified, "Bên nhận đọc quá chậm; hãy nối lại từ con trỏ cuối", "Consumer is too slow; resume from the last cursor"),
    Entry(Reason::WrongState, FailedPrecondition, Unspecified, "Trạng thái hiện tại không cho phép bước này", "The present state does not allow this step"),
    Entry(Reason::DigestMismatch, FailedPrecondition, Unspecified, "Mã băm không phải của bản niêm phong đang duyệt", "Digest is not that of the seal under review"),
    Entry(Reason::ReasonRequired, InvalidArgument, Unspecified, "Trả lại phải có lý do", "A return needs a reason"),
    Entry(Reason::NoRoute, FailedPrecondition, Unspecified, "Chưa có quy trình duyệt phù hợp", "No review route fits"),
    Entry(Reason::NotApproved, FailedPrecondition, Unspecified, "Hồ sơ chưa được duyệt", "Submission is not approved"),
    Entry(Reason::EmptyDataset, FailedPrecondition, Unspecified, "Chưa có dữ liệu để nộp", "The dataset holds no record"),
    Entry(Reason::HeldRecords, FailedPrecondition, Unspecified, "Còn bản ghi đang chờ bản ghi cha; hãy bổ sung hoặc xác nhận nộp thiếu", "Records still wait for a parent record; send it or accept to submit without them"),
    Entry(Reason::NotFound, NotFound, Unspecified, "Không tìm thấy", "Not found"),
    Entry(Reason::AlreadyExists, AlreadyExists, Unspecified, "Đã tồn tại", "Exists already"),
    Entry(Reason::InvalidRequest, InvalidArgument, Unspecified, "Yêu cầu không hợp lệ", "Request is not valid"),
    Entry(Reason::BadPageToken, InvalidArgument, Unspecified, "Mã trang không hợp lệ", "Page token is not valid"),
    Entry(Reason::Overloaded, ResourceExhausted, Unspecified, "Hệ thống đang quá tải, hãy thử lại", "Overloaded, try again"),
    Entry(Reason::Unavailable, Unavailable, Unspecified, "Hệ thống tạm thời gián đoạn, hãy thử lại", "Temporarily unavailable, try again"),
    Entry(Reason::Deadline, DeadlineExceeded, Unspecified, "Hết thời gian", "Deadline passed"),
    Entry(Reason::Internal, Internal, Unspecified, "Lỗi hệ thống", "Internal error"),
    Entry(Reason::Conflict, Aborted, Unspecified, "Dữ liệu vừa được thay đổi, hãy đọc lại", "Changed meanwhile, read again"),
    Entry(Reason::FormUnsigned, InvalidArgument, Unspecified, "Văn bản chưa được ký", "Form is not signed"),
];

fn entry(reason: Reason) -> &'static Entry {
    // Unspecified is never sent; it would mean a bug here, so it reads as an internal error.
    static INTERNAL: Entry = Entry(Reason::Internal, Internal, Unspecified, "Lỗi hệ thống", "Internal error");
    TABLE.iter().find(|e| e.0 == reason).unwrap_or(&INTERNAL)
}

/// gRPC code of a reason.
pub fn code(reason: Reason) -> Code {
    entry(reason).1
}

/// Error group (letter 4856/BCA-TTDLQG) of a reason.
pub fn group(reason: Reason) -> ErrorGroup {
    entry(reason).2
}

/// Texts of a reason.
pub fn texts(reason: Reason) -> Text {
    let e = entry(reason);
    Text { vi: e.3, en: e.4 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_has_one_row() {
        for n in 1..=200 {
            let Ok(reason) = Reason::try_from(n) else { continue };
            assert_eq!(TABLE.iter().filter(|e| e.0 == reason).count(), 1, "{reason:?}");
        }
        assert!(TABLE.len() > 50);
    }
}
