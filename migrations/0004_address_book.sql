-- Numbers and imported address books. What an account imports is that account's alone.

-- What an account chose about numbers and import. Without a row: never asked, the server's region.
create table address_book (
    account text primary key references account (id) on delete cascade,
    -- Null until the person was asked and chose.
    import boolean,
    -- Null: the server's default region.
    region text,
    -- How many numbers may still be looked up among registered people today; what bounds the
    -- trying out of numbers.
    lookups_left bigint not null,
    lookups_day bigint not null
);

-- The last import of each source. Finished ones stay, so that a repeated finish gets the same answer.
create table import_run (
    account text not null references account (id) on delete cascade,
    source text not null,
    id text not null,
    began_at_ms bigint not null,
    finished_at_ms bigint,
    entries bigint not null,
    removed bigint not null,
    primary key (account, source)
);
create unique index import_run_id on import_run (account, id);

-- What an unfinished import has brought so far: it changes nothing until it is finished.
create table import_staged (
    account text not null,
    source text not null,
    source_id text not null,
    -- Becomes the entry's id, unless the source had this entry before.
    id text not null unique,
    name text not null,
    primary key (account, source, source_id),
    foreign key (account, source) references import_run (account, source) on delete cascade
);
create table import_staged_number (
    entry text not null references import_staged (id) on delete cascade,
    place bigint not null,
    kind text not null,
    text text not null,
    e164 text,
    primary key (entry, place)
);

-- Entries of imported address books. The source's own id keeps an entry, and whether it is hidden,
-- over later imports.
create table imported_entry (
    id text primary key,
    account text not null references account (id) on delete cascade,
    source text not null,
    source_id text not null,
    name text not null,
    hidden boolean not null,
    unique (account, source, source_id)
);
create index imported_entry_account on imported_entry (account, id);
create table imported_number (
    entry text not null references imported_entry (id) on delete cascade,
    place bigint not null,
    kind text not null,
    text text not null,
    e164 text,
    primary key (entry, place)
);

-- Numbers that the family typed for a contact of the household. They stay when an import goes.
create table contact_number (
    household text not null,
    contact text not null,
    place bigint not null,
    kind text not null,
    text text not null,
    e164 text,
    primary key (household, contact, place),
    foreign key (household, contact) references contact (household, id) on delete cascade
);

-- Numbers that an account may see matched with registered people: each was paid from its budget,
-- and goes when the account holds the number no more.
create table number_lookup (
    account text not null references account (id) on delete cascade,
    e164 text not null,
    primary key (account, e164)
);

-- A number whose owner has shown that a code sent to it arrives. One number has one account, and
-- one account one number.
create table verified_number (
    e164 text primary key,
    account text not null unique references account (id) on delete cascade,
    -- Whether those who hold the number may find the account by it.
    discoverable boolean not null,
    verified_at_ms bigint not null
);

-- A code on its way, of which only the argon2id hash is kept: a plain hash of six digits is guessed
-- at once by whoever reads the database.
create table number_verification (
    account text primary key references account (id) on delete cascade,
    e164 text not null,
    code_hash text not null,
    tries_left bigint not null,
    expires_at_ms bigint not null
);
