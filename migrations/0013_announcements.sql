-- What is announced in a household, for as long as it is fresh. The server can read none of it.

-- What a device signed about the key that others seal to. It never changes; null until the device has
-- connected with a client that knows of announcements.
alter table device add column sealing_key bytea;

-- An announcement: who says it, and the ciphertext. Deleted five minutes after it was made, with what its
-- devices said about it.
create table announcement (
    household text not null references household (id) on delete cascade,
    -- Chosen by the announcing device.
    id text not null,
    -- The announcing device, which is told who heard it. No foreign key: the announcement outlives its
    -- removal by minutes at most.
    device text not null,
    statement bytea not null,
    content bytea not null,
    begin_at_ms bigint not null,
    expires_at_ms bigint not null,
    primary key (household, id)
);
create index announcement_expires on announcement (expires_at_ms);

-- A device that one is for. No foreign key to the device, as above.
create table announcement_receiver (
    household text not null,
    announcement text not null,
    device text not null,
    -- What became of it when it was announced: told, away or quiet.
    fate text not null,
    -- What the device made of it: played, shown or put_aside. Null until it has said so.
    heard text,
    primary key (household, announcement, device),
    foreign key (household, announcement) references announcement (household, id) on delete cascade
);
create index announcement_receiver_device on announcement_receiver (device);
