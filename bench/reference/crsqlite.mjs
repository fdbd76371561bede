/*
 * crsqlite.mjs - what cr-sqlite takes, as it comes from npm: for a browser
 *
 *     node crsqlite.mjs FOLDER insert|apply
 *
 * FOLDER is the unpacked package @vlcn.io/wa-sqlite. The work is that of
 * engine.c. It runs as WebAssembly, which is slower than machine code, and on
 * databases in memory that are never synced, which is faster than a file.
 * Prints the seconds.
 */
import {readFileSync} from 'node:fs';
import {pathToFileURL} from 'node:url';

const ROWS = 100000;
const ROW = 100, DONE = 101;
const [folder, work] = process.argv.slice(2);

async function load(file) {
    return import(pathToFileURL(`${folder}/${file}`).href);
}

const {default: start} = await load('dist/crsqlite-sync.mjs');
const {Factory} = await load('src/sqlite-api.js');
const sqlite = Factory(await start({
    wasmBinary: readFileSync(`${folder}/dist/crsqlite-sync.wasm`)}));

async function open(name) {
    const db = await sqlite.open_v2(name);
    await sqlite.exec(db,
        'CREATE TABLE t(id TEXT PRIMARY KEY NOT NULL, a TEXT, b INTEGER, ' +
        "c REAL, d TEXT); SELECT crsql_as_crr('t')");
    return db;
}

async function prepare(db, sql) {
    const text = sqlite.str_new(db, sql);
    return (await sqlite.prepare_v2(db, sqlite.str_value(text))).stmt;
}

/* The key of row k, as in engine.c. */
function key(k) {
    const mask = (1n << 64n) - 1n;
    let x = (BigInt(k) + 1n) * 0x9E3779B97F4A7C15n & mask;
    x = (x ^ x >> 30n) * 0xBF58476D1CE4E5B9n & mask;
    x = (x ^ x >> 27n) * 0x94D049BB133111EBn & mask;
    x ^= x >> 31n;
    const hex = (value, digits) => value.toString(16).padStart(digits, '0');
    return `${hex(x >> 32n, 8)}-${hex(x >> 16n & 0xffffn, 4)}-4` +
        `${hex(x >> 4n & 0xfffn, 3)}-8${hex(x & 0xfffn, 3)}-` +
        hex(x * 31n & 0xffffffffffffn, 12);
}

async function fill(db) {
    const keys = Array.from({length: ROWS}, (_, k) => key(k));
    const stmt = await prepare(db, 'INSERT INTO t VALUES(?, ?, ?, ?, ?)');
    const begin = performance.now();
    await sqlite.exec(db, 'BEGIN');
    for (let k = 0; k < ROWS; k++) {
        sqlite.bind_text(stmt, 1, keys[k]);
        sqlite.bind_text(stmt, 2, 'some text of a row, of forty characters.');
        sqlite.bind_int(stmt, 3, k);
        sqlite.bind_double(stmt, 4, k * 1.5);
        sqlite.bind_text(stmt, 5, 'another');
        if (await sqlite.step(stmt) !== DONE)
            throw new Error('a row was not inserted');
        await sqlite.reset(stmt);
    }
    await sqlite.exec(db, 'COMMIT');
    return (performance.now() - begin) / 1000;
}

/* Hands the changes over in one transaction; only the taking counts. */
async function take(from, to) {
    const columns = '"table", pk, cid, val, col_version, db_version, ' +
        'site_id, cl, seq';
    const read = await prepare(from, `SELECT ${columns} FROM crsql_changes`);
    const write = await prepare(to, `INSERT INTO crsql_changes(${columns}) ` +
        'VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?)');
    let spent = 0;
    await sqlite.exec(to, 'BEGIN');
    while (await sqlite.step(read) === ROW) {
        const row = sqlite.row(read).map(
            (value) => value instanceof Uint8Array ? value.slice() : value);
        const begin = performance.now();
        row.forEach((value, i) => sqlite.bind(write, i + 1, value));
        if (await sqlite.step(write) !== DONE)
            throw new Error('a change was not taken');
        await sqlite.reset(write);
        spent += performance.now() - begin;
    }
    const begin = performance.now();
    await sqlite.exec(to, 'COMMIT');
    return (spent + performance.now() - begin) / 1000;
}

async function count(db) {
    let rows = 0;
    await sqlite.exec(db, 'SELECT count(*) FROM t', (row) => {
        rows = row[0];
    });
    return rows;
}

const from = await open(':memory:');
let seconds = await fill(from), last = from;
if (work === 'apply') {
    last = await open(':memory:');
    seconds = await take(from, last);
}
if (await count(last) !== ROWS)
    throw new Error('not all rows are there');
console.log(seconds.toFixed(6));
