-- how its credentials were got, by the name of the method; null: by the only form that the integration has
alter table connection add column method text;
-- json: ids of the keys that it is granted to, where access is 'keys'
alter table connection add column granted_keys text;
-- why it must be connected again; null: it need not
alter table connection add column broken text;
alter table connection add column expires_ms bigint;
-- when its tokens are to be refreshed
alter table connection add column refresh_ms bigint;
-- requests to refresh these tokens whose answer is not known
alter table connection add column unanswered bigint;
-- counts the tokens that these credentials have had
alter table connection add column generation bigint not null default 0;
-- the lock of a refresh: whoever takes it has a higher fence than the one before
alter table connection add column fence bigint not null default 0;
alter table connection add column held_until_ms bigint not null default 0;
create index connection_refresh on connection (refresh_ms) where refresh_ms is not null;

create table oauth_client (
  workspace_id integer not null,
  integration text collate "C" not null,
  id text not null,
  client_id text not null,
  sealed text not null,
  created_ms bigint not null,
  updated_ms bigint not null,
  primary key (workspace_id, integration)
);

-- somebody may connect an account with a link, once; token, state and browser are digests
create table connect_session (
  token text primary key,
  workspace_id integer not null,
  settings text not null,
  state text,
  browser text,
  sealed text,
  expires_ms bigint not null
);
create unique index connect_session_state on connect_session (state) where state is not null;
create index connect_session_of on connect_session (workspace_id, expires_ms);
