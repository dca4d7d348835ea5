create table source (
  workspace_id integer not null,
  key text not null,
  id text not null,
  settings text not null,
  secrets text not null,
  revision integer not null,
  created_ms integer not null,
  updated_ms integer not null,
  primary key (workspace_id, key)
) without rowid;

create table source_outcome (
  workspace_id integer not null,
  source_id text not null,
  hour_ms integer not null,
  outcome text not null,
  count integer not null,
  primary key (workspace_id, source_id, hour_ms, outcome)
) without rowid;

create table source_failure (
  id integer primary key autoincrement,
  workspace_id integer not null,
  source_id text not null,
  at_ms integer not null,
  outcome text not null,
  cause text,
  reason text not null
);
create index source_failure_of on source_failure (workspace_id, source_id, id);
