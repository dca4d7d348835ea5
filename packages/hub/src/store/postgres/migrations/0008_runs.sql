-- runs of actions, for a week
create table action_run (
  id bigint generated always as identity primary key,
  workspace_id integer not null,
  at_ms bigint not null,
  ms integer not null,
  integration text not null,
  action text not null,
  connection text,
  user_id text not null,
  key_id text,
  door text not null,
  type text not null,
  micro_usd bigint
);
create index action_run_of on action_run (workspace_id, id);

-- what runs have cost, a row for a day and whatever one asks by
create table cost (
  workspace_id integer not null,
  day integer not null,
  integration text collate "C" not null,
  action text collate "C" not null,
  connection text collate "C" not null,
  user_id text collate "C" not null,
  runs bigint not null,
  unpriced bigint not null,
  micro_usd bigint not null,
  primary key (workspace_id, day, integration, action, connection, user_id)
);

create table budget (
  workspace_id integer not null,
  key text collate "C" not null,
  settings text not null,
  near_from integer,
  exceeded_from integer,
  created_ms bigint not null,
  updated_ms bigint not null,
  primary key (workspace_id, key)
);
