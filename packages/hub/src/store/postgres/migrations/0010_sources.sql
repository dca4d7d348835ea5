create table source (
  workspace_id integer not null,
  key text collate "C" not null,
  id text not null,
  settings text not null,
  secrets text not null,
  revision integer not null,
  created_ms bigint not null,
  updated_ms bigint not null,
  primary key (workspace_id, key)
);

create table source_outcome (
  workspace_id integer not null,
  source_id text not null,
  hour_ms bigint not null,
  outcome text not null,
  count bigint not null,
  primary key (workspace_id, source_id, hour_ms, outcome)
);

create table source_failure (
  id bigint generated always as identity primary key,
  workspace_id integer not null,
  source_id text not null,
  at_ms bigint not null,
  outcome text not null,
  cause text,
  reason text not null
);
create index source_failure_of on source_failure (workspace_id, source_id, id);
