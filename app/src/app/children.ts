//! What the adults of a household know about its children: consents, and the calls they made.

import type { AccountId, ConsentRecord, ConsentText, Event, PastCall } from "../protocol.ts";
import type { Session } from "../session/client.ts";

const PAGE = 20;

export interface ChildView {
  /** Undefined until it was fetched. */
  text: ConsentText | undefined;
  record: ConsentRecord | undefined;
  /** Undefined until somebody asked for them. */
  calls: PastCall[] | undefined;
  complete: boolean;
}

export class Children {
  readonly #session: Session;
  readonly #changed: () => void;
  readonly #views = new Map<AccountId, ChildView>();
  readonly #asked = new Set<AccountId>();

  constructor(session: Session, changed: () => void) {
    this.#session = session;
    this.#changed = changed;
  }

  /** What is known of a child; asks for it once. */
  view(child: AccountId): ChildView {
    if (!this.#asked.has(child)) {
      this.#asked.add(child);
      void this.#fetch(child).catch(() => this.#asked.delete(child));
    }
    return this.#views.get(child) ?? { text: undefined, record: undefined, calls: undefined, complete: false };
  }

  async give(child: AccountId, { name, email, version }: { name: string; email: string; version: number }): Promise<void> {
    const { text, record } = await this.#session.request({ type: "give_consent", account: child, name, email, version }, "consent");
    this.#put(child, { text, record: record ?? undefined });
  }

  async withdraw(child: AccountId): Promise<void> {
    await this.#session.done({ type: "withdraw_consent", account: child });
    await this.#fetch(child);
  }

  async loadCalls(child: AccountId, more: boolean): Promise<void> {
    const before = more ? this.#views.get(child)?.calls ?? [] : [];
    const { calls } = await this.#session.request(
      { type: "list_child_calls", account: child, before_ms: before.at(-1)?.started_at_ms ?? null, limit: PAGE }, "history");
    this.#put(child, { calls: [...before, ...calls], complete: calls.length < PAGE });
  }

  async erase(child: AccountId): Promise<void> {
    await this.#session.done({ type: "delete_child_data", account: child });
    this.#put(child, { calls: [], complete: true });
  }

  handle(event: Event): void {
    if (event.type === "consent_changed" && this.#asked.has(event.account)) void this.#fetch(event.account).catch(() => undefined);
    if (event.type === "mail_settled") {
      const found = [...this.#views].find(([, { record }]) => record?.mail === event.mail);
      if (found !== undefined) void this.#fetch(found[0]).catch(() => undefined);
    }
  }

  async #fetch(child: AccountId): Promise<void> {
    const { text, record } = await this.#session.request({ type: "get_consent", account: child }, "consent");
    this.#put(child, { text, record: record ?? undefined });
  }

  #put(child: AccountId, change: Partial<ChildView>): void {
    this.#views.set(child, { ...this.view(child), ...change });
    this.#changed();
  }
}
