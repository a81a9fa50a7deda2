-- The same rows with words for codes, for people and screens.

create view nodes_now as
select time, site, node, rack, type, heard_at,
    (array['reporting', 'stale', 'lost'])[hearing + 1] as hearing,
    (array['in_service', 'draining', 'maintenance', 'failed'])[state + 1] as state,
    installed, in_service, allocated, power_watts,
    (array['measured', 'modelled', 'carried', 'unknown'])[power_source + 1] as power_source,
    utilization, memory_used_bytes, temperature_celsius, energy_joules
from node_latest;

create view node_history as
select time, site, node, rack, type, heard_at,
    (array['reporting', 'stale', 'lost'])[hearing + 1] as hearing,
    (array['in_service', 'draining', 'maintenance', 'failed'])[state + 1] as state,
    installed, in_service, allocated, power_watts,
    (array['measured', 'modelled', 'carried', 'unknown'])[power_source + 1] as power_source,
    utilization, memory_used_bytes, temperature_celsius, energy_joules
from node_samples;
