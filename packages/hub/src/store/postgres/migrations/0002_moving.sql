-- json: [[last position, tag], ...] of the log before it was put back to an earlier time
alter table workspace add column earlier_tags text not null default '[]';

-- imports that are not finished: what they have written stands under a number that no workspace has
create table unfinished_import (
  workspace text collate "C" primary key,
  workspace_id integer not null,
  file text not null,
  chunks integer not null,
  digest text not null
);

-- rows that are put where they belong when the import is finished
create table late_row (
  id bigint generated always as identity primary key,
  workspace_id integer not null,
  kind text not null,
  content text not null
);
create index late_row_workspace on late_row (workspace_id, id);
