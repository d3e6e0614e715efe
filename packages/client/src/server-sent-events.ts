export interface ServerSentEvent {
  readonly id: string | null;
  readonly data: string;
}

/**
 * Parses a stream of server-sent events
 * (https://html.spec.whatwg.org/multipage/server-sent-events.html). Yields each event as soon as
 * the event is complete. Skips comments, and events without data.
 */
export async function* parseEvents(body: ReadableStream<Uint8Array<ArrayBuffer>>): AsyncGenerator<ServerSentEvent> {
  let buffer = '';
  for await (const chunk of body.pipeThrough(new TextDecoderStream())) {
    buffer += chunk;
    const blocks = buffer.split(/\r?\n\r?\n/);
    // The last block may be incomplete.
    buffer = blocks.pop() ?? '';
    for (const block of blocks) {
      const fields = block.split(/\r?\n/).map((line) => /^([^:]*):? ?(.*)$/s.exec(line) as RegExpExecArray);
      const data = fields.filter(([, name]) => name === 'data').map(([, , value]) => value);
      if (data.length > 0)
        yield { id: fields.findLast(([, name]) => name === 'id')?.[2] ?? null, data: data.join('\n') };
    }
  }
}
