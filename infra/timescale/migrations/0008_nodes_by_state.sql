-- Nodes by state in the rollups of sites and the fleet, and by hearing and state in those of nodes. Rows of before do
-- not know: null, with a count of 0 beside it.

alter table site_1m
    add column nodes_in_service_n integer not null default 0,
    add column nodes_in_service_sum bigint,
    add column nodes_in_service_min bigint,
    add column nodes_in_service_max bigint,
    add column nodes_draining_n integer not null default 0,
    add column nodes_draining_sum bigint,
    add column nodes_draining_min bigint,
    add column nodes_draining_max bigint,
    add column nodes_maintenance_n integer not null default 0,
    add column nodes_maintenance_sum bigint,
    add column nodes_maintenance_min bigint,
    add column nodes_maintenance_max bigint,
    add column nodes_failed_n integer not null default 0,
    add column nodes_failed_sum bigint,
    add column nodes_failed_min bigint,
    add column nodes_failed_max bigint,
    add column nodes_never_seen_n integer not null default 0,
    add column nodes_never_seen_sum bigint,
    add column nodes_never_seen_min bigint,
    add column nodes_never_seen_max bigint;
alter table site_1m
    alter column nodes_in_service_n drop default,
    alter column nodes_draining_n drop default,
    alter column nodes_maintenance_n drop default,
    alter column nodes_failed_n drop default,
    alter column nodes_never_seen_n drop default;
alter table site_1h
    add column nodes_in_service_n integer not null default 0,
    add column nodes_in_service_sum bigint,
    add column nodes_in_service_min bigint,
    add column nodes_in_service_max bigint,
    add column nodes_draining_n integer not null default 0,
    add column nodes_draining_sum bigint,
    add column nodes_draining_min bigint,
    add column nodes_draining_max bigint,
    add column nodes_maintenance_n integer not null default 0,
    add column nodes_maintenance_sum bigint,
    add column nodes_maintenance_min bigint,
    add column nodes_maintenance_max bigint,
    add column nodes_failed_n integer not null default 0,
    add column nodes_failed_sum bigint,
    add column nodes_failed_min bigint,
    add column nodes_failed_max bigint,
    add column nodes_never_seen_n integer not null default 0,
    add column nodes_never_seen_sum bigint,
    add column nodes_never_seen_min bigint,
    add column nodes_never_seen_max bigint;
alter table site_1h
    alter column nodes_in_service_n drop default,
    alter column nodes_draining_n drop default,
    alter column nodes_maintenance_n drop default,
    alter column nodes_failed_n drop default,
    alter column nodes_never_seen_n drop default;
alter table fleet_1m
    add column nodes_in_service_n integer not null default 0,
    add column nodes_in_service_sum bigint,
    add column nodes_in_service_min bigint,
    add column nodes_in_service_max bigint,
    add column nodes_draining_n integer not null default 0,
    add column nodes_draining_sum bigint,
    add column nodes_draining_min bigint,
    add column nodes_draining_max bigint,
    add column nodes_maintenance_n integer not null default 0,
    add column nodes_maintenance_sum bigint,
    add column nodes_maintenance_min bigint,
    add column nodes_maintenance_max bigint,
    add column nodes_failed_n integer not null default 0,
    add column nodes_failed_sum bigint,
    add column nodes_failed_min bigint,
    add column nodes_failed_max bigint,
    add column nodes_never_seen_n integer not null default 0,
    add column nodes_never_seen_sum bigint,
    add column nodes_never_seen_min bigint,
    add column nodes_never_seen_max bigint;
alter table fleet_1m
    alter column nodes_in_service_n drop default,
    alter column nodes_draining_n drop default,
    alter column nodes_maintenance_n drop default,
    alter column nodes_failed_n drop default,
    alter column nodes_never_seen_n drop default;
alter table fleet_1h
    add column nodes_in_service_n integer not null default 0,
    add column nodes_in_service_sum bigint,
    add column nodes_in_service_min bigint,
    add column nodes_in_service_max bigint,
    add column nodes_draining_n integer not null default 0,
    add column nodes_draining_sum bigint,
    add column nodes_draining_min bigint,
    add column nodes_draining_max bigint,
    add column nodes_maintenance_n integer not null default 0,
    add column nodes_maintenance_sum bigint,
    add column nodes_maintenance_min bigint,
    add column nodes_maintenance_max bigint,
    add column nodes_failed_n integer not null default 0,
    add column nodes_failed_sum bigint,
    add column nodes_failed_min bigint,
    add column nodes_failed_max bigint,
    add column nodes_never_seen_n integer not null default 0,
    add column nodes_never_seen_sum bigint,
    add column nodes_never_seen_min bigint,
    add column nodes_never_seen_max bigint;
alter table fleet_1h
    alter column nodes_in_service_n drop default,
    alter column nodes_draining_n drop default,
    alter column nodes_maintenance_n drop default,
    alter column nodes_failed_n drop default,
    alter column nodes_never_seen_n drop default;
alter table node_1m
    add column stale_sum bigint,
    add column draining_sum bigint,
    add column maintenance_sum bigint,
    add column failed_sum bigint;
alter table node_1h
    add column stale_sum bigint,
    add column draining_sum bigint,
    add column maintenance_sum bigint,
    add column failed_sum bigint;
comment on column node_1m.stale_sum is 'samples in which the node was stale; likewise lost, and what state it was in';
