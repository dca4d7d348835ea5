create table meta (
  name text primary key,
  value
) without rowid;

create table workspace (
  id integer primary key autoincrement,
  key text not null unique,
  tag integer not null,
  created_ms integer not null,
  head integer not null default 0,
  accepted_ms integer not null default 0,
  trimmed_to integer not null default 0,
  -- every position above it exists and holds no event of the hub's own
  irregular_to integer not null default 0
);

-- the events of a workspace stand in a table of their own, event_<id>, made with the workspace

create table dedup (
  workspace_id integer not null,
  key text not null,
  fingerprint text not null,
  position integer not null,
  accepted_ms integer not null,
  expires_ms integer not null,
  primary key (workspace_id, key)
) without rowid;
create index dedup_expiry on dedup (expires_ms);

create table inbox (
  id integer primary key autoincrement,
  workspace_id integer not null,
  key text not null,
  settings text not null,
  status text not null,
  revision integer not null,
  generation integer not null,
  created_ms integer not null,
  next integer not null,
  used integer not null,
  unique (workspace_id, key)
);

-- what `explain` needs: which settings held from which position on, seeks, expiries, replays past the filter
create table inbox_history (
  id integer primary key,
  inbox_id integer not null,
  kind text not null,
  at_ms integer not null,
  revision integer not null,
  generation integer not null,
  from_position integer not null,
  to_position integer not null,
  settings text,
  positions text
);
create index inbox_history_inbox on inbox_history (inbox_id, id);

create table lease (
  inbox_id integer not null,
  lease_id text not null,
  until_ms integer not null,
  first integer not null,
  last integer not null,
  -- json: [[attempt, runs, lease id before], ...]
  held text not null,
  primary key (inbox_id, lease_id)
) without rowid;
create index lease_until on lease (until_ms);

create table lease_subject (
  inbox_id integer not null,
  subject text not null,
  position integer not null,
  primary key (inbox_id, subject)
) without rowid;
create index lease_subject_position on lease_subject (inbox_id, position);

create table void_lease (
  inbox_id integer not null,
  lease_id text not null,
  at_ms integer not null,
  primary key (inbox_id, lease_id)
) without rowid;

create table parked (
  id integer primary key,
  inbox_id integer not null,
  first integer not null,
  last integer not null,
  -- runs, or null: the whole range, still to be filtered as the settings of that revision say
  positions text,
  revision integer,
  available_ms integer not null,
  attempt integer not null,
  alone integer not null,
  -- the lease that ran out on it, or the one whose holder gave it back
  lease_id text,
  released_by text,
  subject text
);
create index parked_available on parked (inbox_id, available_ms, first);
create index parked_first on parked (inbox_id, first);
create index parked_subject on parked (inbox_id, subject, first) where subject is not null;

create table dead_letter (
  id integer primary key,
  inbox_id integer not null,
  position integer not null,
  accepted_ms integer not null,
  event_type text not null,
  subject text,
  attempts integer not null,
  reason text,
  dead_ms integer not null,
  body text not null,
  unique (inbox_id, position)
);
create index dead_letter_subject on dead_letter (inbox_id, subject) where subject is not null;

create table attempt (
  id integer primary key,
  inbox_id integer not null,
  position integer not null,
  accepted_ms integer not null,
  attempt integer not null,
  outcome text not null,
  reason text,
  at_ms integer not null,
  lease_id text not null
);
create index attempt_position on attempt (inbox_id, position);

create table api_key (
  key_id text primary key,
  workspace_id integer not null,
  secret_hash text not null,
  previous_hash text,
  previous_until_ms integer,
  user_id text not null,
  user_email text,
  role text not null,
  allowed_event_types text,
  allowed_actions text,
  rate_limit integer,
  expires_ms integer,
  status text not null,
  created_ms integer not null,
  last_used_ms integer
) without rowid;
create index api_key_workspace on api_key (workspace_id, key_id);

create table audit (
  id integer primary key,
  workspace_id integer not null,
  at_ms integer not null,
  actor text not null,
  verb text not null,
  target text not null,
  details text not null
);
create index audit_workspace on audit (workspace_id, id);
