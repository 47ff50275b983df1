//! Imported address books, numbers, and verifying one's own.

use homeline_protocol::session::{Reply, Request};

use super::{Answer, Services, misplaced};
use crate::domain::limits::Origin;
use crate::model::Speaker;

pub(super) async fn address_book(
    services: &Services,
    speaker: &Speaker,
    request: Request,
) -> Answer {
    let books = &services.address_books;
    match request {
        Request::GetAddressBook => {
            return Ok(Reply::AddressBook(books.settings(speaker).await?));
        }
        Request::SetImport { on } => books.set_import(speaker, on).await?,
        Request::SetPhoneRegion { region } => books.set_region(speaker, &region).await?,
        Request::BeginImport { import, source } => {
            books.begin_import(speaker, import, &source).await?;
        }
        Request::ImportBatch { import, entries } => {
            books.import_batch(speaker, import, &entries).await?;
        }
        Request::FinishImport { import } => {
            return Ok(Reply::Imported(books.finish_import(speaker, import).await?));
        }
        Request::ListImported { after } => {
            let (entries, more) = books.list(speaker, after).await?;
            return Ok(Reply::ImportedEntries { entries, more });
        }
        Request::HideEntry { entry, hidden } => books.hide(speaker, entry, hidden).await?,
        Request::SetContactNumbers { contact, numbers } => {
            books
                .set_contact_numbers(speaker, contact, &numbers)
                .await?;
        }
        Request::ListContactNumbers { after } => {
            let (contacts, more) = books.contact_numbers(speaker, after).await?;
            return Ok(Reply::ContactNumbers { contacts, more });
        }
        Request::FindContact { name, kind } => {
            return Ok(Reply::Found(books.find(speaker, &name, kind).await?));
        }
        _ => return Err(misplaced()),
    }
    Ok(Reply::Done)
}

pub(super) async fn own_number(
    services: &Services,
    speaker: &Speaker,
    from: Origin,
    request: Request,
) -> Answer {
    let numbers = &services.numbers;
    match request {
        Request::StartNumberVerification { number } => {
            let sent = numbers.start(speaker, from, &number).await?;
            return Ok(Reply::NumberVerification {
                number: sent.number,
                expires_at_ms: sent.expires.0,
            });
        }
        Request::ConfirmNumber { code } => numbers.confirm(speaker, &code).await?,
        Request::ForgetNumber => numbers.forget(speaker).await?,
        Request::SetDiscoverable { on } => numbers.set_discoverable(speaker, on).await?,
        _ => return Err(misplaced()),
    }
    Ok(Reply::Done)
}
