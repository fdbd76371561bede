// Whether docs/openapi.yaml is a document of OpenAPI 3.1 that can be worked with.
import { document, modules, operations, resolve } from './contract.mjs';

const { Validator } = modules('@seriousme/openapi-schema-validator');
const complaints = [];

function hold(condition, where, what) {
    if (!condition)
        complaints.push(`${where}: ${what}`);
}

const checked = await new Validator().validate(structuredClone(document));
hold(checked.valid, 'document', JSON.stringify(checked.errors, null, 2));
hold(document.openapi.startsWith('3.1.'), 'document', 'not OpenAPI 3.1');

/* Every reference leads somewhere, and to every component something leads. */
const used = new Set();
const walk = (node, visit, at = '') => {
    if (node === null || typeof node !== 'object')
        return;
    visit(node, at);
    for (const [key, item] of Object.entries(node))
        walk(item, visit, `${at}/${key}`);
};
walk(document, (node, at) => {
    if (typeof node.$ref !== 'string')
        return;
    used.add(node.$ref);
    try {
        resolve(node);
    } catch (error) {
        hold(false, at, error.message);
    }
});
for (const [kind, group] of Object.entries(document.components))
    for (const name of Object.keys(group))
        hold(kind === 'securitySchemes' ||
            used.has(`#/components/${kind}/${name}`), name, 'is used by nothing');

/* A field that must be there is said what it is. */
walk(document.components.schemas, (node, at) => {
    for (const name of Array.isArray(node.required) ? node.required : [])
        hold(!node.properties || node.properties[name], at,
            `requires '${name}', which it does not describe`);
});
walk(document, (node, at) => {
    if (typeof node.description === 'string')
        hold(node.description.trim() !== '', at, 'an empty description');
});

const names = new Set();
const tags = new Set(document.tags.map((tag) => tag.name));
const seenTags = new Set();
for (const operation of operations) {
    const where = `${operation.method} ${operation.path}`;
    hold(/^[a-z][A-Za-z]+$/.test(operation.operationId ?? ''), where,
        'has no operationId');
    hold(!names.has(operation.operationId), where, 'shares its operationId');
    names.add(operation.operationId);
    hold(/^[A-Z].*[^.]$/.test(operation.summary ?? ''), where,
        'a summary is a line without a full stop');
    hold(operation.tags?.length === 1 && tags.has(operation.tags[0]), where,
        'has not one tag of those above');
    seenTags.add(operation.tags?.[0]);
    const codes = Object.keys(operation.responses);
    hold(codes.some((code) => /^[12]/.test(code)), where, 'never succeeds');
    hold(codes.includes('default'), where, 'says nothing of other refusals');
    hold(operation.security === undefined || operation.security.length === 0,
        where, 'security is the document\'s, or none');
    const inPath = [...operation.path.matchAll(/\{(\w+)\}/g)].map((m) => m[1]);
    const given = operation.parameters.filter((p) => p.in === 'path')
        .map((p) => p.name);
    hold(inPath.join() === given.join(), where,
        'its path and its parameters differ');
    hold(operation.method !== 'GET' || !operation.requestBody, where,
        'a GET has no body');
}
for (const tag of tags)
    hold(seenTags.has(tag), tag, 'is the tag of nothing');

for (const line of complaints)
    console.error(`openapi.yaml: ${line}`);
console.log(`${operations.length} operations`);
process.exit(complaints.length > 0 ? 1 : 0);
