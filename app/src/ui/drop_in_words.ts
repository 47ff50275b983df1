//! Drop-ins in words.

import type { DropInRefusal, DropInStage } from "../protocol.ts";

/** Why nothing of them was heard or seen. */
export function refusalWords(refusal: DropInRefusal, name: string): string {
  switch (refusal) {
    case "off": return `Drop in is switched off at ${name}.`;
    case "initiator": return `${name} could not make sure that it is you.`;
    case "not_in_household": return "This device does not belong to the household any more.";
    case "no_grant": case "revoked": case "expired": case "ended_here": case "not_yet": return `${name} does not let you drop in.`;
    case "forged": case "other_household": case "signer_may_not": case "replayed": return `${name} did not open: the permission that the server showed does not hold.`;
    case "not_a_contact": return `You are not among the contacts of ${name} any more.`;
    case "new_member": return `An adult at ${name} has to agree to you first. They have been told.`;
    case "other_device": return "You may drop in, but not on this device.";
    case "outside_hours": return "You may drop in, but not at this hour.";
    case "sound_only": return "You may drop in with sound only.";
    case "busy": return `${name} is in a call.`;
    case "quiet": return `${name} is on do not disturb.`;
    case "turned_away": return `Nobody at ${name} opened.`;
    case "no_signal": return `${name} could not sound its tone or show its light, so nothing opened.`;
    case "unavailable": return `${name} can't be reached now.`;
  }
}

/** How far it has come, at the one who drops in. */
export function stageWords(stage: DropInStage, picture: boolean): string | undefined {
  switch (stage) {
    case "knocking": return "You have knocked. Somebody there may open.";
    case "frosted": return picture ? "Frosted: the picture becomes clear by itself." : undefined;
    case "clear": return undefined;
    case "hushed": return "Hushed: somebody there has switched the sound off, both ways.";
  }
}

/** The same at the device that is heard. */
export function hereWords(stage: DropInStage | "arriving" | "knocks", name: string, picture: boolean): string {
  switch (stage) {
    case "arriving": return `${name} is dropping in`;
    case "knocks": case "knocking": return `${name} knocks`;
    case "hushed": return `Hushed: ${name} hears nothing, and is not heard`;
    case "frosted": return `${name} hears this room${picture ? ", and sees a blur of it" : ""}`;
    case "clear": return `${name} hears${picture ? " and sees" : ""} this room`;
  }
}

/** Somebody was near lately. */
export function nearWords(minutesAgo: number): string {
  return `Somebody was here within the last ${minutesAgo < 5 ? 5 : 10} minutes`;
}
