const [ZERO, NINE] = [48, 57] as const;

/** Reads the UTF-16 code unit of a `\uXXXX` escape. @param at the position of its `u`. */
export function readCodeUnit(json: Buffer, at: number): number {
  let code = 0;
  for (let i = at + 1; i <= at + 4; i++) {
    const c = json[i] as number;
    code = code * 16 + (c <= NINE ? c - ZERO : (c | 32) - 87);
  }
  return code;
}
