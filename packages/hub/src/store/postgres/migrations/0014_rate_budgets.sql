-- requests that an account may still make
create table rate_budget (
  workspace_id integer not null,
  connection text collate "C" not null,
  state text not null,
  primary key (workspace_id, connection)
);
