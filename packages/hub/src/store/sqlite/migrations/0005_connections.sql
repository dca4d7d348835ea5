create table connection (
  workspace_id integer not null,
  key text not null,
  id text not null,
  integration text not null,
  user_id text not null,
  access text not null,
  sealed text,
  account text,
  account_error text,
  created_ms integer not null,
  updated_ms integer not null,
  primary key (workspace_id, key)
) without rowid;
