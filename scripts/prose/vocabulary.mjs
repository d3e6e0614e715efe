/**
 * Phrases that the project's texts do not use, each with a replacement. CONTRIBUTING.md, "Style",
 * gives the reasons. A pattern matches only whole words, and ignores case. A space in a pattern
 * matches any white space.
 */
export const VOCABULARY = [
  // Riddling subjects: name the thing.
  { pattern: 'somebody|someone|(?<!")nobody|anybody|whoever|whatever', advice: 'name the user, process or object' },
  {
    pattern:
      '(?<=(?:^|[.;:] )\\s*)What (?:is|was|are|were|has|have|had|it|they|a|an|the|this|no|comes|came|cannot|can|must|may)(?= [^?]*(?:[.;:]|$))',
    advice: 'start with a noun, not with a clause that begins with "what"',
  },
  // Everyday verbs in place of technical ones.
  { pattern: 'anew|once more', advice: '"again"' },
  { pattern: '(?:go|goes|going|went|gone) on', advice: '"continue" or "resume"' },
  { pattern: '(?:give|gives|gave|giving|given) up(?! to)', advice: '"stop retrying", "abort" or "release"' },
  { pattern: '(?:take|takes|took|taking|taken) over', advice: '"acquire" (a lease) or "replace"' },
  { pattern: '(?:find|finds|found|finding) out', advice: '"determine" or "detect"' },
  { pattern: '(?:come|comes|came|coming) to', advice: '"amount to", "reach" or a direct verb' },
  { pattern: '(?:look|looks|looked|looking) (?:at|after)', advice: '"read", "check", "inspect" or "maintain"' },
  {
    pattern: '(?:is|are|was|were|be|been) (?:told|asked|said|tried)',
    advice: '"receives", "is requested", "is reported" or "is tested"',
  },
  { pattern: '(?:tells|told|says|said)', advice: '"reports", "states" or "returns"' },
  { pattern: '(?:ask|asks|asked|asking) for', advice: '"request"' },
  { pattern: '(?:stand|stands|stood|standing)(?! (?:for|alone))', advice: '"is", "is stored" or "appears"' },
  { pattern: '(?:hand|hands|handed|handing) on', advice: '"requeue", "pass" or "forward"' },
  // Everyday nouns in place of technical ones.
  { pattern: 'in hand|in the hands? of', advice: '"current", "held by" or "leased to"' },
  { pattern: '(?<!encrypt\\w* )(?<!encryption )(?<!secret )at rest', advice: '"idle" or "unchanged"' },
  { pattern: 'by hand', advice: '"manually"' },
  { pattern: 'of its own|of their own|of our own', advice: '"separate", "dedicated" or "its own …" before the noun' },
  { pattern: 'would be right', advice: 'state the correct value or condition' },
  { pattern: 'trouble|mistakes?', advice: '"failure" or "error"' },
  {
    pattern: '(?<!in )the past(?! (?:\\w+ )?(?:seconds?|minutes?|hours?|days?|weeks?|months?|years?))',
    advice: '"history" or "backfill"',
  },
  { pattern: 'the beginning(?! of)', advice: '"the start of the history"' },
  { pattern: '(?:is|are|was|were|be) over', advice: '"has finished" or "has ended"' },
  { pattern: '(?:is|are|was|were) there(?= [.;]|[.;])', advice: '"exists" or "is available"' },
  { pattern: 'whole or not at all', advice: '"atomically"' },
  { pattern: '(?:for|until) ever|as it were|so to speak', advice: 'leave the phrase out' },
  { pattern: 'e-mails?', advice: '"email"' },
  // Freshet's terms.
  { pattern: 'way of reading|ways of reading', advice: '"strategy"' },
  { pattern: 'object table of contents|places? of work', advice: 'use the glossary of docs/architecture.md' },
  {
    pattern:
      'synchronis\\w*|behaviour\\w*|initialis\\w*|serialis\\w*|normalis\\w*|organis\\w*|recognis\\w*|authoris\\w*|optimis\\w*|colour\\w*|summaris\\w*|favour\\w*',
    advice: 'American spelling',
  },
];
