-- json of what the hub needs to deliver from an inbox by itself
alter table inbox add column door text;
create index inbox_door on inbox (id) where door is not null;

-- of attempts that the hub itself has made
alter table attempt add column ms integer;
alter table attempt add column result text;
create index attempt_delivered on attempt (inbox_id, id) where outcome = 'delivered';
