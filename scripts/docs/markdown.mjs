/** Parses Markdown files, and finds the fragments that GitHub generates for their headings. */

/**
 * Returns the fragment that GitHub generates from the text of a heading, without the number of a
 * repetition.
 */
export function toSlug(heading) {
  return heading
    .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, '')
    .trim()
    .replace(/\s/g, '-');
}

/** Returns a function that numbers repeated fragments of one page. */
export function createSlugger() {
  const used = new Set();
  return (heading) => {
    const slug = toSlug(heading);
    let fragment = slug;
    for (let n = 1; used.has(fragment); n++) fragment = `${slug}-${n}`;
    used.add(fragment);
    return fragment;
  };
}

/**
 * A heading and the lines until the next heading.
 * @typedef {object} Block
 * @property {number} level 0: the lines before the first heading.
 * @property {string} heading
 * @property {string} fragment the fragment of the heading in the source file.
 * @property {string[]} lines the lines after the heading.
 */

/**
 * Splits a Markdown file at its headings. Lines in code fences are not headings.
 * @returns {Block[]}
 */
export function parseBlocks(markdown) {
  const slugger = createSlugger();
  const blocks = [{ level: 0, heading: '', fragment: '', lines: [] }];
  for (const { line, isCode } of listLines(markdown)) {
    const match = isCode ? null : /^(#{1,6})\s+(.+?)\s*#*$/.exec(line);
    if (match) blocks.push({ level: match[1].length, heading: match[2], fragment: slugger(match[2]), lines: [] });
    else blocks.at(-1).lines.push(line);
  }
  return blocks;
}

/**
 * Lists the lines of a Markdown file.
 * @returns {{ line: string, isCode: boolean }[]} `isCode`: the line belongs to a code fence.
 */
export function listLines(markdown) {
  let fence = null;
  return markdown.split('\n').map((line) => {
    const marker = /^\s*(`{3,})/.exec(line)?.[1] ?? null;
    const isCode = fence !== null || marker !== null;
    if (fence === null) fence = marker;
    else if (marker !== null && line.trim() === fence) fence = null;
    return { line, isCode };
  });
}

/** Groups blocks by their heading of level 2. The first group contains the blocks before it. */
export function groupBlocks(blocks) {
  const groups = [{ heading: null, blocks: [] }];
  for (const block of blocks) {
    if (block.level === 2) groups.push({ heading: block.heading, blocks: [] });
    groups.at(-1).blocks.push(block);
  }
  return groups;
}
