-- Rollups by minute (_1m) and hour (_1h): `time` is the bucket's beginning, `n` the samples in it. A mean is x_sum / n,
-- or x_sum / x_n where x can be unknown. Sums, least and greatest values combine over buckets, sites and types.
-- The application computes them from the finer rows and overwrites them; `rollup_due` says which are out of date.

create table rollup_due (
    rollup text not null,
    site text not null,
    bucket timestamptz not null,
    marked bigint not null default 1,
    primary key (rollup, site, bucket)
) with (fillfactor = 50);
comment on column rollup_due.site is 'empty for the fleet';
comment on column rollup_due.marked is 'how often; the change locks the row until the writer commits';

create table retained_from (
    "table" text primary key,
    time timestamptz not null
);
comment on table retained_from is 'rows of the table before this time have been dropped: nothing is computed from them again';

create table site_1m (
    time timestamptz not null,
    site text not null,
    n integer not null,
    it_watts_sum double precision not null,
    it_watts_min double precision not null,
    it_watts_max double precision not null,
    facility_watts_n integer not null,
    facility_watts_sum double precision,
    facility_watts_min double precision,
    facility_watts_max double precision,
    supply_watts_n integer not null,
    supply_watts_sum double precision,
    supply_watts_min double precision,
    supply_watts_max double precision,
    headroom_watts_n integer not null,
    headroom_watts_sum double precision,
    headroom_watts_min double precision,
    headroom_watts_max double precision,
    installed_sum bigint not null,
    installed_min bigint not null,
    installed_max bigint not null,
    in_service_sum bigint not null,
    in_service_min bigint not null,
    in_service_max bigint not null,
    allocated_sum bigint not null,
    allocated_min bigint not null,
    allocated_max bigint not null,
    free_sum bigint not null,
    free_min bigint not null,
    free_max bigint not null,
    unknown_sum bigint not null,
    unknown_min bigint not null,
    unknown_max bigint not null,
    h100e_in_service_sum double precision not null,
    h100e_in_service_min double precision not null,
    h100e_in_service_max double precision not null,
    h100e_free_sum double precision not null,
    h100e_free_min double precision not null,
    h100e_free_max double precision not null,
    utilization_n integer not null,
    utilization_sum double precision,
    utilization_min double precision,
    utilization_max double precision,
    nodes_reporting_sum bigint not null,
    nodes_reporting_min bigint not null,
    nodes_reporting_max bigint not null,
    nodes_stale_sum bigint not null,
    nodes_stale_min bigint not null,
    nodes_stale_max bigint not null,
    nodes_lost_sum bigint not null,
    nodes_lost_min bigint not null,
    nodes_lost_max bigint not null,
    open_shortages_sum bigint not null,
    open_shortages_min bigint not null,
    open_shortages_max bigint not null,
    energy_joules_min bigint not null,
    energy_joules_max bigint not null,
    readings_observed_min bigint not null,
    readings_observed_max bigint not null,
    readings_late_min bigint not null,
    readings_late_max bigint not null,
    readings_refused_min bigint not null,
    readings_refused_max bigint not null,
    primary key (time, site)
);
create table site_1h (like site_1m including all);
select create_hypertable('site_1m', 'time', chunk_time_interval => interval '7 days', create_default_indexes => false);
select create_hypertable('site_1h', 'time', chunk_time_interval => interval '180 days', create_default_indexes => false);
create index site_1m_by_site on site_1m (site, time desc);
create index site_1h_by_site on site_1h (site, time desc);

create table fleet_1m (
    time timestamptz not null,
    n integer not null,
    it_watts_sum double precision not null,
    it_watts_min double precision not null,
    it_watts_max double precision not null,
    facility_watts_n integer not null,
    facility_watts_sum double precision,
    facility_watts_min double precision,
    facility_watts_max double precision,
    supply_watts_n integer not null,
    supply_watts_sum double precision,
    supply_watts_min double precision,
    supply_watts_max double precision,
    headroom_watts_n integer not null,
    headroom_watts_sum double precision,
    headroom_watts_min double precision,
    headroom_watts_max double precision,
    installed_sum bigint not null,
    installed_min bigint not null,
    installed_max bigint not null,
    in_service_sum bigint not null,
    in_service_min bigint not null,
    in_service_max bigint not null,
    allocated_sum bigint not null,
    allocated_min bigint not null,
    allocated_max bigint not null,
    free_sum bigint not null,
    free_min bigint not null,
    free_max bigint not null,
    unknown_sum bigint not null,
    unknown_min bigint not null,
    unknown_max bigint not null,
    h100e_in_service_sum double precision not null,
    h100e_in_service_min double precision not null,
    h100e_in_service_max double precision not null,
    h100e_free_sum double precision not null,
    h100e_free_min double precision not null,
    h100e_free_max double precision not null,
    utilization_n integer not null,
    utilization_sum double precision,
    utilization_min double precision,
    utilization_max double precision,
    nodes_reporting_sum bigint not null,
    nodes_reporting_min bigint not null,
    nodes_reporting_max bigint not null,
    nodes_stale_sum bigint not null,
    nodes_stale_min bigint not null,
    nodes_stale_max bigint not null,
    nodes_lost_sum bigint not null,
    nodes_lost_min bigint not null,
    nodes_lost_max bigint not null,
    open_shortages_sum bigint not null,
    open_shortages_min bigint not null,
    open_shortages_max bigint not null,
    energy_joules_min bigint not null,
    energy_joules_max bigint not null,
    readings_observed_min bigint not null,
    readings_observed_max bigint not null,
    readings_late_min bigint not null,
    readings_late_max bigint not null,
    readings_refused_min bigint not null,
    readings_refused_max bigint not null,
    demands_sum bigint not null,
    demands_min bigint not null,
    demands_max bigint not null,
    wanted_sum bigint not null,
    wanted_min bigint not null,
    wanted_max bigint not null,
    granted_sum bigint not null,
    granted_min bigint not null,
    granted_max bigint not null,
    pending_sum bigint not null,
    pending_min bigint not null,
    pending_max bigint not null,
    primary key (time)
);
create table fleet_1h (like fleet_1m including all);
select create_hypertable('fleet_1m', 'time', chunk_time_interval => interval '7 days', create_default_indexes => false);
select create_hypertable('fleet_1h', 'time', chunk_time_interval => interval '180 days', create_default_indexes => false);

create table site_pools_1m (
    time timestamptz not null,
    site text not null,
    type text not null,
    n integer not null,
    installed_sum bigint not null,
    installed_min bigint not null,
    installed_max bigint not null,
    in_service_sum bigint not null,
    in_service_min bigint not null,
    in_service_max bigint not null,
    allocated_sum bigint not null,
    allocated_min bigint not null,
    allocated_max bigint not null,
    free_sum bigint not null,
    free_min bigint not null,
    free_max bigint not null,
    held_idle_sum bigint not null,
    held_idle_min bigint not null,
    held_idle_max bigint not null,
    unknown_sum bigint not null,
    unknown_min bigint not null,
    unknown_max bigint not null,
    h100e_in_service_sum double precision not null,
    h100e_in_service_min double precision not null,
    h100e_in_service_max double precision not null,
    h100e_free_sum double precision not null,
    h100e_free_min double precision not null,
    h100e_free_max double precision not null,
    utilization_n integer not null,
    utilization_sum double precision,
    utilization_min double precision,
    utilization_max double precision,
    primary key (time, site, type)
);
create table site_pools_1h (like site_pools_1m including all);
select create_hypertable('site_pools_1m', 'time', chunk_time_interval => interval '7 days', create_default_indexes => false);
select create_hypertable('site_pools_1h', 'time', chunk_time_interval => interval '180 days', create_default_indexes => false);
create index site_pools_1m_by_site on site_pools_1m (site, type, time desc);
create index site_pools_1h_by_site on site_pools_1h (site, type, time desc);

create table fleet_pools_1m (
    time timestamptz not null,
    type text not null,
    n integer not null,
    installed_sum bigint not null,
    installed_min bigint not null,
    installed_max bigint not null,
    in_service_sum bigint not null,
    in_service_min bigint not null,
    in_service_max bigint not null,
    allocated_sum bigint not null,
    allocated_min bigint not null,
    allocated_max bigint not null,
    free_sum bigint not null,
    free_min bigint not null,
    free_max bigint not null,
    held_idle_sum bigint not null,
    held_idle_min bigint not null,
    held_idle_max bigint not null,
    unknown_sum bigint not null,
    unknown_min bigint not null,
    unknown_max bigint not null,
    h100e_in_service_sum double precision not null,
    h100e_in_service_min double precision not null,
    h100e_in_service_max double precision not null,
    h100e_free_sum double precision not null,
    h100e_free_min double precision not null,
    h100e_free_max double precision not null,
    utilization_n integer not null,
    utilization_sum double precision,
    utilization_min double precision,
    utilization_max double precision,
    primary key (time, type)
);
create table fleet_pools_1h (like fleet_pools_1m including all);
select create_hypertable('fleet_pools_1m', 'time', chunk_time_interval => interval '7 days', create_default_indexes => false);
select create_hypertable('fleet_pools_1h', 'time', chunk_time_interval => interval '180 days', create_default_indexes => false);
create index fleet_pools_1m_by_type on fleet_pools_1m (type, time desc);
create index fleet_pools_1h_by_type on fleet_pools_1h (type, time desc);

create table node_1m (
    time timestamptz not null,
    site text not null,
    node text not null,
    n integer not null,
    power_watts_n integer not null,
    power_watts_sum double precision,
    power_watts_min double precision,
    power_watts_max double precision,
    utilization_n integer not null,
    utilization_sum double precision,
    utilization_min double precision,
    utilization_max double precision,
    temperature_celsius_n integer not null,
    temperature_celsius_sum double precision,
    temperature_celsius_max double precision,
    memory_used_bytes_n integer not null,
    memory_used_bytes_sum bigint,
    memory_used_bytes_max bigint,
    energy_joules_min bigint,
    energy_joules_max bigint,
    lost_sum bigint not null,
    primary key (time, site, node)
);
create table node_1h (like node_1m including all);
select create_hypertable('node_1m', 'time', chunk_time_interval => interval '6 hours', create_default_indexes => false);
select create_hypertable('node_1h', 'time', chunk_time_interval => interval '7 days', create_default_indexes => false);
create index node_1m_by_site on node_1m (site, node, time desc);
create index node_1h_by_site on node_1h (site, node, time desc);
