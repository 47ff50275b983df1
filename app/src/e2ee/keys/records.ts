//! Where a browser keeps records: an IndexedDB store, behind the three verbs that the key store needs.

export interface Records {
  get(key: string): Promise<unknown>;
  /** Reads, changes and writes in one transaction: two tabs share the store. */
  update(key: string, change: (old: unknown) => unknown): Promise<void>;
  delete(key: string): Promise<void>;
}

const DATABASE = "homeline-keys";
const STORE = "records";

export class IndexedDbRecords implements Records {
  #opened: Promise<IDBDatabase> | undefined;

  /** Made when the first record is asked for: a guest's worker asks for none, and leaves no database behind. */
  get #database(): Promise<IDBDatabase> {
    if (this.#opened === undefined) {
      const request = indexedDB.open(DATABASE, 1);
      request.onupgradeneeded = () => request.result.createObjectStore(STORE);
      this.#opened = done(request);
    }
    return this.#opened;
  }

  async get(key: string): Promise<unknown> {
    const store = (await this.#database).transaction(STORE, "readonly").objectStore(STORE);
    return done<unknown>(store.get(key));
  }

  async update(key: string, change: (old: unknown) => unknown): Promise<void> {
    // "strict": what was acknowledged here is the only copy of a private key.
    const transaction = (await this.#database).transaction(STORE, "readwrite", { durability: "strict" });
    const store = transaction.objectStore(STORE);
    const request = store.get(key);
    request.onsuccess = () => store.put(change(request.result), key);
    await committed(transaction);
  }

  async delete(key: string): Promise<void> {
    const transaction = (await this.#database).transaction(STORE, "readwrite", { durability: "strict" });
    transaction.objectStore(STORE).delete(key);
    await committed(transaction);
  }
}

function done<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error ?? new Error("the browser's storage failed"));
  });
}

function committed(transaction: IDBTransaction): Promise<void> {
  return new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve();
    transaction.onabort = transaction.onerror = () => reject(transaction.error ?? new Error("the browser's storage failed"));
  });
}
