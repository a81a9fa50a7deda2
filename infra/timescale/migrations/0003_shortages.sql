-- Shortages: every event, and the newest event of each episode. Plain tables: there are few, and they are found by id.

create table shortage_events (
    id text not null,
    sequence bigint not null,
    time timestamptz not null,
    change text not null,
    status text not null,
    severity text not null,
    scope_kind text not null,
    scope_name text not null,
    resource text not null,
    resource_types text[] not null,
    demanded_accelerators bigint not null,
    demanded_h100e double precision not null,
    demanded_watts double precision not null,
    served_accelerators bigint not null,
    served_h100e double precision not null,
    served_watts double precision not null,
    missing_accelerators bigint not null,
    missing_h100e double precision not null,
    missing_watts double precision not null,
    binding text not null,
    binding_sites text[] not null,
    binding_types text[] not null,
    summary text not null,
    since timestamptz not null,
    resolved_at timestamptz,
    projects text[] not null,
    event jsonb not null,
    primary key (id, sequence)
);
comment on column shortage_events.time is 'the tick of the event';
comment on column shortage_events.since is 'the tick from which the shortage has held';
comment on column shortage_events.event is 'the whole event as it was published';
create index shortage_events_by_time on shortage_events (time desc);

create table shortages (
    id text not null,
    sequence bigint not null,
    time timestamptz not null,
    change text not null,
    status text not null,
    severity text not null,
    scope_kind text not null,
    scope_name text not null,
    resource text not null,
    resource_types text[] not null,
    demanded_accelerators bigint not null,
    demanded_h100e double precision not null,
    demanded_watts double precision not null,
    served_accelerators bigint not null,
    served_h100e double precision not null,
    served_watts double precision not null,
    missing_accelerators bigint not null,
    missing_h100e double precision not null,
    missing_watts double precision not null,
    binding text not null,
    binding_sites text[] not null,
    binding_types text[] not null,
    summary text not null,
    since timestamptz not null,
    resolved_at timestamptz,
    projects text[] not null,
    event jsonb not null,
    opened_at timestamptz not null,
    primary key (id)
);
comment on column shortages.time is 'the tick of the newest event';
comment on column shortages.opened_at is 'the tick of the first event';
create index shortages_by_opening on shortages (opened_at desc);
create index shortages_open on shortages (severity) where status = 'open';
