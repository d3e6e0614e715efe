import { Socket } from 'node:net';
import { afterAll, inject, vi } from 'vitest';

/** The state of a connection to the control database. */
interface Connection {
  /** The texts of the prepared statements, by their names. */
  readonly texts: Map<string, string>;
  /** The number of bytes that had been received at the last write. */
  bytesRead: number;
}

const TAG_LENGTH = 5;
const STARTUP = 'application_name\0freshet\0';
/** Statements that do not belong to a request. */
const BACKGROUND = /freshet\.processes/;

/**
 * Records the statements that the control store of this process sends, except the statements of the
 * queue's own connections. Call this function before the connections are opened.
 */
export function useStatementRecorder() {
  const connections = new WeakMap<Socket, Connection>();
  let roundTrips: string[][] = [];
  const write = Reflect.get(Socket.prototype, 'write') as (...args: unknown[]) => boolean;
  const port = Number(new URL(inject('postgresUrl')).port);

  function observe(socket: Socket, chunk: Buffer): void {
    const connection = connections.get(socket);
    if (connection === undefined) {
      if (chunk.includes(STARTUP)) connections.set(socket, { texts: new Map(), bytesRead: 0 });
      return;
    }
    const statements = parseStatements(chunk, connection.texts).filter((text) => !BACKGROUND.test(text));
    if (statements.length === 0) return;
    // A write that follows another write without a response belongs to the same round trip.
    if (socket.bytesRead === connection.bytesRead) roundTrips.at(-1)?.push(...statements.map(summarize));
    else roundTrips.push(statements.map(summarize));
    connection.bytesRead = socket.bytesRead;
  }

  const spy = vi.spyOn(Socket.prototype, 'write').mockImplementation(function (this: Socket, ...args) {
    if (this.remotePort === port && Buffer.isBuffer(args[0])) observe(this, args[0]);
    return write.apply(this, args);
  });
  afterAll(() => spy.mockRestore());

  /** Returns the statements that `work` sends, by round trip. */
  return async (work: () => PromiseLike<unknown>): Promise<string[][]> => {
    roundTrips = [];
    await work();
    return roundTrips;
  };
}

/** Returns the texts of the statements that a chunk of PostgreSQL's protocol executes. */
function parseStatements(chunk: Buffer, texts: Map<string, string>): string[] {
  const executed: string[] = [];
  for (let offset = 0; offset + TAG_LENGTH <= chunk.length; ) {
    const tag = String.fromCharCode(chunk[offset] as number);
    const end = offset + 1 + chunk.readUInt32BE(offset + 1);
    const [first = '', second = ''] = chunk.toString('latin1', offset + TAG_LENGTH, end).split('\0');
    // `Parse` contains the name and the text, `Bind` the portal and the name, and `Query` the text.
    if (tag === 'P') texts.set(first, second);
    else if (tag === 'B') executed.push(texts.get(second) ?? 'unknown');
    else if (tag === 'Q') executed.push(first);
    offset = end;
  }
  return executed;
}

/** Returns the command of a statement and the tables that it uses. */
function summarize(text: string): string {
  const statement = text.replaceAll('"', '');
  const [command = ''] =
    /\b(?:select|insert|update|delete|\w+)\b/i.exec(statement.replace(/^\s*with ins as \(/i, '')) ?? [];
  const tables = [...statement.matchAll(/\b(?:freshet|pgboss)\.(?!job_now)(\w+)/g)].map(([, name]) => name as string);
  return [command.toLowerCase(), ...new Set(tables)].join(' ');
}
