//! The call code: what two people compare to know that nobody is between them.

/** Six groups of five digits from the epoch authenticator: each five bytes, big-endian, mod 100,000. */
export function callCode(epochAuthenticator: Uint8Array): string {
  const groups = Array.from({ length: 6 }, (_, group) => {
    let value = 0;
    for (const byte of epochAuthenticator.subarray(5 * group, 5 * group + 5)) value = value * 256 + byte;
    return (value % 100_000).toString().padStart(5, "0");
  });
  return groups.join(" ");
}
