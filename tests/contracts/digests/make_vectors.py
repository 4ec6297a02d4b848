#!/usr/bin/env python3
"""Test vectors of the digest handshake, made from the words of proto/eduhub/common/v1/compare.proto alone.

Nothing but the standard library: every byte of the encodings is put down here by hand, so that a vendor can follow it in any
language, and so that a mistake of the hub's own encoder would show.

    python3 make_vectors.py > vectors.json        (a contract test of the repository reads the file)
"""
import hashlib
import hmac
import json
import struct
import sys


def varint(n):
    """Seven bits a byte, lowest first; a negative number as 64 bits."""
    n &= 0xFFFF_FFFF_FFFF_FFFF
    out = bytearray()
    while n >= 0x80:
        out.append(n & 0x7F | 0x80)
        n >>= 7
    out.append(n)
    return bytes(out)


def tag(number, wire_type):
    return varint(number << 3 | wire_type)


def text(number, value):
    raw = value.encode("utf-8")
    return tag(number, 2) + varint(len(raw)) + raw


def entry(number, encoded):
    return tag(number, 2) + varint(len(encoded)) + encoded


def double(number, value):
    return tag(number, 1) + struct.pack("<d", value)


def whole(number, value):
    return tag(number, 0) + varint(value)


def flag(number, value):
    return tag(number, 0) + (b"\x01" if value else b"\x00")


KEY = bytes(range(7, 39))


def record_digest(canonical):
    return hmac.new(KEY, canonical, hashlib.sha256).digest()[:16]


def hashed_group(record_key):
    return hashlib.sha256(record_key.encode("utf-8")).hexdigest()[:2]


def group_digest(records):
    """`records`: pairs of key and digest, in any order."""
    total = hashlib.sha256()
    for key, digest in sorted((k.encode("utf-8"), d) for k, d in records):
        total.update(varint(len(key)) + key + digest)
    return total.digest()[:16]


def enrolment(n, class_code, status="01"):
    fields = {
        "enrolment_id": n, "student_code": "HS" + n[2:].rjust(6, "0"), "class_code": class_code, "grade": "6",
        "enrolment_type": "1", "student_status": status, "status_on": "2026-09-05",
    }
    canonical = b"".join(text(number, value) for number, value in enumerate(fields.values(), start=1))
    return ("eduhub.registry.v1.Enrolment", fields, n, class_code, canonical)


def samples():
    """Name, message, record, key, group (None: from the key), canonical encoding."""
    yield "only the required texts", (
        "eduhub.registry.v1.Campus",
        {"campus_code": "DT01", "name": "Điểm trường Đồng Tâm"},
        "DT01", None,
        text(1, "DT01") + text(2, "Điểm trường Đồng Tâm"),
    )
    yield "optional fields that are set to zero and to the empty text are written", (
        "eduhub.registry.v1.Campus",
        {"campus_code": "CS1", "name": "Điểm trường chính", "address_line": "", "distance_to_main_km": 0.0,
         "area_m2": 5000.5, "commune_code": "14329"},
        "CS1", None,
        text(1, "CS1") + text(2, "Điểm trường chính") + text(3, "") + double(4, 0.0) + double(5, 5000.5)
        + text(9, "14329"),
    )
    yield "a person: secret and sensitive fields count like all others, field numbers above 15 have two bytes", (
        "eduhub.registry.v1.Pupil",
        {"student_code": "HS000001", "full_name": "Nguyễn Thị Hồng Ánh", "birth_date": "2015-03-14", "sex": "2",
         "personal_id": "037315000011", "ethnicity": "01", "birth_place": "Ninh Bình", "poor_household": False,
         "mother_name": "Trần Thị Thùy Dương", "contact_phone": "0912345678", "area": "3",
         "studies_two_sessions": True, "mother_birth_year": 1988},
        "HS000001", None,
        text(1, "HS000001") + text(2, "Nguyễn Thị Hồng Ánh") + text(3, "2015-03-14") + text(4, "2")
        + text(5, "037315000011") + text(6, "01") + text(10, "Ninh Bình") + flag(13, False)
        + text(15, "Trần Thị Thùy Dương") + text(17, "0912345678") + text(23, "3") + flag(25, True) + whole(30, 1988),
    )
    yield "a list of messages with optional numbers, in the order of the list", (
        "eduhub.registry.v1.TermResult",
        {"term": "1", "student_code": "HS000001", "class_code": "6A1", "learning_rating": "2", "days_absent": 0,
         "subject_scores": [
             {"subject": "TOC", "score": 7.5, "regular_1": 8.0, "regular_2": 0.0, "comment": "Có tiến bộ"},
             {"subject": "NGVA", "score": 6.8},
             {"subject": "GDTC", "level": "D"},
         ],
         "overall_average": 7.2, "comment": "Chăm chỉ, cần mạnh dạn hơn.", "absences_with_leave": 2},
        "1/HS000001", "6A1",
        text(1, "1") + text(2, "HS000001") + text(3, "6A1") + text(4, "2") + whole(7, 0)
        + entry(8, text(1, "TOC") + double(2, 7.5) + double(4, 8.0) + double(5, 0.0) + text(12, "Có tiến bộ"))
        + entry(8, text(1, "NGVA") + double(2, 6.8))
        + entry(8, text(1, "GDTC") + text(3, "D"))
        + double(10, 7.2) + text(12, "Chăm chỉ, cần mạnh dạn hơn.") + whole(21, 2),
    )
    yield "numbers without `optional`: zero is left out; true and false with `optional` are written", (
        "eduhub.registry.v1.Health",
        {"term": "1", "student_code": "HS000002", "measured_on": "2026-09-20", "height_cm": 145.5, "weight_kg": 0.0,
         "blood_group": "O", "can_swim": True, "obese": False},
        "1/HS000002", None,
        text(1, "1") + text(2, "HS000002") + text(3, "2026-09-20") + double(4, 145.5) + text(6, "O") + flag(11, True)
        + flag(15, False),
    )
    yield "a negative number has ten bytes; an empty entry of a list is written", (
        "eduhub.registry.v1.Class",
        {"class_code": "6A1", "name": "6A1", "grade": "6", "campus_code": "CS1", "is_combined_class": False,
         "sort_order": -3,
         "subject_assignments": [{"subject": "TOC", "staff_code": "GV000001"}, {}],
         "five_sessions_per_week": True},
        "6A1", None,
        text(1, "6A1") + text(2, "6A1") + text(3, "6") + text(4, "CS1") + flag(7, False) + whole(9, -3)
        + entry(21, text(1, "TOC") + text(3, "GV000001")) + entry(21, b"") + flag(27, True),
    )
    yield "a text as pushed, outer spaces and all: the hub refuses it later, the digest does not mend it", (
        "eduhub.facility.v1.Room",
        {"room_code": "P101", "name": " Phòng  học 101 ", "room_type": "01", "campus_code": "37143290001",
         "area_m2": 48.0, "capacity": 0, "meets_standard": True},
        "P101", None,
        text(1, "P101") + text(2, " Phòng  học 101 ") + text(3, "01") + text(4, "37143290001") + double(5, 48.0)
        + whole(7, 0) + flag(8, True),
    )
    yield "no key, no class: the empty text is the key's part and the group", (
        "eduhub.registry.v1.TermResult",
        {"term": "2"},
        "2/", "",
        text(1, "2"),
    )
    for n, status in [("QT9", "01"), ("QT10", "01"), ("QT000001", "02")]:
        yield "enrolment " + n, enrolment(n, "6A1", status)


def main():
    records, of_class = [], []
    for name, (message, record, key, group, canonical) in samples():
        digest = record_digest(canonical)
        if message.endswith("Enrolment"):
            of_class.append((key, digest))
        records.append({
            "name": name, "message": message, "record": record, "record_key": key,
            "group": hashed_group(key) if group is None else group,
            "canonical": canonical.hex(), "digest": digest.hex(),
        })
    long_key = "Đ" * 70
    some = [(long_key, bytes(range(16))), ("A", bytes(16)), ("", bytes([255] * 16)), ("a", bytes(range(16, 32)))]
    groups = [
        ("the enrolments above, by the bytes of their keys: QT000001, QT10, QT9", of_class),
        ("a key of 140 bytes, whose length has two, and an empty one", some),
        ("one record", [("HS000001", bytes(range(16)))]),
    ]
    out = {
        "about": "Made by make_vectors.py beside this file. Bytes are in hexadecimal.",
        "key": KEY.hex(),
        "key_id": hashlib.sha256(KEY).hexdigest()[:16],
        "records": records,
        "groups": [
            {"name": name, "records": [{"record_key": k, "digest": d.hex()} for k, d in members],
             "digest": group_digest(members).hex()}
            for name, members in groups
        ],
    }
    json.dump(out, sys.stdout, ensure_ascii=False, indent=1)
    sys.stdout.write("\n")


main()
