create table connection (
  workspace_id integer not null,
  key text collate "C" not null,
  id text not null,
  integration text not null,
  user_id text not null,
  access text not null,
  sealed text,
  account text,
  account_error text,
  created_ms bigint not null,
  updated_ms bigint not null,
  primary key (workspace_id, key)
);
