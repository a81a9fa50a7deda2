-- Nodes: every node of a site at each node frame, and the newest row of each node.
-- hearing: 0 reporting, 1 stale, 2 lost. state: 0 in service, 1 draining, 2 maintenance, 3 failed.
-- power_source: 0 measured, 1 modelled, 2 carried, 3 unknown. The views of 0005 have the words.

create table node_samples (
    time timestamptz not null,
    site text not null,
    node text not null,
    rack text,
    type text,
    heard_at timestamptz,
    hearing smallint,
    state smallint,
    installed smallint,
    in_service smallint,
    allocated smallint,
    power_watts double precision,
    power_source smallint,
    utilization double precision,
    memory_used_bytes bigint,
    temperature_celsius double precision,
    energy_joules bigint,
    written_at timestamptz not null default now(),
    primary key (time, site, node)
);
comment on column node_samples.heard_at is 'when the node last measured, by its own clock';
comment on column node_samples.energy_joules is 'since the first reading of the node';
comment on column node_samples.written_at is 'when the transaction that wrote the row began';
select create_hypertable('node_samples', 'time', chunk_time_interval => interval '1 hour', create_default_indexes => false);

create table node_latest (
    time timestamptz not null,
    site text not null,
    node text not null,
    rack text,
    type text,
    heard_at timestamptz,
    hearing smallint,
    state smallint,
    installed smallint,
    in_service smallint,
    allocated smallint,
    power_watts double precision,
    power_source smallint,
    utilization double precision,
    memory_used_bytes bigint,
    temperature_celsius double precision,
    energy_joules bigint,
    primary key (site, node)
) with (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.05);
