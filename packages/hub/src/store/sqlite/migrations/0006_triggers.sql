create table polling_trigger (
  workspace_id integer not null,
  key text not null,
  id text not null,
  settings text not null,
  status text not null,
  generation integer not null,
  primed integer not null,
  state text,
  last_poll_ms integer,
  next_poll_ms integer not null,
  failures integer not null,
  last_error text,
  token text,
  claimed_until_ms integer not null,
  created_ms integer not null,
  updated_ms integer not null,
  primary key (workspace_id, key)
) without rowid;
create index polling_trigger_due on polling_trigger (next_poll_ms) where status = 'active';

-- records that were found, by digest
create table trigger_seen (
  workspace_id integer not null,
  trigger_id text not null,
  digest text not null,
  seen_ms integer not null,
  primary key (workspace_id, trigger_id, digest)
) without rowid;

create table trigger_poll (
  id integer primary key,
  workspace_id integer not null,
  trigger_id text not null,
  at_ms integer not null,
  ms integer not null,
  outcome text not null,
  found integer not null,
  published integer not null,
  error text
);
create index trigger_poll_of on trigger_poll (workspace_id, trigger_id, id);
