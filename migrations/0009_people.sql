-- Moving in anew, and the numbers that a family types.

-- Whether the account was there before it asked: then being turned away forgets the request and the
-- app made for it, and nothing else.
alter table join_request add column rejoins boolean not null default false;

-- Whose budget a typed number is looked up from among registered people: whoever typed it. Null: nobody's.
alter table contact_number add column typed_by text references account (id) on delete set null;

-- The number of a contact or an imported entry that an account called last: it comes first.
create table last_number (
    account text not null references account (id) on delete cascade,
    -- The contact's or the entry's id.
    whose text not null,
    -- As it is written there.
    number text not null,
    primary key (account, whose)
);

-- Numbers that an account may have looked up: those it imported, and those it typed for contacts.
create view held_number (account, e164) as
    select entry.account, number.e164 from imported_number number
    join imported_entry entry on entry.id = number.entry
    where number.e164 is not null
    union all
    select typed_by, e164 from contact_number where typed_by is not null and e164 is not null;

-- Typed numbers with who is registered by them, as far as whoever typed them may look them up: an unknown
-- number, one whose owner does not want to be found, and a child's come out alike.
create view typed_number (household, contact, place, kind, text, e164, registered) as
    select number.household, number.contact, number.place, number.kind, number.text, number.e164,
        owner.handle
    from contact_number number
    left join number_lookup lookup
        on lookup.account = number.typed_by and lookup.e164 = number.e164
    left join verified_number verified
        on verified.e164 = lookup.e164 and verified.discoverable
        and verified.account <> number.typed_by
    left join account owner on owner.id = verified.account and owner.role <> 'child';
