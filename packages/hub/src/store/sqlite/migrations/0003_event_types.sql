-- only for workspaces that have had event types, or say what becomes of unknown ones
create table event_type_setting (
  workspace_id integer primary key,
  unknown text not null,
  revision integer not null
);

create table event_type (
  workspace_id integer not null,
  name text not null,
  description text,
  schema text,
  category text,
  entity text,
  action text,
  mode text not null,
  version integer not null,
  revision integer not null,
  created_ms integer not null,
  updated_ms integer not null,
  primary key (workspace_id, name)
) without rowid;

create table event_type_version (
  workspace_id integer not null,
  name text not null,
  version integer not null,
  schema text,
  created_ms integer not null,
  primary key (workspace_id, name, version)
) without rowid;

create table quarantine (
  id integer primary key,
  workspace_id integer not null,
  quarantine_id text not null,
  at_ms integer not null,
  event_type text not null,
  source text,
  subject text,
  body text not null,
  notes text,
  -- json: [{key, fingerprint}, ...]
  dedup text not null,
  version integer not null,
  faults text not null,
  releasing_ms integer,
  unique (workspace_id, quarantine_id)
);
create index quarantine_type on quarantine (workspace_id, event_type, id);
create index quarantine_place on quarantine (workspace_id, id);

create table quarantine_key (
  workspace_id integer not null,
  key text not null,
  fingerprint text not null,
  quarantine_id text not null,
  primary key (workspace_id, key)
) without rowid;
create index quarantine_key_of on quarantine_key (workspace_id, quarantine_id);
