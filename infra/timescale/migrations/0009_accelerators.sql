-- What each accelerator of a node says, in the node's own order; null where a node does not say.

alter table node_samples
    add column accelerator_utilization real[],
    add column accelerator_power_watts real[],
    add column accelerator_memory_used_bytes bigint[],
    add column accelerator_temperature_celsius real[];
alter table node_latest
    add column accelerator_utilization real[],
    add column accelerator_power_watts real[],
    add column accelerator_memory_used_bytes bigint[],
    add column accelerator_temperature_celsius real[];
comment on column node_samples.accelerator_utilization is 'a value, or null, for each accelerator of the node';

create or replace view nodes_now as
select time, site, node, rack, type, heard_at,
    (array['reporting', 'stale', 'lost'])[hearing + 1] as hearing,
    (array['in_service', 'draining', 'maintenance', 'failed'])[state + 1] as state,
    installed, in_service, allocated, power_watts,
    (array['measured', 'modelled', 'carried', 'unknown'])[power_source + 1] as power_source,
    utilization, memory_used_bytes, temperature_celsius, energy_joules,
    accelerator_utilization, accelerator_power_watts, accelerator_memory_used_bytes, accelerator_temperature_celsius,
    extract(epoch from now() - heard_at)::double precision as age_seconds
from node_latest;

create or replace view node_history as
select time, site, node, rack, type, heard_at,
    (array['reporting', 'stale', 'lost'])[hearing + 1] as hearing,
    (array['in_service', 'draining', 'maintenance', 'failed'])[state + 1] as state,
    installed, in_service, allocated, power_watts,
    (array['measured', 'modelled', 'carried', 'unknown'])[power_source + 1] as power_source,
    utilization, memory_used_bytes, temperature_celsius, energy_joules,
    accelerator_utilization, accelerator_power_watts, accelerator_memory_used_bytes, accelerator_temperature_celsius
from node_samples;
