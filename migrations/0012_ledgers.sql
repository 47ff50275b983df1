-- What happened at home devices at which somebody may drop in, as each device has signed it.

-- One entry of one device's ledger. Entries are added at the end and never changed or deleted by themselves: adults' apps check the
-- chain, so a missing one would be noticed. They go with their household.
create table ledger_entry (
    household text not null references household (id) on delete cascade,
    -- Who signed it. No foreign key: the ledger of a removed device stays readable for the household's adults.
    device text not null,
    -- Its place, from 0.
    place bigint not null,
    -- SHA-256 of the entry: the next one names it.
    hash bytea not null,
    entry bytea not null,
    primary key (household, device, place)
);
