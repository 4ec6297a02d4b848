-- Principals, applications for API access, grants, credentials, revocations.
-- Numbers of enums are those of eduhub.identity.v1 and eduhub.common.v1.

create table principals (
    id              uuid primary key,
    kind            smallint not null check (kind between 1 and 3),
    -- User name of an officer, name of a service; API clients sign in by their credentials' client ids.
    login           text,
    name            text not null,
    role            text not null,
    office          text,
    scope_province  boolean not null default false,
    scope_communes  text[] not null default '{}',
    scope_schools   text[] not null default '{}',
    domains         integer[] not null default '{}',
    max_class       integer not null default 0,
    created_at      timestamptz not null default now(),
    created_by      text not null,
    disabled_at     timestamptz,
    disabled_by     text,
    disable_reason  text,
    constraint principals_login unique (login),
    constraint principals_login_kind check ((kind = 1) = (login is null))
);

create table vendors (
    code text primary key,
    name text not null
);

create table software (
    code        text primary key,
    vendor_code text not null references vendors,
    name        text not null
);
create index software_vendor on software (vendor_code);

-- The vendors and products that the letters name (domain A-32, A-33, R-FORM1-9); the Department adds others.
insert into vendors (code, name) values
    ('VIETTEL', 'Tập đoàn Công nghiệp - Viễn thông Quân đội (Viettel)'),
    ('VNPT', 'Tập đoàn Bưu chính Viễn thông Việt Nam (VNPT)'),
    ('MISA', 'Công ty cổ phần MISA'),
    ('VIETTEC', 'Công ty Viettec');
insert into software (code, vendor_code, name) values
    ('SMAS', 'VIETTEL', 'SMAS'),
    ('VNEDU', 'VNPT', 'vnEdu'),
    ('MISA_EMIS', 'MISA', 'MISA EMIS');

-- Form 2: a commune forwards the applications of its schools.
create table batches (
    id             uuid primary key,
    area           text not null,
    form           bytea not null,
    request_id     uuid,
    request_digest bytea not null,
    submitted_at   timestamptz not null default now(),
    submitted_by   text not null,
    constraint batches_request unique (submitted_by, request_id)
);

-- Form 1. The form itself is kept as it was signed (protobuf bytes of Form1); columns are what queries need.
create table applications (
    id               uuid primary key,
    state            smallint not null default 1 check (state between 1 and 3),
    school_code      text not null,
    commune_code     text not null,
    directly_managed boolean not null,
    vendor_code      text not null references vendors,
    form             bytea not null,
    batch_id         uuid references batches,
    request_id       uuid,
    request_digest   bytea not null,
    submitted_at     timestamptz not null default now(),
    submitted_by     text not null,
    decided_at       timestamptz,
    decided_by       text,
    decision_reason  text,
    grant_id         uuid,
    constraint applications_request unique (submitted_by, request_id),
    constraint applications_decided check ((state = 1) = (decided_at is null)),
    constraint applications_granted check ((state = 2) = (grant_id is not null))
);
create index applications_school on applications (school_code, id);
create index applications_commune on applications (commune_code, id);
create index applications_batch on applications (batch_id);

create table grants (
    id              uuid primary key,
    kind            smallint not null check (kind between 1 and 2),
    principal_id    uuid not null references principals,
    name            text not null,
    application_id  uuid references applications,
    vendor_code     text references vendors,
    software        text,
    contract_number text not null,
    secrecy_clause  text not null,
    -- Of a vendor's grant: its one school, and where that stood when it was granted.
    school_code     text,
    commune_code    text,
    scope_province  boolean not null default false,
    scope_communes  text[] not null default '{}',
    scope_schools   text[] not null default '{}',
    domains         integer[] not null check (cardinality(domains) > 0),
    max_class       integer not null check (max_class between 1 and 4),
    valid_from      date not null,
    valid_to        date not null,
    created_at      timestamptz not null default now(),
    created_by      text not null,
    ended_at        timestamptz,
    ended_by        text,
    end_reason      text,
    constraint grants_period check (valid_from <= valid_to),
    constraint grants_vendor check ((kind = 1) = (school_code is not null and vendor_code is not null))
);
-- One school-management software at a time (R-FLOW-2). A grant whose last day is over is ended when the next is made.
create unique index grants_one_vendor_per_school on grants (school_code) where kind = 1 and ended_at is null;
-- A principal acts under one grant at a time.
create unique index grants_one_live_per_principal on grants (principal_id) where ended_at is null;
create index grants_school on grants (school_code, id);

alter table applications add constraint applications_grant foreign key (grant_id) references grants;

-- What a principal proves itself with: 1 secret, 2 public key (ES256), 3 password.
create table credentials (
    client_id    text not null,
    kind         smallint not null check (kind between 1 and 3),
    principal_id uuid not null references principals,
    secret_hash  text,
    key_x        text,
    key_y        text,
    created_at   timestamptz not null default now(),
    created_by   text not null,
    revoked_at   timestamptz,
    revoked_by   text,
    primary key (client_id, kind),
    constraint credentials_secret check ((kind = 2) = (secret_hash is null)),
    constraint credentials_key check ((kind = 2) = (key_x is not null and key_y is not null))
);
create index credentials_principal on credentials (principal_id);

-- Assertions that were taken (private_key_jwt): each is good once.
create table used_assertions (
    client_id  text not null,
    jti        text not null,
    expires_at timestamptz not null,
    primary key (client_id, jti)
);
create index used_assertions_expiry on used_assertions (expires_at);

-- Ends, in the order of their commits (writers take one advisory lock), for verifiers to follow.
create table revocations (
    sequence   bigint generated always as identity primary key,
    kind       smallint not null check (kind between 1 and 2),
    id         uuid not null,
    revoked_at timestamptz not null default now(),
    constraint revocations_once unique (kind, id)
);
