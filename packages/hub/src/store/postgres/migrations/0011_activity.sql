create table activity (
  workspace_id integer not null,
  step_ms integer not null,
  at_ms bigint not null,
  published bigint not null,
  acknowledged bigint not null,
  failed bigint not null,
  dead bigint not null,
  waiting bigint,
  leased bigint,
  oldest_ms bigint,
  primary key (workspace_id, step_ms, at_ms)
);
