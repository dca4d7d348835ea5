create table activity (
  workspace_id integer not null,
  step_ms integer not null,
  at_ms integer not null,
  published integer not null,
  acknowledged integer not null,
  failed integer not null,
  dead integer not null,
  waiting integer,
  leased integer,
  oldest_ms integer,
  primary key (workspace_id, step_ms, at_ms)
) without rowid;
