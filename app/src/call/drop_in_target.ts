//! The page of a home device that somebody drops in on: tone and light, then microphone and camera, as its key worker decides.

import type { DropInOutput, DropInInput, PinnedContact, WhoIs } from "../e2ee/port.ts";
import type { E2ee } from "../e2ee/page.ts";
import type { HomeStore } from "../home/store.ts";
import type { CallId, DropInGrant, DropInRefusal, Event, Party } from "../protocol.ts";
import type { Session } from "../session/client.ts";
import type { SourceKind } from "../media/capture.ts";
import type { CallController, DropInAsked } from "./controller.ts";
import type { PeerView } from "./state.ts";

export interface DropInTargetHost {
  readonly e2ee: E2ee;
  readonly session: Session;
  readonly store: HomeStore;
  readonly calls: CallController;
  /** On do not disturb. */
  quiet(): boolean;
  /** Switched off in the household. */
  off(): boolean;
  maySend(source: SourceKind): boolean;
  hasCamera(): boolean;
  frostedMs(): number;
  /** What the device is called. */
  label(): string;
  /** The tone, to its end; false: it was not heard. */
  tone(): Promise<boolean>;
  /** The indicator is painted on a screen that is on; false: it is not. */
  light(): Promise<boolean>;
  remind(): void;
}

export class DropInTarget {
  readonly #host: DropInTargetHost;
  readonly #unlisten: () => void;
  /** The one that the key worker has begun. */
  #call: CallId | undefined;
  #opened = false;
  #pinned = "";

  constructor(host: DropInTargetHost) {
    this.#host = host;
    this.#unlisten = host.e2ee.on("drop_in", ({ call, output }) => this.#does(call, output));
  }

  stop(): void {
    this.#unlisten();
    if (this.#call !== undefined) void this.say("lost");
  }

  /** All that the household has now. What was held before and is not shown any more stays held: it ends by itself. */
  async loaded(): Promise<void> {
    const grants = this.#host.store.home?.drop_in_grants ?? [];
    await this.#host.e2ee.request("drop_in.take", { statements: grants.map(({ statement }) => statement) }).catch(() => undefined);
  }

  /** A grant came or went, or the drop-in ended, of which its reason says by whom. */
  handle(event: Event): void {
    const { e2ee } = this.#host;
    if (event.type === "call_ended" && event.call === this.#call) void this.say(event.reason === "hung_up" ? "over" : "lost");
    if (event.type === "drop_in_grant_put") void e2ee.request("drop_in.take", { statements: [event.statement], told: true }).catch(() => undefined);
    if (event.type === "drop_in_grant_ended") void e2ee.request("drop_in.forget", { grant: event.grant }).catch(() => undefined);
  }

  /** Something changed while somebody is there: is the call still on, and are the contacts still who they were? */
  look(): void {
    const { calls, e2ee } = this.#host;
    if (this.#call === undefined) return;
    const { state } = calls;
    const here = (state.at === "arriving" || state.at === "running") && state.call === this.#call;
    if (!here) void this.say("lost");
    const pinned = this.#pinnedContacts();
    const off = this.#host.off();
    const said = JSON.stringify([pinned, off]);
    if (said === this.#pinned) return;
    this.#pinned = said;
    void e2ee.request("drop_in.pinned", { pinned, off }).catch(() => undefined);
  }

  async asked(event: DropInAsked): Promise<void> {
    const { calls, e2ee, session } = this.#host;
    const { call, picture, asking, key_package: keyPackage } = event;
    const grant: DropInGrant = event.grant;
    const busy = calls.state.at !== "idle" && calls.state.at !== "ended";
    const here = {
      busy, quiet: this.#host.quiet(), off: this.#host.off(), camera: this.#host.hasCamera() && this.#host.maySend("camera"),
      frostedMs: this.#host.frostedMs(), pinned: this.#pinnedContacts(),
    };
    const refuse = (refusal: DropInRefusal): Promise<void> => session.done({ type: "refuse_drop_in", call, refusal }).catch(() => undefined);
    const answer = await e2ee.request("drop_in.asked", { call, picture, asking, keyPackage, grant: grant.statement, here }).catch(() => undefined);
    if (answer === undefined) return refuse("unavailable");
    if (!answer.permitted) return refuse(answer.refusal);
    this.#call = call;
    this.#opened = false;
    this.#pinned = JSON.stringify([here.pinned, here.off]);
    calls.input({ on: "drop_in_arrives", call, peer: whoDropsIn(this.#host.store, answer.who, event.from), video: answer.picture, knocks: answer.knocks });
    // A call that came in the same moment was first.
    const arrives = calls.state.at === "arriving" && calls.state.call === call;
    const [heard, seen] = arrives ? await Promise.all([this.#host.tone(), this.#host.light()]) : [false, false];
    await this.say(heard && seen ? "signalled" : "not_signalled", call);
  }

  /** What somebody at the device does. */
  async say(input: DropInInput, call = this.#call): Promise<void> {
    if (call !== undefined) await this.#host.e2ee.request("drop_in.input", { call, input }).catch(() => undefined);
  }

  ended(call: CallId): void {
    void this.say("over", call);
  }

  #does(call: CallId, output: DropInOutput): void {
    if (call !== this.#call) return;
    const { calls, session } = this.#host;
    const tell = (request: Parameters<Session["done"]>[0]): void => void session.done(request).catch(() => undefined);
    switch (output.do) {
      // Begun with the answer to `drop_in.asked`.
      case "signal": return;
      case "open": {
        this.#opened = true;
        const { stage, frosted } = output;
        const video = calls.state.at === "arriving" && calls.state.video;
        const media = { microphone: this.#host.maySend("microphone"), camera: video && this.#host.maySend("camera") };
        return calls.input({ on: "drop_in_opens", call, stage, frosted, nowMs: Date.now(), media, room: this.#host.label() });
      }
      case "stage":
        calls.input({ on: "drop_in_stage", call, stage: output.stage, frosted: output.frosted });
        return tell({ type: "set_drop_in_stage", call, stage: output.stage });
      case "refuse":
        this.#opened = false;
        return tell({ type: "refuse_drop_in", call, refusal: output.refusal });
      case "close":
        this.#call = undefined;
        if (this.#opened && output.by !== "initiator") tell({ type: "hang_up", call, reason: "hung_up" });
        return calls.input({ on: "drop_in_over", call, nowMs: Date.now() });
      case "remind": return this.#host.remind();
    }
  }

  /** Those whose cards hold. */
  #pinnedContacts(): PinnedContact[] {
    return [...this.#host.store.contacts.values()].flatMap(({ id, theirGenesis, pin, trouble }) =>
      theirGenesis === undefined || pin === 3 || pin === 0 || trouble !== undefined ? [] : [{ contact: id, theirGenesis }]);
  }
}

/** By their certificates; the server's word is shown only for what somebody of a known household calls themself. */
export function whoDropsIn(store: Pick<HomeStore, "members" | "contacts" | "device" | "home">, who: WhoIs, from: Party): PeerView {
  const { genesis } = who;
  if (who.own) {
    const room = who.kind === "home_device" ? store.device(who.device)?.label : undefined;
    const member = store.members.find(({ id }) => id === who.person);
    return { handle: member?.handle ?? from.handle, name: room ?? member?.display_name ?? who.label, contact: undefined, genesis, verdict: "own" };
  }
  const theirs = [...store.contacts.values()].filter((contact) => contact.theirGenesis === genesis && contact.pin !== 3 && contact.trouble === undefined);
  const contact = theirs.find(({ handle }) => handle === from.handle) ?? theirs[0];
  const name = contact === undefined ? from.display_name : contact.handle === from.handle ? contact.name : `${from.display_name} of ${contact.name}'s household`;
  return { handle: from.handle, name, contact: contact?.id, genesis, verdict: contact?.pin === 2 ? "verified" : "unverified" };
}
