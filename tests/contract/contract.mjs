// docs/openapi.yaml as a contract: its operations, and whether a value is what a
// schema of it says. A value of CBOR has bytes where one of JSON has text.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

export const modules = createRequire(
    `${process.env.CONTRACT_MODULES}/package.json`);
const Ajv = modules('ajv/dist/2020.js').default;
const path = new URL('../../docs/openapi.yaml', import.meta.url);
export const document = modules('yaml').parse(readFileSync(path, 'utf8'));

const METHODS = ['get', 'put', 'post', 'delete', 'patch', 'head', 'options'];

/** What a $ref names; fails where that is nothing. */
export function resolve(node) {
    if (node?.$ref === undefined)
        return node;
    const found = node.$ref.slice(2).split('/')
        .reduce((at, key) => at?.[key], document);
    if (!node.$ref.startsWith('#/') || found === undefined)
        throw new Error(`${node.$ref} names nothing`);
    return resolve(found);
}

/** Every operation, with its path and parameters. */
export const operations = Object.entries(document.paths).flatMap(
    ([path, item]) => METHODS.filter((method) => item[method]).map((method) => ({
        path,
        method: method.toUpperCase(),
        ...item[method],
        parameters: [...(item.parameters ?? []),
            ...(item[method].parameters ?? [])].map(resolve),
    })));

/* The schemas come under $defs, where JSON Schema looks for them. */
const moved = (node) => JSON.parse(JSON.stringify(node)
    .replaceAll('#/components/schemas/', 'hub#/$defs/'));
const ajv = new Ajv({ strict: true, strictTypes: false, strictRequired: false,
    allErrors: false });
ajv.addFormat('hex', /^([0-9a-f]{2})*$/);
ajv.addSchema({ $id: 'hub', $defs: moved(document.components.schemas) });
const compiled = new Map();

function compile(schema) {
    if (!compiled.has(schema))
        compiled.set(schema, ajv.compile(moved(schema)));
    return compiled.get(schema);
}

/* Of each part of a value the schemas that speak of it. */
const partsOf = (schema) => {
    const found = resolve(schema);
    return [found, ...['allOf', 'anyOf', 'oneOf'].flatMap(
        (key) => (found[key] ?? []).flatMap(partsOf))];
};

/** The value as JSON has it: bytes are written as the schema says. */
export function inJson(schemas, value) {
    const parts = schemas.flatMap(partsOf);
    if (value instanceof Uint8Array) {
        const isHex = parts.some((part) => part.format === 'hex');
        return Buffer.from(value).toString(isHex ? 'hex' : 'base64url');
    }
    if (Array.isArray(value)) {
        const items = parts.filter((part) => part.items)
            .map((part) => part.items);
        return value.map((item) => inJson(items, item));
    }
    if (value === null || typeof value !== 'object')
        return value;
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key,
        inJson(parts.filter((part) => part.properties?.[key])
            .map((part) => part.properties[key]), item)]));
}

/** Why the value is not what the schema says, or null. */
export function complaint(schema, value) {
    const check = compile(schema);
    return check(inJson([schema], value)) ? null
        : ajv.errorsText(check.errors, { dataVar: 'body' });
}

/** The one value that `bytes` are in CBOR. */
export function fromCbor(bytes) {
    let at = 0;
    const take = (count) => {
        if (at + count > bytes.length)
            throw new Error('the CBOR ends too early');
        return bytes.subarray(at, at += count);
    };
    const number = (info) => {
        if (info < 24)
            return info;
        const size = 1 << (info - 24);
        const found = [...take(size)].reduce((sum, byte) => sum * 256 + byte, 0);
        if (size > 8 || !Number.isSafeInteger(found))
            throw new Error('a number of CBOR is none');
        return found;
    };
    const value = () => {
        const first = take(1)[0];
        const kind = first >> 5;
        if (kind === 7)
            return { 244: false, 245: true, 246: null }[first];
        const count = number(first & 31);
        switch (kind) {
        case 0: return count;
        case 1: return -1 - count;
        case 2: return take(count);
        case 3: return new TextDecoder('utf-8', { fatal: true })
            .decode(take(count));
        case 4: return Array.from({ length: count }, value);
        default: {
            const pairs = Array.from({ length: count },
                () => [value(), value()]);
            return Object.fromEntries(pairs);
        }
        }
    };
    const found = value();
    if (at !== bytes.length)
        throw new Error('something comes after the CBOR');
    return found;
}
