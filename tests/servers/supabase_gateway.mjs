// The API of Supabase (PostgREST's behaviour) over the databases of one Postgres server, for the tests:
// /DATABASE/rest/v1/… is the API of the project whose database that is; DELETE /DATABASE forgets what was learnt of
// its schema. Run by supabase_gateway.py, which says where Postgres is and what the keys are; ends when its input does.
import { once } from "node:events";
import { serve } from "@hono/node-server";
import { App } from "@supabase/lite";
import { createPostgresConnection } from "@supabase/lite/postgres";
import { sql } from "kysely";

const { postgres, secretKey, publishableKey, jwtSecret, schemas } = JSON.parse(process.argv[1]);

// Numbers that a double cannot hold stay as they were written, as they do in PostgREST.
const parse = JSON.parse;
JSON.parse = (text, revive) =>
  parse(text, (key, value, { source }) => {
    const kept = typeof value === "number" && String(value) !== source ? JSON.rawJSON(source) : value;
    return revive ? revive(key, kept) : kept;
  });

// What the package would encode twice, or in a form that PostgREST does not use.
const type = (oid, serialize, parse) => ({ to: oid, from: [oid], serialize, parse });
const json = (oid) => type(oid, (value) => (typeof value === "string" ? value : JSON.stringify(value)), JSON.parse);
const isoTime = (text) => text.replace(" ", "T").replace(/([+-]\d\d)$/, "$1:00");
const types = { json: json(114), jsonb: json(3802), timestamptz: type(1184, (value) => value, isoTime) };

// The package keeps some SQLSTATEs to itself; PostgREST passes on all of them. (42501 it knows, with its statuses.)
function withState(error) {
  if (!/^[0-9A-Z]{5}$/.test(error?.code ?? "") || error.code === "42501") return error;
  const { code, message, detail: details, hint } = error;
  const status = { headers: {}, status: code === "23505" || code === "23503" ? 409 : 400 };
  return { code: "PGRST", message: JSON.stringify({ code, message, details, hint }), detail: JSON.stringify(status) };
}

// What a transaction knows of its request, which the package sets by a statement for each, as PostgREST does: in one.
const quoted = (text) => `'${String(text).replaceAll("'", "''")}'`;
const setAll = (values) =>
  sql.raw(`select ${Object.entries(values).map(([name, value]) => `set_config('${name}', ${quoted(value)}, true)`)}`);

function applyJwtSessionContext(transaction, { auth, storage }, _named) {
  const role = auth?.role || "anon";
  return setAll({
    role,
    "request.jwt.claim.sub": auth?.uid ?? "",
    "request.jwt.claim.role": role,
    "storage.operation": storage?.operation ?? "",
    ...(typeof auth?.jwt === "object" && auth.jwt && { "request.jwt.claims": JSON.stringify(auth.jwt) }),
  }).execute(transaction);
}

function applyRpcRequestGucs(transaction, { method, path, requestHeaders }) {
  return setAll({
    "response.status": "",
    "response.headers": "",
    "request.method": method,
    "request.path": path,
    "request.headers": JSON.stringify(requestHeaders ?? {}),
  }).execute(transaction);
}

function open(database) {
  const connection = createPostgresConnection({
    url: `${postgres}/${database}`,
    postgresOptions: { max: 8, onnotice: () => {}, types },
  });
  Object.assign(connection, { normalizeDbError: withState, applyJwtSessionContext, applyRpcRequestGucs });
  return new App({
    connection,
    api: { schemas },
    auth: { enabled: false, secret_key: secretKey, publishable_key: publishableKey, jwt_secret: jwtSecret },
    options: { server: { disableStudio: true } },
  });
}

const apps = new Map();

async function forget(database) {
  const app = apps.get(database);
  apps.delete(database);
  await app?.connection.close();
  return new Response(null, { status: 204 });
}

async function answer(request) {
  const url = new URL(request.url);
  const [, database, ...path] = url.pathname.split("/");
  if (request.method === "DELETE" && path.length === 0) return forget(database);
  if (!apps.has(database)) apps.set(database, open(database));
  url.pathname = `/${path.join("/")}`;
  const body = request.body ? await request.text() : undefined;
  return apps.get(database).fetch(new Request(url, { method: request.method, headers: request.headers, body }));
}

serve({ fetch: answer, hostname: "127.0.0.1", port: 0 }, ({ port }) => console.log(port));
process.stdin.resume();
await once(process.stdin, "end");
process.exit(0);
