-- What a shortage's constraint binds together with, how much waits for it, what one more unit would serve, and what
-- else binds; what the fleet could serve; tenants at each tick. Defaults are for the rows that are there already.

alter table shortage_events
    add column binding_together_with text[] not null default '{}',
    add column binding_behind bigint not null default 0,
    add column one_more_unit text,
    add column one_more_serves bigint,
    add column also jsonb not null default '[]';
alter table shortage_events
    alter column binding_together_with drop default,
    alter column binding_behind drop default,
    alter column also drop default;
alter table shortages
    add column binding_together_with text[] not null default '{}',
    add column binding_behind bigint not null default 0,
    add column one_more_unit text,
    add column one_more_serves bigint,
    add column also jsonb not null default '[]';
alter table shortages
    alter column binding_together_with drop default,
    alter column binding_behind drop default,
    alter column also drop default;
comment on column shortage_events.binding_together_with is 'constraints that must give way with it; empty where it binds by itself';
comment on column shortage_events.binding_behind is 'accelerators that wait for this';
comment on column shortage_events.one_more_unit is 'accelerator, whole_node or megawatt';
comment on column shortage_events.one_more_serves is 'accelerators that one more unit would serve';
comment on column shortage_events.also is 'what else binds, in the form of the event''s binding';

alter table fleet_samples
    add column servable bigint,
    add column demands_waiting bigint,
    add column demands_expired bigint;
comment on column fleet_samples.servable is 'pending accelerators that could be had; null in rows of before this was known';

alter table fleet_1m
    add column servable_n integer not null default 0,
    add column servable_sum bigint,
    add column servable_min bigint,
    add column servable_max bigint,
    add column demands_waiting_n integer not null default 0,
    add column demands_waiting_sum bigint,
    add column demands_waiting_min bigint,
    add column demands_waiting_max bigint,
    add column demands_expired_n integer not null default 0,
    add column demands_expired_sum bigint,
    add column demands_expired_min bigint,
    add column demands_expired_max bigint;
alter table fleet_1m
    alter column servable_n drop default,
    alter column demands_waiting_n drop default,
    alter column demands_expired_n drop default;
alter table fleet_1h
    add column servable_n integer not null default 0,
    add column servable_sum bigint,
    add column servable_min bigint,
    add column servable_max bigint,
    add column demands_waiting_n integer not null default 0,
    add column demands_waiting_sum bigint,
    add column demands_waiting_min bigint,
    add column demands_waiting_max bigint,
    add column demands_expired_n integer not null default 0,
    add column demands_expired_sum bigint,
    add column demands_expired_min bigint,
    add column demands_expired_max bigint;
alter table fleet_1h
    alter column servable_n drop default,
    alter column demands_waiting_n drop default,
    alter column demands_expired_n drop default;

create table tenant_samples (
    time timestamptz not null,
    tenant text not null,
    deserved bigint,
    limited_to bigint,
    wanted bigint not null,
    granted bigint not null,
    pending bigint not null,
    used bigint,
    starved bigint,
    borrowing bigint,
    servable bigint not null,
    primary key (time, tenant)
);
comment on table tenant_samples is 'accelerators; null is not known: a tenant without quotas deserves nobody knows what';
comment on column tenant_samples.limited_to is 'the sum of its quotas'' limits';
comment on column tenant_samples.used is 'of what it deserves, as much as is granted';
comment on column tenant_samples.starved is 'pending, and within what it deserves';
comment on column tenant_samples.borrowing is 'granted beyond what it deserves';
comment on column tenant_samples.servable is 'pending, and could be had';
select create_hypertable('tenant_samples', 'time', chunk_time_interval => interval '6 hours', create_default_indexes => false);
create index tenant_samples_by_tenant on tenant_samples (tenant, time desc);

create table tenant_1m (
    time timestamptz not null,
    tenant text not null,
    n integer not null,
    wanted_sum bigint not null,
    wanted_min bigint not null,
    wanted_max bigint not null,
    granted_sum bigint not null,
    granted_min bigint not null,
    granted_max bigint not null,
    pending_sum bigint not null,
    pending_min bigint not null,
    pending_max bigint not null,
    servable_sum bigint not null,
    servable_min bigint not null,
    servable_max bigint not null,
    deserved_n integer not null,
    deserved_sum bigint,
    deserved_min bigint,
    deserved_max bigint,
    limited_to_n integer not null,
    limited_to_sum bigint,
    limited_to_min bigint,
    limited_to_max bigint,
    used_n integer not null,
    used_sum bigint,
    used_min bigint,
    used_max bigint,
    starved_n integer not null,
    starved_sum bigint,
    starved_min bigint,
    starved_max bigint,
    borrowing_n integer not null,
    borrowing_sum bigint,
    borrowing_min bigint,
    borrowing_max bigint,
    primary key (time, tenant)
);
create table tenant_1h (like tenant_1m including all);
select create_hypertable('tenant_1m', 'time', chunk_time_interval => interval '7 days', create_default_indexes => false);
select create_hypertable('tenant_1h', 'time', chunk_time_interval => interval '180 days', create_default_indexes => false);
create index tenant_1m_by_tenant on tenant_1m (tenant, time desc);
create index tenant_1h_by_tenant on tenant_1h (tenant, time desc);

create view tenants_now as
select time, tenant, deserved, limited_to, wanted, granted, pending, used, starved, borrowing, servable
from tenant_samples where time = (select max(time) from fleet_samples);

create view shortages_now as
select id, severity, scope_kind, scope_name, resource, resource_types, since, opened_at, time,
    demanded_accelerators, served_accelerators, missing_accelerators, missing_h100e, missing_watts,
    binding, binding_together_with as together_with, binding_sites, binding_types, binding_behind as behind,
    one_more_unit, one_more_serves, summary,
    array(select other ->> 'constraint' from jsonb_array_elements(also) other) as also, projects
from shortages where status = 'open';
