export interface ServerSentEvent {
  readonly id: string | null;
  readonly data: string;
}

/** The events of a stream as they come; comments and whatever has no data are passed over. (https://html.spec.whatwg.org/multipage/server-sent-events.html) */
export async function* eventsIn(body: ReadableStream<Uint8Array<ArrayBuffer>>): AsyncGenerator<ServerSentEvent> {
  let text = '';
  for await (const chunk of body.pipeThrough(new TextDecoderStream())) {
    text += chunk;
    const parts = text.split(/\r?\n\r?\n/);
    // The last one is not whole yet.
    text = parts.pop() ?? '';
    for (const part of parts) {
      const fields = part.split(/\r?\n/).map((line) => /^([^:]*):? ?(.*)$/s.exec(line) as RegExpExecArray);
      const data = fields.filter(([, name]) => name === 'data').map(([, , value]) => value);
      if (data.length > 0)
        yield { id: fields.findLast(([, name]) => name === 'id')?.[2] ?? null, data: data.join('\n') };
    }
  }
}
