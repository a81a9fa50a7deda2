-- How far each topic has become rows, written with the rows: a database that was made anew, or came back from a backup,
-- says by it from where the store has to read again.
create table store_positions (
    topic text not null,
    partition integer not null,
    next_offset bigint not null,
    primary key (topic, partition)
);
comment on table store_positions is 'all records before next_offset are rows; topic has the prefix';
