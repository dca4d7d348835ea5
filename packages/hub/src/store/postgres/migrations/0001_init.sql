create table meta (
  name text primary key,
  value bigint not null
);

create table workspace (
  id integer generated always as identity primary key,
  -- null once removed: its events then go in small steps
  key text collate "C" unique,
  tag integer not null,
  created_ms bigint not null
);

-- The state of each log, apart from its workspace: every group of events updates it, in place (hence the free space).
create table log (
  workspace_id integer primary key,
  head bigint not null default 0,
  accepted_ms bigint not null default 0,
  trimmed_to bigint not null default 0,
  -- every position above it exists and holds no event of the hub's own
  irregular_to bigint not null default 0
) with (fillfactor = 10, autovacuum_vacuum_threshold = 1000, autovacuum_vacuum_scale_factor = 0);

create table event (
  workspace_id integer not null,
  position bigint not null,
  accepted_ms bigint not null,
  event_type text not null,
  source text,
  subject text,
  -- text, never jsonb: it is given back as it came, and costs half
  body text,
  notes text,
  primary key (workspace_id, position)
);

create table dedup (
  workspace_id integer not null,
  key text not null,
  fingerprint text not null,
  position bigint not null,
  accepted_ms bigint not null,
  expires_ms bigint not null,
  primary key (workspace_id, key)
);
create index dedup_expiry on dedup (expires_ms);

-- The last transaction of each queue of each node: what a node asks when a connection broke while it committed.
create table commit_mark (
  node text not null,
  slot text not null,
  number bigint not null,
  at_ms bigint not null,
  primary key (node, slot)
) with (fillfactor = 50, autovacuum_vacuum_threshold = 1000, autovacuum_vacuum_scale_factor = 0);

create table inbox (
  id integer generated always as identity primary key,
  workspace_id integer not null,
  key text collate "C" not null,
  settings text not null,
  status text not null,
  revision integer not null,
  generation integer not null,
  created_ms bigint not null,
  next bigint not null,
  used boolean not null,
  unique (workspace_id, key)
) with (fillfactor = 50, autovacuum_vacuum_threshold = 1000, autovacuum_vacuum_scale_factor = 0);

-- Inboxes that are gone and whose rows are still to go, in small steps.
create table removed_inbox (
  inbox_id integer primary key,
  at_ms bigint not null
);

-- what `explain` needs: which settings held from which position on, seeks, expiries, replays past the filter
create table inbox_history (
  id bigint generated always as identity primary key,
  inbox_id integer not null,
  kind text not null,
  at_ms bigint not null,
  revision integer not null,
  generation integer not null,
  from_position bigint not null,
  to_position bigint not null,
  settings text,
  positions text
);
create index inbox_history_inbox on inbox_history (inbox_id, id);

create table lease (
  inbox_id integer not null,
  lease_id text not null,
  until_ms bigint not null,
  first bigint not null,
  last bigint not null,
  -- json: [[attempt, runs, lease id before], ...]
  held text not null,
  primary key (inbox_id, lease_id)
) with (autovacuum_vacuum_threshold = 1000, autovacuum_vacuum_scale_factor = 0);
create index lease_until on lease (until_ms);

create table lease_subject (
  inbox_id integer not null,
  subject text not null,
  position bigint not null,
  primary key (inbox_id, subject)
) with (autovacuum_vacuum_threshold = 1000, autovacuum_vacuum_scale_factor = 0);
create index lease_subject_position on lease_subject (inbox_id, position);

create table void_lease (
  inbox_id integer not null,
  lease_id text not null,
  at_ms bigint not null,
  primary key (inbox_id, lease_id)
);

create table parked (
  id bigint generated always as identity primary key,
  inbox_id integer not null,
  first bigint not null,
  last bigint not null,
  -- runs, or null: the whole range, still to be filtered as the settings of that revision say
  positions text,
  revision integer,
  available_ms bigint not null,
  attempt integer not null,
  alone boolean not null,
  -- the lease that ran out on it, or the one whose holder gave it back
  lease_id text,
  released_by text,
  subject text
) with (autovacuum_vacuum_threshold = 1000, autovacuum_vacuum_scale_factor = 0);
create index parked_available on parked (inbox_id, available_ms, first);
create index parked_first on parked (inbox_id, first);
create index parked_subject on parked (inbox_id, subject, first) where subject is not null;

create table dead_letter (
  id bigint generated always as identity primary key,
  inbox_id integer not null,
  position bigint not null,
  accepted_ms bigint not null,
  event_type text not null,
  subject text,
  attempts integer not null,
  reason text,
  dead_ms bigint not null,
  body text not null,
  unique (inbox_id, position)
);
create index dead_letter_subject on dead_letter (inbox_id, subject) where subject is not null;

create table attempt (
  id bigint generated always as identity primary key,
  inbox_id integer not null,
  position bigint not null,
  accepted_ms bigint not null,
  attempt integer not null,
  outcome text not null,
  reason text,
  at_ms bigint not null,
  lease_id text not null
);
create index attempt_position on attempt (inbox_id, position);

create table api_key (
  key_id text collate "C" primary key,
  workspace_id integer not null,
  secret_hash text not null,
  previous_hash text,
  previous_until_ms bigint,
  user_id text not null,
  user_email text,
  role text not null,
  allowed_event_types text,
  allowed_actions text,
  rate_limit integer,
  expires_ms bigint,
  status text not null,
  created_ms bigint not null,
  last_used_ms bigint
);
create index api_key_workspace on api_key (workspace_id, key_id);

create table audit (
  id bigint generated always as identity primary key,
  workspace_id integer not null,
  at_ms bigint not null,
  actor text not null,
  verb text not null,
  target text not null,
  details text not null
);
create index audit_workspace on audit (workspace_id, id);

-- Requests of keys with a limit in their minute. Not logged: after a crash of the server the minute begins anew.
create unlogged table rate_window (
  key_id text primary key,
  end_ms bigint not null,
  used integer not null
) with (fillfactor = 50);

-- Work that one node at a time does: who does it, and until when unless renewed.
create table task (
  name text primary key,
  holder text not null,
  until_ms bigint not null
);
