create table scheduled_event (
  id integer primary key,
  workspace_id integer not null,
  scheduled_id text not null,
  due_ms integer not null,
  claimed_until_ms integer not null default 0,
  at_ms integer not null,
  event_type text not null,
  source text,
  subject text,
  body text not null,
  notes text,
  -- json: [{key, fingerprint}, ...]
  dedup text not null,
  unique (workspace_id, scheduled_id)
);
create index scheduled_event_due on scheduled_event (due_ms);
create index scheduled_event_place on scheduled_event (workspace_id, due_ms, id);

create table scheduled_key (
  workspace_id integer not null,
  key text not null,
  fingerprint text not null,
  scheduled_id text not null,
  primary key (workspace_id, key)
) without rowid;
create index scheduled_key_of on scheduled_key (workspace_id, scheduled_id);

create table schedule (
  workspace_id integer not null,
  key text not null,
  id text not null,
  settings text not null,
  status text not null,
  next_ms integer not null,
  last_ms integer,
  last_error text,
  created_ms integer not null,
  updated_ms integer not null,
  primary key (workspace_id, key)
) without rowid;
create index schedule_due on schedule (next_ms) where status = 'active';
