-- Waking apps that are closed.

-- The server's own key for push services (RFC 8292), made at the first start. Subscriptions are bound
-- to its public half, so it is never replaced. One row.
create table push_key (
    id bigint primary key check (id = 1),
    -- PKCS #8. Secret: whoever has it can send in this server's name.
    pkcs8 bytea not null
);

-- Where a device can be woken. Gone with the device, when it signs out, and when the push service
-- says that the subscription has ended.
create table push_address (
    device text not null references device (id) on delete cascade,
    -- The subscription's URL: a capability, never logged.
    endpoint text not null,
    p256dh bytea not null,
    auth bytea not null,
    kind text not null,
    created_at_ms bigint not null,
    primary key (device, endpoint)
);
-- A browser that changes hands keeps its subscription: the new device takes it over.
create index push_address_endpoint on push_address (endpoint);
