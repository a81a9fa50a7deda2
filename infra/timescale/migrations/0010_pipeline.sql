-- What the workers say of their own work, and what was refused. `time` is wall time here, not event time.

create table pipeline_workers (
    time timestamptz not null,
    worker text not null,
    app text not null,
    since timestamptz not null,
    rows_written bigint not null,
    resident_bytes bigint not null,
    cpu_seconds double precision not null,
    primary key (time, worker)
);
comment on table pipeline_workers is 'one row a worker and period; the period is from `since` to `time`';
comment on column pipeline_workers.rows_written is 'to the database; none by the twin';
select create_hypertable('pipeline_workers', 'time', chunk_time_interval => interval '1 day', create_default_indexes => false);

create table pipeline_flows (
    time timestamptz not null,
    worker text not null,
    topic text not null,
    partition bigint not null,
    app text not null,
    since timestamptz not null,
    records bigint not null,
    bytes bigint not null,
    lag bigint,
    primary key (time, worker, topic, partition)
);
comment on table pipeline_flows is 'what a worker read of one partition in a period; the topic is without the prefix';
comment on column pipeline_flows.lag is 'records still to be read at the end of the period; null where that is not known';
select create_hypertable('pipeline_flows', 'time', chunk_time_interval => interval '1 day', create_default_indexes => false);

create table pipeline_delays (
    time timestamptz not null,
    worker text not null,
    stage text not null,
    app text not null,
    since timestamptz not null,
    count bigint not null,
    p50_seconds double precision not null,
    p95_seconds double precision not null,
    p99_seconds double precision not null,
    most_seconds double precision not null,
    primary key (time, worker, stage)
);
comment on table pipeline_delays is 'from event time to the end of a stage, over what was done in a period';
comment on column pipeline_delays.stage is 'site_state: sent by the twin. site_row, node_row, shortage_row: in the database';
select create_hypertable('pipeline_delays', 'time', chunk_time_interval => interval '1 day', create_default_indexes => false);

create table dead_letters (
    time timestamptz not null,
    topic text not null,
    partition bigint not null,
    letter_offset bigint not null,
    code text not null,
    detail text not null,
    source_topic text not null,
    source_partition bigint not null,
    source_offset bigint not null,
    key text,
    rows_refused bigint not null,
    bytes bigint not null,
    primary key (time, topic, partition, letter_offset)
);
comment on table dead_letters is 'what was refused; after a crash a letter may be there twice, with the same source';
comment on column dead_letters.time is 'when Kafka took the letter in';
comment on column dead_letters.code is 'why; of several rows refused, that of the first';
comment on column dead_letters.rows_refused is 'of a frame; 1 where the record was refused whole';
comment on column dead_letters.bytes is 'of the record''s value';
select create_hypertable('dead_letters', 'time', chunk_time_interval => interval '30 days', create_default_indexes => false);
create index dead_letters_by_code on dead_letters (code, time desc);
