-- json; what is not in it has no limit
alter table workspace add column quotas text not null default '{}';
