//! Requests about drop-ins: what this device asks for, and what it makes of being asked. It alone decides, here beside its keys.

import { type Bytes, equalBytes, fromBase64Url, toBase64Url } from "../bytes.ts";
import { KIND } from "../identity/certificate.ts";
import type { Identity } from "../identity/chain.ts";
import { Asked, type Asking, AskingError, checkAsking, signAsking } from "../identity/drop_in_asking.ts";
import { OPENING } from "../identity/drop_in.ts";
import { HeldGrants } from "../identity/drop_in_held.ts";
import { judge, type Verdict } from "../identity/drop_in_judge.ts";
import { type Live, step, type TargetInput, type TargetOutput, type TargetState } from "../identity/drop_in_target.ts";
import { sha256 } from "../identity/keys.ts";
import { equalKeys } from "../identity/keytext.ts";
import { KeptGrants } from "../keys/kept_grants.ts";
import type { Records } from "../keys/records.ts";
import type { DropInRefusal } from "../../protocol.ts";
import type { DropInHere, DropInInput, PinnedContact, Reply } from "../port.ts";
import type { Calls, Emit } from "./calls.ts";
import { DeskError } from "./errors.ts";
import { type Handlers, NOTHING, type Prefixed, readId, readKey } from "./handlers.ts";
import type { Home } from "./home.ts";
import { LedgerBook } from "./ledger_book.ts";

/** Whether a drop-in may go on is asked this often while it does: hours end without an event. */
const LOOK_EVERY_MS = 2_000;

const INPUTS: Readonly<Record<DropInInput, TargetInput>> = {
  signalled: { on: "signalled" }, not_signalled: { on: "not_signalled" }, yes: { on: "yes" }, no: { on: "no" },
  hush: { on: "hush", to: true }, unhush: { on: "hush", to: false }, end: { on: "end" },
  over: { on: "over", by: "initiator" }, lost: { on: "over", by: "connection" },
};

/** The one who drops in, as they asked. */
interface Initiator {
  identity: Identity;
  asking: Asking;
  keyPackage: Bytes;
}

export class DropInDesk {
  readonly #home: Home;
  readonly #calls: Calls;
  readonly #kept: KeptGrants;
  readonly #emit: Emit;
  #held: HeldGrants | undefined;
  #ledger: LedgerBook | undefined;
  #asked = new Asked();
  #state: TargetState = { at: "idle" };
  #initiator: Initiator | undefined;
  #pinned: PinnedContact[] = [];
  /** Switched off by the household. */
  #off = false;
  #lookedAt = 0;

  constructor(home: Home, calls: Calls, records: Records, emit: Emit) {
    this.#home = home;
    this.#calls = calls;
    this.#kept = new KeptGrants(records);
    this.#emit = emit;
  }

  get running(): boolean {
    return this.#state.at !== "idle";
  }

  async tick(): Promise<void> {
    await this.#input({ on: "tick" });
    if (this.running && this.#home.now() - this.#lookedAt >= LOOK_EVERY_MS) await this.#look();
  }

  /** With the keys of this device. */
  async forgetAll(): Promise<void> {
    this.#held = this.#ledger = undefined;
    this.#asked = new Asked();
    await this.#kept.delete(this.#home.slot);
  }

  handlers(): Handlers<Prefixed<"drop_in"> | Prefixed<"own_ledger">> {
    return {
      ...this.#ledgerHandlers(),
      "drop_in.asking": ({ call, targetGenesis, picture }) => this.#want(readId(call), readKey(targetGenesis), picture),
      "drop_in.take": ({ statements, told = false }) => this.#take(statements.map(fromBase64Url), told),
      "drop_in.forget": async ({ grant }) => {
        (await this.#grants()).forget(readId(grant));
        return this.#changed();
      },
      "drop_in.asked": (args) => this.#judge(args),
      "drop_in.input": async ({ call, input }) => {
        if (this.#state.at !== "idle" && this.#state.live.call === readId(call)) await this.#input(INPUTS[input]);
        return NOTHING;
      },
      "drop_in.admit": async ({ call }) => {
        const initiator = this.#initiator;
        const here = this.#state.at === "knocking" || this.#state.at === "open";
        if (initiator === undefined || !here || initiator.asking.call !== readId(call)) throw new DeskError("unknown_call", "there is no such drop-in");
        await this.#calls.admit(initiator.asking.call, initiator.keyPackage, initiator.identity.deviceKey);
        return NOTHING;
      },
      "drop_in.pinned": async ({ pinned, off }) => {
        this.#pinned = pinned;
        this.#off = off;
        if (this.running) await this.#look();
        return NOTHING;
      },
      "drop_in.switch": async ({ off }) => {
        const held = await this.#grants();
        if (held.off !== off) this.#ledger?.switched(!off);
        held.off = off;
        await this.#changed();
        return { off };
      },
      "drop_in.status": async () => ({ off: (await this.#grants()).off }),
      "drop_in.everyone_out": async () => {
        (await this.#grants()).everyoneOut(this.#home.now());
        this.#ledger?.putOut();
        return this.#changed();
      },
    };
  }

  async #want(call: string, targetGenesis: Bytes, picture: boolean): Promise<Reply<"drop_in.asking">> {
    const { pair, chain } = this.#home.me();
    const fits = ({ deviceKey, genesis, kind }: Identity): boolean =>
      equalKeys(deviceKey, pair.publicKey) || (kind === KIND.device && equalKeys(genesis, targetGenesis));
    const keyPackage = await this.#calls.wantDropIn(call, targetGenesis, fits);
    const asking = { call, atMs: this.#home.now(), targetGenesis, picture, keyPackageHash: sha256(keyPackage), chain };
    return { asking: toBase64Url(signAsking(asking, pair)), keyPackage: toBase64Url(keyPackage) };
  }

  #ledgerHandlers(): Handlers<Prefixed<"own_ledger">> {
    const book = async (): Promise<LedgerBook> => {
      await this.#grants();
      return this.#ledger as LedgerBook;
    };
    return {
      "own_ledger.next": async () => ({ next: (await book()).next() }),
      "own_ledger.stored": async ({ index }) => {
        (await book()).markStored(index);
        await this.#save();
        return NOTHING;
      },
      "own_ledger.meet": async ({ length, last }) => {
        const same = (await book()).meet(length, last);
        await this.#save();
        return { same };
      },
      "own_ledger.read": async ({ entries, more }) => {
        (await book()).read(entries, more);
        await this.#save();
        return NOTHING;
      },
    };
  }

  /** What is shown with everything else, and does not hold, has no effect and is shown again and again: it is not written down. */
  async #take(statements: Bytes[], told: boolean): Promise<{ refused: number }> {
    const held = await this.#grants();
    let refused = 0;
    for (const statement of statements) {
      try {
        const before = new Map([...held.kept.seen].map(([id, { revision }]) => [id, revision]));
        const grant = held.take(this.#home.now(), statement, this.#home.roster());
        if (before.get(grant.id) !== grant.revision) this.#ledger?.grantTaken(grant, statement, before.has(grant.id));
      } catch (error) {
        refused += 1;
        if (told) this.#ledger?.grantRefused(statement, error);
      }
    }
    await this.#changed();
    return { refused };
  }

  /** Nothing of the device is opened here. */
  async #judge({ call, picture, asking, keyPackage, grant, here }: {
    call: string; picture: boolean; asking: string; keyPackage: string; grant: string; here: DropInHere;
  }): Promise<Reply<"drop_in.asked">> {
    const held = await this.#grants();
    this.#pinned = here.pinned;
    const shown = fromBase64Url(grant);
    const id = readId(call);
    // What is shown counts from now on: nothing older does.
    await this.#take([shown], true);
    const checked = this.#checked(id, fromBase64Url(asking), fromBase64Url(keyPackage), picture);
    await this.#save();
    if (checked === undefined) return this.#refuse(id, "initiator", undefined);
    this.#off = here.off;
    const verdict = this.#verdict(held, checked, picture, shown);
    if (here.off) return this.#refuse(id, "off", verdict.initiator);
    if ("refused" in verdict) return this.#refuse(id, verdict.refused, verdict.initiator);
    const { permit, initiator } = verdict;
    // One that was not taken, since there is no room, is none to go by.
    const taken = held.statements.get(permit.grant);
    if (taken === undefined || !equalBytes(taken, shown)) return this.#refuse(id, "no_grant", initiator);
    const who = this.#home.whoIs(initiator);
    if (here.busy || this.running) return this.#refuse(id, "busy", initiator);
    if (here.quiet) return this.#refuse(id, "quiet", initiator);
    // What the grant does not cover is refused by name, and the rest opens.
    if (picture && !permit.picture) this.#ledger?.refused(checked.call, initiator, "sound_only");
    // Nobody is let in whose visit could not be written down.
    if (this.#ledger?.hasRoom !== true) return this.#refuse(id, "unavailable", initiator);
    this.#initiator = { identity: initiator, asking: checked, keyPackage: fromBase64Url(keyPackage) };
    const seen = permit.picture && here.camera;
    await this.#input({ on: "permitted", live: { call: checked.call, permit, own: who.own, picture: seen, frostedMs: here.frostedMs } });
    return { permitted: true, who, knocks: permit.opening !== OPENING.atOnce, picture: seen };
  }

  async #refuse(call: string, refusal: DropInRefusal, who: Identity | undefined): Promise<Reply<"drop_in.asked">> {
    this.#ledger?.refused(call, who, refusal);
    await this.#save().catch(() => undefined);
    return { permitted: false, refusal, who: who && this.#home.whoIs(who) };
  }

  #checked(call: string, asking: Bytes, keyPackage: Bytes, picture: boolean): Asking | undefined {
    const now = this.#home.now();
    try {
      const checked = checkAsking(asking, { call, genesis: this.#home.roster().genesis, keyPackage, picture }, now);
      return this.#asked.note(call, now) ? checked : undefined;
    } catch (error) {
      if (error instanceof AskingError) return undefined;
      throw error;
    }
  }

  /** A picture that is not granted is left out, and the rest begins all the same. */
  #verdict(held: HeldGrants, { chain }: Asking, picture: boolean, shown: Bytes | undefined): Verdict {
    const { pair } = this.#home.me();
    const pinned = this.#pinned.map(({ contact, theirGenesis }) => ({ contact: readId(contact), genesis: readKey(theirGenesis) }));
    const standing = { device: pair.publicKey, roster: this.#home.roster(), pinned };
    const ask = (seen: boolean): Verdict => judge(this.#home.now(), held, standing, { initiator: chain, picture: seen, shown });
    const verdict = ask(picture);
    return "refused" in verdict && verdict.refused === "sound_only" ? ask(false) : verdict;
  }

  /** Whether what runs may go on: by the newest revision of the grant that it goes by. */
  async #look(): Promise<void> {
    this.#lookedAt = this.#home.now();
    if (this.#state.at === "idle" || this.#initiator === undefined) return;
    const held = await this.#grants();
    const statement = held.statements.get(this.#state.live.permit.grant);
    const { picture } = this.#state.live.permit;
    const verdict = this.#verdict(held, this.#initiator.asking, picture, statement);
    // Without its grant, another one that lets them begin is no reason to go on; nor is sound where the picture was taken back.
    const narrowed = "permit" in verdict && verdict.permit.picture !== picture ? "sound_only" as const : undefined;
    const refusal = this.#off ? "off" as const : statement === undefined ? "no_grant" : "refused" in verdict ? verdict.refused : narrowed;
    if (refusal !== undefined) await this.#input({ on: "ends", refusal, by: refusal === "ended_here" || refusal === "off" ? "put_out" : "grant" });
  }

  /** The group is made with `open` and forgotten with `close`, before the page hears of either. */
  async #input(input: TargetInput): Promise<void> {
    if (this.#state.at === "idle" && input.on !== "permitted") return;
    const live = input.on === "permitted" ? input.live : this.#state.at === "idle" ? undefined : this.#state.live;
    const knocked = this.#state.at === "knocking";
    const { state, outputs } = step(this.#state, this.#home.now(), input);
    this.#state = state;
    if (live === undefined || outputs.length === 0) return;
    const kept = await this.#writeDown(live, knocked, outputs);
    for (const output of outputs) {
      if (!kept && lets(output, knocked)) return this.#giveUp(live.call, "unavailable");
      if (output.do === "open" && !(await this.#open(live.call))) return this.#giveUp(live.call, "no_signal");
      if (output.do === "close") await this.#close();
      this.#emit("drop_in", { call: live.call, output });
    }
  }

  /** It does not open after all. */
  async #giveUp(call: string, refusal: DropInRefusal): Promise<void> {
    this.#ledger?.ended(call, "connection");
    await this.#close();
    await this.#save().catch(() => undefined);
    this.#emit("drop_in", { call, output: { do: "refuse", refusal } });
    this.#emit("drop_in", { call, output: { do: "close", by: "connection" } });
  }

  /** Before anything of it is done. False: it could not be written down, and then nobody is let in; what ends it goes on all the same. */
  async #writeDown(live: Live, knocked: boolean, outputs: readonly TargetOutput[]): Promise<boolean> {
    const who = this.#initiator?.identity;
    let written = true;
    for (const output of outputs) {
      if (lets(output, knocked) && who !== undefined) written = this.#ledger?.opened(live, who) === true;
      if (output.do === "refuse") this.#ledger?.refused(live.call, who, output.refusal);
      if (output.do === "close") this.#ledger?.ended(live.call, output.by);
    }
    return this.#save().then(() => written, () => false);
  }

  /** False: there is no room for a further call. */
  #open(call: string): Promise<boolean> {
    const own = this.#home.me().pair.publicKey;
    const { identity } = this.#initiator ?? {};
    if (identity === undefined) return Promise.resolve(false);
    const fits = ({ deviceKey }: Identity): boolean => equalKeys(deviceKey, own) || equalKeys(deviceKey, identity.deviceKey);
    return this.#calls.openDropIn(call, identity.genesis, fits).then(() => true, () => false);
  }

  async #close(): Promise<void> {
    const call = this.#initiator?.asking.call;
    this.#initiator = undefined;
    this.#state = { at: "idle" };
    // The keys are gone whether or not it can be stored that nobody is expected any more.
    if (call !== undefined) await this.#calls.leave(call).catch(() => undefined);
  }

  async #grants(): Promise<HeldGrants> {
    if (this.#held !== undefined) return this.#held;
    const kept = await this.#kept.load(this.#home.slot, this.#home.ready().home.genesis);
    this.#asked = new Asked(kept?.asked);
    const { pair, home } = this.#home.ready();
    this.#ledger = new LedgerBook(home.genesis, pair, this.#home.now, kept?.ledger, kept?.opened);
    this.#held = new HeldGrants(kept?.held);
    // A page that was torn out of a drop-in: the next one says so. It lasted at most until now.
    if (kept?.opened !== undefined) {
      this.#ledger.ended(kept.opened.call, "connection");
      // With a full disk the next that is written down says it.
      await this.#save().catch(() => undefined);
    }
    return this.#held;
  }

  /** What was taken away counts at once, whether or not it could be stored; that it was not is told. */
  async #changed(): Promise<Record<string, never>> {
    const saved = this.#save();
    await saved.catch(() => undefined);
    if (this.running) await this.#look();
    await saved;
    return NOTHING;
  }

  async #save(): Promise<void> {
    const { kept } = await this.#grants();
    const { stored: ledger, open } = this.#ledger as LedgerBook;
    await this.#kept.save(this.#home.slot, { genesis: this.#home.ready().home.genesis, held: kept, asked: new Map(this.#asked.calls), ledger, opened: open });
    if (ledger.unsent.length > 0) this.#emit("ledger_wrote", {});
  }
}

/** Whether with this somebody is let in: what is heard from now on stands in the ledger. */
function lets(output: TargetOutput, knocked: boolean): boolean {
  return (output.do === "open" && output.stage !== "knocking") || (output.do === "stage" && knocked);
}
