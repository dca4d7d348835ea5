-- runs of actions, for a week
create table action_run (
  id integer primary key,
  workspace_id integer not null,
  at_ms integer not null,
  ms integer not null,
  integration text not null,
  action text not null,
  connection text,
  user_id text not null,
  key_id text,
  door text not null,
  type text not null,
  micro_usd integer
);
create index action_run_of on action_run (workspace_id, id);

-- what runs have cost, a row for a day and whatever one asks by
create table cost (
  workspace_id integer not null,
  day integer not null,
  integration text not null,
  action text not null,
  connection text not null,
  user_id text not null,
  runs integer not null,
  unpriced integer not null,
  micro_usd integer not null,
  primary key (workspace_id, day, integration, action, connection, user_id)
) without rowid;

create table budget (
  workspace_id integer not null,
  key text not null,
  settings text not null,
  near_from integer,
  exceeded_from integer,
  created_ms integer not null,
  updated_ms integer not null,
  primary key (workspace_id, key)
) without rowid;
