// Corrections to ts-mls 1.6.4, made while bundling. Each fails the build when the text that it corrects is not there.

const UNMERGED_LEAVES = `if (tree[nodeIndex]?.nodeType !== "leaf" && !dp.includes(toNodeIndex(i)))
                    return new ValidationError("Unmerged leaf did not represent a non-blank descendant leaf node");
                for (const parentIdx of dp) {
                    const dpNode = tree[parentIdx];
                    if (dpNode !== undefined) {
                        if (dpNode.nodeType !== "parent")
                            return new InternalError("Expected parent node");
                        if (!arraysEqual(dpNode.parent.unmergedLeaves, n.parent.unmergedLeaves))`;

// RFC 9420 section 12.4.3.1: every node between the leaf and the parent lists the leaf. ts-mls compares the whole lists,
// and with nodes above the parent too, so that it refuses genuine welcomes into groups of six or more.
const UNMERGED_LEAVES_RIGHT = `if (tree[nodeIndex]?.nodeType !== "leaf" || !dp.includes(toNodeIndex(i)))
                    return new ValidationError("Unmerged leaf did not represent a non-blank descendant leaf node");
                for (const parentIdx of dp.slice(0, dp.indexOf(toNodeIndex(i)))) {
                    const dpNode = tree[parentIdx];
                    if (dpNode !== undefined) {
                        if (dpNode.nodeType !== "parent")
                            return new InternalError("Expected parent node");
                        if (!dpNode.parent.unmergedLeaves.includes(unmergedLeaf))`;

/** An esbuild plugin. */
export const tsMlsPatches = {
  name: "ts-mls-patches",
  setup(build) {
    build.onLoad({ filter: /ts-mls\/dist\/src\/clientState\.js$/ }, async ({ path }) => {
      const { readFile } = await import("node:fs/promises");
      const source = await readFile(path, "utf8");
      if (!source.includes(UNMERGED_LEAVES)) throw new Error("ts-mls has changed: look at patches.mjs again");
      return { contents: source.replace(UNMERGED_LEAVES, UNMERGED_LEAVES_RIGHT), loader: "js" };
    });
  },
};
