-- Stored subscriptions of the feed. The same text stands in every service that takes records; a contract test compares them.

-- A consumer's place in the feed. The log after it is kept for a while beyond its own retention.
create table feed_subscription (
  -- Principal that made it.
  owner text collate "C" not null,
  name text collate "C" not null,
  -- What it asks for; empty is everything that the owner may see.
  kinds smallint[] not null,
  school_codes text[] not null,
  -- Acknowledged last; empty before the first.
  cursor bytea not null,
  -- What the log is needed after; 0 before the first.
  xid bigint not null,
  seq bigint not null,
  created_at timestamptz not null default now(),
  acknowledged_at timestamptz,
  primary key (owner, name)
);
create index feed_subscription_position on feed_subscription (xid, seq);
