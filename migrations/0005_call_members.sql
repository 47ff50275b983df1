-- People who were added to a running call, and missed calls that nobody has seen yet.

-- Somebody who was added to a call that runs. Caller and callee are in running_call itself. A row
-- goes in the transaction that writes the person's history.
create table call_member (
    call text not null references running_call (id) on delete cascade,
    account text not null references account (id) on delete cascade,
    -- Who added them, as they were called then.
    inviter_handle text not null,
    inviter_name text not null,
    added_at_ms bigint not null,
    -- Null while it rings.
    answered_at_ms bigint,
    primary key (call, account)
);

-- False while a missed call waits to be seen. Calls from before this column count as seen.
alter table past_call add column seen boolean not null default true;
create index past_call_unseen on past_call (account, seen);
