//! Requests about announcements: sealed here to the household's home devices, and opened here by one that it is for.

import { fromBase64Url, toBase64Url, toHex } from "../bytes.ts";
import { ANNOUNCED, type Announcement, AnnouncementError, countsUntil, Heard, openAnnouncement } from "../identity/announcement.ts";
import { type Content, openContent, sealAnnouncement } from "../identity/announcement_content.ts";
import type { Identity } from "../identity/chain.ts";
import { MalformedError } from "../identity/encoding.ts";
import { deviceIdOf } from "../identity/ids.ts";
import { equalKeys } from "../identity/keytext.ts";
import { openSealingKey, type SealingStatement, signSealingKey } from "../identity/sealing.ts";
import { SignatureError } from "../identity/signed.ts";
import { KeptHeardOnes } from "../keys/kept_heard.ts";
import type { Records } from "../keys/records.ts";
import type { AnnouncedContent, Args, Reply } from "../port.ts";
import { DeskError } from "./errors.ts";
import { type Handlers, NOTHING, type Prefixed, randomBytes, readId } from "./handlers.ts";
import type { Home } from "./home.ts";

/** Announcements whose content is on its way; the oldest goes. */
const TAKEN_MAX = 64;

export class AnnouncementDesk {
  readonly #home: Home;
  readonly #kept: KeptHeardOnes;
  #heard: Heard | undefined;
  /** Those that were heard in a page before this one. */
  #earlier: ReadonlyMap<string, number> = new Map();
  readonly #taken = new Map<string, { said: Announcement; from: Identity }>();

  constructor(home: Home, records: Records) {
    this.#home = home;
    this.#kept = new KeptHeardOnes(records);
  }

  /** With the keys of this device. */
  async forgetAll(): Promise<void> {
    this.#heard = undefined;
    this.#taken.clear();
    await this.#kept.delete(this.#home.slot);
  }

  handlers(): Handlers<Prefixed<"announcement">> {
    return {
      "announcement.sealing_key": async () => {
        const { pair, home } = this.#home.ready();
        return { statement: toBase64Url(await signSealingKey(home.genesis, pair)) };
      },
      "announcement.seal": (args) => this.#seal(args),
      "announcement.take": ({ announcement, statement }) => this.#take(readId(announcement), statement),
      "announcement.heard": ({ announcement }) => this.#wasHeard(readId(announcement)),
      "announcement.open": ({ announcement, content }) => this.#open(readId(announcement), content),
    };
  }

  async #seal({ to, content, replyTo }: Args<"announcement.seal">): Promise<Reply<"announcement.seal">> {
    const { pair, home } = this.#home.ready();
    const id = toHex(randomBytes(16));
    const draft = { id, content: read(content), replyTo: replyTo === undefined ? undefined : readId(replyTo), atMs: this.#home.now() };
    const devices = to.flatMap((one) => this.#ownWord(readId(one.device), one.statement) ?? []);
    const speaker = { device: pair, chain: this.#home.chain(), genesis: home.genesis };
    const { statement, ciphertext } = await sealAnnouncement(draft, speaker, devices, randomBytes(16));
    return { announcement: id, statement: toBase64Url(statement), content: toBase64Url(ciphertext) };
  }

  /** Undefined: whatever the server says, that device has not said it. */
  #ownWord(device: string, statement: string): SealingStatement | undefined {
    try {
      const opened = openSealingKey(fromBase64Url(statement), this.#home.roster());
      return deviceIdOf(opened.device) === device ? opened : undefined;
    } catch (error) {
      if (error instanceof MalformedError || error instanceof SignatureError || error instanceof RangeError) return undefined;
      throw error;
    }
  }

  async #take(id: string, statement: string): Promise<Reply<"announcement.take">> {
    const heard = await this.#memory();
    const now = this.#home.now();
    const { said, from } = openAnnouncement(fromBase64Url(statement), this.#home.roster(), now);
    if (said.id !== id) throw new DeskError("bad_signature", "the server tells of another announcement than was signed");
    const { pair } = this.#home.ready();
    if (!said.keys.some(({ device }) => equalKeys(device, pair.publicKey))) throw new AnnouncementError("not_for_us");
    if (this.#earlier.has(id)) throw new DeskError("heard_earlier", "it was heard here before this page was opened");
    heard.take(said.id, countsUntil(said), now);
    const oldest = [...this.#taken.keys()].at(-TAKEN_MAX);
    if (oldest !== undefined) this.#taken.delete(oldest);
    this.#taken.set(id, { said, from });
    return { who: this.#home.whoIs(from), kind: said.kind === ANNOUNCED.sound ? "sound" : "text", replyTo: said.replyTo };
  }

  /** It does not play here again, whatever a server shows to a page after this one. */
  async #wasHeard(id: string): Promise<Record<string, never>> {
    const until = (await this.#memory()).until(id);
    if (until === undefined) throw new DeskError("not_for_me", "there is no such announcement");
    await this.#kept.keep(this.#home.slot, this.#home.roster().genesis, [id, until], this.#home.now());
    return NOTHING;
  }

  async #memory(): Promise<Heard> {
    if (this.#heard !== undefined) return this.#heard;
    this.#earlier = await this.#kept.load(this.#home.slot, this.#home.roster().genesis);
    return (this.#heard = new Heard(this.#earlier));
  }

  async #open(id: string, content: string): Promise<AnnouncedContent> {
    const taken = this.#taken.get(id);
    if (taken === undefined) throw new DeskError("not_for_me", "there is no such announcement");
    this.#taken.delete(id);
    const opened = await openContent(taken.said, taken.from.deviceKey, this.#home.ready().pair, fromBase64Url(content));
    return opened.kind === "text" ? opened : { ...opened, ogg: toBase64Url(opened.ogg) };
  }
}

function read(content: AnnouncedContent): Content {
  return content.kind === "text" ? content : { ...content, ogg: fromBase64Url(content.ogg) };
}
