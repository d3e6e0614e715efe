import Fastify from 'fastify';
import postgres from 'postgres';

/**
 * The baselines of the API benchmark: Fastify routes with one indexed query each, and a route that
 * inserts one row and commits. They have no authentication, schemas or logs.
 */
const sql = postgres(process.env['DATABASE_URL'] as string, { max: 5 });
const app = Fastify();
app.get(
  '/runs/:id',
  async (request) => (await sql`select * from freshet.runs where id = ${(request.params as { id: string }).id}`)[0],
);
app.get('/pipelines', () => sql`select * from freshet.pipelines order by id desc limit 20`);
app.get('/runs', (request) => {
  const { before } = request.query as { before?: string };
  return sql`
    select page.*, (select json_agg(o) from freshet.object_runs o where o.run_id = page.id) as objects
    from (select * from freshet.runs ${before ? sql`where id < ${before}` : sql``} order by id desc limit 20) page`;
});
app.post('/rows', async () => (await sql`insert into bench.rows (at, value) values (now(), 'a row') returning *`)[0]);
process.send?.({ listening: await app.listen({ host: '127.0.0.1', port: 0 }) });
