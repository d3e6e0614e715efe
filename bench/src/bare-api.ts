import Fastify from 'fastify';
import postgres from 'postgres';

/** The floor of the API's benchmark: one route, no token, no schema, one indexed query. */
const sql = postgres(process.env['DATABASE_URL'] as string, { max: 5 });
const app = Fastify();
app.get('/runs/:id', async (request) => (await sql`select * from freshet.runs where id = ${(request.params as { id: string }).id}`)[0]);
process.send?.({ listening: await app.listen({ host: '127.0.0.1', port: 0 }) });
