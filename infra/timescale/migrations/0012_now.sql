-- What is so now: the newest row of the fleet, of each site and of its pools, and racks by the newest rows of their nodes.
-- `age_seconds` is how long ago by the wall that was.

create view fleet_now as
select newest.*, it_measured_watts + it_modelled_watts + it_carried_watts as it_watts,
    extract(epoch from now() - time)::double precision as age_seconds
from (select * from fleet_samples order by time desc limit 1) newest;

create view sites_now as
with recursive known (site) as (
    select min(site) from site_samples
    union all
    select (select min(site) from site_samples where site > known.site) from known where known.site is not null
)
select newest.*, it_measured_watts + it_modelled_watts + it_carried_watts as it_watts,
    extract(epoch from now() - time)::double precision as age_seconds
from known cross join lateral (
    select * from site_samples where site_samples.site = known.site order by time desc limit 1
) newest;

create view fleet_pools_now as
select fleet_pools.*, extract(epoch from now() - time)::double precision as age_seconds
from fleet_pools where time = (select max(time) from fleet_samples);

create view site_pools_now as
select site_pools.*, sites_now.age_seconds
from sites_now join site_pools using (time, site);

create view racks_now as
select site, rack, max(time) as time, count(*) as nodes, count(*) filter (where hearing <> 0) as not_reporting,
    sum(power_watts) as power_watts, avg(utilization) as utilization, max(temperature_celsius) as temperature_celsius,
    sum(installed)::bigint as installed, sum(allocated)::bigint as allocated
from node_latest group by site, rack;
comment on view racks_now is 'nodes that are gone for good stay in it, as not reporting';
