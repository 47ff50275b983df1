//! The names that guests say: counted in characters, as both clients and the server count them.

export const GUEST_NAME_MAX = 40;

export function isGuestName(name: string): boolean {
  const length = [...name].length;
  return length >= 1 && length <= GUEST_NAME_MAX;
}
