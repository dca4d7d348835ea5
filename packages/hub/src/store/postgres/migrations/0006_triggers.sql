create table polling_trigger (
  workspace_id integer not null,
  key text collate "C" not null,
  id text not null,
  settings text not null,
  status text not null,
  generation integer not null,
  primed boolean not null,
  state text,
  last_poll_ms bigint,
  next_poll_ms bigint not null,
  failures integer not null,
  last_error text,
  token text,
  claimed_until_ms bigint not null,
  created_ms bigint not null,
  updated_ms bigint not null,
  primary key (workspace_id, key)
);
create index polling_trigger_due on polling_trigger (next_poll_ms) where status = 'active';

-- records that were found, by digest
create table trigger_seen (
  workspace_id integer not null,
  trigger_id text not null,
  digest text not null,
  seen_ms bigint not null,
  primary key (workspace_id, trigger_id, digest)
);

create table trigger_poll (
  id bigint generated always as identity primary key,
  workspace_id integer not null,
  trigger_id text not null,
  at_ms bigint not null,
  ms integer not null,
  outcome text not null,
  found integer not null,
  published integer not null,
  error text
);
create index trigger_poll_of on trigger_poll (workspace_id, trigger_id, id);
