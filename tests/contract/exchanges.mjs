// Holds what a real hub was asked and answered against docs/openapi.yaml. The
// files have one line each, as tests/hub/record.h says. Every route of the hub
// is described, every operation described was seen to succeed and to fail, and
// so was each status that is named.
import { readFileSync } from 'node:fs';
import { complaint, fromCbor, operations, resolve } from './contract.mjs';

/* What any operation may answer without naming it. */
const ANYWHERE = [400, 401, 403, 404, 405, 413, 415, 429, 501, 503];
const complaints = new Map();

function complain(what, example) {
    const found = complaints.get(what) ?? { count: 0, example };
    found.count++;
    complaints.set(what, found);
}

/* A record that is not there is a test that did not run. */
const lines = process.argv.slice(2).flatMap((file) =>
    readFileSync(file, 'utf8').trim().split('\n').map(JSON.parse));
const nameOf = (method, path) => `${method} ${path}`;
const byName = new Map(operations.map((o) => [nameOf(o.method, o.path), o]));
const patterns = operations.map((operation) => [operation, new RegExp(
    `^${operation.path.replaceAll(/\{\w+\}/g, '[^/]+')}$`)])
    .sort(([a], [b]) => a.path.includes('{') - b.path.includes('{'));

function find(method, path) {
    return patterns.find(([operation, pattern]) =>
        operation.method === method && pattern.test(path))?.[0];
}

/* ---- the table of routes, and the document ---- */

const routes = new Set(lines.filter((line) => line.route)
    .map((line) => nameOf(line.method, line.route)));
for (const name of routes)
    if (!byName.has(name))
        complain(`${name} is not described`);
for (const name of byName.keys())
    if (!routes.has(name))
        complain(`${name} is described, and the hub has no such route`);

/* ---- exchanges ---- */

function read(type, hex) {
    const bytes = Buffer.from(hex, 'hex');
    if (bytes.length === 0)
        return undefined;
    if (type.startsWith('application/cbor'))
        return fromCbor(bytes);
    return type.includes('json') ? JSON.parse(bytes.toString()) : bytes.toString();
}

function checkAnswer(operation, line, where) {
    const named = operation.responses[line.status];
    if (!named && !ANYWHERE.includes(line.status))
        complain(`${where} is not described`, line);
    const response = resolve(named ?? operation.responses.default);
    const contents = Object.entries(response.content ?? {});
    if (contents.length === 0)
        return;
    const isCbor = line.answered_type === 'application/cbor';
    const [type, content] = contents[0];
    if (!isCbor && line.answered_type.split(';')[0] !== type)
        complain(`${where} is of type '${line.answered_type}', not ${type}`, line);
    if (!content.schema)
        return;
    const body = read(line.answered_type, line.answered);
    const why = complaint(content.schema, body);
    if (why)
        complain(`${where}: ${why}`, line);
    if (Number.isInteger(body?.status) && body.status !== line.status)
        complain(`${where}: its body says ${body.status}`, line);
}

/* What was done was asked for as the document says. */
function checkQuestion(operation, line, where) {
    const schema = resolve(operation.requestBody)?.content?.['application/json']
        ?.schema;
    if (!schema) {
        if (line.asked !== '' && !operation.requestBody)
            complain(`${where}: has a body, and none is described`, line);
        return;
    }
    if (line.asked === '')
        return;
    const why = complaint(schema, read(line.asked_type, line.asked));
    if (why)
        complain(`${where}: asked ${why}`, line);
}

const seen = new Map(operations.map((operation) => [operation, new Set()]));
for (const line of lines.filter((line) => !line.route)) {
    const operation = find(line.method, line.path.split('?')[0]);
    if (!operation)
        continue;
    const where = `${nameOf(operation.method, operation.path)} ${line.status}`;
    seen.get(operation).add(line.status);
    try {
        checkAnswer(operation, line, where);
        if (line.status < 300)
            checkQuestion(operation, line, where);
    } catch (error) {
        complain(`${where}: ${error.message}`, line);
    }
}

/* Running is for who runs it, and does not fail when it is asked. */
const NEVER_FAILS = ['health', 'metrics', 'beginLnurl'];
for (const [operation, statuses] of seen) {
    const name = nameOf(operation.method, operation.path);
    for (const code of Object.keys(operation.responses))
        if (code !== 'default' && !statuses.has(Number(code)))
            complain(`${name} ${code} was never seen`);
    if (!NEVER_FAILS.includes(operation.operationId) &&
        ![...statuses].some((status) => status >= 400))
        complain(`${name} was never seen to fail`);
}

for (const [what, { count, example }] of [...complaints].sort()) {
    console.error(`${what}${count > 1 ? ` (${count} times)` : ''}`);
    if (example && process.env.VERBOSE)
        console.error(`    ${JSON.stringify(example)}`);
}
const total = [...seen.values()].reduce((sum, set) => sum + set.size, 0);
console.log(`${lines.length - routes.size} exchanges, ${total} kinds of answers`);
process.exit(complaints.size > 0 ? 1 : 0);
