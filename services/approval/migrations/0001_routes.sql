-- Review routes as rows (domain.md A.5): which offices decide on a dataset of a school, in which order.

create table office (
    code     text primary key check (code ~ '^[A-Z][A-Z_]{1,39}$'),
    name     text not null,
    -- Stands for the office in the school's own place (its commune, its district), not for one office.
    by_place boolean not null
);

insert into office (code, name, by_place) values
    ('COMMUNE',             'Ủy ban nhân dân xã, phường',                  true),
    ('DISTRICT',            'Phòng GDĐT huyện (đến 30/6/2025)',            true),
    ('DIV_PRESCHOOL',       'Phòng Giáo dục Mầm non',                      false),
    ('DIV_PRIMARY',         'Phòng Giáo dục Tiểu học',                     false),
    ('DIV_SECONDARY',       'Phòng Giáo dục Trung học',                    false),
    ('DIV_CONTINUING',      'Phòng Giáo dục nghề nghiệp và GDTX',          false),
    ('DIV_PERSONNEL',       'Phòng Tổ chức cán bộ',                        false),
    ('DIV_FINANCE',         'Phòng Tài chính',                             false),
    ('DIV_STUDENT_AFFAIRS', 'Phòng Công tác học sinh, sinh viên',          false);

create table route (
    route_id         uuid primary key,
    scheme           smallint not null check (scheme in (1, 2)),
    dataset          smallint not null check (dataset between 1 and 4),
    level            smallint not null check (level between 1 and 5),
    directly_managed boolean not null,
    valid_from       date not null,
    valid_to         date check (valid_to >= valid_from),
    version          bigint not null default 1,
    changed_by       text not null,
    changed_at       timestamptz not null default now()
);

create index route_of_school on route (dataset, level, directly_managed, valid_from);

create table route_step (
    route_id uuid not null references route on delete cascade,
    step_no  smallint not null check (step_no between 1 and 8),
    office   text not null references office,
    primary key (route_id, step_no),
    unique (route_id, office)
);

-- The review matrix: dataset, level, division in whose field it lies (R-REVIEW-8..13, R-REVIEW-15), and whether the
-- commune reviews first for schools that stand under it. Datasets 1 pupils, 2 staff, 3 results, 4 facilities; levels
-- 1 preschool, 2 primary, 3 lower secondary, 4 upper secondary, 5 continuing.
-- Both schemes: two-tier from 1 July 2025 on, when the districts ended; three-tier before it, from the letter that
-- describes it (361/SGDĐT-KTKĐCL of 28 February 2020, R-CONF-1..4). Ids are derived, so that every province has the same.
with matrix as (
    select dataset, level, division, commune_first from (values
        (1, 'DIV_PRESCHOOL', true), (2, 'DIV_PRIMARY', true), (3, 'DIV_SECONDARY', true),
        (4, 'DIV_SECONDARY', false), (5, 'DIV_CONTINUING', false)
    ) as by_level (level, division, commune_first)
    cross join (values (1), (3)) as datasets (dataset)
    union all
    select dataset, level, division, true
    from (values (2, 'DIV_PERSONNEL'), (4, 'DIV_FINANCE')) as by_domain (dataset, division)
    cross join generate_series(1, 5) as level
),
seed as (
    select md5(concat_ws('/', 'eduhub-route', scheme, dataset, level, directly_managed))::uuid as route_id,
           scheme, dataset, level, directly_managed, valid_from, valid_to,
           case when commune_first and not directly_managed then first_office end as first_office, division
    from matrix
    cross join (values (false), (true)) as superior (directly_managed)
    cross join (values
        (1, 'COMMUNE', date '2025-07-01', null::date),
        (2, 'DISTRICT', date '2020-02-28', date '2025-06-30')
    ) as tier (scheme, first_office, valid_from, valid_to)
),
routes as (
    insert into route (route_id, scheme, dataset, level, directly_managed, valid_from, valid_to, changed_by)
    select route_id, scheme, dataset, level, directly_managed, valid_from, valid_to, 'migration 0001' from seed
)
insert into route_step (route_id, step_no, office)
    select route_id, 1, first_office from seed where first_office is not null
    union all
    select route_id, case when first_office is null then 1 else 2 end, division from seed;
