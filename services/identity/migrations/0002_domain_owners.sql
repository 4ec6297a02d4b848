-- Who owns which data of a school (R-FLOW-2, decision 0017). An open vendor's grant holds each of its domains at its school alone,
-- or, as all did before, every domain that there may be: then no second vendor finds room.
-- oldest-binary: 1

set local lock_timeout = '5s';

alter table grants add column whole_school boolean not null default true;
comment on column grants.whole_school is
  'Of a vendor''s grant: it holds its school against every other vendor, not only its domains. Is taken back, never given later.';

create table domain_owners (
  school_code text not null,
  -- Number of eduhub.common.v1.DataDomain; up to 31 leaves room for those to come.
  domain      integer not null check (domain between 1 and 31),
  grant_id    uuid not null references grants,
  constraint domain_owners_one_grant primary key (school_code, domain)
);
create index domain_owners_grant on domain_owners (grant_id);

-- Kept by the database itself, so that no program, an older one included, gives out what is owned.
create function hold_domains() returns trigger language plpgsql set search_path from current as $$
begin
  if tg_op = 'INSERT' then
    insert into domain_owners (school_code, domain, grant_id)
    select distinct new.school_code, held.domain, new.id
    from unnest(case when new.whole_school then array(select generate_series(1, 31)) else new.domains end) as held(domain)
    where new.ended_at is null;
  else
    delete from domain_owners o where o.grant_id = new.id
      and (new.ended_at is not null or not (new.whole_school or o.domain = any (new.domains)));
  end if;
  return null;
end $$;
create trigger grants_hold_domains after insert or update of ended_at, whole_school on grants
  for each row when (new.kind = 1) execute function hold_domains();

insert into domain_owners (school_code, domain, grant_id)
select g.school_code, d, g.id from grants g cross join generate_series(1, 31) as d where g.kind = 1 and g.ended_at is null;

-- Says less than the table by now.
drop index grants_one_vendor_per_school;
create index grants_open_of_school on grants (school_code) where kind = 1 and ended_at is null;
