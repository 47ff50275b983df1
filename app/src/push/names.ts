//! The names of the own contacts, as the service worker may show them: it has no session and no keys, so the page, which has
//! checked the signed cards, keeps them here for it. Gone with "off" and with signing out.
//!
//! A push tells who calls only by a hash over call and handle: who has the handle among their contacts finds the name.

import { concat, fromHex, toBase64Url, utf8 } from "../e2ee/bytes.ts";
import type { CallId } from "../protocol.ts";

export interface KnownName {
  handle: string;
  name: string;
}

const DATABASE = "homeline.notices";
const STORE = "names";

export async function keepNames(names: readonly KnownName[]): Promise<void> {
  const database = await open();
  try {
    const work = database.transaction(STORE, "readwrite");
    work.objectStore(STORE).clear();
    for (const { handle, name } of names) work.objectStore(STORE).put({ handle, name });
    await new Promise<void>((resolve, reject) => {
      work.oncomplete = () => resolve();
      work.onabort = () => reject(work.error ?? new Error("names could not be kept"));
    });
  } finally {
    database.close();
  }
}

/** The own contact's name, if the one who calls is a contact. */
export async function nameOf(call: CallId, caller: string): Promise<string | undefined> {
  return match(await allNames(), call, caller);
}

export async function match(names: readonly KnownName[], call: CallId, caller: string): Promise<string | undefined> {
  for (const { handle, name } of names) {
    if ((await callerTag(call, handle)) === caller) return name;
  }
  return undefined;
}

/** As the server makes it: signaling/src/domain/push/rules.rs. */
export async function callerTag(call: CallId, handle: string): Promise<string> {
  const text = concat(utf8("homeline push caller v1"), fromHex(call), utf8(handle));
  return toBase64Url(new Uint8Array(await crypto.subtle.digest("SHA-256", text)));
}

async function allNames(): Promise<KnownName[]> {
  const database = await open();
  try {
    return await new Promise((resolve, reject) => {
      const all = database.transaction(STORE).objectStore(STORE).getAll() as IDBRequest<KnownName[]>;
      all.onsuccess = () => resolve(all.result);
      all.onerror = () => reject(all.error ?? new Error("names could not be read"));
    });
  } finally {
    database.close();
  }
}

function open(): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    const opening = indexedDB.open(DATABASE, 1);
    opening.onupgradeneeded = () => opening.result.createObjectStore(STORE, { keyPath: "handle" });
    opening.onsuccess = () => resolve(opening.result);
    opening.onerror = () => reject(opening.error ?? new Error("names can't be opened"));
  });
}
