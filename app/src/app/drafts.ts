//! What a screen remembers between two renderings: open dialogs, texts that were typed, buttons that are at work.

export class Drafts {
  readonly #values = new Map<string, unknown>();

  get<T>(name: string): T | undefined {
    return this.#values.get(name) as T | undefined;
  }

  set(name: string, value: unknown): void {
    if (value === undefined) this.#values.delete(name);
    else this.#values.set(name, value);
  }

  clear(): void {
    this.#values.clear();
  }
}
