-- Submissions, the steps of their review, and every transition they made.

create table submission (
    -- Chosen by the client; also the id of the seal.
    submission_id        uuid primary key,
    -- The school as registry knew it when it submitted: its place decides who may see and decide.
    school_code          text not null,
    school_name          text not null,
    commune_code         text not null,
    level                smallint not null check (level between 1 and 5),
    independent_group    boolean not null,
    school_year          integer not null,
    period               smallint not null check (period between 1 and 3),
    dataset              smallint not null check (dataset between 1 and 4),
    cycle                integer not null check (cycle > 0),
    -- 1 in review, 2 returned, 3 approved, 4 transferred, 5 withdrawn.
    state                smallint not null check (state between 1 and 5),
    -- Step that decides next, and its office; null when the submission is not under review.
    current_step         smallint,
    current_office       text,
    -- Division that answers to the Director for the accuracy (R-REVIEW-4).
    accountable_division text not null,
    route_id             uuid not null,
    route_version        bigint not null,
    -- The seal as its owner gave it (eduhub.common.v1.Seal), and its digest, which decisions name.
    seal                 bytea not null,
    digest               bytea not null check (octet_length(digest) = 32),
    traceparent          text not null,
    submitted_by         text not null,
    submitted_by_name    text not null,
    submitted_at         timestamptz not null default now(),
    changed_at           timestamptz not null default now(),
    approved_at          timestamptz,
    version              bigint not null check (version > 0),
    check ((state = 1) = (current_step is not null)),
    check ((state = 1) = (current_office is not null)),
    check ((state in (3, 4)) = (approved_at is not null))
);

-- At most one under review, whoever submits at the same moment.
create unique index submission_one_open on submission (school_code, school_year, period, dataset) where state = 1;
create unique index submission_cycle on submission (school_code, school_year, period, dataset, cycle);
-- A reviewer's queue: independent groups first (R-REVIEW-2), then the longest waiting.
create index submission_queue on submission (current_office, (not independent_group), submitted_at, submission_id)
    where state = 1;
create index submission_recent on submission (submitted_at desc, submission_id desc);
create index submission_of_school on submission (school_code, submitted_at desc, submission_id desc);
create index submission_of_commune on submission (commune_code, submitted_at desc, submission_id desc);
create index submission_approved on submission (school_code, school_year, dataset, approved_at desc) where state in (3, 4);

-- The route as it was at submission: later changes of routes leave running reviews alone.
create table submission_step (
    submission_id uuid not null references submission,
    step_no       smallint not null check (step_no between 1 and 8),
    office        text not null,
    primary key (submission_id, step_no)
);

create table transition (
    submission_id        uuid not null references submission,
    seq                  bigint not null,
    -- 1 submit, 2 approve, 3 return, 4 withdraw, 5 transfer.
    event                smallint not null check (event between 1 and 5),
    from_state           smallint,
    to_state             smallint not null,
    step_no              smallint,
    principal_id         text not null,
    principal_name       text not null,
    office               text not null,
    at                   timestamptz not null default now(),
    why                  text not null,
    digest               bytea not null,
    accountable_division text,
    primary key (submission_id, seq),
    check ((event in (2, 3)) = (step_no is not null)),
    check ((event in (2, 3)) = (accountable_division is not null))
);

-- A step is decided once, whatever the code above does.
create unique index transition_one_decision on transition (submission_id, step_no) where event in (2, 3);

create table record_reason (
    submission_id uuid not null,
    seq           bigint not null,
    kind          smallint not null,
    record_key    text not null,
    reason        text not null,
    primary key (submission_id, seq, kind, record_key),
    foreign key (submission_id, seq) references transition
);

-- What was recorded stays as it was recorded.
create function refuse_rewriting() returns trigger language plpgsql as $$
begin
    raise exception 'rows of % are only ever added', tg_table_name using errcode = 'restrict_violation';
end $$;

create trigger transition_append_only before update or delete on transition
    for each row execute function refuse_rewriting();
create trigger record_reason_append_only before update or delete on record_reason
    for each row execute function refuse_rewriting();
create trigger submission_step_append_only before update or delete on submission_step
    for each row execute function refuse_rewriting();
