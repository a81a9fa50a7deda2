-- Accelerators that nobody expected, and those that are promised and not there. Rows of before do not know: null.

alter table site_samples add column unexpected bigint;
alter table fleet_samples
    add column unexpected bigint,
    add column overcommitted bigint;
comment on column site_samples.unexpected is 'accelerators that report, or did, beyond what the site''s facts expect';
comment on column fleet_samples.overcommitted is 'accelerators that tenants together deserve beyond those there are';

alter table site_1m
    add column unexpected_n integer not null default 0,
    add column unexpected_sum bigint,
    add column unexpected_min bigint,
    add column unexpected_max bigint;
alter table site_1m
    alter column unexpected_n drop default;
alter table site_1h
    add column unexpected_n integer not null default 0,
    add column unexpected_sum bigint,
    add column unexpected_min bigint,
    add column unexpected_max bigint;
alter table site_1h
    alter column unexpected_n drop default;
alter table fleet_1m
    add column unexpected_n integer not null default 0,
    add column unexpected_sum bigint,
    add column unexpected_min bigint,
    add column unexpected_max bigint,
    add column overcommitted_n integer not null default 0,
    add column overcommitted_sum bigint,
    add column overcommitted_min bigint,
    add column overcommitted_max bigint;
alter table fleet_1m
    alter column unexpected_n drop default,
    alter column overcommitted_n drop default;
alter table fleet_1h
    add column unexpected_n integer not null default 0,
    add column unexpected_sum bigint,
    add column unexpected_min bigint,
    add column unexpected_max bigint,
    add column overcommitted_n integer not null default 0,
    add column overcommitted_sum bigint,
    add column overcommitted_min bigint,
    add column overcommitted_max bigint;
alter table fleet_1h
    alter column unexpected_n drop default,
    alter column overcommitted_n drop default;
