// The API of Supabase (PostgREST and its kin) over the databases of one Postgres server, for the tests:
// /DATABASE/rest/v1/… as a project's URL would have it. DELETE /DATABASE forgets what was learnt of its schema.
//
// Run by supabase_gateway.py, which says where Postgres is and what the keys are; ends when its stdin does.
import { once } from "node:events";
import { serve } from "@hono/node-server";
import { App } from "@supabase/lite";
import { createPostgresConnection } from "@supabase/lite/postgres";

const { postgres, secretKey, publishableKey, jwtSecret, schemas } = JSON.parse(process.argv[1]);

// Numbers that a double cannot hold stay as they were written, as they do in PostgREST.
const parse = JSON.parse;
JSON.parse = (text, revive) =>
  parse(text, (key, value, { source }) => {
    const kept = typeof value === "number" && String(value) !== source ? JSON.rawJSON(source) : value;
    return revive ? revive(key, kept) : kept;
  });

const asText = (oid) => ({ to: oid, from: [oid], serialize: (value) => value, parse: (text) => text });
const asJson = (oid) => ({ ...asText(oid), parse: JSON.parse, serialize: (value) => (typeof value === "string" ? value : JSON.stringify(value)) });
const asTime = (oid) => ({ ...asText(oid), parse: (text) => text.replace(" ", "T").replace(/([+-]\d\d)$/, "$1:00") });

function open(database) {
  const connection = createPostgresConnection({
    url: `${postgres}/${database}`,
    postgresOptions: {
      max: 8,
      onnotice: () => {},
      types: { json: asJson(114), jsonb: asJson(3802), timestamptz: asTime(1184) },
    },
  });
  // Every SQLSTATE reaches the caller, not only those that the package knows.
  connection.normalizeDbError = (error) =>
    /^[0-9A-Z]{5}$/.test(error?.code ?? "") && !error.code.startsWith("PGRST") && error.code !== "42501"
      ? { code: "PGRST", message: JSON.stringify({ code: error.code, message: error.message, details: error.detail, hint: error.hint }), detail: JSON.stringify({ status: error.code.startsWith("23505") ? 409 : 400, headers: {} }) }
      : error;
  return new App({
    connection,
    api: { schemas },
    auth: { enabled: false, secret_key: secretKey, publishable_key: publishableKey, jwt_secret: jwtSecret },
    options: { server: { disableStudio: true } },
  });
}

const apps = new Map();

async function answer(request) {
  const url = new URL(request.url);
  const [, database, ...path] = url.pathname.split("/");
  if (request.method === "DELETE" && path.length === 0) {
    const app = apps.get(database);
    apps.delete(database);
    await app?.connection.close();
    return new Response(null, { status: 204 });
  }
  if (!apps.has(database)) apps.set(database, open(database));
  url.pathname = `/${path.join("/")}`;
  const body = request.body ? await request.text() : undefined;
  return apps.get(database).fetch(new Request(url, { method: request.method, headers: request.headers, body }));
}

const server = serve({ fetch: answer, hostname: "127.0.0.1", port: 0 }, ({ port }) => console.log(port));
process.stdin.resume();
await once(process.stdin, "end");
server.close();
process.exit(0);
