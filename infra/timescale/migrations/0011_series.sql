-- Series for graphs: one row a bucket, ordered by time, over whole buckets: from the one that `from_` lies in to the one
-- that `to_` lies in. `wanted` is how long a bucket should be; buckets are never finer, and `time` is their beginning.
-- `series_plan` says what is read: samples where the range is short and the buckets finer than a minute, else minutes,
-- or hours where the range is long. What is not rolled up yet comes from the finer rows, so that nothing is missing at
-- the end. Values of a bucket agree whatever is read, but for the rounding of sums of fractions.
-- Names are bound here, once: whoever calls needs no search path, and a function none of its own.

create function series_plan(
    rollup text, source text, from_ timestamptz, to_ timestamptz, wanted interval, most interval,
    newest timestamptz, newest_minute timestamptz, newest_hour timestamptz)
returns table (
    bucket interval, begins timestamptz, hours_end timestamptz, minutes_end timestamptz, ends timestamptz)
language sql stable parallel safe
begin atomic
    with asked as (
        select greatest(extract(epoch from wanted), 0.1) as seconds, to_ - from_ as length,
            coalesce((select time from retained_from where "table" = source), '-infinity') as samples_kept,
            coalesce((select time from retained_from where "table" = rollup || '_1m'), '-infinity') as minutes_kept
    ),
    chosen as (
        select seconds, case
            when seconds < 60 and length <= most and from_ >= samples_kept then 0
            when seconds < 3600 and length <= interval '4 days' and from_ >= minutes_kept then 60
            else 3600 end as unit
        from asked
    ),
    cut as (
        select unit, make_interval(secs => case when unit = 0 then seconds else ceil(seconds / unit) * unit end) as bucket
        from chosen
    ),
    whole as (
        select unit, bucket, date_bin(bucket, from_, '2000-01-03Z') as begins,
            date_bin(bucket, to_ - interval '1 microsecond', '2000-01-03Z') + bucket as ends
        from cut
    ),
    -- a bucket that is due is not right yet; those that are due for long hold late rows, and are right within seconds
    due as (
        select min(bucket) filter (where due.rollup = series_plan.rollup || '_1m') as minute,
            min(bucket) filter (where due.rollup = series_plan.rollup || '_1h') as hour
        from rollup_due due
        where due.rollup in (series_plan.rollup || '_1m', series_plan.rollup || '_1h')
            and due.bucket > newest - interval '3 hours'
    ),
    minutes as (
        select greatest(least(coalesce(newest_minute + interval '1 minute', newest - interval '2 hours'), due.minute),
            date_bin('1 minute', newest, '2000-01-03Z') - interval '2 hours') as rolled_up
        from due
    ),
    hours as (
        select greatest(least(coalesce(newest_hour + interval '1 hour', newest - interval '2 days'), due.hour,
            date_bin('1 hour', minutes.rolled_up, '2000-01-03Z')),
            date_bin('1 hour', newest, '2000-01-03Z') - interval '2 days') as rolled_up
        from due, minutes
    )
    select bucket, begins,
        case when unit = 3600 then greatest(begins, least(hours.rolled_up, ends)) else begins end,
        case when unit = 0 then begins else greatest(begins, least(minutes.rolled_up, ends)) end,
        ends
    from whole, minutes, hours;
end;
comment on function series_plan is 'how long buckets are, and up to where hours and minutes are read; samples from there on';

create function fleet_series(from_ timestamptz, to_ timestamptz, wanted interval)
returns table (
    "time" timestamptz, it_watts double precision, facility_watts double precision, supply_watts double precision,
    headroom_watts double precision, headroom_watts_min double precision, installed double precision,
    in_service double precision, allocated double precision, free double precision, unknown double precision,
    unexpected double precision, overcommitted double precision, h100e_in_service double precision,
    h100e_free double precision, utilization double precision, nodes_reporting double precision,
    nodes_stale double precision, nodes_lost double precision, nodes_in_service double precision,
    nodes_draining double precision, nodes_maintenance double precision, nodes_failed double precision,
    demands double precision, demanded double precision, granted double precision, pending double precision,
    servable double precision, open_shortages bigint, energy_joules bigint, readings_observed bigint,
    readings_late bigint, readings_refused bigint, nodes_never_seen double precision)
language sql stable parallel safe
begin atomic
    with plan as materialized (
        select * from series_plan('fleet', 'fleet_samples', from_, to_, wanted, interval '2 hours',
            (select max(time) from fleet_samples), (select max(time) from fleet_1m), (select max(time) from fleet_1h))
    ),
    part (
        time, n, it_watts, facility_watts_n, facility_watts, supply_watts_n, supply_watts, headroom_watts_n,
        headroom_watts, headroom_watts_min, installed, in_service, allocated, free, unknown, unexpected_n,
        unexpected, overcommitted_n, overcommitted, h100e_in_service, h100e_free, utilization_n, utilization,
        nodes_reporting, nodes_stale, nodes_lost, nodes_in_service_n, nodes_in_service, nodes_draining_n,
        nodes_draining, nodes_maintenance_n, nodes_maintenance, nodes_failed_n, nodes_failed, demands, wanted,
        granted, pending, servable_n, servable, open_shortages, energy_joules, readings_observed, readings_late,
        readings_refused, nodes_never_seen_n, nodes_never_seen) as (
        select
            time, n, it_watts_sum, facility_watts_n, facility_watts_sum, supply_watts_n, supply_watts_sum,
            headroom_watts_n, headroom_watts_sum, headroom_watts_min, installed_sum, in_service_sum, allocated_sum,
            free_sum, unknown_sum, unexpected_n, unexpected_sum, overcommitted_n, overcommitted_sum,
            h100e_in_service_sum, h100e_free_sum, utilization_n, utilization_sum, nodes_reporting_sum,
            nodes_stale_sum, nodes_lost_sum, nodes_in_service_n, nodes_in_service_sum, nodes_draining_n,
            nodes_draining_sum, nodes_maintenance_n, nodes_maintenance_sum, nodes_failed_n, nodes_failed_sum,
            demands_sum, wanted_sum, granted_sum, pending_sum, servable_n, servable_sum, open_shortages_max,
            energy_joules_max, readings_observed_max, readings_late_max, readings_refused_max, nodes_never_seen_n,
            nodes_never_seen_sum
        from fleet_1h
        where time >= (select begins from plan) and time < (select hours_end from plan)
        union all
        select
            time, n, it_watts_sum, facility_watts_n, facility_watts_sum, supply_watts_n, supply_watts_sum,
            headroom_watts_n, headroom_watts_sum, headroom_watts_min, installed_sum, in_service_sum, allocated_sum,
            free_sum, unknown_sum, unexpected_n, unexpected_sum, overcommitted_n, overcommitted_sum,
            h100e_in_service_sum, h100e_free_sum, utilization_n, utilization_sum, nodes_reporting_sum,
            nodes_stale_sum, nodes_lost_sum, nodes_in_service_n, nodes_in_service_sum, nodes_draining_n,
            nodes_draining_sum, nodes_maintenance_n, nodes_maintenance_sum, nodes_failed_n, nodes_failed_sum,
            demands_sum, wanted_sum, granted_sum, pending_sum, servable_n, servable_sum, open_shortages_max,
            energy_joules_max, readings_observed_max, readings_late_max, readings_refused_max, nodes_never_seen_n,
            nodes_never_seen_sum
        from fleet_1m
        where time >= (select hours_end from plan) and time < (select minutes_end from plan)
        union all
        select
            time, 1, it_measured_watts + it_modelled_watts + it_carried_watts, num_nonnulls(facility_watts),
            facility_watts, num_nonnulls(supply_watts), supply_watts, num_nonnulls(headroom_watts), headroom_watts,
            headroom_watts, installed, in_service, allocated, free, unknown, num_nonnulls(unexpected), unexpected,
            num_nonnulls(overcommitted), overcommitted, h100e_in_service, h100e_free, num_nonnulls(utilization),
            utilization, nodes_reporting, nodes_stale, nodes_lost, num_nonnulls(nodes_in_service), nodes_in_service,
            num_nonnulls(nodes_draining), nodes_draining, num_nonnulls(nodes_maintenance), nodes_maintenance,
            num_nonnulls(nodes_failed), nodes_failed, demands, wanted, granted, pending, num_nonnulls(servable),
            servable, open_shortages, energy_joules, readings_observed, readings_late, readings_refused,
            num_nonnulls(nodes_never_seen), nodes_never_seen
        from fleet_samples
        where time >= (select minutes_end from plan) and time < (select ends from plan)
    )
    select
        date_bin((select bucket from plan), part.time, '2000-01-03Z'), sum(it_watts::double precision) / sum(n),
        sum(facility_watts::double precision) / nullif(sum(facility_watts_n), 0),
        sum(supply_watts::double precision) / nullif(sum(supply_watts_n), 0),
        sum(headroom_watts::double precision) / nullif(sum(headroom_watts_n), 0), min(headroom_watts_min),
        sum(installed::double precision) / sum(n), sum(in_service::double precision) / sum(n),
        sum(allocated::double precision) / sum(n), sum(free::double precision) / sum(n),
        sum(unknown::double precision) / sum(n), sum(unexpected::double precision) / nullif(sum(unexpected_n), 0),
        sum(overcommitted::double precision) / nullif(sum(overcommitted_n), 0),
        sum(h100e_in_service::double precision) / sum(n), sum(h100e_free::double precision) / sum(n),
        sum(utilization::double precision) / nullif(sum(utilization_n), 0),
        sum(nodes_reporting::double precision) / sum(n), sum(nodes_stale::double precision) / sum(n),
        sum(nodes_lost::double precision) / sum(n),
        sum(nodes_in_service::double precision) / nullif(sum(nodes_in_service_n), 0),
        sum(nodes_draining::double precision) / nullif(sum(nodes_draining_n), 0),
        sum(nodes_maintenance::double precision) / nullif(sum(nodes_maintenance_n), 0),
        sum(nodes_failed::double precision) / nullif(sum(nodes_failed_n), 0),
        sum(demands::double precision) / sum(n), sum(wanted::double precision) / sum(n),
        sum(granted::double precision) / sum(n), sum(pending::double precision) / sum(n),
        sum(servable::double precision) / nullif(sum(servable_n), 0), max(open_shortages), max(energy_joules),
        max(readings_observed), max(readings_late), max(readings_refused),
        sum(nodes_never_seen::double precision) / nullif(sum(nodes_never_seen_n), 0)
    from part
    group by 1
    order by 1;
end;
comment on function fleet_series is 'the fleet: means of what it has and draws, the least headroom, the greatest of shortages and counters';

create function site_series(from_ timestamptz, to_ timestamptz, wanted interval, sites text[] default null)
returns table (
    "time" timestamptz, site text, it_watts double precision, facility_watts double precision,
    supply_watts double precision, headroom_watts double precision, headroom_watts_min double precision,
    installed double precision, in_service double precision, allocated double precision, free double precision,
    unknown double precision, unexpected double precision, h100e_in_service double precision,
    h100e_free double precision, utilization double precision, nodes_reporting double precision,
    nodes_stale double precision, nodes_lost double precision, nodes_in_service double precision,
    nodes_draining double precision, nodes_maintenance double precision, nodes_failed double precision,
    nodes_never_seen double precision, open_shortages bigint, energy_joules bigint, readings_observed bigint,
    readings_late bigint, readings_refused bigint)
language sql stable parallel safe
begin atomic
    with plan as materialized (
        select * from series_plan('site', 'site_samples', from_, to_, wanted, interval '2 hours',
            (select max(time) from site_samples), (select max(time) from site_1m), (select max(time) from site_1h))
    ),
    part (
        time, site, n, it_watts, facility_watts_n, facility_watts, supply_watts_n, supply_watts, headroom_watts_n,
        headroom_watts, headroom_watts_min, installed, in_service, allocated, free, unknown, unexpected_n,
        unexpected, h100e_in_service, h100e_free, utilization_n, utilization, nodes_reporting, nodes_stale,
        nodes_lost, nodes_in_service_n, nodes_in_service, nodes_draining_n, nodes_draining, nodes_maintenance_n,
        nodes_maintenance, nodes_failed_n, nodes_failed, nodes_never_seen_n, nodes_never_seen, open_shortages,
        energy_joules, readings_observed, readings_late, readings_refused) as (
        select
            time, site, n, it_watts_sum, facility_watts_n, facility_watts_sum, supply_watts_n, supply_watts_sum,
            headroom_watts_n, headroom_watts_sum, headroom_watts_min, installed_sum, in_service_sum, allocated_sum,
            free_sum, unknown_sum, unexpected_n, unexpected_sum, h100e_in_service_sum, h100e_free_sum,
            utilization_n, utilization_sum, nodes_reporting_sum, nodes_stale_sum, nodes_lost_sum,
            nodes_in_service_n, nodes_in_service_sum, nodes_draining_n, nodes_draining_sum, nodes_maintenance_n,
            nodes_maintenance_sum, nodes_failed_n, nodes_failed_sum, nodes_never_seen_n, nodes_never_seen_sum,
            open_shortages_max, energy_joules_max, readings_observed_max, readings_late_max, readings_refused_max
        from site_1h
        where time >= (select begins from plan) and time < (select hours_end from plan) and (sites is null or site = any (sites))
        union all
        select
            time, site, n, it_watts_sum, facility_watts_n, facility_watts_sum, supply_watts_n, supply_watts_sum,
            headroom_watts_n, headroom_watts_sum, headroom_watts_min, installed_sum, in_service_sum, allocated_sum,
            free_sum, unknown_sum, unexpected_n, unexpected_sum, h100e_in_service_sum, h100e_free_sum,
            utilization_n, utilization_sum, nodes_reporting_sum, nodes_stale_sum, nodes_lost_sum,
            nodes_in_service_n, nodes_in_service_sum, nodes_draining_n, nodes_draining_sum, nodes_maintenance_n,
            nodes_maintenance_sum, nodes_failed_n, nodes_failed_sum, nodes_never_seen_n, nodes_never_seen_sum,
            open_shortages_max, energy_joules_max, readings_observed_max, readings_late_max, readings_refused_max
        from site_1m
        where time >= (select hours_end from plan) and time < (select minutes_end from plan) and (sites is null or site = any (sites))
        union all
        select
            time, site, 1, it_measured_watts + it_modelled_watts + it_carried_watts, num_nonnulls(facility_watts),
            facility_watts, num_nonnulls(supply_watts), supply_watts, num_nonnulls(headroom_watts), headroom_watts,
            headroom_watts, installed, in_service, allocated, free, unknown, num_nonnulls(unexpected), unexpected,
            h100e_in_service, h100e_free, num_nonnulls(utilization), utilization, nodes_reporting, nodes_stale,
            nodes_lost, num_nonnulls(nodes_in_service), nodes_in_service, num_nonnulls(nodes_draining),
            nodes_draining, num_nonnulls(nodes_maintenance), nodes_maintenance, num_nonnulls(nodes_failed),
            nodes_failed, num_nonnulls(nodes_never_seen), nodes_never_seen, open_shortages, energy_joules,
            readings_observed, readings_late, readings_refused
        from site_samples
        where time >= (select minutes_end from plan) and time < (select ends from plan) and (sites is null or site = any (sites))
    )
    select
        date_bin((select bucket from plan), part.time, '2000-01-03Z'), part.site,
        sum(it_watts::double precision) / sum(n),
        sum(facility_watts::double precision) / nullif(sum(facility_watts_n), 0),
        sum(supply_watts::double precision) / nullif(sum(supply_watts_n), 0),
        sum(headroom_watts::double precision) / nullif(sum(headroom_watts_n), 0), min(headroom_watts_min),
        sum(installed::double precision) / sum(n), sum(in_service::double precision) / sum(n),
        sum(allocated::double precision) / sum(n), sum(free::double precision) / sum(n),
        sum(unknown::double precision) / sum(n), sum(unexpected::double precision) / nullif(sum(unexpected_n), 0),
        sum(h100e_in_service::double precision) / sum(n), sum(h100e_free::double precision) / sum(n),
        sum(utilization::double precision) / nullif(sum(utilization_n), 0),
        sum(nodes_reporting::double precision) / sum(n), sum(nodes_stale::double precision) / sum(n),
        sum(nodes_lost::double precision) / sum(n),
        sum(nodes_in_service::double precision) / nullif(sum(nodes_in_service_n), 0),
        sum(nodes_draining::double precision) / nullif(sum(nodes_draining_n), 0),
        sum(nodes_maintenance::double precision) / nullif(sum(nodes_maintenance_n), 0),
        sum(nodes_failed::double precision) / nullif(sum(nodes_failed_n), 0),
        sum(nodes_never_seen::double precision) / nullif(sum(nodes_never_seen_n), 0), max(open_shortages),
        max(energy_joules), max(readings_observed), max(readings_late), max(readings_refused)
    from part
    group by 1, 2
    order by 1, 2;
end;
comment on function site_series is 'sites, all or some, as fleet_series has the fleet';

create function fleet_pool_series(from_ timestamptz, to_ timestamptz, wanted interval)
returns table (
    "time" timestamptz, type text, installed double precision, in_service double precision,
    allocated double precision, free double precision, held_idle double precision, unknown double precision,
    h100e_in_service double precision, h100e_free double precision, utilization double precision)
language sql stable parallel safe
begin atomic
    with plan as materialized (
        select * from series_plan('fleet_pools', 'fleet_pools', from_, to_, wanted, interval '2 hours',
            (select max(time) from fleet_pools), (select max(time) from fleet_pools_1m), (select max(time) from fleet_pools_1h))
    ),
    part (
        time, type, n, installed, in_service, allocated, free, held_idle, unknown, h100e_in_service, h100e_free,
        utilization_n, utilization) as (
        select
            time, type, n, installed_sum, in_service_sum, allocated_sum, free_sum, held_idle_sum, unknown_sum,
            h100e_in_service_sum, h100e_free_sum, utilization_n, utilization_sum
        from fleet_pools_1h
        where time >= (select begins from plan) and time < (select hours_end from plan)
        union all
        select
            time, type, n, installed_sum, in_service_sum, allocated_sum, free_sum, held_idle_sum, unknown_sum,
            h100e_in_service_sum, h100e_free_sum, utilization_n, utilization_sum
        from fleet_pools_1m
        where time >= (select hours_end from plan) and time < (select minutes_end from plan)
        union all
        select
            time, type, 1, installed, in_service, allocated, free, held_idle, unknown, h100e_in_service, h100e_free,
            num_nonnulls(utilization), utilization
        from fleet_pools
        where time >= (select minutes_end from plan) and time < (select ends from plan)
    )
    select
        date_bin((select bucket from plan), part.time, '2000-01-03Z'), part.type,
        sum(installed::double precision) / sum(n), sum(in_service::double precision) / sum(n),
        sum(allocated::double precision) / sum(n), sum(free::double precision) / sum(n),
        sum(held_idle::double precision) / sum(n), sum(unknown::double precision) / sum(n),
        sum(h100e_in_service::double precision) / sum(n), sum(h100e_free::double precision) / sum(n),
        sum(utilization::double precision) / nullif(sum(utilization_n), 0)
    from part
    group by 1, 2
    order by 1, 2;
end;
comment on function fleet_pool_series is 'the fleet''s accelerators by type: means';

create function site_pool_series(from_ timestamptz, to_ timestamptz, wanted interval, sites text[] default null)
returns table (
    "time" timestamptz, site text, type text, installed double precision, in_service double precision,
    allocated double precision, free double precision, held_idle double precision, unknown double precision,
    h100e_in_service double precision, h100e_free double precision, utilization double precision)
language sql stable parallel safe
begin atomic
    with plan as materialized (
        select * from series_plan('site_pools', 'site_pools', from_, to_, wanted, interval '2 hours',
            (select max(time) from site_pools), (select max(time) from site_pools_1m), (select max(time) from site_pools_1h))
    ),
    part (
        time, site, type, n, installed, in_service, allocated, free, held_idle, unknown, h100e_in_service,
        h100e_free, utilization_n, utilization) as (
        select
            time, site, type, n, installed_sum, in_service_sum, allocated_sum, free_sum, held_idle_sum, unknown_sum,
            h100e_in_service_sum, h100e_free_sum, utilization_n, utilization_sum
        from site_pools_1h
        where time >= (select begins from plan) and time < (select hours_end from plan) and (sites is null or site = any (sites))
        union all
        select
            time, site, type, n, installed_sum, in_service_sum, allocated_sum, free_sum, held_idle_sum, unknown_sum,
            h100e_in_service_sum, h100e_free_sum, utilization_n, utilization_sum
        from site_pools_1m
        where time >= (select hours_end from plan) and time < (select minutes_end from plan) and (sites is null or site = any (sites))
        union all
        select
            time, site, type, 1, installed, in_service, allocated, free, held_idle, unknown, h100e_in_service,
            h100e_free, num_nonnulls(utilization), utilization
        from site_pools
        where time >= (select minutes_end from plan) and time < (select ends from plan) and (sites is null or site = any (sites))
    )
    select
        date_bin((select bucket from plan), part.time, '2000-01-03Z'), part.site, part.type,
        sum(installed::double precision) / sum(n), sum(in_service::double precision) / sum(n),
        sum(allocated::double precision) / sum(n), sum(free::double precision) / sum(n),
        sum(held_idle::double precision) / sum(n), sum(unknown::double precision) / sum(n),
        sum(h100e_in_service::double precision) / sum(n), sum(h100e_free::double precision) / sum(n),
        sum(utilization::double precision) / nullif(sum(utilization_n), 0)
    from part
    group by 1, 2, 3
    order by 1, 2, 3;
end;
comment on function site_pool_series is 'the accelerators of sites, all or some, by type: means';

create function tenant_series(from_ timestamptz, to_ timestamptz, wanted interval)
returns table (
    "time" timestamptz, tenant text, deserved double precision, limited_to double precision,
    wanted_accelerators double precision, granted double precision, pending double precision, used double precision,
    starved double precision, borrowing double precision, servable double precision)
language sql stable parallel safe
begin atomic
    with plan as materialized (
        select * from series_plan('tenant', 'tenant_samples', from_, to_, wanted, interval '2 hours',
            (select max(time) from tenant_samples), (select max(time) from tenant_1m), (select max(time) from tenant_1h))
    ),
    part (
        time, tenant, n, deserved_n, deserved, limited_to_n, limited_to, wanted, granted, pending, used_n, used,
        starved_n, starved, borrowing_n, borrowing, servable) as (
        select
            time, tenant, n, deserved_n, deserved_sum, limited_to_n, limited_to_sum, wanted_sum, granted_sum,
            pending_sum, used_n, used_sum, starved_n, starved_sum, borrowing_n, borrowing_sum, servable_sum
        from tenant_1h
        where time >= (select begins from plan) and time < (select hours_end from plan)
        union all
        select
            time, tenant, n, deserved_n, deserved_sum, limited_to_n, limited_to_sum, wanted_sum, granted_sum,
            pending_sum, used_n, used_sum, starved_n, starved_sum, borrowing_n, borrowing_sum, servable_sum
        from tenant_1m
        where time >= (select hours_end from plan) and time < (select minutes_end from plan)
        union all
        select
            time, tenant, 1, num_nonnulls(deserved), deserved, num_nonnulls(limited_to), limited_to, wanted,
            granted, pending, num_nonnulls(used), used, num_nonnulls(starved), starved, num_nonnulls(borrowing),
            borrowing, servable
        from tenant_samples
        where time >= (select minutes_end from plan) and time < (select ends from plan)
    )
    select
        date_bin((select bucket from plan), part.time, '2000-01-03Z'), part.tenant,
        sum(deserved::double precision) / nullif(sum(deserved_n), 0),
        sum(limited_to::double precision) / nullif(sum(limited_to_n), 0), sum(wanted::double precision) / sum(n),
        sum(granted::double precision) / sum(n), sum(pending::double precision) / sum(n),
        sum(used::double precision) / nullif(sum(used_n), 0),
        sum(starved::double precision) / nullif(sum(starved_n), 0),
        sum(borrowing::double precision) / nullif(sum(borrowing_n), 0), sum(servable::double precision) / sum(n)
    from part
    group by 1, 2
    order by 1, 2;
end;
comment on function tenant_series is 'tenants: means, over the samples in which each was there';

create function node_series(from_ timestamptz, to_ timestamptz, wanted interval, site_ text, node_ text)
returns table (
    "time" timestamptz, power_watts double precision, utilization double precision,
    temperature_celsius double precision, memory_used_bytes double precision, energy_joules bigint,
    reporting bigint, stale bigint, lost bigint, in_service bigint, draining bigint, maintenance bigint,
    failed bigint)
language sql stable parallel safe
begin atomic
    with plan as materialized (
        select * from series_plan('node', 'node_samples', from_, to_, wanted, interval '3 hours',
            (select max(time) from node_samples), (select max(time) from node_1m), (select max(time) from node_1h))
    ),
    part (
        time, n, power_watts_n, power_watts, utilization_n, utilization, temperature_celsius_n, temperature_celsius,
        memory_used_bytes_n, memory_used_bytes, energy_joules, stale, lost, draining, maintenance, failed) as (
        select
            time, n, power_watts_n, power_watts_sum, utilization_n, utilization_sum, temperature_celsius_n,
            temperature_celsius_sum, memory_used_bytes_n, memory_used_bytes_sum, energy_joules_max, stale_sum,
            lost_sum, draining_sum, maintenance_sum, failed_sum
        from node_1h
        where time >= (select begins from plan) and time < (select hours_end from plan) and site = site_ and node = node_
        union all
        select
            time, n, power_watts_n, power_watts_sum, utilization_n, utilization_sum, temperature_celsius_n,
            temperature_celsius_sum, memory_used_bytes_n, memory_used_bytes_sum, energy_joules_max, stale_sum,
            lost_sum, draining_sum, maintenance_sum, failed_sum
        from node_1m
        where time >= (select hours_end from plan) and time < (select minutes_end from plan) and site = site_ and node = node_
        union all
        select
            time, 1, num_nonnulls(power_watts), power_watts, num_nonnulls(utilization), utilization,
            num_nonnulls(temperature_celsius), temperature_celsius, num_nonnulls(memory_used_bytes),
            memory_used_bytes, energy_joules, (hearing = 1)::integer, (hearing = 2)::integer, (state = 1)::integer,
            (state = 2)::integer, (state = 3)::integer
        from node_samples
        -- a range of unknown ends is taken for a small one: then the index by time, which is no good, looks good
        where time >= (select minutes_end from plan) and (time < (select ends from plan)) is true and site = site_ and node = node_
    )
    select
        date_bin((select bucket from plan), part.time, '2000-01-03Z'),
        sum(power_watts::double precision) / nullif(sum(power_watts_n), 0),
        sum(utilization::double precision) / nullif(sum(utilization_n), 0),
        sum(temperature_celsius::double precision) / nullif(sum(temperature_celsius_n), 0),
        sum(memory_used_bytes::double precision) / nullif(sum(memory_used_bytes_n), 0), max(energy_joules),
        sum(n) - sum(lost) - sum(stale), sum(stale)::bigint, sum(lost)::bigint,
        sum(n) - sum(draining) - sum(maintenance) - sum(failed), sum(draining)::bigint, sum(maintenance)::bigint,
        sum(failed)::bigint
    from part
    group by 1
    order by 1;
end;
comment on function node_series is 'one node: means, the greatest energy, and in how many samples it was heard and in which state';
