-- The newest row of a node is in node_samples already, so `node_latest` is a view of it. It used to be a table, and
-- writing every node there again with each frame cost as much as writing the samples.

create table site_newest_frame (
    site text primary key,
    time timestamptz not null,
    writer text
) with (fillfactor = 50);
comment on column site_newest_frame.writer is 'who has written that frame; null where it may be several';
comment on table site_newest_frame is 'the tick of the newest node frame of each site';

drop view nodes_now, racks_now;
alter table node_latest rename to node_absent;
comment on table node_absent is 'newest rows of nodes that are not in the newest frame of their site, or whose frame was dropped';

insert into site_newest_frame select site, max(time) from node_absent group by site;
delete from node_absent absent using site_newest_frame newest
where newest.site = absent.site and newest.time = absent.time and exists (
    select from node_samples sample
    where sample.time = absent.time and sample.site = absent.site and sample.node = absent.node
);

create view node_latest as
select sample.time, sample.site, sample.node, sample.rack, sample.type, sample.heard_at, sample.hearing, sample.state,
    sample.installed, sample.in_service, sample.allocated, sample.power_watts, sample.power_source, sample.utilization,
    sample.memory_used_bytes, sample.temperature_celsius, sample.energy_joules, sample.accelerator_utilization,
    sample.accelerator_power_watts, sample.accelerator_memory_used_bytes, sample.accelerator_temperature_celsius
from site_newest_frame newest join node_samples sample on sample.site = newest.site and sample.time = newest.time
union all
select time, site, node, rack, type, heard_at, hearing, state, installed, in_service, allocated, power_watts,
    power_source, utilization, memory_used_bytes, temperature_celsius, energy_joules, accelerator_utilization,
    accelerator_power_watts, accelerator_memory_used_bytes, accelerator_temperature_celsius
from node_absent;

create view nodes_now as
select time, site, node, rack, type, heard_at,
    (array['reporting', 'stale', 'lost'])[hearing + 1] as hearing,
    (array['in_service', 'draining', 'maintenance', 'failed'])[state + 1] as state,
    installed, in_service, allocated, power_watts,
    (array['measured', 'modelled', 'carried', 'unknown'])[power_source + 1] as power_source,
    utilization, memory_used_bytes, temperature_celsius, energy_joules,
    accelerator_utilization, accelerator_power_watts, accelerator_memory_used_bytes, accelerator_temperature_celsius,
    extract(epoch from now() - heard_at)::double precision as age_seconds
from node_latest;

create view racks_now as
select site, rack, max(time) as time, count(*) as nodes, count(*) filter (where hearing <> 0) as not_reporting,
    sum(power_watts) as power_watts, avg(utilization) as utilization, max(temperature_celsius) as temperature_celsius,
    sum(installed)::bigint as installed, sum(allocated)::bigint as allocated
from node_latest group by site, rack;
comment on view racks_now is 'nodes that are gone for good stay in it, as not reporting';
